/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Eight characters are read and written at a time, as the bytes of one integer ("SIMD within a register"),
 * the first character in the lowest byte, whatever the machine's order is. Loops over single characters take
 * more instructions, and the one mispredicted branch at the end of a number costs more than all of them. */

#define METRICS_DIGITS_WORD 8 /* characters in a word */
#define METRICS_DIGITS_LIMIT G_GUINT64_CONSTANT (100000000)

/* Added to values of digits, or with an exclusive or, makes characters of them, and the reverse. */
#define METRICS_DIGITS_ZEROS G_GUINT64_CONSTANT (0x3030303030303030)

static inline guint64
metrics_digits_load (const char *bytes)
{
  guint64 word;

  memcpy (&word, bytes, sizeof word);
  return GUINT64_FROM_LE (word);
}

static inline void
metrics_digits_store (char *bytes, guint64 word)
{
  word = GUINT64_TO_LE (word);
  memcpy (bytes, &word, sizeof word);
}

/* Characters to the values of digits; the top bit is set in each byte of the mask that is none. Behind the
 * first one it may be set too often. */
static inline guint64
metrics_digits_find_others (guint64 values)
{
  return ((values + G_GUINT64_CONSTANT (0x7676767676767676)) | values)
         & G_GUINT64_CONSTANT (0x8080808080808080);
}

/* The number that eight values of digits make: one multiplication joins all pairs, one all pairs of pairs,
 * one both halves. */
static inline guint64
metrics_digits_join (guint64 values)
{
  values = (values * (10 << 8 | 1)) >> 8 & G_GUINT64_CONSTANT (0x00ff00ff00ff00ff);
  values = (values * (100 << 16 | 1)) >> 16 & G_GUINT64_CONSTANT (0x0000ffff0000ffff);
  return values * (G_GUINT64_CONSTANT (10000) << 32 | 1) >> 32;
}

/* The reverse: eight values of digits, the first one in the lowest byte. Multiplications and shifts divide
 * each part by 100 and by 10 (10486 / 2^20 for what is below 10^4, 103 / 2^10 for what is below 100). */
static inline guint64
metrics_digits_split (guint32 number)
{
  guint64 high = number / 10000;
  guint64 fours = high | (guint64) (number - high * 10000) << 32;
  guint64 hundreds = ((fours * 10486) >> 20) & G_GUINT64_CONSTANT (0x0000007f0000007f);
  guint64 twos = (fours << 16) - hundreds * ((100 << 16) - 1);
  guint64 tens = ((twos * 103) >> 10) & G_GUINT64_CONSTANT (0x000f000f000f000f);

  return (twos << 8) - tens * ((10 << 8) - 1);
}

G_END_DECLS
