/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-options.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Clients that were told that there are too many, and have not closed yet. */
#define MAX_REFUSED 32

/**
 * Example:
 *
 * What the examples have in common: the command line, the address, the main loop and its end, the report.
 */
struct Example
{
  ExampleOptions options;
  const char *refusal;   /* (unowned) */
  ExampleReport *report; /* (owned) */
  GMainLoop *loop;       /* (owned) */
  guint terminate;       /* a source of the default main context */
  guint interrupt;       /* likewise */
  gboolean has_quit;
  int status;
  int n_open;    /* (atomic) clients that are there */
  int n_refused; /* (atomic) clients that were refused, and are there still */
};

static gboolean
signal_cb (gpointer user_data)
{
  example_quit (user_data, 0);
  return G_SOURCE_CONTINUE;
}

/* Reads the command line, of which INFO says what is in it, and begins to report. Where the command line is
 * wrong the program ends here, with status 2. INFO lives as long as the example. */
Example *
example_new (const ExampleInfo *info, int *argc, char ***argv)
{
  Example *self = g_new0 (Example, 1);

  setlocale (LC_ALL, "");
#ifdef GETTEXT_PACKAGE
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
#endif
  /* Who reads what it says through a pipe sees each line at once. */
  setvbuf (stdout, NULL, _IOLBF, 0);
  example_options_init (&self->options, info, argc, argv);
  self->refusal = info->refusal != NULL ? info->refusal : EXAMPLE_REFUSAL;
  self->loop = g_main_loop_new (NULL, FALSE);
  /* From now on: who starts it may stop it as soon as it says that it listens. */
  self->terminate = g_unix_signal_add (SIGTERM, signal_cb, self);
  self->interrupt = g_unix_signal_add (SIGINT, signal_cb, self);
  self->report = example_report_new (self->options.name, self->options.metrics);
  return self;
}

/* Sends the last report, for which it waits a second at most, and frees the example. A second signal ends the
 * program at once. */
void
example_free (Example *self)
{
  g_source_remove (self->terminate);
  g_source_remove (self->interrupt);
  example_report_free (self->report);
  g_main_loop_unref (self->loop);
  example_options_clear (&self->options);
  g_free (self);
}

/* Returns: what the example counts with, in any thread */
ExampleReport *
example_get_report (Example *self)
{
  return self->report;
}

/* Returns: the address of the command line, or the usual one */
const char *
example_get_address (Example *self)
{
  return self->options.address;
}

/* Runs the main loop until example_quit(), SIGINT or SIGTERM. Returns: the exit status */
int
example_run (Example *self)
{
  if (!self->has_quit)
    g_main_loop_run (self->loop);
  return self->status;
}

/* Ends example_run() with that exit status, also where it has not begun yet. */
void
example_quit (Example *self, int status)
{
  self->status = status;
  self->has_quit = TRUE;
  g_main_loop_quit (self->loop);
}

static void
refused_cb (Example *self)
{
  g_atomic_int_add (&self->n_refused, -1);
}

/* Tells a client that there are too many. Some of those that come at once get the time to read it. */
static void
refuse (Example *self, GSocketConnection *connection)
{
  example_report_count (self->report, EXAMPLE_ERRORS, 1);
  /* A new socket has room for so little. */
  g_socket_send_with_blocking (g_socket_connection_get_socket (connection), self->refusal,
                               strlen (self->refusal), FALSE, NULL, NULL);
  if (g_atomic_int_add (&self->n_refused, 1) < MAX_REFUSED)
    example_let_go (self, connection, refused_cb);
  else
    refused_cb (self);
}

/* Whether one more client may be there; if so it counts, until example_closed(). On the main loop. */
gboolean
example_open (Example *self, GSocketConnection *connection)
{
  if (g_atomic_int_add (&self->n_open, 1) >= self->options.max_connections)
    {
      g_atomic_int_add (&self->n_open, -1);
      refuse (self, connection);
      return FALSE;
    }
  g_socket_set_timeout (g_socket_connection_get_socket (connection), self->options.idle_seconds);
  example_report_count (self->report, EXAMPLE_CONNECTIONS_ACCEPTED, 1);
  example_report_count (self->report, EXAMPLE_CONNECTIONS, 1);
  return TRUE;
}

/* Counts that a client has gone. In any thread. */
void
example_closed (Example *self)
{
  g_atomic_int_add (&self->n_open, -1);
  example_report_count (self->report, EXAMPLE_CONNECTIONS, -1);
}
