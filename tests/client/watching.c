/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "watching.h"

#include <string.h>

/**
 * watch_script_serve:
 * @peer: a connection
 * @script: (type WatchScript): what to do with it
 *
 * A #DummyHandler.
 */
void
watch_script_serve (DummyPeer *peer, gpointer script)
{
  WatchScript *self = script;
  const WatchVisit *visit = &self->visits[MIN (dummy_peer_get_number (peer), self->n_visits - 1)];
  char *line;

  g_atomic_int_inc (&self->n_connections);
  for (guint i = 0; i < visit->n_lines; i++)
    {
      line = dummy_peer_read_line (peer);
      /* A client may be closed before it has said anything. */
      if (line == NULL)
        {
          dummy_event_set (&self->ended);
          return;
        }
      if (g_atomic_int_add (&self->n_lines, 1) == 0)
        self->line = g_steal_pointer (&line);
      g_free (line);
    }
  dummy_peer_write (peer, visit->text);
  if (!visit->is_held)
    return;
  while ((line = dummy_peer_read_line (peer)) != NULL)
    {
      g_atomic_int_inc (&self->n_lines);
      g_free (line);
      dummy_peer_write (peer, "ok\n\n");
    }
  dummy_event_set (&self->ended);
}

static void
check_thread (WatchLog *self)
{
  g_assert_true (g_thread_self () == self->thread);
}

static void
on_points (MetricsWatch *watch, GPtrArray *samples, WatchLog *self)
{
  check_thread (self);
  g_assert_cmpuint (samples->len, >, 0);
  for (guint i = 0; i < samples->len; i++)
    {
      const MetricsSample *sample = samples->pdata[i];

      g_string_append_printf (self->text, "%s=%g@%d%s", sample->key, sample->value, (int) sample->timestamp,
                              i + 1 < samples->len ? " " : "| ");
    }
}

static void
on_dropped (MetricsWatch *watch, guint64 n_points, WatchLog *self)
{
  check_thread (self);
  g_string_append_printf (self->text, "dropped:%d ", (int) n_points);
}

static void
on_connected (MetricsWatch *watch, gboolean gap, WatchLog *self)
{
  check_thread (self);
  g_string_append (self->text, gap ? "+gap " : "+ ");
}

static void
on_disconnected (MetricsWatch *watch, GError *error, WatchLog *self)
{
  check_thread (self);
  g_assert_true (error->domain == METRICS_ERROR);
  g_test_message ("%s", error->message);
  g_string_append_printf (self->text, "-%d ", error->code);
}

static void
on_failed (MetricsWatch *watch, GError *error, WatchLog *self)
{
  check_thread (self);
  g_assert_true (error->domain == METRICS_ERROR);
  g_test_message ("%s", error->message);
  g_string_append_printf (self->text, "!%d ", error->code);
}

static void
on_online (MetricsWatch *watch, GParamSpec *pspec, WatchLog *self)
{
  check_thread (self);
  g_string_append (self->text, "online ");
}

/**
 * watch_log_begin:
 * @self: (out caller-allocates): a log
 * @watch: whose signals it keeps
 */
void
watch_log_begin (WatchLog *self, MetricsWatch *watch)
{
  self->text = g_string_new (NULL);
  self->thread = g_thread_self ();
  g_signal_connect (watch, "points", G_CALLBACK (on_points), self);
  g_signal_connect (watch, "dropped", G_CALLBACK (on_dropped), self);
  g_signal_connect (watch, "connected", G_CALLBACK (on_connected), self);
  g_signal_connect (watch, "disconnected", G_CALLBACK (on_disconnected), self);
  g_signal_connect (watch, "failed", G_CALLBACK (on_failed), self);
  g_signal_connect (watch, "notify::online", G_CALLBACK (on_online), self);
}

/**
 * watch_log_wait:
 * @self: a log
 * @text: what it has to begin with in the end, and nothing else before
 *
 * Runs the main context until that is so.
 */
void
watch_log_wait (WatchLog *self, const char *text)
{
  while (self->text->len < strlen (text))
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  g_assert_cmpstr (self->text->str, ==, text);
}

/**
 * watch_log_end:
 * @self: a log
 */
void
watch_log_end (WatchLog *self)
{
  g_string_free (self->text, TRUE);
}

/**
 * watch_server:
 * @server: a server
 * @first_pattern: (nullable): what to watch there
 * @...: further patterns, and %NULL
 *
 * Returns: (transfer full): a watch
 */
MetricsWatch *
watch_server (DummyServer *server, const char *first_pattern, ...)
{
  g_autoptr (MetricsClient) client = metrics_client_new (dummy_server_get_address (server));
  g_autoptr (GPtrArray) patterns = g_ptr_array_new ();
  va_list arguments;

  va_start (arguments, first_pattern);
  for (const char *p = first_pattern; p != NULL; p = va_arg (arguments, const char *))
    g_ptr_array_add (patterns, (gpointer) p);
  va_end (arguments);
  g_ptr_array_add (patterns, NULL);
  return metrics_watch_new (client, (const char *const *) patterns->pdata);
}
