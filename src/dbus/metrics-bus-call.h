/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-private.h"

G_BEGIN_DECLS

/* Said where calls get no answer any more. */
#define METRICS_BUS_STOPPING "the server stops"

/**
 * MetricsBusStep:
 * @METRICS_BUS_STEP_AGAIN: the budget is used up: it is others' turn
 * @METRICS_BUS_STEP_WAIT: metrics_bus_call_wake() will say when to go on
 * @METRICS_BUS_STEP_OVER: the call was answered: it is there no more
 *
 * How a step of a call ended.
 */
typedef enum
{
  METRICS_BUS_STEP_AGAIN,
  METRICS_BUS_STEP_WAIT,
  METRICS_BUS_STEP_OVER,
} MetricsBusStep;

typedef struct _MetricsBusCall MetricsBusCall;

typedef MetricsBusStep (*MetricsBusStepFunc) (MetricsBusCall *call, gint *budget);
typedef void (*MetricsBusNextFunc) (MetricsBusCall *call);

/**
 * MetricsBusCall:
 *
 * A call in progress, from the moment in which it cannot be answered at once, until its answer or until its
 * caller leaves the bus. What it works on is its data.
 */
struct _MetricsBusCall
{
  MetricsBusObject *object;          /* (unowned): it gives up its calls before it goes */
  GDBusMethodInvocation *invocation; /* (owned) */
  MetricsBusCaller *caller;          /* (unowned) */
  GList link;                        /* in MetricsBusCaller.calls */
  GCancellable *cancellable;         /* (owned): of what is asked on the bus for it */

  MetricsBusStepFunc step; /* (nullable) */
  guint source_id;
  MetricsBusNextFunc next; /* (nullable): what to do when its caller is known, of metrics-bus-authority.c */
  MetricsBusNextFunc allowed; /* (nullable): what to do when it is allowed, of the same */
  const char *action;         /* (nullable): which action that is, static */
  gpointer data;              /* (owned) (nullable) */
  GDestroyNotify free_data;

  guint64 since; /* the disk's position when it began */
  gboolean is_awaited;
  MetricsDiskWait wait;
  GVariant *result;   /* (owned) (nullable): what it returns when its changes are kept */
  gsize answer_bytes; /* as counted in MetricsBusObject.answer_bytes */
};

MetricsBusCall *metrics_bus_call_new (MetricsBusObject *object, GDBusMethodInvocation *invocation);
void metrics_bus_call_free (MetricsBusCall *self);
void metrics_bus_call_set_data (MetricsBusCall *self, gpointer data, GDestroyNotify free_data);

void metrics_bus_call_run (MetricsBusCall *self, MetricsBusStepFunc step);
void metrics_bus_call_wake (MetricsBusCall *self);

gboolean metrics_bus_call_count_answer (MetricsBusCall *self, gsize n_bytes);

void metrics_bus_call_return (MetricsBusCall *self, GVariant *result);
void metrics_bus_call_return_kept (MetricsBusCall *self, GVariant *result);
void metrics_bus_call_return_answer (MetricsBusCall *self, MetricsBusAnswer *answer);
void metrics_bus_call_flush (MetricsBusCall *self);
void metrics_bus_call_fail (MetricsBusCall *self, MetricsBusError code, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

G_END_DECLS
