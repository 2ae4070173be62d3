/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-daemon.h"

#include "daemon/metrics-pressure.h"
#include "daemon/metrics-roller.h"
#include "daemon/metrics-show-retention.h"
#include "daemon/metrics-sweeper.h"
#include "daemon/metrics-task.h"
#include "server/metrics-listener.h"
#include "server/metrics-service.h"
#include "storage/metrics-storage.h"
#include "store/metrics-store.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <stdio.h>
#include <sys/resource.h>

/**
 * MetricsDaemon:
 *
 * Makes the parts of the server, joins them, and starts and stops them in order.
 */
struct _MetricsDaemon
{
  GObject parent;

  const MetricsOptions *options; /* (unowned) */
  const MetricsConfig *config;   /* (unowned) */
  MetricsStore *store;           /* (owned) */
  MetricsStorage *storage;       /* (owned) (nullable): none where points are in memory only */
  MetricsSweeper *sweeper;       /* (owned) */
  MetricsRoller *roller;         /* (owned) (nullable): none where nothing is rolled up */
  MetricsPressure *pressure;     /* (owned) (nullable): none where points are in memory only */
  MetricsService *service;       /* (owned) */
  GMainLoop *loop;               /* (owned) */
  GArray *signal_ids;            /* (owned) (element-type guint) */
  gboolean stopping;
};

G_DEFINE_FINAL_TYPE (MetricsDaemon, metrics_daemon, G_TYPE_OBJECT)

static gboolean
stop_cb (gpointer user_data)
{
  MetricsDaemon *self = user_data;

  if (self->stopping)
    {
      g_message (_ ("told to stop again: not waiting for clients"));
      metrics_service_abort (self->service);
      return G_SOURCE_CONTINUE;
    }
  self->stopping = TRUE;
  metrics_service_finish (self->service, self->options->stop_timeout);
  return G_SOURCE_CONTINUE;
}

/* The storage is the last to go: until then clients may still change something. */
static gboolean
close_parts (MetricsDaemon *self, GError **error)
{
  g_autoptr (MetricsStorage) storage = g_steal_pointer (&self->storage);

  g_clear_object (&self->service);
  g_clear_pointer (&self->pressure, metrics_pressure_free);
  g_clear_pointer (&self->sweeper, metrics_sweeper_free);
  g_clear_pointer (&self->roller, metrics_roller_free);
  if (storage == NULL || metrics_storage_close (storage, error))
    return TRUE;
  g_prefix_error (error, _ ("the newest points are lost: "));
  return FALSE;
}

static void
metrics_daemon_dispose (GObject *object)
{
  MetricsDaemon *self = METRICS_DAEMON (object);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < self->signal_ids->len; i++)
    g_source_remove (g_array_index (self->signal_ids, guint, i));
  g_array_set_size (self->signal_ids, 0);
  if (!close_parts (self, &error))
    g_warning ("%s", error->message);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (metrics_daemon_parent_class)->dispose (object);
}

static void
metrics_daemon_finalize (GObject *object)
{
  MetricsDaemon *self = METRICS_DAEMON (object);

  g_array_unref (self->signal_ids);
  g_main_loop_unref (self->loop);

  G_OBJECT_CLASS (metrics_daemon_parent_class)->finalize (object);
}

static void
metrics_daemon_class_init (MetricsDaemonClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = metrics_daemon_dispose;
  object_class->finalize = metrics_daemon_finalize;
}

static void
metrics_daemon_init (MetricsDaemon *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
  self->signal_ids = g_array_new (FALSE, FALSE, sizeof (guint));
}

/**
 * metrics_daemon_new:
 * @options: what the command line says; they have to live as long as the daemon
 * @config: what the configuration file says; it as well
 *
 * Returns: (transfer full): a daemon that is not started
 */
MetricsDaemon *
metrics_daemon_new (const MetricsOptions *options, const MetricsConfig *config)
{
  MetricsDaemon *self = g_object_new (METRICS_TYPE_DAEMON, NULL);

  self->options = options;
  self->config = config;
  return self;
}

/* As many descriptors as may be had: the limit of connections is ours to set. */
static void
raise_descriptor_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) < 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
}

static void
catch_signal (MetricsDaemon *self, int number)
{
  guint id = g_unix_signal_add (number, stop_cb, self);

  g_array_append_val (self->signal_ids, id);
}

/* What `stats` tells of the storage: the service does not know it. */
static void
fill_figures (MetricsDiskFigures *figures, gpointer user_data)
{
  MetricsStorageFigures ours = { 0 };

  metrics_storage_get_figures (user_data, &ours);
  figures->commits = ours.commits;
  figures->commit_time = ours.commit_usec;
  figures->bytes_written = ours.bytes_written;
  figures->bytes_unwritten = ours.pending;
  figures->bytes_on_disk = ours.file_bytes;
  figures->storage_errors = ours.errors;
  figures->rows_damaged = ours.rows_damaged;
}

/* When the file was last written: what the clock showed then. The file of the log is there only while a
 * server runs, or after a crash. */
static gint64
get_witness (const char *folder)
{
  static const char *const names[] = { "metricsd.db", "metricsd.db-wal" };
  gint64 witness = G_MININT64;

  for (guint i = 0; folder != NULL && i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      GStatBuf status;

      /* Who only reads leaves an empty one. */
      if (g_stat (path, &status) == 0 && status.st_size > 0)
        witness = MAX (witness, (gint64) status.st_mtime * G_USEC_PER_SEC);
    }
  return witness;
}

/* Rules that are there no more are obeyed, too. But who starts the server without its configuration, by hand
 * perhaps, does not mean that years are to go. */
static void
begin_rolling (MetricsDaemon *self, gint64 witness)
{
  const MetricsConfig *config = self->config;

  if (config->is_given
      && (metrics_rollup_rules_get_n_rules (config->rollup) > 0
          || metrics_rollup_get_n_series (self->store) > 0))
    self->roller = metrics_roller_new (self->store, config->rollup, config->retention, witness,
                                       metrics_instant_now, NULL);
}

/* Before anything is served: a client never sees a part of what is stored. */
static gboolean
load (MetricsDaemon *self, GError **error)
{
  g_autoptr (MetricsStorage) storage = NULL;

  if (self->options->state_dir == NULL)
    return TRUE;
  storage = metrics_storage_new (self->options->state_dir, self->options->durability, error);
  /* Where it cannot be loaded it is let go as it is: closing would write what the store has. */
  if (storage == NULL || !metrics_storage_load (storage, self->store, error))
    return FALSE;
  self->storage = g_steal_pointer (&storage);
  self->pressure = metrics_pressure_new (self->store);
  return TRUE;
}

/* Who starts it without a word should learn where the points go. */
static void
say_where (const MetricsOptions *options)
{
  g_autofree char *name = NULL;

  if (options->state_dir == NULL)
    return;
  name = g_filename_display_name (options->state_dir);
  g_message (_ ("points are kept in '%s'"), name);
}

/**
 * metrics_daemon_start:
 * @self: a daemon that is not started
 * @error: return location for a #GError
 *
 * Loads what is stored, listens on all addresses, says so on standard output, and takes clients. Until it is
 * done a signal ends the process at once, by which nothing stored is lost.
 *
 * Returns: %FALSE where it cannot load or cannot listen on one of them
 */
gboolean
metrics_daemon_start (MetricsDaemon *self, GError **error)
{
  GPtrArray *listeners;
  gint64 witness;

  g_return_val_if_fail (METRICS_IS_DAEMON (self), FALSE);
  g_return_val_if_fail (self->service == NULL, FALSE);

  raise_descriptor_limit ();
  /* Before it is opened, which may write it. */
  witness = get_witness (self->options->state_dir);
  self->store = metrics_store_new (self->options->series_limit, self->options->memory_limit);
  if (!load (self, error))
    return FALSE;
  self->sweeper
      = metrics_sweeper_new (self->store, self->config->retention, witness, metrics_instant_now, NULL);
  begin_rolling (self, witness);
  self->service = metrics_service_new (self->store, &self->options->limits, error);
  if (self->service == NULL)
    return FALSE;
  if (self->storage != NULL)
    metrics_service_set_disk_func (self->service, fill_figures, self->storage);
  metrics_service_record (self->service, self->options->self_metrics);
  g_signal_connect_swapped (self->service, "finished", G_CALLBACK (g_main_loop_quit), self->loop);

  listeners = self->options->listeners;
  for (guint i = 0; i < listeners->len; i++)
    if (!metrics_listener_open (listeners->pdata[i], error)
        || !metrics_service_listen (self->service, listeners->pdata[i], error))
      return FALSE;

  catch_signal (self, SIGTERM);
  catch_signal (self, SIGINT);
  say_where (self->options);

  /* For programs: whoever waits for these lines has to have them now, and in one form everywhere. */
  for (guint i = 0; i < listeners->len; i++)
    {
      g_autoptr (GPtrArray) addresses = metrics_listener_describe (listeners->pdata[i]);

      for (guint k = 0; k < addresses->len; k++)
        printf ("listening on %s\n", (const char *) addresses->pdata[k]);
    }
  puts ("ready");
  fflush (stdout);
  return TRUE;
}

/**
 * metrics_daemon_run:
 * @self: a daemon that was started
 * @error: return location for a #GError
 *
 * Serves until SIGTERM or SIGINT, and then until all clients have gone or their time is up and all changes
 * are on disk.
 *
 * Returns: %FALSE where some changes could not be brought to the disk
 */
gboolean
metrics_daemon_run (MetricsDaemon *self, GError **error)
{
  g_return_val_if_fail (METRICS_IS_DAEMON (self), FALSE);

  g_main_loop_run (self->loop);
  return close_parts (self, error);
}

/**
 * metrics_daemon_main:
 * @argc: as main() got it
 * @argv: as main() got it
 *
 * The whole program.
 *
 * Returns: its exit status: 0, 1 where it could not start or not keep all at its end, or what
 * metrics_task_run() returns, 2 where the command
 * line is wrong
 */
int
metrics_daemon_main (int argc, char **argv)
{
  g_autoptr (MetricsOptions) options = NULL;
  g_autoptr (MetricsConfig) config = NULL;
  g_autoptr (MetricsDaemon) daemon = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = NULL;

  setlocale (LC_ALL, "");
  /* The protocol has no decimal comma. */
  setlocale (LC_NUMERIC, "C");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_prgname ("metricsd");
  /* Standard output is for programs. */
  g_log_writer_default_set_use_stderr (TRUE);

  arguments = g_strdupv (argv);
  options = metrics_options_parse (&arguments, &error);
  if (options == NULL)
    {
      g_printerr ("metricsd: %s\n", error->message);
      return 2;
    }
  if (options->show_version)
    {
      printf ("metricsd %s\n", PACKAGE_VERSION);
      return 0;
    }
  if (options->task != METRICS_TASK_SERVE)
    return metrics_task_run (options);

  config = metrics_config_load (options->config, &error);
  if (config != NULL && options->show_retention
      && metrics_show_retention (options->state_dir, config->retention, &error))
    return 0;
  if (error == NULL)
    daemon = metrics_daemon_new (options, config);
  if (daemon == NULL || !metrics_daemon_start (daemon, &error) || !metrics_daemon_run (daemon, &error))
    {
      g_printerr ("metricsd: %s\n", error->message);
      return 1;
    }
  return 0;
}
