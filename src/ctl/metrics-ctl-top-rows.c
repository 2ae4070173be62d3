/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-top-rows.h"

#include "ctl/metrics-ctl-text.h"

#include <string.h>

static const char *const names[] = { "key", "last", "min", "max", "avg", "points", "age" };

G_STATIC_ASSERT (G_N_ELEMENTS (names) == METRICS_CTL_TOP_N_COLUMNS);

static void
free_row (gpointer data)
{
  MetricsCtlTopRow *row = data;

  if (row == NULL)
    return;
  g_free (row->key);
  g_free (row->label);
  g_free (row->stats);
  g_free (row);
}

/**
 * metrics_ctl_top_rows_new:
 * @sort: what to sort by
 * @reverse: whether the other way around
 *
 * Returns: (transfer full): a table without rows
 */
MetricsCtlTopRows *
metrics_ctl_top_rows_new (MetricsCtlTopColumn sort, gboolean reverse)
{
  MetricsCtlTopRows *self = g_new0 (MetricsCtlTopRows, 1);

  self->sort = sort;
  self->reverse = reverse;
  self->filter = g_strdup ("");
  self->all = g_ptr_array_new_with_free_func (free_row);
  self->shown = g_ptr_array_new ();
  self->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

/**
 * metrics_ctl_top_rows_free:
 * @self: (transfer full) (nullable): a table
 */
void
metrics_ctl_top_rows_free (MetricsCtlTopRows *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->by_key);
  g_ptr_array_unref (self->shown);
  g_ptr_array_unref (self->all);
  g_free (self->filter);
  g_free (self);
}

/**
 * metrics_ctl_top_column_from_name:
 * @name: a name
 * @column: (out): the column
 *
 * Returns: whether there is one of that name
 */
gboolean
metrics_ctl_top_column_from_name (const char *name, MetricsCtlTopColumn *column)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], name) == 0)
      {
        *column = (MetricsCtlTopColumn) i;
        return TRUE;
      }
  return FALSE;
}

/**
 * metrics_ctl_top_column_is_of_window:
 * @column: a column
 *
 * Returns: whether the window of each series has to be read for it
 */
gboolean
metrics_ctl_top_column_is_of_window (MetricsCtlTopColumn column)
{
  return column == METRICS_CTL_TOP_MIN || column == METRICS_CTL_TOP_MAX || column == METRICS_CTL_TOP_AVG
         || column == METRICS_CTL_TOP_POINTS;
}

/**
 * metrics_ctl_top_rows_find:
 * @self: a table
 * @key: a key
 *
 * Returns: (transfer none) (nullable): its row
 */
MetricsCtlTopRow *
metrics_ctl_top_rows_find (const MetricsCtlTopRows *self, const char *key)
{
  return g_hash_table_lookup (self->by_key, key);
}

static MetricsCtlTopRow *
add (MetricsCtlTopRows *self, const char *key)
{
  MetricsCtlTopRow *row = g_new0 (MetricsCtlTopRow, 1);

  row->key = g_strdup (key);
  row->label = metrics_ctl_escape (key, strlen (key), G_MAXSIZE);
  g_ptr_array_add (self->all, row);
  g_hash_table_insert (self->by_key, row->key, row);
  return row;
}

static void
set_newest (MetricsCtlTopRow *row, gint64 time, double value)
{
  row->time = time;
  row->value = value;
}

/**
 * metrics_ctl_top_rows_put:
 * @self: a table
 * @sample: a point that was put
 *
 * Returns: whether there is a new row
 */
gboolean
metrics_ctl_top_rows_put (MetricsCtlTopRows *self, const MetricsSample *sample)
{
  MetricsCtlTopRow *row = metrics_ctl_top_rows_find (self, sample->key);
  gboolean is_new = row == NULL;

  if (is_new)
    row = add (self, sample->key);
  row->changed = TRUE;
  row->put_at = g_get_monotonic_time ();
  if (is_new || sample->timestamp >= row->time)
    set_newest (row, sample->timestamp, sample->value);
  return is_new;
}

/* Rows of series that are not among those that were found go, but for those that came later. */
static void
drop_others (MetricsCtlTopRows *self, GHashTable *found, gint64 asked_at)
{
  guint n = 0;

  for (guint i = 0; i < self->all->len; i++)
    {
      MetricsCtlTopRow *row = g_ptr_array_index (self->all, i);

      if (row->put_at >= asked_at || g_hash_table_contains (found, row->key))
        self->all->pdata[n++] = row;
      else
        {
          g_hash_table_remove (self->by_key, row->key);
          free_row (row);
        }
    }
  /* Behind the end are rows that have moved to the front, or are freed. */
  for (guint i = n; i < self->all->len; i++)
    self->all->pdata[i] = NULL;
  g_ptr_array_set_size (self->all, (int) n);
}

/**
 * metrics_ctl_top_rows_load:
 * @self: a table
 * @samples: (element-type MetricsSample): the newest point of each series
 * @asked_at: when the server was asked for them, in microseconds of monotonic time
 *
 * Takes these series for all that there are, but for what was put since. What is known of the windows stays
 * until it is read again.
 */
void
metrics_ctl_top_rows_load (MetricsCtlTopRows *self, const GPtrArray *samples, gint64 asked_at)
{
  g_autoptr (GHashTable) found = g_hash_table_new (g_str_hash, g_str_equal);

  g_ptr_array_set_size (self->shown, 0);
  for (guint i = 0; i < samples->len; i++)
    {
      const MetricsSample *sample = g_ptr_array_index (samples, i);
      MetricsCtlTopRow *row = metrics_ctl_top_rows_find (self, sample->key);

      if (row == NULL)
        row = add (self, sample->key);
      if (row->put_at < asked_at)
        set_newest (row, sample->timestamp, sample->value);
      row->changed = TRUE;
      g_hash_table_add (found, sample->key);
    }
  drop_others (self, found, asked_at);
  metrics_ctl_top_rows_arrange (self);
}

/**
 * metrics_ctl_top_row_take_stats:
 * @self: a row
 * @stats: (transfer full) (nullable): what was read; %NULL where the window has no points
 * @now: the time for which it holds
 */
void
metrics_ctl_top_row_take_stats (MetricsCtlTopRow *self, MetricsCtlTopStats *stats, gint64 now)
{
  g_free (self->stats);
  self->stats = stats;
  self->read_at = now;
}

/**
 * metrics_ctl_top_rows_set_filter:
 * @self: a table
 * @filter: what a key has to have in it, whatever the case of letters
 */
void
metrics_ctl_top_rows_set_filter (MetricsCtlTopRows *self, const char *filter)
{
  char *copy = g_strdup (filter);

  g_free (self->filter);
  self->filter = copy;
  metrics_ctl_top_rows_arrange (self);
}

static double
get_number (const MetricsCtlTopRow *row, MetricsCtlTopColumn column)
{
  switch (column)
    {
    case METRICS_CTL_TOP_MIN:
      return row->stats->min;
    case METRICS_CTL_TOP_MAX:
      return row->stats->max;
    case METRICS_CTL_TOP_AVG:
      return row->stats->avg;
    case METRICS_CTL_TOP_POINTS:
      return (double) row->stats->n;
    case METRICS_CTL_TOP_LAST:
    case METRICS_CTL_TOP_KEY:
    case METRICS_CTL_TOP_AGE:
    case METRICS_CTL_TOP_N_COLUMNS:
    default:
      return row->value;
    }
}

/* Keys ascend, the largest numbers and the youngest points come first; what is not known comes last either
 * way. */
static int
compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MetricsCtlTopRow *x = *(MetricsCtlTopRow *const *) a, *y = *(MetricsCtlTopRow *const *) b;
  const MetricsCtlTopRows *self = user_data;
  int order = 0;

  if (metrics_ctl_top_column_is_of_window (self->sort) && (x->stats == NULL || y->stats == NULL))
    {
      if ((x->stats == NULL) != (y->stats == NULL))
        return x->stats == NULL ? 1 : -1;
    }
  else if (self->sort == METRICS_CTL_TOP_AGE)
    order = (x->time < y->time) - (x->time > y->time);
  else if (self->sort != METRICS_CTL_TOP_KEY)
    {
      double u = get_number (x, self->sort), v = get_number (y, self->sort);

      order = (u < v) - (u > v);
    }
  else
    order = strcmp (x->key, y->key);
  if (order != 0)
    return self->reverse ? -order : order;
  return strcmp (x->key, y->key);
}

/**
 * metrics_ctl_top_rows_arrange:
 * @self: a table
 *
 * Chooses and sorts the rows that are shown: to be called after a change.
 */
void
metrics_ctl_top_rows_arrange (MetricsCtlTopRows *self)
{
  g_autofree char *wanted = g_utf8_casefold (self->filter, -1);

  g_ptr_array_set_size (self->shown, 0);
  for (guint i = 0; i < self->all->len; i++)
    {
      const MetricsCtlTopRow *row = g_ptr_array_index (self->all, i);
      g_autofree char *key = *wanted != '\0' ? g_utf8_casefold (row->key, -1) : NULL;

      if (key == NULL || strstr (key, wanted) != NULL)
        g_ptr_array_add (self->shown, g_ptr_array_index (self->all, i));
    }
  g_ptr_array_sort_with_data (self->shown, compare, self);
}

/**
 * metrics_ctl_top_rows_get_index:
 * @self: a table
 * @key: (nullable): a key
 *
 * Returns: the place of its row among those that are shown; -1 where it is not there
 */
int
metrics_ctl_top_rows_get_index (const MetricsCtlTopRows *self, const char *key)
{
  for (guint i = 0; key != NULL && i < self->shown->len; i++)
    if (strcmp (((const MetricsCtlTopRow *) self->shown->pdata[i])->key, key) == 0)
      return (int) i;
  return -1;
}
