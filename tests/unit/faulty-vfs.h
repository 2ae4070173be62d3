/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes SQLite's calls to the system fail: the Nth write, sync, truncation or open, or all from there on. */

void faulty_vfs_install (void);
void faulty_vfs_fail_at (gint n, gboolean all_following);
gint faulty_vfs_stop (void);

G_END_DECLS
