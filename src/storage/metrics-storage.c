/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-storage.h"

#include "storage/metrics-checkpoint.h"
#include "storage/metrics-lock.h"
#include "storage/metrics-writer.h"
#include "store/metrics-restore.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* The journal of a store: a database in a folder, and the thread that writes it (metrics-writer.c). What is
 * here runs in the main thread, which never waits for the disk between load and close. */

/* How many bytes of changes may wait to be written before who makes more has to wait with them, and before
 * nobody can make any. */
#define MANY_PENDING (16 << 20)
#define MAX_PENDING (64 << 20)

/* How long a checkpoint may keep the main thread at a time. */
#define SLICE (2 * G_TIME_SPAN_MILLISECOND)

/**
 * MetricsStorage:
 *
 * Keeps what a store has in a folder.
 */
struct _MetricsStorage
{
  GObject parent_instance;

  char *path; /* (owned): of the database */
  MetricsDurability durability;
  int lock;                    /* -1 when it is closed */
  MetricsDatabase *database;   /* (owned) (nullable): the writer's from metrics_storage_load() on */
  MetricsWriter *writer;       /* (owned) (nullable) */
  MetricsStore *store;         /* (owned) (nullable): while there is a writer */
  GSource *notice;             /* (owned) (nullable): the writer has something for the main thread */
  MetricsStorageFigures final; /* when there is no writer any more */

  guint64 position;
  guint64 kept;    /* what was last told */
  guint64 pending; /* bytes of changes that wait to be written, as last heard of */
  gboolean failing;
  char *reason; /* (owned) (nullable): why, while it is failing */
};

static void metrics_storage_journal_init (MetricsJournalInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MetricsStorage,
                               metrics_storage,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (METRICS_TYPE_JOURNAL, metrics_storage_journal_init))

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

  if (G_LIKELY (self->pending <= MAX_PENDING))
    return TRUE;
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
  MetricsStorage *self = METRICS_STORAGE (journal);

  return self->writer != NULL ? metrics_writer_get_kept (self->writer) : self->kept;
}

static gboolean
metrics_storage_is_awaited (MetricsJournal *journal)
{
  MetricsStorage *self = METRICS_STORAGE (journal);

  return self->durability == METRICS_DURABILITY_ALWAYS || self->pending > MANY_PENDING;
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
}

/* The cause is said once, not at each attempt. */
static void
report_failing (MetricsStorage *self, const MetricsWriterNews *news)
{
  if (news->failing && !self->failing)
    g_message (_ ("cannot write '%s': %s; what is not on disk yet is kept in memory"), self->path,
               news->reason != NULL ? news->reason : "");
  else if (!news->failing && self->failing)
    g_message (_ ("writing '%s' works again"), self->path);
  self->failing = news->failing;
  if (news->reason != NULL || !news->failing)
    {
      g_free (self->reason);
      self->reason = g_strdup (news->failing ? news->reason : NULL);
    }
}

static void
pass_on_news (MetricsStorage *self)
{
  MetricsWriterNews news;
  gboolean has_grown;

  metrics_writer_take_news (self->writer, &news);
  report_failing (self, &news);
  has_grown = news.kept > self->kept;
  self->kept = news.kept;
  self->pending = news.pending;
  if (news.failed > news.kept)
    metrics_journal_emit_failed (METRICS_JOURNAL (self), news.failed, news.reason);
  if (has_grown)
    metrics_journal_emit_kept (METRICS_JOURNAL (self));
  g_free (news.reason);
}

static gboolean
on_notice (gpointer user_data)
{
  g_autoptr (MetricsStorage) self = g_object_ref (user_data);

  pass_on_news (self);
  /* Who was told may have closed it. */
  if (self->writer != NULL
      && !metrics_writer_answer (self->writer, self->store, g_get_monotonic_time () + SLICE))
    g_source_set_ready_time (self->notice, 0);
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

/* Makes the file where there is none, for nobody else to read: SQLite would let everybody, and gives the
 * files that it makes beside it the same rights. Whoever may not write it learns of it here and not at the
 * first commit. */
static gboolean
ensure_file (const char *path, GError **error)
{
  int fd = g_open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int saved_errno = errno;

  if (fd >= 0)
    {
      close (fd);
      return TRUE;
    }
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno), "'%s': %s", path,
               g_strerror (saved_errno));
  return FALSE;
}

/**
 * metrics_storage_new:
 * @folder: where; it is made where it is not there
 * @durability: when changes are written
 * @error: return location for a #GError
 *
 * Opens the database of a folder. The folder is locked: no other server can have it.
 *
 * Returns: (transfer full) (nullable): it
 */
MetricsStorage *
metrics_storage_new (const char *folder, MetricsDurability durability, GError **error)
{
  g_autoptr (MetricsStorage) self = NULL;

  g_return_val_if_fail (folder != NULL, NULL);

  if (g_mkdir_with_parents (folder, 0700) < 0)
    {
      int saved_errno = errno;
      g_autofree char *name = g_filename_display_name (folder);

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved_errno),
                   _ ("cannot make the folder '%s': %s"), name, g_strerror (saved_errno));
      return NULL;
    }
  self = g_object_new (METRICS_TYPE_STORAGE, NULL);
  self->path = g_build_filename (folder, "metricsd.db", NULL);
  self->durability = durability;
  self->lock = metrics_lock_take (folder, error);
  if (self->lock < 0 || !ensure_file (self->path, error))
    return NULL;
  self->database = metrics_database_open (self->path, durability != METRICS_DURABILITY_NONE, error);
  return self->database != NULL ? g_steal_pointer (&self) : NULL;
}

typedef struct
{
  MetricsStorage *self;
  MetricsStore *store;
  guint64 newest_id;
  MetricsWriterStart start;
} Loading;

static void
report_damage (Loading *loading, const char *table, guint64 id, const char *reason)
{
  g_message (_ ("'%s': row %" G_GUINT64_FORMAT " of table '%s' is damaged and left out: %s"),
             loading->self->path, id, table, reason);
}

static void
on_series (const MetricsRow *row, gpointer user_data)
{
  Loading *loading = user_data;
  g_autoptr (GError) error = NULL;

  loading->newest_id = MAX (loading->newest_id, row->id);
  if (!metrics_store_restore_series (loading->store, row->id, (const char *) row->data, row->size, &error))
    report_damage (loading, "series", row->id, error->message);
}

static void
on_chunk (const MetricsRow *row, gpointer user_data)
{
  Loading *loading = user_data;
  g_autoptr (GBytes) data = g_bytes_new (row->data, row->size);
  g_autoptr (GError) error = NULL;

  if (!row->whole)
    report_damage (loading, "chunk", row->id, "wrong checksum");
  else if (!metrics_store_restore_chunk (loading->store, row->series, data, &error))
    report_damage (loading, "chunk", row->id, error->message);
}

static void
replay (Loading *loading, const MetricsRow *row, const guint8 *changes, gsize size)
{
  MetricsLogReader reader;
  MetricsLogChange change;
  MetricsChunkRequest request;
  g_autoptr (GError) error = NULL;

  metrics_log_reader_init (&reader, changes, size);
  while (metrics_log_reader_next (&reader, &change))
    {
      loading->newest_id = MAX (loading->newest_id, change.id);
      /* Changes of series that are no more find none: that is as it should be. */
      if (change.kind == METRICS_LOG_PUT)
        metrics_store_restore_put (loading->store, change.id, change.point, &request);
      else if (change.kind == METRICS_LOG_REMOVE)
        metrics_store_restore_remove (loading->store, change.id, change.from, change.to, &request);
      else
        metrics_store_restore_series (loading->store, change.id, change.key, change.key_len,
                                      error == NULL ? &error : NULL);
    }
  metrics_touched_add (loading->start.touched, changes, size);
  if (reader.damaged || error != NULL)
    report_damage (loading, "log", row->id, error != NULL ? error->message : "it cannot be read");
}

static void
on_log (const MetricsRow *row, gpointer user_data)
{
  Loading *loading = user_data;
  g_autoptr (GBytes) changes = row->whole ? metrics_log_unpack (row->data, row->size) : NULL;

  loading->start.last_log = row->id;
  loading->start.log_bytes += row->size;
  if (changes != NULL)
    replay (loading, row, g_bytes_get_data (changes, NULL), g_bytes_get_size (changes));
  else
    report_damage (loading, "log", row->id, row->whole ? "it cannot be read" : "wrong checksum");
}

/**
 * metrics_storage_load:
 * @self: a storage that has just been opened
 * @store: a store that nothing was put into yet
 * @error: return location for a #GError
 *
 * Reads all that is stored, and is the journal of the store from then on, until metrics_storage_close().
 * What is damaged is named in the log and left out.
 *
 * Returns: %FALSE where the database cannot be read
 */
gboolean
metrics_storage_load (MetricsStorage *self, MetricsStore *store, GError **error)
{
  Loading loading = { .self = self, .store = store };

  g_return_val_if_fail (METRICS_IS_STORAGE (self), FALSE);
  g_return_val_if_fail (METRICS_IS_STORE (store), FALSE);
  g_return_val_if_fail (self->database != NULL, FALSE);

  loading.start.touched = metrics_touched_new ();
  if (!metrics_database_read (self->database, METRICS_TABLE_SERIES, on_series, &loading, error)
      || !metrics_database_read (self->database, METRICS_TABLE_CHUNK, on_chunk, &loading, error)
      || !metrics_database_read (self->database, METRICS_TABLE_LOG, on_log, &loading, error))
    {
      g_hash_table_unref (loading.start.touched);
      g_prefix_error (error, "'%s': ", self->path);
      return FALSE;
    }
  metrics_store_restore_finish (store, loading.newest_id);

  self->notice = g_source_new (&notice_funcs, sizeof (GSource));
  g_source_set_static_name (self->notice, "MetricsStorage");
  g_source_set_callback (self->notice, on_notice, self, NULL);
  g_source_attach (self->notice, g_main_context_get_thread_default ());
  loading.start.database = g_steal_pointer (&self->database);
  loading.start.durability = self->durability;
  self->writer = metrics_writer_new (&loading.start, self->notice);
  self->store = g_object_ref (store);
  metrics_store_set_journal (store, METRICS_JOURNAL (self));
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
      pass_on_news (self);
      metrics_writer_get_figures (self->writer, &self->final);
      g_clear_pointer (&self->writer, metrics_writer_free);
      g_source_destroy (self->notice);
      g_clear_pointer (&self->notice, g_source_unref);
      g_clear_object (&self->store);
    }
  g_clear_pointer (&self->database, metrics_database_close);
  metrics_lock_release (self->lock);
  self->lock = -1;
  return good;
}

static guint64
get_file_size (const char *path)
{
  GStatBuf about;

  return g_stat (path, &about) == 0 ? about.st_size : 0;
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
  g_autofree char *log_path = NULL;

  g_return_if_fail (METRICS_IS_STORAGE (self));

  log_path = g_strconcat (self->path, "-wal", NULL);
  *figures = self->final;
  if (self->writer != NULL)
    metrics_writer_get_figures (self->writer, figures);
  figures->file_bytes = get_file_size (self->path) + get_file_size (log_path);
}
