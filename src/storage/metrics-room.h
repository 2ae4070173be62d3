/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-checkpoint.h"

G_BEGIN_DECLS

/**
 * MetricsPositions:
 * @first: the position of the first change
 * @last: the position of the last one
 *
 * Changes that came one after the other.
 */
typedef struct
{
  guint64 first;
  guint64 last;
} MetricsPositions;

/**
 * MetricsRoomState:
 * @METRICS_ROOM_DONE: the checkpoint is at its end
 * @METRICS_ROOM_ASKING: the store has to be asked
 * @METRICS_ROOM_FAILED: it cannot go on
 *
 * How far a checkpoint came.
 */
typedef enum
{
  METRICS_ROOM_DONE,
  METRICS_ROOM_ASKING,
  METRICS_ROOM_FAILED,
} MetricsRoomState;

typedef struct _MetricsRoom MetricsRoom;

MetricsRoom *metrics_room_new (const char *folder);
void metrics_room_free (MetricsRoom *self);

gboolean metrics_room_flush (MetricsDatabase *database);
MetricsLogBatch *metrics_room_take_removals (MetricsRoom *self, GQueue *batches, GArray *positions);
gboolean metrics_room_save (MetricsRoom *self,
                            MetricsDatabase *database,
                            guint64 log_id,
                            const MetricsLogBatch *removals,
                            guint64 *n_bytes);
void metrics_room_begin (MetricsRoom *self);
MetricsRoomState metrics_room_advance (MetricsRoom *self,
                                       MetricsCheckpoint *checkpoint,
                                       MetricsDatabase *database,
                                       GArray *confirmed);
void metrics_room_end (MetricsRoom *self);

G_END_DECLS
