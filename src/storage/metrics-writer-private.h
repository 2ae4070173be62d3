/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "storage/metrics-checkpoint.h"
#include "storage/metrics-room.h"
#include "storage/metrics-writer.h"

G_BEGIN_DECLS

/* How long changes wait for a commit. */
#define METRICS_WRITER_INTERVAL (1 * G_TIME_SPAN_SECOND)
#define METRICS_WRITER_INTERVAL_OF_NONE (10 * G_TIME_SPAN_SECOND)

struct _MetricsWriter
{
  GSource *notice; /* (unowned): made ready when there is news or a question for the main thread */
  GThread *thread; /* (owned) */

  GMutex mutex; /* guards what follows up to the next comment */
  MetricsDurability durability;
  GCond wake;                /* for the thread */
  GCond told;                /* for metrics_writer_stop() */
  GQueue closed;             /* (owned) (element-type MetricsLogBatch): the oldest first */
  MetricsLogBatch *open;     /* (owned) (nullable): what changes are appended to */
  guint64 pending;           /* bytes of both, and of those that are being written */
  gint64 oldest;             /* when the first of them came, where there are any */
  gint64 wake_at;            /* until when the thread sleeps; 0 while it does not */
  MetricsCheckpoint *asking; /* (unowned) (nullable): what waits for the main thread */
  guint64 newest;            /* the position of the newest change */
  gboolean pressed;          /* whether a checkpoint is wanted as soon as can be */
  guint64 pressed_at;        /* up to which position it is to have all changes */
  GHashTable *touches;       /* (owned): spans for the next checkpoint, besides those of the log */
  GArray *confirmed;         /* (owned) (element-type MetricsConfirmed): what the store has yet to be told */
  gboolean settled;          /* whether a checkpoint has ended, which the store has yet to be told */
  guint64 settled_at;        /* up to which position it has all changes */
  gboolean stopping;
  gboolean stopped;
  MetricsWriterNews news;
  MetricsStorageFigures figures;

  /* The thread's own. */
  MetricsDatabase *database;     /* (owned) */
  gboolean is_synchronous;       /* whether a commit is to wait for the disk: as it was when the step began */
  GHashTable *touched;           /* (owned): what the rows changed that no checkpoint has taken yet */
  guint64 last_log;              /* the number of the last row */
  guint64 log_bytes;             /* how many bytes the rows have */
  guint64 max_log;               /* how many they may have before a checkpoint */
  guint64 press_bytes;           /* a pressed checkpoint begins when the log has so many */
  gint64 press_at;               /* or at this time */
  guint64 bytes_before;          /* how much was written when the checkpoint began */
  gint64 log_since;              /* when the first of them came, or the last checkpoint ended */
  gint64 retry_at;               /* not before, after a failure; 0 while all is well */
  MetricsCheckpoint *checkpoint; /* (owned) (nullable) */
  guint64 checkpoint_bytes;      /* how many bytes the rows have that it takes */
  guint64 checkpoint_position;   /* up to which position it has all changes */
  gboolean prepared;             /* whether its group is made up */
  gint64 shrink_at;              /* when to look whether the file has much room that is free */
  gint64 checkpoint_retry_at;    /* it goes on not before, after a failure of its own; 0 while all is well */
  MetricsRoom *room;             /* (owned) */
  MetricsCheckpoint *clearing;   /* (owned) (nullable): of removals alone */
  gboolean making_room;          /* whether checkpoints are written and nothing else */
  gint64 give_up_at;             /* when a stop does not try again any more; 0 before a stop */
};

gboolean metrics_writer_has_pending (MetricsWriter *self);
gint64 metrics_writer_get_due (MetricsWriter *self);
gint64 metrics_writer_get_due_of_press (MetricsWriter *self);
void metrics_writer_close_batch (MetricsWriter *self);

void metrics_writer_tell_main (MetricsWriter *self);
void metrics_writer_begin_checkpoint (MetricsWriter *self);
void metrics_writer_end_checkpoint (MetricsWriter *self);

GArray *metrics_writer_save_removals (MetricsWriter *self, GQueue *batches);
gboolean metrics_writer_look_for_space (MetricsWriter *self, GQueue *batches);
void metrics_writer_begin_room (MetricsWriter *self, GArray *removals);
void metrics_writer_step_room (MetricsWriter *self);

G_END_DECLS
