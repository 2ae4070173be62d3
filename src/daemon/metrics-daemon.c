/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-daemon.h"

#include "common/metrics-log-writer.h"
#include "common/metrics-log.h"
#include "daemon/metrics-activation.h"
#include "daemon/metrics-bus-host.h"
#include "daemon/metrics-http-host.h"
#include "daemon/metrics-idle.h"
#include "daemon/metrics-live.h"
#include "daemon/metrics-notify.h"
#include "daemon/metrics-pressure.h"
#include "daemon/metrics-reloader.h"
#include "daemon/metrics-roller.h"
#include "daemon/metrics-sweeper.h"
#include "server/metrics-listener.h"
#include "server/metrics-service.h"
#include "storage/metrics-storage.h"
#include "store/metrics-store.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
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
  MetricsConfig *config;         /* (owned) */
  MetricsClockGuard guard;       /* for what is begun later */
  MetricsReloader *reloader;     /* (owned) */
  MetricsStore *store;           /* (owned) */
  MetricsStorage *storage;       /* (owned) (nullable): none where points are in memory only */
  MetricsSweeper *sweeper;       /* (owned) */
  MetricsRoller *roller;         /* (owned) (nullable): none where nothing is rolled up */
  MetricsPressure *pressure;     /* (owned) (nullable): none where points are in memory only */
  MetricsService *service;       /* (owned) */
  MetricsBus *bus;               /* (owned) (nullable): none where it is on no bus */
  MetricsHttpFront *http;        /* (owned) (nullable): none where there is no HTTP */
  GPtrArray *listeners;          /* (owned) (nullable) (element-type MetricsListener) */
  MetricsIdle *idle;             /* (owned) (nullable): none where it stays when it has nothing to do */
  GMainLoop *loop;               /* (owned) */
  GArray *signal_ids;            /* (owned) (element-type guint) */
  const char *stop_reason;       /* (unowned) (nullable): why it stops, once it does */
  guint64 bytes_written;         /* to the disk, once it has stopped */
  gint64 stop_deadline;          /* monotonic time until which what is in progress may take, when it stops */
};

G_DEFINE_FINAL_TYPE (MetricsDaemon, metrics_daemon, G_TYPE_OBJECT)

/* Seconds for the last commit, beside those that clients have: where it takes longer, more is asked for. */
#define CLOSE_TIME 30

/* Those on the bus have got their answers. */
static void
finish_service (MetricsDaemon *self)
{
  gint64 left = MAX (self->stop_deadline - g_get_monotonic_time (), 0);

  metrics_service_finish (self->service, (left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
}

/* The bus comes first: whoever calls from now on reaches the next server. */
static void
stop (MetricsDaemon *self, const char *reason)
{
  if (self->stop_reason != NULL)
    {
      metrics_log (METRICS_EVENT_STOP_HURRIED, METRICS_NO_FIELDS,
                   _ ("told to stop again: not waiting for clients"));
      self->stop_deadline = g_get_monotonic_time ();
      if (self->bus != NULL)
        metrics_bus_abort (self->bus);
      metrics_service_abort (self->service);
      return;
    }
  self->stop_reason = reason;
  metrics_reloader_stop (self->reloader);
  g_clear_pointer (&self->idle, metrics_idle_free);
  self->stop_deadline = g_get_monotonic_time () + (gint64) self->config->stop_timeout * G_USEC_PER_SEC;
  metrics_notify_stopping ();
  metrics_notify_extend (self->config->stop_timeout + CLOSE_TIME);
  if (self->bus != NULL)
    metrics_bus_finish (self->bus, self->config->stop_timeout);
  else
    finish_service (self);
}

static void
stop_for_lost_bus (MetricsDaemon *self)
{
  if (self->stop_reason == NULL)
    stop (self, "bus lost");
}

static gboolean
terminate_cb (gpointer user_data)
{
  stop (user_data, "SIGTERM");
  return G_SOURCE_CONTINUE;
}

static gboolean
interrupt_cb (gpointer user_data)
{
  stop (user_data, "SIGINT");
  return G_SOURCE_CONTINUE;
}

/* The storage is the last to go: until then clients may still change something. Returns: whether all that
 * they changed is on disk; else it has said so. */
static gboolean
close_parts (MetricsDaemon *self)
{
  g_autoptr (MetricsStorage) storage = g_steal_pointer (&self->storage);
  g_autoptr (GError) error = NULL;
  MetricsStorageFigures figures;
  gboolean good;

  metrics_notify_unwatch ();
  g_clear_pointer (&self->reloader, metrics_reloader_free);
  g_clear_pointer (&self->idle, metrics_idle_free);
  g_clear_object (&self->bus);
  g_clear_object (&self->service);
  g_clear_pointer (&self->http, metrics_http_front_free);
  g_clear_pointer (&self->pressure, metrics_pressure_free);
  g_clear_pointer (&self->sweeper, metrics_sweeper_free);
  g_clear_pointer (&self->roller, metrics_roller_free);
  if (storage == NULL)
    return TRUE;
  metrics_notify_begin_wait (_ ("Stopping: writing the newest points"));
  good = metrics_storage_close (storage, &error);
  metrics_notify_end_wait ();
  metrics_storage_get_figures (storage, &figures);
  self->bytes_written = figures.bytes_written;
  if (!good)
    metrics_log (METRICS_EVENT_POINTS_LOST, METRICS_FIELDS (METRICS_TEXT (REASON, error->message)),
                 _ ("the newest points are lost: %s"), error->message);
  return good;
}

static void
metrics_daemon_dispose (GObject *object)
{
  MetricsDaemon *self = METRICS_DAEMON (object);

  for (guint i = 0; i < self->signal_ids->len; i++)
    g_source_remove (g_array_index (self->signal_ids, guint, i));
  g_array_set_size (self->signal_ids, 0);
  close_parts (self);
  g_clear_object (&self->store);
  metrics_notify_close ();

  G_OBJECT_CLASS (metrics_daemon_parent_class)->dispose (object);
}

static void
metrics_daemon_finalize (GObject *object)
{
  MetricsDaemon *self = METRICS_DAEMON (object);

  metrics_config_free (self->config);
  g_array_unref (self->signal_ids);
  g_clear_pointer (&self->listeners, g_ptr_array_unref);
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
 * @options: the command line; it has to live as long as the daemon
 * @config: (transfer full): what it is to do
 *
 * Returns: (transfer full): a daemon that is not started
 */
MetricsDaemon *
metrics_daemon_new (const MetricsOptions *options, MetricsConfig *config)
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
catch_signal (MetricsDaemon *self, int number, GSourceFunc func)
{
  guint id = g_unix_signal_add (number, func, self);

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

  if (config->has_rollup
      && (metrics_rollup_rules_get_n_rules (config->rollup) > 0
          || metrics_rollup_get_n_series (self->store) > 0))
    self->roller = metrics_roller_new (self->store, config->rollup, config->retention, witness,
                                       metrics_instant_now, NULL);
}

/* What it did not do so far begins with a clock that is believed as far as the others believe it. */
static gint64
get_late_witness (MetricsDaemon *self)
{
  MetricsInstant now;

  metrics_instant_now (&now, NULL);
  return metrics_clock_guard_check (&self->guard, &now) ? now.real : G_MININT64;
}

static void
reload_cb (MetricsConfig *config, gpointer user_data)
{
  MetricsDaemon *self = user_data;
  const MetricsParts parts = {
    .store = self->store,
    .storage = self->storage,
    .service = self->service,
    .bus = self->bus,
    .http = self->http,
    .sweeper = self->sweeper,
    .roller = self->roller,
  };
  g_autoptr (MetricsConfig) before = NULL;

  metrics_live_keep_fixed (config, self->config, &parts);
  before = g_steal_pointer (&self->config);
  self->config = config;
  metrics_live_apply (config, before, &parts);
  if (self->roller == NULL)
    begin_rolling (self, get_late_witness (self));
  metrics_log (METRICS_EVENT_RELOADED,
               METRICS_FIELDS (METRICS_TEXT (FILE, config->files->len > 0 ? config->files->pdata[0] : "")),
               ngettext ("configuration reloaded from %u file", "configuration reloaded from %u files",
                         config->files->len),
               config->files->len);
}

/* Before anything is served: a client never sees a part of what is stored. */
static gboolean
load (MetricsDaemon *self, GError **error)
{
  g_autoptr (MetricsStorage) storage = NULL;
  gboolean is_loaded;

  if (self->config->state_dir == NULL)
    return TRUE;
  metrics_notify_begin_wait (_ ("Loading what is stored"));
  storage = metrics_storage_new (self->config->state_dir, self->config->durability,
                                 (gint64) self->config->lock_timeout * G_TIME_SPAN_SECOND, error);
  /* Where it cannot be loaded it is let go as it is: closing would write what the store has. */
  is_loaded = storage != NULL && metrics_storage_load (storage, self->store, error);
  metrics_notify_end_wait ();
  if (!is_loaded)
    return FALSE;
  self->storage = g_steal_pointer (&storage);
  self->pressure = metrics_pressure_new (self->store);
  return TRUE;
}

/* All addresses in the order in which they were given, as they are on standard output. */
static GPtrArray *
describe_listeners (GPtrArray *listeners)
{
  GPtrArray *texts = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < listeners->len; i++)
    if (metrics_listener_is_http (listeners->pdata[i]))
      g_ptr_array_extend_and_steal (texts, metrics_http_front_describe (listeners->pdata[i]));
    else
      g_ptr_array_extend_and_steal (texts, metrics_listener_describe (listeners->pdata[i]));
  return texts;
}

/* Before that the signals end a start that takes long, as they would any process. */
static void
catch_signals (MetricsDaemon *self)
{
  catch_signal (self, SIGTERM, terminate_cb);
  catch_signal (self, SIGINT, interrupt_cb);
}

static gboolean
listen_everywhere (MetricsDaemon *self, GError **error)
{
  for (guint i = 0; i < self->listeners->len; i++)
    {
      MetricsListener *listener = self->listeners->pdata[i];

      if (metrics_listener_open (listener, error) && metrics_service_listen (self->service, listener, error))
        continue;
      if (metrics_listener_is_http (listener))
        /* Translators: the reason follows */
        g_prefix_error (error, _ ("HTTP (--http-listen, --http-port; --no-http does without): "));
      return FALSE;
    }
  return TRUE;
}

/* When all else is ready: a call may be there at once, and is to be answered whatever comes next. */
static gboolean
open_bus (MetricsDaemon *self, GError **error)
{
  MetricsBusKind kind = self->options->bus;

  if (kind == METRICS_BUS_NONE)
    return TRUE;
  self->bus = metrics_bus_host_new (kind, self->store, self->service, self->config->limits.slice);
  metrics_bus_host_set_listeners (self->bus, self->listeners);
  g_signal_connect_swapped (self->bus, "joined", G_CALLBACK (catch_signals), self);
  g_signal_connect_swapped (self->bus, "lost", G_CALLBACK (stop_for_lost_bus), self);
  g_signal_connect_swapped (self->bus, "finished", G_CALLBACK (finish_service), self);
  return metrics_bus_open (self->bus, error);
}

/* Wherever it can be reached, in the words that clients use for it. */
static char *
join_addresses (MetricsDaemon *self, GPtrArray *addresses)
{
  static const char *const buses[] = {
    [METRICS_BUS_NONE] = "",
    [METRICS_BUS_SESSION] = "bus:session",
    [METRICS_BUS_SYSTEM] = "bus:system",
  };
  GString *joined = g_string_new (buses[self->options->bus]);

  for (guint i = 0; i < addresses->len; i++)
    g_string_append_printf (joined, "%s%s", joined->len > 0 ? ", " : "", (const char *) addresses->pdata[i]);
  return g_string_free (joined, FALSE);
}

/* Who starts it without a word should learn where the points go. */
static void
say_started (const MetricsConfig *config, const char *addresses)
{
  const char *folder = config->state_dir;

  if (folder != NULL)
    metrics_log (METRICS_EVENT_STARTED,
                 METRICS_FIELDS (METRICS_TEXT (VERSION, PACKAGE_VERSION), METRICS_TEXT (ADDRESS, addresses),
                                 METRICS_TEXT (FILE, folder)),
                 /* Translators: the version, one or several addresses, and a folder */
                 _ ("version %s is ready at %s; points are kept in '%s'"), PACKAGE_VERSION, addresses,
                 folder);
  else
    metrics_log (METRICS_EVENT_STARTED,
                 METRICS_FIELDS (METRICS_TEXT (VERSION, PACKAGE_VERSION), METRICS_TEXT (ADDRESS, addresses),
                                 METRICS_TEXT (FILE, "")),
                 /* Translators: the version, and one or several addresses */
                 _ ("version %s is ready at %s; points are kept in memory only"), PACKAGE_VERSION, addresses);
}

static void
say_stopped (const char *reason, gboolean lasts, guint64 bytes_written)
{
  g_autofree char *size = g_format_size (bytes_written);

  if (lasts)
    metrics_log (METRICS_EVENT_STOPPED,
                 METRICS_FIELDS (METRICS_TEXT (REASON, reason), METRICS_NUMBER (WRITTEN, bytes_written)),
                 /* Translators: a word for why, such as SIGTERM, and a size with its unit: 2.5 MB */
                 _ ("stopped (%s); written to disk since the start: %s"), reason, size);
  else
    metrics_log (METRICS_EVENT_STOPPED,
                 METRICS_FIELDS (METRICS_TEXT (REASON, reason), METRICS_NUMBER (WRITTEN, 0)),
                 /* Translators: a word for why, such as SIGTERM */
                 _ ("stopped (%s)"), reason);
}

/* To programs on standard output: whoever waits for these lines has to have them now, and in one form
 * everywhere. And to the service manager. */
static void
say_ready (GPtrArray *listening, const char *addresses)
{
  g_autofree char *status = NULL;

  for (guint i = 0; i < listening->len; i++)
    {
      const char *address = listening->pdata[i];

      printf ("%s %s\n", g_str_has_prefix (address, "http") ? "serving" : "listening on", address);
    }
  puts ("ready");
  fflush (stdout);

  status = g_strdup_printf (_ ("Serving clients of %s"), addresses);
  metrics_notify_set_status (status);
  metrics_notify_ready ();
  metrics_notify_watch ();
}

/* Else the service manager takes it for a server that runs, and starts no other one. */
static void
leaving_cb (gpointer user_data)
{
  const MetricsDaemon *self = user_data;

  metrics_notify_stopping ();
  metrics_notify_extend (self->config->stop_timeout + CLOSE_TIME);
}

static void
leave_cb (gpointer user_data)
{
  stop (user_data, "idleness");
}

static void
begin_to_idle (MetricsDaemon *self)
{
  const MetricsIdleParts parts = {
    .store = self->store,
    .service = self->service,
    .storage = self->storage,
    .bus = self->bus,
  };
  const MetricsIdleFuncs funcs = { .leaving = leaving_cb, .leave = leave_cb, .user_data = self };

  if (self->config->exit_when_idle > 0)
    self->idle = metrics_idle_new (&parts, self->config->exit_when_idle, &funcs);
}

/**
 * metrics_daemon_start:
 * @self: a daemon that is not started
 * @error: return location for a #GError
 *
 * Loads what is stored, listens on all addresses, joins the bus, says so on standard output, and takes
 * clients. Until it is done a signal ends the process at once, by which nothing stored is lost.
 *
 * Returns: %FALSE where it cannot load, cannot listen on one of them, or does not get its name on the bus
 */
gboolean
metrics_daemon_start (MetricsDaemon *self, GError **error)
{
  g_autoptr (GPtrArray) listening = NULL;
  g_autofree char *addresses = NULL;
  MetricsInstant now;
  gint64 witness;

  g_return_val_if_fail (METRICS_IS_DAEMON (self), FALSE);
  g_return_val_if_fail (self->service == NULL, FALSE);

  raise_descriptor_limit ();
  self->listeners = metrics_activation_join (self->config->listeners, self->config->has_http, error);
  if (self->listeners == NULL)
    return FALSE;
  /* Before it is opened, which may write it. */
  witness = get_witness (self->config->state_dir);
  metrics_instant_now (&now, NULL);
  metrics_clock_guard_init (&self->guard, &now, witness);
  /* A signal to reload must not end a start that takes long. */
  self->reloader = metrics_reloader_new (self->options, reload_cb, self);
  self->store = metrics_store_new (self->config->series_limit, self->config->memory_limit);
  if (!load (self, error))
    return FALSE;
  self->sweeper
      = metrics_sweeper_new (self->store, self->config->retention, witness, metrics_instant_now, NULL);
  begin_rolling (self, witness);
  self->service = metrics_service_new (self->store, &self->config->limits, error);
  if (self->service == NULL)
    return FALSE;
  if (self->storage != NULL)
    metrics_service_set_disk_func (self->service, fill_figures, self->storage);
  metrics_service_record (self->service, self->config->self_metrics);
  g_signal_connect_swapped (self->service, "finished", G_CALLBACK (g_main_loop_quit), self->loop);

  self->http = metrics_http_front_new (self->store, self->service, self->storage, self->config);
  if (!listen_everywhere (self, error))
    return FALSE;
  if (!open_bus (self, error))
    return FALSE;

  if (self->bus == NULL)
    catch_signals (self);
  listening = describe_listeners (self->listeners);
  addresses = join_addresses (self, listening);
  say_started (self->config, addresses);
  begin_to_idle (self);

  say_ready (listening, addresses);
  return TRUE;
}

/**
 * metrics_daemon_run:
 * @self: a daemon that was started
 *
 * Serves until SIGTERM or SIGINT, and then until all clients have gone or their time is up and all changes
 * are on disk.
 *
 * Returns: %FALSE where some changes could not be brought to the disk, which is said
 */
gboolean
metrics_daemon_run (MetricsDaemon *self)
{
  gboolean good;

  g_return_val_if_fail (METRICS_IS_DAEMON (self), FALSE);

  metrics_log_writer_set_hasty (TRUE);
  g_main_loop_run (self->loop);
  metrics_log_writer_set_hasty (FALSE);
  good = close_parts (self);
  metrics_log_flush ();
  say_stopped (self->stop_reason, self->config->state_dir != NULL, self->bytes_written);
  return good;
}
