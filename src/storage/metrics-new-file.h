/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A database that appears under its name when it is complete. */
typedef struct _MetricsNewFile MetricsNewFile;

MetricsNewFile *metrics_new_file_begin (const char *path, GError **error);
const char *metrics_new_file_get_path (MetricsNewFile *self);
gboolean metrics_new_file_finish (MetricsNewFile *self, GError **error);
void metrics_new_file_free (MetricsNewFile *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsNewFile, metrics_new_file_free)

G_END_DECLS
