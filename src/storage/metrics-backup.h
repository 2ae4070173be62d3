/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-watch.h"

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean metrics_backup_write (const char *folder,
                               const char *path,
                               const MetricsWatch *watch,
                               GError **error);

G_END_DECLS
