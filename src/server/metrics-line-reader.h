/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <string.h>

G_BEGIN_DECLS

/* As many bytes as tell an HTTP request line, and its CR. */
#define METRICS_LINE_READER_TAIL 10

/**
 * MetricsLineReader:
 *
 * Takes lines out of the buffer of a #GDataInputStream, in place. Its fields are its own; it lives inside the
 * object that reads.
 */
typedef struct
{
  GBufferedInputStream *input; /* (owned) */
  gsize limit;                 /* bytes of a line, its LF included */
  gsize size;                  /* of the stream's buffer */
  gsize next_size;             /* what it is to be when something comes again */
  gboolean is_fresh;           /* whether something came since metrics_line_reader_tidy() */

  /* What the stream's buffer holds; the bytes only while lines are being taken. */
  const char *data; /* (unowned) (nullable) */
  gsize len;
  gsize used;

  gsize scanned;                       /* how many bytes of the unfinished line are known to hold no LF */
  gboolean skipping;                   /* whether the line was too long, and its rest is dropped */
  char tail[METRICS_LINE_READER_TAIL]; /* the last bytes that were dropped */
  gsize tail_len;
} MetricsLineReader;

typedef enum
{
  METRICS_LINE,          /* a line */
  METRICS_LINE_NONE,     /* there is no whole line */
  METRICS_LINE_TOO_LONG, /* a line is too long; from here on it is dropped */
  METRICS_LINE_SKIPPED,  /* the end of a line that was too long: its last bytes */
} MetricsLineState;

void metrics_line_reader_init (MetricsLineReader *self, GInputStream *base, gsize limit);
void metrics_line_reader_set_limit (MetricsLineReader *self, gsize limit);
void metrics_line_reader_clear (MetricsLineReader *self);

gssize metrics_line_reader_fill (MetricsLineReader *self, GError **error);

void metrics_line_reader_begin (MetricsLineReader *self);
MetricsLineState metrics_line_reader_take_other (MetricsLineReader *self, const char **line, gsize *len);
void metrics_line_reader_end (MetricsLineReader *self);

gboolean metrics_line_reader_is_untidy (const MetricsLineReader *self);
void metrics_line_reader_tidy (MetricsLineReader *self);

gboolean metrics_line_reader_is_inside_line (const MetricsLineReader *self);

/**
 * metrics_line_reader_take:
 * @self: a reader, between metrics_line_reader_begin() and metrics_line_reader_end()
 * @line: (out) (transfer none): the line, or the last bytes of the line that was skipped
 * @len: (out): its length in bytes, without the LF
 *
 * Inline, for there are millions of lines.
 *
 * Returns: what there was
 */
static inline MetricsLineState
metrics_line_reader_take (MetricsLineReader *self, const char **line, gsize *len)
{
  const char *start = self->data + self->used;
  gsize left = self->len - self->used;

  if (G_LIKELY (!self->skipping && left > self->scanned))
    {
      const char *lf = memchr (start + self->scanned, '\n', left - self->scanned);

      if (G_LIKELY (lf != NULL && (gsize) (lf - start) < self->limit))
        {
          *line = start;
          *len = lf - start;
          self->used += *len + 1;
          self->scanned = 0;
          return METRICS_LINE;
        }
    }
  return metrics_line_reader_take_other (self, line, len);
}

G_END_DECLS
