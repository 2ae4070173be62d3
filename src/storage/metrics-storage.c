/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-storage-private.h"

#include "storage/metrics-checkpoint.h"
#include "storage/metrics-damage.h"
#include "storage/metrics-folder.h"
#include "storage/metrics-load.h"
#include "storage/metrics-lock.h"
#include "storage/metrics-room.h"
#include "storage/metrics-storage-log.h"
#include "store/metrics-rollup.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* The journal of a store: a database in a folder, and the thread that writes it (metrics-writer.c). And the
 * source of its chunks that are on disk alone, with the thread that reads them (metrics-fetcher.c). What is
 * here runs in the main thread, which never waits for the disk between load and close.
 *
 * When a checkpoint has written chunks the store can do without them: where it has much, it is made to let go
 * of some. */

/* How many bytes of changes may wait to be written before nobody can make any. */
#define MAX_PENDING (64 << 20)

/* How long a checkpoint may keep the main thread at a time, and how many units of work there are between
 * looks at the clock. */
#define SLICE (2 * G_TIME_SPAN_MILLISECOND)
#define EVICT_UNITS 1000

/* How much memory is enough for a series that is put to: measured, there are some dozen new points in it
 * then. */
#define BYTES_A_SERIES 1024

static void metrics_storage_journal_init (MetricsJournalInterface *iface);
static void metrics_storage_source_init (MetricsChunkSourceInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MetricsStorage,
                               metrics_storage,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (METRICS_TYPE_JOURNAL, metrics_storage_journal_init)
                                   G_IMPLEMENT_INTERFACE (METRICS_TYPE_CHUNK_SOURCE,
                                                          metrics_storage_source_init))

static void
metrics_storage_dispose (GObject *object)
{
  metrics_storage_close (METRICS_STORAGE (object), NULL);

  G_OBJECT_CLASS (metrics_storage_parent_class)->dispose (object);
}

static void
metrics_storage_finalize (GObject *object)
{
  MetricsStorage *self = METRICS_STORAGE (object);

  g_free (self->path);
  g_free (self->reason);

  G_OBJECT_CLASS (metrics_storage_parent_class)->finalize (object);
}

static void
metrics_storage_class_init (MetricsStorageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = metrics_storage_dispose;
  object_class->finalize = metrics_storage_finalize;
}

static void
metrics_storage_init (MetricsStorage *self)
{
  self->lock = -1;
}

static gboolean
metrics_storage_check (MetricsJournal *journal, GError **error)
{
  MetricsStorage *self = (MetricsStorage *) journal;

  if (G_LIKELY (self->pending <= MAX_PENDING && !self->damaged))
    return TRUE;
  if (self->reason == NULL)
    metrics_storage_log_slow (self->path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "storage: %s",
               self->reason != NULL ? self->reason : "the disk is too slow");
  return FALSE;
}

static void
metrics_storage_begin (MetricsJournal *journal, guint64 id, const char *key, gsize key_len)
{
  MetricsStorage *self = METRICS_STORAGE (journal);

  metrics_log_batch_begin (metrics_writer_begin_change (self->writer), id, key, key_len);
  self->pending = metrics_writer_end_change (self->writer, ++self->position);
}

static void
metrics_storage_put (MetricsJournal *journal, guint64 id, MetricsPoint point)
{
  MetricsStorage *self = (MetricsStorage *) journal;

  metrics_log_batch_put (metrics_writer_begin_change (self->writer), id, point);
  self->pending = metrics_writer_end_change (self->writer, ++self->position);
}

static void
metrics_storage_remove (MetricsJournal *journal, guint64 id, gint64 from, gint64 to)
{
  MetricsStorage *self = METRICS_STORAGE (journal);

  metrics_log_batch_remove (metrics_writer_begin_change (self->writer), id, from, to);
  self->pending = metrics_writer_end_change (self->writer, ++self->position);
}

static guint64
metrics_storage_get_position (MetricsJournal *journal)
{
  return METRICS_STORAGE (journal)->position;
}

static guint64
metrics_storage_get_kept (MetricsJournal *journal)
{
  /* As told: removals can be kept before what came before them, and those who wait hear of each in turn. */
  return METRICS_STORAGE (journal)->kept;
}

static gboolean
metrics_storage_is_awaited (MetricsJournal *journal)
{
  MetricsStorage *self = METRICS_STORAGE (journal);

  return self->durability == METRICS_DURABILITY_ALWAYS || self->pending > self->many_pending;
}

static void
metrics_storage_press (MetricsJournal *journal)
{
  metrics_writer_press (METRICS_STORAGE (journal)->writer);
}

static void
metrics_storage_touch (MetricsJournal *journal, guint64 id, gint64 from, gint64 to)
{
  metrics_writer_touch (METRICS_STORAGE (journal)->writer, id, from, to);
}

static void
metrics_storage_flush (MetricsJournal *journal)
{
  metrics_writer_flush (METRICS_STORAGE (journal)->writer);
}

static void
metrics_storage_journal_init (MetricsJournalInterface *iface)
{
  iface->check = metrics_storage_check;
  iface->begin = metrics_storage_begin;
  iface->put = metrics_storage_put;
  iface->remove = metrics_storage_remove;
  iface->get_position = metrics_storage_get_position;
  iface->get_kept = metrics_storage_get_kept;
  iface->is_awaited = metrics_storage_is_awaited;
  iface->press = metrics_storage_press;
  iface->touch = metrics_storage_touch;
  iface->flush = metrics_storage_flush;
}

static MetricsHold *
metrics_storage_hold (MetricsChunkSource *source)
{
  MetricsStorage *self = METRICS_STORAGE (source);

  return self->fetcher != NULL ? metrics_fetcher_hold (self->fetcher) : NULL;
}

static MetricsHold *
metrics_storage_hold_ref (MetricsChunkSource *source, MetricsHold *hold)
{
  return metrics_hold_ref (hold);
}

static void
metrics_storage_hold_unref (MetricsChunkSource *source, MetricsHold *hold)
{
  metrics_hold_unref (hold);
}

static gpointer
metrics_storage_request (MetricsChunkSource *source,
                         MetricsHold *hold,
                         const MetricsChunkRequest *request,
                         MetricsChunkSourceFunc func,
                         gpointer user_data)
{
  return metrics_fetcher_request (METRICS_STORAGE (source)->fetcher, hold, request, func, user_data);
}

static void
metrics_storage_cancel (MetricsChunkSource *source, gpointer ticket)
{
  metrics_fetcher_cancel (METRICS_STORAGE (source)->fetcher, ticket);
}

static void
metrics_storage_source_init (MetricsChunkSourceInterface *iface)
{
  iface->hold = metrics_storage_hold;
  iface->hold_ref = metrics_storage_hold_ref;
  iface->hold_unref = metrics_storage_hold_unref;
  iface->request = metrics_storage_request;
  iface->cancel = metrics_storage_cancel;
}

/* What is damaged is served, and not written to: that could only make it worse. Said once. */
static void
refuse_changes (MetricsStorage *self)
{
  if (self->damaged || (self->writer == NULL && self->database == NULL))
    return;
  self->damaged = TRUE;
  if (self->writer != NULL)
    metrics_writer_refuse (self->writer);
  else
    metrics_database_set_damaged (self->database);
  g_free (self->reason);
  self->reason = g_strdup ("the file is damaged");
  metrics_storage_log_damaged (self->path);
}

/* The cause is said once, not at each attempt. */
static void
report_failing (MetricsStorage *self, const MetricsWriterNews *news)
{
  if (news->damaged)
    refuse_changes (self);
  if (self->damaged)
    return;
  if (news->failing && self->reason == NULL)
    metrics_storage_log_unwritten (self->path, news->reason != NULL ? news->reason : "");
  else if (!news->failing && self->reason != NULL)
    metrics_storage_log_resumed (self->path);
  if (news->reason == NULL && news->failing)
    return;
  g_free (self->reason);
  self->reason = g_strdup (news->failing ? news->reason : NULL);
}

static void
emit_kept (MetricsStorage *self, guint64 kept)
{
  if (kept <= self->kept)
    return;
  self->kept = kept;
  metrics_journal_emit_kept (METRICS_JOURNAL (self));
}

/* Those that were kept out of turn: what came before them has failed. */
static void
pass_on_removals (MetricsStorage *self, const MetricsWriterNews *news)
{
  /* All may be well again by now. */
  const char *reason = news->reason != NULL ? news->reason : "no space";

  for (guint i = 0; i < news->removals->len; i++)
    {
      const MetricsPositions *one = &g_array_index (news->removals, MetricsPositions, i);

      if (one->last <= MAX (news->kept, self->kept))
        continue;
      emit_kept (self, MIN (news->kept, one->first - 1));
      if (one->first - 1 > self->kept)
        metrics_journal_emit_failed (METRICS_JOURNAL (self), one->first - 1, reason);
      emit_kept (self, one->last);
    }
}

static void
pass_on_news (MetricsStorage *self)
{
  MetricsWriterNews news;

  metrics_writer_take_news (self->writer, &news);
  report_failing (self, &news);
  self->pending = news.pending;
  metrics_fetcher_limit (self->fetcher, news.wal_size);
  if (news.failing)
    metrics_store_refuse_waiting (self->store);
  if (news.removals != NULL)
    pass_on_removals (self, &news);
  if (news.failed > MAX (news.kept, self->kept))
    {
      emit_kept (self, news.kept);
      metrics_journal_emit_failed (METRICS_JOURNAL (self), news.failed, news.reason);
    }
  emit_kept (self, news.kept);
  g_clear_pointer (&news.removals, g_array_unref);
  g_free (news.reason);
}

/* Has the store let go of chunks that are on disk, until it has little enough, or no more of them, or the
 * time is over. Returns: whether there is nothing more to do. */
static gboolean
evict (MetricsStorage *self, gint64 deadline)
{
  gboolean is_done;

  if (!self->evicting)
    return TRUE;
  do
    {
      gint budget = EVICT_UNITS;

      is_done = metrics_store_evict (self->store, self->memory_target, &budget) || budget > 0;
    }
  while (!is_done && g_get_monotonic_time () < deadline);
  self->evicting = !is_done;
  return is_done;
}

/* Says so when memory is short since there are so many series, once. That is so where a checkpoint has not
 * brought enough; where they are few, it is only that much has come meanwhile. */
static void
report_tight (MetricsStorage *self)
{
  guint64 memory = metrics_store_get_memory (self->store);
  guint64 n_series = metrics_store_get_n_series (self->store) + metrics_rollup_get_n_series (self->store);
  guint64 needed = n_series * BYTES_A_SERIES;

  self->has_settled = FALSE;
  if (memory <= self->memory_target / 2 || needed <= self->memory_target)
    self->is_tight = FALSE;
  if (memory <= self->memory_high || needed <= self->memory_high || self->is_tight)
    return;
  self->is_tight = TRUE;
  metrics_storage_log_tight (n_series, needed);
}

static gboolean
on_notice (gpointer user_data)
{
  g_autoptr (MetricsStorage) self = g_object_ref (user_data);
  gint64 deadline = g_get_monotonic_time () + SLICE;
  gboolean is_done;

  pass_on_news (self);
  /* Who was told may have closed it. */
  if (self->writer == NULL)
    return G_SOURCE_CONTINUE;
  if (metrics_writer_pass_on (self->writer, self->store, &self->has_settled))
    {
      metrics_fetcher_renew (self->fetcher);
      self->evicting = metrics_store_get_memory (self->store) > self->memory_high;
    }
  is_done = metrics_writer_answer (self->writer, self->store, deadline);
  if (!evict (self, deadline) || !is_done)
    g_source_set_ready_time (self->notice, 0);
  if (self->has_settled && !self->evicting)
    report_tight (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_notice (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

/* A source that another thread can make ready at any time, and that says nothing twice. */
static GSourceFuncs notice_funcs = { .dispatch = dispatch_notice };

/**
 * metrics_storage_new:
 * @folder: where; it is made where it is not there
 * @durability: when changes are written
 * @lock_timeout: how long to wait for another server to leave the folder, in microseconds; it blocks
 * meanwhile
 * @error: return location for a #GError
 *
 * Opens the database of a folder. The folder is locked: no other server can have it.
 *
 * Returns: (transfer full) (nullable): it
 */
MetricsStorage *
metrics_storage_new (const char *folder, MetricsDurability durability, gint64 lock_timeout, GError **error)
{
  g_autoptr (MetricsStorage) self = NULL;

  g_return_val_if_fail (folder != NULL, NULL);

  if (!metrics_folder_ensure (folder, error))
    return NULL;
  self = g_object_new (METRICS_TYPE_STORAGE, NULL);
  self->path = g_build_filename (folder, "metricsd.db", NULL);
  self->durability = durability;
  self->lock = metrics_lock_take (folder, lock_timeout, error);
  if (self->lock < 0 || !metrics_folder_ensure_file (self->path, error))
    return NULL;
  self->database = metrics_damage_open (self->path, durability != METRICS_DURABILITY_NONE, error);
  return self->database != NULL ? g_steal_pointer (&self) : NULL;
}

static void
on_damage (const MetricsDamagedRow *row, gpointer user_data)
{
  MetricsStorage *self = user_data;

  if (row != NULL)
    {
      g_autofree char *reason = g_strdup_printf ("points of series %" G_GUINT64_FORMAT
                                                 " from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                                                 row->series, row->first, row->last);

      metrics_damage_report (self->path, "chunk", row->id, reason);
      self->n_damaged++;
    }
  if (row == NULL || row->on_page)
    refuse_changes (self);
}

/**
 * metrics_storage_load:
 * @self: a storage that has just been opened
 * @store: a store that nothing was put into yet
 * @error: return location for a #GError
 *
 * Reads which series are stored, and the changes that their chunks do not have yet; the chunks stay on disk.
 * It is the journal of the store from then on, and the source of its chunks, until metrics_storage_close().
 * What is damaged is named in the log and left out. Where pages are, the file is not written any more, and
 * the store refuses points.
 *
 * Returns: %FALSE where the database cannot be read
 */
gboolean
metrics_storage_load (MetricsStorage *self, MetricsStore *store, GError **error)
{
  MetricsWriterStart start = { 0 };
  g_autofree char *folder = NULL;

  g_return_val_if_fail (METRICS_IS_STORAGE (self), FALSE);
  g_return_val_if_fail (METRICS_IS_STORE (store), FALSE);
  g_return_val_if_fail (self->database != NULL, FALSE);

  folder = g_path_get_dirname (self->path);
  start.folder = folder;
  start.durability = self->durability;
  start.database = self->database;
  start.touched = metrics_touched_new ();
  self->fetcher = metrics_fetcher_new (self->path, on_damage, self, error);
  if (self->fetcher == NULL || !metrics_load (self->path, &start, self->fetcher, store, error))
    {
      g_hash_table_unref (start.touched);
      if (metrics_database_is_damaged (self->database))
        metrics_database_add_advice (error);
      g_prefix_error (error, "'%s': ", self->path);
      return FALSE;
    }
  if (metrics_database_is_damaged (self->database))
    refuse_changes (self);

  self->n_damaged += start.n_damaged;
  self->notice = g_source_new (&notice_funcs, sizeof (GSource));
  g_source_set_static_name (self->notice, "MetricsStorage");
  g_source_set_callback (self->notice, on_notice, self, NULL);
  g_source_attach (self->notice, g_main_context_get_thread_default ());
  self->database = NULL;
  self->writer = metrics_writer_new (&start, self->notice);
  self->store = g_object_ref (store);
  metrics_storage_set_limits (self);
  metrics_store_set_journal (store, METRICS_JOURNAL (self));
  metrics_store_set_chunk_source (store, METRICS_CHUNK_SOURCE (self));
  /* The changes of the log may have been more than there is room for. */
  metrics_storage_fit (self);
  return TRUE;
}

/**
 * metrics_storage_close:
 * @self: a storage
 * @error: return location for a #GError
 *
 * Writes all that there is to be written, and leaves the folder to others. The store has no journal then.
 *
 * Returns: %FALSE where changes could not be written; it is closed all the same
 */
gboolean
metrics_storage_close (MetricsStorage *self, GError **error)
{
  gboolean good = TRUE;

  g_return_val_if_fail (METRICS_IS_STORAGE (self), FALSE);

  if (self->writer != NULL)
    {
      g_autoptr (MetricsStorage) protected = g_object_ref (self);

      metrics_store_set_journal (self->store, NULL);
      good = metrics_writer_stop (self->writer, self->store, error);
      metrics_store_set_chunk_source (self->store, NULL);
      pass_on_news (self);
      metrics_writer_get_figures (self->writer, &self->final);
      /* The last to close the database has to be who may write it: that one takes the write-ahead log away.
       */
      g_clear_pointer (&self->fetcher, metrics_fetcher_close);
      g_clear_pointer (&self->writer, metrics_writer_free);
      g_source_destroy (self->notice);
      g_clear_pointer (&self->notice, g_source_unref);
      g_clear_object (&self->store);
    }
  g_clear_pointer (&self->fetcher, metrics_fetcher_close);
  g_clear_pointer (&self->database, metrics_database_close);
  metrics_lock_release (self->lock);
  self->lock = -1;
  return good;
}

/**
 * metrics_storage_get_figures:
 * @self: a storage
 * @figures: (out caller-allocates): what it has done
 *
 * Tells what it has done since it was opened.
 */
void
metrics_storage_get_figures (MetricsStorage *self, MetricsStorageFigures *figures)
{
  g_return_if_fail (METRICS_IS_STORAGE (self));

  *figures = self->final;
  if (self->writer != NULL)
    metrics_writer_get_figures (self->writer, figures);
  figures->rows_damaged = self->n_damaged;
  figures->file_bytes = metrics_folder_get_size (self->path);
}
