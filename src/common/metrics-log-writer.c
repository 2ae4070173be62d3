/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-log-writer.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Where log messages of the program go, GLib's own ones too: to the journal with all their fields, where
 * standard error is connected to it; else to standard error, a line each. Standard output is for programs.
 *
 * Texts can have what clients or file names say: nothing in them can end a line, begin another one, or tell a
 * terminal what to do. */

#define PREFIX "metricsd: "

/* The longest value of a field in the journal; a path fits. */
#define MAX_VALUE 4096

static int max_priority = METRICS_PRIORITY_INFO; /* (atomic) */
static int is_hasty;                             /* (atomic) */
static gboolean has_journal;

/* Whether a character would be taken for something else than itself. */
static gboolean
is_deceptive (gunichar c)
{
  return c < 0x20
         || (c >= 0x7f && c < 0xa0)
         /* Ends of lines, and what turns the direction of writing. */
         || c == 0x2028 || c == 0x2029 || c == 0x061c || c == 0x200e || c == 0x200f
         || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/**
 * metrics_log_escape:
 * @text: (array length=len): any bytes
 * @len: how many, or -1 where a NUL ends them
 * @limit: the most bytes of the result, at least 16
 *
 * Makes a text harmless: one line of valid UTF-8 without control characters. What is not comes out as `\x0a`
 * or `\u202e`; what is too long is cut, and ends with `...` then.
 *
 * Returns: (transfer full): it
 */
char *
metrics_log_escape (const char *text, gssize len, gsize limit)
{
  GString *result = g_string_new (NULL);
  const char *end = text + (len >= 0 ? (gsize) len : strlen (text));
  gsize last_fit = 0;

  while (text < end && result->len <= limit)
    {
      gunichar c = g_utf8_get_char_validated (text, end - text);
      gboolean is_valid = c < (gunichar) -2;

      if (result->len + strlen ("...") <= limit)
        last_fit = result->len;
      if (!is_valid || (c < 0xa0 && is_deceptive (c)))
        g_string_append_printf (result, "\\x%02x", is_valid ? c : (guchar) *text);
      else if (is_deceptive (c))
        g_string_append_printf (result, "\\u%04x", c);
      else
        g_string_append_unichar (result, c);
      text = is_valid ? g_utf8_next_char (text) : text + 1;
    }
  if (result->len > limit)
    {
      g_string_truncate (result, last_fit);
      g_string_append (result, "...");
    }
  return g_string_free (result, FALSE);
}

static const GLogField *
find (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, key) == 0)
      return &fields[i];
  return NULL;
}

static char *
dup_value (const GLogField *field, gsize limit)
{
  return metrics_log_escape (field->value, field->length, limit);
}

/* Messages for programmers are shown where they are asked for, by the level or by G_MESSAGES_DEBUG. */
static gboolean
is_wanted (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  const GLogField *priority = find (fields, n_fields, "PRIORITY");
  const GLogField *domain = find (fields, n_fields, "GLIB_DOMAIN");
  const char *name = domain != NULL ? domain->value : NULL;
  gboolean is_event = find (fields, n_fields, "MESSAGE_ID") != NULL;
  int number = priority != NULL ? *(const char *) priority->value - '0' : METRICS_PRIORITY_NOTICE;
  int most = g_atomic_int_get (&max_priority);

  /* What the program has done wrong has to be mended, whatever somebody would rather not read. */
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return TRUE;
  if (is_event || (level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO)) == 0)
    return number <= most;
  return (most == METRICS_PRIORITY_DEBUG && g_strcmp0 (name, G_LOG_DOMAIN) == 0)
         || !g_log_writer_default_would_drop (level, name);
}

static gboolean
write_journal (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  g_autofree GLogField *copies = g_new (GLogField, n_fields + 1);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  GLogWriterOutput output;

  for (gsize i = 0; i < n_fields; i++)
    {
      char *value = dup_value (&fields[i], MAX_VALUE);

      g_ptr_array_add (values, value);
      copies[i] = (GLogField){ fields[i].key, value, -1 };
    }
  copies[n_fields] = (GLogField){ "SYSLOG_IDENTIFIER", "metricsd", -1 };
  output = g_log_writer_journald (level, copies, n_fields + 1, NULL);
  return output == G_LOG_WRITER_HANDLED;
}

/* A reader of standard error that has stopped reading must not stop the server. */
static gboolean
may_write (void)
{
  struct pollfd poll_fd = { .fd = STDERR_FILENO, .events = POLLOUT };

  return !g_atomic_int_get (&is_hasty) || poll (&poll_fd, 1, 0) != 0;
}

/* In one piece, so that lines of several threads or processes do not mix. */
static void
write_line (const char *line, gsize len)
{
  while (len > 0 && may_write ())
    {
      gssize n = write (STDERR_FILENO, line, len);

      if (n < 0 && errno != EINTR)
        return;
      line += MAX (n, 0);
      len -= MAX (n, 0);
    }
}

/* A message as a line of standard error, in its charset. */
static char *
make_line (const GLogField *message, gsize limit, gsize *len)
{
  g_autofree char *text = dup_value (message, limit);
  char *line = g_strconcat (PREFIX, text, "\n", NULL);
  char *converted;
  const char *charset;

  *len = strlen (line);
  if (g_get_charset (&charset))
    return line;
  converted = g_convert_with_fallback (line, *len, charset, "UTF-8", NULL, NULL, len, NULL);
  if (converted == NULL)
    {
      *len = strlen (line);
      return line;
    }
  g_free (line);
  return converted;
}

static void
write_stderr (const GLogField *fields, gsize n_fields)
{
  const gsize limit = METRICS_LOG_LINE - strlen (PREFIX) - 1;
  const GLogField *message = find (fields, n_fields, "MESSAGE");
  g_autofree char *line = NULL;
  gsize len;

  if (message == NULL)
    return;
  line = make_line (message, limit, &len);
  /* What a charset does not have takes up to three times as much: \u00e9. */
  if (len > METRICS_LOG_LINE)
    {
      g_free (line);
      line = make_line (message, limit / 3, &len);
    }
  write_line (line, MIN (len, METRICS_LOG_LINE));
}

static GLogWriterOutput
write_entry (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if (!is_wanted (level, fields, n_fields))
    return G_LOG_WRITER_HANDLED;
  if (has_journal && write_journal (level, fields, n_fields))
    return G_LOG_WRITER_HANDLED;
  /* With its process and its part, for those who mend it. */
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return g_log_writer_standard_streams (level, fields, n_fields, NULL);
  write_stderr (fields, n_fields);
  return G_LOG_WRITER_HANDLED;
}

/**
 * metrics_log_writer_install:
 *
 * Has all log messages of the process go where metricsd's go. Once, before the first one.
 */
void
metrics_log_writer_install (void)
{
  has_journal = g_log_writer_is_journald (STDERR_FILENO);
  g_log_writer_default_set_use_stderr (TRUE);
  g_log_set_writer_func (write_entry, NULL, NULL);
}

/**
 * metrics_log_writer_set_level:
 * @priority: the least grave that is written
 *
 * At %METRICS_PRIORITY_DEBUG, metricsd's messages for programmers are written too. At any time, from any
 * thread.
 */
void
metrics_log_writer_set_level (MetricsPriority priority)
{
  g_atomic_int_set (&max_priority, priority);
}

/**
 * metrics_log_writer_set_hasty:
 * @hasty: whether nobody has to wait for who reads standard error
 *
 * While a server serves, what cannot be written at once is not written.
 */
void
metrics_log_writer_set_hasty (gboolean hasty)
{
  g_atomic_int_set (&is_hasty, hasty);
}
