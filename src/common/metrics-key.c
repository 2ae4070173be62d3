/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-key.h"

#include "common/metrics-scan.h"

#include <string.h>

/**
 * metrics_key_is_valid:
 * @key: (array length=len): bytes
 * @len: how many
 *
 * Whether the bytes are a key: 1 to %METRICS_KEY_MAX bytes of UTF-8 without white space or control
 * characters, and not `*`, which stands for all keys.
 */
gboolean
metrics_key_is_valid (const char *key, gsize len)
{
  const char *end = key + len;
  const char *p;

  if (len == 0 || len > METRICS_KEY_MAX || (len == 1 && key[0] == '*'))
    return FALSE;

  /* Of ASCII, which nearly all keys are made of, it is what g_unichar_isspace() and g_unichar_iscntrl()
   * leave.
   */
  p = metrics_scan_printable (key, end);
  if (p == end)
    return TRUE;
  if ((guchar) *p < 0x80)
    return FALSE;

  if (!g_utf8_validate_len (key, len, NULL))
    return FALSE;
  for (; p < end; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_isspace (c) || g_unichar_iscntrl (c))
        return FALSE;
    }
  return TRUE;
}

/**
 * metrics_key_get_public_len:
 * @key: (array length=len): a key of a store
 * @len: its length in bytes
 *
 * Returns: the length of the client's key with which it begins: @len where it is one
 */
gsize
metrics_key_get_public_len (const char *key, gsize len)
{
  const char *mark = memchr (key, METRICS_KEY_MARK, len);

  return mark != NULL ? (gsize) (mark - key) : len;
}

/**
 * metrics_key_is_hidden:
 * @key: (array length=len): a key of a store
 * @len: its length in bytes
 *
 * Returns: whether it is one that the store made itself
 */
gboolean
metrics_key_is_hidden (const char *key, gsize len)
{
  /* Nearly all keys are printable ASCII, which is seen sooner. */
  return metrics_scan_printable (key, key + len) < key + len && metrics_key_get_public_len (key, len) < len;
}

/**
 * metrics_key_is_storable:
 * @key: (array length=len): bytes
 * @len: how many
 *
 * Returns: whether a store can have that key: a valid one, or one that stores make themselves
 */
gboolean
metrics_key_is_storable (const char *key, gsize len)
{
  gsize public_len = metrics_key_get_public_len (key, len);
  const char *rest = key + public_len + 1;

  if (public_len == len)
    return metrics_key_is_valid (key, len);
  return len <= METRICS_KEY_STORED_MAX && rest < key + len && metrics_key_is_valid (key, public_len)
         && metrics_scan_printable (rest, key + len) == key + len;
}
