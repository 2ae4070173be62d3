/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-put.h"

#include "dbus/metrics-bus-arguments.h"
#include "dbus/metrics-bus-log.h"
#include "store/metrics-putter.h"

#include <string.h>

/* Putting. One point is put and answered in one go, mostly; what has to wait, and many points, become a call
 * in progress. Many are all looked at before the first one is put. */

/* A point that is looked at is not work as much as one that is put. */
#define CHECKS_PER_UNIT 4

typedef struct
{
  GVariant *points; /* (owned): a(sdx) */
  gsize n_points;
  gsize n_checked;
  gsize n_put;
  gboolean is_single; /* whether the caller knows nothing of numbers of points */
  gboolean is_now;
  gint64 now;
  MetricsPutter putter;
} Put;

static void
put_free (gpointer data)
{
  Put *put = data;

  metrics_putter_clear (&put->putter);
  g_variant_unref (put->points);
  g_free (put);
}

static gint64
get_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static const char *
get_point (const Put *put, gsize i, MetricsPoint *point)
{
  const char *key;

  g_variant_get_child (put->points, i, "(&sdx)", &key, &point->value, &point->time);
  if (put->is_now)
    point->time = put->now;
  return key;
}

static MetricsBusStep
fail (MetricsBusCall *call, gsize i, const GError *error)
{
  const Put *put = call->data;

  if (put->is_single)
    metrics_bus_call_fail (call, error->code, "%s", error->message);
  else
    metrics_bus_call_fail (call, error->code, "points[%" G_GSIZE_FORMAT "]: %s", i, error->message);
  return METRICS_BUS_STEP_OVER;
}

static MetricsBusStep
fail_from_store (MetricsBusCall *call, gsize i, const GError *error)
{
  g_autoptr (GError) ours = metrics_bus_error_from_store (error);

  metrics_bus_log_refused_put (call, error);
  return fail (call, i, ours);
}

/* Returns: whether the point can be put, as far as that does not depend on others */
static gboolean
check_point (MetricsBusCall *call, gsize i)
{
  g_autoptr (GError) error = NULL;
  MetricsPoint point;
  const char *key = get_point (call->data, i, &point);

  if (!metrics_bus_arguments_check_point (key, point.value, &error))
    {
      fail (call, i, error);
      return FALSE;
    }
  if (!metrics_store_check_time (call->object->store, key, strlen (key), point.time, &error))
    {
      fail_from_store (call, i, error);
      return FALSE;
    }
  return TRUE;
}

static void
wake_cb (MetricsQuery *query, gpointer user_data)
{
  metrics_bus_call_wake (user_data);
}

static MetricsQueryState
put_next (MetricsBusCall *call, gint *budget)
{
  Put *put = call->data;
  g_autoptr (GError) error = NULL;
  MetricsPoint point;
  const char *key = get_point (put, put->n_put, &point);
  MetricsQueryState state = metrics_putter_put (&put->putter, key, strlen (key), point, budget, &error);

  if (state == METRICS_QUERY_DONE)
    put->n_put++;
  else if (state == METRICS_QUERY_REFUSED)
    fail_from_store (call, put->n_put, error);
  return state;
}

static MetricsBusStep
step (MetricsBusCall *call, gint *budget)
{
  Put *put = call->data;

  for (; put->n_checked<put->n_points && * budget> 0; put->n_checked++)
    {
      if (!check_point (call, put->n_checked))
        return METRICS_BUS_STEP_OVER;
      *budget -= put->n_checked % CHECKS_PER_UNIT == 0;
    }
  while (put->n_put<put->n_points && * budget> 0)
    {
      MetricsQueryState state = put_next (call, budget);

      if (state == METRICS_QUERY_NOT_YET)
        return METRICS_BUS_STEP_WAIT;
      if (state == METRICS_QUERY_REFUSED)
        return METRICS_BUS_STEP_OVER;
    }
  if (put->n_put < put->n_points)
    return METRICS_BUS_STEP_AGAIN;
  metrics_bus_call_return_kept (call, NULL);
  return METRICS_BUS_STEP_OVER;
}

static void
begin (MetricsBusObject *object, GDBusMethodInvocation *invocation, const Put *spec)
{
  g_autoptr (GVariant) points = g_variant_ref_sink (spec->points);
  MetricsBusCall *call = metrics_bus_call_new (object, invocation);
  Put *put;

  if (call == NULL)
    return;
  put = g_memdup2 (spec, sizeof *spec);
  put->points = g_steal_pointer (&points);
  put->n_points = g_variant_n_children (put->points);
  put->now = get_now ();
  metrics_putter_init (&put->putter, object->store, wake_cb, call);
  metrics_bus_call_set_data (call, put, put_free);
  metrics_bus_call_run (call, step);
}

/**
 * metrics_bus_put_handle_one:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @key: a string
 * @value: a number
 * @timestamp: in seconds
 * @options: options
 *
 * Handles Put().
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_put_handle_one (MetricsBusService *service,
                            GDBusMethodInvocation *invocation,
                            const char *key,
                            double value,
                            gint64 timestamp,
                            GVariant *options)
{
  MetricsBusObject *object = METRICS_BUS_OBJECT (service);
  Put put = { .is_single = TRUE };
  GVariant *child;
  g_autoptr (GError) error = NULL;

  if (!metrics_bus_arguments_take_now (options, &put.is_now, &error)
      || !metrics_bus_arguments_check_point (key, value, &error))
    {
      g_dbus_method_invocation_return_gerror (invocation, error);
      return TRUE;
    }
  child = g_variant_new ("(sdx)", key, value, timestamp);
  put.points = g_variant_new_array (NULL, &child, 1);
  begin (object, invocation, &put);
  return TRUE;
}

/**
 * metrics_bus_put_handle_many:
 * @service: the object that was called
 * @invocation: (transfer full): the call
 * @points: an array of points
 * @options: options
 *
 * Handles PutMany().
 *
 * Returns: %TRUE
 */
gboolean
metrics_bus_put_handle_many (MetricsBusService *service,
                             GDBusMethodInvocation *invocation,
                             GVariant *points,
                             GVariant *options)
{
  MetricsBusObject *object = METRICS_BUS_OBJECT (service);
  Put put = { .points = points };
  g_autoptr (GError) error = NULL;

  if (!metrics_bus_arguments_take_now (options, &put.is_now, &error))
    g_dbus_method_invocation_return_gerror (invocation, error);
  else if (g_variant_n_children (points) > METRICS_BUS_MAX_POINTS)
    g_dbus_method_invocation_return_error (invocation, METRICS_BUS_ERROR, METRICS_BUS_ERROR_LIMIT_REACHED,
                                           "more than %d points in a message", METRICS_BUS_MAX_POINTS);
  else
    begin (object, invocation, &put);
  return TRUE;
}
