/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Knows for each file what was synced and what was done since, so that it can say what a loss of power might
 * leave. */

typedef void (*PowerFunc) (guint n, gpointer user_data);

void power_vfs_install (void);
void power_vfs_record (const char *folder, PowerFunc func, gpointer user_data);
guint power_vfs_stop (void);
void power_vfs_lose (GRand *random, const char *target);

G_END_DECLS
