/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coding/metrics-bits.h"

#include <string.h>

/* Numbers of a fixed width, one behind the other without gaps, the lowest bit first: number i begins at bit
 * i * width, and bit b is bit b % 8 of byte b / 8.
 *
 * To unpack is the hot part of reading. Eight numbers of one width begin and end at whole bytes, and where
 * the width is a constant each of them is one load, one shift and one mask with constants, which the
 * processor does several of at once: hence a copy of the loop for each width. */

#define GROUP 8           /* as many numbers as surely fill whole bytes */
#define MAX_WIDTH_FAST 57 /* what a load of eight bytes holds wherever in its first byte it begins */

static inline guint64
load (const guint8 *data)
{
  guint64 word;

  memcpy (&word, data, sizeof word);
  return GUINT64_FROM_LE (word);
}

static inline guint64
get_mask (guint width)
{
  return width == 64 ? G_MAXUINT64 : (G_GUINT64_CONSTANT (1) << width) - 1;
}

/* The number at @index; eight bytes from where it begins, and one more where it is wide, have to be there. */
static inline guint64
get_number (const guint8 *data, guint index, guint width)
{
  gsize bit = (gsize) index * width;
  guint shift = bit % 8;
  guint64 word = load (data + bit / 8) >> shift;

  if (width > MAX_WIDTH_FAST && shift + width > 64)
    word |= (guint64) data[bit / 8 + 8] << (64 - shift);
  return word & get_mask (width);
}

/* Takes whole groups while every load stays within @size bytes. Returns: how many numbers those were */
static inline __attribute__ ((always_inline)) guint
unpack_groups (const guint8 *data, gsize size, guint n, const guint width, guint64 *values)
{
  guint i = 0;

  for (; i + GROUP <= n && (gsize) (i + GROUP) * width / 8 + 9 <= size; i += GROUP)
    {
      const guint8 *group = data + (gsize) i * width / 8;

#pragma GCC unroll 8
      for (guint j = 0; j < GROUP; j++)
        values[i + j] = get_number (group, j, width);
    }
  return i;
}

#define WIDTH(w)                                                                                             \
  case w:                                                                                                    \
    return unpack_groups (data, size, n, w, values)
#define WIDTHS(w)                                                                                            \
  WIDTH (w);                                                                                                 \
  WIDTH (w + 1);                                                                                             \
  WIDTH (w + 2);                                                                                             \
  WIDTH (w + 3)

static guint
unpack_fast (const guint8 *data, gsize size, guint n, guint width, guint64 *values)
{
  switch (width)
    {
      WIDTHS (1);
      WIDTHS (5);
      WIDTHS (9);
      WIDTHS (13);
      WIDTHS (17);
      WIDTHS (21);
      WIDTHS (25);
      WIDTHS (29);
    default:
      return unpack_groups (data, size, n, width, values);
    }
}

/**
 * metrics_bits_unpack:
 * @data: metrics_bits_get_size() bytes; none behind them is read
 * @n: how many numbers
 * @width: of how many bits each, at most 64
 * @values: (out caller-allocates) (array length=n): where they go
 */
void
metrics_bits_unpack (const guint8 *data, guint n, guint width, guint64 *values)
{
  gsize size = metrics_bits_get_size (n, width);
  guint i;

  if (width == 0)
    {
      memset (values, 0, n * sizeof *values);
      return;
    }
  i = unpack_fast (data, size, n, width, values);
  /* The last ones from a copy that has room behind it. */
  while (i < n)
    {
      guint8 rest[(GROUP * 64) / 8 + 16] = { 0 };
      gsize at = (gsize) i * width / 8;
      guint end = MIN (n, i + GROUP);

      memcpy (rest, data + at, MIN (size - at, (gsize) GROUP * width / 8));
      for (guint j = 0; i < end; i++, j++)
        values[i] = get_number (rest, j, width);
    }
}

/**
 * metrics_bits_pack:
 * @data: (out caller-allocates): room for metrics_bits_get_size() bytes
 * @values: (array length=n): numbers below 2^@width
 * @n: how many
 * @width: of how many bits each, at most 64
 */
void
metrics_bits_pack (guint8 *data, const guint64 *values, guint n, guint width)
{
  guint64 word = 0; /* bits that are not written yet */
  guint used = 0;   /* how many, below 64 */

  if (width == 0)
    return;
  for (guint i = 0; i < n; i++)
    {
      word |= values[i] << used;
      used += width;
      if (used >= 64)
        {
          guint64 bytes = GUINT64_TO_LE (word);

          memcpy (data, &bytes, sizeof bytes);
          data += sizeof bytes;
          used -= 64;
          word = used > 0 ? values[i] >> (width - used) : 0;
        }
    }
  for (; used > 0; used -= MIN (used, 8), word >>= 8)
    *data++ = word & 0xff;
}
