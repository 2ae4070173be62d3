/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-time.h"

#include "common/metrics-number.h"

#include <string.h>

static gint64
unit_seconds (char unit)
{
  switch (unit)
    {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 60 * 60;
    case 'd':
      return 24 * 60 * 60;
    case 'w':
      return 7 * 24 * 60 * 60;
    default:
      return 0;
    }
}

/**
 * metrics_time_parse_span:
 * @text: (array length=len): a number without a sign and one of the letters `s`, `m`, `h`, `d`, `w`
 * @len: its length in bytes
 * @seconds: (out): the span in seconds
 *
 * Reads a span of time: `90s`, `5m`, `4w`.
 *
 * Returns: %FALSE where the text is not one or is too long a time for 64 bits
 */
gboolean
metrics_time_parse_span (const char *text, gsize len, gint64 *seconds)
{
  gint64 unit, n;

  if (len < 2 || !g_ascii_isdigit (text[0]))
    return FALSE;
  unit = unit_seconds (text[len - 1]);
  if (unit == 0 || !metrics_number_parse_int64 (text, len - 1, &n) || n > G_MAXINT64 / unit)
    return FALSE;
  *seconds = n * unit;
  return TRUE;
}

/**
 * metrics_time_parse:
 * @text: (array length=len): an integer, `now`, `now-<n><s|m|h|d|w>`, or `-`
 * @len: its length in bytes
 * @now: the time now, in seconds since the Unix epoch
 * @open: what `-` stands for: the end of time on this side
 * @time: (out): the time
 *
 * Reads a time as the protocol's `range` and `del` take it.
 *
 * Returns: %FALSE where the text is not one or does not fit
 */
gboolean
metrics_time_parse (const char *text, gsize len, gint64 now, gint64 open, gint64 *time)
{
  const gsize now_len = strlen ("now");
  gint64 seconds;

  if (len == 1 && text[0] == '-')
    {
      *time = open;
      return TRUE;
    }
  if (len < now_len || memcmp (text, "now", now_len) != 0)
    return metrics_number_parse_int64 (text, len, time);
  if (len == now_len)
    {
      *time = now;
      return TRUE;
    }
  if (text[now_len] != '-' || !metrics_time_parse_span (text + now_len + 1, len - now_len - 1, &seconds)
      || (now < 0 && seconds > now - G_MININT64))
    return FALSE;
  *time = now - seconds;
  return TRUE;
}
