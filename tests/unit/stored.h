/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-storage.h"

G_BEGIN_DECLS

/* A store that lasts in a folder. */
typedef struct
{
  MetricsStore *store;     /* (owned) */
  MetricsStorage *storage; /* (owned) */
} Stored;

Stored *stored_open (const char *folder, MetricsDurability durability, GError **error);
Stored *stored_open_limited (const char *folder,
                             MetricsDurability durability,
                             guint64 memory_limit,
                             GError **error);
void stored_close (Stored *self);
gboolean stored_try_close (Stored *self, GError **error);

void stored_change (Stored *self, GRand *random, guint n);
void stored_try_change (Stored *self, GRand *random, guint n);
void stored_await_kept (Stored *self);
char *stored_try_describe (Stored *self);
char *stored_describe (Stored *self);
char *stored_describe_copy (const char *folder);

char *folder_new (void);
void folder_free (char *folder);
void folder_copy (const char *from, const char *to);
void folder_execute (const char *folder, const char *sql);
void folder_check (const char *folder);
gint64 folder_query (const char *folder, const char *sql);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Stored, stored_close)

G_END_DECLS
