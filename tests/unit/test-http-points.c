/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-accept.h"
#include "http/metrics-http-body.h"
#include "http/metrics-http-question.h"
#include "http/metrics-http-writer.h"

#include <string.h>

#define NOW G_GINT64_CONSTANT (1700000000)

/* Bodies that put points: what they say, in steps of any size. */

static char *
read_body (MetricsHttpBody *body, gint slice)
{
  GString *points = g_string_new (NULL);

  for (;;)
    {
      gint budget = slice;

      switch (metrics_http_body_next (body, &budget))
        {
        case METRICS_HTTP_BODY_POINT:
          g_string_append_printf (points, "%s %g %" G_GINT64_FORMAT "; ", body->key, body->point.value,
                                  body->point.time);
          break;
        case METRICS_HTTP_BODY_PAUSED:
          break;
        case METRICS_HTTP_BODY_WRONG:
          g_string_append_printf (points, "%s: %s",
                                  metrics_http_body_get_where (body) != NULL
                                      ? metrics_http_body_get_where (body)
                                      : "-",
                                  metrics_http_body_get_message (body));
          return g_string_free (points, FALSE);
        case METRICS_HTTP_BODY_END:
        default:
          return g_string_free (points, FALSE);
        }
    }
}

static void
assert_body (const char *text, MetricsHttpFormat format, gboolean has_header, const char *expected)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (MetricsHttpBody) body = metrics_http_body_new (bytes, format, has_header, NOW);

  for (gint slice = 1; slice < 5; slice++)
    {
      g_autofree char *points = read_body (body, slice);

      g_assert_cmpstr (points, ==, expected);
      metrics_http_body_rewind (body);
    }
}

#define NOT_A_KEY "not a key: 1 to 1024 bytes without white space or control characters, and not '*'"
#define NOT_A_VALUE "not a value: a decimal number that fits into a double"
#define NOT_A_TIME "not a timestamp: an integer that fits into 64 bits"
#define ONE_MEMBER "there has to be one member, 'series' or 'points', and no other"

static void
test_json (void)
{
  static const struct
  {
    const char *text;
    const char *expected;
  } cases[] = {
    { "{\"series\":[]}", "" },
    { "{\"points\":[]}", "" },
    { "{\"series\":[{\"key\":\"a\",\"points\":[[1,2.5],[-3,4e2]]},{\"key\":\"b\",\"points\":[]},"
      "{\"key\":\"c\",\"points\":[[9223372036854775807,-0.0]]}]}",
      "a 2.5 1; a 400 -3; c -0 9223372036854775807; " },
    /* A series whose points stand before its key. */
    { "{\"series\":[{\"points\":[[1,2],[3,4]],\"key\":\"a\"},{\"points\":[],\"key\":\"b\"},"
      "{\"points\":[[5,6]],\"key\":\"c\"},{\"key\":\"d\",\"points\":[[7,8]]}]}",
      "a 2 1; a 4 3; c 6 5; d 8 7; " },
    { "{\"points\":[{\"key\":\"a\",\"value\":1,\"timestamp\":2},{\"timestamp\":3,\"value\":4,\"key\":"
      "\"\\u00e9\"},"
      "{\"key\":\"c\",\"value\":5}]}",
      "a 1 2; é 4 3; c 5 1700000000; " },
    /* What JavaScript writes for 1e20. */
    { "{\"points\":[{\"key\":\"a\",\"value\":100000000000000000000}]}", "a 1e+20 1700000000; " },

    { "", "-: not JSON that can be read: line 1, column 1: the text ends before the value does" },
    { "[]", "-: not an object with 'points' or 'series'" },
    { "{}", "-: " ONE_MEMBER },
    { "{\"point\":[]}", "-: the member 'point' is not known here; 'points' or 'series' is" },
    { "{\"points\":[],\"points\":[]}", "-: " ONE_MEMBER },
    { "{\"points\":[],\"series\":[]}", "-: " ONE_MEMBER },
    { "{\"points\":[],\"a\":[]}", "-: " ONE_MEMBER },
    { "{\"points\":[]} x", "-: not JSON that can be read: line 1, column 15: more text behind the value" },
    { "{\"points\":{}}", "points: not an array" },
    { "{\"series\":1}", "series: not an array" },
    { "{\"points\":[1]}", "points[0]: not an object" },
    { "{\"points\":[{\"key\":\"a\",\"value\":1},[]]}", "a 1 1700000000; points[1]: not an object" },
    { "{\"points\":[{}]}", "points[0]: there is no member 'key'" },
    { "{\"points\":[{\"key\":\"a\"}]}", "points[0]: there is no member 'value'" },
    { "{\"points\":[{\"key\":\"a\",\"key\":\"b\"}]}", "points[0]: the member 'key' is there twice" },
    { "{\"points\":[{\"Key\":\"a\"}]}", "points[0]: the member 'Key' is not known here" },
    { "{\"points\":[{\"key\":1}]}", "points[0].key: not a string" },
    { "{\"points\":[{\"key\":\"a b\"}]}", "points[0].key: " NOT_A_KEY },
    { "{\"points\":[{\"key\":\"*\"}]}", "points[0].key: " NOT_A_KEY },
    { "{\"points\":[{\"key\":\"\"}]}", "points[0].key: " NOT_A_KEY },
    { "{\"points\":[{\"value\":\"1\"}]}", "points[0].value: not a number" },
    { "{\"points\":[{\"value\":null}]}", "points[0].value: not a number" },
    { "{\"points\":[{\"value\":[1]}]}", "points[0].value: not a number" },
    { "{\"points\":[{\"value\":1e999}]}", "points[0].value: " NOT_A_VALUE },
    { "{\"points\":[{\"value\":NaN}]}",
      "points[0]: not JSON that can be read: line 1, column 21: not a value" },
    { "{\"points\":[{\"timestamp\":1.0}]}", "points[0].timestamp: " NOT_A_TIME },
    { "{\"points\":[{\"timestamp\":1e3}]}", "points[0].timestamp: " NOT_A_TIME },
    { "{\"points\":[{\"timestamp\":9223372036854775808}]}", "points[0].timestamp: " NOT_A_TIME },
    { "{\"points\":[{\"timestamp\":true}]}", "points[0].timestamp: not a number" },
    { "{\"series\":[[]]}", "series[0]: not an object" },
    { "{\"series\":[{\"key\":\"a\"}]}", "series[0]: there is no member 'points'" },
    { "{\"series\":[{\"points\":[]}]}", "series[0]: there is no member 'key'" },
    { "{\"series\":[{\"points\":[1,{\"a\":[]}]}]}", "series[0]: there is no member 'key'" },
    { "{\"series\":[{\"value\":[]}]}", "series[0]: the member 'value' is not known here" },
    { "{\"series\":[{\"key\":\"a\",\"points\":{}}]}", "series[0].points: not an array" },
    { "{\"series\":[{\"key\":\"a\",\"points\":[],\"key\":\"b\"}]}",
      "series[0]: the member 'key' is there twice" },
    { "{\"series\":[{\"key\":\"a b\"}]}", "series[0].key: " NOT_A_KEY },
    { "{\"series\":[{\"key\":\"a\",\"points\":[[1,2],3]}]}", "a 2 1; series[0].points[1]: not an array" },
    { "{\"series\":[{\"key\":\"a\",\"points\":[[1,2],[]]}]}",
      "a 2 1; series[0].points[1]: not a timestamp and a value" },
    { "{\"series\":[{\"key\":\"a\",\"points\":[[1]]}]}", "series[0].points[0]: not a timestamp and a value" },
    { "{\"series\":[{\"key\":\"a\",\"points\":[[1,2,3]]}]}",
      "series[0].points[0]: not a timestamp and a value" },
    { "{\"series\":[{\"key\":\"a\",\"points\":[[1,2],[3,null]]}]}",
      "a 2 1; series[0].points[1][1]: not a number" },
    { "{\"series\":[{\"key\":\"a\",\"points\":[[1.5,2]]}]}", "series[0].points[0][0]: " NOT_A_TIME },
    { "{\"series\":[{\"points\":[],\"key\":\"a\"},{\"points\":[[1,2],[3,\"4\"]],\"key\":\"a\"}]}",
      "a 2 1; series[1].points[1][1]: not a number" },
    { "{\"series\":[{\"points\":[[1,2]",
      "series[0].points: not JSON that can be read: line 1, column 28: the "
      "text ends before the value does" },
    { "{\"series\":[{\"key\":\"a\",\n\"points\":[[1,2],[3\n,x]]}]}",
      "a 2 1; series[0].points[1][1]: not JSON that can be read: line 3, column 2: not a value" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_body (cases[i].text, METRICS_HTTP_FORMAT_JSON, TRUE, cases[i].expected);
}

#define HEADER "key,timestamp,value\r\n"
#define NO_HEADER "line 1: the first line has to name the columns: key,timestamp,value"

static void
test_csv (void)
{
  static const struct
  {
    const char *text;
    gboolean has_header;
    const char *expected;
  } cases[] = {
    { HEADER, TRUE, "" },
    { HEADER "a,1,2.5\r\nb,-2,1e3\r\n", TRUE, "a 2.5 1; b 1000 -2; " },
    { "key,timestamp,value\na,1,2.5\nb,2,3", TRUE, "a 2.5 1; b 3 2; " },
    { "\xef\xbb\xbfkey,timestamp,value\r\na,1,2\r", TRUE, "a 2 1; " },
    { "value,key\r\n1,a\r\n", TRUE, "a 1 1700000000; " },
    { "\"value\",\"key\",\"timestamp\"\r\n\"1\",\"a,b\"\"c\"\"\",\"2\"\r\n", TRUE, "a,b\"c\" 1 2; " },
    { "a,1,2\n", FALSE, "a 2 1; " },
    { "", FALSE, "" },
    { "\r\n\r\n" HEADER "\n\n\na,1,2\r\n\r\n\n", TRUE, "a 2 1; " },
    { "", TRUE, NO_HEADER },
    { "a,1,2\n", TRUE, NO_HEADER },
    { "key,value,value\n", TRUE, NO_HEADER },
    { "key,timestamp\n", TRUE, NO_HEADER },
    { "key,value,timestamp,more\n", TRUE, NO_HEADER },
    { "Key,value\n", TRUE, NO_HEADER },
    { HEADER "a,1\r\n", TRUE, "line 2: there are too few fields" },
    { HEADER "a,1,2\r\na,1,2,3\r\n", TRUE, "a 2 1; line 3: there are too many fields" },
    { HEADER "a,1,2,\r\n", TRUE, "line 2: there are too many fields" },
    { HEADER "a b,1,2\r\n", TRUE, "line 2: " NOT_A_KEY },
    { HEADER "\"a\nb\",1,2\r\n", TRUE, "line 2: " NOT_A_KEY },
    { HEADER "\na,1,2\n\n\"x\",1,z", TRUE, "a 2 1; line 5: " NOT_A_VALUE },
    { HEADER "a, 1,2\r\n", TRUE, "line 2: " NOT_A_TIME },
    { HEADER "a,,2\r\n", TRUE, "line 2: " NOT_A_TIME },
    { HEADER "a,1.5,2\r\n", TRUE, "line 2: " NOT_A_TIME },
    { HEADER "a,1,\r\n", TRUE, "line 2: " NOT_A_VALUE },
    { HEADER "a,1,nan\r\n", TRUE, "line 2: " NOT_A_VALUE },
    { HEADER "a,1,inf\r\n", TRUE, "line 2: " NOT_A_VALUE },
    { HEADER "a\"b,1,2\r\n", TRUE, "line 2: a quotation mark in a field that does not begin with one" },
    { HEADER "\"a\"b,1,2\r\n", TRUE, "line 2: expected ',' or the end of the line behind a quotation mark" },
    { HEADER "\"a,1,2\r\n", TRUE, "line 2: a quotation mark is not closed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_body (cases[i].text, METRICS_HTTP_FORMAT_CSV, cases[i].has_header, cases[i].expected);
}

static void
test_long_field (void)
{
  g_autofree char *field = g_strnfill (5000, 'a');
  g_autofree char *plain = g_strconcat (HEADER, field, ",1,2\r\n", NULL);
  g_autofree char *quoted = g_strconcat (HEADER "\"", field, "\",1,2\r\n", NULL);

  assert_body (plain, METRICS_HTTP_FORMAT_CSV, TRUE, "line 2: a field is longer than 2048 bytes");
  assert_body (quoted, METRICS_HTTP_FORMAT_CSV, TRUE, "line 2: a field is longer than 2048 bytes");
}

/* Where a point stands is told until the next one is read. */
static void
test_places (void)
{
  const char *text
      = "{\"series\":[{\"points\":[[1,2],[3,4]],\"key\":\"a\"},{\"key\":\"b\",\"points\":[[5,6]]}]}";
  const char *const expected[]
      = { "series[0].points[0]", "series[0].points[1][0]", "series[1].points[0][1]" };
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (MetricsHttpBody) body = metrics_http_body_new (bytes, METRICS_HTTP_FORMAT_JSON, TRUE, NOW);
  const MetricsHttpField fields[]
      = { METRICS_HTTP_FIELD_NONE, METRICS_HTTP_FIELD_TIMESTAMP, METRICS_HTTP_FIELD_VALUE };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      gint budget = 1000;
      g_autofree char *place = NULL;

      g_assert_cmpint (metrics_http_body_next (body, &budget), ==, METRICS_HTTP_BODY_POINT);
      place = metrics_http_body_name_place (body, fields[i]);
      g_assert_cmpstr (place, ==, expected[i]);
    }
}

/* Which form is wanted */

#define JSON "application/json"
#define CSV "text/csv"

static void
test_accept (void)
{
  static const char *const types[] = { JSON, CSV, NULL };
  static const struct
  {
    const char *accept;
    const char *type;
  } cases[] = {
    { NULL, JSON },
    { "", JSON },
    { " , ", JSON },
    { "*/*", JSON },
    { "application/json", JSON },
    { "application/*", JSON },
    { "text/csv", CSV },
    { "Text/CSV", CSV },
    { "text/*", CSV },
    { "text/csv, application/json", JSON },
    { "text/csv, */*", CSV },
    { "text/csv;q=0.5, application/json;q=0.4", CSV },
    { "text/csv;q=0.5, */*;q=0.6", JSON },
    { "text/csv; charset=utf-8; q=1.000, application/json;q=0.999", CSV },
    { "application/json;q=0, */*", CSV },
    { "application/json;q=0, text/csv;q=0, */*", NULL },
    { "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON },
    { "text/html", NULL },
    { "image/png, */*;q=0", NULL },
    { "x/y; a=\"text/csv, application/json\"", NULL },
    { "x/y; a=\"\\\",\", text/csv", CSV },
    { "text/csv;q=2", NULL },
    { "text/csv;q=0.0001", NULL },
    { "text/csv;q=", NULL },
    { "text/csv;q", CSV },
    { "*", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (metrics_http_accept_choose (cases[i].accept, types), ==, cases[i].type);
}

static void
test_content_type (void)
{
  static const struct
  {
    const char *type;
    MetricsHttpFormat format;
    gboolean has_header;
  } cases[] = {
    { NULL, METRICS_HTTP_FORMAT_NONE, TRUE },
    { "", METRICS_HTTP_FORMAT_NONE, TRUE },
    { "application/json", METRICS_HTTP_FORMAT_JSON, TRUE },
    { "Application/JSON ; Charset=\"UTF-8\"", METRICS_HTTP_FORMAT_JSON, TRUE },
    { "application/json; charset=iso-8859-1", METRICS_HTTP_FORMAT_NONE, TRUE },
    { "text/csv", METRICS_HTTP_FORMAT_CSV, TRUE },
    { "text/csv; header=present", METRICS_HTTP_FORMAT_CSV, TRUE },
    { "text/csv; charset=us-ascii; header=absent", METRICS_HTTP_FORMAT_CSV, FALSE },
    { "text/plain", METRICS_HTTP_FORMAT_NONE, TRUE },
    { "application/x-www-form-urlencoded", METRICS_HTTP_FORMAT_NONE, TRUE },
    { "multipart/form-data; boundary=application/json", METRICS_HTTP_FORMAT_NONE, TRUE },
    { "application/jsonp", METRICS_HTTP_FORMAT_NONE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gboolean has_header;

      g_assert_cmpint (metrics_http_accept_read_type (cases[i].type, &has_header), ==, cases[i].format);
      g_assert_cmpint (has_header, ==, cases[i].has_header);
    }
}

/* Questions */

/* Takes `name=value&...`. Returns: (nullable): what is wrong */
static char *
take_all (MetricsHttpQuestion *question, const char *query)
{
  g_auto (GStrv) words = g_strsplit (query, "&", -1);
  char *message = NULL;
  const char *where;

  for (guint i = 0; words[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (words[i], "=", 2);

      if (!metrics_http_question_take (question, parts[0], parts[1], strlen (parts[1]), &message))
        {
          g_autofree char *owned = message;

          return g_strdup_printf ("%s: %.15s", parts[0], owned);
        }
    }
  if (metrics_http_question_complete (question, &where, &message))
    return NULL;
  else
    {
      g_autofree char *owned = message;

      return g_strdup_printf ("%s: %.15s", where, owned);
    }
}

static void
test_parameters (void)
{
  static const struct
  {
    MetricsQueryKind kind;
    const char *query;
    const char *message;
  } cases[] = {
    { METRICS_QUERY_KEYS, "", NULL },
    { METRICS_QUERY_KEYS, "from=1", "from: there is no suc" },
    { METRICS_QUERY_KEYS, "Pattern=a", "Pattern: there is no suc" },
    { METRICS_QUERY_LAST, "key=a&pattern=b*&key=c", NULL },
    { METRICS_QUERY_LAST, "step=5", "step: there is no suc" },
    { METRICS_QUERY_POINTS, "", "key: a key or a patt" },
    { METRICS_QUERY_POINTS, "key=a", NULL },
    { METRICS_QUERY_POINTS, "key=", "key: not a key: 1 to" },
    { METRICS_QUERY_POINTS, "key=*", "key: not a key: 1 to" },
    { METRICS_QUERY_POINTS, "key=a b", "key: not a key: 1 to" },
    { METRICS_QUERY_POINTS, "pattern=", "pattern: not a pattern: " },
    { METRICS_QUERY_POINTS, "pattern=a\\", "pattern: not a pattern: " },
    { METRICS_QUERY_POINTS, "key=a&from=-&to=now-5m", NULL },
    { METRICS_QUERY_POINTS, "key=a&from=", "from: not a time: an " },
    { METRICS_QUERY_POINTS, "key=a&from=1.5", "from: not a time: an " },
    { METRICS_QUERY_POINTS, "key=a&to=tomorrow", "to: not a time: an " },
    { METRICS_QUERY_POINTS, "key=a&from=1&from=1", "from: given twice" },
    { METRICS_QUERY_POINTS, "key=a&to=1&to=", "to: given twice" },
    { METRICS_QUERY_POINTS, "key=a&step=5m&function=avg", NULL },
    { METRICS_QUERY_POINTS, "key=a&step=5m", "function: a step needs a " },
    { METRICS_QUERY_POINTS, "key=a&function=avg", "step: a function need" },
    { METRICS_QUERY_POINTS, "key=a&step=0&function=avg", "step: not a step: sec" },
    { METRICS_QUERY_POINTS, "key=a&step=0s&function=avg", "step: not a step: sec" },
    { METRICS_QUERY_POINTS, "key=a&step=-5&function=avg", "step: not a step: sec" },
    { METRICS_QUERY_POINTS, "key=a&step=5y&function=avg", "step: not a step: sec" },
    { METRICS_QUERY_POINTS, "key=a&step=5&function=mean", "function: not a function:" },
    { METRICS_QUERY_DELETE, "from=1", "key: a key or a patt" },
    { METRICS_QUERY_DELETE, "key=a&from=1&to=2", NULL },
    { METRICS_QUERY_DELETE, "key=a&step=1", "step: there is no suc" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (MetricsHttpQuestion) question = metrics_http_question_new (cases[i].kind, NOW);
      g_autofree char *message = cases[i].query[0] != '\0' ? take_all (question, cases[i].query) : NULL;
      const char *where = NULL;
      g_autofree char *missing = NULL;

      if (cases[i].query[0] == '\0' && !metrics_http_question_complete (question, &where, &missing))
        message = g_strdup_printf ("%s: %.15s", where, missing);
      g_assert_cmpstr (message, ==, cases[i].message);
    }
}

static void
put_some (MetricsStore *store)
{
  static const struct
  {
    const char *key;
    MetricsPoint point;
  } points[] = {
    { "b", { 1, 1.5 } }, { "b", { 2, 2.5 } },    { "a", { 1, 10 } },          { "x,y", { 5, 1e300 } },
    { "a", { 61, 20 } }, { "\"q\"", { -7, 0 } }, { "back\\slash", { 8, 9 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (points); i++)
    g_assert_true (metrics_store_put (store, points[i].key, strlen (points[i].key), points[i].point, NULL));
}

static char *
answer (MetricsStore *store, MetricsQueryKind kind, const char *query, MetricsHttpFormat format, gint slice)
{
  g_autoptr (MetricsHttpQuestion) question = metrics_http_question_new (kind, 61);
  GString *out = g_string_new (NULL);
  g_autofree char *message = take_all (question, query);
  MetricsQueryState state = METRICS_QUERY_PAUSED;
  MetricsHttpWriter writer;

  g_assert_cmpstr (message, ==, NULL);
  metrics_http_question_begin (question, store, NULL, NULL);
  metrics_http_writer_init (&writer, format, kind == METRICS_QUERY_KEYS);
  metrics_http_writer_begin (&writer, out);
  while (state != METRICS_QUERY_DONE)
    {
      gint budget = slice;
      MetricsQueryRow row;

      state = metrics_http_question_next (question, &budget, &row);
      if (state == METRICS_QUERY_ROW)
        metrics_http_writer_add (&writer, &row, out);
    }
  metrics_http_writer_end (&writer, out);
  metrics_http_writer_clear (&writer);
  return g_string_free (out, FALSE);
}

#define CSV_HEADER "key,timestamp,value\r\n"

static void
test_answers (void)
{
  static const struct
  {
    MetricsQueryKind kind;
    MetricsHttpFormat format;
    const char *query;
    const char *expected;
  } cases[] = {
    { METRICS_QUERY_KEYS, METRICS_HTTP_FORMAT_JSON, "pattern=?",
      "{\"keys\":[{\"key\":\"b\",\"points\":2,\"first\":1,\"last\":2},"
      "{\"key\":\"a\",\"points\":2,\"first\":1,\"last\":61}]}" },
    { METRICS_QUERY_KEYS, METRICS_HTTP_FORMAT_CSV, "pattern=*,*&pattern=\"*",
      "key,points,first,last\r\n\"x,y\",1,5,5\r\n\"\"\"q\"\"\",1,-7,-7\r\n" },
    { METRICS_QUERY_KEYS, METRICS_HTTP_FORMAT_JSON, "pattern=none", "{\"keys\":[]}" },
    { METRICS_QUERY_LAST, METRICS_HTTP_FORMAT_JSON, "key=a&key=none&key=b",
      "{\"series\":[{\"key\":\"a\",\"points\":[[61,20.0]]},{\"key\":\"b\",\"points\":[[2,2.5]]}]}" },
    { METRICS_QUERY_POINTS, METRICS_HTTP_FORMAT_JSON, "key=a&key=b&key=a",
      "{\"series\":[{\"key\":\"a\",\"points\":[[1,10.0],[61,20.0]]},"
      "{\"key\":\"b\",\"points\":[[1,1.5],[2,2.5]]}]}" },
    /* What one shows, another does not show again. */
    { METRICS_QUERY_POINTS, METRICS_HTTP_FORMAT_JSON, "key=a&pattern=?&pattern=*\\\\*&pattern=*h",
      "{\"series\":[{\"key\":\"a\",\"points\":[[1,10.0],[61,20.0]]},"
      "{\"key\":\"b\",\"points\":[[1,1.5],[2,2.5]]},{\"key\":\"back\\\\slash\",\"points\":[[8,9.0]]}]}" },
    { METRICS_QUERY_POINTS, METRICS_HTTP_FORMAT_JSON, "pattern=*&from=now-1m&to=2&key=a",
      "{\"series\":[{\"key\":\"b\",\"points\":[[1,1.5],[2,2.5]]},{\"key\":\"a\",\"points\":[[1,10.0]]}]}" },
    { METRICS_QUERY_POINTS, METRICS_HTTP_FORMAT_JSON, "pattern=*&from=5&to=4", "{\"series\":[]}" },
    { METRICS_QUERY_POINTS, METRICS_HTTP_FORMAT_JSON, "key=a&step=1m&function=sum",
      "{\"series\":[{\"key\":\"a\",\"points\":[[0,10.0],[60,20.0]]}]}" },
    { METRICS_QUERY_POINTS, METRICS_HTTP_FORMAT_CSV, "pattern=*",
      CSV_HEADER "b,1,1.5\r\nb,2,2.5\r\na,1,10.0\r\na,61,20.0\r\n\"x,y\",5,1e+300\r\n\"\"\"q\"\"\",-7,0.0\r\n"
                 "back\\slash,8,9.0\r\n" },
    { METRICS_QUERY_POINTS, METRICS_HTTP_FORMAT_CSV, "key=none", CSV_HEADER },
  };
  g_autoptr (MetricsStore) store = metrics_store_new (100, 1 << 20);

  put_some (store);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gint slice = 1; slice < 100; slice *= 5)
      {
        g_autofree char *text = answer (store, cases[i].kind, cases[i].query, cases[i].format, slice);

        g_assert_cmpstr (text, ==, cases[i].expected);
      }
}

static void
test_delete (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (100, 1 << 20);
  g_autoptr (MetricsHttpQuestion) question = metrics_http_question_new (METRICS_QUERY_DELETE, 61);
  g_autofree char *message = take_all (question, "key=b&pattern=?&to=1");
  MetricsQueryState state;
  MetricsQueryRow row;

  put_some (store);
  g_assert_cmpstr (message, ==, NULL);
  metrics_http_question_begin (question, store, NULL, NULL);
  do
    {
      gint budget = 1;

      state = metrics_http_question_next (question, &budget, &row);
    }
  while (state == METRICS_QUERY_PAUSED);
  g_assert_cmpint (state, ==, METRICS_QUERY_DONE);
  g_assert_cmpuint (metrics_http_question_get_n_deleted (question), ==, 2);
  g_assert_cmpuint (metrics_store_get_n_points (store), ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/http-points/json", test_json);
  g_test_add_func ("/http-points/csv", test_csv);
  g_test_add_func ("/http-points/long-field", test_long_field);
  g_test_add_func ("/http-points/places", test_places);
  g_test_add_func ("/http-points/accept", test_accept);
  g_test_add_func ("/http-points/content-type", test_content_type);
  g_test_add_func ("/http-points/parameters", test_parameters);
  g_test_add_func ("/http-points/answers", test_answers);
  g_test_add_func ("/http-points/delete", test_delete);

  return g_test_run ();
}
