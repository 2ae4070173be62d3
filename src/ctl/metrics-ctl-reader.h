/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The longest line that is read; the server's own limit is the same where nobody changed it. */
#define METRICS_CTL_LINE_MAX 65536

/**
 * MetricsCtlRead:
 * @METRICS_CTL_READ_LINE: a line
 * @METRICS_CTL_READ_TOO_LONG: a line longer than %METRICS_CTL_LINE_MAX, which is passed over
 * @METRICS_CTL_READ_MORE: no whole line is there; metrics_ctl_reader_fill() gets more
 *
 * What metrics_ctl_reader_next() found.
 */
typedef enum
{
  METRICS_CTL_READ_LINE,
  METRICS_CTL_READ_TOO_LONG,
  METRICS_CTL_READ_MORE,
} MetricsCtlRead;

/**
 * MetricsCtlPoint:
 * @key: (unowned): the key, in the line itself
 * @value: the value
 * @timestamp: the time
 *
 * What a line says.
 */
typedef struct
{
  const char *key;
  double value;
  gint64 timestamp;
} MetricsCtlPoint;

/* The lines of a file or a pipe, taken out of its buffer without a copy. */
typedef struct _MetricsCtlReader MetricsCtlReader;

MetricsCtlReader *metrics_ctl_reader_new (int fd);
void metrics_ctl_reader_free (MetricsCtlReader *self);

MetricsCtlRead metrics_ctl_reader_next (MetricsCtlReader *self, char **line, gsize *len);
gboolean metrics_ctl_reader_is_ready (MetricsCtlReader *self);
gssize metrics_ctl_reader_fill (MetricsCtlReader *self, GCancellable *cancellable, GError **error);
guint64 metrics_ctl_reader_get_line_number (MetricsCtlReader *self);
guint64 metrics_ctl_reader_get_n_bytes (MetricsCtlReader *self);

const char *metrics_ctl_read_point (char *line, gsize len, MetricsCtlPoint *point);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlReader, metrics_ctl_reader_free)

G_END_DECLS
