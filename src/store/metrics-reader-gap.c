/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-reader.h"

#include <string.h>

/* Gaps among the chunks of a reader. What is loaded takes the place of a gap in the reader alone, as many
 * chunks at a time as a reader may hold without asking, and another gap behind them stands for the rest: the
 * store does not change by being read. Places before stay what they are.
 *
 * Who reads a bucket of many points more than once does not let go of what it has passed. So as not to hold
 * all of it, of what is behind by more than some chunks, each becomes a gap again, in its place. When the
 * reader has gone back there, they are loaded anew, and have to be the same. */

/* How many chunks are loaded at once. */
#define MAX_LOADED 64
/* How many chunks stay that were passed and can be wanted again. */
#define MAX_PASSED 256

static gboolean
is_folded (const MetricsReader *self, guint index)
{
  const MetricsChunk *chunk = g_ptr_array_index (self->chunks, index);

  return metrics_chunk_is_gap (chunk) && metrics_chunk_get_kept (chunk) == METRICS_CHUNK_LOADED;
}

/* Puts a chunk in the place of another one. */
static void
replace_chunk (MetricsReader *self, guint index, MetricsChunk *chunk)
{
  self->usage->memory += metrics_chunk_get_size (chunk);
  self->usage->memory -= metrics_chunk_unref (g_ptr_array_index (self->chunks, index));
  g_ptr_array_index (self->chunks, index) = chunk;
}

/* Makes gaps of what was loaded. */
static void
fold (MetricsReader *self, guint begin, guint end)
{
  for (guint i = MAX (begin, self->n_released); i < end; i++)
    {
      const MetricsChunk *chunk = g_ptr_array_index (self->chunks, i);
      MetricsChunk *gap;

      if (metrics_chunk_is_gap (chunk) || metrics_chunk_get_kept (chunk) != METRICS_CHUNK_LOADED)
        continue;
      gap = metrics_chunk_new_gap (metrics_chunk_get_first_time (chunk), metrics_chunk_get_last_time (chunk),
                                   metrics_chunk_get_n_points (chunk));
      metrics_chunk_set_kept (gap, METRICS_CHUNK_LOADED);
      replace_chunk (self, i, gap);
    }
}

static gboolean
are_same (const MetricsChunk *a, const MetricsChunk *b)
{
  return metrics_chunk_get_first_time (a) == metrics_chunk_get_first_time (b)
         && metrics_chunk_get_last_time (a) == metrics_chunk_get_last_time (b)
         && metrics_chunk_get_n_points (a) == metrics_chunk_get_n_points (b);
}

/* Puts what was loaded anew where it was. */
static gboolean
refill (MetricsReader *self, const MetricsChunkAnswer *answer)
{
  guint n = answer->chunks != NULL ? answer->chunks->len : 0;
  guint begin = self->mark.chunk;

  fold (self, self->refilled_begin, self->refilled_end);
  self->refilled_begin = self->refilled_end = begin;
  for (guint i = 0; i < n; i++)
    {
      MetricsChunk *chunk = g_ptr_array_index (answer->chunks, i);

      if (begin + i >= self->n_folded || !is_folded (self, begin + i)
          || !are_same (chunk, g_ptr_array_index (self->chunks, begin + i)))
        return FALSE;
      metrics_chunk_set_kept (chunk, METRICS_CHUNK_LOADED);
      replace_chunk (self, begin + i, metrics_chunk_ref (chunk));
      self->refilled_end = begin + i + 1;
    }
  return n > 0;
}

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

/* Where the chunks end that can be loaded anew together. */
static gint64
get_folded_end (const MetricsReader *self)
{
  guint end = self->mark.chunk;

  while (end < self->n_folded && end - self->mark.chunk < MAX_LOADED && is_folded (self, end))
    end++;
  return metrics_chunk_get_last_time (g_ptr_array_index (self->chunks, end - 1));
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
  if (metrics_chunk_get_kept (gap) == METRICS_CHUNK_LOADED && self->mark.chunk < self->n_folded)
    request->last = get_folded_end (self);
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
 *
 * Returns: whether it can be so; %FALSE where it was loaded before, and is not the same any more
 */
gboolean
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

  if (metrics_chunk_get_kept (gap) == METRICS_CHUNK_LOADED && at < self->n_folded)
    return refill (self, answer);
  if (at > MAX (self->n_folded, self->n_released) + MAX_PASSED)
    {
      fold (self, self->n_folded, at);
      self->n_folded = at;
    }

  /* Room for the rest of the gap as well; what is not needed is given back. */
  g_ptr_array_set_size (self->chunks, n_before + n_loaded + 1);
  behind = (MetricsChunk **) self->chunks->pdata + at + 1;
  memmove (behind + n_loaded + 1, behind, n_after * sizeof *behind);
  for (guint i = 0; i < n_loaded && first <= last; i++)
    {
      MetricsChunk *chunk = g_ptr_array_index (answer->chunks, i);

      if (!fits (chunk, first, last))
        continue;
      metrics_chunk_set_kept (chunk, METRICS_CHUNK_LOADED);
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
  return TRUE;
}
