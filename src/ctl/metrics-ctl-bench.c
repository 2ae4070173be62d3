/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-figures.h"
#include "ctl/metrics-ctl-bench-load.h"
#include "ctl/metrics-ctl-commands.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

/* What a point takes in memory is some 50 bytes. */
#define POINTS_MAX 10000000
#define SERIES_MAX 100000
#define CONNECTIONS_MAX 100
#define REQUESTS_MAX 5000000
#define READS_MAX 1000000

static const MetricsCtlUsage usage = {
  NULL,
  0,
  0,
  N_ ("Measures how fast the server is, from here and through the client library: points put\n"
      "pipelined, points put one by one, series read. It puts that many points into the server,\n"
      "below keys of its own, and deletes them at the end."),
  N_ ("What is measured:\n"
      "  put      all points are sent without waiting for answers, series in turn, second by\n"
      "           second; what is sent is made before the clock starts, which stops when every\n"
      "           point is acknowledged\n"
      "  latency  each point is sent after the answer to the one before it; the percentiles are\n"
      "           by nearest rank of all requests\n"
      "  get      whole series are read in turn, and each must have as many points as were put\n"
      "Before that, 10000 points a connection are put pipelined and 100 one by one, unmeasured.\n"
      "With several connections, each has a thread, and the numbers are those of all together.\n"
      "\n"
      "Plain, it prints lines '<part>.<name> <number>'; as JSON one object with an object for\n"
      "each part. A megabyte is a million bytes, of requests.\n"
      "\n"
      "Examples:\n"
      "  metricsctl bench\n"
      "  metricsctl bench --only put --points 5000000 --series 1000 --connections 2\n"
      "  metricsctl bench --json --address unix:/run/metricsd/socket"),
};

typedef struct
{
  MetricsBenchSize size;
  char *only; /* (owned) (nullable): as given */
  gboolean put;
  gboolean latency;
  gboolean get;
  gboolean keep;
} Options;

typedef struct
{
  MetricsCtl *ctl;              /* (unowned) */
  const Options *options;       /* (unowned) */
  char *prefix;                 /* (owned): what all keys begin with */
  MetricsBenchLoad *load;       /* (owned) (nullable): while it is measured */
  MetricsBenchFigures *figures; /* (owned) */
  gboolean human;               /* each part is told when it is done */
} Bench;

static gboolean
check_size (MetricsCtl *ctl, const char *option, int value, int max, int *status)
{
  if (value >= 1 && value <= max)
    return TRUE;
  *status = metrics_ctl_usage_error (ctl, _ ("%s is 1 to %d"), option, max);
  return FALSE;
}

static gboolean
check_sizes (MetricsCtl *ctl, const MetricsBenchSize *size, int *status)
{
  if (!check_size (ctl, "--points", size->points, POINTS_MAX, status)
      || !check_size (ctl, "--series", size->series, SERIES_MAX, status)
      || !check_size (ctl, "--connections", size->connections, CONNECTIONS_MAX, status)
      || !check_size (ctl, "--requests", size->requests, REQUESTS_MAX, status)
      || !check_size (ctl, "--reads", size->reads, READS_MAX, status))
    return FALSE;

  if (size->points < size->series)
    *status = metrics_ctl_usage_error (ctl, "%s", _ ("there must be a point for each of the --series"));
  else if (size->series < size->connections)
    *status = metrics_ctl_usage_error (ctl, "%s", _ ("there must be a series for each of the --connections"));
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse_only (MetricsCtl *ctl, Options *options, int *status)
{
  g_auto (GStrv) parts = g_strsplit (options->only != NULL ? options->only : "put,latency,get", ",", -1);

  for (gsize i = 0; parts[i] != NULL; i++)
    if (strcmp (parts[i], "put") == 0)
      options->put = TRUE;
    else if (strcmp (parts[i], "latency") == 0)
      options->latency = TRUE;
    else if (strcmp (parts[i], "get") == 0)
      options->get = TRUE;
    else
      {
        *status = metrics_ctl_usage_error (ctl, _ ("not a part of what is measured: '%s'"), parts[i]);
        return FALSE;
      }
  if (options->put || options->latency || options->get)
    return TRUE;
  *status = metrics_ctl_usage_error (ctl, "%s", _ ("--only names nothing"));
  return FALSE;
}

static gboolean
parse_options (MetricsCtl *ctl, int argc, char **argv, Options *options, int *status)
{
  MetricsBenchSize *size = &options->size;
  const GOptionEntry entries[] = {
    { "points", 'n', 0, G_OPTION_ARG_INT, &size->points, N_ ("Points to put pipelined (default: 1000000)"),
      "N" },
    { "series", 's', 0, G_OPTION_ARG_INT, &size->series, N_ ("Series to put them into (default: 100)"), "N" },
    { "connections", 'c', 0, G_OPTION_ARG_INT, &size->connections, N_ ("Connections at once (default: 1)"),
      "N" },
    { "requests", 'r', 0, G_OPTION_ARG_INT, &size->requests, N_ ("Points to put one by one (default: 20000)"),
      "N" },
    { "reads", 0, 0, G_OPTION_ARG_INT, &size->reads, N_ ("Series to read (default: 200)"), "N" },
    { "only", 0, 0, G_OPTION_ARG_STRING, &options->only, N_ ("Measure only these: put, latency, get"),
      N_ ("PART[,PART]") },
    { "keep", 0, 0, G_OPTION_ARG_NONE, &options->keep, N_ ("Leave the points in the server"), NULL },
    { NULL },
  };
  g_auto (GStrv) arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, status);

  return arguments != NULL && check_sizes (ctl, size, status) && parse_only (ctl, options, status);
}

static void G_GNUC_PRINTF (2, 3) say (Bench *bench, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  if (!bench->human)
    return;
  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_print ("%s\n", text);
}

static gboolean
measure_put (Bench *bench, GError **error)
{
  MetricsBenchFigures *figures = bench->figures;
  double n = bench->options->size.points;
  double seconds;
  guint64 n_bytes;

  if (!metrics_bench_load_put (bench->load, &seconds, &n_bytes, error))
    return FALSE;
  if (!bench->options->put)
    return TRUE;
  metrics_bench_figures_add (figures, "put.points", n);
  metrics_bench_figures_add (figures, "put.bytes", n_bytes);
  metrics_bench_figures_add (figures, "put.seconds", seconds);
  metrics_bench_figures_add_rate (figures, "put.points_per_second", n, seconds);
  metrics_bench_figures_add_rate (figures, "put.bytes_per_second", n_bytes, seconds);
  say (bench, _ ("put, pipelined:   %'.0f points/s, %.1f MB/s (%.3f s)"), n / seconds,
       n_bytes / seconds / 1e6, seconds);
  return TRUE;
}

static gboolean
measure_latency (Bench *bench, GError **error)
{
  MetricsBenchFigures *figures = bench->figures;
  g_autofree gint64 *samples = NULL;
  gsize n;
  double seconds;

  if (!metrics_bench_load_put_singly (bench->load, &seconds, &samples, &n, error))
    return FALSE;
  metrics_bench_figures_add (figures, "latency.requests", n);
  metrics_bench_figures_add (figures, "latency.seconds", seconds);
  metrics_bench_figures_add_rate (figures, "latency.requests_per_second", n, seconds);
  metrics_bench_figures_add_percentiles (figures, samples, n);
  say (bench, _ ("put, one by one:  %'.0f requests/s (%.3f s)"), n / seconds, seconds);
  say (bench, _ ("  microseconds:   p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f"),
       metrics_bench_figures_get (figures, "latency.p50_microseconds"),
       metrics_bench_figures_get (figures, "latency.p90_microseconds"),
       metrics_bench_figures_get (figures, "latency.p99_microseconds"),
       metrics_bench_figures_get (figures, "latency.p99_9_microseconds"),
       metrics_bench_figures_get (figures, "latency.max_microseconds"));
  return TRUE;
}

static gboolean
measure_get (Bench *bench, GError **error)
{
  MetricsBenchFigures *figures = bench->figures;
  double n = bench->options->size.reads;
  double seconds;
  guint64 n_points;

  if (!metrics_bench_load_get (bench->load, &seconds, &n_points, error))
    return FALSE;
  metrics_bench_figures_add (figures, "get.reads", n);
  metrics_bench_figures_add (figures, "get.points", n_points);
  metrics_bench_figures_add (figures, "get.seconds", seconds);
  metrics_bench_figures_add_rate (figures, "get.reads_per_second", n, seconds);
  metrics_bench_figures_add_rate (figures, "get.points_per_second", n_points, seconds);
  say (bench, _ ("get of a series:  %'.0f reads/s, %'.0f points/s (%.3f s)"), n / seconds, n_points / seconds,
       seconds);
  return TRUE;
}

static gboolean
measure (Bench *bench, GError **error)
{
  const Options *options = bench->options;

  return metrics_bench_load_warm_up (bench->load, error)
         && (!(options->put || options->get) || measure_put (bench, error))
         && (!options->latency || measure_latency (bench, error))
         && (!options->get || measure_get (bench, error));
}

/* Also after a signal and after an error. */
static gboolean
clean_up (Bench *bench)
{
  g_autoptr (GError) error = NULL;

  if (bench->options->keep)
    say (bench, _ ("the points are kept: 'metricsctl del \"%s.*\"' deletes them"), bench->prefix);
  else if (!metrics_bench_load_delete (bench->load, &error))
    metrics_ctl_warn (bench->ctl,
                      _ ("the points could not be deleted: %s; 'metricsctl del \"%s.*\"' does it"),
                      error->message, bench->prefix);
  return error == NULL;
}

static void
say_what (Bench *bench)
{
  const MetricsBenchSize *size = &bench->options->size;
  g_autofree char *address = metrics_ctl_describe_address (bench->ctl);
  g_autofree char *connections
      = g_strdup_printf (ngettext ("%d connection", "%d connections", size->connections), size->connections);

  say (bench, _ ("%s, %s, keys %s.*"), address, connections, bench->prefix);
  if (bench->options->put || bench->options->get)
    say (bench, _ ("%'d points in %'d series"), size->points, size->series);
}

static int
run (Bench *bench, GCancellable *interrupt)
{
  MetricsCtlForm form = metrics_ctl_get_form (bench->ctl);
  g_autoptr (GError) error = NULL;
  gboolean measured, cleaned;
  int status = METRICS_CTL_DONE;

  if (!metrics_client_ping (metrics_ctl_get_client (bench->ctl), interrupt, &error))
    return metrics_ctl_fail (bench->ctl, error);

  bench->human = form == METRICS_CTL_FORM_HUMAN;
  say_what (bench);
  bench->load = metrics_bench_load_new (bench->ctl, &bench->options->size, bench->prefix, interrupt);
  measured = measure (bench, &error);
  cleaned = clean_up (bench);
  metrics_bench_load_free (bench->load);
  if (!measured)
    return metrics_ctl_fail (bench->ctl, error);
  if (!bench->human && !metrics_bench_figures_print (bench->figures, form, &error))
    status = metrics_ctl_fail (bench->ctl, error);
  return cleaned ? status : METRICS_CTL_FAILED;
}

int
metrics_ctl_bench (MetricsCtl *ctl, int argc, char **argv)
{
  Options options = {
    .size = { .points = 1000000, .series = 100, .connections = 1, .requests = 20000, .reads = 200 },
  };
  Bench bench = { .ctl = ctl, .options = &options };
  int status;

  if (parse_options (ctl, argc, argv, &options, &status))
    {
      bench.prefix = g_strdup_printf ("bench.%08x", g_random_int ());
      bench.figures = metrics_bench_figures_new ();
      status = run (&bench, metrics_ctl_watch_interrupt (ctl));
      metrics_bench_figures_free (bench.figures);
      g_free (bench.prefix);
    }
  g_free (options.only);
  return status;
}
