/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "real-server.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#define LISTENING "listening on "

/* A test that aborts takes its server with it. */
static void
die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

/**
 * real_server_start:
 * @program: the path of metricsd
 * @address: where it is to listen; port 0 is any free one
 *
 * Starts a server and waits until it is ready.
 *
 * Returns: (transfer full): the server; real_server_stop() ends it
 */
RealServer *
real_server_start (const char *program, const char *address)
{
  RealServer *self = g_new0 (RealServer, 1);
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GDataInputStream) output = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;

  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  self->process
      = g_subprocess_launcher_spawn (launcher, &error, program, "--memory-only", "--listen", address,
#if HAVE_HTTP
                                     "--no-http",
#endif
                                     NULL);
  g_assert_no_error (error);
  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  while (g_strcmp0 (line, "ready") != 0)
    {
      g_free (line);
      line = g_data_input_stream_read_line (output, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_nonnull (line);
      if (self->address == NULL && g_str_has_prefix (line, LISTENING))
        self->address = g_strdup (line + strlen (LISTENING));
    }
  g_assert_nonnull (self->address);
  return self;
}

/**
 * real_server_stop:
 * @self: (transfer full): a server
 *
 * Asks the server to end, waits until it has, and checks that it found nothing wrong.
 */
void
real_server_stop (RealServer *self)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_send_signal (self->process, SIGTERM);
  g_subprocess_wait_check (self->process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (self->process);
  g_free (self->address);
  g_free (self);
}
