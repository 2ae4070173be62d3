/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-line-reader.h"

#include <string.h>

/* What the buffer has while it is empty: enough for a few requests, little enough for thousands of clients.
 * To have none at all would take a thousand instructions a request, for the stream tells of each change. */
#define MIN_BUFFER 512
/* A client that sends without pause gets this much read at once. */
#define MAX_BUFFER 65536
/* From here on it pays to keep the buffer while the client goes on to send: another one lies elsewhere, in
 * memory that is not in the processor's cache. */
#define LARGE_BUFFER 16384

/* Nobody but the reader uses the stream, which has no cancellable either: so what is called is what the
 * stream does, without the tests around it that it is not used by two at once. They are a tenth of what a
 * small request takes. */

static gssize
fill_stream (GBufferedInputStream *input, GError **error)
{
  return G_BUFFERED_INPUT_STREAM_GET_CLASS (input)->fill (input, -1, NULL, error);
}

/* Of what is in the buffer. */
static void
skip_in_stream (GBufferedInputStream *input, gsize n_bytes)
{
  GInputStream *stream = (GInputStream *) input;

  G_INPUT_STREAM_GET_CLASS (stream)->skip (stream, n_bytes, NULL, NULL);
}

static void
set_size (MetricsLineReader *self, gsize size)
{
  g_buffered_input_stream_set_buffer_size (self->input, size);
  self->size = size;
}

/* Thousands of clients wait at the same time, few of them in the middle of something: those that once sent
 * much do not keep the memory for it. */
static void
shrink (MetricsLineReader *self)
{
  if (self->size > MIN_BUFFER && self->len < self->size / 4)
    set_size (self, MAX (2 * self->len, MIN_BUFFER));
}

/**
 * metrics_line_reader_init:
 * @self: (out caller-allocates): a reader
 * @base: a stream whose synchronous read does not block
 * @limit: how many bytes a line may have, its LF included
 */
void
metrics_line_reader_init (MetricsLineReader *self, GInputStream *base, gsize limit)
{
  GDataInputStream *input = g_data_input_stream_new (base);

  *self = (MetricsLineReader){
    .input = G_BUFFERED_INPUT_STREAM (input),
    .limit = limit,
    .next_size = MIN_BUFFER,
  };
  set_size (self, MIN_BUFFER);
}

/**
 * metrics_line_reader_set_limit:
 * @self: a reader whose lines have been taken
 * @limit: how many bytes a line may have from now on, its LF included
 *
 * A line that has begun and is longer already is dropped when more of it comes.
 */
void
metrics_line_reader_set_limit (MetricsLineReader *self, gsize limit)
{
  self->limit = limit;
}

/**
 * metrics_line_reader_clear:
 * @self: a reader, begun or all zero
 */
void
metrics_line_reader_clear (MetricsLineReader *self)
{
  g_clear_object (&self->input);
}

/**
 * metrics_line_reader_fill:
 * @self: a reader whose lines have been taken
 * @error: return location for a #GError
 *
 * Reads once. The buffer grows while it gets full, up to the limit of a line: left to itself, a
 * #GDataInputStream would let it grow for as long as no LF comes.
 *
 * Returns: how many bytes came, 0 at the end, -1 with an error (%G_IO_ERROR_WOULD_BLOCK where there is
 * nothing)
 */
gssize
metrics_line_reader_fill (MetricsLineReader *self, GError **error)
{
  const gsize max_size = MAX (self->limit, MAX_BUFFER);
  gssize n;

  if (self->size < self->next_size)
    set_size (self, self->next_size);

  g_assert (self->len < self->size);

  n = fill_stream (self->input, error);
  if (n <= 0)
    {
      shrink (self);
      return n;
    }
  self->len += n;
  self->is_fresh = TRUE;
  /* Who sends much at once mostly does so again, and so does who sends little. */
  if (self->len == self->size)
    self->next_size = MIN (2 * self->size, max_size);
  else if (self->len < self->size / 4)
    self->next_size = MAX (self->size / 2, MIN_BUFFER);
  return n;
}

/**
 * metrics_line_reader_begin:
 * @self: a reader
 *
 * Begins to take lines; they stay where they are until metrics_line_reader_end().
 */
void
metrics_line_reader_begin (MetricsLineReader *self)
{
  self->data = g_buffered_input_stream_peek_buffer (self->input, &self->len);
  self->used = 0;
}

/**
 * metrics_line_reader_end:
 * @self: a reader
 *
 * Lets go of the lines that were taken.
 */
void
metrics_line_reader_end (MetricsLineReader *self)
{
  if (self->used > 0)
    {
      skip_in_stream (self->input, self->used);
      self->len -= self->used;
      if (self->size < LARGE_BUFFER)
        shrink (self);
    }
  self->data = NULL;
  self->used = 0;
}

/**
 * metrics_line_reader_is_untidy:
 * @self: a reader
 *
 * Returns: whether it holds a large buffer with little in it: metrics_line_reader_tidy() is to be called in
 * the next round of the main loop
 */
gboolean
metrics_line_reader_is_untidy (const MetricsLineReader *self)
{
  return self->size >= LARGE_BUFFER && self->len < self->size / 4;
}

/**
 * metrics_line_reader_tidy:
 * @self: a reader
 *
 * Gives a large buffer back, unless something has come since it was last called.
 */
void
metrics_line_reader_tidy (MetricsLineReader *self)
{
  if (!self->is_fresh)
    shrink (self);
  self->is_fresh = FALSE;
}

/* The last bytes of what is dropped, however it was cut into pieces. */
static void
remember_tail (MetricsLineReader *self, const char *bytes, gsize len)
{
  gsize kept;

  if (len >= sizeof self->tail)
    {
      memcpy (self->tail, bytes + len - sizeof self->tail, sizeof self->tail);
      self->tail_len = sizeof self->tail;
      return;
    }
  kept = MIN (self->tail_len, sizeof self->tail - len);
  memmove (self->tail, self->tail + self->tail_len - kept, kept);
  memcpy (self->tail + kept, bytes, len);
  self->tail_len = kept + len;
}

static MetricsLineState
skip (MetricsLineReader *self, const char **line, gsize *len)
{
  const char *start = self->data + self->used;
  gsize left = self->len - self->used;
  const char *lf = left > 0 ? memchr (start, '\n', left) : NULL;
  gsize dropped = lf != NULL ? (gsize) (lf - start) : left;

  remember_tail (self, start, dropped);
  self->used += dropped;
  if (lf == NULL)
    return METRICS_LINE_NONE;

  self->used++;
  self->skipping = FALSE;
  *line = self->tail;
  *len = self->tail_len;
  return METRICS_LINE_SKIPPED;
}

/**
 * metrics_line_reader_take_other:
 * @self: a reader
 * @line: (out) (transfer none): the line, or the last bytes of the line that was skipped
 * @len: (out): its length in bytes, without the LF
 *
 * As metrics_line_reader_take(), where there is no whole line, or a line that is too long.
 *
 * Returns: what there was
 */
MetricsLineState
metrics_line_reader_take_other (MetricsLineReader *self, const char **line, gsize *len)
{
  gsize left = self->len - self->used;

  if (self->skipping)
    return skip (self, line, len);

  if (left >= self->limit)
    {
      self->scanned = 0;
      self->skipping = TRUE;
      self->tail_len = 0;
      return METRICS_LINE_TOO_LONG;
    }
  self->scanned = left;
  return METRICS_LINE_NONE;
}

/**
 * metrics_line_reader_is_inside_line:
 * @self: a reader of which the last line was taken
 *
 * Returns: whether the beginning of a line is there and its end is not
 */
gboolean
metrics_line_reader_is_inside_line (const MetricsLineReader *self)
{
  return self->scanned > 0 || self->skipping;
}
