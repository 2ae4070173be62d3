/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-chunks.h"

/* Takes the chunks of a body apart, RFC 9112, 7.1, as strictly as the head is read. */

/* More than any limit of a body. */
#define MAX_DIGITS 8
/* Of what stands behind the size of a chunk, and of all that stands behind the last one. */
#define MAX_EXTENSION 256
#define MAX_TRAILER 8192

enum
{
  STEP_SIZE,
  STEP_EXTENSION,
  STEP_SIZE_LF,
  STEP_DATA,
  STEP_DATA_CR,
  STEP_DATA_LF,
  STEP_TRAILER_START, /* of a line of the trailer */
  STEP_TRAILER,
  STEP_TRAILER_LF,
  STEP_END_LF,
  STEP_END,
};

static gboolean
read_size (MetricsHttpChunks *self, char c)
{
  if (g_ascii_isxdigit (c))
    {
      self->left = self->left * 16 + g_ascii_xdigit_value (c);
      return ++self->n_digits <= MAX_DIGITS;
    }
  if (self->n_digits == 0)
    return FALSE;
  self->n_extra = 0;
  self->step = c == '\r' ? STEP_SIZE_LF : STEP_EXTENSION;
  return c == '\r' || c == ';' || c == ' ' || c == '\t';
}

/* What means nothing: an extension, or a line of the trailer. */
static gboolean
skip (MetricsHttpChunks *self, char c, guint next, guint max)
{
  if (c == '\r')
    self->step = next;
  return ++self->n_extra <= max && c != '\n' && c != '\0';
}

static gboolean
expect (MetricsHttpChunks *self, char c, char wanted, guint next)
{
  self->step = next;
  return c == wanted;
}

static gboolean
end_size (MetricsHttpChunks *self, char c)
{
  self->step = self->left > 0 ? STEP_DATA : STEP_TRAILER_START;
  self->n_extra = 0;
  return c == '\n';
}

static gboolean
read_char (MetricsHttpChunks *self, char c)
{
  switch (self->step)
    {
    case STEP_SIZE:
      return read_size (self, c);
    case STEP_EXTENSION:
      return skip (self, c, STEP_SIZE_LF, MAX_EXTENSION);
    case STEP_SIZE_LF:
      return end_size (self, c);
    case STEP_DATA_CR:
      return expect (self, c, '\r', STEP_DATA_LF);
    case STEP_DATA_LF:
      self->n_digits = 0;
      return expect (self, c, '\n', STEP_SIZE);
    case STEP_TRAILER_START:
      self->step = c == '\r' ? STEP_END_LF : STEP_TRAILER;
      return c == '\r' || skip (self, c, STEP_TRAILER_LF, MAX_TRAILER);
    case STEP_TRAILER:
      return skip (self, c, STEP_TRAILER_LF, MAX_TRAILER);
    case STEP_TRAILER_LF:
      return expect (self, c, '\n', STEP_TRAILER_START);
    case STEP_END_LF:
      return expect (self, c, '\n', STEP_END);
    default:
      g_assert_not_reached ();
    }
}

/**
 * metrics_http_chunks_read:
 * @self: chunks
 * @data: what comes next
 * @len: (inout): how many bytes that is; how many of them were read
 * @body: where what is in the chunks is appended to
 * @limit: bytes that the body may have
 *
 * Reads on.
 *
 * Returns: how far it is; behind the end nothing is read
 */
MetricsHttpChunksState
metrics_http_chunks_read (MetricsHttpChunks *self,
                          const char *data,
                          gsize *len,
                          GByteArray *body,
                          gsize limit)
{
  gsize n = *len;

  for (gsize i = 0; i < n;)
    {
      if (self->step == STEP_DATA)
        {
          gsize piece = MIN (self->left, n - i);

          g_byte_array_append (body, (const guint8 *) data + i, piece);
          self->left -= piece;
          i += piece;
          if (self->left == 0)
            self->step = STEP_DATA_CR;
          continue;
        }
      if (!read_char (self, data[i++]))
        return METRICS_HTTP_CHUNKS_BAD;
      /* Said as soon as it is known, not when it has come. */
      if (self->step == STEP_DATA && self->left > limit - MIN (limit, body->len))
        return METRICS_HTTP_CHUNKS_LARGE;
      if (self->step == STEP_END)
        {
          *len = i;
          return METRICS_HTTP_CHUNKS_END;
        }
    }
  return METRICS_HTTP_CHUNKS_MORE;
}
