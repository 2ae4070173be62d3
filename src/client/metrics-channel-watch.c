/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-channel-private.h"

#include "client/metrics-watch-link.h"
#include "common/metrics-number.h"
#include <glib/gi18n-lib.h>
#include <string.h>

/* A request that watches is answered line by line as any other, and then stays the first of those in flight:
 * blocks of points come for as long as the connection lasts. An answer without points belongs to a line, or
 * to a ping; one with points is a block, which may well stand between the answers to two lines. */

/* How many points are kept until all lines are answered, by a server in its right mind a few. */
#define MAX_EARLY 65536

/**
 * metrics_channel_is_watch:
 * @request: a request
 *
 * Returns: whether it watches, and somebody still wants to know
 */
gboolean
metrics_channel_is_watch (MetricsRequest *request)
{
  return request->link != NULL;
}

/* Whether a line of it is not answered yet. */
static gboolean
is_beginning (MetricsRequest *request)
{
  return request->n_answered < request->n_lines;
}

/**
 * metrics_channel_can_hand_over:
 * @request: a request that is not done
 *
 * Returns: whether what has come of its answer can go to its maker; of one that watches it waits until all
 *   that is to be watched is, or until it is too much to be kept here
 */
gboolean
metrics_channel_can_hand_over (MetricsRequest *request)
{
  const MetricsBlock *block = request->answer.block;

  return !metrics_channel_is_watch (request) || !is_beginning (request)
         || (block != NULL && block->samples->len > MAX_EARLY);
}

/* Reads `<n> points dropped`. */
static gboolean
parse_dropped (const char *text, guint64 *n_points)
{
  const char *space = strchr (text, ' ');
  gint64 n;

  if (space == NULL || strcmp (space, " points dropped") != 0
      || !metrics_number_parse_int64 (text, space - text, &n) || n < 1)
    return FALSE;
  *n_points = n;
  return TRUE;
}

static const char *
take_refusal (MetricsChannel *self, MetricsRequest *request)
{
  g_autofree char *message = NULL;
  guint64 n_dropped;

  if (request->n_answered > 0 && parse_dropped (self->reader.refusal, &n_dropped))
    {
      if (!is_beginning (request))
        metrics_request_push_block (request);
      metrics_watch_link_drop (request->link, n_dropped);
      return NULL;
    }
  if (is_beginning (request))
    {
      request->n_answered++;
      metrics_request_complete (request, g_error_new_literal (METRICS_ERROR, METRICS_ERROR_REFUSED,
                                                              self->reader.refusal));
      return NULL;
    }
  /* That is how a server takes its leave. */
  message = g_strdup_printf (_ ("the connection to %s was lost: %s"), self->address, self->reader.refusal);
  metrics_channel_fail (self, request, METRICS_ERROR_CLOSED, message);
  return NULL;
}

/**
 * metrics_channel_take_watched:
 * @self: a channel
 * @request: the first request in flight, which watches, and to which an answer has come
 * @refused: whether that is an error
 *
 * Takes the answer.
 *
 * Returns: (nullable): what is wrong with it, in words
 */
const char *
metrics_channel_take_watched (MetricsChannel *self, MetricsRequest *request, gboolean refused)
{
  gboolean is_block = request->answer.n_rows > 0;

  request->answer.n_rows = 0;
  if (refused)
    return take_refusal (self, request);
  if (is_block && request->n_answered > 0)
    return NULL;
  if (!is_block && request->n_answered < request->n_lines_taken)
    {
      request->n_answered++;
      if (request->n_answered == request->n_lines)
        metrics_watch_link_begin (request->link);
      return NULL;
    }
  if (is_block || !request->is_pinged)
    return _ ("it answers without having been asked");
  request->is_pinged = FALSE;
  return NULL;
}

/**
 * metrics_channel_ping_watched:
 * @self: a channel
 * @request: a request whose time is over
 *
 * Where it watches, and nothing has come for so long, that may just mean that nobody has put anything: the
 * server is asked for a sign of life. It has as much time again.
 *
 * Returns: whether it was asked
 */
gboolean
metrics_channel_ping_watched (MetricsChannel *self, MetricsRequest *request)
{
  if (!metrics_channel_is_watch (request) || is_beginning (request) || request->is_pinged)
    return FALSE;
  metrics_buffer_append (&self->output, "ping\n", strlen ("ping\n"));
  request->is_pinged = TRUE;
  request->issued = g_get_monotonic_time ();
  return TRUE;
}
