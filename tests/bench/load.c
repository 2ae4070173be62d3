/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The load engine of `metricsctl bench` for any server whose dialect is here: one workload against one
 * server, its figures as JSON. What is run around it, and why, is in peers. */

#include "config.h"

#include "common/metrics-address.h"
#include "ctl/metrics-ctl-bench-figures.h"
#include "dialects.h"

#include <string.h>

#define TIMEOUT_MSEC 120000

static const MetricsBenchDialect *const dialects[] = {
  &bench_dialect_star,     &bench_dialect_baseline,  &bench_dialect_redis_hset, &bench_dialect_redis_zadd,
  &bench_dialect_graphite, &bench_dialect_rrdcached, &bench_dialect_influx,     &bench_dialect_victoria,
};

typedef struct
{
  char *dialect;
  char *address;
  char *workload;
  char *prefix;
  gint64 start;
  int idle;
  gboolean there;
  MetricsBenchSize size;
} Options;

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  MetricsBenchSize *size = &options->size;
  const GOptionEntry entries[] = {
    { "dialect", 0, 0, G_OPTION_ARG_STRING, &options->dialect, "How the server is spoken to", "NAME" },
    { "address", 0, 0, G_OPTION_ARG_STRING, &options->address, "Where it is", "ADDRESS" },
    { "workload", 0, 0, G_OPTION_ARG_STRING, &options->workload, "As of metricsctl bench", "NAME" },
    { "prefix", 0, 0, G_OPTION_ARG_STRING, &options->prefix, "What all keys begin with", "TEXT" },
    { "start", 0, 0, G_OPTION_ARG_INT64, &options->start, "Time of the first points", "SECONDS" },
    { "idle", 0, 0, G_OPTION_ARG_INT, &options->idle, "Connections beside that do nothing", "N" },
    { "there", 0, 0, G_OPTION_ARG_NONE, &options->there, "What is to be read is there", NULL },
    { "points", 0, 0, G_OPTION_ARG_INT, &size->points, "As of metricsctl bench", "N" },
    { "series", 0, 0, G_OPTION_ARG_INT, &size->series, "The same", "N" },
    { "connections", 0, 0, G_OPTION_ARG_INT, &size->connections, "The same", "N" },
    { "depth", 0, 0, G_OPTION_ARG_INT, &size->depth, "The same", "N" },
    { "requests", 0, 0, G_OPTION_ARG_INT, &size->requests, "The same", "N" },
    { "reads", 0, 0, G_OPTION_ARG_INT, &size->reads, "The same", "N" },
    { "warm-up", 0, 0, G_OPTION_ARG_INT, &size->warm_up, "The same", "N" },
    { "first-step", 0, 0, G_OPTION_ARG_INT, &size->first_step, "Steps of the series that are there", "N" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  return g_option_context_parse (context, argc, argv, error);
}

static gboolean
find_dialect (const char *name, gboolean one_by_one, MetricsBenchDialect *dialect)
{
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (dialects); i++)
    if (strcmp (dialects[i]->name, name) == 0)
      {
        *dialect = *dialects[i];
        if (one_by_one)
          dialect->points_a_put = 1;
        return TRUE;
      }
  return FALSE;
}

static gboolean
measure (const Options *options,
         const MetricsBenchDialect *dialect,
         const MetricsBenchWorkload *workload,
         MetricsBenchResult *result,
         GError **error)
{
  MetricsBenchSize size = metrics_bench_workload_fill_size (workload, &options->size);
  g_autoptr (GSocketConnectable) address = metrics_address_parse (options->address, 0, error);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (MetricsBenchEngine) engine = NULL;
  g_autoptr (MetricsBenchSession) session = NULL;

  if (address == NULL)
    return FALSE;
  engine = metrics_bench_engine_new (address, dialect, TIMEOUT_MSEC, cancellable);
  session = metrics_bench_session_new (engine, dialect, options->prefix, options->start);
  if (options->there)
    metrics_bench_session_assume_put (session, workload, &size);
  return metrics_bench_engine_connect (engine, (guint) size.connections, error)
         && metrics_bench_engine_connect_idle (engine, (guint) options->idle, error)
         && metrics_bench_session_prepare (session, workload, &size, error)
         && metrics_bench_session_measure (session, result, error);
}

static int
run (const Options *options)
{
  const MetricsBenchServer nothing = { -1, -1, -1 };
  const MetricsBenchWorkload *workload = NULL;
  MetricsBenchDialect dialect;
  g_autoptr (MetricsBenchFigures) figures = metrics_bench_figures_new ();
  g_autoptr (GError) error = NULL;
  MetricsBenchResult result = { 0 };

  if (options->workload != NULL)
    workload = metrics_bench_workload_find (options->workload);
  if (workload == NULL || options->address == NULL || options->prefix == NULL
      || !find_dialect (options->dialect, strcmp (options->workload, "request") == 0, &dialect))
    {
      g_printerr ("bench-load: --dialect, --address, --workload and --prefix are needed\n");
      return 2;
    }
  if (measure (options, &dialect, workload, &result, &error) && result.tally.n_refused > 0)
    g_set_error (&error, METRICS_ERROR, METRICS_ERROR_REFUSED, "refused: %s", result.tally.refusal);
  if (error == NULL)
    {
      metrics_bench_figures_add_result (figures, &result, &nothing);
      metrics_bench_figures_print (figures, METRICS_CTL_FORM_JSON, &error);
    }
  metrics_bench_result_clear (&result);
  if (error != NULL)
    g_printerr ("bench-load: %s\n", error->message);
  return error != NULL;
}

int
main (int argc, char **argv)
{
  Options options = { .size = { -1, -1, 1, -1, -1, -1, -1, -1 } };
  g_autoptr (GError) error = NULL;
  int status;

  if (!parse_options (&options, &argc, &argv, &error))
    {
      g_printerr ("bench-load: %s\n", error->message);
      return 2;
    }
  status = run (&options);
  g_free (options.dialect);
  g_free (options.address);
  g_free (options.workload);
  g_free (options.prefix);
  return status;
}
