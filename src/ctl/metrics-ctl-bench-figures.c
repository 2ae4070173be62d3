/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-figures.h"

#include "common/metrics-json.h"
#include "ctl/metrics-ctl-output.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  const char *name; /* (unowned): static; `<part>.<name>` */
  double value;     /* finite */
} Figure;

struct _MetricsBenchFigures
{
  GArray *figures; /* (owned) (element-type Figure) */
};

static const struct
{
  const char *name;
  double rank; /* of the samples in order, as a share of them */
} percentiles[] = {
  { "latency.p50_microseconds", 0.5 },  { "latency.p90_microseconds", 0.9 },
  { "latency.p99_microseconds", 0.99 }, { "latency.p99_9_microseconds", 0.999 },
  { "latency.max_microseconds", 1.0 },
};

/**
 * metrics_bench_figures_new:
 *
 * Returns: (transfer full): no figures yet
 */
MetricsBenchFigures *
metrics_bench_figures_new (void)
{
  MetricsBenchFigures *self = g_new0 (MetricsBenchFigures, 1);

  self->figures = g_array_new (FALSE, FALSE, sizeof (Figure));
  return self;
}

/**
 * metrics_bench_figures_free:
 * @self: (transfer full): figures
 */
void
metrics_bench_figures_free (MetricsBenchFigures *self)
{
  g_array_unref (self->figures);
  g_free (self);
}

/**
 * metrics_bench_figures_add:
 * @self: figures
 * @name: a static string, `<part>.<name>`; figures of a part are added one after the other
 * @value: a finite number
 */
void
metrics_bench_figures_add (MetricsBenchFigures *self, const char *name, double value)
{
  Figure figure = { name, value };

  g_return_if_fail (strchr (name, '.') != NULL && isfinite (value));

  g_array_append_val (self->figures, figure);
}

/**
 * metrics_bench_figures_add_rate:
 * @self: figures
 * @name: as for metrics_bench_figures_add()
 * @n: how much
 * @seconds: in what time
 *
 * Adds how much that is a second, as a whole number. A clock that did not move says nothing: no figure then.
 */
void
metrics_bench_figures_add_rate (MetricsBenchFigures *self, const char *name, double n, double seconds)
{
  if (seconds > 0)
    metrics_bench_figures_add (self, name, round (n / seconds));
}

static int
compare_samples (const void *a, const void *b)
{
  gint64 sample_a = *(const gint64 *) a, sample_b = *(const gint64 *) b;

  return sample_a < sample_b ? -1 : sample_a > sample_b;
}

/**
 * metrics_bench_figures_add_percentiles:
 * @self: figures
 * @samples: (array length=n): how long each request took, in nanoseconds; they are sorted
 * @n: how many, at least one
 *
 * Adds percentiles by nearest rank of all samples, in microseconds: nothing is rounded into classes.
 */
void
metrics_bench_figures_add_percentiles (MetricsBenchFigures *self, gint64 *samples, gsize n)
{
  g_return_if_fail (n > 0);

  qsort (samples, n, sizeof *samples, compare_samples);
  for (gsize i = 0; i < G_N_ELEMENTS (percentiles); i++)
    {
      gsize rank = (gsize) ceil (percentiles[i].rank * (double) n);

      metrics_bench_figures_add (self, percentiles[i].name, samples[CLAMP (rank, 1, n) - 1] / 1000.0);
    }
}

/**
 * metrics_bench_figures_get:
 * @self: figures
 * @name: a name
 *
 * Returns: its figure; not-a-number where there is none
 */
double
metrics_bench_figures_get (MetricsBenchFigures *self, const char *name)
{
  for (guint i = 0; i < self->figures->len; i++)
    {
      const Figure *figure = &g_array_index (self->figures, Figure, i);

      if (strcmp (figure->name, name) == 0)
        return figure->value;
    }
  return NAN;
}

static void
append_json (GString *text, GArray *figures)
{
  g_autofree char *part = g_strdup ("");

  g_string_append_c (text, '{');
  for (guint i = 0; i < figures->len; i++)
    {
      const Figure *figure = &g_array_index (figures, Figure, i);
      const char *dot = strchr (figure->name, '.');
      g_autofree char *other_part = g_strndup (figure->name, dot - figure->name);

      if (strcmp (part, other_part) != 0)
        {
          g_string_append_printf (text, "%s\"%s\": {", i > 0 ? "}, " : "", other_part);
          g_free (part);
          part = g_steal_pointer (&other_part);
        }
      else
        g_string_append (text, ", ");
      g_string_append_printf (text, "\"%s\": ", dot + 1);
      metrics_json_append_double (text, figure->value);
    }
  g_string_append (text, figures->len > 0 ? "}}\n" : "}\n");
}

static void
append_plain (GString *text, GArray *figures)
{
  for (guint i = 0; i < figures->len; i++)
    {
      const Figure *figure = &g_array_index (figures, Figure, i);

      g_string_append_printf (text, "%s ", figure->name);
      metrics_json_append_double (text, figure->value);
      g_string_append_c (text, '\n');
    }
}

/**
 * metrics_bench_figures_print:
 * @self: figures
 * @form: %METRICS_CTL_FORM_PLAIN or %METRICS_CTL_FORM_JSON
 * @error: return location for a #GError
 *
 * Writes all figures to standard output for a program.
 *
 * Returns: %FALSE where it could not be written, with an error of the domain %G_FILE_ERROR
 */
gboolean
metrics_bench_figures_print (MetricsBenchFigures *self, MetricsCtlForm form, GError **error)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autoptr (GString) text = g_string_new (NULL);

  if (form == METRICS_CTL_FORM_JSON)
    append_json (text, self->figures);
  else
    append_plain (text, self->figures);
  metrics_ctl_output_append (output, text->str, text->len);
  return metrics_ctl_output_flush (output, error);
}
