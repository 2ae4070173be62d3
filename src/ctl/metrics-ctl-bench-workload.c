/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-workload.h"

#include <glib/gi18n.h>
#include <metrics-glib/metrics-glib.h>
#include <string.h>

typedef enum
{
  KIND_PUT,
  KIND_PUT_LATE,
  KIND_READ,
  KIND_READ_ALL,
} Kind;

struct _MetricsBenchWorkload
{
  const char *name;
  Kind kind;
  const char *part;    /* of the keys, behind the prefix: workloads with the same share the data */
  gboolean one_by_one; /* puts: a series a connection, and as many points as there are requests */
  MetricsBenchSize size;
};

/* In the order in which they are told of in `metricsctl bench --help`. */
static const MetricsBenchWorkload workloads[] = {
  { "pipeline", KIND_PUT, "series", FALSE, { .points = 2000000, .series = 1000, .depth = 0 } },
  { "request", KIND_PUT, "request", TRUE, { .requests = 100000, .depth = 1 } },
  { "read", KIND_READ, "series", FALSE, { .points = 2000000, .series = 1000, .reads = 2000, .depth = 1 } },
  { "read-all",
    KIND_READ_ALL,
    "series",
    FALSE,
    { .points = 2000000, .series = 1000, .reads = 5, .depth = 1 } },
  { "many-series", KIND_PUT, "many", FALSE, { .points = 1000000, .series = 200000, .depth = 0 } },
  { "late", KIND_PUT_LATE, "late", FALSE, { .points = 2000000, .series = 1000, .depth = 0 } },
};

/* Of each connection, and of all together, unless asked for more; and the most that may be asked for. */
#define WARM_UP 10000
#define WARM_UP_OF_ALL 1000000
#define WARM_UP_OF_ALL_MAX 10000000

struct _MetricsBenchSession
{
  MetricsBenchEngine *engine;          /* (unowned) */
  const MetricsBenchDialect *dialect;  /* (unowned) */
  char *prefix;                        /* (owned): of all keys */
  gint64 start;                        /* the time of the first points */
  MetricsBenchData *data;              /* (owned) (nullable): of the workload that was prepared */
  const MetricsBenchWorkload *data_of; /* (unowned) (nullable): whose keys these are */
  gboolean is_put;                     /* whether the server has it all */
  gboolean in_order;                   /* and got it over one connection */

  const MetricsBenchWorkload *workload; /* (unowned) (nullable): what is prepared */
  MetricsBenchSize size;
  GPtrArray *scripts; /* (owned) (nullable) (element-type MetricsBenchScript) */
};

/**
 * metrics_bench_result_clear:
 * @self: a result
 */
void
metrics_bench_result_clear (MetricsBenchResult *self)
{
  g_clear_pointer (&self->tally.latencies, metrics_bench_histogram_free);
}

/**
 * metrics_bench_result_is_broken_off:
 * @self: a result
 *
 * Returns: whether not all requests were answered
 */
gboolean
metrics_bench_result_is_broken_off (const MetricsBenchResult *self)
{
  return self->tally.n_answered < self->n_requests;
}

/**
 * metrics_bench_result_count_points:
 * @self: a result
 *
 * Returns: how many points were read or put; of requests that hold many and were not all carried out, by
 * their share
 */
guint64
metrics_bench_result_count_points (const MetricsBenchResult *self)
{
  const MetricsBenchTally *tally = &self->tally;

  if (metrics_bench_workload_is_read (self->workload))
    return tally->n_points_read;
  return self->n_requests > 0 ? self->n_points_put * (tally->n_answered - tally->n_refused) / self->n_requests
                              : 0;
}

/**
 * metrics_bench_workload_find:
 * @name: a word
 *
 * Returns: (nullable): the workload of that name
 */
const MetricsBenchWorkload *
metrics_bench_workload_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (workloads); i++)
    if (strcmp (workloads[i].name, name) == 0)
      return &workloads[i];
  return NULL;
}

/**
 * metrics_bench_workload_get_name:
 * @self: a workload
 *
 * Returns: (transfer none): its name
 */
const char *
metrics_bench_workload_get_name (const MetricsBenchWorkload *self)
{
  return self->name;
}

/**
 * metrics_bench_workload_is_read:
 * @self: a workload
 *
 * Returns: whether it reads; else it puts
 */
gboolean
metrics_bench_workload_is_read (const MetricsBenchWorkload *self)
{
  return self->kind == KIND_READ || self->kind == KIND_READ_ALL;
}

static int
choose (int given, int otherwise)
{
  return given >= 0 ? given : otherwise;
}

/**
 * metrics_bench_workload_fill_size:
 * @self: a workload
 * @given: how much was asked for; @connections is always given
 *
 * Returns: the same with everything that was left open
 */
MetricsBenchSize
metrics_bench_workload_fill_size (const MetricsBenchWorkload *self, const MetricsBenchSize *given)
{
  MetricsBenchSize size = *given;

  size.requests = choose (given->requests, MAX (self->size.requests, size.connections));
  size.reads = choose (given->reads, MAX (self->size.reads, size.connections));
  size.points = choose (given->points, self->size.points);
  /* Fewer points than usual are in fewer series, too. */
  size.series = choose (given->series, MIN (self->size.series, size.points));
  if (self->one_by_one)
    {
      size.points = size.requests;
      size.series = size.connections;
    }
  size.depth = choose (given->depth, self->size.depth);
  size.warm_up = choose (given->warm_up, MIN (WARM_UP, WARM_UP_OF_ALL / size.connections));
  size.first_step = choose (given->first_step, 0);
  return size;
}

/**
 * metrics_bench_workload_check_size:
 * @self: a workload
 * @size: how much of it, nothing left open
 *
 * Returns: (nullable): what is wrong with that, in the user's language; %NULL where it is well
 */
const char *
metrics_bench_workload_check_size (const MetricsBenchWorkload *self, const MetricsBenchSize *size)
{
  if ((gint64) size->warm_up * size->connections > WARM_UP_OF_ALL_MAX)
    return _ ("there are too many requests of the --warm-up for so many --connections");
  if (self->one_by_one)
    return size->requests < size->connections ? _ ("there must be a request for each of the --connections")
                                              : NULL;
  if (size->points < size->series)
    return _ ("there must be a point for each of the --series");
  if (size->series < size->connections)
    return _ ("there must be a series for each of the --connections");
  if (metrics_bench_workload_is_read (self) && size->reads < size->connections)
    return _ ("there must be a read for each of the --connections");
  return NULL;
}

/**
 * metrics_bench_session_new:
 * @engine: connections
 * @dialect: how to speak over them
 * @prefix: what all keys begin with, without the dot behind it
 * @start: the time of the first points, in seconds since the Unix epoch
 *
 * Returns: (transfer full): a session in which nothing was put
 */
MetricsBenchSession *
metrics_bench_session_new (MetricsBenchEngine *engine,
                           const MetricsBenchDialect *dialect,
                           const char *prefix,
                           gint64 start)
{
  MetricsBenchSession *self = g_new0 (MetricsBenchSession, 1);

  self->engine = engine;
  self->dialect = dialect;
  self->prefix = g_strdup (prefix);
  self->start = start;
  return self;
}

/**
 * metrics_bench_session_free:
 * @self: (transfer full): a session
 */
void
metrics_bench_session_free (MetricsBenchSession *self)
{
  g_clear_pointer (&self->scripts, g_ptr_array_unref);
  g_clear_pointer (&self->data, metrics_bench_data_free);
  g_free (self->prefix);
  g_free (self);
}

/* What the workload puts or reads, in the keys of the workload. */
static void
make_data (MetricsBenchSession *self, const MetricsBenchWorkload *workload, const MetricsBenchSize *size)
{
  g_autofree char *prefix = NULL;

  if (self->data_of != NULL && strcmp (self->data_of->part, workload->part) == 0)
    return;
  prefix = g_strdup_printf ("%s.%s", self->prefix, workload->part);
  g_clear_pointer (&self->data, metrics_bench_data_free);
  self->data = metrics_bench_data_new (prefix, (guint) size->series, (guint) size->points,
                                       (guint) size->first_step, self->start);
  metrics_bench_data_set_cancellable (self->data, metrics_bench_engine_get_cancellable (self->engine));
  self->data_of = workload;
  self->is_put = self->in_order = FALSE;
}

static gboolean
is_cancelled (MetricsBenchSession *self, GError **error)
{
  return g_cancellable_set_error_if_cancelled (metrics_bench_engine_get_cancellable (self->engine), error);
}

/* Does what is not measured. It must be carried out all the same. */
static gboolean
run_unmeasured (MetricsBenchSession *self, GPtrArray *scripts, guint depth, GError **error)
{
  MetricsBenchTally tally = { 0 };
  double seconds;
  gboolean done;

  /* Then they may be incomplete. */
  if (is_cancelled (self, error))
    return FALSE;
  tally.latencies = metrics_bench_histogram_new ();
  done = metrics_bench_engine_run (self->engine, scripts, depth, &tally, &seconds, error);
  metrics_bench_histogram_free (tally.latencies);
  if (done && tally.n_refused > 0)
    {
      g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_REFUSED, tally.refusal);
      return FALSE;
    }
  return done;
}

static gboolean
put_data (MetricsBenchSession *self, guint n_connections, GError **error)
{
  g_autoptr (GPtrArray) scripts = NULL;

  if (self->is_put)
    return TRUE;
  scripts = metrics_bench_scripts_new_puts (self->dialect, self->data, NULL, n_connections);
  self->in_order = n_connections == 1;
  self->is_put = run_unmeasured (self, scripts, 0, error);
  return self->is_put;
}

static GPtrArray *
make_warm_up (MetricsBenchSession *self, const MetricsBenchWorkload *workload, const MetricsBenchSize *size)
{
  g_autofree char *prefix = g_strdup_printf ("%s.warm-%s", self->prefix, workload->name);
  guint n_connections = (guint) size->connections;
  g_autoptr (MetricsBenchData) data = NULL;

  switch (workload->kind)
    {
    case KIND_READ:
      return metrics_bench_scripts_new_reads (self->dialect, self->data,
                                              MAX (MIN (n_connections * size->warm_up,
                                                        (guint) size->reads / 10),
                                                   n_connections),
                                              n_connections);
    case KIND_READ_ALL:
      return metrics_bench_scripts_new_read_all (self->dialect, self->data, FALSE, n_connections,
                                                 n_connections);
    case KIND_PUT:
    case KIND_PUT_LATE:
    default:
      data = metrics_bench_data_new (prefix, n_connections, n_connections * size->warm_up, 0, self->start);
      metrics_bench_data_set_cancellable (data, metrics_bench_engine_get_cancellable (self->engine));
      return metrics_bench_scripts_new_puts (self->dialect, data, NULL, n_connections);
    }
}

static gboolean
warm_up (MetricsBenchSession *self,
         const MetricsBenchWorkload *workload,
         const MetricsBenchSize *size,
         GError **error)
{
  g_autoptr (GPtrArray) scripts = NULL;

  /* Where puts have no answers, connections are closed to learn that they were taken, and gone then. */
  if (size->warm_up == 0 || !self->dialect->has_acks)
    return TRUE;
  scripts = make_warm_up (self, workload, size);
  return run_unmeasured (self, scripts, (guint) size->depth, error);
}

static GPtrArray *
make_scripts (MetricsBenchSession *self, const MetricsBenchWorkload *workload, const MetricsBenchSize *size)
{
  guint n_connections = (guint) size->connections;
  g_autofree guint32 *order = NULL;

  switch (workload->kind)
    {
    case KIND_READ:
      return metrics_bench_scripts_new_reads (self->dialect, self->data, (guint) size->reads, n_connections);
    case KIND_READ_ALL:
      return metrics_bench_scripts_new_read_all (self->dialect, self->data, self->in_order,
                                                 (guint) size->reads, n_connections);
    case KIND_PUT_LATE:
      order = metrics_bench_data_make_late (self->data);
      break;
    case KIND_PUT:
    default:
      break;
    }
  return metrics_bench_scripts_new_puts (self->dialect, self->data, order, n_connections);
}

/**
 * metrics_bench_session_assume_put:
 * @self: a session
 * @workload: a workload that reads
 * @size: of which size, nothing left open
 *
 * Takes it that the server has, from another session, what the workload reads, put over one connection.
 */
void
metrics_bench_session_assume_put (MetricsBenchSession *self,
                                  const MetricsBenchWorkload *workload,
                                  const MetricsBenchSize *size)
{
  make_data (self, workload, size);
  self->is_put = self->in_order = TRUE;
}

/**
 * metrics_bench_session_prepare:
 * @self: a session
 * @workload: what is to be measured
 * @size: how much, nothing left open; the same in a session for all that shares data
 * @error: return location for a #GError
 *
 * Does all that comes before the clock starts: puts what is to be read, where it is not there, warms up, and
 * writes the requests down.
 *
 * Returns: %FALSE where the server did not do its part, or the engine was cancelled
 */
gboolean
metrics_bench_session_prepare (MetricsBenchSession *self,
                               const MetricsBenchWorkload *workload,
                               const MetricsBenchSize *size,
                               GError **error)
{
  g_clear_pointer (&self->scripts, g_ptr_array_unref);
  make_data (self, workload, size);
  if ((metrics_bench_workload_is_read (workload) && !put_data (self, (guint) size->connections, error))
      || !warm_up (self, workload, size, error))
    return FALSE;
  self->scripts = make_scripts (self, workload, size);
  if (is_cancelled (self, error))
    return FALSE;
  self->workload = workload;
  self->size = *size;
  return TRUE;
}

/**
 * metrics_bench_session_measure:
 * @self: a session in which a workload was prepared
 * @result: (out): what was measured, also where it was ended early
 * @error: return location for a #GError
 *
 * Measures it. Requests that the server refused are counted and are no failure here.
 *
 * Returns: %FALSE where it did not come to its end
 */
gboolean
metrics_bench_session_measure (MetricsBenchSession *self, MetricsBenchResult *result, GError **error)
{
  gboolean done;

  *result = (MetricsBenchResult){ .workload = self->workload, .size = self->size };
  result->tally.latencies = metrics_bench_histogram_new ();
  for (guint i = 0; i < self->scripts->len; i++)
    {
      const MetricsBenchScript *script = g_ptr_array_index (self->scripts, i);

      result->n_requests += script->n_requests;
      result->n_points_put += script->n_points;
    }
  done = metrics_bench_engine_run (self->engine, self->scripts, (guint) self->size.depth, &result->tally,
                                   &result->seconds, error);
  g_clear_pointer (&self->scripts, g_ptr_array_unref);
  if (!metrics_bench_workload_is_read (self->workload))
    {
      self->is_put = done && result->tally.n_refused == 0;
      self->in_order = self->workload->kind == KIND_PUT && self->size.connections == 1;
    }
  return done;
}
