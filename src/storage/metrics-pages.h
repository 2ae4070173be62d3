/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The largest page that SQLite has, and the one that it makes if nobody asks for another. */
#define METRICS_PAGES_MAX_SIZE 65536
#define METRICS_PAGES_DEFAULT_SIZE 4096

/* The pages of a database file and of its write-ahead log, read without SQLite. */
typedef struct _MetricsPages MetricsPages;

MetricsPages *metrics_pages_open (const char *path, guint page_size, GError **error);
void metrics_pages_free (MetricsPages *self);
guint metrics_pages_get_size (MetricsPages *self);
guint metrics_pages_get_n (MetricsPages *self);
guint metrics_pages_get_n_missing (MetricsPages *self);
guint metrics_pages_get_n_strays (MetricsPages *self);
gboolean metrics_pages_read (MetricsPages *self, guint number, guint8 *data);

/* Numbers in SQLite's files have their highest byte first. */
static inline guint
metrics_pages_get_16 (const guint8 *data)
{
  return (guint) data[0] << 8 | data[1];
}

static inline guint32
metrics_pages_get_32 (const guint8 *data)
{
  return (guint32) metrics_pages_get_16 (data) << 16 | metrics_pages_get_16 (data + 2);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsPages, metrics_pages_free)

G_END_DECLS
