/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "common/metrics-aggregation.h"
#include "common/metrics-key.h"
#include "common/metrics-pattern.h"
#include "common/metrics-time.h"
#include "common/metrics-tokens.h"

#include <string.h>

/* A line of the protocol: its words, and what each of them may be. */

#define MAX_TOKENS 6

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

/* The words lie one behind the other, with nothing but blanks between, and none in them. */
static void
check_tokens (const char *line, gsize size, const MetricsToken *tokens, guint n)
{
  const char *end = line + size - (size > 0 && line[size - 1] == '\r' ? 1 : 0);
  const char *p = line;

  for (guint i = 0; i < MIN (n, MAX_TOKENS); i++)
    {
      g_assert_cmpuint (tokens[i].len, >, 0);
      g_assert_true (tokens[i].text >= p && tokens[i].text + tokens[i].len <= end);
      g_assert_true (i == 0 || tokens[i].text > p);
      for (; p < tokens[i].text; p++)
        g_assert_true (is_blank (*p));
      for (; p < tokens[i].text + tokens[i].len; p++)
        g_assert_false (is_blank (*p));
    }
  for (; n <= MAX_TOKENS && p < end; p++)
    g_assert_true (is_blank (*p));
}

static gboolean
is_key (const char *key, gsize len)
{
  if (len == 0 || len > METRICS_KEY_MAX || !g_utf8_validate_len (key, len, NULL) || (len == 1 && *key == '*'))
    return FALSE;
  for (const char *p = key; p < key + len; p = g_utf8_next_char (p))
    {
      if (g_unichar_isspace (g_utf8_get_char (p)) || g_unichar_iscntrl (g_utf8_get_char (p)))
        return FALSE;
    }
  return TRUE;
}

static void
check_key (const MetricsToken *token)
{
  g_autofree char *key = g_strndup (token->text, token->len);
  g_autofree char *escaped = NULL;

  g_assert_cmpint (metrics_key_is_valid (token->text, token->len), ==, is_key (token->text, token->len));
  if (!is_key (token->text, token->len))
    return;

  escaped = metrics_pattern_escape (key);
  if (strlen (escaped) <= METRICS_KEY_MAX)
    {
      g_autoptr (MetricsPattern) pattern = metrics_pattern_new (escaped, strlen (escaped));

      g_assert_true (metrics_pattern_matches (pattern, token->text, token->len));
    }
}

static void
check_pattern (const MetricsToken *token, const MetricsToken *key)
{
  g_autoptr (MetricsPattern) pattern = NULL;
  const char *literal;
  gboolean matches;
  gsize len;

  if (!metrics_pattern_is_valid (token->text, token->len) || !is_key (key->text, key->len))
    return;
  pattern = metrics_pattern_new (token->text, token->len);
  matches = metrics_pattern_matches (pattern, key->text, key->len);
  g_assert_cmpuint (metrics_pattern_get_cost (pattern, key->len), >, 0);
  literal = metrics_pattern_get_literal (pattern, &len);
  if (literal != NULL)
    g_assert_cmpint (matches, ==, len == key->len && memcmp (literal, key->text, len) == 0);
  if (token->len == 1 && *token->text == '*')
    g_assert_true (matches);
}

static void
check_time (const MetricsToken *token, gint64 now)
{
  gint64 time, seconds;

  if (metrics_time_parse (token->text, token->len, now, G_MAXINT64, &time) && *token->text == 'n')
    g_assert_cmpint (time, <=, now);
  if (metrics_time_parse_span (token->text, token->len, &seconds))
    g_assert_cmpint (seconds, >=, 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  MetricsToken tokens[MAX_TOKENS];
  guint n = metrics_tokens_split ((const char *) data, size, tokens, MAX_TOKENS);
  gint64 now = size >= 8 ? G_MININT64 / 2 + (gint64) data[7] * (G_MAXINT64 / 256) : 0;

  g_assert_cmpuint (n, <=, MAX_TOKENS + 1);
  check_tokens ((const char *) data, size, tokens, n);
  for (guint i = 0; i < MIN (n, MAX_TOKENS); i++)
    {
      check_key (&tokens[i]);
      check_pattern (&tokens[i], &tokens[(i + 1) % MIN (n, MAX_TOKENS)]);
      check_time (&tokens[i], now);
      metrics_aggregation_from_name (tokens[i].text, tokens[i].len);
    }
  return 0;
}
