/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-key.h"
#include "ctl/metrics-collector.h"
#include "ctl/metrics-ctl-collect-grid.h"
#include "ctl/metrics-ctl-collect-sender.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-output.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#define INTERVAL_DEFAULT 5
#define INTERVAL_MAX (24 * 60 * 60)
#define BUFFER_DEFAULT 100000
#define BUFFER_MAX 10000000

/* With --once, the time between the two readings, in milliseconds. */
#define ONCE_WAIT 1000

/* How long the last attempt to send may take after a signal, in milliseconds. */
#define STOP_WAIT 3000

static const MetricsCtlUsage usage = {
  NULL,
  0,
  0,
  N_ ("Puts this machine's own figures, every few seconds, until it is stopped (Ctrl-C, or\n"
      "SIGTERM). While the server cannot be reached they are kept and sent later, in order."),
  N_ ("The keys, behind the prefix and a dot:\n"
      "  load.1 load.5 load.15        tasks that run or wait, averaged over so many minutes\n"
      "  cpu.user cpu.nice cpu.system cpu.idle cpu.iowait cpu.irq cpu.softirq\n"
      "                               per cent of the time since the reading before\n"
      "  cpu.<N>.user ...             the same of each core\n"
      "  memory.total_bytes .used_bytes .free_bytes .available_bytes .buffers_bytes\n"
      "  memory.cached_bytes .used_percent\n"
      "  swap.total_bytes .used_bytes .free_bytes\n"
      "  fs.<MOUNT>.size_bytes .used_bytes .free_bytes .used_percent\n"
      "                               local file systems; / is fs.root, /var/lib is fs.var_lib\n"
      "  net.<INTERFACE>.rx_bytes .rx_packets .rx_errors .tx_bytes .tx_packets .tx_errors\n"
      "                               counters; see 'rate' in 'metricsctl range --help'\n"
      "  uptime_seconds\n"
      "  processes.total .threads .running\n"
      "                               running and threads count threads\n"
      "In names from outside, white space, control characters and . / * ? \\ become _.\n"
      "\n"
      "Readings are made at multiples of the interval (with 5 seconds: at :00, :05 ...), and all\n"
      "points of one have its time. Readings that were missed are left out.\n"
      "\n"
      "Examples:\n"
      "  metricsctl collect\n"
      "  metricsctl collect --interval 60 --prefix lab.$(hostname)\n"
      "  metricsctl collect --once --print"),
};

typedef struct
{
  int interval;
  char *prefix; /* (owned) (nullable): as given */
  gboolean once;
  gboolean print;
  int buffer;
} Options;

typedef struct
{
  MetricsCtl *ctl;              /* (unowned) */
  gboolean once;                /* ends with the first reading that was sent */
  gboolean stopping;            /* a signal came */
  int status;                   /* what to exit with */
  GMainLoop *loop;              /* (owned) */
  MetricsCollector *collector;  /* (owned) */
  MetricsCollectSender *sender; /* (owned) (nullable): none with --print */
  MetricsCtlOutput *output;     /* (owned) (nullable): with --print */
  MetricsCollectGrid *grid;     /* (owned) (nullable): none with --once, and when it stops */
  gint64 slot;                  /* the time of the reading under way, in seconds since the Unix epoch */
} Run;

static void
skip_cb (const char *key, double value, gpointer user_data)
{
}

static void
point_cb (const char *key, double value, gpointer user_data)
{
  Run *run = user_data;

  if (run->output != NULL)
    metrics_ctl_output_append_row (run->output, key, value, run->slot);
  else
    metrics_collect_sender_push (run->sender, key, value, run->slot);
}

static void
read_slot (gint64 slot, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GError) error = NULL;

  run->slot = slot;
  metrics_collector_read (run->collector, point_cb, run);
  g_debug ("read at %" G_GINT64_FORMAT, slot);
  if (run->sender != NULL)
    metrics_collect_sender_send (run->sender);
  else if (!metrics_ctl_output_flush (run->output, &error))
    {
      run->status = metrics_ctl_fail (run->ctl, error);
      g_main_loop_quit (run->loop);
    }
}

static gboolean
once_cb (gpointer user_data)
{
  Run *run = user_data;

  read_slot (g_get_real_time () / G_USEC_PER_SEC, run);
  if (run->sender != NULL)
    metrics_collect_sender_send_last (run->sender);
  else
    g_main_loop_quit (run->loop);
  return G_SOURCE_REMOVE;
}

static void
sender_cb (const GError *error, gpointer user_data)
{
  Run *run = user_data;

  if (run->once && error != NULL)
    run->status = metrics_ctl_fail (run->ctl, error);
  else if (run->once && metrics_collect_sender_get_n_refused (run->sender) > 0)
    run->status = METRICS_CTL_FAILED;
  if (run->once || run->stopping)
    g_main_loop_quit (run->loop);
}

static gboolean
quit_cb (gpointer user_data)
{
  Run *run = user_data;

  g_main_loop_quit (run->loop);
  return G_SOURCE_CONTINUE;
}

/* The second signal ends it at once. */
static gboolean
signal_cb (gpointer user_data)
{
  Run *run = user_data;

  if (run->stopping || run->sender == NULL)
    return quit_cb (run);
  run->stopping = TRUE;
  g_clear_pointer (&run->grid, metrics_collect_grid_free);
  g_timeout_add (STOP_WAIT, quit_cb, run);
  metrics_collect_sender_send_last (run->sender);
  return G_SOURCE_CONTINUE;
}

static gboolean
check_options (MetricsCtl *ctl, const Options *options, int *status)
{
  const char *prefix = options->prefix;

  if (options->interval < 1 || options->interval > INTERVAL_MAX)
    /* Translators: a large number */
    *status = metrics_ctl_usage_error (ctl, _ ("--interval is 1 to %d seconds"), INTERVAL_MAX);
  else if (options->buffer < 1 || options->buffer > BUFFER_MAX)
    /* Translators: a large number */
    *status = metrics_ctl_usage_error (ctl, _ ("--buffer is 1 to %d points"), BUFFER_MAX);
  else if (prefix != NULL && !metrics_key_is_valid (prefix, strlen (prefix)))
    *status = metrics_ctl_usage_error (ctl, _ ("not the beginning of a key: '%s'"), prefix);
  else if (prefix != NULL && strlen (prefix) > METRICS_COLLECTOR_PREFIX_MAX)
    *status
        = metrics_ctl_usage_error (ctl, _ ("--prefix is longer than %d bytes"), METRICS_COLLECTOR_PREFIX_MAX);
  else if (options->print && metrics_ctl_get_form (ctl) == METRICS_CTL_FORM_JSON)
    *status = metrics_ctl_usage_error (ctl, "%s", _ ("--print writes lines, and not JSON"));
  else
    return TRUE;
  return FALSE;
}

static gboolean
parse_options (MetricsCtl *ctl, int argc, char **argv, Options *options, int *status)
{
  const GOptionEntry entries[] = {
    { "interval", 'i', 0, G_OPTION_ARG_INT, &options->interval, N_ ("Time between two readings (default: 5)"),
      N_ ("SECONDS") },
    { "prefix", 'p', 0, G_OPTION_ARG_STRING, &options->prefix,
      N_ ("What the keys begin with (default: host.<name of this machine>)"), N_ ("PREFIX") },
    { "once", 0, 0, G_OPTION_ARG_NONE, &options->once,
      N_ ("Read once, over one second, and end; fails where the server is not there"), NULL },
    { "print", 0, 0, G_OPTION_ARG_NONE, &options->print,
      N_ ("Write lines KEY VALUE TIMESTAMP to standard output; needs no server"), NULL },
    { "buffer", 0, 0, G_OPTION_ARG_INT, &options->buffer,
      N_ ("How much is kept while the server is not there (default: 100000)"), N_ ("POINTS") },
    { NULL },
  };
  g_auto (GStrv) arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, status);

  return arguments != NULL && check_options (ctl, options, status);
}

static gboolean
set_up (Run *run, const Options *options, GError **error)
{
  g_autofree char *prefix = g_strdup (options->prefix);

  if (prefix == NULL)
    prefix = metrics_collector_get_default_prefix ();
  run->collector = metrics_collector_new (prefix, error);
  if (run->collector == NULL)
    return FALSE;

  /* The counters from which the first reading's shares are computed. */
  metrics_collector_read (run->collector, skip_cb, NULL);
  if (options->print)
    run->output = metrics_ctl_output_new (STDOUT_FILENO);
  else
    run->sender = metrics_collect_sender_new (run->ctl, (guint) options->buffer, sender_cb, run);

  if (options->once)
    {
      g_timeout_add (ONCE_WAIT, once_cb, run);
      return TRUE;
    }
  g_unix_signal_add (SIGINT, signal_cb, run);
  g_unix_signal_add (SIGTERM, signal_cb, run);
  run->grid = metrics_collect_grid_new ((guint) options->interval, read_slot, run, error);
  return run->grid != NULL;
}

static void
tear_down (Run *run)
{
  g_clear_pointer (&run->grid, metrics_collect_grid_free);
  g_clear_pointer (&run->sender, metrics_collect_sender_free);
  g_clear_pointer (&run->output, metrics_ctl_output_free);
  g_clear_pointer (&run->collector, metrics_collector_free);
  g_clear_pointer (&run->loop, g_main_loop_unref);
}

int
metrics_ctl_collect (MetricsCtl *ctl, int argc, char **argv)
{
  Options options = { .interval = INTERVAL_DEFAULT, .buffer = BUFFER_DEFAULT };
  Run run = { .ctl = ctl, .once = FALSE, .status = METRICS_CTL_DONE };
  g_autoptr (GError) error = NULL;
  int status;

  if (!parse_options (ctl, argc, argv, &options, &status))
    {
      g_free (options.prefix);
      return status;
    }
  run.once = options.once;
  run.loop = g_main_loop_new (NULL, FALSE);
  if (set_up (&run, &options, &error))
    g_main_loop_run (run.loop);
  else
    run.status = metrics_ctl_fail (ctl, error);
  tear_down (&run);
  g_free (options.prefix);
  return run.status;
}
