/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-load.h"

#include "common/metrics-number.h"

#include <glib/gi18n.h>
#include <string.h>
#include <time.h>

/* Puts of each connection before the clock starts: pipelined, and one by one. */
#define WARM_UP_POINTS 10000
#define WARM_UP_REQUESTS 100

/* The values: of a random walk of hundredths, from a fixed seed, so that every run sends the same. */
#define SEED 42
#define FIRST_VALUE 10000
#define STEP_MAX 50

/* One connection and the thread that uses it. The series are dealt out to the workers in turn. */
typedef struct
{
  MetricsBenchLoad *load; /* (unowned) */
  guint nth;
  MetricsClient *client; /* (owned) */
  MetricsBatch *batch; /* (owned): the points of its series, all series of a time before those of the next */
  guint64 n_bytes;     /* of the requests in @batch */
  gint64 *samples;     /* (owned) (nullable) (array length=n_samples): nanoseconds of single puts */
  guint n_samples;
  guint64 n_points_read;
  GError *error; /* (owned) (nullable): what ended its phase */
} Worker;

typedef gboolean (*PhaseFunc) (Worker *worker, GError **error);

struct _MetricsBenchLoad
{
  MetricsBenchSize size;
  char *prefix;              /* (owned) */
  GCancellable *cancellable; /* (owned): ends a phase early */
  gint64 end;                /* of all series, in seconds since the Unix epoch: a point a second up to it */
  Worker *workers;           /* (owned) (array length=size.connections) */
  PhaseFunc phase;           /* what is being measured */
  GMutex lock;               /* of @go */
  GCond go_changed;
  gboolean go; /* the clock runs */
  int failed;  /* (atomic): a worker ended with an error, so that the others may stop */
};

/* The points of all series number @size.points; the first series have one more where that is not even. */
static guint
count_points (const MetricsBenchSize *size, guint series)
{
  return size->points / size->series + (series < (guint) (size->points % size->series) ? 1 : 0);
}

/* How much of the work @n is this worker's. */
static guint
get_share (const Worker *worker, int n)
{
  guint connections = worker->load->size.connections;

  return n / connections + (worker->nth < n % connections ? 1 : 0);
}

static char *
make_key (MetricsBenchLoad *self, guint series)
{
  return g_strdup_printf ("%s.series.%u", self->prefix, series);
}

static guint64
count_request_bytes (const char *key, double value, gint64 time)
{
  char number[MAX (METRICS_NUMBER_MAX_DOUBLE, METRICS_NUMBER_MAX_INT64)];

  return strlen ("put   \n") + strlen (key) + metrics_number_print_double (number, value)
         + metrics_number_print_int64 (number, time);
}

static void
add_point (Worker *worker, const char *key, double value, gint64 time)
{
  gboolean added = metrics_batch_add (worker->batch, key, value, time, NULL);

  g_assert (added);
  worker->n_bytes += count_request_bytes (key, value, time);
}

static void
fill_batch (Worker *worker)
{
  MetricsBenchLoad *self = worker->load;
  guint connections = self->size.connections, series = self->size.series;
  guint n_series = get_share (worker, (int) series);
  guint n_seconds = count_points (&self->size, 0);
  g_autoptr (GRand) random = g_rand_new_with_seed (SEED + worker->nth);
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  g_autofree int *values = g_new (int, n_series);

  worker->batch = metrics_batch_new ();
  for (guint i = 0; i < n_series; i++)
    {
      g_ptr_array_add (keys, make_key (self, worker->nth + i * connections));
      values[i] = FIRST_VALUE;
    }
  for (guint second = 0; second < n_seconds; second++)
    for (guint i = 0; i < n_series && second < count_points (&self->size, worker->nth + i * connections); i++)
      {
        values[i] += g_rand_int_range (random, -STEP_MAX, STEP_MAX + 1);
        add_point (worker, g_ptr_array_index (keys, i), values[i] / 100.0, self->end - n_seconds + second);
      }
}

/**
 * metrics_bench_load_new:
 * @ctl: the command line's state: where the server is
 * @size: how much work
 * @prefix: what all keys begin with, without the dot behind it
 * @cancellable: ends what is measured early
 *
 * Makes the connections and writes down all that is put pipelined.
 *
 * Returns: (transfer full): the load
 */
MetricsBenchLoad *
metrics_bench_load_new (MetricsCtl *ctl,
                        const MetricsBenchSize *size,
                        const char *prefix,
                        GCancellable *cancellable)
{
  MetricsBenchLoad *self = g_new0 (MetricsBenchLoad, 1);

  self->size = *size;
  self->prefix = g_strdup (prefix);
  self->cancellable = g_object_ref (cancellable);
  self->end = g_get_real_time () / G_USEC_PER_SEC;
  g_mutex_init (&self->lock);
  g_cond_init (&self->go_changed);
  self->workers = g_new0 (Worker, size->connections);
  for (guint i = 0; i < (guint) size->connections; i++)
    {
      self->workers[i].load = self;
      self->workers[i].nth = i;
      self->workers[i].client = metrics_ctl_new_client (ctl);
      fill_batch (&self->workers[i]);
    }
  return self;
}

/**
 * metrics_bench_load_free:
 * @self: (transfer full): a load
 */
void
metrics_bench_load_free (MetricsBenchLoad *self)
{
  for (guint i = 0; i < (guint) self->size.connections; i++)
    {
      g_object_unref (self->workers[i].client);
      g_object_unref (self->workers[i].batch);
      g_free (self->workers[i].samples);
    }
  g_free (self->workers);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->go_changed);
  g_object_unref (self->cancellable);
  g_free (self->prefix);
  g_free (self);
}

static gpointer
worker_main (gpointer user_data)
{
  Worker *worker = user_data;
  MetricsBenchLoad *self = worker->load;

  g_mutex_lock (&self->lock);
  while (!self->go)
    g_cond_wait (&self->go_changed, &self->lock);
  g_mutex_unlock (&self->lock);

  if (!self->phase (worker, &worker->error))
    g_atomic_int_set (&self->failed, TRUE);
  return NULL;
}

static gint64
get_nanoseconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* One error is enough: the others may come of it. */
static gboolean
take_error (MetricsBenchLoad *self, GError **error)
{
  for (guint i = 0; i < (guint) self->size.connections; i++)
    {
      g_autoptr (GError) worker_error = g_steal_pointer (&self->workers[i].error);

      if (worker_error != NULL && error != NULL && *error == NULL)
        *error = g_steal_pointer (&worker_error);
    }
  return !g_atomic_int_get (&self->failed);
}

/* Runs a phase on all connections at once; the time is that from the start of the first to the end of the
 * last. */
static gboolean
run_phase (MetricsBenchLoad *self, PhaseFunc phase, double *seconds, GError **error)
{
  guint n = self->size.connections;
  g_autofree GThread **threads = g_new (GThread *, n);
  gint64 start;

  self->phase = phase;
  self->go = FALSE;
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("bench", worker_main, &self->workers[i]);

  g_mutex_lock (&self->lock);
  self->go = TRUE;
  start = get_nanoseconds ();
  g_cond_broadcast (&self->go_changed);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);

  *seconds = (get_nanoseconds () - start) / 1e9;
  return take_error (self, error);
}

static gboolean
put_batch (Worker *worker, MetricsBatch *batch, GError **error)
{
  if (!metrics_client_put_batch (worker->client, batch, worker->load->cancellable, error))
    return FALSE;
  g_assert (metrics_batch_get_n_accepted (batch) == metrics_batch_get_n_points (batch));
  return TRUE;
}

static gboolean
put_phase (Worker *worker, GError **error)
{
  return put_batch (worker, worker->batch, error);
}

/* Puts one by one; with @samples each is measured. */
static gboolean
put_singly (Worker *worker, const char *part, guint n, gint64 *samples, GError **error)
{
  MetricsBenchLoad *self = worker->load;
  g_autofree char *key = g_strdup_printf ("%s.%s.%u", self->prefix, part, worker->nth);

  for (guint i = 0; i < n && !g_atomic_int_get (&self->failed); i++)
    {
      gint64 start = get_nanoseconds ();

      if (!metrics_client_put (worker->client, key, (FIRST_VALUE + i % STEP_MAX) / 100.0, self->end - n + i,
                               self->cancellable, error))
        return FALSE;
      if (samples != NULL)
        samples[i] = get_nanoseconds () - start;
    }
  return TRUE;
}

static gboolean
put_singly_phase (Worker *worker, GError **error)
{
  return put_singly (worker, "single", worker->n_samples, worker->samples, error);
}

static gboolean
warm_up_phase (Worker *worker, GError **error)
{
  MetricsBenchLoad *self = worker->load;
  g_autoptr (MetricsBatch) batch = metrics_batch_new ();
  g_autofree char *key = g_strdup_printf ("%s.warm.%u", self->prefix, worker->nth);

  for (guint i = 0; i < WARM_UP_POINTS; i++)
    metrics_batch_add (batch, key, i, self->end - WARM_UP_POINTS + i, NULL);
  return put_batch (worker, batch, error) && put_singly (worker, "warm", WARM_UP_REQUESTS, NULL, error);
}

static gboolean
get_phase (Worker *worker, GError **error)
{
  MetricsBenchLoad *self = worker->load;
  guint n_series = get_share (worker, self->size.series);
  guint n_reads = get_share (worker, self->size.reads);

  for (guint i = 0; i < n_reads && !g_atomic_int_get (&self->failed); i++)
    {
      guint series = worker->nth + i % n_series * (guint) self->size.connections;
      g_autofree char *key = make_key (self, series);
      g_autoptr (GPtrArray) samples = metrics_client_get (worker->client, key, self->cancellable, error);

      if (samples == NULL)
        return FALSE;
      if (samples->len != count_points (&self->size, series))
        {
          g_set_error (error, METRICS_ERROR, METRICS_ERROR_PROTOCOL,
                       _ ("%u points of '%s' were put, and the server has %u"),
                       count_points (&self->size, series), key, samples->len);
          return FALSE;
        }
      worker->n_points_read += samples->len;
    }
  return TRUE;
}

/**
 * metrics_bench_load_warm_up:
 * @self: a load
 * @error: return location for a #GError
 *
 * Makes all connections and puts a little, into series of its own.
 *
 * Returns: %FALSE where a request failed
 */
gboolean
metrics_bench_load_warm_up (MetricsBenchLoad *self, GError **error)
{
  double seconds;

  return run_phase (self, warm_up_phase, &seconds, error);
}

/**
 * metrics_bench_load_put:
 * @self: a load
 * @seconds: (out): how long it took until all answers were there
 * @n_bytes: (out): how long the requests are
 * @error: return location for a #GError
 *
 * Puts all points pipelined, and checks every answer.
 *
 * Returns: %FALSE where a request failed
 */
gboolean
metrics_bench_load_put (MetricsBenchLoad *self, double *seconds, guint64 *n_bytes, GError **error)
{
  *n_bytes = 0;
  for (guint i = 0; i < (guint) self->size.connections; i++)
    *n_bytes += self->workers[i].n_bytes;
  return run_phase (self, put_phase, seconds, error);
}

/**
 * metrics_bench_load_put_singly:
 * @self: a load
 * @seconds: (out): how long all of it took
 * @samples: (out) (transfer full) (array length=n_samples): how long each request took, in nanoseconds
 * @n_samples: (out): how many
 * @error: return location for a #GError
 *
 * Puts points into series of their own, each after the answer to the one before it.
 *
 * Returns: %FALSE where a request failed; there are no samples then
 */
gboolean
metrics_bench_load_put_singly (MetricsBenchLoad *self,
                               double *seconds,
                               gint64 **samples,
                               gsize *n_samples,
                               GError **error)
{
  gint64 *end;

  for (guint i = 0; i < (guint) self->size.connections; i++)
    {
      Worker *worker = &self->workers[i];

      worker->n_samples = get_share (worker, self->size.requests);
      worker->samples = g_new0 (gint64, worker->n_samples);
    }
  if (!run_phase (self, put_singly_phase, seconds, error))
    return FALSE;

  *n_samples = self->size.requests;
  end = *samples = g_new (gint64, *n_samples);
  for (guint i = 0; i < (guint) self->size.connections; i++)
    {
      memcpy (end, self->workers[i].samples, self->workers[i].n_samples * sizeof *end);
      end += self->workers[i].n_samples;
    }
  return TRUE;
}

/**
 * metrics_bench_load_get:
 * @self: a load whose points were put
 * @seconds: (out): how long it took
 * @n_points: (out): how many points were read
 * @error: return location for a #GError
 *
 * Reads whole series in turn, and checks that each has all its points.
 *
 * Returns: %FALSE where a request failed or points are missing
 */
gboolean
metrics_bench_load_get (MetricsBenchLoad *self, double *seconds, guint64 *n_points, GError **error)
{
  if (!run_phase (self, get_phase, seconds, error))
    return FALSE;
  *n_points = 0;
  for (guint i = 0; i < (guint) self->size.connections; i++)
    *n_points += self->workers[i].n_points_read;
  return TRUE;
}

/**
 * metrics_bench_load_delete:
 * @self: a load
 * @error: return location for a #GError
 *
 * Deletes all that was put, also after a phase was broken off: on every connection, for what a connection has
 * sent and the server has not yet read would otherwise be put after it was deleted.
 *
 * Returns: %FALSE where a request failed
 */
gboolean
metrics_bench_load_delete (MetricsBenchLoad *self, GError **error)
{
  g_autofree char *pattern = g_strconcat (self->prefix, ".*", NULL);

  for (guint i = 0; i < (guint) self->size.connections; i++)
    if (!metrics_client_delete (self->workers[i].client, pattern, NULL, NULL, error))
      return FALSE;
  return TRUE;
}
