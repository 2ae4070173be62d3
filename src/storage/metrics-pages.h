/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-wal.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The pages of a database file and of its write-ahead log, read without SQLite. */
typedef struct _MetricsPages MetricsPages;

MetricsPages *metrics_pages_open (const char *path, guint page_size, GError **error);
void metrics_pages_free (MetricsPages *self);
guint metrics_pages_get_size (MetricsPages *self);
guint metrics_pages_get_n (MetricsPages *self);
guint metrics_pages_get_n_missing (MetricsPages *self);
guint metrics_pages_get_n_strays (MetricsPages *self);
gboolean metrics_pages_read (MetricsPages *self, guint number, guint8 *data);
gboolean metrics_pages_read_rest (MetricsPages *self, guint *number, guint8 *data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsPages, metrics_pages_free)

G_END_DECLS
