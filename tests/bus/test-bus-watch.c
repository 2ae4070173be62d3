/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "session.h"

/* What somebody on the bus watches is told to nobody else, and no longer than it is wanted. */

#define INTERVAL 100
#define WATCHDOG (60 * G_TIME_SPAN_SECOND)

static const char *services; /* the folder of the service file */

/* A program on the bus, with what it gets of the server's signals. */
typedef struct
{
  GDBusConnection *connection;
  GAsyncQueue *signals; /* (element-type GDBusMessage) */
  guint filter_id;
} Listener;

typedef struct
{
  Session session;
  Listener watcher;
  Listener bystander;
} Fixture;

/* In GDBus's thread, and for what comes unasked as well. */
static GDBusMessage *
filter_cb (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer user_data)
{
  GAsyncQueue *queue = user_data;

  if (incoming && g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_SIGNAL
      && g_strcmp0 (g_dbus_message_get_interface (message), METRICS_BUS_INTERFACE) == 0)
    g_async_queue_push (queue, g_object_ref (message));
  return message;
}

static void
ignore_cb (GDBusConnection *connection,
           const char *sender,
           const char *path,
           const char *interface,
           const char *signal,
           GVariant *parameters,
           gpointer user_data)
{
}

static void
listener_init (Listener *self, Session *session)
{
  self->connection = session_connect (session);
  self->signals = g_async_queue_new_full (g_object_unref);
  self->filter_id
      = g_dbus_connection_add_filter (self->connection, filter_cb, g_async_queue_ref (self->signals),
                                      (GDestroyNotify) g_async_queue_unref);
  /* Whatever is told to all comes to this one as well. */
  g_dbus_connection_signal_subscribe (self->connection, NULL, METRICS_BUS_INTERFACE, NULL, NULL, NULL,
                                      G_DBUS_SIGNAL_FLAGS_NONE, ignore_cb, NULL, NULL);
}

static void
listener_clear (Listener *self)
{
  g_dbus_connection_remove_filter (self->connection, self->filter_id);
  session_disconnect (self->connection);
  g_async_queue_unref (self->signals);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  session_up (&self->session, services);
  listener_init (&self->watcher, &self->session);
  listener_init (&self->bystander, &self->session);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  listener_clear (&self->watcher);
  listener_clear (&self->bystander);
  session_down (&self->session);
}

static guint64
watch (Listener *self, const char *pattern)
{
  g_autoptr (GVariant) answer
      = session_call (self->connection, "Watch",
                      g_variant_new ("(su@a{sv})", pattern, INTERVAL, session_no_options ()));
  guint64 id;

  g_variant_get (answer, "(t)", &id);
  return id;
}

static void
unwatch (Listener *self, guint64 id)
{
  g_variant_unref (session_call (self->connection, "Unwatch",
                                 g_variant_new ("(t@a{sv})", id, session_no_options ())));
}

/* What the server has sent to this one before is there then. */
static void
make_sure_of_signals (Listener *self)
{
  g_variant_unref (session_call (self->connection, "Stats",
                                 g_variant_new ("(@a{sv})", session_no_options ())));
}

static void
add_points (GVariantBuilder *points, GVariant *more)
{
  GVariantIter iter;
  GVariant *point;

  g_variant_iter_init (&iter, more);
  while ((point = g_variant_iter_next_value (&iter)) != NULL)
    {
      g_variant_builder_add_value (points, point);
      g_variant_unref (point);
    }
}

/* The next points that are told come in one signal or in several, but in this order, to this one, and as
 * those of this watch. */
static void
assert_told (Listener *self, guint64 id, const char *expected)
{
  g_autoptr (GVariant) wanted = g_variant_ref_sink (g_variant_new_parsed (expected));
  g_autoptr (GVariant) told = NULL;
  GVariantBuilder points;
  gsize n = 0;

  g_variant_builder_init (&points, G_VARIANT_TYPE ("a(sdx)"));
  while (n < g_variant_n_children (wanted))
    {
      g_autoptr (GDBusMessage) message = g_async_queue_timeout_pop (self->signals, WATCHDOG);
      g_autoptr (GVariant) more = NULL;
      guint64 its_id, n_dropped;

      g_assert_nonnull (message);
      g_assert_cmpstr (g_dbus_message_get_member (message), ==, "Points");
      g_assert_cmpstr (g_dbus_message_get_destination (message), ==,
                       g_dbus_connection_get_unique_name (self->connection));
      g_variant_get (g_dbus_message_get_body (message), "(t@a(sdx)t)", &its_id, &more, &n_dropped);
      g_assert_cmpuint (its_id, ==, id);
      g_assert_cmpuint (n_dropped, ==, 0);
      add_points (&points, more);
      n += g_variant_n_children (more);
    }
  told = g_variant_ref_sink (g_variant_builder_end (&points));
  g_assert_cmpvariant (told, wanted);
}

static void
test_points (Fixture *self, gconstpointer data)
{
  /* As the first call of all, it starts the server. */
  guint64 id = watch (&self->watcher, "room.*");

  session_put (&self->session, "room.a", 1, 1);
  session_put (&self->session, "hall", 9, 9);
  g_variant_unref (session_call (self->session.connection, "PutMany",
                                 g_variant_new_parsed ("([('room.b', 2.0, int64 5), ('hall', 8.0, 8), "
                                                       "('room.a', 3.0, 4), ('room.a', "
                                                       "4.0, 3)], @a{sv} {})")));
  /* This takes the place of the first one, and is told all the same. */
  session_put (&self->session, "room.a", 5, 1);
  assert_told (&self->watcher, id,
               "[('room.a', 1.0, int64 1), ('room.b', 2.0, 5), ('room.a', 3.0, 4), ('room.a', 4.0, 3), "
               "('room.a', 5.0, 1)]");
  make_sure_of_signals (&self->bystander);
  g_assert_cmpint (g_async_queue_length (self->bystander.signals), ==, 0);
}

/* Each is told what is its own. */
static void
test_two_watchers (Fixture *self, gconstpointer data)
{
  guint64 room = watch (&self->watcher, "room");
  guint64 hall = watch (&self->bystander, "hall");

  session_put (&self->session, "hall", 1, 1);
  session_put (&self->session, "room", 2, 2);
  assert_told (&self->watcher, room, "[('room', 2.0, int64 2)]");
  assert_told (&self->bystander, hall, "[('hall', 1.0, int64 1)]");
}

static void
test_unwatch (Fixture *self, gconstpointer data)
{
  guint64 ended = watch (&self->watcher, "room");
  guint64 other;

  session_put (&self->session, "room", 1, 1);
  assert_told (&self->watcher, ended, "[('room', 1.0, int64 1)]");
  other = watch (&self->watcher, "room");
  unwatch (&self->watcher, ended);
  /* By the second signal, an interval later, the one that ended would have told of the first point at least,
   * which assert_told() would not take. */
  session_put (&self->session, "room", 2, 2);
  assert_told (&self->watcher, other, "[('room', 2.0, int64 2)]");
  session_put (&self->session, "room", 3, 3);
  assert_told (&self->watcher, other, "[('room', 3.0, int64 3)]");
  unwatch (&self->watcher, other);
  make_sure_of_signals (&self->watcher);
  g_assert_cmpint (g_async_queue_length (self->watcher.signals), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_dbus_unset ();
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  services = argv[1];

  g_test_add ("/bus/watch/points", Fixture, NULL, set_up, test_points, tear_down);
  g_test_add ("/bus/watch/two-watchers", Fixture, NULL, set_up, test_two_watchers, tear_down);
  g_test_add ("/bus/watch/unwatch", Fixture, NULL, set_up, test_unwatch, tear_down);
  return g_test_run ();
}
