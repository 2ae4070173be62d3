/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-gap.h"
#include "store/metrics-query-private.h"

/* How a query waits: for chunks that are on disk alone, to read them or to split a gap, or for room. */

/* Takes what was asked for to split a gap. The chunk stays in memory until the query has done what it is
 * for. */
static void
take_split (MetricsQuery *self, const MetricsChunkAnswer *answer)
{
  MetricsChunk *loaded = metrics_store_split (self->store, self->cursor, self->gap, self->gap_at, answer);

  if (loaded == NULL)
    return;
  if (self->loaded == NULL)
    self->loaded = g_ptr_array_new ();
  g_ptr_array_add (self->loaded, metrics_chunk_ref (loaded));
}

static void
drop_gap (MetricsQuery *self)
{
  if (self->gap != NULL)
    self->usage->memory -= metrics_chunk_unref (g_steal_pointer (&self->gap));
}

static void
answer_cb (const MetricsChunkAnswer *answer, gpointer user_data)
{
  MetricsQuery *self = user_data;

  self->ticket = NULL;
  self->reader.is_waiting = FALSE;
  if (self->view.is_lost)
    metrics_held_clear (&self->reader.held);
  else if (answer == NULL)
    self->is_lost = TRUE;
  else if (self->gap != NULL)
    take_split (self, answer);
  else
    self->is_lost = !metrics_reader_fill (&self->reader, answer);
  drop_gap (self);
  metrics_query_wake (self);
}

/**
 * metrics_query_ask:
 * @self: a query that does not wait
 * @hold: (nullable): as of when
 * @request: what it needs
 *
 * Asks the source of the store; it waits then.
 *
 * Returns: %FALSE where there is none: the query is lost
 */
gboolean
metrics_query_ask (MetricsQuery *self, MetricsHold *hold, const MetricsChunkRequest *request)
{
  MetricsChunkSource *source = metrics_store_get_chunk_source (self->store);

  if (hold != NULL)
    source = self->reader.held.source;
  self->is_lost = source == NULL;
  if (self->is_lost)
    return FALSE;
  g_set_object (&self->source, source);
  self->reader.is_waiting = hold != NULL;
  self->ticket = metrics_chunk_source_request (source, hold, request, answer_cb, self);
  return TRUE;
}

/**
 * metrics_query_load_gap:
 * @self: a query that stands on an entry
 * @gap: a gap of that entry
 * @at: a time in its span
 *
 * Begins to split the gap.
 *
 * Returns: the state of the query
 */
MetricsQueryState
metrics_query_load_gap (MetricsQuery *self, MetricsChunk *gap, gint64 at)
{
  MetricsChunkRequest request;

  metrics_gap_ask (gap, self->cursor->id, at, &request);
  if (!metrics_query_ask (self, NULL, &request))
    return METRICS_QUERY_LOST;
  self->gap = metrics_chunk_ref (gap);
  self->gap_at = at;
  return METRICS_QUERY_NOT_YET;
}

/**
 * metrics_query_drop_loaded:
 * @self: a query
 *
 * What was loaded for it may leave memory again.
 */
void
metrics_query_drop_loaded (MetricsQuery *self)
{
  if (self->loaded == NULL)
    return;
  for (guint i = 0; i < self->loaded->len; i++)
    self->usage->memory -= metrics_chunk_unref (g_ptr_array_index (self->loaded, i));
  g_clear_pointer (&self->loaded, g_ptr_array_unref);
}

/**
 * metrics_query_stop_waiting:
 * @self: a query
 *
 * Takes back what it waits for, if it does.
 */
void
metrics_query_stop_waiting (MetricsQuery *self)
{
  if (self->ticket != NULL)
    metrics_chunk_source_cancel (self->source, g_steal_pointer (&self->ticket));
  self->reader.is_waiting = FALSE;
  if (self->waiter.is_waiting)
    metrics_store_stop_waiting (self->store, &self->waiter);
  drop_gap (self);
}
