/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-recover.h"

#include "common/metrics-key.h"
#include "storage/metrics-database.h"
#include "storage/metrics-lock.h"
#include "storage/metrics-new-file.h"
#include "storage/metrics-recovery.h"
#include "storage/metrics-source.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

/* Makes a new database of what is whole in a damaged one, which is never written. */

/* How many rows are committed at once. */
#define ROWS_A_COMMIT 1000

/* Where the size of a page stands in the header of a file; 1 is 65536. */
#define PAGE_SIZE_OFFSET 16

typedef struct
{
  MetricsRecovery *recovery; /* (unowned) */
  MetricsDatabase *target;   /* (unowned) */
  guint64 n_rows;            /* that were written */
  guint64 total;             /* that are to be written */
} Output;

/* Nobody may write what is read. A folder that cannot be written has no lock, and no server. */
static gboolean
lock_folder (const char *folder, int *fd, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "lock", NULL);

  *fd = open (path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0 || flock (*fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return TRUE;
  metrics_lock_release (*fd);
  *fd = -1;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY, _ ("'%s' is in use by a server: stop it first"), folder);
  return FALSE;
}

static guint
read_page_size (const char *path)
{
  guint8 data[2] = { 0 };
  int fd = g_open (path, O_RDONLY | O_CLOEXEC, 0);
  guint size;

  if (fd < 0)
    return METRICS_PAGES_DEFAULT_SIZE;
  if (pread (fd, data, sizeof data, PAGE_SIZE_OFFSET) < (ssize_t) sizeof data)
    data[0] = data[1] = 0;
  close (fd);
  size = metrics_pages_get_16 (data);
  if (size == 1)
    return METRICS_PAGES_MAX_SIZE;
  return size >= 512 && (size & (size - 1)) == 0 ? size : METRICS_PAGES_DEFAULT_SIZE;
}

static guint
count_rows (const MetricsSalvage *self)
{
  return self->chunks->len + self->logs->len + g_hash_table_size (self->keys);
}

/* The header may be what is damaged: if it says something unusual, the usual is tried as well. */
static MetricsSalvage *
search (const char *path, const MetricsWatch *watch, GError **error)
{
  guint page_size = read_page_size (path);
  g_autoptr (MetricsSalvage) found = metrics_salvage_new (path, page_size, watch, error);
  MetricsSalvage *other;

  if (found == NULL || found->interrupted || page_size == METRICS_PAGES_DEFAULT_SIZE)
    return g_steal_pointer (&found);
  other = metrics_salvage_new (path, METRICS_PAGES_DEFAULT_SIZE, watch, error);
  if (other == NULL || count_rows (other) <= count_rows (found))
    {
      metrics_salvage_free (other);
      return g_steal_pointer (&found);
    }
  return other;
}

static gboolean
finish_row (Output *self, GError **error)
{
  const MetricsWatch *watch = self->recovery->watch;

  self->n_rows++;
  if (!watch->progress (self->n_rows, self->total, watch->user_data))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("interrupted: nothing is written"));
      return FALSE;
    }
  if (self->n_rows % ROWS_A_COMMIT != 0)
    return TRUE;
  return metrics_database_commit (self->target, error) && metrics_database_flush (self->target, FALSE, error)
         && metrics_database_begin (self->target, error);
}

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  gint64 one = **(const gint64 *const *) a;
  gint64 other = **(const gint64 *const *) b;

  return one < other ? -1 : one > other;
}

static gboolean
write_series (Output *self, GError **error)
{
  GHashTable *keys = self->recovery->keys;
  MetricsRecoverFigures *figures = self->recovery->figures;
  guint n;
  g_autofree gpointer *ids = g_hash_table_get_keys_as_array (keys, &n);

  qsort (ids, n, sizeof *ids, compare_numbers);
  for (guint i = 0; i < n; i++)
    {
      GBytes *key = g_hash_table_lookup (keys, ids[i]);
      gsize size;
      const char *data = g_bytes_get_data (key, &size);

      if (!metrics_database_insert_series (self->target, *(gint64 *) ids[i], key, error)
          || !finish_row (self, error))
        return FALSE;
      if (metrics_key_is_hidden (data, size))
        figures->n_rollup_series++;
      else
        figures->n_series++;
    }
  return TRUE;
}

static gboolean
write_rows (Output *self, const GArray *rows, GError **error)
{
  MetricsRecoverFigures *figures = self->recovery->figures;

  for (guint i = 0; i < rows->len; i++)
    {
      const MetricsSalvaged *row = &g_array_index (rows, MetricsSalvaged, i);
      g_autoptr (GBytes) data = NULL;
      MetricsCell cell;

      if (!metrics_salvage_read (self->recovery->found, row, self->recovery->buffer, &cell))
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, _ ("the file changes while it is read"));
          return FALSE;
        }
      data = g_bytes_new (cell.data, cell.size);
      /* The numbers of the log say its order and nothing else. */
      if (row->kind == METRICS_CELL_LOG
              ? !metrics_database_insert_log (self->target, i + 1, data, error)
              : !metrics_database_insert_chunk (self->target, row->series, row->span.first, row->span.last,
                                                row->span.n_points, data, error))
        return FALSE;
      figures->n_logs += row->kind == METRICS_CELL_LOG;
      figures->n_chunks += row->kind == METRICS_CELL_CHUNK;
      figures->n_points += row->kind == METRICS_CELL_CHUNK ? row->span.n_points : 0;
      if (!finish_row (self, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_all (MetricsRecovery *recovery, const char *path, GError **error)
{
  g_autoptr (MetricsDatabase) target = metrics_database_open (path, FALSE, error);
  Output self = { .recovery = recovery, .target = target };

  if (target == NULL)
    return FALSE;
  /* As the writer does it: a series after its chunks. */
  self.total = (guint64) g_hash_table_size (recovery->keys) + recovery->chunks->len + recovery->logs->len;
  return metrics_database_begin (target, error) && write_rows (&self, recovery->chunks, error)
         && write_series (&self, error) && write_rows (&self, recovery->logs, error)
         && metrics_database_commit (target, error);
}

/* When it is closed SQLite moves its log into the file, and says nothing where it cannot. */
static gboolean
check_closed (const char *path, GError **error)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);

  if (!g_file_test (log, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, _ ("it cannot be written to its end"));
  return FALSE;
}

static gboolean
write_new (MetricsRecovery *recovery, const char *path, GError **error)
{
  g_autoptr (MetricsNewFile) file = metrics_new_file_begin (path, error);

  if (file == NULL)
    return FALSE;
  if (write_all (recovery, metrics_new_file_get_path (file), error)
      && check_closed (metrics_new_file_get_path (file), error))
    return metrics_new_file_finish (file, error);
  if (error != NULL && !g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      && strstr ((*error)->message, path) == NULL)
    g_prefix_error (error, "'%s': ", path);
  return FALSE;
}

/* A database in which nothing was stored yet is a whole one all the same. */
static gboolean
is_ours (const MetricsSalvage *found)
{
  guint8 page[METRICS_PAGES_MAX_SIZE];

  return count_rows (found) > 0 || g_hash_table_size (found->index_keys) > 0
         || (metrics_pages_read (found->pages, 1, page) && memcmp (page, "SQLite format 3", 16) == 0
             && metrics_pages_get_32 (page + 68) == METRICS_DATABASE_APPLICATION_ID);
}

static gboolean
recover (const char *source,
         const char *path,
         const MetricsWatch *watch,
         MetricsRecoverFigures *figures,
         GError **error)
{
  g_autoptr (MetricsSalvage) found = search (source, watch, error);
  g_autoptr (MetricsRecovery) recovery = NULL;

  if (found == NULL)
    return FALSE;
  if (found->interrupted)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("interrupted: nothing is written"));
      return FALSE;
    }
  if (!is_ours (found))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _ ("'%s' has nothing that metricsd has written"), source);
      return FALSE;
    }
  recovery = metrics_recovery_new (found, watch, figures);
  return write_new (recovery, path, error);
}

/**
 * metrics_recover_write:
 * @folder: (type filename): where a server has kept its points; it must not run
 * @path: (type filename): the file to write, whose name nothing has
 * @watch: whom to tell what is lost
 * @figures: (out caller-allocates): what became of it
 * @error: return location for a #GError
 *
 * Makes a new database of all that is whole in that of a folder, which is only read.
 *
 * Returns: %FALSE where that was not possible; there is no file then
 */
gboolean
metrics_recover_write (const char *folder,
                       const char *path,
                       const MetricsWatch *watch,
                       MetricsRecoverFigures *figures,
                       GError **error)
{
  g_autofree char *source = metrics_source_build_path (folder);
  GStatBuf status;
  gboolean good;
  int lock;

  g_return_val_if_fail (folder != NULL, FALSE);
  g_return_val_if_fail (path != NULL, FALSE);

  *figures = (MetricsRecoverFigures){ 0 };
  /* It may take long until the file is begun. */
  if (g_lstat (path, &status) == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "'%s': %s", path, g_strerror (EEXIST));
      return FALSE;
    }
  if (!lock_folder (folder, &lock, error))
    return FALSE;
  good = recover (source, path, watch, figures, error);
  metrics_lock_release (lock);
  return good;
}
