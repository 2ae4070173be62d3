/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <sqlite3.h>

G_BEGIN_DECLS

char *metrics_source_build_path (const char *folder);
sqlite3 *metrics_source_open (const char *folder, GError **error);
gboolean metrics_source_refuse (const char *path, GError **error);
gboolean metrics_source_fail (sqlite3 *handle, const char *path, int code, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3, sqlite3_close)

G_END_DECLS
