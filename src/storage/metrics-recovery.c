/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-recovery.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* Of the rows that were found in a damaged file, some may have been deleted, some stand there twice, and some
 * have a wrong number or belong to a series whose key is gone. What is saved has to be a database as
 * README.md of this room describes it. */

static void G_GNUC_PRINTF (2, 3) lose (MetricsRecovery *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  self->figures->n_lost++;
  self->watch->report (text, self->watch->user_data);
}

static GHashTable *
by_number_new (GDestroyNotify free_value)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, free_value);
}

static gpointer
number_new (gint64 number)
{
  return g_memdup2 (&number, sizeof number);
}

/* A row of a free page was deleted, unless the index still knows of it; of the log, unless its page is in use
 * as well. */
static gboolean
is_deleted (MetricsRecovery *self, const MetricsSalvaged *row)
{
  const MetricsSalvaged *span = g_hash_table_lookup (self->spans, &row->id);

  if (!row->doubtful || row->page > metrics_pages_get_n (self->found->pages))
    return FALSE;
  if (row->kind != METRICS_CELL_CHUNK)
    return !row->referenced;
  return span == NULL || span->series != row->series || span->span.first != row->span.first;
}

static void
take_spans (MetricsRecovery *self)
{
  for (guint i = 0; i < self->found->spans->len; i++)
    {
      MetricsSalvaged *span = &g_array_index (self->found->spans, MetricsSalvaged, i);

      if (!span->doubtful)
        g_hash_table_replace (self->spans, number_new (span->id), span);
    }
}

static void
on_change (const MetricsLogChange *change, gpointer user_data)
{
  MetricsRecovery *self = user_data;

  g_hash_table_add (self->touched, number_new (change->id));
  if (change->kind == METRICS_LOG_BEGIN && !g_hash_table_contains (self->begun, &change->id))
    g_hash_table_insert (self->begun, number_new (change->id), g_bytes_new (change->key, change->key_len));
}

static gint
compare_logs (gconstpointer a, gconstpointer b)
{
  const MetricsSalvaged *one = a;
  const MetricsSalvaged *other = b;

  if (one->id != other->id)
    return one->id < other->id ? -1 : 1;
  return one->doubtful - other->doubtful;
}

/* The numbers of the log have no gaps. */
static void
report_gap (MetricsRecovery *self, gint64 from, gint64 to)
{
  if (from == to)
    lose (self, _ ("table 'log', row %" PRId64 ": lost"), from);
  else
    lose (self, _ ("table 'log', rows %" PRId64 " to %" PRId64 ": lost"), from, to);
}

static void
take_logs (MetricsRecovery *self)
{
  GArray *logs = self->found->logs;

  g_array_sort (logs, compare_logs);
  for (guint i = 0; i < logs->len; i++)
    {
      const MetricsSalvaged *row = &g_array_index (logs, MetricsSalvaged, i);
      const MetricsSalvaged *before
          = self->logs->len > 0 ? &g_array_index (self->logs, MetricsSalvaged, self->logs->len - 1) : NULL;
      MetricsCell cell;

      if (is_deleted (self, row) || (before != NULL && before->id == row->id)
          || !metrics_salvage_read (self->found, row, self->buffer, &cell))
        continue;
      if (before != NULL && row->id > before->id + 1)
        report_gap (self, before->id + 1, row->id - 1);
      g_array_append_val (self->logs, *row);
      metrics_whole_log (cell.data, cell.size, on_change, self);
    }
}

/* Those of the log that are no gap: before its first whole row, or behind its last one. */
static void
report_broken_logs (MetricsRecovery *self)
{
  gint64 first = G_MAXINT64;
  gint64 last = G_MININT64;

  if (self->logs->len > 0)
    {
      first = g_array_index (self->logs, MetricsSalvaged, 0).id;
      last = g_array_index (self->logs, MetricsSalvaged, self->logs->len - 1).id;
    }
  for (guint i = 0; i < self->found->broken->len; i++)
    {
      const MetricsSalvaged *row = &g_array_index (self->found->broken, MetricsSalvaged, i);

      if (row->kind == METRICS_CELL_LOG && !row->doubtful && (row->id < first || row->id > last))
        report_gap (self, row->id, row->id);
    }
}

static gboolean
set_key (MetricsRecovery *self, gint64 id, GBytes *key)
{
  if (g_hash_table_contains (self->users, key))
    return FALSE;
  g_hash_table_insert (self->users, g_bytes_ref (key), number_new (id));
  g_hash_table_replace (self->keys, number_new (id), g_bytes_ref (key));
  return TRUE;
}

/* Under a key that is made from the number, and that no other series has. */
static void
set_lost_key (MetricsRecovery *self, gint64 id)
{
  g_autofree char *text = g_strdup_printf ("lost.%" G_GINT64_FORMAT, id);
  g_autoptr (GBytes) key = g_bytes_new (text, strlen (text));

  while (!set_key (self, id, key))
    {
      g_autofree char *longer = g_strconcat (text, "_", NULL);

      g_bytes_unref (key);
      key = g_bytes_new (longer, strlen (longer));
      g_free (text);
      text = g_steal_pointer (&longer);
    }
  lose (self, _ ("table 'series', row %" PRId64 ": the key is lost; what there is of it is now '%s'"), id,
        text);
}

static char *
describe_key (GBytes *key)
{
  gsize size;
  const char *data = g_bytes_get_data (key, &size);

  return g_strndup (data, size);
}

static char *
describe_series (MetricsRecovery *self, gint64 id)
{
  GBytes *key = g_hash_table_lookup (self->keys, &id);
  g_autofree char *text = key != NULL ? describe_key (key) : NULL;

  return text != NULL ? g_strdup_printf ("%" G_GINT64_FORMAT " '%s'", id, text)
                      : g_strdup_printf ("%" G_GINT64_FORMAT, id);
}

static void
take_key_of_table (MetricsRecovery *self, gint64 id, GBytes *key)
{
  GBytes *other = g_hash_table_lookup (self->found->index_keys, &id);

  if (!set_key (self, id, key) && other != NULL && !g_bytes_equal (key, other))
    set_key (self, id, other);
  else if (other != NULL && !g_bytes_equal (key, other))
    {
      g_autofree char *text = describe_key (key);
      g_autofree char *other_text = describe_key (other);

      lose (self, _ ("table 'series', row %" PRId64 ": the key is '%s', or '%s'"), id, text, other_text);
    }
}

static gboolean
is_used (MetricsRecovery *self, gint64 id)
{
  if (g_hash_table_contains (self->touched, &id))
    return TRUE;
  for (guint i = 0; i < self->chunks->len; i++)
    if (g_array_index (self->chunks, MetricsSalvaged, i).series == id)
      return TRUE;
  return FALSE;
}

/* The index has the number that a key had when it was put there, and so has the table: where they differ, the
 * one counts whose series has something. */
static void
take_key_of_index (MetricsRecovery *self, gint64 id, GBytes *key)
{
  const gint64 *user = g_hash_table_lookup (self->users, key);
  gint64 other;

  if (g_hash_table_contains (self->keys, &id) || (user != NULL && *user == id))
    return;
  if (user == NULL)
    {
      set_key (self, id, key);
      return;
    }
  other = *user;
  if (!is_used (self, id) || is_used (self, other))
    return;
  g_hash_table_remove (self->keys, &other);
  g_hash_table_remove (self->users, key);
  set_key (self, id, key);
}

static void
take_keys (MetricsRecovery *self)
{
  GHashTableIter iter;
  gpointer id;
  gpointer key;

  g_hash_table_iter_init (&iter, self->found->keys);
  while (g_hash_table_iter_next (&iter, &id, &key))
    take_key_of_table (self, *(gint64 *) id, key);
  g_hash_table_iter_init (&iter, self->found->index_keys);
  while (g_hash_table_iter_next (&iter, &id, &key))
    take_key_of_index (self, *(gint64 *) id, key);
}

static gboolean
is_known (MetricsRecovery *self, gint64 series)
{
  return g_hash_table_contains (self->keys, &series) || g_hash_table_contains (self->begun, &series);
}

/* No series has a number below 1: a chunk that says so gets one that is free. */
static gint64
find_number (MetricsRecovery *self, gint64 series)
{
  gint64 id = series < -1 && series > G_MININT64 ? -series : 1;

  while (is_known (self, id) || is_used (self, id))
    id++;
  return id;
}

/* Where table and index differ in whose a chunk is, the series has to be one that there is. */
static void
settle_series (MetricsRecovery *self)
{
  for (guint i = 0; i < self->chunks->len; i++)
    {
      MetricsSalvaged *row = &g_array_index (self->chunks, MetricsSalvaged, i);
      const MetricsSalvaged *span = g_hash_table_lookup (self->spans, &row->id);
      gboolean differs = span != NULL && span->series != row->series && span->span.first == row->span.first;

      if (differs && !is_known (self, row->series) && is_known (self, span->series))
        row->series = span->series;
      else if (row->series <= 0)
        row->series = find_number (self, row->series);
      else if (differs && is_known (self, span->series))
        lose (self, _ ("table 'chunk', row %" PRId64 ": it is of series %" PRId64 ", or of %" PRId64),
              row->id, row->series, span->series);
    }
}

static gint
compare_chunks (gconstpointer a, gconstpointer b)
{
  const MetricsSalvaged *one = a;
  const MetricsSalvaged *other = b;

  if (one->series != other->series)
    return one->series < other->series ? -1 : 1;
  if (one->span.first != other->span.first)
    return one->span.first < other->span.first ? -1 : 1;
  if (one->doubtful != other->doubtful)
    return one->doubtful - other->doubtful;
  return one->id > other->id ? -1 : one->id < other->id;
}

static void
report_chunk (MetricsRecovery *self, const MetricsSalvaged *row, const char *what)
{
  g_autofree char *series = describe_series (self, row->series);

  if (row->kind == METRICS_CELL_SPAN)
    lose (self,
          /* Translators: a row, what became of it, a series, and the time of its first point */
          _ ("table 'chunk', row %" PRId64 ": %s; series %s, points from %" PRId64 " on"), row->id, what,
          series, row->span.first);
  else
    lose (self,
          /* Translators: a row, what became of it, a series, how many points, and their first and last
           * times */
          ngettext ("table 'chunk', row %" PRId64 ": %s; series %s, %" PRIu64 " point from %" PRId64
                    " to %" PRId64,
                    "table 'chunk', row %" PRId64 ": %s; series %s, %" PRIu64 " points from %" PRId64
                    " to %" PRId64,
                    row->span.n_points),
          row->id, what, series, row->span.n_points, row->span.first, row->span.last);
}

/* Whether a chunk can stand behind another one; where not, the newer one counts, which has the higher number.
 */
static gboolean
make_room (MetricsRecovery *self, guint *n_kept, const MetricsSalvaged *row)
{
  MetricsSalvaged *before;
  gboolean is_better;

  if (*n_kept == 0)
    return TRUE;
  before = &g_array_index (self->chunks, MetricsSalvaged, *n_kept - 1);
  if (before->series != row->series || before->span.last < row->span.first)
    return TRUE;
  is_better = before->doubtful != row->doubtful ? before->doubtful : row->id > before->id;
  /* What is doubtful was deleted, where there is something else. */
  if (before->doubtful == row->doubtful
      && (before->span.first != row->span.first || before->span.last != row->span.last
          || before->span.n_points != row->span.n_points))
    /* Translators: what became of a row: it stands behind a colon */
    report_chunk (self, is_better ? before : row, _ ("left out, for it overlaps a newer one"));
  *n_kept -= is_better;
  return is_better;
}

static void
set_apart (MetricsRecovery *self)
{
  guint n_kept = 0;

  g_array_sort (self->chunks, compare_chunks);
  for (guint i = 0; i < self->chunks->len; i++)
    {
      MetricsSalvaged row = g_array_index (self->chunks, MetricsSalvaged, i);

      if (make_room (self, &n_kept, &row))
        g_array_index (self->chunks, MetricsSalvaged, n_kept++) = row;
    }
  g_array_set_size (self->chunks, n_kept);
}

static void
take_chunks (MetricsRecovery *self)
{
  for (guint i = 0; i < self->found->chunks->len; i++)
    {
      const MetricsSalvaged *row = &g_array_index (self->found->chunks, MetricsSalvaged, i);

      if (!is_deleted (self, row))
        g_array_append_val (self->chunks, *row);
    }
}

/* Of chunks that are not whole, the row may tell, the index, or both. */
static void
report_chunks (MetricsRecovery *self)
{
  g_autoptr (GHashTable) told = by_number_new (NULL);
  const GArray *rows[] = { self->found->broken, self->found->spans };

  for (guint i = 0; i < self->found->chunks->len; i++)
    g_hash_table_add (told, number_new (g_array_index (self->found->chunks, MetricsSalvaged, i).id));
  for (guint k = 0; k < G_N_ELEMENTS (rows); k++)
    for (guint i = 0; i < rows[k]->len; i++)
      {
        const MetricsSalvaged *row = &g_array_index (rows[k], MetricsSalvaged, i);

        if (row->kind != METRICS_CELL_LOG && !row->doubtful && g_hash_table_add (told, number_new (row->id)))
          /* Translators: what became of a row: it stands behind a colon */
          report_chunk (self, row, _ ("lost"));
      }
}

static void
report_pages (MetricsRecovery *self)
{
  for (guint i = 0; i < self->found->damaged->len; i++)
    {
      guint number = g_array_index (self->found->damaged, guint, i);

      /* The first one has no rows of ours. */
      if (number > 1 && number <= metrics_pages_get_n (self->found->pages))
        lose (self, _ ("page %u is damaged: not all that was in it is known"), number);
      else if (number == 1)
        self->watch->report (_ ("page 1 is damaged"), self->watch->user_data);
    }
  for (guint i = 0; i < self->found->contested->len; i++)
    lose (self, _ ("page %u is free, and in use"), g_array_index (self->found->contested, guint, i));
  if (metrics_pages_get_n_missing (self->found->pages) > 0)
    lose (self,
          ngettext ("the file is cut short: %u page is missing",
                    "the file is cut short: %u pages are missing",
                    metrics_pages_get_n_missing (self->found->pages)),
          metrics_pages_get_n_missing (self->found->pages));
  if (metrics_pages_get_n_strays (self->found->pages) > 0)
    lose (self,
          ngettext ("metricsd.db-wal is damaged: %u page of it is uncertain",
                    "metricsd.db-wal is damaged: %u pages of it are uncertain",
                    metrics_pages_get_n_strays (self->found->pages)),
          metrics_pages_get_n_strays (self->found->pages));
}

/* Chunks do not count without a row of their series, but for one that the log holds all of. What it has of
 * series that it does not begin is of none that there is; but where something is lost, so may be that. */
static void
name_series (MetricsRecovery *self)
{
  gboolean is_damaged = self->figures->n_lost > 0;
  GHashTableIter iter;
  gpointer key;

  for (guint i = 0; i < self->chunks->len; i++)
    {
      gint64 id = g_array_index (self->chunks, MetricsSalvaged, i).series;
      GBytes *begun = g_hash_table_lookup (self->begun, &id);

      if (g_hash_table_contains (self->keys, &id))
        continue;
      if (begun == NULL)
        set_lost_key (self, id);
      else if (is_damaged)
        set_key (self, id, begun);
    }
  g_hash_table_iter_init (&iter, self->touched);
  while (is_damaged && g_hash_table_iter_next (&iter, &key, NULL))
    if (!is_known (self, *(gint64 *) key) && *(gint64 *) key > 0)
      set_lost_key (self, *(gint64 *) key);
}

/**
 * metrics_recovery_new:
 * @found: what was found; it has to live longer
 * @watch: whom to tell what is lost
 * @figures: where it is counted
 *
 * Decides what is saved.
 *
 * Returns: (transfer full): that
 */
MetricsRecovery *
metrics_recovery_new (MetricsSalvage *found, const MetricsWatch *watch, MetricsRecoverFigures *figures)
{
  MetricsRecovery *self = g_new0 (MetricsRecovery, 1);

  self->found = found;
  self->watch = watch;
  self->figures = figures;
  self->chunks = g_array_new (FALSE, FALSE, sizeof (MetricsSalvaged));
  self->logs = g_array_new (FALSE, FALSE, sizeof (MetricsSalvaged));
  self->keys = by_number_new ((GDestroyNotify) g_bytes_unref);
  self->users = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, g_free);
  self->begun = by_number_new ((GDestroyNotify) g_bytes_unref);
  self->touched = by_number_new (NULL);
  self->spans = by_number_new (NULL);
  self->buffer = g_byte_array_new ();

  take_spans (self);
  report_pages (self);
  take_logs (self);
  report_broken_logs (self);
  take_chunks (self);
  take_keys (self);
  settle_series (self);
  set_apart (self);
  report_chunks (self);
  name_series (self);
  return self;
}

/**
 * metrics_recovery_free:
 * @self: (transfer full): what is saved
 */
void
metrics_recovery_free (MetricsRecovery *self)
{
  g_array_unref (self->chunks);
  g_array_unref (self->logs);
  g_hash_table_unref (self->keys);
  g_hash_table_unref (self->users);
  g_hash_table_unref (self->begun);
  g_hash_table_unref (self->touched);
  g_hash_table_unref (self->spans);
  g_byte_array_unref (self->buffer);
  g_free (self);
}
