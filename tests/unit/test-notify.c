/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-notify.h"

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>

/* What a service manager hears; the test listens in its place. */

typedef struct
{
  char *folder;    /* (owned) */
  char *path;      /* (owned) */
  GSocket *socket; /* (owned) */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("metricsd-notify-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->folder, "socket", NULL);
  address = g_unix_socket_address_new (fixture->path);
  fixture->socket
      = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT, &error);
  g_assert_no_error (error);
  g_socket_bind (fixture->socket, address, FALSE, &error);
  g_assert_no_error (error);
  g_setenv ("NOTIFY_SOCKET", fixture->path, TRUE);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  metrics_notify_close ();
  g_unsetenv ("NOTIFY_SOCKET");
  g_object_unref (fixture->socket);
  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  g_assert_cmpint (g_rmdir (fixture->folder), ==, 0);
  g_free (fixture->path);
  g_free (fixture->folder);
}

/* Returns: (transfer full) (nullable): what was said next; %NULL where it would have to be waited for */
static char *
receive (Fixture *fixture, gboolean wait)
{
  char buffer[4096];
  g_autoptr (GError) error = NULL;
  gssize n;

  g_socket_set_blocking (fixture->socket, wait);
  n = g_socket_receive (fixture->socket, buffer, sizeof buffer, NULL, &error);
  if (n < 0)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
      return NULL;
    }
  return g_strndup (buffer, n);
}

static void
assert_said (Fixture *fixture, const char *pattern)
{
  g_autofree char *text = receive (fixture, TRUE);

  if (!g_pattern_match_simple (pattern, text))
    g_error ("'%s' does not match %s", text, pattern);
}

static void
test_states (Fixture *fixture, gconstpointer data)
{
  metrics_notify_ready ();
  assert_said (fixture, "READY=1\nSTATUS=?*");
  metrics_notify_reloading ();
  assert_said (fixture, "RELOADING=1\nMONOTONIC_USEC=?*\nSTATUS=?*");
  metrics_notify_set_status ("At\nhome\xff");
  metrics_notify_ready ();
  assert_said (fixture, "READY=1\nSTATUS=At?home\xef\xbf\xbd");
  metrics_notify_stopping ();
  assert_said (fixture, "STOPPING=1\nSTATUS=?*");
  metrics_notify_extend (7);
  assert_said (fixture, "EXTEND_TIMEOUT_USEC=7000000");
}

/* The manager takes a reload for done when READY comes with a later time than it has asked at. */
static void
test_reload_has_the_time (Fixture *fixture, gconstpointer data)
{
  gint64 before = g_get_monotonic_time ();
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gint64 said;

  metrics_notify_reloading ();
  text = receive (fixture, TRUE);
  lines = g_strsplit (text, "\n", -1);
  said = g_ascii_strtoll (lines[1] + strlen ("MONOTONIC_USEC="), NULL, 10);
  g_assert_cmpint (said, >=, before);
  g_assert_cmpint (said, <=, g_get_monotonic_time ());
}

/* Who gets on is given time, again and again. */
static void
test_long_wait (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  metrics_notify_begin_wait ("Working");
  assert_said (fixture, "EXTEND_TIMEOUT_USEC=?*\nSTATUS=Working");
  /* This is the work. */
  while ((text = receive (fixture, FALSE)) == NULL)
    ;
  g_assert_true (g_pattern_match_simple ("EXTEND_TIMEOUT_USEC=?*", text));
  metrics_notify_end_wait ();
  metrics_notify_ready ();
  assert_said (fixture, "READY=1\n*");
}

/* A main loop that does not come round says nothing, whatever the threads of the process do. */
static void
test_watchdog_is_in_the_main_context (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = NULL;

  g_setenv ("WATCHDOG_USEC", "2000", TRUE);
  metrics_notify_watch ();
  assert_said (fixture, "WATCHDOG=1");
  g_usleep (20000);
  g_assert_null (receive (fixture, FALSE));

  while ((text = receive (fixture, FALSE)) == NULL)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpstr (text, ==, "WATCHDOG=1");
  metrics_notify_unwatch ();
  g_assert_false (g_main_context_pending (NULL));
  g_unsetenv ("WATCHDOG_USEC");
}

int
main (int argc, char **argv)
{
#define ADD(name, func) g_test_add ("/notify/" name, Fixture, NULL, set_up, func, tear_down)

  g_test_init (&argc, &argv, NULL);

  ADD ("states", test_states);
  ADD ("reload-has-the-time", test_reload_has_the_time);
  ADD ("long-wait", test_long_wait);
  ADD ("watchdog-is-in-the-main-context", test_watchdog_is_in_the_main_context);

  return g_test_run ();
}
