/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-channel-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* So many bytes are asked of the socket at once, and at most so many times before others have their turn. */
#define READ_SIZE (128 * 1024)
#define MAX_READS 8

/* The answers of a batch are nearly all the same four bytes. */
static const char *
skip_acknowledgements (MetricsRequest *request, const char *at, const char *end)
{
  static const char ok[] = { 'o', 'k', '\n', '\n' };

  while (request->n_answered < request->n_lines_taken && (gsize) (end - at) >= sizeof ok
         && memcmp (at, ok, sizeof ok) == 0)
    {
      at += sizeof ok;
      request->n_answered++;
    }
  return at;
}

static void
complete_batch (MetricsChannel *self, MetricsRequest *request)
{
  g_autofree char *message = NULL;

  if (request->n_refused == 0)
    {
      metrics_request_complete (request, NULL);
      return;
    }
  message = g_strdup_printf (
      /* Translators: of the points that were sent, an address, and the server's reason, in English */
      g_dngettext (GETTEXT_PACKAGE, "%u of %u point was refused by %s, the first one: %s",
                   "%u of %u points were refused by %s, the first one: %s", request->n_lines),
      request->n_refused, request->n_lines, self->address,
      g_array_index (request->refusals, MetricsRefusal, 0).text);
  metrics_request_complete (request, g_error_new_literal (METRICS_ERROR, METRICS_ERROR_REFUSED, message));
}

static void
complete (MetricsChannel *self, MetricsRequest *request, gboolean refused)
{
  if (request->is_batch)
    complete_batch (self, request);
  else if (refused)
    metrics_request_complete (request, g_error_new_literal (METRICS_ERROR, METRICS_ERROR_REFUSED,
                                                            self->reader.refusal));
  else
    {
      metrics_request_push_block (request);
      metrics_request_complete (request, NULL);
    }
}

/* A line of the request was answered. */
static void
take_answer (MetricsChannel *self, MetricsRequest *request, gboolean refused)
{
  if (refused && request->is_batch && !request->is_done)
    metrics_request_add_refusal (request, self->reader.refusal);
  request->n_answered++;
}

static void
land_if_answered (MetricsChannel *self, MetricsRequest *request, gboolean refused)
{
  if (request->n_answered < request->n_lines || metrics_channel_is_watch (request))
    return;
  if (!request->is_done)
    complete (self, request, refused);
  metrics_channel_land (self, request);
}

/* What came back cannot be understood, and so nothing that follows it can. */
static void
give_up (MetricsChannel *self, const char *what)
{
  MetricsRequest *request = g_queue_peek_head (&self->in_flight);
  g_autofree char *message
      = g_strdup_printf (_ ("%s does not answer as a metrics server does: %s"), self->address, what);

  if (request != NULL && !request->is_done)
    metrics_channel_fail (self, request, METRICS_ERROR_PROTOCOL, message);
  metrics_channel_lose (self, message);
}

/* Reads what is in the buffer; FALSE where the connection was given up. */
static gboolean
parse (MetricsChannel *self)
{
  const char *start = self->input.data + self->input.start;
  const char *end = self->input.data + self->input.end;
  const char *at = start;

  while (at < end)
    {
      MetricsRequest *request = g_queue_peek_head (&self->in_flight);
      MetricsAnswerStatus status;
      const char *what = NULL;

      if (request != NULL && request->is_batch && self->reader.part == METRICS_ANSWER_PART_STATUS)
        at = skip_acknowledgements (request, at, end);
      if (request != NULL && request->n_answered == request->n_lines && !metrics_channel_is_watch (request))
        {
          land_if_answered (self, request, FALSE);
          continue;
        }
      if (at == end)
        break;

      status = METRICS_ANSWER_BROKEN;
      if (request != NULL
          && (request->n_answered < request->n_lines_taken || metrics_channel_is_watch (request)))
        status = metrics_answer_reader_parse (&self->reader,
                                              request->is_done ? &self->discard : &request->answer, &at, end,
                                              &what);
      if (status == METRICS_ANSWER_MORE)
        break;
      if (status != METRICS_ANSWER_BROKEN && metrics_channel_is_watch (request))
        what = metrics_channel_take_watched (self, request, status == METRICS_ANSWER_REFUSED);
      else if (status != METRICS_ANSWER_BROKEN)
        take_answer (self, request, status == METRICS_ANSWER_REFUSED);
      if (status == METRICS_ANSWER_BROKEN || what != NULL)
        {
          give_up (self, what != NULL ? what : _ ("it answers without having been asked"));
          return FALSE;
        }
      land_if_answered (self, request, status == METRICS_ANSWER_REFUSED);
    }
  metrics_buffer_consume (&self->input, at - start);
  return TRUE;
}

static void
hand_over (MetricsChannel *self)
{
  MetricsRequest *request = g_queue_peek_head (&self->in_flight);

  if (request != NULL && !request->is_done && metrics_channel_can_hand_over (request))
    metrics_request_push_block (request);
}

/* Reads once; FALSE where there is no more for now, or no connection any more. */
static gboolean
read_once (MetricsChannel *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;
  MetricsRequest *request;
  gssize n_bytes = g_socket_receive (self->socket, metrics_buffer_reserve (&self->input, READ_SIZE),
                                     READ_SIZE, NULL, &error);

  if (n_bytes > 0)
    {
      metrics_buffer_commit (&self->input, n_bytes);
      self->last_progress = g_get_monotonic_time ();
      if (!parse (self))
        return FALSE;
      hand_over (self);
      return n_bytes == READ_SIZE;
    }

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return FALSE;
  request = g_queue_peek_head (&self->in_flight);
  if (n_bytes < 0)
    message = g_strdup_printf (_ ("the connection to %s was lost: %s"), self->address, error->message);
  else if (request != NULL && metrics_channel_is_watch (request))
    message = g_strdup_printf (_ ("%s closed the connection"), self->address);
  else
    message = g_strdup_printf (_ ("%s closed the connection before its answer was complete"), self->address);
  metrics_channel_lose (self, message);
  return FALSE;
}

/**
 * metrics_channel_read:
 * @self: a channel that is connected
 *
 * Takes what the server has sent, up to a bound, and completes the requests that it answers.
 */
void
metrics_channel_read (MetricsChannel *self)
{
  for (guint i = 0; i < MAX_READS && read_once (self); i++)
    {
      MetricsRequest *request = g_queue_peek_head (&self->in_flight);

      if (request != NULL && metrics_request_is_full (request))
        return;
    }
}
