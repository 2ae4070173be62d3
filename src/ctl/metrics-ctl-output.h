/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes on their way to a file descriptor. The first error is kept, and what is appended after it is dropped.
 */
typedef struct _MetricsCtlOutput MetricsCtlOutput;

MetricsCtlOutput *metrics_ctl_output_new (int fd);
void metrics_ctl_output_free (MetricsCtlOutput *self);

gboolean metrics_ctl_output_append (MetricsCtlOutput *self, const char *bytes, gsize n_bytes);
gboolean metrics_ctl_output_append_row (MetricsCtlOutput *self,
                                        const char *key,
                                        double value,
                                        gint64 timestamp);
gboolean metrics_ctl_output_printf (MetricsCtlOutput *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean metrics_ctl_output_flush (MetricsCtlOutput *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlOutput, metrics_ctl_output_free)

G_END_DECLS
