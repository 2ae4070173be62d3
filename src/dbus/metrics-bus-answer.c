/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-answer.h"

#include <string.h>

/* An answer while it comes together, as few bytes as there can be: a GVariant takes several times as much,
 * and is only made when all is there, for a large answer in a thread of its own. */

/* A point as it is on the bus: `(dx)`. */
typedef struct
{
  double value;
  gint64 time;
} WirePoint;
G_STATIC_ASSERT (sizeof (WirePoint) == 16);

/* A series; where its points are depends on those before it. */
typedef struct
{
  gsize key; /* where its key begins */
  guint64 n;
  gint64 first; /* of KEYS */
  gint64 last;  /* of KEYS */
} Row;

/* As callers can reckon. */
#define ROW_BYTES 24

struct _MetricsBusAnswer
{
  MetricsBusShape shape;
  GString *keys;  /* (owned): each with a NUL behind it */
  GArray *rows;   /* (owned) (element-type Row) */
  GArray *points; /* (owned) (element-type WirePoint) */
};

/**
 * metrics_bus_answer_new:
 * @shape: the form that it is to have
 *
 * Returns: (transfer full): an answer in which nothing is yet
 */
MetricsBusAnswer *
metrics_bus_answer_new (MetricsBusShape shape)
{
  MetricsBusAnswer *self = g_new0 (MetricsBusAnswer, 1);

  self->shape = shape;
  self->keys = g_string_new (NULL);
  self->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  self->points = g_array_new (FALSE, FALSE, sizeof (WirePoint));
  return self;
}

/**
 * metrics_bus_answer_free:
 * @self: (transfer full): an answer
 */
void
metrics_bus_answer_free (MetricsBusAnswer *self)
{
  g_string_free (self->keys, TRUE);
  g_array_unref (self->rows);
  g_array_unref (self->points);
  g_free (self);
}

/* The row of a series, the last one where it goes on. */
static Row *
get_row (MetricsBusAnswer *self, const MetricsQueryRow *row)
{
  Row new_row = { .key = self->keys->len, .first = row->first, .last = row->last };

  if (self->rows->len > 0)
    {
      Row *last = &g_array_index (self->rows, Row, self->rows->len - 1);

      if (self->keys->len - last->key == row->key_len + 1
          && memcmp (self->keys->str + last->key, row->key, row->key_len) == 0)
        return last;
    }
  g_string_append_len (self->keys, row->key, row->key_len);
  g_string_append_c (self->keys, '\0');
  g_array_append_val (self->rows, new_row);
  return &g_array_index (self->rows, Row, self->rows->len - 1);
}

/**
 * metrics_bus_answer_add:
 * @self: an answer
 * @row: the next part of it
 *
 * Takes a copy of what a query found.
 */
void
metrics_bus_answer_add (MetricsBusAnswer *self, const MetricsQueryRow *row)
{
  if (self->shape == METRICS_BUS_SHAPE_KEYS)
    {
      get_row (self, row)->n = row->n_total;
      return;
    }
  if (self->shape != METRICS_BUS_SHAPE_POINTS)
    get_row (self, row)->n += row->n_points;
  for (guint i = 0; i < row->n_points; i++)
    {
      WirePoint point = { row->points[i].value, row->points[i].time };

      g_array_append_val (self->points, point);
    }
}

/**
 * metrics_bus_answer_get_size:
 * @self: an answer
 *
 * Returns: how many bytes it has, as the interface's description counts them
 */
gsize
metrics_bus_answer_get_size (const MetricsBusAnswer *self)
{
  return self->keys->len + (gsize) self->rows->len * ROW_BYTES
         + (gsize) self->points->len * sizeof (WirePoint);
}

static GVariant *
build_points (const MetricsBusAnswer *self, gsize start, gsize n)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE ("(dx)"),
                                    n > 0 ? &g_array_index (self->points, WirePoint, start) : NULL, n,
                                    sizeof (WirePoint));
}

static void
build_row (const MetricsBusAnswer *self, const Row *row, gsize start, GVariantBuilder *builder)
{
  const char *key = self->keys->str + row->key;

  if (self->shape == METRICS_BUS_SHAPE_KEYS)
    g_variant_builder_add (builder, "(stxx)", key, row->n, row->first, row->last);
  else if (self->shape == METRICS_BUS_SHAPE_SERIES)
    g_variant_builder_add (builder, "(s@a(dx))", key, build_points (self, start, row->n));
  else
    {
      const WirePoint *point = &g_array_index (self->points, WirePoint, start);

      g_variant_builder_add (builder, "(sdx)", key, point->value, point->time);
    }
}

/**
 * metrics_bus_answer_build:
 * @self: an answer that is complete; any thread may have it
 *
 * Returns: (transfer floating): the tuple that a method returns
 */
GVariant *
metrics_bus_answer_build (const MetricsBusAnswer *self)
{
  static const char *const types[] = {
    [METRICS_BUS_SHAPE_SERIES] = "a(sa(dx))",
    [METRICS_BUS_SHAPE_LAST] = "a(sdx)",
    [METRICS_BUS_SHAPE_KEYS] = "a(stxx)",
  };
  GVariantBuilder builder;
  GVariant *rows;
  gsize start = 0;

  if (self->shape == METRICS_BUS_SHAPE_POINTS)
    rows = build_points (self, 0, self->points->len);
  else
    {
      g_variant_builder_init (&builder, G_VARIANT_TYPE (types[self->shape]));
      for (guint i = 0; i < self->rows->len; i++)
        {
          const Row *row = &g_array_index (self->rows, Row, i);

          build_row (self, row, start, &builder);
          start += row->n;
        }
      rows = g_variant_builder_end (&builder);
    }
  return g_variant_new_tuple (&rows, 1);
}
