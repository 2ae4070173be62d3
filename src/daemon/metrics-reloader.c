/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-reloader.h"

#include "common/metrics-log.h"
#include "daemon/metrics-config-file.h"
#include "daemon/metrics-notify.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <unistd.h>

/* Reads the configuration again at SIGHUP, in a thread of its own: files may be on a disk that sleeps, or on
 * another machine, and names of users are looked up for it. One more signal meanwhile has it read once more:
 * what was read first may be from before. */

struct _MetricsReloader
{
  const MetricsOptions *options; /* (unowned) */
  MetricsReloadFunc func;
  gpointer data; /* (unowned) */
  gboolean had_terminal;
  gboolean is_stopped;
  guint signal_id;
  GThread *thread;       /* (owned) (nullable): while it reads */
  gboolean is_again;     /* whether a signal came meanwhile */
  MetricsConfig *config; /* (owned) (nullable): the thread's, and then what it has read */
  GPtrArray *problems;   /* (owned) (element-type MetricsProblem): as well */
};

static void begin (MetricsReloader *self);

/* Whoever looks for why nothing has changed finds it in one place. */
static void
report (MetricsReloader *self)
{
  for (guint i = 0; i < self->problems->len; i++)
    {
      const MetricsProblem *problem = self->problems->pdata[i];

      metrics_log (METRICS_EVENT_RELOAD_FAILED,
                   METRICS_FIELDS (METRICS_TEXT (FILE, problem->file), METRICS_TEXT (LINE, problem->line),
                                   METRICS_TEXT (REASON, problem->reason)),
                   "%s", problem->text);
    }
  g_message (_ ("configuration not reloaded: it stays as it was"));
}

static gboolean
done_cb (gpointer user_data)
{
  MetricsReloader *self = user_data;
  g_autoptr (MetricsConfig) config = NULL;

  g_clear_pointer (&self->thread, g_thread_join);
  config = g_steal_pointer (&self->config);
  if (self->is_stopped)
    return G_SOURCE_REMOVE;
  if (self->is_again)
    {
      begin (self);
      return G_SOURCE_REMOVE;
    }
  if (self->problems->len == 0)
    self->func (g_steal_pointer (&config), self->data);
  else
    report (self);
  metrics_notify_ready ();
  return G_SOURCE_REMOVE;
}

static gpointer
read_in_thread (gpointer user_data)
{
  MetricsReloader *self = user_data;

  self->config = metrics_config_load (self->options, self->problems);
  /* Not at an idle priority, which is never reached while clients are busy. */
  g_idle_add_full (G_PRIORITY_DEFAULT, done_cb, self, NULL);
  return NULL;
}

static void
begin (MetricsReloader *self)
{
  self->is_again = FALSE;
  g_ptr_array_set_size (self->problems, 0);
  self->thread = g_thread_new ("configuration", read_in_thread, self);
}

static gboolean
hangup_cb (gpointer user_data)
{
  MetricsReloader *self = user_data;

  /* Its terminal was closed, which is no wish to have anything reloaded. */
  if (self->had_terminal && !isatty (STDERR_FILENO))
    {
      raise (SIGTERM);
      return G_SOURCE_CONTINUE;
    }
  if (self->is_stopped)
    return G_SOURCE_CONTINUE;
  if (self->thread != NULL)
    {
      self->is_again = TRUE;
      return G_SOURCE_CONTINUE;
    }
  metrics_notify_reloading ();
  begin (self);
  return G_SOURCE_CONTINUE;
}

/**
 * metrics_reloader_new:
 * @options: the command line; it has to live as long as the reloader
 * @func: (scope forever): what takes a configuration that is right
 * @user_data: for @func
 *
 * Waits for SIGHUP from now on. One that comes while the main loop does not run counts when it does.
 *
 * Returns: (transfer full): it
 */
MetricsReloader *
metrics_reloader_new (const MetricsOptions *options, MetricsReloadFunc func, gpointer user_data)
{
  MetricsReloader *self = g_new0 (MetricsReloader, 1);

  self->options = options;
  self->func = func;
  self->data = user_data;
  self->had_terminal = isatty (STDERR_FILENO);
  self->problems = metrics_problems_new ();
  self->signal_id = g_unix_signal_add (SIGHUP, hangup_cb, self);
  return self;
}

/**
 * metrics_reloader_stop:
 * @self: a reloader
 *
 * Reloads nothing more; a signal that comes is thrown away, and would end the process without it.
 */
void
metrics_reloader_stop (MetricsReloader *self)
{
  self->is_stopped = TRUE;
}

/**
 * metrics_reloader_free:
 * @self: (transfer full) (nullable): a reloader
 *
 * Waits until what is being read has been read, and forgets it.
 */
void
metrics_reloader_free (MetricsReloader *self)
{
  if (self == NULL)
    return;
  g_source_remove (self->signal_id);
  g_clear_pointer (&self->thread, g_thread_join);
  g_idle_remove_by_data (self);
  metrics_config_free (self->config);
  g_ptr_array_unref (self->problems);
  g_free (self);
}
