/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-collector.h"

#include "common/metrics-key.h"
#include "ctl/metrics-collector-names.h"
#include "ctl/metrics-collector-private.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glibtop.h>
#include <glibtop/close.h>
#include <glibtop/loadavg.h>
#include <glibtop/mem.h>
#include <glibtop/proclist.h>
#include <glibtop/swap.h>
#include <glibtop/uptime.h>
#include <math.h>
#include <unistd.h>

/* The names, behind the prefix. What has no unit in its name is a count, or is named here:
 *
 *   load.1 .5 .15                            tasks that run or wait, averaged over so many minutes
 *   cpu.user .nice .system .idle .iowait .irq .softirq
 *                                            per cent of the time since the reading before, of all cores
 *   cpu.<core>.user ...                      the same of one core
 *   memory.total_bytes .used_bytes .free_bytes .available_bytes .buffers_bytes .cached_bytes .used_percent
 *   swap.total_bytes .used_bytes .free_bytes
 *   fs.<mount>.size_bytes .used_bytes .free_bytes .used_percent
 *   net.<interface>.rx_bytes .rx_packets .rx_errors .tx_bytes .tx_packets .tx_errors
 *                                            counters since the interface came up
 *   uptime_seconds
 *   processes.total .running .threads        .running counts threads, as the kernel does
 */

/* Where libgtop reads. It ends the process where one of them cannot be opened. */
static const char *const sources[]
    = { "/proc/loadavg", "/proc/meminfo", "/proc/net/dev", "/proc/stat", "/proc/uptime", "/proc/vmstat" };

/**
 * metrics_collector_get_default_prefix:
 *
 * Returns: (transfer full): `host.<hostname>`
 */
char *
metrics_collector_get_default_prefix (void)
{
  g_autofree char *host = metrics_collector_component (g_get_host_name ());

  return g_strconcat ("host.", host, NULL);
}

static gboolean
check_sources (GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    if (access (sources[i], R_OK) != 0)
      {
        int saved = errno;

        g_set_error (error, G_IO_ERROR, g_io_error_from_errno (saved), _ ("%s cannot be read: %s"),
                     sources[i], g_strerror (saved));
        return FALSE;
      }
  return TRUE;
}

/**
 * metrics_collector_new:
 * @prefix: what all keys begin with, without the dot behind it: a valid key of at most
 *   %METRICS_COLLECTOR_PREFIX_MAX bytes
 * @error: return location for a #GError
 *
 * Gets ready to read. There can be one collector a process, for libgtop has one state.
 *
 * Returns: (transfer full): a collector, or %NULL with a #GIOErrorEnum where the kernel's files are not there
 */
MetricsCollector *
metrics_collector_new (const char *prefix, GError **error)
{
  MetricsCollector *self;

  g_return_val_if_fail (strlen (prefix) <= METRICS_COLLECTOR_PREFIX_MAX, NULL);
  g_return_val_if_fail (metrics_key_is_valid (prefix, strlen (prefix)), NULL);

  if (!check_sources (error))
    return NULL;
  glibtop_init ();
  self = g_new0 (MetricsCollector, 1);
  self->key = g_string_new (prefix);
  g_string_append_c (self->key, '.');
  self->prefix_len = self->key->len;
  self->cpu_before = g_new0 (glibtop_cpu, 1);
  return self;
}

/**
 * metrics_collector_free:
 * @self: (transfer full): a collector
 */
void
metrics_collector_free (MetricsCollector *self)
{
  glibtop_close ();
  g_string_free (self->key, TRUE);
  g_free (self->cpu_before);
  g_free (self);
}

static void emit (MetricsCollector *self, double value, const char *format, va_list arguments)
    G_GNUC_PRINTF (3, 0);

static void
emit (MetricsCollector *self, double value, const char *format, va_list arguments)
{
  g_string_truncate (self->key, self->prefix_len);
  g_string_append_vprintf (self->key, format, arguments);
  g_assert (metrics_key_is_valid (self->key->str, self->key->len));

  self->func (self->key->str, value, self->user_data);
}

/**
 * metrics_collector_emit:
 * @self: a collector
 * @value: a figure
 * @format: its name, behind the prefix
 * @...: what the name holds: components
 *
 * Hands out a figure of the reading under way.
 */
void
metrics_collector_emit (MetricsCollector *self, double value, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  emit (self, value, format, arguments);
  va_end (arguments);
}

/**
 * metrics_collector_emit_percent:
 * @self: a collector
 * @part: how much of @whole
 * @whole: what is 100; where it is not positive there is no such figure
 * @format: its name, behind the prefix
 * @...: what the name holds: components
 *
 * Hands out a share, to a hundredth of a per cent: what is measured is not more exact, and numbers of few
 * digits are easier to read and take less room.
 */
void
metrics_collector_emit_percent (MetricsCollector *self, double part, double whole, const char *format, ...)
{
  va_list arguments;

  if (!(whole > 0))
    return;
  va_start (arguments, format);
  emit (self, round (part / whole * 100 * 100) / 100, format, arguments);
  va_end (arguments);
}

static void
read_load (MetricsCollector *self)
{
  static const guint minutes[] = { 1, 5, 15 };
  glibtop_loadavg load;

  glibtop_get_loadavg (&load);
  for (guint i = 0; i < G_N_ELEMENTS (minutes); i++)
    metrics_collector_emit (self, load.loadavg[i], "load.%u", minutes[i]);
  metrics_collector_emit (self, load.nr_running, "processes.running");
  metrics_collector_emit (self, load.nr_tasks, "processes.threads");
}

static void
read_processes (MetricsCollector *self)
{
  glibtop_proclist list;

  g_free (glibtop_get_proclist (&list, GLIBTOP_KERN_PROC_ALL, 0));
  metrics_collector_emit (self, list.number, "processes.total");
}

static void
read_memory (MetricsCollector *self)
{
  glibtop_mem memory;
  glibtop_swap swap;

  glibtop_get_mem (&memory);
  /* libgtop's "user" is what the kernel's estimate of available memory leaves; its "used" also counts caches,
   * which are given back when asked for. */
  metrics_collector_emit (self, memory.total, "memory.total_bytes");
  metrics_collector_emit (self, memory.user, "memory.used_bytes");
  metrics_collector_emit (self, memory.free, "memory.free_bytes");
  metrics_collector_emit (self, (double) memory.total - memory.user, "memory.available_bytes");
  metrics_collector_emit (self, memory.buffer, "memory.buffers_bytes");
  metrics_collector_emit (self, memory.cached, "memory.cached_bytes");
  metrics_collector_emit_percent (self, memory.user, memory.total, "memory.used_percent");

  glibtop_get_swap (&swap);
  metrics_collector_emit (self, swap.total, "swap.total_bytes");
  metrics_collector_emit (self, swap.used, "swap.used_bytes");
  metrics_collector_emit (self, swap.free, "swap.free_bytes");
}

static void
read_uptime (MetricsCollector *self)
{
  glibtop_uptime uptime;

  glibtop_get_uptime (&uptime);
  metrics_collector_emit (self, uptime.uptime, "uptime_seconds");
}

/**
 * metrics_collector_read:
 * @self: a collector
 * @func: (scope call): called for every figure, each key once
 * @user_data: for @func
 *
 * Reads all figures once. Those that are shares of the time since the reading before (`cpu`) are not in the
 * first one, and a core that came back since then is left out once.
 */
void
metrics_collector_read (MetricsCollector *self, MetricsCollectorFunc func, gpointer user_data)
{
  g_return_if_fail (self->func == NULL);

  self->func = func;
  self->user_data = user_data;
  read_load (self);
  metrics_collector_read_cpu (self);
  read_memory (self);
  metrics_collector_read_file_systems (self);
  metrics_collector_read_network (self);
  read_uptime (self);
  read_processes (self);
  self->func = NULL;
}
