/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"
#include "dummy-bus.h"
#include <metrics-glib/metrics-glib.h>
#include <string.h>

/* Requests that are calls on the bus: to flush, and to delete where the socket must not. */

typedef struct
{
  DummyServer *server;
  DummyEvent has_come;   /* a call that is no opening has come */
  DummyEvent may_answer; /* where it is kept: it may be answered */
  DummyEvent may_serve;  /* lines may be answered */
  gboolean keep;         /* such calls are not answered at all */
  const char *refusal;   /* (nullable): the name of the error with which they are */
  gboolean was_interactive;
  GVariant *arguments; /* (owned) (nullable): of the last one */
  guint n_lines;       /* (atomic): how many lines have come */
} Service;

static void
serve_ok (DummyPeer *peer, gpointer user_data)
{
  Service *service = user_data;
  char *line;

  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      g_atomic_int_inc (&service->n_lines);
      dummy_event_wait (&service->may_serve);
      dummy_peer_write (peer, g_str_has_prefix (line, "del ") ? "ok\n5\n\n" : "ok\n\n");
      g_free (line);
    }
}

static void
answer (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data)
{
  Service *service = user_data;
  const char *method = g_dbus_method_invocation_get_method_name (invocation);
  GDBusMessage *message = g_dbus_method_invocation_get_message (invocation);
  int fd;

  if (g_str_has_prefix (method, "Open"))
    {
      fd = dummy_bus_connect (service->server);
      dummy_bus_hand_over (invocation, 0, &fd, 1);
      return;
    }
  service->was_interactive
      = (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
  g_clear_pointer (&service->arguments, g_variant_unref);
  service->arguments = g_variant_ref (g_dbus_method_invocation_get_parameters (invocation));
  dummy_event_set (&service->has_come);
  if (service->keep)
    return;
  dummy_event_wait (&service->may_answer);
  if (service->refusal != NULL)
    g_dbus_method_invocation_return_dbus_error (invocation, service->refusal, "not for you");
  else
    g_dbus_method_invocation_return_value (invocation, g_str_equal (method, "Delete")
                                                           ? g_variant_new ("(t)", G_MAXUINT64)
                                                           : NULL);
}

typedef struct
{
  Service service;
  DummyBus *bus;
  MetricsClient *client;
} Fixture;

static void
set_up (Fixture *self, gconstpointer address)
{
  dummy_event_set (&self->service.may_answer);
  dummy_event_set (&self->service.may_serve);
  self->service.server = dummy_server_new_unix (serve_ok, &self->service);
  self->bus = dummy_bus_is_possible () ? dummy_bus_new (NULL, answer, &self->service) : NULL;
  self->client = metrics_client_new (address);
}

static void
tear_down (Fixture *self, gconstpointer address)
{
  g_object_unref (self->client);
  g_clear_pointer (&self->bus, dummy_bus_free);
  dummy_server_free (self->service.server);
  g_clear_pointer (&self->service.arguments, g_variant_unref);
}

static void
assert_arguments (Fixture *self, const char *pattern, gint64 from, gint64 to)
{
  const char *had_pattern;
  gint64 had_from, had_to;
  g_autoptr (GVariant) options = NULL;

  g_variant_get (self->service.arguments, "(&sxx@a{sv})", &had_pattern, &had_from, &had_to, &options);
  g_assert_cmpstr (had_pattern, ==, pattern);
  g_assert_cmpint (had_from, ==, from);
  g_assert_cmpint (had_to, ==, to);
}

static void
test_delete_on_session_bus (Fixture *self, gconstpointer address)
{
  g_autoptr (GError) error = NULL;
  guint64 n_points = 0;

  if (self->bus == NULL)
    return;
  g_assert_true (metrics_client_delete (self->client, "a*", &n_points, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_points, ==, 5);
  g_assert_cmpuint (dummy_bus_count (self->bus, "Delete"), ==, 0);
}

static void
test_delete_on_system_bus (Fixture *self, gconstpointer address)
{
  g_autoptr (GError) error = NULL;
  guint64 n_points = 0;

  if (self->bus == NULL)
    return;
  g_assert_true (metrics_client_delete (self->client, "a*", &n_points, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_points, ==, G_MAXUINT64);
  g_assert_false (self->service.was_interactive);
  assert_arguments (self, "a*", METRICS_TIME_MIN, METRICS_TIME_MAX);

  metrics_client_set_interactive (self->client, TRUE);
  g_assert_true (metrics_client_delete_range (self->client, "b", -3, 7, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (self->service.was_interactive);
  assert_arguments (self, "b", -3, 7);
  /* No socket was needed for it. */
  g_assert_cmpuint (dummy_bus_count (self->bus, "OpenWriter"), ==, 0);
}

static void
test_flush (Fixture *self, gconstpointer address)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (self->bus == NULL)
    return;
  g_assert_true (metrics_client_flush (self->client, NULL, &error));
  g_assert_no_error (error);
  metrics_client_flush_async (self->client, NULL, async_result_store, &result);
  g_assert_true (metrics_client_flush_finish (self->client, async_result_wait (&result), &error));
  g_assert_no_error (error);
  g_assert_cmpuint (dummy_bus_count (self->bus, "Flush"), ==, 2);
}

static void
test_flush_without_bus (void)
{
  g_autoptr (MetricsClient) client = metrics_client_new ("127.0.0.1:1");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (metrics_client_flush (client, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "127.0.0.1:1"));
  g_clear_error (&error);
  metrics_client_flush_async (client, NULL, async_result_store, &result);
  g_assert_false (metrics_client_flush_finish (client, async_result_wait (&result), &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT);
}

/* What stands before a call has been answered when it is made, and what stands behind it is not sent before
 * it has returned. */
static void
test_order (Fixture *self, gconstpointer address)
{
  g_autoptr (GAsyncResult) put = NULL;
  g_autoptr (GAsyncResult) deleted = NULL;
  g_autoptr (GAsyncResult) pinged = NULL;
  g_autoptr (GError) error = NULL;

  if (self->bus == NULL)
    return;
  self->service.may_answer.has_happened = FALSE;
  self->service.may_serve.has_happened = FALSE;
  metrics_client_put_async (self->client, "k", 1, 2, NULL, async_result_store, &put);
  metrics_client_delete_async (self->client, "k", NULL, async_result_store, &deleted);
  metrics_client_ping_async (self->client, NULL, async_result_store, &pinged);
  while (g_atomic_int_get (&self->service.n_lines) == 0)
    g_thread_yield ();
  g_assert_cmpuint (dummy_bus_count (self->bus, "Delete"), ==, 0);

  dummy_event_set (&self->service.may_serve);
  dummy_event_wait (&self->service.has_come);
  g_assert_true (metrics_client_put_finish (self->client, async_result_wait (&put), &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_atomic_int_get (&self->service.n_lines), ==, 1);

  dummy_event_set (&self->service.may_answer);
  g_assert_true (metrics_client_delete_finish (self->client, async_result_wait (&deleted), NULL, &error));
  g_assert_no_error (error);
  g_assert_true (metrics_client_ping_finish (self->client, async_result_wait (&pinged), &error));
  g_assert_no_error (error);
}

static void
test_refused (Fixture *self, gconstpointer address)
{
  static const char *const names[]
      = { "org.metricsd.Metrics1.Error.PermissionDenied", "org.freedesktop.DBus.Error.AccessDenied",
          "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired" };

  if (self->bus == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;

      self->service.refusal = names[i];
      g_assert_false (metrics_client_delete (self->client, "k", NULL, NULL, &error));
      g_assert_error (error, METRICS_ERROR, METRICS_ERROR_REFUSED);
      g_assert_nonnull (strstr (error->message, "not for you"));
      g_assert_null (strstr (error->message, "GDBus"));
    }
}

/* The server went away in the midst of it: nobody knows what became of it. */
static void
test_lost (Fixture *self, gconstpointer address)
{
  g_autoptr (GError) error = NULL;

  if (self->bus == NULL)
    return;
  self->service.refusal = "org.freedesktop.DBus.Error.NoReply";
  g_assert_false (metrics_client_flush (self->client, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
}

static void
assert_works_on (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  metrics_client_set_timeout (self->client, 30000);
  g_assert_true (metrics_client_ping (self->client, NULL, &error));
  g_assert_no_error (error);
}

static void
test_time_is_over (Fixture *self, gconstpointer address)
{
  g_autoptr (GError) error = NULL;

  if (self->bus == NULL)
    return;
  self->service.keep = TRUE;
  metrics_client_set_timeout (self->client, 20);
  g_assert_false (metrics_client_delete (self->client, "k", NULL, NULL, &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_TIMED_OUT);
  assert_works_on (self);
}

static void
test_cancel (Fixture *self, gconstpointer address)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (self->bus == NULL)
    return;
  self->service.keep = TRUE;
  metrics_client_delete_async (self->client, "k", cancellable, async_result_store, &result);
  dummy_event_wait (&self->service.has_come);
  g_cancellable_cancel (cancellable);
  g_assert_false (metrics_client_delete_finish (self->client, async_result_wait (&result), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_works_on (self);
}

static void
test_close (Fixture *self, gconstpointer address)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  if (self->bus == NULL)
    return;
  self->service.keep = TRUE;
  metrics_client_flush_async (self->client, NULL, async_result_store, &result);
  dummy_event_wait (&self->service.has_come);
  metrics_client_close (self->client);
  g_assert_false (metrics_client_flush_finish (self->client, async_result_wait (&result), &error));
  g_assert_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED);
  assert_works_on (self);
}

#define ADD(path, address, test) g_test_add (path, Fixture, address, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  dummy_test_init (&argc, &argv);
  dummy_bus_prepare ();

  ADD ("/bus-calls/delete/session", "bus:session", test_delete_on_session_bus);
  ADD ("/bus-calls/delete/system", "bus:system", test_delete_on_system_bus);
  ADD ("/bus-calls/flush/session", "bus:session", test_flush);
  ADD ("/bus-calls/flush/system", "bus:system", test_flush);
  g_test_add_func ("/bus-calls/flush/without-bus", test_flush_without_bus);
  ADD ("/bus-calls/order", "bus:system", test_order);
  ADD ("/bus-calls/refused", "bus:system", test_refused);
  ADD ("/bus-calls/lost", "bus:session", test_lost);
  ADD ("/bus-calls/time-is-over", "bus:system", test_time_is_over);
  ADD ("/bus-calls/cancel", "bus:system", test_cancel);
  ADD ("/bus-calls/close", "bus:session", test_close);

  return g_test_run ();
}
