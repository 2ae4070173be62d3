/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-text.h"

#include "common/metrics-number.h"
#include "common/metrics-time.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Asked for once: GLib looks into /etc each time, which takes longer than all else about a row. One thread
 * alone writes and reads times. */
static GTimeZone *
get_local_zone (void)
{
  static GTimeZone *zone;

  if (zone == NULL)
    zone = g_time_zone_new_local ();
  return zone;
}

/* A date, a time behind it where there is one, in the local time zone where none is named. What GLib wants
 * and people leave out, the time of day or its seconds, is added. */
static GDateTime *
parse_date (const char *text)
{
  g_autofree char *completed = NULL;
  gsize len = strlen (text);

  if (len == strlen ("2026-11-20") && text[4] == '-')
    completed = g_strconcat (text, "T00:00:00", NULL);
  else if (len == strlen ("2026-11-20 14:03") && text[4] == '-' && text[13] == ':')
    completed = g_strconcat (text, ":00", NULL);
  return g_date_time_new_from_iso8601 (completed != NULL ? completed : text, get_local_zone ());
}

/**
 * metrics_ctl_parse_time:
 * @text: an integer, `now`, `now-<n><s|m|h|d|w>`, `-`, or a date with or without a time of day
 * @open: what `-` stands for
 * @time: (out): the time in seconds since the Unix epoch
 *
 * Reads a time as the protocol takes it, or as ISO 8601 has it and as metrics_ctl_format_time() writes it:
 * `2026-11-20`, `2026-11-20 14:03`, `2026-11-20T14:03:05`, `2026-11-20T14:03:05Z`, `...+01:00`.
 *
 * Returns: %FALSE where the text is none of these
 */
gboolean
metrics_ctl_parse_time (const char *text, gint64 open, gint64 *time)
{
  g_autoptr (GDateTime) date = NULL;

  if (metrics_time_parse (text, strlen (text), g_get_real_time () / G_USEC_PER_SEC, open, time))
    return TRUE;
  if (!g_utf8_validate (text, -1, NULL) || (date = parse_date (text)) == NULL)
    return FALSE;
  *time = g_date_time_to_unix (date);
  return TRUE;
}

/**
 * metrics_ctl_parse_step:
 * @text: a number of seconds, or a number and one of the letters `s`, `m`, `h`, `d`, `w`
 * @seconds: (out): the seconds
 *
 * Returns: %FALSE where the text is no such step, or none of at least a second
 */
gboolean
metrics_ctl_parse_step (const char *text, gint64 *seconds)
{
  gsize len = strlen (text);

  return (metrics_time_parse_span (text, len, seconds) || metrics_number_parse_int64 (text, len, seconds))
         && *seconds > 0;
}

/**
 * metrics_ctl_format_time:
 * @time: seconds since the Unix epoch
 *
 * Returns: (transfer full): the local date and time; the bare number where it is outside of the years 1 to
 *   9999, and so hardly a time in seconds
 */
char *
metrics_ctl_format_time (gint64 time)
{
  g_autoptr (GDateTime) universal = g_date_time_new_from_unix_utc (time);
  g_autoptr (GDateTime) date
      = universal != NULL ? g_date_time_to_timezone (universal, get_local_zone ()) : NULL;

  if (date == NULL)
    return g_strdup_printf ("%" G_GINT64_FORMAT, time);
  return g_date_time_format (date, "%Y-%m-%d %H:%M:%S");
}

/**
 * metrics_ctl_format_number:
 * @value: a finite number
 *
 * Writes a number as the locale has it, thousands in groups, without the digits behind the fifteenth that
 * only a computer needs (0.30000000000000004). Very large and very small ones keep their exponent.
 *
 * Returns: (transfer full): the text
 */
char *
metrics_ctl_format_number (double value)
{
  char text[MAX (METRICS_NUMBER_MAX_DOUBLE, G_ASCII_DTOSTR_BUF_SIZE) + 1];
  char *point;
  int decimals;

  if (value != rint (value))
    {
      char format[8];

      g_snprintf (format, sizeof format, "%%.%dg", DBL_DIG);
      value = g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, value), NULL);
    }
  text[metrics_number_print_double (text, value)] = '\0';
  point = strchr (text, '.');
  if (point == NULL || strchr (text, 'e') != NULL)
    return g_strdup (text);
  decimals = strcmp (point, ".0") == 0 ? 0 : (int) strlen (point + 1);
  return g_strdup_printf ("%'.*f", decimals, value);
}

/* With as many digits as there is room for, but no more than that. */
static char *
format_in_room (double value, int max_digits, const char *letter)
{
  char *text = NULL;

  for (int digits = max_digits; digits > 0; digits--)
    {
      g_free (text);
      text = g_strdup_printf ("%.*g%s", digits, value, letter);
      if (strlen (text) <= METRICS_CTL_SHORT_MAX)
        break;
    }
  return text;
}

/**
 * metrics_ctl_format_short:
 * @value: a finite number
 *
 * Writes a number for where there is little room: seven digits, or all of those before the point where they
 * fit (2148000123). Larger ones have a letter (21.480001G), and an exponent where that is shorter.
 *
 * Returns: (transfer full): the text, of at most %METRICS_CTL_SHORT_MAX characters
 */
char *
metrics_ctl_format_short (double value)
{
  static const char letters[][2] = { "M", "G", "T", "P" };
  g_autofree char *plain = NULL;

  if (value == 0)
    return g_strdup ("0");
  if (fabs (value) < 1e6)
    return format_in_room (value, 7, "");
  if (fabs (value) < 1e10)
    {
      plain = g_strdup_printf ("%.0f", value);
      if (strlen (plain) <= METRICS_CTL_SHORT_MAX)
        return g_steal_pointer (&plain);
    }
  for (guint i = 0; i < G_N_ELEMENTS (letters); i++)
    {
      double scaled = value / pow (1000, i + 2);

      /* What rounds to a thousand has the next letter. */
      if (fabs (scaled) < 999.9995)
        return format_in_room (scaled, 8, letters[i]);
    }
  return format_in_room (value, 4, "");
}

/**
 * metrics_ctl_format_integer:
 * @value: a number
 *
 * Returns: (transfer full): the number as the locale has it, thousands in groups
 */
char *
metrics_ctl_format_integer (gint64 value)
{
  return g_strdup_printf ("%'" G_GINT64_FORMAT, value);
}

/**
 * metrics_ctl_escape:
 * @bytes: (array length=n_bytes): anything
 * @n_bytes: how many bytes
 * @max: about how many bytes to show
 *
 * Makes a text of what may be none: `\xNN` stands for each byte that is not UTF-8 or that a terminal could
 * take for a command, dots for what is left out at the end.
 *
 * Returns: (transfer full): the text
 */
char *
metrics_ctl_escape (const char *bytes, gsize n_bytes, gsize max)
{
  GString *text = g_string_new (NULL);
  const char *p = bytes;
  const char *end = bytes + n_bytes;

  while (p < end && text->len < max)
    {
      gunichar c = g_utf8_get_char_validated (p, end - p);

      if (c != 0 && c != (gunichar) -1 && c != (gunichar) -2 && g_unichar_isprint (c))
        {
          g_string_append_unichar (text, c);
          p = g_utf8_next_char (p);
        }
      else
        g_string_append_printf (text, "\\x%02x", (guchar) *p++);
    }
  if (p < end)
    g_string_append (text, "...");
  return g_string_free (text, FALSE);
}

/**
 * metrics_ctl_text_width:
 * @text: valid UTF-8
 *
 * Returns: how many cells of a terminal the text takes
 */
gsize
metrics_ctl_text_width (const char *text)
{
  gsize width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (g_unichar_iswide (c))
        width += 2;
      else if (!g_unichar_iszerowidth (c))
        width++;
    }
  return width;
}
