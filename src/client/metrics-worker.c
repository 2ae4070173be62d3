/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-worker.h"

static gpointer
worker_run (gpointer data)
{
  GMainContext *context = data;
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);

  /* What GIO completes for a channel, a connection attempt say, has to come back to this thread. */
  g_main_context_push_thread_default (context);
  g_main_loop_run (loop);
  g_main_context_pop_thread_default (context);
  return NULL;
}

/**
 * metrics_worker_get_context:
 *
 * Gets the main context in which all connections of all clients of the process live. The first call starts
 * the thread that runs it; like GDBus's, it runs for as long as the process does.
 *
 * No code of the program that uses the library ever runs in it: a program that blocks cannot hold it up.
 *
 * Returns: (transfer none): the context
 */
GMainContext *
metrics_worker_get_context (void)
{
  static GMainContext *context;

  if (g_once_init_enter (&context))
    {
      GMainContext *fresh = g_main_context_new ();

      g_thread_unref (g_thread_new ("metrics-glib", worker_run, fresh));
      g_once_init_leave (&context, fresh);
    }
  return context;
}
