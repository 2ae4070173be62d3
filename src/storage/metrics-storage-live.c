/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-storage-private.h"

/* What of a storage can change while it is open. */

/* How many bytes of changes may wait to be written, an eighth of the memory that the store may have, within
 * these, before who makes more has to wait with them. */
#define FEW_PENDING (1 << 20)
#define MANY_PENDING (16 << 20)

/**
 * metrics_storage_set_limits:
 * @self: a storage with a store
 *
 * Takes its limits from that of the store.
 */
void
metrics_storage_set_limits (MetricsStorage *self)
{
  guint64 limit;

  g_object_get (self->store, "memory-limit", &limit, NULL);
  self->many_pending = CLAMP (limit / 8, FEW_PENDING, MANY_PENDING);
  self->memory_high = limit - limit / 8;
  self->memory_target = limit - limit / 4;
}

/**
 * metrics_storage_fit:
 * @self: a storage with a writer
 *
 * Has chunks leave memory where there are too many: those that are on disk as soon as the main loop runs, the
 * others after a checkpoint, which is asked for.
 */
void
metrics_storage_fit (MetricsStorage *self)
{
  if (metrics_store_get_memory (self->store) <= self->memory_high)
    return;
  self->evicting = TRUE;
  metrics_writer_press (self->writer);
}

/**
 * metrics_storage_update:
 * @self: a storage
 * @durability: when changes are written from now on
 *
 * Says that the limits of its store have changed, or when changes are to be written. What waits is written
 * when the new durability says so; replies that wait for it already go on to do that.
 */
void
metrics_storage_update (MetricsStorage *self, MetricsDurability durability)
{
  g_return_if_fail (METRICS_IS_STORAGE (self));

  if (self->writer == NULL)
    return;
  if (self->durability != durability)
    metrics_writer_set_durability (self->writer, durability);
  self->durability = durability;
  metrics_storage_set_limits (self);
  self->is_tight = FALSE;
  metrics_storage_fit (self);
  g_source_set_ready_time (self->notice, 0);
}

/**
 * metrics_storage_get_trouble:
 * @self: a storage
 *
 * Returns: (transfer none) (nullable): why nothing can be written now, one line of English; %NULL where it
 * can
 */
const char *
metrics_storage_get_trouble (MetricsStorage *self)
{
  g_return_val_if_fail (METRICS_IS_STORAGE (self), NULL);

  return self->reason;
}
