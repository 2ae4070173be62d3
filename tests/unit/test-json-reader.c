/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-json-reader.h"

#include <string.h>

/* Reads a text and writes down its tokens, a letter each; strings and numbers as they are. */
static char *
list_tokens (MetricsJsonReader *reader, const char *text, gsize len)
{
  static const char letters[] = "..."
                                "{}[]"
                                "..."
                                "tf0";
  GString *list = g_string_new (NULL);
  MetricsJsonToken token;

  metrics_json_reader_init (reader, text, len);
  while ((token = metrics_json_reader_next (reader)) != METRICS_JSON_END && token != METRICS_JSON_WRONG)
    if (token == METRICS_JSON_NAME)
      g_string_append_printf (list, "<%s:>", reader->string);
    else if (token == METRICS_JSON_STRING)
      g_string_append_printf (list, "<%s>", reader->string);
    else if (token == METRICS_JSON_NUMBER)
      g_string_append_printf (list, "<%.*s>", (int) reader->number_len, reader->number);
    else if (token != METRICS_JSON_PAUSED)
      g_string_append_c (list, letters[token]);
  return g_string_free (list, FALSE);
}

static void
test_right (void)
{
  static const struct
  {
    const char *text;
    const char *tokens;
  } cases[] = {
    { "{}", "{}" },
    { " [ ] \r\n\t", "[]" },
    { "[1,[2],{\"a\":3}]", "[<1>[<2>]{<a:><3>}]" },
    { "{\"a\" : true , \"b\":false,\"c\":null}", "{<a:>t<b:>f<c:>0}" },
    { "{\"a\":{},\"a\":[]}", "{<a:>{}<a:>[]}" },
    { "\"\"", "<>" },
    { "\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "<a\"\\/\b\f\n\r\tz>" },
    { "\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"", "<Aé€😀>" },
    { "\"é\x7f€😀\"", "<é\x7f€😀>" },
    { "0", "<0>" },
    { "-0", "<-0>" },
    { "[-12.50e+3,1E9,1e-2,0.1]", "[<-12.50e+3><1E9><1e-2><0.1>]" },
    { "123456789012345678901234567890", "<123456789012345678901234567890>" },
    { "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]" },
  };
  MetricsJsonReader reader;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *tokens = list_tokens (&reader, cases[i].text, strlen (cases[i].text));

      g_assert_cmpstr (metrics_json_reader_get_message (&reader), ==, NULL);
      g_assert_cmpstr (tokens, ==, cases[i].tokens);
    }
}

static void
test_wrong (void)
{
  static const struct
  {
    const char *text;
    const char *message;
    gsize line;
    gsize column;
  } cases[] = {
    { "", "the text ends before the value does", 1, 1 },
    { " \n ", "the text ends before the value does", 2, 2 },
    { "[1,\n 2", "the text ends before the value does", 2, 3 },
    { "{} {}", "more text behind the value", 1, 4 },
    { "[1 2]", "expected ',' or ']'", 1, 4 },
    { "{\"a\":1 \"b\"", "expected ',' or '}'", 1, 8 },
    { "[1,]", "not a value", 1, 4 },
    { "[,1]", "not a value", 1, 2 },
    { "[1}", "expected ',' or ']'", 1, 3 },
    { "{\"a\":1]", "expected ',' or '}'", 1, 7 },
    { "{\"a\":1,}", "expected the name of a member", 1, 8 },
    { "{a:1}", "expected the name of a member", 1, 2 },
    { "{\"a\" 1}", "expected ':'", 1, 6 },
    { "{\"a\"::1}", "not a value", 1, 6 },
    { "]", "not a value", 1, 1 },
    { "'a'", "not a value", 1, 1 },
    { "nul", "not a value", 1, 1 },
    { "truex", "more text behind the value", 1, 5 },
    { "NaN", "not a value", 1, 1 },
    { "Infinity", "not a value", 1, 1 },
    { "+1", "not a value", 1, 1 },
    { ".5", "not a value", 1, 1 },
    { "-", "not a number", 1, 2 },
    { "-a", "not a number", 1, 2 },
    { "01", "not a number", 1, 3 },
    { "1.", "not a number", 1, 3 },
    { "1.e5", "not a number", 1, 3 },
    { "1e", "not a number", 1, 3 },
    { "1e+", "not a number", 1, 4 },
    { "0x10", "more text behind the value", 1, 2 },
    { "/* */ 1", "not a value", 1, 1 },
    { "\xef\xbb\xbf{}", "not a value", 1, 1 },
    { "\"a", "the text ends within a string", 1, 3 },
    { "\"a\nb\"", "a control character in a string that is not escaped", 1, 3 },
    { "\"\\a\"", "a wrong escape in a string", 1, 4 },
    { "\"\\", "a wrong escape in a string", 1, 3 },
    { "\"\\u12", "a wrong escape in a string", 1, 4 },
    { "\"\\u12g4\"", "a wrong escape in a string", 1, 4 },
    { "\"\\ud83d\"", "a wrong escape in a string", 1, 8 },
    { "\"\\ud83d\\u0041\"", "a wrong escape in a string", 1, 8 },
    { "\"\\ude00\"", "a wrong escape in a string", 1, 8 },
    { "\"\\u0000\"", "a string is not valid UTF-8, or has a NUL", 1, 9 },
    { "\"\xff\"", "a string is not valid UTF-8, or has a NUL", 1, 4 },
    { "\"\xc3\"", "a string is not valid UTF-8, or has a NUL", 1, 4 },
    { "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", "nested too deeply", 1, 17 },
  };
  MetricsJsonReader reader;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *tokens = list_tokens (&reader, cases[i].text, strlen (cases[i].text));
      gsize line, column;

      g_assert_cmpstr (metrics_json_reader_get_message (&reader), ==, cases[i].message);
      metrics_json_reader_get_place (&reader, &line, &column);
      g_assert_cmpuint (line, ==, cases[i].line);
      g_assert_cmpuint (column, ==, cases[i].column);
      g_assert_cmpint (metrics_json_reader_next (&reader), ==, METRICS_JSON_WRONG);
    }
}

/* What is long is refused at its limit, and not before. */
static void
test_long (void)
{
  g_autofree char *digits = g_strnfill (METRICS_JSON_MAX_NUMBER + 1, '1');
  g_autofree char *letters = g_strnfill (METRICS_JSON_MAX_STRING + 3, 'a');
  g_autofree char *blanks = g_strnfill (1 << 20, ' ');
  MetricsJsonReader reader;
  guint n_pauses = 0;

  metrics_json_reader_init (&reader, digits, METRICS_JSON_MAX_NUMBER);
  g_assert_cmpint (metrics_json_reader_next (&reader), ==, METRICS_JSON_NUMBER);
  metrics_json_reader_init (&reader, digits, METRICS_JSON_MAX_NUMBER + 1);
  g_assert_cmpint (metrics_json_reader_next (&reader), ==, METRICS_JSON_WRONG);

  letters[0] = letters[METRICS_JSON_MAX_STRING + 1] = '"';
  metrics_json_reader_init (&reader, letters, METRICS_JSON_MAX_STRING + 2);
  g_assert_cmpint (metrics_json_reader_next (&reader), ==, METRICS_JSON_STRING);
  g_assert_cmpuint (reader.string_len, ==, METRICS_JSON_MAX_STRING);
  letters[METRICS_JSON_MAX_STRING + 1] = 'a';
  letters[METRICS_JSON_MAX_STRING + 2] = '"';
  metrics_json_reader_init (&reader, letters, METRICS_JSON_MAX_STRING + 3);
  g_assert_cmpint (metrics_json_reader_next (&reader), ==, METRICS_JSON_WRONG);

  blanks[(1 << 20) - 1] = '1';
  metrics_json_reader_init (&reader, blanks, 1 << 20);
  while (metrics_json_reader_next (&reader) == METRICS_JSON_PAUSED)
    n_pauses++;
  g_assert_cmpuint (n_pauses, >, 100);
  g_assert_cmpint (metrics_json_reader_next (&reader), ==, METRICS_JSON_END);
}

/* Where reading went on once it goes on again from a copy. */
static void
test_copy (void)
{
  const char *text = "{\"points\":[[1,2],[3,4]],\"key\":\"a\"}";
  MetricsJsonReader reader, copy;

  metrics_json_reader_init (&reader, text, strlen (text));
  for (guint i = 0; i < 3; i++)
    metrics_json_reader_next (&reader);
  copy = reader;
  while (metrics_json_reader_next (&reader) != METRICS_JSON_END)
    ;
  g_assert_cmpint (metrics_json_reader_next (&copy), ==, METRICS_JSON_BEGIN_ARRAY);
  g_assert_cmpint (metrics_json_reader_next (&copy), ==, METRICS_JSON_NUMBER);
  g_assert_cmpmem (copy.number, copy.number_len, "1", 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/json-reader/right", test_right);
  g_test_add_func ("/json-reader/wrong", test_wrong);
  g_test_add_func ("/json-reader/long", test_long);
  g_test_add_func ("/json-reader/copy", test_copy);

  return g_test_run ();
}
