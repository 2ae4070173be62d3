/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "session.h"

/* A server that leaves when it has nothing to do, and that the next call starts again with all that there
 * was. */

#define N_TIMES 3

/* How long it may take until the bus tells of something, in milliseconds. */
#define WATCHDOG 60000

static const char *services; /* the folder of the service file */

typedef struct
{
  Session session;
  guint subscription_id;
  guint n_come; /* how often a server has taken the name */
  guint n_gone; /* how often one has given it back */
} Fixture;

static void
owner_changed_cb (GDBusConnection *connection,
                  const char *sender,
                  const char *path,
                  const char *interface,
                  const char *signal,
                  GVariant *parameters,
                  gpointer user_data)
{
  Fixture *self = user_data;
  const char *old_owner, *new_owner;

  g_variant_get (parameters, "(&s&s&s)", NULL, &old_owner, &new_owner);
  if (old_owner[0] != '\0')
    self->n_gone++;
  if (new_owner[0] != '\0')
    self->n_come++;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  /* A second, the shortest that there is. */
  g_setenv ("EXIT_WHEN_IDLE", "1", TRUE);
  session_up (&self->session, services);
  self->subscription_id
      = g_dbus_connection_signal_subscribe (self->session.connection, "org.freedesktop.DBus",
                                            "org.freedesktop.DBus", "NameOwnerChanged",
                                            "/org/freedesktop/DBus", METRICS_BUS_NAME,
                                            G_DBUS_SIGNAL_FLAGS_NONE, owner_changed_cb, self, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_dbus_connection_signal_unsubscribe (self->session.connection, self->subscription_id);
  session_down (&self->session);
}

static gboolean
late_cb (gpointer user_data)
{
  g_error ("a server has not left, or not come");
  return G_SOURCE_REMOVE;
}

/* Waits until the bus has told more of one kind than so far. */
static void
wait_for_more (const guint *n, guint so_far)
{
  guint watchdog_id = g_timeout_add (WATCHDOG, late_cb, NULL);

  while (*n <= so_far)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (watchdog_id);
}

/* Each call after the first comes in the moment in which the server has given back its name. It still has the
 * folder then, for which the next one waits. */
static void
test_started_again (Fixture *self, gconstpointer data)
{
  g_autoptr (GString) points = g_string_new (NULL);

  for (guint i = 0; i < N_TIMES; i++)
    {
      guint n_gone = self->n_gone;
      g_autofree char *expected = NULL;

      session_put (&self->session, "a", i, i);
      g_string_append_printf (points, "%s(%u.0, int64 %u)", i == 0 ? "" : ", ", i, i);
      expected = g_strdup_printf ("[%s]", points->str);
      session_assert_points (&self->session, "a", expected);
      wait_for_more (&self->n_gone, n_gone);
    }
  session_assert_points (&self->session, "a", "[(0.0, int64 0), (1.0, int64 1), (2.0, int64 2)]");
  wait_for_more (&self->n_come, N_TIMES);
}

/* A server that has left is gone, and what it was told is on disk: nobody has to ask it to stop. */
static void
test_gone (Fixture *self, gconstpointer data)
{
  session_put (&self->session, "a", 1, 1);
  session_wait_for_end (&self->session);
  g_assert_cmpuint (session_get_pid (&self->session), ==, 0);
  session_assert_points (&self->session, "a", "[(1.0, int64 1)]");
}

int
main (int argc, char **argv)
{
  g_test_dbus_unset ();
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  services = argv[1];

  g_test_add ("/bus/idle-exit/started-again", Fixture, NULL, set_up, test_started_again, tear_down);
  g_test_add ("/bus/idle-exit/gone", Fixture, NULL, set_up, test_gone, tear_down);
  return g_test_run ();
}
