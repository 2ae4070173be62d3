/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

/* Eight bytes, the first one lowest. */
static inline guint64
metrics_scan_load (const char *p)
{
  guint64 word;

  memcpy (&word, p, sizeof word);
  return GUINT64_FROM_LE (word);
}

/* As memcmp() == 0, for what is some ten bytes long and differs, if it does, in the last ones. */
static inline gboolean
metrics_bytes_are_equal (const char *a, const char *b, gsize len)
{
  if (len < 8)
    return memcmp (a, b, len) == 0;
  if (metrics_scan_load (a + len - 8) != metrics_scan_load (b + len - 8))
    return FALSE;
  for (; len > 8; a += 8, b += 8, len -= 8)
    if (metrics_scan_load (a) != metrics_scan_load (b))
      return FALSE;
  return TRUE;
}

/**
 * metrics_scan_printable:
 * @p: where a text begins
 * @end: behind its last byte
 *
 * Looks at eight bytes at once. The highest bit of a byte is set in `word - 0x21` where it is below 0x21, in
 * `word + 1` where it is 0x7f, and in `word` where it is no ASCII. Carries go upwards, and begin in bytes
 * that are marked themselves, so the lowest mark is right.
 *
 * Returns: its first byte that is a blank, a control character or not ASCII; @end where there is none
 */
static inline const char *
metrics_scan_printable (const char *p, const char *end)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101);

  for (; end - p >= 8; p += 8)
    {
      guint64 word = metrics_scan_load (p);
      guint64 marks = ((word - 0x21 * ones) | (word + ones) | word) & (ones << 7);
      if (marks != 0)
        return p + __builtin_ctzll (marks) / 8;
    }
  while (p<end && * p> ' ' && *p < 0x7f)
    p++;
  return p;
}

G_END_DECLS
