/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-rules.h"

#include <string.h>

static MetricsRules *
read_rules (const char *text, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) load_error = NULL;

  g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_KEEP_TRANSLATIONS, &load_error);
  g_assert_no_error (load_error);
  return metrics_rules_new (file, "retention", error);
}

static MetricsRules *
read_good_rules (const char *text)
{
  g_autoptr (GError) error = NULL;
  MetricsRules *rules = read_rules (text, &error);

  g_assert_no_error (error);
  return rules;
}

static guint
find (const MetricsRules *rules, const char *key)
{
  return metrics_rules_find (rules, key, strlen (key));
}

static void
test_order (void)
{
  g_autoptr (MetricsRules) rules = read_good_rules ("[retention]\ncpu.user=1d\n cpu.* = 7d \n# no rule\n\n"
                                                    "*.user=2d\n[other]\n*=9d\n[retention]\nlast=3d\n");

  g_assert_cmpuint (metrics_rules_get_n_rules (rules), ==, 4);
  g_assert_cmpuint (find (rules, "cpu.user"), ==, 0);
  g_assert_cmpuint (find (rules, "cpu.idle"), ==, 1);
  g_assert_cmpuint (find (rules, "mem.user"), ==, 2);
  g_assert_cmpuint (find (rules, "last"), ==, 3);
  g_assert_cmpuint (find (rules, "lasting"), ==, 4);
  g_assert_cmpstr (metrics_rules_get_pattern (rules, 1), ==, "cpu.*");
  g_assert_cmpstr (metrics_rules_get_value (rules, 1), ==, "7d");
  g_assert_cmpuint (metrics_rules_get_cost (rules, 4), >=, 4 * 4);
}

/* Each matches something that those before do not. */
static void
test_narrow (void)
{
  g_autoptr (MetricsRules) rules = read_good_rules ("[retention]\n*.cpu.*=1d\ncpu.*=2d\n?=3d\nx*=4d\n*x=5d\n"
                                                    "a?c=6d\na*c=7d\n\\*=8d\n?\?=9d\n*=10d\n");

  g_assert_cmpuint (find (rules, "a.cpu.b"), ==, 0);
  g_assert_cmpuint (find (rules, "cpu.user"), ==, 1);
  g_assert_cmpuint (find (rules, "abc"), ==, 5);
  g_assert_cmpuint (find (rules, "abbc"), ==, 6);
  g_assert_cmpuint (find (rules, "ab"), ==, 8);
  g_assert_cmpuint (find (rules, "abb"), ==, 9);
}

static void
test_none (void)
{
  static const char *const texts[] = { "", "[retention]\n", "[other]\na=1d\n" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (MetricsRules) rules = read_good_rules (texts[i]);

      g_assert_cmpuint (metrics_rules_get_n_rules (rules), ==, 0);
      g_assert_cmpuint (find (rules, "key"), ==, 0);
    }
}

/* What a key file takes for its own is still what the pattern says. */
static void
test_odd (void)
{
  g_autoptr (MetricsRules) rules = read_good_rules ("[retention]\n"
                                                    "a\\*b=1d\n"
                                                    "cpu[0]=2d\n"
                                                    "name[de]=3d\n"
                                                    "x?y?=4d\n"
                                                    "semi;colon=5d\n"
                                                    "\xc3\xa9*=1s:2d  1m:60d\t\n"
                                                    "value=a=b\\n[c]\n"
                                                    "empty=\n");

  g_assert_cmpuint (find (rules, "a*b"), ==, 0);
  g_assert_cmpuint (find (rules, "axb"), ==, 8);
  g_assert_cmpuint (find (rules, "cpu[0]"), ==, 1);
  g_assert_cmpuint (find (rules, "name[de]"), ==, 2);
  g_assert_cmpstr (metrics_rules_get_value (rules, 2), ==, "3d");
  g_assert_cmpuint (find (rules, "x[y]"), ==, 3);
  g_assert_cmpuint (find (rules, "semi;colon"), ==, 4);
  g_assert_cmpuint (find (rules, "\xc3\xa9t\xc3\xa9"), ==, 5);
  g_assert_cmpstr (metrics_rules_get_value (rules, 5), ==, "1s:2d  1m:60d");
  g_assert_cmpstr (metrics_rules_get_value (rules, 6), ==, "a=b\\n[c]");
  g_assert_cmpstr (metrics_rules_get_value (rules, 7), ==, "");
}

static void
test_wrong (void)
{
  static const struct
  {
    const char *text;
    const char *beginning;
  } cases[] = {
    { "[retention]\nb=1d\nend\\=1d\n", "[retention] end\\: not a pattern: " },
    { "[retention]\na b=1d\n", "[retention] a b: not a pattern: " },
    { "[retention]\n\xff=1d\n", "[retention] \xef\xbf\xbd: not a pattern: " },
    { "[retention]\na*=1d\nb=1d\na*=2d\n", "[retention] a*: given twice" },
    { "[retention]\na*=1d\n[x]\n[retention]\na*=1d\n", "[retention] a*: given twice" },
    { "[retention]\n*=1d\ncpu.*=2d\n", "[retention] cpu.*: it would never hold, for * stands before it" },
    { "[retention]\nb=1d\n**=1d\n*=2d\n", "[retention] *: it would never hold, for ** stands" },
    { "[retention]\n*.cpu.*=1d\nhost.cpu.user=2d\n",
      "[retention] host.cpu.user: it would never hold, for *.cpu.* " },
    { "[retention]\na*=1d\na?c*=2d\n", "[retention] a?c*: it would never hold, for a* " },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (read_rules (cases[i].text, &error));
      g_assert_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE);
      g_assert_true (g_str_has_prefix (error->message, cases[i].beginning));
    }
}

static void
test_many (void)
{
  g_autoptr (GString) text = g_string_new ("[retention]\n");
  g_autoptr (MetricsRules) rules = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < METRICS_RULES_MAX; i++)
    g_string_append_printf (text, "key%u.*=1d\n", i);
  rules = read_good_rules (text->str);
  g_assert_cmpuint (find (rules, "key255.x"), ==, 255);

  g_string_append (text, "more=1d\n");
  g_assert_null (read_rules (text->str, &error));
  g_assert_cmpstr (error->message, ==, "[retention] more: more than 256 rules");
}

static void
test_refuse (void)
{
  g_autoptr (MetricsRules) rules = read_good_rules ("[retention]\ncpu.*=\xff\n");
  g_autoptr (GError) error = NULL;

  metrics_rules_refuse (rules, 0, metrics_rules_get_value (rules, 0), &error);
  g_assert_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE);
  g_assert_cmpstr (error->message, ==, "[retention] cpu.*: \xef\xbf\xbd");
}

static void
test_durations (void)
{
  static const struct
  {
    const char *text;
    gint64 seconds; /* 0: it is none */
  } cases[] = {
    { "1s", 1 },
    { "90s", 90 },
    { "5m", 300 },
    { "2h", 7200 },
    { "7d", 7 * 86400 },
    { "4w", 28 * 86400 },
    { "1y", 365 * 86400 },
    { "10y", 3650 * 86400 },
    { "007d", 7 * 86400 },
    { "9223372036854775807s", G_MAXINT64 },
    { "292471208677y", G_GINT64_CONSTANT (292471208677) * 365 * 86400 },
    { "292471208678y", 0 },
    { "106751991167300d", G_GINT64_CONSTANT (106751991167300) * 86400 },
    { "106751991167301d", 0 },
    { "9223372036854775808s", 0 },
    { "99999999999999999999y", 0 },
    { "0000000000000000000000000001y", 0 },
    { "0s", 0 },
    { "0y", 0 },
    { "", 0 },
    { "y", 0 },
    { "d", 0 },
    { "7", 0 },
    { "-7d", 0 },
    { "+7d", 0 },
    { "7 d", 0 },
    { "7D", 0 },
    { "7dd", 0 },
    { "7dy", 0 },
    { "1.5d", 0 },
    { "7x", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 seconds = 0;
      gboolean good = metrics_rules_parse_duration (cases[i].text, strlen (cases[i].text), &seconds);

      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (good, ==, cases[i].seconds != 0);
      if (good)
        g_assert_cmpint (seconds, ==, cases[i].seconds);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/rules/order", test_order);
  g_test_add_func ("/rules/narrow", test_narrow);
  g_test_add_func ("/rules/none", test_none);
  g_test_add_func ("/rules/odd", test_odd);
  g_test_add_func ("/rules/wrong", test_wrong);
  g_test_add_func ("/rules/many", test_many);
  g_test_add_func ("/rules/refuse", test_refuse);
  g_test_add_func ("/rules/durations", test_durations);
  return g_test_run ();
}
