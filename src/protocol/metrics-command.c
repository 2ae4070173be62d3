/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "protocol/metrics-command.h"

#include "common/metrics-key.h"
#include "common/metrics-number.h"
#include "common/metrics-pattern.h"
#include "common/metrics-scan.h"
#include "common/metrics-time.h"

#include <string.h>

/* The most words that a request has: range with buckets. */
#define MAX_WORDS 6

/* What is read of the words behind the command's name. FALSE: it is a wrong command. */
typedef gboolean (*ParseFunc) (const MetricsToken *arguments, guint n, gint64 now, MetricsCommand *command);

static gboolean
parse_put (const MetricsToken *arguments, guint n, gint64 now, MetricsCommand *command)
{
  command->key = arguments[0];
  return metrics_key_is_valid (arguments[0].text, arguments[0].len)
         && metrics_number_parse_double (arguments[1].text, arguments[1].len, &command->point.value)
         && metrics_number_parse_int64 (arguments[2].text, arguments[2].len, &command->point.time);
}

static gboolean
parse_get (const MetricsToken *arguments, guint n, gint64 now, MetricsCommand *command)
{
  command->key = arguments[0];
  if (arguments[0].len == 1 && arguments[0].text[0] == '*')
    {
      command->verb = METRICS_VERB_GET_ALL;
      return TRUE;
    }
  return metrics_key_is_valid (arguments[0].text, arguments[0].len);
}

static gboolean
parse_span (const MetricsToken *arguments, gint64 now, MetricsCommand *command)
{
  return metrics_time_parse (arguments[0].text, arguments[0].len, now, G_MININT64, &command->from)
         && metrics_time_parse (arguments[1].text, arguments[1].len, now, G_MAXINT64, &command->to);
}

/* A pattern alone, or with a span, or with a span and buckets: what last, keys, del, range and watch share.
 */
static gboolean
parse_pattern (const MetricsToken *arguments, guint n, gint64 now, MetricsCommand *command)
{
  command->key = arguments[0];
  if (!metrics_pattern_is_valid (arguments[0].text, arguments[0].len))
    return FALSE;
  if (n == 1)
    return TRUE;
  if (n == 2 || n == 4 || !parse_span (arguments + 1, now, command))
    return FALSE;
  if (n == 3)
    return TRUE;

  command->aggregation = metrics_aggregation_from_name (arguments[4].text, arguments[4].len);
  return metrics_number_parse_int64 (arguments[3].text, arguments[3].len, &command->step) && command->step > 0
         && command->aggregation != METRICS_AGGREGATION_NONE;
}

static gboolean
parse_nothing (const MetricsToken *arguments, guint n, gint64 now, MetricsCommand *command)
{
  return TRUE;
}

static const struct
{
  const char *name;
  MetricsVerb verb;
  guint min_arguments;
  guint max_arguments;
  ParseFunc parse;
  const char *help;
} commands[] = {
  { "put", METRICS_VERB_PUT, 3, 3, parse_put, "put <key> <value> <timestamp>" },
  { "get", METRICS_VERB_GET, 1, 1, parse_get, "get <key>|*" },
  { "last", METRICS_VERB_LAST, 1, 1, parse_pattern, "last <pattern>" },
  { "range", METRICS_VERB_RANGE, 3, 5, parse_pattern,
    "range <pattern> <from> <to> [<step> avg|min|max|sum|count|first|last|median|p95|p99|rate]" },
  { "keys", METRICS_VERB_KEYS, 1, 1, parse_pattern, "keys <pattern>" },
  { "del", METRICS_VERB_DEL, 1, 3, parse_pattern, "del <pattern> [<from> <to>]" },
  { "ping", METRICS_VERB_PING, 0, 0, parse_nothing, "ping" },
  { "watch", METRICS_VERB_WATCH, 1, 1, parse_pattern, "watch <pattern>" },
  { "unwatch", METRICS_VERB_UNWATCH, 0, 0, parse_nothing, "unwatch" },
  { "stats", METRICS_VERB_STATS, 0, 0, parse_nothing, "stats" },
  { "help", METRICS_VERB_HELP, 0, 0, parse_nothing, "help" },
  { "quit", METRICS_VERB_QUIT, 0, 0, parse_nothing, "quit" },
};

/* Reads the form that nearly every request has: `put`, a key of ASCII, a value and a time, one space between
 * them and nothing else. FALSE says nothing about the line but that it has to be read in the general way. */
static gboolean
parse_plain_put (const char *line, gsize len, MetricsCommand *command)
{
  const char *end = line + len;
  const char *key = line + strlen ("put ");
  const char *key_end, *value, *value_end;

  if (len < strlen ("put k 1 1") || memcmp (line, "put ", strlen ("put ")) != 0)
    return FALSE;
  key_end = metrics_scan_printable (key, end);
  value = key_end + 1;
  if (key_end == end || *key_end != ' ' || key_end == key || key_end - key > METRICS_KEY_MAX
      || (key_end - key == 1 && *key == '*'))
    return FALSE;
  value_end = metrics_scan_printable (value, end);
  if (value_end == end || *value_end != ' '
      || !metrics_number_parse_double (value, value_end - value, &command->point.value)
      || !metrics_number_parse_int64 (value_end + 1, end - value_end - 1, &command->point.time))
    return FALSE;

  command->verb = METRICS_VERB_PUT;
  command->key.text = key;
  command->key.len = key_end - key;
  return TRUE;
}

/**
 * metrics_command_parse:
 * @line: (array length=len): a line without its LF
 * @len: its length in bytes
 * @now: the time now, in seconds since the Unix epoch: what `now` in the line stands for
 * @command: (out caller-allocates): what was read
 *
 * Reads a request. Whatever is not exactly one has the verb %METRICS_VERB_WRONG.
 */
void
metrics_command_parse (const char *line, gsize len, gint64 now, MetricsCommand *command)
{
  MetricsToken words[MAX_WORDS];
  guint n;

  if (G_LIKELY (parse_plain_put (line, len, command)))
    return;

  n = metrics_tokens_split (line, len, words, MAX_WORDS);
  command->verb = METRICS_VERB_WRONG;
  command->from = G_MININT64;
  command->to = G_MAXINT64;
  command->step = 0;
  command->aggregation = METRICS_AGGREGATION_NONE;
  if (n == 0 || n > MAX_WORDS)
    return;

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      if (strlen (commands[i].name) != words[0].len
          || memcmp (commands[i].name, words[0].text, words[0].len) != 0)
        continue;
      if (n - 1 < commands[i].min_arguments || n - 1 > commands[i].max_arguments)
        return;
      command->verb = commands[i].verb;
      if (!commands[i].parse (words + 1, n - 1, now, command))
        command->verb = METRICS_VERB_WRONG;
      return;
    }
}

/**
 * metrics_command_is_http:
 * @line: (array length=len): a line without its LF, or at least its last bytes
 * @len: its length in bytes
 *
 * Returns: whether it is the request line of HTTP/1 (RFC 9112, section 3): a web page can make a browser send
 * one to any port of its machine, with a body of the page's choice
 */
gboolean
metrics_command_is_http (const char *line, gsize len)
{
  const gsize version_len = strlen (" HTTP/1.0");

  if (len > 0 && line[len - 1] == '\r')
    len--;
  if (len < version_len)
    return FALSE;
  line += len - version_len;
  return memcmp (line, " HTTP/1.0", version_len) == 0 || memcmp (line, " HTTP/1.1", version_len) == 0;
}

/**
 * metrics_command_append_help:
 * @out: where to
 *
 * Appends a line for each command: how it is written.
 */
void
metrics_command_append_help (MetricsBuffer *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      metrics_buffer_append (out, commands[i].help, strlen (commands[i].help));
      metrics_buffer_append (out, "\n", 1);
    }
}
