/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-chunk-source.h"

G_DEFINE_INTERFACE (MetricsChunkSource, metrics_chunk_source, G_TYPE_OBJECT)

static void
metrics_chunk_source_default_init (MetricsChunkSourceInterface *iface)
{
}

/**
 * metrics_chunk_answer_clear:
 * @self: an answer
 *
 * Frees what it holds: for those who made it.
 */
void
metrics_chunk_answer_clear (MetricsChunkAnswer *self)
{
  if (self->chunks == NULL)
    return;
  for (guint i = 0; i < self->chunks->len; i++)
    metrics_chunk_unref (g_ptr_array_index (self->chunks, i));
  g_clear_pointer (&self->chunks, g_ptr_array_unref);
}

/**
 * metrics_chunk_source_hold:
 * @self: a source
 *
 * What is read under a hold is what there is on disk now, whatever is written later. It is the same one for
 * as long as no checkpoint has changed the chunks: it costs little.
 *
 * Returns: (transfer full) (nullable): a hold; %NULL where there can be none
 */
MetricsHold *
metrics_chunk_source_hold (MetricsChunkSource *self)
{
  return METRICS_CHUNK_SOURCE_GET_IFACE (self)->hold (self);
}

/**
 * metrics_chunk_source_hold_ref:
 * @self: a source
 * @hold: one of its holds
 *
 * Returns: (transfer full): the same hold
 */
MetricsHold *
metrics_chunk_source_hold_ref (MetricsChunkSource *self, MetricsHold *hold)
{
  return METRICS_CHUNK_SOURCE_GET_IFACE (self)->hold_ref (self, hold);
}

/**
 * metrics_chunk_source_hold_unref:
 * @self: a source
 * @hold: (transfer full): one of its holds
 */
void
metrics_chunk_source_hold_unref (MetricsChunkSource *self, MetricsHold *hold)
{
  METRICS_CHUNK_SOURCE_GET_IFACE (self)->hold_unref (self, hold);
}

/**
 * metrics_chunk_source_request:
 * @self: a source
 * @hold: (nullable): as of when; %NULL for what there is when it is read. It has to be held until the answer
 *   has come or was cancelled
 * @request: what is wanted; it is copied
 * @func: takes the answer
 * @user_data: for @func
 *
 * Asks for chunks.
 *
 * Returns: a ticket for metrics_chunk_source_cancel(), never %NULL; it is valid until @func is called
 */
gpointer
metrics_chunk_source_request (MetricsChunkSource *self,
                              MetricsHold *hold,
                              const MetricsChunkRequest *request,
                              MetricsChunkSourceFunc func,
                              gpointer user_data)
{
  return METRICS_CHUNK_SOURCE_GET_IFACE (self)->request (self, hold, request, func, user_data);
}

/**
 * metrics_chunk_source_cancel:
 * @self: a source
 * @ticket: of a request that was not answered
 *
 * Takes a request back: its function will not be called.
 */
void
metrics_chunk_source_cancel (MetricsChunkSource *self, gpointer ticket)
{
  METRICS_CHUNK_SOURCE_GET_IFACE (self)->cancel (self, ticket);
}

/**
 * metrics_held_take:
 * @self: (inout): an empty struct
 * @source: (nullable): a source
 *
 * Takes a hold.
 *
 * Returns: whether there is one now
 */
gboolean
metrics_held_take (MetricsHeld *self, MetricsChunkSource *source)
{
  MetricsHold *hold = source != NULL ? metrics_chunk_source_hold (source) : NULL;

  if (hold == NULL)
    return FALSE;
  *self = (MetricsHeld){ .source = g_object_ref (source), .hold = hold };
  return TRUE;
}

/**
 * metrics_held_copy:
 * @self: (inout): an empty struct
 * @other: another one
 *
 * Takes the same hold as @other, if that has one.
 */
void
metrics_held_copy (MetricsHeld *self, const MetricsHeld *other)
{
  if (other->source == NULL)
    return;
  self->source = g_object_ref (other->source);
  self->hold = metrics_chunk_source_hold_ref (other->source, other->hold);
}

/**
 * metrics_held_clear:
 * @self: a struct
 *
 * Lets go of the hold, if there is one.
 */
void
metrics_held_clear (MetricsHeld *self)
{
  if (self->source == NULL)
    return;
  metrics_chunk_source_hold_unref (self->source, g_steal_pointer (&self->hold));
  g_clear_object (&self->source);
}
