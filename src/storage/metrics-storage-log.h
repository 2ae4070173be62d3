/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

void metrics_storage_log_damaged (const char *path);
void metrics_storage_log_unread (const char *path, const GError *error);
void metrics_storage_log_unwritten (const char *path, const char *reason);
void metrics_storage_log_resumed (const char *path);
void metrics_storage_log_slow (const char *path);
void metrics_storage_log_tight (guint64 n_series, guint64 needed);

G_END_DECLS
