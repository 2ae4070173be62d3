/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean metrics_folder_ensure (const char *folder, GError **error);
gboolean metrics_folder_ensure_file (const char *path, GError **error);
guint64 metrics_folder_get_size (const char *path);

G_END_DECLS
