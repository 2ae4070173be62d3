/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-writer.h"

#include "storage/metrics-checkpoint.h"

/* The thread that writes.
 *
 * The main thread appends each change to the open batch and goes on; the thread takes all batches that there
 * are and commits them, so that all changes that come during a commit share the next one. A commit that fails
 * puts its batches back in front: they stay in memory until one succeeds.
 *
 * Checkpoints go on between commits, a group of series in each: nobody who waits for a commit waits for a
 * checkpoint as a whole. A group is committed together with all changes that came before the store was asked
 * for it, so chunks never know of changes that the log does not have. */

/* A batch that has more is closed; the next one is another row. */
#define MAX_BATCH (1 << 20)

/* How long changes wait for a commit. */
#define INTERVAL (1 * G_TIME_SPAN_SECOND)
#define INTERVAL_OF_NONE (10 * G_TIME_SPAN_SECOND)

/* When to try again what failed; where clients wait for what becomes of it, sooner. */
#define RETRY_INTERVAL (1 * G_TIME_SPAN_SECOND)
#define RETRY_INTERVAL_OF_ALWAYS (100 * G_TIME_SPAN_MILLISECOND)

/* How much log there may be before a checkpoint, and how old it may be. A checkpoint writes a page or two of
 * the index for each series, so that little wear means few of them. */
#define MAX_LOG (8 << 20)
#define MAX_LOG_AGE (1 * G_TIME_SPAN_HOUR)

struct _MetricsWriter
{
  MetricsDurability durability;
  GSource *notice; /* (unowned): made ready when there is news or a question for the main thread */
  GThread *thread; /* (owned) */

  GMutex mutex;              /* guards what follows up to the next comment */
  GCond wake;                /* for the thread */
  GCond told;                /* for metrics_writer_stop() */
  GQueue closed;             /* (owned) (element-type MetricsLogBatch): the oldest first */
  MetricsLogBatch *open;     /* (owned) (nullable): what changes are appended to */
  guint64 pending;           /* bytes of both, and of those that are being written */
  gint64 oldest;             /* when the first of them came, where there are any */
  gint64 wake_at;            /* until when the thread sleeps; 0 while it does not */
  MetricsCheckpoint *asking; /* (unowned) (nullable): what waits for the main thread */
  gboolean stopping;
  gboolean stopped;
  MetricsWriterNews news;
  MetricsStorageFigures figures;

  /* The thread's own. */
  MetricsDatabase *database;     /* (owned) */
  GHashTable *touched;           /* (owned): what the rows changed that no checkpoint has taken yet */
  guint64 last_log;              /* the number of the last row */
  guint64 log_bytes;             /* how many bytes the rows have */
  gint64 log_since;              /* when the first of them came, or the last checkpoint ended */
  gint64 retry_at;               /* not before, after a failure; 0 while all is well */
  MetricsCheckpoint *checkpoint; /* (owned) (nullable) */
  guint64 checkpoint_bytes;      /* how many bytes the rows have that it takes */
  gboolean prepared;             /* whether its group is made up */
  gint64 checkpoint_retry_at;    /* it goes on not before, after a failure of its own; 0 while all is well */
};

static void
tell_main (MetricsWriter *self)
{
  g_source_set_ready_time (self->notice, 0);
  g_cond_signal (&self->told);
}

static gboolean
has_pending (MetricsWriter *self)
{
  return self->open != NULL || self->closed.length > 0;
}

/* Returns: when the changes that are pending are to be written */
static gint64
get_due_of_pending (MetricsWriter *self)
{
  if (!has_pending (self))
    return G_MAXINT64;
  if (self->durability == METRICS_DURABILITY_ALWAYS || self->stopping || self->closed.length > 0)
    return 0;
  return self->oldest + (self->durability == METRICS_DURABILITY_NONE ? INTERVAL_OF_NONE : INTERVAL);
}

static gint64
get_due_of_checkpoint (MetricsWriter *self)
{
  if (self->asking != NULL)
    return G_MAXINT64;
  if (self->checkpoint != NULL)
    return self->stopping ? 0 : self->checkpoint_retry_at;
  if (self->log_bytes == 0)
    return G_MAXINT64;
  return self->log_bytes > MAX_LOG || self->stopping ? 0 : self->log_since + MAX_LOG_AGE;
}

static gint64
get_due (MetricsWriter *self)
{
  gint64 due = MIN (get_due_of_pending (self), get_due_of_checkpoint (self));

  return self->stopping ? due : MAX (due, self->retry_at);
}

/* Sleeps until there is something to do. Returns: whether there is more to do before the end. */
static gboolean
sleep_until_due (MetricsWriter *self)
{
  for (;;)
    {
      gint64 due = get_due (self);

      if (self->stopping && due == G_MAXINT64 && self->asking == NULL)
        return FALSE;
      if (due <= g_get_monotonic_time ())
        return TRUE;
      self->wake_at = due;
      if (due == G_MAXINT64)
        g_cond_wait (&self->wake, &self->mutex);
      else
        g_cond_wait_until (&self->wake, &self->mutex, due);
      self->wake_at = 0;
    }
}

static void
close_batch (MetricsWriter *self)
{
  if (self->open != NULL)
    g_queue_push_tail (&self->closed, g_steal_pointer (&self->open));
}

static gboolean
insert_batches (MetricsWriter *self, GQueue *batches, guint64 *n_bytes, GError **error)
{
  guint64 id = self->last_log;

  for (GList *link = batches->head; link != NULL; link = link->next)
    {
      MetricsLogBatch *batch = link->data;
      g_autoptr (GBytes) packed = metrics_log_pack (batch->bytes->data, batch->bytes->len);

      if (!metrics_database_insert_log (self->database, ++id, packed, error))
        return FALSE;
      *n_bytes += g_bytes_get_size (packed);
    }
  return TRUE;
}

static gboolean
write_all (MetricsWriter *self, GQueue *batches, gboolean with_checkpoint, GError **error)
{
  guint64 n_bytes = 0;

  if (!metrics_database_begin (self->database, error) || !insert_batches (self, batches, &n_bytes, error)
      || (with_checkpoint && !metrics_checkpoint_write (self->checkpoint, self->database, error))
      || !metrics_database_commit (self->database, error))
    {
      metrics_database_rollback (self->database);
      /* What it has widened in vain is asked for again. */
      if (with_checkpoint)
        self->prepared = FALSE;
      return FALSE;
    }

  for (GList *link = batches->head; link != NULL; link = link->next)
    {
      MetricsLogBatch *batch = link->data;

      metrics_touched_add (self->touched, batch->bytes->data, batch->bytes->len);
    }
  self->last_log += batches->length;
  if (self->log_bytes == 0)
    self->log_since = g_get_monotonic_time ();
  self->log_bytes += n_bytes;
  return TRUE;
}

static void
advance_checkpoint (MetricsWriter *self)
{
  self->prepared = FALSE;
  self->checkpoint_retry_at = 0;
  if (!metrics_checkpoint_advance (self->checkpoint))
    return;
  g_clear_pointer (&self->checkpoint, metrics_checkpoint_free);
  self->log_bytes -= self->checkpoint_bytes;
  self->log_since = g_get_monotonic_time ();
}

static void
take_success (MetricsWriter *self, GQueue *batches, gint64 started)
{
  MetricsLogBatch *last = g_queue_peek_tail (batches);
  gboolean has_news = last != NULL || self->news.failing;

  self->retry_at = 0;
  self->news.failing = self->checkpoint_retry_at != 0;
  self->figures.commit_usec += g_get_monotonic_time () - started;
  self->figures.commits++;
  if (last != NULL)
    self->news.kept = last->position;
  for (GList *link = batches->head; link != NULL; link = link->next)
    self->pending -= ((MetricsLogBatch *) link->data)->bytes->len;
  g_queue_clear_full (batches, (GDestroyNotify) metrics_log_batch_free);
  if (has_news)
    tell_main (self);
}

static void
set_failing (MetricsWriter *self, const GError *error)
{
  self->figures.errors++;
  g_free (self->news.reason);
  self->news.reason = g_strdup (error->message);
  self->news.failing = TRUE;
}

/* No change waits for a checkpoint, so that nobody is told but the log. */
static void
take_checkpoint_failure (MetricsWriter *self, const GError *error)
{
  self->checkpoint_retry_at = g_get_monotonic_time () + RETRY_INTERVAL;
  set_failing (self, error);
  tell_main (self);
}

static void
take_failure (MetricsWriter *self, GQueue *batches, const GError *error)
{
  MetricsLogBatch *last;

  self->retry_at
      = g_get_monotonic_time ()
        + (self->durability == METRICS_DURABILITY_ALWAYS ? RETRY_INTERVAL_OF_ALWAYS : RETRY_INTERVAL);
  set_failing (self, error);
  while (batches->length > 0)
    g_queue_push_head (&self->closed, g_queue_pop_tail (batches));
  /* Those that an attempt was too small for have failed with it. */
  last = g_queue_peek_tail (&self->closed);
  if (last != NULL)
    self->news.failed = last->position;
  tell_main (self);
}

/* All that there are; while nothing can be written, the oldest: there may be much, and to pack all of it for
 * each attempt would be work for nothing. */
static void
take_batches (MetricsWriter *self, GQueue *batches)
{
  g_queue_init (batches);
  if (self->retry_at != 0 && self->closed.length > 0)
    {
      g_queue_push_tail (batches, g_queue_pop_head (&self->closed));
      return;
    }
  *batches = self->closed;
  g_queue_init (&self->closed);
}

/* Writes what there is. Returns: whether that went well. */
static gboolean
write_step (MetricsWriter *self, gboolean has_answer)
{
  GQueue batches;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) checkpoint_error = NULL;
  gint64 started = g_get_monotonic_time ();
  gboolean moved;
  gboolean good;

  close_batch (self);
  /* A checkpoint may not know of changes that are not written with it. */
  has_answer = has_answer && self->retry_at == 0;
  take_batches (self, &batches);
  g_mutex_unlock (&self->mutex);

  /* A checkpoint takes far more room than the changes, which must not fail with it. */
  if (has_answer && write_all (self, &batches, TRUE, &checkpoint_error))
    {
      advance_checkpoint (self);
      good = TRUE;
    }
  else
    good = write_all (self, &batches, FALSE, &error);

  g_mutex_lock (&self->mutex);
  if (checkpoint_error != NULL)
    take_checkpoint_failure (self, checkpoint_error);
  if (good)
    take_success (self, &batches, started);
  else
    take_failure (self, &batches, error);
  g_mutex_unlock (&self->mutex);

  /* Nobody who waits for the commit waits for this. */
  moved = !good || metrics_database_flush (self->database, NULL);

  g_mutex_lock (&self->mutex);
  self->figures.errors += !moved;
  self->figures.bytes_written = metrics_database_get_bytes_written (self->database);
  return good && checkpoint_error == NULL;
}

/* Takes the checkpoint on until it asks, or can be written. Returns: whether that went well. */
static gboolean
prepare_step (MetricsWriter *self)
{
  g_autoptr (GError) error = NULL;
  gboolean good;

  g_mutex_unlock (&self->mutex);
  if (self->checkpoint == NULL)
    {
      self->checkpoint = metrics_checkpoint_new (self->touched, self->last_log);
      self->checkpoint_bytes = self->log_bytes;
    }
  good = metrics_checkpoint_prepare (self->checkpoint, self->database, &error);
  g_mutex_lock (&self->mutex);

  self->prepared = good;
  if (!good)
    take_checkpoint_failure (self, error);
  else if (metrics_checkpoint_is_asking (self->checkpoint))
    {
      self->asking = self->checkpoint;
      tell_main (self);
    }
  return good;
}

/* Does what is due. Returns: whether that went well. */
static gboolean
do_step (MetricsWriter *self)
{
  gint64 now = g_get_monotonic_time ();
  gboolean has_answer = self->checkpoint != NULL && self->prepared && self->asking == NULL;

  if ((has_answer || get_due_of_pending (self) <= now) && !write_step (self, has_answer))
    return FALSE;
  /* Even where changes come all the time: else the log would grow without end. */
  return self->prepared || get_due_of_checkpoint (self) > now || prepare_step (self);
}

static gpointer
write_until_stopped (gpointer user_data)
{
  MetricsWriter *self = user_data;

  g_mutex_lock (&self->mutex);
  while (sleep_until_due (self))
    /* Somebody waits for the end: the log is whole, and what cannot be written now is not waited for. */
    if (!do_step (self) && self->stopping)
      break;
  self->stopped = TRUE;
  g_cond_signal (&self->told);
  g_mutex_unlock (&self->mutex);
  return NULL;
}

/**
 * metrics_writer_new:
 * @start: what it begins with; what is owned there goes over to it
 * @notice: is made ready when metrics_writer_take_news() or metrics_writer_answer() has something to do; it
 *   has to live longer
 *
 * Begins to write.
 *
 * Returns: (transfer full): a writer
 */
MetricsWriter *
metrics_writer_new (const MetricsWriterStart *start, GSource *notice)
{
  MetricsWriter *self = g_new0 (MetricsWriter, 1);

  g_mutex_init (&self->mutex);
  g_cond_init (&self->wake);
  g_cond_init (&self->told);
  g_queue_init (&self->closed);
  self->notice = notice;
  self->durability = start->durability;
  self->database = start->database;
  self->touched = start->touched;
  self->last_log = start->last_log;
  self->log_bytes = start->log_bytes;
  self->log_since = g_get_monotonic_time ();
  self->thread = g_thread_new ("storage", write_until_stopped, self);
  return self;
}

/**
 * metrics_writer_free:
 * @self: (transfer full): a writer that was stopped
 *
 * Closes its database.
 */
void
metrics_writer_free (MetricsWriter *self)
{
  g_assert (self->thread == NULL);

  g_clear_pointer (&self->open, metrics_log_batch_free);
  g_queue_clear_full (&self->closed, (GDestroyNotify) metrics_log_batch_free);
  g_clear_pointer (&self->checkpoint, metrics_checkpoint_free);
  g_hash_table_unref (self->touched);
  metrics_database_close (self->database);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->told);
  g_free (self->news.reason);
  g_free (self);
}

/**
 * metrics_writer_begin_change:
 * @self: a writer
 *
 * Returns: (transfer none): the batch to append one change to; metrics_writer_end_change() has to follow at
 *   once
 */
MetricsLogBatch *
metrics_writer_begin_change (MetricsWriter *self)
{
  g_mutex_lock (&self->mutex);
  if (!has_pending (self))
    self->oldest = g_get_monotonic_time ();
  if (self->open == NULL)
    self->open = metrics_log_batch_new ();
  self->pending -= self->open->bytes->len;
  return self->open;
}

/**
 * metrics_writer_end_change:
 * @self: a writer
 * @position: the position of the change
 *
 * Hands the change over.
 *
 * Returns: how many bytes of changes wait to be written
 */
guint64
metrics_writer_end_change (MetricsWriter *self, guint64 position)
{
  guint64 pending;

  self->open->position = position;
  self->pending += self->open->bytes->len;
  if (self->open->bytes->len >= MAX_BATCH)
    close_batch (self);
  /* Waking costs a system call, so it is done once for a commit and not for each change. */
  if (self->wake_at > self->retry_at && MAX (get_due_of_pending (self), self->retry_at) < self->wake_at)
    {
      self->wake_at = 0;
      g_cond_signal (&self->wake);
    }
  pending = self->pending;
  g_mutex_unlock (&self->mutex);
  return pending;
}

/**
 * metrics_writer_get_kept:
 * @self: a writer
 *
 * Returns: the position up to which all changes are kept
 */
guint64
metrics_writer_get_kept (MetricsWriter *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return self->news.kept;
}

/**
 * metrics_writer_take_news:
 * @self: a writer
 * @news: (out caller-allocates): what became of changes since the last time
 *
 * Tells the main thread.
 */
void
metrics_writer_take_news (MetricsWriter *self, MetricsWriterNews *news)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *news = self->news;
  news->pending = self->pending;
  self->news.reason = NULL;
  self->news.failed = 0;
}

/**
 * metrics_writer_get_figures:
 * @self: a writer
 * @figures: (out caller-allocates): what it has done
 *
 * Tells what it has done.
 */
void
metrics_writer_get_figures (MetricsWriter *self, MetricsStorageFigures *figures)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *figures = self->figures;
  figures->pending = self->pending;
}

/**
 * metrics_writer_answer:
 * @self: a writer
 * @store: the store, whose thread this is
 * @deadline: until when to go on, by the monotonic clock
 *
 * Answers what a checkpoint asks, where one does.
 *
 * Returns: whether all is answered
 */
gboolean
metrics_writer_answer (MetricsWriter *self, MetricsStore *store, gint64 deadline)
{
  MetricsCheckpoint *asking;

  g_mutex_lock (&self->mutex);
  asking = self->asking;
  g_mutex_unlock (&self->mutex);

  /* The thread leaves it alone until it is answered. */
  if (asking == NULL)
    return TRUE;
  if (!metrics_checkpoint_answer (asking, store, deadline))
    return FALSE;

  g_mutex_lock (&self->mutex);
  self->asking = NULL;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

/**
 * metrics_writer_stop:
 * @self: a writer; nothing may be appended to it any more
 * @store: what it may still ask
 * @error: return location for a #GError
 *
 * Has it write all changes and a checkpoint, and end.
 *
 * Returns: %FALSE where there are changes that could not be written
 */
gboolean
metrics_writer_stop (MetricsWriter *self, MetricsStore *store, GError **error)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_signal (&self->wake);
  while (!self->stopped)
    if (self->asking != NULL)
      {
        g_mutex_unlock (&self->mutex);
        metrics_writer_answer (self, store, G_MAXINT64);
        g_mutex_lock (&self->mutex);
      }
    else
      g_cond_wait (&self->told, &self->mutex);
  g_mutex_unlock (&self->mutex);
  g_thread_join (g_steal_pointer (&self->thread));

  if (!has_pending (self))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       self->news.reason != NULL ? self->news.reason : "unknown error");
  return FALSE;
}
