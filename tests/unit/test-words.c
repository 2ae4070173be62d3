/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-aggregation.h"
#include "common/metrics-time.h"
#include "common/metrics-tokens.h"

#include <string.h>

#define NOW G_GINT64_CONSTANT (1700000000)
#define OPEN G_GINT64_CONSTANT (4711)

/* Words of a line */

static void
assert_words (const char *line, gsize len, const char *const *words)
{
  MetricsToken tokens[5];
  guint n = metrics_tokens_split (line, len, tokens, G_N_ELEMENTS (tokens));

  g_assert_cmpuint (n, ==, g_strv_length ((char **) words));
  for (guint i = 0; i < n; i++)
    g_assert_cmpmem (tokens[i].text, tokens[i].len, words[i], strlen (words[i]));
}

static void
test_split (void)
{
  static const struct
  {
    const char *line;
    const char *words[6];
  } cases[] = {
    { "", { NULL } },
    { " ", { NULL } },
    { " \t \t", { NULL } },
    { "\r", { NULL } },
    { " \r", { NULL } },
    { "a", { "a" } },
    { "get key", { "get", "key" } },
    { "  get\t \tkey \t", { "get", "key" } },
    { "get key\r", { "get", "key" } },
    { "get key \r", { "get", "key" } },
    /* One CR in front of the LF is ignored; any other is a part of a word. */
    { "get key\r\r", { "get", "key\r" } },
    { "get\rkey", { "get\rkey" } },
    { "\rget", { "\rget" } },
    { "a b c d e", { "a", "b", "c", "d", "e" } },
    /* What other programs hold for white space is none. */
    { "a\x0b"
      "b\x0c"
      "c",
      { "a\x0b"
        "b\x0c"
        "c" } },
    { "a\xc2\xa0"
      "b",
      { "a\xc2\xa0"
        "b" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_words (cases[i].line, strlen (cases[i].line), cases[i].words);
  /* A NUL does not end a line. */
  g_assert_cmpuint (metrics_tokens_split ("a\0b c", 5, (MetricsToken[2]){ 0 }, 2), ==, 2);
}

static void
test_too_many (void)
{
  MetricsToken tokens[3];

  g_assert_cmpuint (metrics_tokens_split ("a b c", 5, tokens, 3), ==, 3);
  g_assert_cmpuint (metrics_tokens_split ("a b c ", 6, tokens, 3), ==, 3);
  g_assert_cmpuint (metrics_tokens_split ("a b c d", 7, tokens, 3), ==, 4);
  g_assert_cmpuint (metrics_tokens_split ("a b c d e f", 11, tokens, 3), ==, 4);
  g_assert_cmpmem (tokens[2].text, tokens[2].len, "c", 1);
  /* It does not look behind the length. */
  g_assert_cmpuint (metrics_tokens_split ("a b c d", 3, tokens, 3), ==, 2);
}

/* Times */

static gboolean
parse (const char *text, gint64 now, gint64 *time)
{
  return metrics_time_parse (text, strlen (text), now, OPEN, time);
}

static void
test_times (void)
{
  static const struct
  {
    const char *text;
    gint64 time;
  } cases[] = {
    { "0", 0 },
    { "-5", -5 },
    { "+5", 5 },
    { "-", OPEN },
    { "now", NOW },
    { "now-0s", NOW },
    { "now-90s", NOW - 90 },
    { "now-5m", NOW - 300 },
    { "now-2h", NOW - 7200 },
    { "now-1d", NOW - 86400 },
    { "now-4w", NOW - 4 * 604800 },
    { "now-007m", NOW - 420 },
    { "now-9223372036854775807s", NOW - G_MAXINT64 },
  };
  static const char *const refused[] = {
    "",
    "now-",
    "now-s",
    "now-5",
    "now5m",
    "now+5m",
    "now--5m",
    "now-+5m",
    "now-5M",
    "now-5m ",
    "now-5mm",
    "now-1.5h",
    "NOW",
    "no",
    "nowx",
    "--",
    "-m",
    "5m",
    "now -5m",
    "now-5y",
    "now-9223372036854775808s",
    "now-15250284452472w",
    "9223372036854775808",
  };
  gint64 time = 77;

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      if (parse (refused[i], NOW, &time))
        g_error ("'%s' is taken", refused[i]);
      g_assert_cmpint (time, ==, 77);
    }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_true (parse (cases[i].text, NOW, &time));
      g_assert_cmpint (time, ==, cases[i].time);
    }
}

/* A time that does not fit is refused, up to the last one that does. */
static void
test_time_overflow (void)
{
  gint64 time;

  g_assert_true (parse ("now-1s", G_MININT64 + 1, &time));
  g_assert_cmpint (time, ==, G_MININT64);
  g_assert_false (parse ("now-2s", G_MININT64 + 1, &time));
  g_assert_false (parse ("now-1s", G_MININT64, &time));
  g_assert_true (parse ("now-9223372036854775807s", -1, &time));
  g_assert_cmpint (time, ==, G_MININT64);
  g_assert_false (parse ("now-9223372036854775807s", -2, &time));
  g_assert_true (parse ("now-9223372036854775807s", G_MAXINT64, &time));
  g_assert_cmpint (time, ==, 0);
}

static void
test_spans (void)
{
  static const char *const refused[]
      = { "", "s", "5", "-5s", "+5s", "5x", "5ss", " 5s", "5 s", "1.5h", "now" };
  gint64 seconds;

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    g_assert_false (metrics_time_parse_span (refused[i], strlen (refused[i]), &seconds));
  g_assert_true (metrics_time_parse_span ("90s", 3, &seconds));
  g_assert_cmpint (seconds, ==, 90);
  g_assert_true (metrics_time_parse_span ("15250284452471w", 15, &seconds));
  g_assert_cmpint (seconds, ==, G_GINT64_CONSTANT (15250284452471) * 604800);
  g_assert_false (metrics_time_parse_span ("15250284452472w", 15, &seconds));
}

/* Functions of buckets */

static void
test_aggregations (void)
{
  static const char *const names[]
      = { "avg", "min", "max", "sum", "count", "first", "last", "median", "p95", "p99", "rate" };
  static const char *const refused[] = { "", "av", "avgs", "AVG", "p50", "mean", "none", "rate " };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpint (metrics_aggregation_from_name (names[i], strlen (names[i])), ==,
                     METRICS_AGGREGATION_AVG + i);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    g_assert_cmpint (metrics_aggregation_from_name (refused[i], strlen (refused[i])), ==,
                     METRICS_AGGREGATION_NONE);
  g_assert_cmpint (metrics_aggregation_from_name ("average", 3), ==, METRICS_AGGREGATION_NONE);
  g_assert_cmpint (metrics_aggregation_from_name ("avg now", 3), ==, METRICS_AGGREGATION_AVG);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/tokens/split", test_split);
  g_test_add_func ("/tokens/too-many", test_too_many);
  g_test_add_func ("/time/times", test_times);
  g_test_add_func ("/time/overflow", test_time_overflow);
  g_test_add_func ("/time/spans", test_spans);
  g_test_add_func ("/aggregation/names", test_aggregations);
  return g_test_run ();
}
