/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-reader.h"

#include <string.h>

/* Gaps among the chunks of a reader. What is loaded takes the place of a gap in the reader alone, as many
 * chunks at a time as a reader may hold without asking, and another gap behind them stands for the rest: the
 * store does not change by being read. Places before stay what they are. */

/* How many chunks are loaded at once. */
#define MAX_LOADED 64

/**
 * metrics_reader_hold:
 * @self: a reader that was just opened
 * @source: (nullable): who has what is on disk alone
 * @past: (nullable): where what was opened is an image of the past, its hold
 *
 * Sees to it that gaps show what there is now, whenever they are read.
 *
 * Returns: whether they do; where there is none they do
 */
gboolean
metrics_reader_hold (MetricsReader *self, MetricsChunkSource *source, const MetricsHeld *past)
{
  guint i = 0;

  while (i < self->chunks->len && !metrics_chunk_is_gap (g_ptr_array_index (self->chunks, i)))
    i++;
  if (i == self->chunks->len)
    return TRUE;
  if (past == NULL)
    return metrics_held_take (&self->held, source);
  metrics_held_copy (&self->held, past);
  return self->held.hold != NULL;
}

/**
 * metrics_reader_ask:
 * @self: a reader
 * @id: the number of its series
 * @request: (out caller-allocates): what has to be asked for, under the hold of the reader
 *
 * Returns: whether it stands at a gap
 */
gboolean
metrics_reader_ask (const MetricsReader *self, guint64 id, MetricsChunkRequest *request)
{
  const MetricsChunk *gap = metrics_reader_get_chunk (self);

  if (gap == NULL || !metrics_chunk_is_gap (gap))
    return FALSE;
  *request = (MetricsChunkRequest){ .id = id,
                                    .first = metrics_chunk_get_first_time (gap),
                                    .last = metrics_chunk_get_last_time (gap),
                                    .from = self->from,
                                    .to = self->to,
                                    .max_chunks = MAX_LOADED };
  request->before = self->before && self->mark.is_begin && request->first < self->from;
  return TRUE;
}

/* Whether what was loaded can be in the place of a gap: it is from a disk. */
static gboolean
fits (const MetricsChunk *chunk, gint64 first, gint64 last)
{
  return metrics_chunk_get_first_time (chunk) >= first && metrics_chunk_get_last_time (chunk) <= last;
}

static void
insert_chunk (MetricsReader *self, guint *at, MetricsChunk *chunk)
{
  self->usage->memory += metrics_chunk_get_size (chunk);
  g_ptr_array_index (self->chunks, (*at)++) = chunk;
}

/**
 * metrics_reader_fill:
 * @self: a reader that stands at a gap
 * @answer: what was answered to metrics_reader_ask()
 *
 * Puts what was loaded in the place of the gap.
 */
void
metrics_reader_fill (MetricsReader *self, const MetricsChunkAnswer *answer)
{
  guint n_loaded = answer->chunks != NULL ? answer->chunks->len : 0;
  guint n_before = self->chunks->len;
  guint at = self->mark.chunk;
  guint n_after = n_before - at - 1;
  MetricsChunk *gap = g_ptr_array_index (self->chunks, at);
  gint64 first = metrics_chunk_get_first_time (gap);
  gint64 last = metrics_chunk_get_last_time (gap);
  MetricsChunk **behind;

  /* Room for the rest of the gap as well; what is not needed is given back. */
  g_ptr_array_set_size (self->chunks, n_before + n_loaded + 1);
  behind = (MetricsChunk **) self->chunks->pdata + at + 1;
  memmove (behind + n_loaded + 1, behind, n_after * sizeof *behind);
  for (guint i = 0; i < n_loaded && first <= last; i++)
    {
      MetricsChunk *chunk = g_ptr_array_index (answer->chunks, i);

      if (!fits (chunk, first, last))
        continue;
      insert_chunk (self, &at, metrics_chunk_ref (chunk));
      if (metrics_chunk_get_last_time (chunk) == G_MAXINT64)
        break;
      first = metrics_chunk_get_last_time (chunk) + 1;
    }
  /* Whatever it says, the rest is less than the whole. */
  if (answer->has_next && answer->next_first >= first && answer->next_first <= MIN (last, self->to)
      && answer->next_first > metrics_chunk_get_first_time (gap))
    insert_chunk (self, &at, metrics_chunk_new_gap (answer->next_first, last, 1));
  memmove (self->chunks->pdata + at, behind + n_loaded + 1, n_after * sizeof *behind);
  g_ptr_array_set_size (self->chunks, at + n_after);
  self->usage->memory += self->chunks->len * sizeof (gpointer);
  self->usage->memory -= n_before * sizeof (gpointer) + metrics_chunk_unref (gap);
}
