/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-address.h"
#include "common/metrics-key.h"
#include "common/metrics-names.h"
#include "ctl/metrics-ctl-bench-figures.h"
#include "ctl/metrics-ctl-bench-report.h"
#include "ctl/metrics-ctl-commands.h"

#include <glib/gi18n.h>
#include <string.h>

#define N_WORKLOADS 6
#define POINTS_MAX 10000000
#define SERIES_MAX 1000000
#define CONNECTIONS_MAX 10000
#define IDLE_MAX 100000
#define DEPTH_MAX 1000000
#define REQUESTS_MAX 5000000
#define READS_MAX 1000000
#define WARM_UP_MAX 1000000

/* An option that was not given: less than any that is meant. */
#define NOT_GIVEN G_MININT

/* What the keys have behind it must still fit. */
#define PREFIX_MAX 256

static const MetricsCtlUsage usage = {
  N_ ("[WORKLOAD...]"),
  0,
  N_WORKLOADS,
  N_ ("Measures how fast the server is. It puts points of its own below keys of its own, checks\n"
      "every answer, and deletes the points at the end. Without a WORKLOAD: pipeline request read."),
  N_ ("Workloads:\n"
      "  pipeline     puts points without waiting for answers, all series in turn, time by time\n"
      "  request      puts points one by one: the next one when the one before is acknowledged\n"
      "  read         reads whole series, one after the other (what pipeline puts)\n"
      "  read-all     reads all series at once\n"
      "  many-series  as pipeline: 1000000 points in 200000 series\n"
      "  late         as pipeline, with a tenth of the points late by up to 100 steps\n"
      "A point is ten seconds after the one before it in its series, and differs from it by at\n"
      "most 0.50. Unless told otherwise, pipeline, late and the reads have 2000000 points in\n"
      "1000 series. --depth bounds the requests of each connection that wait for an answer; 1 is\n"
      "one by one; 0, the default of those that put without waiting, is as many as the connection\n"
      "takes. A --warm-up is at most 1000000 requests unless asked for, and of read a tenth of the\n"
      "reads. All requests are made before the clock starts and sent by one thread; where there\n"
      "are cores enough, give the server one of its own (taskset).\n"
      "\n"
      "The time from the sending of a request to its answer is told in percentiles, at most 0.8 %\n"
      "above the true ones. For people, it prints a few lines a workload; plain, lines\n"
      "'<workload>.<name> <number>'; as JSON, an object with \"version\" (of metricsctl), \"address\",\n"
      "\"prefix\" and an object a workload. \"broken_off\" (plain: 1) says that not all\n"
      "\"requests_wanted\" were answered: a signal came or the server went. A megabyte is\n"
      "a million bytes. What the server tells of its own cost is there where it tells it. Where\n"
      "the server refuses requests they are counted, and the exit status is 1.\n"
      "It needs an --address: a server on the bus can listen on one beside.\n"
      "\n"
      "Examples:\n"
      "  metricsctl bench\n"
      "  metricsctl bench pipeline read --points 5000000 --series 1000 --connections 2\n"
      "  metricsctl bench request --connections 50 --idle 900\n"
      "  metricsctl bench --json --address unix:/run/metricsd/metricsd.sock"),
};

typedef struct
{
  MetricsBenchSize size;
  int idle;
  char *prefix; /* (owned) (nullable): as given */
  gboolean keep;
  const MetricsBenchWorkload *workloads[N_WORKLOADS]; /* (unowned) */
  guint n_workloads;
} Options;

typedef struct
{
  MetricsCtl *ctl;              /* (unowned) */
  const Options *options;       /* (unowned) */
  GCancellable *interrupt;      /* (unowned) */
  char *prefix;                 /* (owned): what all keys begin with */
  MetricsBenchEngine *engine;   /* (owned) */
  MetricsBenchSession *session; /* (owned) */
  MetricsBenchFigures *figures; /* (owned) */
  gboolean human;               /* each workload is told of when it is done */
  guint64 n_refused;
  char refusal[METRICS_BENCH_LINE_MAX];
} Bench;

static gboolean
check_number (MetricsCtl *ctl, const char *option, int value, int min, int max, int *status)
{
  if (value == NOT_GIVEN || (value >= min && value <= max))
    return TRUE;
  /* Translators: an option, and the numbers that it takes */
  *status = metrics_ctl_usage_error (ctl, _ ("%s is %d to %d"), option, min, max);
  return FALSE;
}

static gboolean
check_numbers (MetricsCtl *ctl, const Options *options, int *status)
{
  const MetricsBenchSize *size = &options->size;

  return check_number (ctl, "--points", size->points, 1, POINTS_MAX, status)
         && check_number (ctl, "--series", size->series, 1, SERIES_MAX, status)
         && check_number (ctl, "--connections", size->connections, 1, CONNECTIONS_MAX, status)
         && check_number (ctl, "--depth", size->depth, 0, DEPTH_MAX, status)
         && check_number (ctl, "--requests", size->requests, 1, REQUESTS_MAX, status)
         && check_number (ctl, "--reads", size->reads, 1, READS_MAX, status)
         && check_number (ctl, "--warm-up", size->warm_up, 0, WARM_UP_MAX, status)
         && check_number (ctl, "--idle", options->idle, 0, IDLE_MAX, status);
}

/* Keys below it must be keys, and a pattern of them must match no others. */
static gboolean
check_prefix (MetricsCtl *ctl, const char *prefix, int *status)
{
  gsize len = prefix != NULL ? strlen (prefix) : 0;

  if (prefix == NULL
      || (len <= PREFIX_MAX && strpbrk (prefix, "*?\\") == NULL && metrics_key_is_valid (prefix, len)))
    return TRUE;
  *status = metrics_ctl_usage_error (ctl, _ ("not a beginning of keys: '%s'"), prefix);
  return FALSE;
}

static gboolean
add_workload (MetricsCtl *ctl, Options *options, const char *name, int *status)
{
  const MetricsBenchWorkload *workload = metrics_bench_workload_find (name);
  MetricsBenchSize size;
  const char *wrong;

  if (workload == NULL)
    {
      *status = metrics_ctl_usage_error (ctl, _ ("not a workload: '%s'"), name);
      return FALSE;
    }
  for (guint i = 0; i < options->n_workloads; i++)
    if (options->workloads[i] == workload)
      {
        *status = metrics_ctl_usage_error (ctl, _ ("a workload given twice: '%s'"), name);
        return FALSE;
      }
  size = metrics_bench_workload_fill_size (workload, &options->size);
  wrong = metrics_bench_workload_check_size (workload, &size);
  if (wrong != NULL)
    *status = metrics_ctl_usage_error (ctl, "%s: %s", name, wrong);
  options->workloads[options->n_workloads++] = workload;
  return wrong == NULL;
}

static gboolean
add_workloads (MetricsCtl *ctl, Options *options, const char *const *names, int *status)
{
  static const char *const usual[] = { "pipeline", "request", "read", NULL };

  for (const char *const *name = names[0] != NULL ? names : usual; *name != NULL; name++)
    if (!add_workload (ctl, options, *name, status))
      return FALSE;
  return TRUE;
}

/* It opens many connections of its own, beside the library. */
static gboolean
check_address (MetricsCtl *ctl, int *status)
{
  if (metrics_address_parse_bus (metrics_ctl_get_address (ctl)) == G_BUS_TYPE_NONE)
    return TRUE;
  *status
      = metrics_ctl_usage_error (ctl, "%s",
                                 _ ("bench cannot connect over the bus: give it an --address of the server"));
  return FALSE;
}

static gboolean
parse_options (MetricsCtl *ctl, int argc, char **argv, Options *options, int *status)
{
  MetricsBenchSize *size = &options->size;
  const GOptionEntry entries[] = {
    { "points", 'n', 0, G_OPTION_ARG_INT, &size->points, N_ ("Points to put or to read"), "N" },
    { "series", 's', 0, G_OPTION_ARG_INT, &size->series, N_ ("Series that they are in"), "N" },
    { "connections", 'c', 0, G_OPTION_ARG_INT, &size->connections, N_ ("Connections at once (default: 1)"),
      "N" },
    { "depth", 'd', 0, G_OPTION_ARG_INT, &size->depth,
      N_ ("Requests of a connection that may wait for an answer; 0: all"), "N" },
    { "requests", 'r', 0, G_OPTION_ARG_INT, &size->requests, N_ ("Puts of request (default: 100000)"), "N" },
    { "reads", 0, 0, G_OPTION_ARG_INT, &size->reads, N_ ("Reads (default: 2000 of read, 5 of read-all)"),
      "N" },
    { "idle", 0, 0, G_OPTION_ARG_INT, &options->idle, N_ ("Connections beside that do nothing (default: 0)"),
      "N" },
    { "warm-up", 0, 0, G_OPTION_ARG_INT, &size->warm_up,
      N_ ("Unmeasured requests of a connection before (default: 10000 puts)"), "N" },
    { "prefix", 0, 0, G_OPTION_ARG_STRING, &options->prefix,
      N_ ("What all keys begin with, without the dot that is added (default: bench.RANDOM)"), N_ ("PREFIX") },
    { "keep", 0, 0, G_OPTION_ARG_NONE, &options->keep, N_ ("Leave the points in the server"), NULL },
    { NULL },
  };
  g_auto (GStrv) arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, status);

  return arguments != NULL && check_address (ctl, status) && check_numbers (ctl, options, status)
         && check_prefix (ctl, options->prefix, status)
         && add_workloads (ctl, options, (const char *const *) arguments, status);
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

/* Nothing of the user's own may be overwritten and deleted. */
static gboolean
check_unused (Bench *bench, GError **error)
{
  g_autofree char *pattern = g_strconcat (bench->prefix, ".*", NULL);
  MetricsClient *client = metrics_ctl_get_client (bench->ctl);
  g_autoptr (GPtrArray) keys = metrics_client_keys (client, pattern, bench->interrupt, error);

  if (keys != NULL && keys->len > 0)
    g_set_error (error, METRICS_ERROR, METRICS_ERROR_REFUSED, _ ("there are keys '%s' already"), pattern);
  return keys != NULL && keys->len == 0;
}

static void
tell (Bench *bench, const MetricsBenchResult *result, const MetricsBenchServer *server)
{
  g_autofree char *text = metrics_bench_report (result, server);

  say (bench, "%s", text);
  metrics_bench_figures_add_result (bench->figures, result, server);
  /* People have read it in the report. */
  if (!bench->human && metrics_bench_result_is_broken_off (result))
    metrics_ctl_warn (bench->ctl, /* Translators: the name of a workload, and of its requests how many were
                                     answered */
                      ngettext ("%s was broken off: %llu of %llu request was answered",
                                "%s was broken off: %llu of %llu requests were answered", result->n_requests),
                      metrics_bench_workload_get_name (result->workload),
                      (unsigned long long) result->tally.n_answered, (unsigned long long) result->n_requests);
  if (result->tally.n_refused > 0 && bench->n_refused == 0)
    g_strlcpy (bench->refusal, result->tally.refusal, sizeof bench->refusal);
  bench->n_refused += result->tally.n_refused;
}

static gboolean
measure (Bench *bench, const MetricsBenchWorkload *workload, GError **error)
{
  MetricsClient *client = metrics_ctl_get_client (bench->ctl);
  MetricsBenchSize size = metrics_bench_workload_fill_size (workload, &bench->options->size);
  MetricsBenchServer before, cost, after = { -1, -1, -1 };
  MetricsBenchResult result;
  gboolean measured;

  if (!metrics_bench_session_prepare (bench->session, workload, &size, error))
    return FALSE;
  before = metrics_bench_server_ask (client, bench->interrupt);
  measured = metrics_bench_session_measure (bench->session, &result, error);
  /* One that did not answer is not asked for more: it would take as long again. */
  if (measured)
    after = metrics_bench_server_ask (client, bench->interrupt);
  cost = metrics_bench_server_subtract (&after, &before);
  tell (bench, &result, &cost);
  metrics_bench_result_clear (&result);
  return measured;
}

static gboolean
measure_all (Bench *bench, GError **error)
{
  const Options *options = bench->options;

  if (!metrics_bench_engine_connect (bench->engine, (guint) options->size.connections, error)
      || !metrics_bench_engine_connect_idle (bench->engine, (guint) options->idle, error))
    return FALSE;
  for (guint i = 0; i < options->n_workloads; i++)
    if (!measure (bench, options->workloads[i], error))
      return FALSE;
  return TRUE;
}

/* Where the output is for a program people are told on standard error. */
static void
say_kept (Bench *bench, const char *pattern)
{
  if (bench->human)
    say (bench, _ ("the points are kept: 'metricsctl del \"%s\"' deletes them"), pattern);
  else
    metrics_ctl_warn (bench->ctl, _ ("the points are kept: 'metricsctl del \"%s\"' deletes them"), pattern);
}

static gboolean
is_lost (const GError *error)
{
  return g_error_matches (error, METRICS_ERROR, METRICS_ERROR_CLOSED)
         || g_error_matches (error, METRICS_ERROR, METRICS_ERROR_CONNECT);
}

/* Also after a signal and after an error, which is @reason. */
static gboolean
clean_up (Bench *bench, const GError *reason)
{
  g_autofree char *pattern = g_strconcat (bench->prefix, ".*", NULL);
  g_autoptr (GError) error = NULL;

  if (!bench->options->keep && g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    metrics_ctl_warn (bench->ctl, _ ("the points are being deleted; another Ctrl-C leaves '%s' where it is"),
                      pattern);
  metrics_bench_engine_close (bench->engine);
  if (bench->options->keep)
    say_kept (bench, pattern);
  /* Where the server went and stays away, that is what is said, and there is nothing to delete. */
  else if (!metrics_client_delete (metrics_ctl_get_client (bench->ctl), pattern, NULL, NULL, &error)
           && !(is_lost (reason) && is_lost (error)))
    metrics_ctl_warn (bench->ctl, _ ("the points could not be deleted: %s; 'metricsctl del \"%s\"' does it"),
                      error->message, pattern);
  return error == NULL;
}

/* So early that the last point of the longest series is of now. */
static gint64
choose_start (const Options *options)
{
  gint64 n_steps = 0;

  for (guint i = 0; i < options->n_workloads; i++)
    {
      MetricsBenchSize size = metrics_bench_workload_fill_size (options->workloads[i], &options->size);

      n_steps = MAX (n_steps, (size.points - 1) / size.series);
    }
  return g_get_real_time () / G_USEC_PER_SEC - n_steps * METRICS_BENCH_SECONDS_A_STEP;
}

static void
say_what (Bench *bench)
{
  const Options *options = bench->options;
  g_autofree char *address = metrics_ctl_describe_address (bench->ctl);
  int n = options->size.connections;

  metrics_bench_figures_add_about (bench->figures, "version", PACKAGE_VERSION);
  metrics_bench_figures_add_about (bench->figures, "address", address);
  metrics_bench_figures_add_about (bench->figures, "prefix", bench->prefix);
  if (options->idle > 0)
    say (bench,
         /* Translators: an address, two numbers, and what the keys of the points begin with */
         ngettext ("%s, %d connection, %d idle beside, keys %s.*",
                   "%s, %d connections, %d idle beside, keys %s.*", n),
         address, n, options->idle, bench->prefix);
  else
    say (bench,
         /* Translators: an address, a number, and what the keys of the points begin with */
         ngettext ("%s, %d connection, keys %s.*", "%s, %d connections, keys %s.*", n), address, n,
         bench->prefix);
}

/* What was measured until a signal or an error came is told too, to programs as to people. */
static int
finish (Bench *bench, gboolean cleaned, const GError *error)
{
  MetricsCtlForm form = metrics_ctl_get_form (bench->ctl);
  gboolean interrupted = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_autoptr (GError) output_error = NULL;

  if (!bench->human && (interrupted || error == NULL || metrics_bench_figures_has_results (bench->figures))
      && !metrics_bench_figures_print (bench->figures, form, &output_error))
    return metrics_ctl_fail (bench->ctl, output_error);
  if (error != NULL)
    return metrics_ctl_fail (bench->ctl, error);
  if (bench->n_refused > 0)
    metrics_ctl_warn (bench->ctl, _ ("the server refused: %s"), bench->refusal);
  return cleaned && bench->n_refused == 0 ? METRICS_CTL_DONE : METRICS_CTL_FAILED;
}

static int
run (Bench *bench)
{
  MetricsCtl *ctl = bench->ctl;
  MetricsClient *client = metrics_ctl_get_client (ctl);
  g_autoptr (GSocketConnectable) address = NULL;
  g_autoptr (GError) error = NULL;
  gboolean cleaned = TRUE;

  /* The global options were checked: it is an address. */
  address = metrics_address_parse (metrics_ctl_get_address (ctl), METRICS_DEFAULT_PORT, NULL);
  if (!metrics_client_ping (client, bench->interrupt, &error) || !check_unused (bench, &error))
    return metrics_ctl_fail (ctl, error);

  say_what (bench);
  bench->engine = metrics_bench_engine_new (address, &metrics_bench_dialect_line,
                                            metrics_client_get_timeout (client), bench->interrupt);
  bench->session = metrics_bench_session_new (bench->engine, &metrics_bench_dialect_line, bench->prefix,
                                              choose_start (bench->options));
  measure_all (bench, &error);
  cleaned = clean_up (bench, error);
  metrics_bench_session_free (bench->session);
  metrics_bench_engine_free (bench->engine);
  return finish (bench, cleaned, error);
}

int
metrics_ctl_bench (MetricsCtl *ctl, int argc, char **argv)
{
  Options options = {
    .size = { NOT_GIVEN, NOT_GIVEN, 1, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN, NOT_GIVEN },
  };
  Bench bench = { .ctl = ctl, .options = &options };
  int status;

  if (parse_options (ctl, argc, argv, &options, &status))
    {
      bench.interrupt = metrics_ctl_watch_interrupt (ctl);
      bench.human = metrics_ctl_get_form (ctl) == METRICS_CTL_FORM_HUMAN;
      bench.prefix = options.prefix != NULL ? g_strdup (options.prefix)
                                            : g_strdup_printf ("bench.%08x", g_random_int ());
      bench.figures = metrics_bench_figures_new ();
      status = run (&bench);
      metrics_bench_figures_free (bench.figures);
      g_free (bench.prefix);
    }
  g_free (options.prefix);
  return status;
}
