/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-reader.h"

#include "common/metrics-key.h"
#include "common/metrics-number.h"
#include "common/metrics-tokens.h"

#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>
#include <string.h>

/* What a read asks for. A line that is as long as may be, and its LF, must fit in as well. */
#define READ_SIZE (256 * 1024)
#define BUFFER_SIZE (READ_SIZE + METRICS_CTL_LINE_MAX + 1)

struct _MetricsCtlReader
{
  int fd;               /* not closed here */
  GInputStream *stream; /* (owned): the same, which can be cancelled while it waits */
  char *buffer;         /* (owned) (array length=BUFFER_SIZE) */
  gsize start;          /* offset of the first byte that was not given out */
  gsize end;            /* offset behind the last byte that was read */
  gboolean ended;       /* whether the input has ended */
  gboolean skipping;    /* whether the rest of a line that is too long comes next */
  guint64 line_number;  /* of the line last given out, from 1 */
  guint64 n_bytes;      /* how many were read */
};

/**
 * metrics_ctl_reader_new:
 * @fd: a file descriptor; stays the caller's
 *
 * Returns: (transfer full): a reader at the first line
 */
MetricsCtlReader *
metrics_ctl_reader_new (int fd)
{
  MetricsCtlReader *self = g_new0 (MetricsCtlReader, 1);

  self->fd = fd;
  self->stream = g_unix_input_stream_new (fd, FALSE);
  self->buffer = g_malloc (BUFFER_SIZE);
  return self;
}

/**
 * metrics_ctl_reader_free:
 * @self: (transfer full) (nullable): a reader
 */
void
metrics_ctl_reader_free (MetricsCtlReader *self)
{
  if (self == NULL)
    return;
  g_object_unref (self->stream);
  g_free (self->buffer);
  g_free (self);
}

/* No LF in sight: a last line without one counts at the end of the input, a line too long is told of once. */
static MetricsCtlRead
handle_rest (MetricsCtlReader *self, char **line, gsize *len)
{
  gsize n_bytes = self->end - self->start;

  if (self->skipping || n_bytes > METRICS_CTL_LINE_MAX)
    {
      gboolean first = !self->skipping;

      self->start = self->end;
      self->skipping = TRUE;
      if (!first)
        return METRICS_CTL_READ_MORE;
      self->line_number++;
      return METRICS_CTL_READ_TOO_LONG;
    }
  if (!self->ended || n_bytes == 0)
    return METRICS_CTL_READ_MORE;

  *line = self->buffer + self->start;
  *len = n_bytes;
  self->start = self->end;
  self->line_number++;
  return METRICS_CTL_READ_LINE;
}

/**
 * metrics_ctl_reader_next:
 * @self: a reader
 * @line: (out): the next line without its LF; it may be written to, and stays until the next fill
 * @len: (out): its length in bytes
 *
 * Takes the next line out of what was read.
 *
 * Returns: what was found; @line and @len are set for %METRICS_CTL_READ_LINE only
 */
MetricsCtlRead
metrics_ctl_reader_next (MetricsCtlReader *self, char **line, gsize *len)
{
  while (TRUE)
    {
      char *start = self->buffer + self->start;
      char *lf = memchr (start, '\n', self->end - self->start);

      if (lf == NULL)
        return handle_rest (self, line, len);
      self->start = lf + 1 - self->buffer;
      if (self->skipping)
        {
          self->skipping = FALSE;
          continue;
        }
      self->line_number++;
      if (lf - start > METRICS_CTL_LINE_MAX)
        return METRICS_CTL_READ_TOO_LONG;
      *line = start;
      *len = lf - start;
      return METRICS_CTL_READ_LINE;
    }
}

/**
 * metrics_ctl_reader_is_ready:
 * @self: a reader
 *
 * Returns: whether metrics_ctl_reader_fill() would return at once
 */
gboolean
metrics_ctl_reader_is_ready (MetricsCtlReader *self)
{
  GPollFD poll_fd = { .fd = self->fd, .events = G_IO_IN };

  return self->ended || g_poll (&poll_fd, 1, 0) > 0;
}

/**
 * metrics_ctl_reader_fill:
 * @self: a reader
 * @cancellable: (nullable): ends the wait
 * @error: return location for a #GError
 *
 * Reads once, after metrics_ctl_reader_next() has said that it needs more.
 *
 * Returns: how many bytes were read; 0 at the end of the input, after which a last line may still be there;
 * -1 with an error of %G_IO_ERROR
 */
gssize
metrics_ctl_reader_fill (MetricsCtlReader *self, GCancellable *cancellable, GError **error)
{
  gssize n;

  memmove (self->buffer, self->buffer + self->start, self->end - self->start);
  self->end -= self->start;
  self->start = 0;
  n = g_input_stream_read (self->stream, self->buffer + self->end, READ_SIZE, cancellable, error);
  if (n > 0)
    {
      self->end += n;
      self->n_bytes += n;
    }
  self->ended = n == 0;
  return n;
}

/**
 * metrics_ctl_reader_get_line_number:
 * @self: a reader
 *
 * Returns: the number of the line that was given out last, from 1; 0 before the first
 */
guint64
metrics_ctl_reader_get_line_number (MetricsCtlReader *self)
{
  return self->line_number;
}

/**
 * metrics_ctl_reader_get_n_bytes:
 * @self: a reader
 *
 * Returns: how many bytes were read so far
 */
guint64
metrics_ctl_reader_get_n_bytes (MetricsCtlReader *self)
{
  return self->n_bytes;
}

/**
 * metrics_ctl_read_point:
 * @line: (array length=len): a line without its LF; a NUL is put behind its key
 * @len: its length in bytes
 * @point: (out): what it says; its key lies in @line
 *
 * Reads `key value timestamp`. A blank line, and one that begins with `#`, says nothing: @point then has no
 * key. A key may begin with `#` too: with a blank in front of it, it is one.
 *
 * Returns: (nullable): what is bad about the line, marked with N_(); %NULL where it is good
 */
const char *
metrics_ctl_read_point (char *line, gsize len, MetricsCtlPoint *point)
{
  MetricsToken words[3];
  guint n_words = metrics_tokens_split (line, len, words, G_N_ELEMENTS (words));

  point->key = NULL;
  if (n_words == 0 || line[0] == '#')
    return NULL;
  if (n_words != G_N_ELEMENTS (words))
    return N_ ("not 'key value timestamp'");
  if (!metrics_key_is_valid (words[0].text, words[0].len))
    return N_ ("not a key");
  if (!metrics_number_parse_double (words[1].text, words[1].len, &point->value))
    return N_ ("not a value");
  if (!metrics_number_parse_int64 (words[2].text, words[2].len, &point->timestamp))
    return N_ ("not a timestamp");

  /* A blank stands behind the key, for two more words follow. */
  line[words[0].text + words[0].len - line] = '\0';
  point->key = words[0].text;
  return NULL;
}
