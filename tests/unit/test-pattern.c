/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-key.h"
#include "common/metrics-pattern.h"

#include <string.h>

static gboolean
matches (const char *text, const char *key)
{
  g_autoptr (MetricsPattern) pattern = NULL;

  g_assert_true (metrics_pattern_is_valid (text, strlen (text)));
  pattern = metrics_pattern_new (text, strlen (text));
  return metrics_pattern_matches (pattern, key, strlen (key));
}

static void
test_cases (void)
{
  static const struct
  {
    const char *pattern;
    const char *key;
    gboolean matches;
  } cases[] = {
    { "*", "a", TRUE },
    { "**", "a", TRUE },
    { "a", "a", TRUE },
    { "a", "b", FALSE },
    { "a", "aa", FALSE },
    { "aa", "a", FALSE },
    { "a*", "a", TRUE },
    { "*a", "a", TRUE },
    { "*a*", "bab", TRUE },
    { "*a*", "bbb", FALSE },
    { "?", "a", TRUE },
    { "?", "ab", FALSE },
    { "??", "a", FALSE },
    /* One character, however many bytes. */
    { "?", "\xc3\xa9", TRUE },
    { "??", "\xc3\xa9", FALSE },
    { "?", "\xf0\x9f\x98\x80", TRUE },
    { "a?c",
      "a\xe2\x82\xac"
      "c",
      TRUE },
    { "*?", "\xc3\xa9", TRUE },
    { "*?*", "\xc3\xa9", TRUE },
    { "\\*", "*", TRUE },
    { "\\*", "*a", FALSE },
    { "\\*a", "*a", TRUE },
    { "\\*a", "ba", FALSE },
    { "\\?", "?", TRUE },
    { "\\?", "a", FALSE },
    { "\\\\", "\\", TRUE },
    { "\\a", "a", TRUE },
    { "\\\xc3\xa9", "\xc3\xa9", TRUE },
    { "a.*.b", "a.x.b", TRUE },
    { "a.*.b", "a..b", TRUE },
    { "a.*.b", "a.b", FALSE },
    { "*.b.*.c", "a.b.b.c.c", TRUE },
    { "*ab", "aab", TRUE },
    { "*aab", "aaab", TRUE },
    { "*a*a*a", "aa", FALSE },
    { "a*b*c", "abcbc", TRUE },
    { "a*b?c", "abbbxc", TRUE },
    { "host.*.cpu.?", "host.name.cpu.0", TRUE },
    { "host.*.cpu.?", "host.name.cpu.10", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      if (matches (cases[i].pattern, cases[i].key) != cases[i].matches)
        g_error ("'%s' and '%s'", cases[i].pattern, cases[i].key);
    }
}

static void
test_valid (void)
{
  g_autofree char *longest = g_strnfill (METRICS_KEY_MAX, '*');
  g_autofree char *too_long = g_strnfill (METRICS_KEY_MAX + 1, 'a');

  g_assert_true (metrics_pattern_is_valid (longest, METRICS_KEY_MAX));
  g_assert_false (metrics_pattern_is_valid (too_long, METRICS_KEY_MAX + 1));
  g_assert_false (metrics_pattern_is_valid ("", 0));
  g_assert_false (metrics_pattern_is_valid ("\\", 1));
  g_assert_true (metrics_pattern_is_valid ("\\\\", 2));
  g_assert_false (metrics_pattern_is_valid ("\\\\\\", 3));
  g_assert_false (metrics_pattern_is_valid ("a\xc3", 2));
  g_assert_false (metrics_pattern_is_valid ("\xff", 1));
  g_assert_false (metrics_pattern_is_valid ("a\0b", 3));
}

/* By definition, with no thought of time. */
static gboolean
glob (const char *pattern, const char *key)
{
  switch (*pattern)
    {
    case '\0':
      return *key == '\0';
    case '*':
      return glob (pattern + 1, key) || (*key != '\0' && glob (pattern, g_utf8_next_char (key)));
    case '?':
      return *key != '\0' && glob (pattern + 1, g_utf8_next_char (key));
    case '\\':
      return *key == pattern[1] && glob (pattern + 2, key + 1);
    default:
      return *key == *pattern && glob (pattern + 1, key + 1);
    }
}

static char *
random_text (const char *const *parts, guint n_parts, guint max_len)
{
  GString *text = g_string_new (NULL);
  guint n = g_test_rand_int_range (1, max_len + 1);

  for (guint i = 0; i < n; i++)
    g_string_append (text, parts[g_test_rand_int_range (0, n_parts)]);
  return g_string_free (text, FALSE);
}

static void
test_random (void)
{
  static const char *const pattern_parts[]
      = { "a", "b", "a", "b", "\xc3\xa9", "*", "*", "?", "\\*", "\\?", "\\a" };
  static const char *const key_parts[] = { "a", "b", "a", "b", "\xc3\xa9", "*", "?" };
  guint n_matches = 0;

  for (guint i = 0; i < 200000; i++)
    {
      g_autofree char *pattern = random_text (pattern_parts, G_N_ELEMENTS (pattern_parts), 8);
      g_autofree char *key = random_text (key_parts, G_N_ELEMENTS (key_parts), 10);
      gboolean expected = glob (pattern, key);

      if (matches (pattern, key) != expected)
        g_error ("'%s' and '%s'", pattern, key);
      n_matches += expected;
    }
  g_assert_cmpuint (n_matches, >, 10000);
}

/* The worst that a client can ask for ends. */
static void
test_worst (void)
{
  g_autofree char *key = g_strnfill (METRICS_KEY_MAX, 'a');
  g_autofree char *stars = g_malloc0 (METRICS_KEY_MAX + 1);
  g_autofree char *late = g_strnfill (METRICS_KEY_MAX / 2, 'a');
  g_autoptr (MetricsPattern) pattern = NULL;

  for (guint i = 0; i < METRICS_KEY_MAX; i++)
    stars[i] = i % 2 == 0 ? '*' : 'a';
  stars[METRICS_KEY_MAX - 1] = 'b';
  g_assert_false (matches (stars, key));
  stars[METRICS_KEY_MAX - 1] = 'a';
  g_assert_true (matches (stars, key));
  late[0] = '*';
  late[METRICS_KEY_MAX / 2 - 1] = 'b';
  g_assert_false (matches (late, key));

  pattern = metrics_pattern_new (late, strlen (late));
  g_assert_cmpuint (metrics_pattern_get_cost (pattern, METRICS_KEY_MAX), >=,
                    METRICS_KEY_MAX / 2 * (METRICS_KEY_MAX / 2));
}

static void
test_literal (void)
{
  static const struct
  {
    const char *pattern;
    const char *literal;
  } cases[] = {
    { "a", "a" },       { "a.b", "a.b" },           { "\\*", "*" }, { "a\\?b", "a?b" }, { "\\\\", "\\" },
    { "\\a\\b", "ab" }, { "\xc3\xa9", "\xc3\xa9" }, { "*", NULL },  { "a?", NULL },     { "\\**", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (MetricsPattern) pattern = metrics_pattern_new (cases[i].pattern, strlen (cases[i].pattern));
      gsize len;
      const char *literal = metrics_pattern_get_literal (pattern, &len);

      if (cases[i].literal == NULL)
        g_assert_null (literal);
      else
        g_assert_cmpmem (literal, len, cases[i].literal, strlen (cases[i].literal));
    }
}

/* An escaped key is a pattern that matches it alone. */
static void
test_escape (void)
{
  static const char *const parts[] = { "a", "*", "?", "\\", "\xc3\xa9" };

  for (guint i = 0; i < 20000; i++)
    {
      g_autofree char *key = random_text (parts, G_N_ELEMENTS (parts), 6);
      g_autofree char *other = random_text (parts, G_N_ELEMENTS (parts), 6);
      g_autofree char *pattern = metrics_pattern_escape (key);

      g_assert_true (matches (pattern, key));
      g_assert_cmpint (matches (pattern, other), ==, strcmp (key, other) == 0);
    }
}

/* What a request can hold is one word. */
static void
test_word (void)
{
  static const char *const words[] = { "*", "**", "a*", "?", "\\*", "\xc3\xa9?" };
  static const char *const others[] = { "", "a b", "a\nb", " ", "a\x1b", "a\xc2\xa0", "a\\", "\\\t", "\xff" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    g_assert_true (metrics_pattern_is_word (words[i], strlen (words[i])));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (metrics_pattern_is_word (others[i], strlen (others[i])));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/pattern/cases", test_cases);
  g_test_add_func ("/pattern/valid", test_valid);
  g_test_add_func ("/pattern/word", test_word);
  g_test_add_func ("/pattern/random", test_random);
  g_test_add_func ("/pattern/worst", test_worst);
  g_test_add_func ("/pattern/literal", test_literal);
  g_test_add_func ("/pattern/escape", test_escape);
  return g_test_run ();
}
