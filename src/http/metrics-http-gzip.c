/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-gzip.h"

#include <zlib.h>

/* Answers that are made piece by piece, as gzip. */

/* How far back it looks, as a power of two, and what it needs for it: 40 KiB in all, where the most that zlib
 * takes is 256. Of numbers in text it loses a twentieth by that. */
#define WINDOW_BITS 12
#define MEMORY_LEVEL 5
#define WITH_GZIP_HEAD 16
/* So many at once: who comes then gets the answer as it is. */
#define MAX_STREAMS 128
#define PIECE 16384

struct _MetricsHttpGzip
{
  z_stream stream;
};

static guint n_streams;

/**
 * metrics_http_gzip_new:
 *
 * Returns: (transfer full) (nullable): what has compressed nothing yet, or %NULL where there are too many
 */
MetricsHttpGzip *
metrics_http_gzip_new (void)
{
  MetricsHttpGzip *self;

  if (n_streams == MAX_STREAMS)
    return NULL;
  self = g_new0 (MetricsHttpGzip, 1);
  if (deflateInit2 (&self->stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS + WITH_GZIP_HEAD, MEMORY_LEVEL,
                    Z_DEFAULT_STRATEGY)
      != Z_OK)
    {
      g_free (self);
      return NULL;
    }
  n_streams++;
  return self;
}

/**
 * metrics_http_gzip_free:
 * @self: (transfer full) (nullable): it
 */
void
metrics_http_gzip_free (MetricsHttpGzip *self)
{
  if (self == NULL)
    return;
  deflateEnd (&self->stream);
  g_free (self);
  n_streams--;
}

/**
 * metrics_http_gzip_write:
 * @self: it
 * @data: what comes next
 * @len: how many bytes that is
 * @is_end: whether it is the last
 * @out: what has come out is appended to it; it may be nothing before the end
 */
void
metrics_http_gzip_write (MetricsHttpGzip *self, const char *data, gsize len, gboolean is_end, GString *out)
{
  Bytef piece[PIECE];

  self->stream.next_in = (Bytef *) data;
  self->stream.avail_in = len;
  do
    {
      self->stream.next_out = piece;
      self->stream.avail_out = sizeof piece;
      deflate (&self->stream, is_end ? Z_FINISH : Z_NO_FLUSH);
      g_string_append_len (out, (const char *) piece, sizeof piece - self->stream.avail_out);
    }
  while (self->stream.avail_out == 0);
}

/**
 * metrics_http_gzip_bytes:
 * @bytes: something that does not change
 *
 * Compresses as well as can be, whatever time that takes: once, for all who ask.
 *
 * Returns: (transfer full) (nullable): it, or %NULL where it gets no smaller
 */
GBytes *
metrics_http_gzip_bytes (GBytes *bytes)
{
  gsize size = g_bytes_get_size (bytes), room;
  z_stream stream = { 0 };
  g_autofree Bytef *packed = NULL;

  if (deflateInit2 (&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + WITH_GZIP_HEAD, 8,
                    Z_DEFAULT_STRATEGY)
      != Z_OK)
    return NULL;
  room = deflateBound (&stream, size);
  packed = g_malloc (room);
  stream.next_in = (Bytef *) g_bytes_get_data (bytes, NULL);
  stream.avail_in = size;
  stream.next_out = packed;
  stream.avail_out = room;
  deflate (&stream, Z_FINISH);
  room = stream.total_out;
  deflateEnd (&stream);
  return room < size ? g_bytes_new (packed, room) : NULL;
}
