/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-figures.h"

#include "common/metrics-json.h"
#include "ctl/metrics-ctl-output.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

/* Up to here a double tells all whole numbers apart. */
#define WHOLE_MAX 9007199254740992.0

typedef struct
{
  const char *part; /* (unowned): static */
  const char *name; /* (unowned): static */
  double value;     /* finite */
  gboolean is_flag; /* true or false, where there are words for that */
} Figure;

/* What is said of all parts together. */
typedef struct
{
  const char *name; /* (unowned): static */
  char *text;       /* (owned) */
} About;

struct _MetricsBenchFigures
{
  GArray *figures; /* (owned) (element-type Figure): those of a part one after the other */
  GArray *abouts;  /* (owned) (element-type About) */
};

static const struct
{
  const char *name;
  double quantile;
} percentiles[] = {
  { "p50_microseconds", 0.5 },     { "p90_microseconds", 0.9 }, { "p99_microseconds", 0.99 },
  { "p99_9_microseconds", 0.999 }, { "max_microseconds", 1.0 },
};

static void
clear_about (gpointer pointer)
{
  About *about = pointer;

  g_free (about->text);
}

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
  self->abouts = g_array_new (FALSE, FALSE, sizeof (About));
  g_array_set_clear_func (self->abouts, clear_about);
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
  g_array_unref (self->abouts);
  g_free (self);
}

/**
 * metrics_bench_figures_add_about:
 * @self: figures
 * @name: (transfer none): a name, which is static and no workload's
 * @text: in UTF-8
 *
 * Adds what is to be known of all parts. It is printed where there is room for texts: as JSON.
 */
void
metrics_bench_figures_add_about (MetricsBenchFigures *self, const char *name, const char *text)
{
  About about = { name, g_strdup (text) };

  g_array_append_val (self->abouts, about);
}

/**
 * metrics_bench_figures_has_results:
 * @self: figures
 *
 * Returns: whether there is anything that was measured
 */
gboolean
metrics_bench_figures_has_results (const MetricsBenchFigures *self)
{
  return self->figures->len > 0;
}

static void
add (MetricsBenchFigures *self, const char *part, const char *name, double value)
{
  Figure figure = { part, name, value, FALSE };

  g_assert (isfinite (value));
  g_array_append_val (self->figures, figure);
}

static void
add_flag (MetricsBenchFigures *self, const char *part, const char *name, gboolean value)
{
  Figure figure = { part, name, value ? 1 : 0, TRUE };

  g_array_append_val (self->figures, figure);
}

/* How much that is a second, as a whole number. A clock that did not move says nothing: no figure then. */
static void
add_rate (MetricsBenchFigures *self, const char *part, const char *name, guint64 n, double seconds)
{
  if (seconds > 0)
    add (self, part, name, round ((double) n / seconds));
}

static void
add_size (MetricsBenchFigures *self, const char *part, const MetricsBenchSize *size)
{
  add (self, part, "connections", size->connections);
  add (self, part, "depth", size->depth);
  add (self, part, "series", size->series);
}

static void
add_latencies (MetricsBenchFigures *self, const char *part, const MetricsBenchHistogram *latencies)
{
  if (metrics_bench_histogram_get_count (latencies) == 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (percentiles); i++)
    {
      guint64 value = metrics_bench_histogram_get_quantile (latencies, percentiles[i].quantile);

      add (self, part, percentiles[i].name, (double) value / 1000);
    }
}

static void
add_server (MetricsBenchFigures *self, const char *part, const MetricsBenchServer *server)
{
  if (server->cpu >= 0)
    add (self, part, "server_cpu_seconds", (double) server->cpu / G_USEC_PER_SEC);
  if (server->resident >= 0)
    add (self, part, "server_resident_bytes", (double) server->resident);
  if (server->memory >= 0)
    add (self, part, "server_memory_bytes", (double) server->memory);
}

/**
 * metrics_bench_figures_add_result:
 * @self: figures
 * @result: what was measured
 * @server: what it cost the server
 *
 * Adds a part, with the name of the workload.
 */
void
metrics_bench_figures_add_result (MetricsBenchFigures *self,
                                  const MetricsBenchResult *result,
                                  const MetricsBenchServer *server)
{
  const MetricsBenchTally *tally = &result->tally;
  const char *part = metrics_bench_workload_get_name (result->workload);
  guint64 n_points = metrics_bench_result_count_points (result);

  add_size (self, part, &result->size);
  add_flag (self, part, "broken_off", metrics_bench_result_is_broken_off (result));
  add (self, part, "requests_wanted", (double) result->n_requests);
  add (self, part, "requests", (double) tally->n_answered);
  add (self, part, "errors", (double) tally->n_refused);
  add (self, part, "points", (double) n_points);
  add (self, part, "bytes_sent", (double) tally->bytes_sent);
  add (self, part, "bytes_received", (double) tally->bytes_received);
  add (self, part, "seconds", result->seconds);
  add_rate (self, part, "requests_per_second", tally->n_answered, result->seconds);
  add_rate (self, part, "points_per_second", n_points, result->seconds);
  add_rate (self, part, "bytes_sent_per_second", tally->bytes_sent, result->seconds);
  add_rate (self, part, "bytes_received_per_second", tally->bytes_received, result->seconds);
  add_latencies (self, part, tally->latencies);
  add_server (self, part, server);
}

/* Whole numbers without a point, which tells programs that count what they are. */
static void
append_number (GString *text, double value)
{
  if (value == trunc (value) && fabs (value) <= WHOLE_MAX)
    metrics_json_append_int64 (text, (gint64) value);
  else
    metrics_json_append_double (text, value);
}

static void
append_abouts (GString *text, GArray *abouts, gboolean more)
{
  for (guint i = 0; i < abouts->len; i++)
    {
      const About *about = &g_array_index (abouts, About, i);

      g_string_append_printf (text, "\"%s\": ", about->name);
      metrics_json_append_string (text, about->text);
      if (more || i + 1 < abouts->len)
        g_string_append (text, ", ");
    }
}

static void
append_json (GString *text, GArray *abouts, GArray *figures)
{
  const char *part = NULL;

  g_string_append_c (text, '{');
  append_abouts (text, abouts, figures->len > 0);
  for (guint i = 0; i < figures->len; i++)
    {
      const Figure *figure = &g_array_index (figures, Figure, i);

      if (part == NULL || strcmp (part, figure->part) != 0)
        g_string_append_printf (text, "%s\"%s\": {", part != NULL ? "}, " : "", figure->part);
      else
        g_string_append (text, ", ");
      part = figure->part;
      g_string_append_printf (text, "\"%s\": ", figure->name);
      if (figure->is_flag)
        g_string_append (text, figure->value != 0 ? "true" : "false");
      else
        append_number (text, figure->value);
    }
  g_string_append (text, part != NULL ? "}}\n" : "}\n");
}

static void
append_plain (GString *text, GArray *figures)
{
  for (guint i = 0; i < figures->len; i++)
    {
      const Figure *figure = &g_array_index (figures, Figure, i);

      g_string_append_printf (text, "%s.%s ", figure->part, figure->name);
      append_number (text, figure->value);
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
    append_json (text, self->abouts, self->figures);
  else
    append_plain (text, self->figures);
  metrics_ctl_output_append (output, text->str, text->len);
  return metrics_ctl_output_flush (output, error);
}
