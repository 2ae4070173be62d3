/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "server/metrics-line-reader.h"
#include "server/metrics-session.h"

#include <gio/gio.h>
#include <string.h>

/* What a client sends, through the line reader in pieces of any size and the session: each request has
 * exactly one reply, of the form that all have. Blocks of what is watched stand between them, and have it
 * too; none is empty. */

#define LINE_LIMIT 512

typedef struct
{
  MetricsSession session;
  MetricsBuffer out;
} Server;

static void
finish_reply (Server *self)
{
  gint budget = 0;

  while (metrics_session_is_busy (&self->session))
    {
      budget = 7;
      g_assert_cmpint (metrics_session_resume (&self->session, &budget, &self->out), !=,
                       METRICS_QUERY_NOT_YET);
    }
}

/* One of "ok" and "error", then lines that are not empty, then an empty one. Returns: where it ends */
static const char *
check_one (const char *reply)
{
  const char *end = strstr (reply, "\n\n");

  g_assert_true (g_str_has_prefix (reply, "ok\n") || g_str_has_prefix (reply, "error\n"));
  g_assert_nonnull (end);
  return end + 2;
}

/* A reply for each request, and before it blocks, which have lines. */
static void
check_replies (Server *self, guint64 n_requests)
{
  g_autofree char *replies = g_strndup (self->out.data + self->out.start, metrics_buffer_length (&self->out));
  gsize len = metrics_buffer_length (&self->out);
  const char *p = replies;

  g_assert_cmpuint (n_requests, <=, 1);
  g_assert_true (n_requests == 0 || len > 0);
  if (len == 0)
    return;
  metrics_buffer_consume (&self->out, len);
  g_assert_cmpuint (strlen (replies), ==, len);
  while (*p != '\0')
    {
      const char *end = check_one (p);

      g_assert_true ((n_requests == 1 && *end == '\0') || !g_str_has_prefix (p, "ok\n\n"));
      p = end;
    }
}

/* Some of what is watched, between two requests: not all, so that something is left for their end. */
static void
tell (Server *self)
{
  gint budget = 3;

  if (self->session.subscription == NULL || !self->session.subscription->has_points)
    return;
  metrics_subscription_tell (self->session.subscription, &budget, 200, 0, &self->out);
  check_replies (self, 0);
}

static gboolean
take_line (Server *self, MetricsLineReader *reader)
{
  guint64 n_requests = self->session.figures->requests;
  const char *line;
  gsize len;

  switch (metrics_line_reader_take (reader, &line, &len))
    {
    case METRICS_LINE:
      g_assert_cmpuint (len, <, LINE_LIMIT);
      g_assert_null (memchr (line, '\n', len));
      metrics_session_execute (&self->session, line, len, 1700000000, &self->out);
      finish_reply (self);
      check_replies (self, self->session.figures->requests - n_requests);
      if (self->session.figures->requests % 4 == 0)
        tell (self);
      return TRUE;
    case METRICS_LINE_TOO_LONG:
      return TRUE;
    case METRICS_LINE_SKIPPED:
      metrics_session_end_long_line (&self->session, line, len);
      return TRUE;
    case METRICS_LINE_NONE:
    default:
      return FALSE;
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const MetricsLimits limits = { .line = LINE_LIMIT, .slice = 16 };
  MetricsFigures figures = { 0 };
  g_autoptr (MetricsStore) store = metrics_store_new (16, 1 << 20);
  g_autoptr (GInputStream) base = g_memory_input_stream_new_from_data (data, size, NULL);
  MetricsLineReader reader;
  Server server = { .out = { NULL } };

  metrics_session_init (&server.session, store, &limits, &figures, METRICS_RIGHTS_ALL);
  metrics_line_reader_init (&reader, base, LINE_LIMIT);
  while (!server.session.over && metrics_line_reader_fill (&reader, NULL) > 0)
    {
      metrics_line_reader_begin (&reader);
      while (!server.session.over && take_line (&server, &reader))
        ;
      metrics_line_reader_end (&reader);
    }
  metrics_line_reader_clear (&reader);
  metrics_session_clear (&server.session);
  metrics_buffer_clear (&server.out);
  return 0;
}
