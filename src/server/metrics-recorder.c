/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-recorder.h"

#include "server/metrics-stats.h"

#include <string.h>

#define PREFIX "metricsd."
#define KEY_SIZE 64

/**
 * MetricsRecorder:
 *
 * Keeps the figures of the server's own as series, metricsd.NAME, beside those of clients.
 */
struct _MetricsRecorder
{
  MetricsStore *store;           /* (owned) */
  const MetricsFigures *figures; /* (unowned) */
  guint interval;                /* in seconds */
  GSource *timer;                /* (owned) */
  gint64 now;                    /* the time of the points that are put just now */
};

static void
put_figure (const char *name, guint64 value, gpointer user_data)
{
  MetricsRecorder *self = user_data;
  const MetricsPoint point = { .time = self->now, .value = value };
  char key[KEY_SIZE];
  g_autoptr (GError) error = NULL;
  int len = g_snprintf (key, sizeof key, PREFIX "%s", name);

  g_assert (len < KEY_SIZE);

  /* Where a limit is reached, clients are told; nobody waits for this. */
  if (!metrics_store_put (self->store, key, len, point, &error))
    g_debug ("'%s' is not recorded: %s", key, error->message);
}

static void
record (MetricsRecorder *self)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  /* Times at a regular step take the least room. */
  self->now = now - now % self->interval;
  metrics_stats_foreach (self->store, self->figures, put_figure, self);
}

static gboolean
timer_cb (gpointer user_data)
{
  record (user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * metrics_recorder_new:
 * @store: where the series go
 * @figures: what the server counts; they have to live as long as the recorder
 * @interval: how often, in seconds, at least 1
 *
 * Records the figures at once, and then time after time, from the thread-default main context.
 *
 * Returns: (transfer full): a recorder
 */
MetricsRecorder *
metrics_recorder_new (MetricsStore *store, const MetricsFigures *figures, guint interval)
{
  MetricsRecorder *self = g_new0 (MetricsRecorder, 1);

  g_assert (interval > 0);

  self->store = g_object_ref (store);
  self->figures = figures;
  self->interval = interval;
  self->timer = g_timeout_source_new_seconds (interval);
  g_source_set_static_name (self->timer, "MetricsRecorder");
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  record (self);
  return self;
}

/**
 * metrics_recorder_free:
 * @self: (transfer full) (nullable): a recorder
 *
 * Records no more.
 */
void
metrics_recorder_free (MetricsRecorder *self)
{
  if (self == NULL)
    return;
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_object_unref (self->store);
  g_free (self);
}
