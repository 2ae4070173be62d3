/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "session.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

/* Two servers: on one bus there is one, which the second is told; on two buses each is by itself. */

static const char *services; /* the folder of the service file */
static const char *program;

/* A test that aborts takes its server with it. */
static void
die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/* Starts a server by hand, on the bus of the session, which is to end by itself, as one that failed.
 * Returns: (transfer full): what it says */
static char *
fail_to_start (Session *session, const char *state)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GDataInputStream) output = NULL;
  g_autoptr (GError) error = NULL;
  GString *said = g_string_new (NULL);
  char *line;

  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  g_subprocess_launcher_setenv (launcher, "DBUS_SESSION_BUS_ADDRESS",
                                g_test_dbus_get_bus_address (session->bus), TRUE);
  g_subprocess_launcher_setenv (launcher, "LC_ALL", "C", TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, program, "--session", "--state-dir", state,
                                         "--lock-timeout", "0", NULL);
  g_assert_no_error (error);
  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  while ((line = g_data_input_stream_read_line (output, NULL, NULL, &error)) != NULL)
    {
      g_assert_cmpstr (line, !=, "ready");
      g_string_append_printf (said, "%s\n", line);
      g_free (line);
    }
  g_assert_no_error (error);
  g_subprocess_wait (process, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, 1);
  return g_string_free (said, FALSE);
}

static void
assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("'%s' is not in '%s'", part, text);
}

static void
test_one_bus (void)
{
  Session session;
  g_autofree char *other_folder = NULL, *said = NULL, *said_of_folder = NULL;
  guint pid;

  session_up (&session, services);
  session_put (&session, "a", 1, 1);
  pid = session_get_pid (&session);

  other_folder = g_build_filename (session.folder, "other", NULL);
  said = fail_to_start (&session, other_folder);
  assert_contains (said, "another server has the name " METRICS_BUS_NAME);
  said_of_folder = fail_to_start (&session, session.state);
  assert_contains (said_of_folder, "in use by another server");

  /* Of this the first one has noticed nothing. */
  session_put (&session, "a", 2, 2);
  session_assert_points (&session, "a", "[(1.0, int64 1), (2.0, int64 2)]");
  g_assert_cmpuint (session_get_pid (&session), ==, pid);
  session_down (&session);
}

static void
test_two_buses (void)
{
  Session one, other;

  session_up (&one, services);
  session_up (&other, services);
  session_put (&one, "a", 1, 1);
  session_put (&other, "a", 2, 2);
  g_assert_cmpuint (session_get_pid (&one), !=, session_get_pid (&other));
  session_assert_points (&one, "a", "[(1.0, int64 1)]");
  session_assert_points (&other, "a", "[(2.0, int64 2)]");

  /* The end of one is not that of the other, and each finds its own points again. */
  session_stop_server (&one);
  g_assert_cmpuint (session_get_pid (&other), !=, 0);
  session_assert_points (&one, "a", "[(1.0, int64 1)]");
  session_assert_points (&other, "a", "[(2.0, int64 2)]");
  session_down (&one);
  session_down (&other);
}

int
main (int argc, char **argv)
{
  g_test_dbus_unset ();
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 3);
  services = argv[1];
  program = argv[2];

  g_test_add_func ("/bus/instances/one-bus", test_one_bus);
  g_test_add_func ("/bus/instances/two-buses", test_two_buses);
  return g_test_run ();
}
