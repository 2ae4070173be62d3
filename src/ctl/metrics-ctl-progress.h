/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A line on standard error that says how far something has come; nothing at all where that is no terminal. */
typedef struct _MetricsCtlProgress MetricsCtlProgress;

MetricsCtlProgress *metrics_ctl_progress_new (guint64 total);
void metrics_ctl_progress_free (MetricsCtlProgress *self);

void metrics_ctl_progress_update (MetricsCtlProgress *self, guint64 done, guint64 n_points);
void metrics_ctl_progress_hide (MetricsCtlProgress *self);
double metrics_ctl_progress_get_seconds (MetricsCtlProgress *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlProgress, metrics_ctl_progress_free)

G_END_DECLS
