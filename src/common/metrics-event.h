/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsEvent:
 *
 * What an administrator may look for in the log. What each means and what to do is said by the journal's
 * catalog, data/systemd/metricsd.catalog; what it carries by the table in metrics-event.c.
 */
typedef enum
{
  METRICS_EVENT_STARTED,
  METRICS_EVENT_START_FAILED,
  METRICS_EVENT_STOPPED,
  METRICS_EVENT_STOP_HURRIED,
  METRICS_EVENT_CLIENTS_CUT_OFF,
  METRICS_EVENT_POINTS_LOST,
  METRICS_EVENT_TASK_FAILED,
  METRICS_EVENT_BACKUP_INCOMPLETE,

  METRICS_EVENT_CONNECTION_LIMIT,
  METRICS_EVENT_CLIENT_DENIED,
  METRICS_EVENT_CLIENT_LONG_LINE,
  METRICS_EVENT_CLIENT_HTTP,
  METRICS_EVENT_CLIENT_LOST,
  METRICS_EVENT_DESCRIPTORS_FEW,
  METRICS_EVENT_DESCRIPTORS_GONE,
  METRICS_EVENT_DESCRIPTORS_BACK,
  METRICS_EVENT_SERIES_LIMIT,
  METRICS_EVENT_MEMORY_LIMIT,
  METRICS_EVENT_MEMORY_TIGHT,

  METRICS_EVENT_RELOADED,
  METRICS_EVENT_RELOAD_FAILED,
  METRICS_EVENT_RESTART_NEEDED,

  METRICS_EVENT_WRITE_FAILED,
  METRICS_EVENT_WRITE_RESUMED,
  METRICS_EVENT_DISK_SLOW,
  METRICS_EVENT_READ_FAILED,
  METRICS_EVENT_DAMAGED,
  METRICS_EVENT_ROW_DAMAGED,
  METRICS_EVENT_WAL_DAMAGED,
  METRICS_EVENT_DAMAGE_KEPT,
  METRICS_EVENT_DAMAGE_NOT_KEPT,
  METRICS_EVENT_FOLDER_AWAITED,

  METRICS_EVENT_NAME_OWNED,
  METRICS_EVENT_NAME_LOST,
  METRICS_EVENT_CLOCK_DOUBTED,
  METRICS_EVENT_CLOCK_BELIEVED,
  METRICS_EVENT_WATCHDOG,
  METRICS_EVENT_SUPPRESSED,

  METRICS_N_EVENTS
} MetricsEvent;

/**
 * MetricsField:
 *
 * What entries of the journal are found by: METRICSD_ADDRESS and so on.
 */
typedef enum
{
  METRICS_FIELD_ADDRESS,
  METRICS_FIELD_CLIENT,
  METRICS_FIELD_COUNT,
  METRICS_FIELD_EVENT,
  METRICS_FIELD_FILE,
  METRICS_FIELD_LIMIT,
  METRICS_FIELD_LINE,
  METRICS_FIELD_NAME,
  METRICS_FIELD_REASON,
  METRICS_FIELD_RIGHT,
  METRICS_FIELD_ROW,
  METRICS_FIELD_SETTING,
  METRICS_FIELD_TABLE,
  METRICS_FIELD_VERSION,
  METRICS_FIELD_WRITTEN,

  METRICS_N_FIELDS
} MetricsField;

/**
 * MetricsPriority:
 *
 * Those of syslog(3), which the journal has as well.
 */
typedef enum
{
  METRICS_PRIORITY_CRITICAL = 2,
  METRICS_PRIORITY_ERROR,
  METRICS_PRIORITY_WARNING,
  METRICS_PRIORITY_NOTICE,
  METRICS_PRIORITY_INFO,
  METRICS_PRIORITY_DEBUG,
} MetricsPriority;

/**
 * MetricsEventInfo:
 * @name: a word for it, which stays
 * @message_id: the MESSAGE_ID: 128 bits in hexadecimal, which stay
 * @priority: how grave it is
 * @burst: how many of them may come at once, see metrics-log-bucket.h; 0 where nothing from outside can make
 *   it come often
 * @fields: a bit for each #MetricsField that it has, all of them each time
 */
typedef struct
{
  const char *name;
  const char *message_id;
  MetricsPriority priority;
  guint burst;
  guint fields;
} MetricsEventInfo;

const MetricsEventInfo *metrics_event_get_info (MetricsEvent event);
const char *metrics_field_get_name (MetricsField field);

G_END_DECLS
