/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes SQLite's calls to the system fail: the Nth one, or all from there on; or as if the disk were full. */

typedef enum
{
  FAULTY_WRITES = 1 << 0, /* writes, syncs, truncations, and opening */
  FAULTY_READS = 1 << 1,  /* reads, locks, shared memory, and deletions */
  FAULTY_ALL = FAULTY_WRITES | FAULTY_READS,
} FaultyKinds;

void faulty_vfs_install (void);
void faulty_vfs_fail_at (FaultyKinds kinds, gint n, gboolean all_following);
void faulty_vfs_fill (const char *reserve);
gint faulty_vfs_stop (void);

G_END_DECLS
