/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-taking.h"

/* Whether callers take their answers.
 *
 * What a caller of the system bus does not read counts there as sent by this process, and above 127 MiB the
 * bus reads nothing from it any more, whomever that is for. So a Ping is sent behind answers, and who leaves
 * too much unanswered gets no more. */

/* A caller is asked above so many bytes; and refused, above so many of its own, and of all. Where the latter
 * is reached, those still get their answers who leave little. */
#define ASK_ABOVE (256 << 10)
#define MAX_UNTAKEN METRICS_BUS_MAX_ANSWER
#define MAX_UNTAKEN_OF_ALL (64 << 20)
#define LITTLE (64 << 10)

/* What the smallest answer counts. */
#define MIN_BYTES 256

/* How many callers are asked at a time: see METRICS_BUS_MAX_WATCHERS. */
#define MAX_ASKED 24

struct _MetricsBusTaking
{
  MetricsBusObject *object; /* (unowned) (nullable): until the caller leaves */
  char *name;               /* (owned) */
  gsize n_bytes;            /* that it was not seen to take */
  gsize n_sent;             /* of these, behind which no Ping was sent */
  gsize n_asked;            /* of these, behind which one was */
  gboolean is_asked;
};

static void
clear (gpointer data)
{
  MetricsBusTaking *self = data;

  g_free (self->name);
}

static void
unref (MetricsBusTaking *self)
{
  g_rc_box_release_full (self, clear);
}

/**
 * metrics_bus_taking_is_allowed:
 * @object: the object that was called
 * @caller: who called it
 * @n_bytes: how large its answer is
 *
 * Returns: whether the caller, and all callers, have taken enough for it to be sent
 */
gboolean
metrics_bus_taking_is_allowed (MetricsBusObject *object, MetricsBusCaller *caller, gsize n_bytes)
{
  gsize n_untaken = caller->taking != NULL ? caller->taking->n_bytes : 0;

  /* There nobody calls but the user's own programs. */
  if (object->kind == METRICS_BUS_SESSION)
    return TRUE;
  return n_untaken <= MAX_UNTAKEN
         && (object->n_untaken + n_bytes <= MAX_UNTAKEN_OF_ALL || n_untaken + n_bytes <= LITTLE);
}

/**
 * metrics_bus_taking_begin:
 * @object: the object that was called
 * @caller: who called it
 * @n_bytes: how large the answer is that it will be sent
 *
 * Counts an answer.
 *
 * Returns: (transfer full): for metrics_bus_taking_sent()
 */
MetricsBusTaking *
metrics_bus_taking_begin (MetricsBusObject *object, MetricsBusCaller *caller, gsize n_bytes)
{
  if (caller->taking == NULL)
    {
      caller->taking = g_rc_box_new0 (MetricsBusTaking);
      caller->taking->object = object;
      caller->taking->name = g_strdup (caller->name);
    }
  caller->taking->n_bytes += MAX (n_bytes, MIN_BYTES);
  object->n_untaken += MAX (n_bytes, MIN_BYTES);
  return g_rc_box_acquire (caller->taking);
}

static void ask (MetricsBusTaking *self, GDBusConnection *connection);

/* One of those who could not be asked before is asked now. */
static void
ask_another (MetricsBusObject *object, GDBusConnection *connection)
{
  GHashTableIter iter;
  gpointer value;

  if (!object->is_one_unasked)
    return;
  object->is_one_unasked = FALSE;
  g_hash_table_iter_init (&iter, object->callers);
  while (!object->is_one_unasked && g_hash_table_iter_next (&iter, NULL, &value))
    {
      MetricsBusCaller *caller = value;

      if (caller->taking != NULL)
        ask (caller->taking, connection);
    }
}

static void
ping_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  GDBusConnection *connection = G_DBUS_CONNECTION (source_object);
  MetricsBusTaking *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (connection, result, &error);
  MetricsBusObject *object = self->object;

  if (object != NULL)
    {
      self->is_asked = FALSE;
      object->n_asked--;
      if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED))
        /* The bus had no place for the question: it comes again behind the next answer. */
        self->n_sent += self->n_asked;
      else
        {
          self->n_bytes -= self->n_asked;
          object->n_untaken -= self->n_asked;
          ask (self, connection);
          ask_another (object, connection);
        }
    }
  unref (self);
}

static void
ask (MetricsBusTaking *self, GDBusConnection *connection)
{
  if (self->object->kind == METRICS_BUS_SESSION || self->is_asked || self->n_sent <= ASK_ABOVE)
    return;
  if (self->object->n_asked >= MAX_ASKED)
    {
      self->object->is_one_unasked = TRUE;
      return;
    }
  self->is_asked = TRUE;
  self->object->n_asked++;
  self->n_asked = self->n_sent;
  self->n_sent = 0;
  g_dbus_connection_call (connection, self->name, "/", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, NULL, ping_cb, g_rc_box_acquire (self));
}

/**
 * metrics_bus_taking_sent:
 * @self: (transfer full): of metrics_bus_taking_begin()
 * @connection: what the answer was sent through
 * @n_bytes: as said there
 *
 * To be called when the answer is on its way.
 */
void
metrics_bus_taking_sent (MetricsBusTaking *self, GDBusConnection *connection, gsize n_bytes)
{
  if (self->object != NULL)
    {
      self->n_sent += MAX (n_bytes, MIN_BYTES);
      ask (self, connection);
    }
  unref (self);
}

/**
 * metrics_bus_taking_leave:
 * @self: (transfer full): of a caller that has left the bus
 *
 * What it did not take is not there any more.
 */
void
metrics_bus_taking_leave (MetricsBusTaking *self)
{
  self->object->n_untaken -= self->n_bytes;
  if (self->is_asked)
    self->object->n_asked--;
  self->object = NULL;
  unref (self);
}
