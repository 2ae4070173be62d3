/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-call.h"

#include "dbus/metrics-bus-log.h"
#include "dbus/metrics-bus-taking.h"

/* Above so many bytes an answer is written down in a thread of its own: GDBus takes some dozen nanoseconds
 * for each, in the thread that sends it. */
#define MANY_BYTES 65536

/**
 * metrics_bus_call_new:
 * @object: the object that was called
 * @invocation: (transfer full): the call
 *
 * Begins a call that cannot be answered at once.
 *
 * Returns: (transfer full) (nullable): it, or %NULL where there are too many: the caller was told
 */
MetricsBusCall *
metrics_bus_call_new (MetricsBusObject *object, GDBusMethodInvocation *invocation)
{
  MetricsBusCaller *caller
      = metrics_bus_object_get_caller (object, g_dbus_method_invocation_get_sender (invocation));
  MetricsBusCall *self;

  if (object->is_refusing)
    {
      g_dbus_method_invocation_return_error_literal (invocation, METRICS_BUS_ERROR,
                                                     METRICS_BUS_ERROR_STOPPING, METRICS_BUS_STOPPING);
      return NULL;
    }
  if (caller->calls.length >= METRICS_BUS_MAX_CALLS_OF_CALLER || object->n_calls >= METRICS_BUS_MAX_CALLS)
    {
      g_dbus_method_invocation_return_error_literal (invocation, METRICS_BUS_ERROR,
                                                     METRICS_BUS_ERROR_LIMIT_REACHED,
                                                     "too many calls in progress");
      return NULL;
    }
  self = g_new0 (MetricsBusCall, 1);
  self->object = object;
  self->invocation = invocation;
  self->caller = caller;
  self->cancellable = g_cancellable_new ();
  self->since = metrics_disk_get_position (object->disk);
  self->is_awaited = metrics_disk_is_awaited (object->disk);
  self->link.data = self;
  g_queue_push_tail_link (&caller->calls, &self->link);
  object->n_calls++;
  return self;
}

/**
 * metrics_bus_call_free:
 * @self: (transfer full): a call
 *
 * Ends it; where it was not answered, it never is.
 */
void
metrics_bus_call_free (MetricsBusCall *self)
{
  MetricsBusObject *object = self->object;

  g_clear_handle_id (&self->source_id, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  metrics_disk_forget (object->disk, &self->wait);
  if (self->data != NULL)
    self->free_data (self->data);
  g_clear_pointer (&self->result, g_variant_unref);
  g_clear_object (&self->invocation);
  object->answer_bytes -= self->answer_bytes;
  g_queue_unlink (&self->caller->calls, &self->link);
  object->n_calls--;
  g_free (self);
  metrics_bus_object_check_idle (object);
}

/**
 * metrics_bus_call_set_data:
 * @self: a call
 * @data: (transfer full): what it works on
 * @free_data: what frees that
 */
void
metrics_bus_call_set_data (MetricsBusCall *self, gpointer data, GDestroyNotify free_data)
{
  g_assert (self->data == NULL);

  self->data = data;
  self->free_data = free_data;
}

static void run_slice (MetricsBusCall *self);

static gboolean
source_cb (gpointer user_data)
{
  MetricsBusCall *self = user_data;

  self->source_id = 0;
  run_slice (self);
  return G_SOURCE_REMOVE;
}

/* With the priority of clients: nobody waits for ever behind those who are busy. */
static void
run_slice (MetricsBusCall *self)
{
  gint budget = self->object->host.slice;

  if (self->step (self, &budget) == METRICS_BUS_STEP_AGAIN)
    metrics_bus_call_wake (self);
}

/**
 * metrics_bus_call_run:
 * @self: a call
 * @step: does a slice of its work
 *
 * Begins its work, and goes on with it in turn with all others.
 */
void
metrics_bus_call_run (MetricsBusCall *self, MetricsBusStepFunc step)
{
  self->step = step;
  run_slice (self);
}

/**
 * metrics_bus_call_wake:
 * @self: a call that waits
 *
 * It goes on when it is its turn.
 */
void
metrics_bus_call_wake (MetricsBusCall *self)
{
  if (self->source_id == 0)
    self->source_id = g_idle_add_full (G_PRIORITY_DEFAULT, source_cb, self, NULL);
}

/**
 * metrics_bus_call_count_answer:
 * @self: a call
 * @n_bytes: how large its answer is by now
 *
 * Returns: whether it may be that large
 */
gboolean
metrics_bus_call_count_answer (MetricsBusCall *self, gsize n_bytes)
{
  self->object->answer_bytes += n_bytes - self->answer_bytes;
  self->answer_bytes = n_bytes;
  return n_bytes <= METRICS_BUS_MAX_ANSWER && self->object->answer_bytes <= METRICS_BUS_MAX_ANSWERS;
}

/**
 * metrics_bus_call_return:
 * @self: (transfer full): a call
 * @result: (nullable) (transfer floating): the tuple that it returns
 *
 * Answers it.
 */
void
metrics_bus_call_return (MetricsBusCall *self, GVariant *result)
{
  g_dbus_method_invocation_return_value (g_steal_pointer (&self->invocation), result);
  metrics_bus_call_free (self);
}

/**
 * metrics_bus_call_fail:
 * @self: (transfer full): a call
 * @code: why
 * @format: (not nullable): the same for a human, English
 * @...: what stands in it
 *
 * Answers it with an error.
 */
void
metrics_bus_call_fail (MetricsBusCall *self, MetricsBusError code, const char *format, ...)
{
  va_list arguments;

  if (code == METRICS_BUS_ERROR_PERMISSION_DENIED)
    metrics_bus_log_denied (self);
  va_start (arguments, format);
  g_dbus_method_invocation_return_error_valist (g_steal_pointer (&self->invocation), METRICS_BUS_ERROR, code,
                                                format, arguments);
  va_end (arguments);
  metrics_bus_call_free (self);
}

static void
kept_cb (const char *reason, gpointer user_data)
{
  MetricsBusCall *self = user_data;
  g_autoptr (GVariant) result = g_steal_pointer (&self->result);

  if (reason != NULL)
    metrics_bus_call_fail (self, METRICS_BUS_ERROR_STORAGE_FAILED, "storage: %s", reason);
  else
    metrics_bus_call_return (self, result);
}

/**
 * metrics_bus_call_return_kept:
 * @self: (transfer full): a call that may have changed something
 * @result: (nullable) (transfer floating): the tuple that it returns
 *
 * Answers it, where changes are awaited when they are kept.
 */
void
metrics_bus_call_return_kept (MetricsBusCall *self, GVariant *result)
{
  self->result = result != NULL ? g_variant_ref_sink (result) : NULL;
  if (!self->is_awaited && !metrics_disk_is_awaited (self->object->disk))
    kept_cb (NULL, self);
  else if (!metrics_disk_wait (self->object->disk, &self->wait, self->since, kept_cb, self))
    kept_cb (NULL, self);
}

/**
 * metrics_bus_call_flush:
 * @self: (transfer full): a call
 *
 * Answers it when all changes so far are kept.
 */
void
metrics_bus_call_flush (MetricsBusCall *self)
{
  g_autoptr (GError) error = NULL;

  if (metrics_disk_flush (self->object->disk, &self->wait, kept_cb, self, &error))
    return;
  if (error != NULL)
    metrics_bus_call_fail (self, METRICS_BUS_ERROR_STORAGE_FAILED, "%s", error->message);
  else
    metrics_bus_call_return (self, NULL);
}

/* Large answers */

typedef struct
{
  GDBusMethodInvocation *invocation; /* (owned) (nullable) */
  GDBusConnection *connection;       /* (owned) */
  MetricsBusTaking *taking;          /* (owned): until it is sent */
  MetricsBusAnswer *answer;          /* (owned) (nullable): until it is written down */
  gsize n_bytes;
} Sending;

static void
sending_free (gpointer data)
{
  Sending *sending = data;

  g_clear_object (&sending->invocation);
  g_object_unref (sending->connection);
  g_clear_pointer (&sending->answer, metrics_bus_answer_free);
  g_free (sending);
}

static void
send_in_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  Sending *sending = task_data;

  g_dbus_method_invocation_return_value (g_steal_pointer (&sending->invocation),
                                         metrics_bus_answer_build (sending->answer));
  g_clear_pointer (&sending->answer, metrics_bus_answer_free);
  g_task_return_boolean (task, TRUE);
}

static void
flushed_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  MetricsBusObject *object = g_task_get_source_object (task);
  Sending *sending = g_task_get_task_data (task);

  g_dbus_connection_flush_finish (G_DBUS_CONNECTION (source_object), result, NULL);
  object->answer_bytes -= sending->n_bytes;
  object->n_sending--;
  metrics_bus_object_check_idle (object);
}

/* The answer is GDBus's now, and is still in memory until the bus has taken it. */
static void
sent_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  Sending *sending = g_task_get_task_data (G_TASK (result));

  metrics_bus_taking_sent (g_steal_pointer (&sending->taking), sending->connection, sending->n_bytes);
  g_dbus_connection_flush (sending->connection, NULL, flushed_cb, g_object_ref (result));
}

/**
 * metrics_bus_call_return_answer:
 * @self: (transfer full): a call
 * @answer: (transfer full): what it returns, counted by metrics_bus_call_count_answer()
 *
 * Answers it.
 */
void
metrics_bus_call_return_answer (MetricsBusCall *self, MetricsBusAnswer *answer)
{
  g_autoptr (MetricsBusAnswer) owned = answer;
  g_autoptr (GTask) task = NULL;
  gsize n_bytes = self->answer_bytes;
  MetricsBusTaking *taking;
  Sending *sending;

  if (!metrics_bus_taking_is_allowed (self->object, self->caller, n_bytes))
    {
      metrics_bus_call_fail (self, METRICS_BUS_ERROR_LIMIT_REACHED, METRICS_BUS_NOT_TAKEN);
      return;
    }
  taking = metrics_bus_taking_begin (self->object, self->caller, n_bytes);
  if (n_bytes < MANY_BYTES)
    {
      g_autoptr (GDBusConnection) connection
          = g_object_ref (g_dbus_method_invocation_get_connection (self->invocation));

      metrics_bus_call_return (self, metrics_bus_answer_build (owned));
      metrics_bus_taking_sent (taking, connection, n_bytes);
      return;
    }
  sending = g_new0 (Sending, 1);
  sending->invocation = g_steal_pointer (&self->invocation);
  sending->connection = g_object_ref (g_dbus_method_invocation_get_connection (sending->invocation));
  sending->answer = g_steal_pointer (&owned);
  sending->taking = taking;
  sending->n_bytes = n_bytes;
  self->answer_bytes = 0;
  self->object->n_sending++;
  task = g_task_new (self->object, NULL, sent_cb, NULL);
  g_task_set_source_tag (task, metrics_bus_call_return_answer);
  g_task_set_task_data (task, sending, sending_free);
  metrics_bus_call_free (self);
  g_task_run_in_thread (task, send_in_thread);
}
