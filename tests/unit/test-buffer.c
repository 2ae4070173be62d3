/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-buffer.h"
#include "common/metrics-json.h"

/* Random appends and takes, compared with what a string holds. */
static void
test_random (void)
{
  MetricsBuffer buffer = { 0 };
  g_autoptr (GString) expected = g_string_new (NULL);

  for (guint i = 0; i < 50000; i++)
    {
      char bytes[600];
      gsize n = g_test_rand_int_range (0, g_test_rand_bit () ? 10 : sizeof bytes);

      for (gsize j = 0; j < n; j++)
        bytes[j] = g_test_rand_int_range (0, 256);
      metrics_buffer_append (&buffer, bytes, n);
      g_string_append_len (expected, bytes, n);

      n = g_test_rand_int_range (0, MIN (expected->len, 800) + 1);
      g_assert_cmpmem (buffer.data + buffer.start, n, expected->str, n);
      metrics_buffer_consume (&buffer, n);
      g_string_erase (expected, 0, n);
      g_assert_cmpuint (metrics_buffer_length (&buffer), ==, expected->len);
    }
  g_assert_cmpmem (buffer.data + buffer.start, metrics_buffer_length (&buffer), expected->str, expected->len);
  metrics_buffer_clear (&buffer);
  g_assert_cmpuint (metrics_buffer_length (&buffer), ==, 0);
  g_assert_null (buffer.data);
}

/* What goes through takes no more room than what is held at once. */
static void
test_stays_small (void)
{
  MetricsBuffer buffer = { 0 };
  char bytes[100] = "";

  metrics_buffer_append (&buffer, bytes, 50);
  for (guint i = 0; i < 10000; i++)
    {
      metrics_buffer_append (&buffer, bytes, sizeof bytes);
      metrics_buffer_consume (&buffer, sizeof bytes);
    }
  g_assert_cmpuint (metrics_buffer_length (&buffer), ==, 50);
  g_assert_cmpuint (buffer.size, <=, 1024);
  metrics_buffer_clear (&buffer);
}

static void
test_reserve (void)
{
  MetricsBuffer buffer = { 0 };
  char *room = metrics_buffer_reserve (&buffer, 5000);

  for (guint i = 0; i < 5000; i++)
    room[i] = 'x';
  metrics_buffer_commit (&buffer, 3);
  g_assert_cmpmem (buffer.data + buffer.start, metrics_buffer_length (&buffer), "xxx", 3);
  metrics_buffer_clear (&buffer);
}

static void
test_json (void)
{
  g_autoptr (GString) json = g_string_new (NULL);

  metrics_json_append_string (json, "a\"b\\c/\n\t\x01\x1f\x7f\xc3\xa9");
  g_string_append_c (json, ' ');
  metrics_json_append_string (json, "");
  g_string_append_c (json, ' ');
  metrics_json_append_double (json, 1e22);
  g_string_append_c (json, ' ');
  metrics_json_append_double (json, -0.1);
  g_string_append_c (json, ' ');
  metrics_json_append_int64 (json, G_MININT64);
  g_assert_cmpstr (json->str, ==,
                   "\"a\\\"b\\\\c/\\u000a\\u0009\\u0001\\u001f\x7f\xc3\xa9\" \"\" 1e+22 -0.1 "
                   "-9223372036854775808");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/buffer/random", test_random);
  g_test_add_func ("/buffer/stays-small", test_stays_small);
  g_test_add_func ("/buffer/reserve", test_reserve);
  g_test_add_func ("/json/append", test_json);
  return g_test_run ();
}
