/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-report.h"

#include <glib/gi18n.h>
#include <metrics-glib/metrics-glib.h>
#include <string.h>

#define INTERVAL_SECONDS 1
/* How long a metrics server may take for one: the next one is not made before. */
#define TIMEOUT_MSEC 5000
/* How long the end of the program may wait for the last one. */
#define LAST_TIMEOUT_MSEC 1000

/* Times of answers, in microseconds. */
typedef struct
{
  guint64 n;
  guint64 sum;
  guint64 max;
} Times;

/**
 * ExampleReport:
 *
 * What a service counts, and tells a metrics server every second.
 *
 * Counting is adding a number, and nothing of the service ever waits for the metrics server. What is sent are
 * totals: a report that does not arrive costs a point, but no request is lost from the count, since the next
 * one has it as well.
 */
struct ExampleReport
{
  char *prefix;             /* (owned) of the names of the series */
  MetricsClient *client;    /* (owned) */
  GCancellable *ending;     /* (owned) */
  guint timer;              /* a source of the default main context */
  gboolean busy;            /* a report is under way */
  gboolean without_metrics; /* the last report has not arrived, which has been said */
  Times reported;           /* the times that are in the report under way */

  GMutex mutex; /* of what follows: it may be counted in any thread */
  gint64 figures[EXAMPLE_N_FIGURES];
  Times times; /* since the last report */
};

static const char *const names[EXAMPLE_N_FIGURES] = {
  [EXAMPLE_CONNECTIONS] = "connections",
  [EXAMPLE_CONNECTIONS_ACCEPTED] = "connections_accepted",
  [EXAMPLE_REQUESTS] = "requests",
  [EXAMPLE_ERRORS] = "errors",
  [EXAMPLE_BYTES_RECEIVED] = "bytes_received",
  [EXAMPLE_BYTES_SENT] = "bytes_sent",
};

static void
add (ExampleReport *self, MetricsBatch *batch, const char *name, double value, gint64 now)
{
  g_autofree char *key = g_strconcat (self->prefix, name, NULL);
  g_autoptr (GError) error = NULL;

  if (!metrics_batch_add (batch, key, value, now, &error))
    g_critical ("%s", error->message);
}

static MetricsBatch *
make_batch (ExampleReport *self)
{
  MetricsBatch *batch = metrics_batch_new ();
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  gint64 figures[EXAMPLE_N_FIGURES];

  g_mutex_lock (&self->mutex);
  memcpy (figures, self->figures, sizeof figures);
  self->reported = self->times;
  self->times = (Times){ 0 };
  g_mutex_unlock (&self->mutex);

  for (int i = 0; i < EXAMPLE_N_FIGURES; i++)
    add (self, batch, names[i], figures[i], now);
  if (self->reported.n > 0)
    {
      add (self, batch, "answer_microseconds_avg", (double) self->reported.sum / self->reported.n, now);
      add (self, batch, "answer_microseconds_max", self->reported.max, now);
    }
  return batch;
}

/* The times of a report that has not arrived belong to the next one. */
static void
take_times_back (ExampleReport *self)
{
  g_mutex_lock (&self->mutex);
  self->times.n += self->reported.n;
  self->times.sum += self->reported.sum;
  self->times.max = MAX (self->times.max, self->reported.max);
  g_mutex_unlock (&self->mutex);
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ExampleReport *self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean sent = metrics_client_put_batch_finish (self->client, result, &error);

  self->busy = FALSE;
  if (!sent)
    take_times_back (self);
  if (sent == !self->without_metrics || g_cancellable_is_cancelled (self->ending))
    return;
  /* Said when it changes, not every second. */
  self->without_metrics = !sent;
  if (sent)
    g_printerr (_ ("%s: metrics arrive\n"), g_get_prgname ());
  else
    g_printerr (_ ("%s: goes on without metrics: %s\n"), g_get_prgname (), error->message);
}

static gboolean
timer_cb (gpointer user_data)
{
  ExampleReport *self = user_data;

  if (!self->busy)
    {
      g_autoptr (MetricsBatch) batch = make_batch (self);

      self->busy = TRUE;
      metrics_client_put_batch_async (self->client, batch, self->ending, sent_cb, self);
    }
  return G_SOURCE_CONTINUE;
}

/* Makes a report of the service NAME, whose series are `examples.NAME.requests` and so on, and begins to send
 * it in the default main context to ADDRESS or, where that is NULL, to $METRICSD_ADDRESS, else
 * 127.0.0.1:8888. */
ExampleReport *
example_report_new (const char *name, const char *address)
{
  ExampleReport *self = g_new0 (ExampleReport, 1);

  self->prefix = g_strdup_printf ("examples.%s.", name);
  self->client = metrics_client_new (address);
  metrics_client_set_timeout (self->client, TIMEOUT_MSEC);
  self->ending = g_cancellable_new ();
  self->timer = g_timeout_add_seconds (INTERVAL_SECONDS, timer_cb, self);
  g_mutex_init (&self->mutex);
  return self;
}

/* Sends the last figures, waits for that a second at most, and frees the report. Nobody counts any more. */
void
example_report_free (ExampleReport *self)
{
  static const gint64 nothing[EXAMPLE_N_FIGURES];
  g_autoptr (MetricsBatch) batch = NULL;
  g_autoptr (GError) error = NULL;

  g_source_remove (self->timer);
  g_cancellable_cancel (self->ending);
  while (self->busy)
    g_main_context_iteration (NULL, TRUE);
  self->figures[EXAMPLE_CONNECTIONS] = 0; /* whoever is still there goes with the program */
  batch = make_batch (self);
  metrics_client_set_timeout (self->client, LAST_TIMEOUT_MSEC);
  if (memcmp (self->figures, nothing, sizeof nothing) != 0
      && !metrics_client_put_batch (self->client, batch, NULL, &error) && !self->without_metrics)
    g_printerr (_ ("%s: the last metrics did not arrive: %s\n"), g_get_prgname (), error->message);
  g_object_unref (self->ending);
  g_object_unref (self->client);
  g_mutex_clear (&self->mutex);
  g_free (self->prefix);
  g_free (self);
}

/* Adds N to a figure. In any thread. */
void
example_report_count (ExampleReport *self, ExampleFigure figure, gint64 n)
{
  g_mutex_lock (&self->mutex);
  self->figures[figure] += n;
  g_mutex_unlock (&self->mutex);
}

/* Counts an answer of N_BYTES that has been given to the client's socket, and the time since its request was
 * there, by g_get_monotonic_time(). In any thread. */
void
example_report_answered (ExampleReport *self, gsize n_bytes, gint64 since)
{
  guint64 microseconds = g_get_monotonic_time () - since;

  g_mutex_lock (&self->mutex);
  self->figures[EXAMPLE_BYTES_SENT] += n_bytes;
  self->times.n++;
  self->times.sum += microseconds;
  self->times.max = MAX (self->times.max, microseconds);
  g_mutex_unlock (&self->mutex);
}
