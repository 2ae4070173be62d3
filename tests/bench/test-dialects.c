/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dialects.h"

#include <string.h>

/* A reply, as the server writes it, and what it comes to. */
typedef struct
{
  const MetricsBenchDialect *dialect;
  const char *text;
  gboolean refused;
  guint n_points;
} Case;

static const Case cases[] = {
  { &bench_dialect_redis_hset, ":1\r\n", FALSE, 0 },
  { &bench_dialect_redis_hset, "+PONG\r\n", FALSE, 0 },
  { &bench_dialect_redis_hset, "-ERR wrong\r\n", TRUE, 0 },
  { &bench_dialect_redis_hset, "*0\r\n", FALSE, 0 },
  { &bench_dialect_redis_hset, "*4\r\n$2\r\n10\r\n$5\r\n1.250\r\n$2\r\n20\r\n$0\r\n\r\n", FALSE, 2 },
  { &bench_dialect_redis_zadd, "*2\r\n$4\r\n10:1\r\n$6\r\n20:2.5\r\n", FALSE, 2 },
  { &bench_dialect_rrdcached, "0 errors, enqueued 1 value(s).\n", FALSE, 0 },
  { &bench_dialect_rrdcached, "-1 illegal attempt\n", TRUE, 0 },
  { &bench_dialect_rrdcached, "5 Success\nFlushVersion: 1\nDSName: v\n10: 1.0e+00\n20: nan\n30: 2\n", FALSE,
    2 },
  { &bench_dialect_influx, "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", FALSE, 0 },
  { &bench_dialect_influx, "HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\n[[1,2]", TRUE, 1 },
  { &bench_dialect_influx,
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    "1a\r\n[{\"columns\":[\"time\",\"v\"],\"\r\n12\r\nvalues\":[[10,1],[2\r\n9\r\n0,2.5]]}]\r\n0\r\n\r\n",
    FALSE, 2 },
  { &bench_dialect_victoria,
    "HTTP/1.1 200 OK\r\ncontent-length: 68\r\n\r\n"
    "{\"metric\":{\"__name__\":\"a\"},\"values\":[1,2,3],\"timestamps\":[10,20,30]}",
    FALSE, 3 },
};

/* However it is cut in two, and with another one behind it. */
static void
test_replies (gconstpointer data)
{
  const Case *of = data;
  gsize len = strlen (of->text);
  g_autofree char *twice = g_strconcat (of->text, of->text, NULL);

  for (gsize cut = 0; cut <= len; cut++)
    {
      MetricsBenchReply reply = { 0 };

      if (cut > 0)
        g_assert_cmpint (of->dialect->parse (&reply, twice, cut), ==, cut);
      g_assert_cmpint (reply.complete, ==, cut == len);
      if (cut < len)
        g_assert_cmpint (of->dialect->parse (&reply, twice + cut, 2 * len - cut), ==, len - cut);
      g_assert_true (reply.complete);
      g_assert_cmpint (reply.refused, ==, of->refused);
      g_assert_cmpuint (reply.n_points, ==, of->n_points);
    }
}

static void
test_nonsense (void)
{
  MetricsBenchReply redis = { 0 }, http = { 0 };

  g_assert_cmpint (bench_dialect_redis_hset.parse (&redis, "ok\r\n", 4), <, 0);
  g_assert_cmpint (bench_dialect_influx.parse (&http, "ok\r\n", 4), <, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/dialects/%s/%u", cases[i].dialect->name, i);

      g_test_add_data_func (path, &cases[i], test_replies);
    }
  g_test_add_func ("/dialects/nonsense", test_nonsense);
  return g_test_run ();
}
