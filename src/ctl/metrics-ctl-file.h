/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file that is written under another name and gets its own when it is complete. */
typedef struct _MetricsCtlFile MetricsCtlFile;

MetricsCtlFile *metrics_ctl_file_new (const char *path, GError **error);
void metrics_ctl_file_free (MetricsCtlFile *self);

int metrics_ctl_file_get_fd (MetricsCtlFile *self);
gboolean metrics_ctl_file_commit (MetricsCtlFile *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlFile, metrics_ctl_file_free)

G_END_DECLS
