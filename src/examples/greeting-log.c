/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "greeting.h"

#include <glib/gi18n.h>
#include <unistd.h>

/* A file on a disk is full one day, too, and nobody reads more than that. */
#define LINES_PER_SECOND 50

/**
 * GreetingLog:
 *
 * Standard output, for what strangers cause: it is never waited for, and they cannot fill it.
 *
 * Who reads it may have stopped, as a terminal does at Ctrl-S, or a pager. A write would wait then, and with
 * it the server. So a line is printed only where there is room for it, and is counted otherwise; so are those
 * above some in a second. The number is said when there is room again.
 */
struct GreetingLog
{
  guint timer;     /* which ends the second */
  guint n_shown;   /* lines of this second */
  gulong n_hidden; /* lines that were left out, which has yet to be said */
};

/* Whether a line can be written without waiting: a pipe that says so has room for 4096 bytes, and a line here
 * is shorter. Not if its reader has gone. */
static gboolean
has_room (void)
{
  GPollFD output = { .fd = STDOUT_FILENO, .events = G_IO_OUT };

  return g_poll (&output, 1, 0) == 1 && output.revents == G_IO_OUT;
}

static gboolean
second_cb (gpointer user_data)
{
  GreetingLog *self = user_data;

  if (self->n_shown == 0 && self->n_hidden == 0)
    {
      self->timer = 0;
      return G_SOURCE_REMOVE;
    }
  self->n_shown = 0;
  if (self->n_hidden > 0 && has_room ())
    {
      g_print (ngettext ("(%lu more is not shown)\n", "(%lu more are not shown)\n", self->n_hidden),
               self->n_hidden);
      self->n_hidden = 0;
    }
  return G_SOURCE_CONTINUE;
}

/* Makes a log that prints from the default main context. */
GreetingLog *
greeting_log_new (void)
{
  return g_new0 (GreetingLog, 1);
}

/* Frees the log. */
void
greeting_log_free (GreetingLog *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  g_free (self);
}

/* Prints LINE, to which it adds the LF, or counts it. It has less than 4096 bytes. */
void
greeting_log_add (GreetingLog *self, const char *line)
{
  if (self->timer == 0)
    self->timer = g_timeout_add_seconds (1, second_cb, self);
  if (self->n_hidden > 0 || self->n_shown == LINES_PER_SECOND || !has_room ())
    {
      self->n_hidden++;
      return;
    }
  self->n_shown++;
  g_print ("%s\n", line);
}
