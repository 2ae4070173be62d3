/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <metrics-glib/metrics-glib.h>

G_BEGIN_DECLS

/* How many points a piece has room for: enough that the wait for its last answer does not count, few enough
 * that the user sees progress and memory stays small. */
#define METRICS_CTL_PIECE_SIZE 20000

/**
 * MetricsCtlPiece:
 * @batch: (owned): the points
 * @line_numbers: (owned) (array length=METRICS_CTL_PIECE_SIZE): for each point of @batch, the line it stood
 * in
 * @n_accepted: once sent: how many of the points the server acknowledged
 * @error: (owned) (nullable): once sent: why not all
 *
 * A part of an import. It belongs to one thread at a time.
 */
typedef struct
{
  MetricsBatch *batch;
  guint64 *line_numbers;
  guint n_accepted;
  GError *error;
} MetricsCtlPiece;

MetricsCtlPiece *metrics_ctl_piece_new (void);
void metrics_ctl_piece_free (MetricsCtlPiece *self);
void metrics_ctl_piece_clear (MetricsCtlPiece *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlPiece, metrics_ctl_piece_free)

/* A thread that puts one piece after the other, while the next one is read. */
typedef struct _MetricsCtlSender MetricsCtlSender;

MetricsCtlSender *metrics_ctl_sender_new (MetricsClient *client, GCancellable *cancellable);
void metrics_ctl_sender_free (MetricsCtlSender *self);

void metrics_ctl_sender_push (MetricsCtlSender *self, MetricsCtlPiece *piece);
MetricsCtlPiece *metrics_ctl_sender_pop (MetricsCtlSender *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlSender, metrics_ctl_sender_free)

guint metrics_ctl_count_answered (MetricsBatch *batch);

G_END_DECLS
