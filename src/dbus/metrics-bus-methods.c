/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-arguments.h"
#include "dbus/metrics-bus-authority.h"
#include "dbus/metrics-bus-call.h"
#include "dbus/metrics-bus-put.h"
#include "dbus/metrics-bus-socket.h"
#include "dbus/metrics-bus-taking.h"
#include "dbus/metrics-bus-watch.h"

#include <string.h>

/* The methods that read and delete. */

#define ACTION_DELETE "org.metricsd.Metrics1.delete"
#define ACTION_FLUSH "org.metricsd.Metrics1.flush"

static void
wake_cb (MetricsQuery *query, gpointer user_data)
{
  metrics_bus_call_wake (user_data);
}

/* Reading */

typedef struct
{
  MetricsQuery *query;      /* (owned) */
  MetricsBusAnswer *answer; /* (owned) (nullable): of what reads */
} Work;

static void
work_free (gpointer data)
{
  Work *work = data;

  metrics_query_free (work->query);
  g_clear_pointer (&work->answer, metrics_bus_answer_free);
  g_free (work);
}

/* Returns: FALSE where the answer is too large, and the call over */
static gboolean
take_row (MetricsBusCall *call, const MetricsQueryRow *row)
{
  Work *work = call->data;

  metrics_bus_answer_add (work->answer, row);
  if (metrics_bus_call_count_answer (call, metrics_bus_answer_get_size (work->answer)))
    return TRUE;
  if (metrics_bus_answer_get_size (work->answer) > METRICS_BUS_MAX_ANSWER)
    metrics_bus_call_fail (call, METRICS_BUS_ERROR_LIMIT_REACHED,
                           "the answer is larger than %d MiB: ask for less at a time, or through OpenReader",
                           METRICS_BUS_MAX_ANSWER >> 20);
  else
    metrics_bus_call_fail (call, METRICS_BUS_ERROR_LIMIT_REACHED,
                           "there are too many large answers at a time: ask again, or through OpenReader");
  return FALSE;
}

static void
end_query (MetricsBusCall *call)
{
  Work *work = call->data;

  if (work->answer != NULL)
    metrics_bus_call_return_answer (call, g_steal_pointer (&work->answer));
  else
    metrics_bus_call_return_kept (call, g_variant_new ("(t)", metrics_query_get_n_deleted (work->query)));
}

static MetricsBusStep
step (MetricsBusCall *call, gint *budget)
{
  Work *work = call->data;

  for (;;)
    {
      MetricsQueryRow row;

      switch (metrics_query_next (work->query, budget, &row))
        {
        case METRICS_QUERY_ROW:
          if (!take_row (call, &row))
            return METRICS_BUS_STEP_OVER;
          break;
        case METRICS_QUERY_PAUSED:
          return METRICS_BUS_STEP_AGAIN;
        case METRICS_QUERY_NOT_YET:
          return METRICS_BUS_STEP_WAIT;
        case METRICS_QUERY_DONE:
          end_query (call);
          return METRICS_BUS_STEP_OVER;
        case METRICS_QUERY_LOST:
        case METRICS_QUERY_REFUSED:
        default:
          metrics_bus_call_fail (call, METRICS_BUS_ERROR_ANSWER_LOST,
                                 "what the answer had yet to show was deleted, or cannot be read");
          return METRICS_BUS_STEP_OVER;
        }
    }
}

static Work *
make_work (MetricsBusCall *call, const MetricsQuerySpec *spec)
{
  Work *work = g_new0 (Work, 1);

  work->query = metrics_query_new (call->object->store, spec);
  metrics_query_set_wake_func (work->query, wake_cb, call);
  return work;
}

/* Handles a call that reads. */
static gboolean
read_rows (MetricsBusService *service,
           GDBusMethodInvocation *invocation,
           const MetricsQuerySpec *spec,
           MetricsBusShape shape)
{
  MetricsBusCall *call = metrics_bus_call_new (METRICS_BUS_OBJECT (service), invocation);
  Work *work;

  if (call == NULL)
    return TRUE;
  if (!metrics_bus_taking_is_allowed (call->object, call->caller, 0))
    {
      metrics_bus_call_fail (call, METRICS_BUS_ERROR_LIMIT_REACHED, METRICS_BUS_NOT_TAKEN);
      return TRUE;
    }
  work = make_work (call, spec);
  work->answer = metrics_bus_answer_new (shape);
  metrics_bus_call_set_data (call, work, work_free);
  metrics_bus_call_run (call, step);
  return TRUE;
}

static gboolean
refuse (GDBusMethodInvocation *invocation, const GError *error)
{
  g_dbus_method_invocation_return_gerror (invocation, error);
  return TRUE;
}

static gboolean
handle_get (MetricsBusService *service, GDBusMethodInvocation *invocation, const char *key, GVariant *options)
{
  MetricsQuerySpec spec = {
    .kind = METRICS_QUERY_POINTS,
    .key = key,
    .key_len = strlen (key),
    .from = G_MININT64,
    .to = G_MAXINT64,
  };
  g_autoptr (GError) error = NULL;

  if (!metrics_bus_arguments_check_options (options, &error)
      || !metrics_bus_arguments_check_key (key, &error))
    return refuse (invocation, error);
  return read_rows (service, invocation, &spec, METRICS_BUS_SHAPE_POINTS);
}

static gboolean
handle_range (MetricsBusService *service,
              GDBusMethodInvocation *invocation,
              const char *pattern,
              gint64 from,
              gint64 to,
              gint64 bucket,
              const char *function,
              GVariant *options)
{
  MetricsQuerySpec spec = {
    .key = pattern,
    .key_len = strlen (pattern),
    .is_pattern = TRUE,
    .from = from,
    .to = to,
  };
  g_autoptr (GError) error = NULL;

  if (!metrics_bus_arguments_check_options (options, &error)
      || !metrics_bus_arguments_check_pattern (pattern, &error)
      || !metrics_bus_arguments_take_buckets (bucket, function, &spec, &error))
    return refuse (invocation, error);
  return read_rows (service, invocation, &spec, METRICS_BUS_SHAPE_SERIES);
}

/* Whole series. */
static gboolean
read_series (MetricsBusService *service,
             GDBusMethodInvocation *invocation,
             const char *pattern,
             GVariant *options,
             MetricsQueryKind kind,
             MetricsBusShape shape)
{
  MetricsQuerySpec spec = {
    .kind = kind,
    .key = pattern,
    .key_len = strlen (pattern),
    .is_pattern = TRUE,
    .from = G_MININT64,
    .to = G_MAXINT64,
  };
  g_autoptr (GError) error = NULL;

  if (!metrics_bus_arguments_check_options (options, &error)
      || !metrics_bus_arguments_check_pattern (pattern, &error))
    return refuse (invocation, error);
  return read_rows (service, invocation, &spec, shape);
}

static gboolean
handle_last (MetricsBusService *service,
             GDBusMethodInvocation *invocation,
             const char *pattern,
             GVariant *options)
{
  return read_series (service, invocation, pattern, options, METRICS_QUERY_LAST, METRICS_BUS_SHAPE_LAST);
}

static gboolean
handle_keys (MetricsBusService *service,
             GDBusMethodInvocation *invocation,
             const char *pattern,
             GVariant *options)
{
  return read_series (service, invocation, pattern, options, METRICS_QUERY_KEYS, METRICS_BUS_SHAPE_KEYS);
}

static void
add_figure (const char *name, guint64 value, gpointer user_data)
{
  g_variant_builder_add (user_data, "{st}", name, value);
}

static gboolean
handle_stats (MetricsBusService *service, GDBusMethodInvocation *invocation, GVariant *options)
{
  MetricsBusObject *object = METRICS_BUS_OBJECT (service);
  g_autoptr (GError) error = NULL;
  GVariantBuilder figures;

  if (!metrics_bus_arguments_check_options (options, &error))
    return refuse (invocation, error);
  g_variant_builder_init (&figures, G_VARIANT_TYPE ("a{st}"));
  object->host.foreach_figure (add_figure, &figures, object->host.user_data);
  add_figure ("bus_calls", object->n_called, &figures);
  add_figure ("bus_calls_in_progress", object->n_calls, &figures);
  metrics_bus_service_complete_stats (service, invocation, g_variant_builder_end (&figures));
  return TRUE;
}

/* Deleting and flushing */

static void
begin_delete (MetricsBusCall *call)
{
  const char *pattern;
  MetricsQuerySpec spec = { .kind = METRICS_QUERY_DELETE, .is_pattern = TRUE };

  g_variant_get (g_dbus_method_invocation_get_parameters (call->invocation), "(&sxxa{sv})", &pattern,
                 &spec.from, &spec.to, NULL);
  spec.key = pattern;
  spec.key_len = strlen (pattern);
  metrics_bus_call_set_data (call, make_work (call, &spec), work_free);
  metrics_bus_call_run (call, step);
}

static gboolean
handle_delete (MetricsBusService *service,
               GDBusMethodInvocation *invocation,
               const char *pattern,
               gint64 from,
               gint64 to,
               GVariant *options)
{
  g_autoptr (GError) error = NULL;
  MetricsBusCall *call;

  if (!metrics_bus_arguments_check_options (options, &error)
      || !metrics_bus_arguments_check_pattern (pattern, &error))
    return refuse (invocation, error);
  call = metrics_bus_call_new (METRICS_BUS_OBJECT (service), invocation);
  if (call != NULL)
    metrics_bus_authority_check (call, ACTION_DELETE, begin_delete);
  return TRUE;
}

static gboolean
handle_flush (MetricsBusService *service, GDBusMethodInvocation *invocation, GVariant *options)
{
  g_autoptr (GError) error = NULL;
  MetricsBusCall *call;

  if (!metrics_bus_arguments_check_options (options, &error))
    return refuse (invocation, error);
  call = metrics_bus_call_new (METRICS_BUS_OBJECT (service), invocation);
  if (call != NULL)
    metrics_bus_authority_check (call, ACTION_FLUSH, metrics_bus_call_flush);
  return TRUE;
}

/**
 * metrics_bus_methods_init:
 * @iface: the interface of the object
 *
 * Sets what handles the methods.
 */
void
metrics_bus_methods_init (MetricsBusServiceIface *iface)
{
  iface->handle_put = metrics_bus_put_handle_one;
  iface->handle_put_many = metrics_bus_put_handle_many;
  iface->handle_get = handle_get;
  iface->handle_range = handle_range;
  iface->handle_last = handle_last;
  iface->handle_keys = handle_keys;
  iface->handle_delete = handle_delete;
  iface->handle_stats = handle_stats;
  iface->handle_flush = handle_flush;
  iface->handle_open_reader = metrics_bus_socket_handle_reader;
  iface->handle_open_writer = metrics_bus_socket_handle_writer;
  iface->handle_watch = metrics_bus_watch_handle_watch;
  iface->handle_unwatch = metrics_bus_watch_handle_unwatch;
}
