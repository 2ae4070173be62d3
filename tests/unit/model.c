/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "model.h"

#include <float.h>
#include <math.h>
#include <string.h>

Model *
model_new (void)
{
  Model *self = g_new0 (Model, 1);

  self->series = g_ptr_array_new_with_free_func ((GDestroyNotify) model_series_unref);
  self->table = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

void
model_free (Model *self)
{
  g_hash_table_unref (self->table);
  g_ptr_array_unref (self->series);
  g_free (self);
}

ModelSeries *
model_series_ref (ModelSeries *series)
{
  series->ref_count++;
  return series;
}

void
model_series_unref (ModelSeries *series)
{
  if (--series->ref_count > 0)
    return;
  g_array_unref (series->points);
  g_clear_pointer (&series->states, g_ptr_array_unref);
  g_free (series->key);
  g_free (series);
}

static void
keep_state (Model *self, ModelSeries *series)
{
  if (!self->keep_states)
    return;
  if (series->states == NULL)
    series->states = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_ptr_array_add (series->states, g_array_copy (series->points));
}

void
model_put (Model *self, const char *key, MetricsPoint point)
{
  ModelSeries *series = g_hash_table_lookup (self->table, key);
  guint i;

  if (series == NULL)
    {
      series = g_new0 (ModelSeries, 1);
      series->ref_count = 1;
      series->key = g_strdup (key);
      series->points = g_array_new (FALSE, FALSE, sizeof (MetricsPoint));
      g_ptr_array_add (self->series, series);
      g_hash_table_insert (self->table, series->key, series);
    }

  keep_state (self, series);
  for (i = series->points->len; i > 0; i--)
    {
      MetricsPoint *p = &g_array_index (series->points, MetricsPoint, i - 1);

      if (p->time == point.time)
        {
          *p = point;
          return;
        }
      if (p->time < point.time)
        break;
    }
  g_array_insert_val (series->points, i, point);
}

static gboolean
is_in_span (const MetricsQuerySpec *spec, gint64 time)
{
  return time >= spec->from && time <= spec->to;
}

guint64
model_delete_from (Model *self, ModelSeries *series, const MetricsQuerySpec *spec)
{
  guint n_before = series->points->len;
  guint n = 0;

  keep_state (self, series);
  for (guint i = 0; i < n_before; i++)
    {
      MetricsPoint p = g_array_index (series->points, MetricsPoint, i);

      if (!is_in_span (spec, p.time))
        g_array_index (series->points, MetricsPoint, n++) = p;
    }
  g_array_set_size (series->points, n);
  if (n == 0)
    {
      g_hash_table_remove (self->table, series->key);
      g_ptr_array_remove (self->series, series);
    }
  return n_before - n;
}

guint64
model_delete (Model *self, const MetricsQuerySpec *spec)
{
  g_autoptr (GPtrArray) all = model_list (self, spec);
  guint64 n = 0;

  for (guint i = 0; i < all->len; i++)
    n += model_delete_from (self, g_ptr_array_index (all, i), spec);
  return n;
}

GPtrArray *
model_list (Model *self, const MetricsQuerySpec *spec)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) model_series_unref);

  for (guint i = 0; i < self->series->len; i++)
    {
      ModelSeries *series = g_ptr_array_index (self->series, i);

      if (model_matches (spec, series->key))
        g_ptr_array_add (list, model_series_ref (series));
    }
  return list;
}

guint64
model_count_points (Model *self)
{
  guint64 n = 0;

  for (guint i = 0; i < self->series->len; i++)
    n += ((ModelSeries *) g_ptr_array_index (self->series, i))->points->len;
  return n;
}

static gboolean
glob (const char *pattern, const char *end, const char *text)
{
  if (pattern == end)
    return *text == '\0';
  if (*pattern == '*')
    return glob (pattern + 1, end, text) || (*text != '\0' && glob (pattern, end, g_utf8_next_char (text)));
  if (*text == '\0')
    return FALSE;
  if (*pattern == '?')
    return glob (pattern + 1, end, g_utf8_next_char (text));
  if (*pattern == '\\')
    pattern++;
  return *pattern == *text && glob (pattern + 1, end, text + 1);
}

gboolean
model_matches (const MetricsQuerySpec *spec, const char *key)
{
  if (spec->is_pattern)
    return glob (spec->key, spec->key + spec->key_len, key);
  return strlen (key) == spec->key_len && memcmp (spec->key, key, spec->key_len) == 0;
}

static gint64
bucket_of (gint64 time, gint64 step)
{
  gint64 quotient = time / step;
  gint64 start;

  if (time < 0 && time % step != 0)
    quotient--;
  return __builtin_mul_overflow (quotient, step, &start) ? G_MININT64 : start;
}

static double
clamp_to_double (long double x)
{
  return x > DBL_MAX ? DBL_MAX : x < -DBL_MAX ? -DBL_MAX : (double) x;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
nearest_rank (const MetricsPoint *points, guint n, guint percent)
{
  g_autofree double *values = g_new (double, n);
  guint rank = 1;

  for (guint i = 0; i < n; i++)
    values[i] = points[i].value;
  qsort (values, n, sizeof *values, compare_doubles);
  while ((guint64) rank * 100 < (guint64) percent * n)
    rank++;
  return values[rank - 1];
}

static void
add_up (const MetricsPoint *points, guint n, MetricsAggregation aggregation, ModelRow *row)
{
  long double sum = 0;
  long double magnitude = 0;
  long double divisor = aggregation == METRICS_AGGREGATION_AVG ? n : 1;

  for (guint i = 0; i < n; i++)
    {
      sum += points[i].value;
      magnitude += fabsl (points[i].value);
    }
  row->point.value = clamp_to_double (sum / divisor);
  row->tolerance = clamp_to_double (magnitude / divisor * 1e-12L);
}

static gboolean
rate (const MetricsPoint *points, guint n, const MetricsPoint *before, ModelRow *row)
{
  const MetricsPoint *previous = before;
  long double sum = 0;
  long double magnitude = 0;
  long double span;

  for (guint i = 0; i < n; i++)
    {
      if (previous != NULL)
        {
          long double increase = points[i].value;

          if (points[i].value >= previous->value)
            increase -= previous->value;
          sum += increase;
          magnitude += fabsl (increase);
        }
      previous = &points[i];
    }
  if (before == NULL && n < 2)
    return FALSE;
  span = (long double) points[n - 1].time - (before != NULL ? before->time : points[0].time);
  row->point.value = clamp_to_double (sum / span);
  row->tolerance = clamp_to_double (magnitude / span * 1e-12L);
  return TRUE;
}

static gboolean
reduce (const MetricsPoint *points,
        guint n,
        const MetricsPoint *before,
        MetricsAggregation aggregation,
        ModelRow *row)
{
  double *value = &row->point.value;

  *value = points[0].value;
  switch (aggregation)
    {
    case METRICS_AGGREGATION_AVG:
    case METRICS_AGGREGATION_SUM:
      add_up (points, n, aggregation, row);
      return TRUE;
    case METRICS_AGGREGATION_MIN:
      for (guint i = 0; i < n; i++)
        *value = fmin (*value, points[i].value);
      return TRUE;
    case METRICS_AGGREGATION_MAX:
      for (guint i = 0; i < n; i++)
        *value = fmax (*value, points[i].value);
      return TRUE;
    case METRICS_AGGREGATION_COUNT:
      *value = n;
      return TRUE;
    case METRICS_AGGREGATION_FIRST:
      return TRUE;
    case METRICS_AGGREGATION_LAST:
      *value = points[n - 1].value;
      return TRUE;
    case METRICS_AGGREGATION_MEDIAN:
      *value = nearest_rank (points, n, 50);
      return TRUE;
    case METRICS_AGGREGATION_P95:
      *value = nearest_rank (points, n, 95);
      return TRUE;
    case METRICS_AGGREGATION_P99:
      *value = nearest_rank (points, n, 99);
      return TRUE;
    case METRICS_AGGREGATION_RATE:
      return rate (points, n, before, row);
    case METRICS_AGGREGATION_NONE:
      break;
    }
  g_assert_not_reached ();
}

static void
answer_buckets (const char *key, const GArray *points, const MetricsQuerySpec *spec, GArray *rows)
{
  const MetricsPoint *p = (const MetricsPoint *) points->data;

  for (guint i = 0, end; i < points->len; i = end)
    {
      ModelRow row = { .key = key, .point.time = bucket_of (p[i].time, spec->step) };

      end = i + 1;
      if (!is_in_span (spec, p[i].time))
        continue;
      while (end < points->len && is_in_span (spec, p[end].time)
             && bucket_of (p[end].time, spec->step) == row.point.time)
        end++;
      if (reduce (p + i, end - i, i > 0 ? p + i - 1 : NULL, spec->aggregation, &row))
        g_array_append_val (rows, row);
    }
}

void
model_answer_series (const char *key, const GArray *points, const MetricsQuerySpec *spec, GArray *rows)
{
  const MetricsPoint *p = (const MetricsPoint *) points->data;
  ModelRow row = { .key = key, .n_total = points->len };

  if (points->len == 0)
    return;
  switch (spec->kind)
    {
    case METRICS_QUERY_POINTS:
      row.n_total = 0;
      for (guint i = 0; i < points->len; i++)
        {
          row.point = p[i];
          if (is_in_span (spec, p[i].time))
            g_array_append_val (rows, row);
        }
      break;
    case METRICS_QUERY_LAST:
      row.n_total = 0;
      row.point = p[points->len - 1];
      g_array_append_val (rows, row);
      break;
    case METRICS_QUERY_KEYS:
      row.first = p[0].time;
      row.last = p[points->len - 1].time;
      g_array_append_val (rows, row);
      break;
    case METRICS_QUERY_BUCKETS:
      answer_buckets (key, points, spec, rows);
      break;
    case METRICS_QUERY_DELETE:
    case METRICS_QUERY_PUT:
      break;
    }
}

GArray *
model_answer (Model *self, const MetricsQuerySpec *spec)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (ModelRow));
  g_autoptr (GPtrArray) list = model_list (self, spec);

  for (guint i = 0; i < list->len; i++)
    {
      const ModelSeries *series = g_ptr_array_index (list, i);

      model_answer_series (series->key, series->points, spec, rows);
    }
  return rows;
}

char *
model_describe (const MetricsQuerySpec *spec)
{
  return g_strdup_printf ("kind %d, %s '%.*s', %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                          ", step %" G_GINT64_FORMAT ", function %d",
                          spec->kind, spec->is_pattern ? "pattern" : "key", (int) spec->key_len, spec->key,
                          spec->from, spec->to, spec->step, spec->aggregation);
}

/* Values have to be the same to the last bit, the sign of zero too, unless they have a tolerance; the least
 * and the middle of several zeros may have either sign. */
gboolean
model_is_same_row (const ModelRow *expected, const ModelRow *row, const MetricsQuerySpec *spec)
{
  if (strcmp (expected->key, row->key) != 0 || expected->point.time != row->point.time
      || expected->n_total != row->n_total || expected->first != row->first || expected->last != row->last)
    return FALSE;
  if (!isfinite (row->point.value))
    return FALSE;
  if (expected->tolerance > 0)
    return fabs (expected->point.value / 2 - row->point.value / 2) <= expected->tolerance / 2;
  if (spec->kind == METRICS_QUERY_BUCKETS)
    return expected->point.value == row->point.value;
  return memcmp (&expected->point.value, &row->point.value, sizeof (double)) == 0;
}

void
model_assert_rows (const GArray *expected, const GArray *rows, const MetricsQuerySpec *spec)
{
  g_autofree char *text = model_describe (spec);

  for (guint i = 0; i < MIN (expected->len, rows->len); i++)
    {
      const ModelRow *a = &g_array_index (expected, ModelRow, i);
      const ModelRow *b = &g_array_index (rows, ModelRow, i);

      if (!model_is_same_row (a, b, spec))
        g_error ("%s: row %u is '%s' %.17g %" G_GINT64_FORMAT ", not '%s' %.17g %" G_GINT64_FORMAT, text, i,
                 b->key, b->point.value, b->point.time, a->key, a->point.value, a->point.time);
    }
  if (expected->len != rows->len)
    g_error ("%s: %u rows, not %u", text, rows->len, expected->len);
}
