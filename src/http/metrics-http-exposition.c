/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-exposition.h"

#include "common/metrics-json.h"

#include <string.h>

/* What a Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats/ and OpenMetrics 1.0.
 *
 * A key is any word of UTF-8, and the name of a metric is not: a name made from a key would have to drop
 * characters, two keys could become one, and each key would be a family of its own. A label's value takes any
 * text. So keys are the label of two families.
 *
 * No sample has a timestamp, though the points have. Seen with Prometheus 2.42: it drops samples that are
 * older than about an hour or more than ten minutes ahead, and a value that took the place of another one of
 * the same time, with a warning at each scrape; and what is no number of seconds could not be told at all. So
 * a key that is put once a day, or whose time counts something else, would never be seen. Nor would a key
 * that was deleted be known to be gone: a sample with a timestamp is shown for five minutes more. Its time is
 * a sample of its own instead, as the Pushgateway has it, and says how old a value is. */

/**
 * Figure:
 * @figure: what `stats` calls it
 * @family: its name here, without the `_total` of a counter
 * @unit: (nullable): with which the name ends
 * @is_counter: whether it only grows; a gauge else
 * @is_microseconds: whether it is to be told in seconds, and is not
 * @help: what it is
 */
typedef struct
{
  const char *figure;
  const char *family;
  const char *unit;
  gboolean is_counter;
  gboolean is_microseconds;
  const char *help;
} Figure;

/* Two names are those that all exporters use of their own process. */
static const Figure figures[] = {
  { "uptime", "metricsd_uptime_seconds", "seconds", .help = "Time since the server started." },
  { "points", "metricsd_points", .help = "Points that are stored." },
  { "series", "metricsd_series", .help = "Keys that have points." },
  { "points_expired", "metricsd_points_expired", .is_counter = TRUE,
    .help = "Points that retention has removed." },
  { "rollup_points", "metricsd_rollup_points", .help = "Points of rollups." },
  { "rollup_series", "metricsd_rollup_series", .help = "Series of rollups." },
  { "memory", "metricsd_memory_bytes", "bytes", .help = "Memory that counts for the memory limit." },
  { "puts_refused", "metricsd_puts_refused", .is_counter = TRUE, .help = "Points that a limit refused." },
  { "resident", "process_resident_memory_bytes", "bytes", .help = "Resident memory of the server." },
  { "cpu_microseconds", "process_cpu_seconds", "seconds", .is_counter = TRUE, .is_microseconds = TRUE,
    .help = "Processor time that the server has used." },
  { "connections", "metricsd_connections", .help = "Clients that are connected." },
  { "connections_accepted", "metricsd_connections_accepted", .is_counter = TRUE,
    .help = "Clients that were accepted." },
  { "connections_refused", "metricsd_connections_refused", .is_counter = TRUE,
    .help = "Clients that were refused since there were too many." },
  { "watchers", "metricsd_watchers", .help = "Those who watch keys." },
  { "points_dropped", "metricsd_points_dropped", .is_counter = TRUE,
    .help = "Points that those who watch did not take in time." },
  { "requests", "metricsd_requests", .is_counter = TRUE, .help = "Requests of the line protocol." },
  { "errors", "metricsd_request_errors", .is_counter = TRUE,
    .help = "Requests of the line protocol that were answered with an error." },
  { "bytes_received", "metricsd_received_bytes", "bytes", .is_counter = TRUE,
    .help = "Bytes that clients have sent." },
  { "bytes_sent", "metricsd_sent_bytes", "bytes", .is_counter = TRUE,
    .help = "Bytes that were sent to clients." },
  { "commits", "metricsd_commits", .is_counter = TRUE, .help = "How often changes were brought to disk." },
  { "commit_time", "metricsd_commit_seconds", "seconds", .is_counter = TRUE, .is_microseconds = TRUE,
    .help = "Time that it took to bring changes to disk." },
  { "bytes_written", "metricsd_disk_written_bytes", "bytes", .is_counter = TRUE,
    .help = "Bytes that were written to disk." },
  { "bytes_unwritten", "metricsd_disk_unwritten_bytes", "bytes",
    .help = "Bytes of changes that wait to be written." },
  { "bytes_on_disk", "metricsd_disk_size_bytes", "bytes", .help = "Size of the files on disk." },
  { "storage_errors", "metricsd_storage_errors", .is_counter = TRUE, .help = "How often the disk failed." },
  { "rows_damaged", "metricsd_damaged_rows", .is_counter = TRUE,
    .help = "Damaged rows that were met on disk." },
  { "http_clients", "metricsd_http_clients", .help = "Clients of HTTP that are connected." },
  { "http_requests", "metricsd_http_requests", .is_counter = TRUE, .help = "Requests of HTTP." },
  { "http_client_errors", "metricsd_http_client_errors", .is_counter = TRUE,
    .help = "Requests of HTTP that were wrong or refused (4xx)." },
  { "http_server_errors", "metricsd_http_server_errors", .is_counter = TRUE,
    .help = "Requests of HTTP that failed (5xx)." },
  { "http_bytes_received", "metricsd_http_received_bytes", "bytes", .is_counter = TRUE,
    .help = "Bytes that clients of HTTP have sent." },
  { "http_bytes_sent", "metricsd_http_sent_bytes", "bytes", .is_counter = TRUE,
    .help = "Bytes that were sent to clients of HTTP." },
  { "http_streams", "metricsd_http_streams", .help = "Streams of points that have a client." },
  { "largest_slice", "metricsd_largest_slice_units", "units",
    .help = "The most work that was done at once, about a line or a point each." },
  { "slice_limit", "metricsd_slice_limit_units", "units",
    .help = "The work that a client gets at once, about a line or a point each." },
  { "connection_limit", "metricsd_connection_limit", .help = "Most clients at once." },
  { "line_limit", "metricsd_line_limit_bytes", "bytes", .help = "Longest line of a request." },
  { "unsent_limit", "metricsd_unsent_limit_bytes", "bytes",
    .help = "Most that is held of answers for a client." },
  { "series_limit", "metricsd_series_limit", .help = "Most keys." },
  { "memory_limit", "metricsd_memory_limit_bytes", "bytes", .help = "Most memory for points." },
};

static const Figure families[] = {
  [METRICS_HTTP_FAMILY_VALUE] = { .family = "metricsd_last_value", .help = "The newest value of a key." },
  [METRICS_HTTP_FAMILY_TIME]
  = { .family = "metricsd_last_timestamp_seconds",
      "seconds",
      .help = "The timestamp of the newest value of a key: seconds since 1970 by convention." },
};

/**
 * metrics_http_exposition_get_type:
 * @self: a format
 *
 * Returns: (transfer none): its media type
 */
const char *
metrics_http_exposition_get_type (MetricsHttpExposition self)
{
  return self == METRICS_HTTP_EXPOSITION_OPENMETRICS
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

static void
append_head (MetricsHttpExposition self, GString *out, const Figure *figure)
{
  gboolean is_open = self == METRICS_HTTP_EXPOSITION_OPENMETRICS;
  /* The text format has no families of more than one name for counters. */
  const char *suffix = figure->is_counter && !is_open ? "_total" : "";

  g_string_append_printf (out, "# HELP %s%s %s\n# TYPE %s%s %s\n", figure->family, suffix, figure->help,
                          figure->family, suffix, figure->is_counter ? "counter" : "gauge");
  if (is_open && figure->unit != NULL)
    g_string_append_printf (out, "# UNIT %s %s\n", figure->family, figure->unit);
}

/**
 * metrics_http_exposition_append_figure:
 * @self: a format
 * @out: what to append to
 * @figure: the name of one of the server's own figures, as `stats` tells it
 * @value: the figure
 *
 * Appends the family of the figure. What is not known by name is a gauge of that name.
 */
void
metrics_http_exposition_append_figure (MetricsHttpExposition self,
                                       GString *out,
                                       const char *figure,
                                       guint64 value)
{
  g_autofree char *name = g_strconcat ("metricsd_", figure, NULL);
  const Figure unknown = { figure, name, .help = "A figure of the server." };
  const Figure *found = &unknown;

  for (guint i = 0; i < G_N_ELEMENTS (figures); i++)
    if (g_str_equal (figures[i].figure, figure))
      found = &figures[i];
  append_head (self, out, found);
  g_string_append_printf (out, "%s%s ", found->family, found->is_counter ? "_total" : "");
  if (found->is_microseconds)
    metrics_json_append_double (out, value / (double) G_USEC_PER_SEC);
  else
    g_string_append_printf (out, "%" G_GUINT64_FORMAT, value);
  g_string_append_c (out, '\n');
}

static void
append_label (GString *out, const char *name, const char *value, gsize len)
{
  g_string_append_printf (out, "{%s=\"", name);
  for (gsize i = 0; i < len; i++)
    {
      if (value[i] == '"' || value[i] == '\\')
        g_string_append_c (out, '\\');
      g_string_append_c (out, value[i]);
    }
  g_string_append (out, "\"} ");
}

/**
 * metrics_http_exposition_append_build:
 * @self: a format
 * @out: what to append to
 * @version: the server's version
 *
 * Appends what is running.
 */
void
metrics_http_exposition_append_build (MetricsHttpExposition self, GString *out, const char *version)
{
  const Figure build = { .family = "metricsd_build_info", .help = "The version of the server." };

  append_head (self, out, &build);
  g_string_append (out, build.family);
  append_label (out, "version", version, strlen (version));
  g_string_append (out, "1\n");
}

/**
 * metrics_http_exposition_append_family:
 * @self: a format
 * @out: what to append to
 * @family: what is told of keys
 *
 * Begins a family; its points follow.
 */
void
metrics_http_exposition_append_family (MetricsHttpExposition self, GString *out, MetricsHttpFamily family)
{
  append_head (self, out, &families[family]);
}

/**
 * metrics_http_exposition_append_point:
 * @out: what to append to
 * @family: what is told of keys
 * @key: (array length=key_len): a key
 * @key_len: its length in bytes
 * @point: its newest point
 *
 * Appends a sample. A key has no character that would need to be escaped but `"` and `\`.
 */
void
metrics_http_exposition_append_point (GString *out,
                                      MetricsHttpFamily family,
                                      const char *key,
                                      gsize key_len,
                                      MetricsPoint point)
{
  g_string_append (out, families[family].family);
  append_label (out, "key", key, key_len);
  if (family == METRICS_HTTP_FAMILY_VALUE)
    metrics_json_append_double (out, point.value);
  else
    metrics_json_append_int64 (out, point.time);
  g_string_append_c (out, '\n');
}

/**
 * metrics_http_exposition_append_end:
 * @self: a format
 * @out: what to append to
 *
 * Ends the whole.
 */
void
metrics_http_exposition_append_end (MetricsHttpExposition self, GString *out)
{
  if (self == METRICS_HTTP_EXPOSITION_OPENMETRICS)
    g_string_append (out, "# EOF\n");
}
