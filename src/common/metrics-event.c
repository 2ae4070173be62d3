/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-event.h"

/* Nothing in this table ever changes its number, its word or the meaning of its fields: administrators search
 * and filter by them, and alerts are made of them. What is no longer said keeps its line in the catalog. A
 * new one gets the next number of `systemd-id128 new`. */

#define ONCE 0
#define FEW 10
#define MANY 100

#define BIT(field) (1u << METRICS_FIELD_##field)

static const MetricsEventInfo infos[] = {
  [METRICS_EVENT_STARTED] = { "started", "20b6042e46dd450f9b9b798d510e19be", METRICS_PRIORITY_NOTICE, ONCE,
                              BIT (VERSION) | BIT (ADDRESS) | BIT (FILE) },
  [METRICS_EVENT_START_FAILED]
  = { "start-failed", "0f8ec53194d24428a4102cb56315fb9d", METRICS_PRIORITY_ERROR, ONCE, BIT (REASON) },
  [METRICS_EVENT_STOPPED] = { "stopped", "6898164062514c5dbba00b58dd83eb48", METRICS_PRIORITY_NOTICE, ONCE,
                              BIT (REASON) | BIT (WRITTEN) },
  [METRICS_EVENT_STOP_HURRIED]
  = { "stop-hurried", "d81755ae18fe4bafa194b176259dc832", METRICS_PRIORITY_NOTICE, FEW, 0 },
  [METRICS_EVENT_CLIENTS_CUT_OFF]
  = { "clients-cut-off", "7bdd8f6d6758455db677f262b1261317", METRICS_PRIORITY_WARNING, ONCE, BIT (COUNT) },
  [METRICS_EVENT_POINTS_LOST]
  = { "points-lost", "c161f2d3bab6498c92af9a3cf33c2095", METRICS_PRIORITY_CRITICAL, ONCE, BIT (REASON) },
  [METRICS_EVENT_TASK_FAILED]
  = { "task-failed", "dbdc92427e1b4962a4d98dbf21b260d8", METRICS_PRIORITY_ERROR, ONCE, BIT (REASON) },
  [METRICS_EVENT_BACKUP_INCOMPLETE]
  = { "backup-incomplete", "4988c8578666470e8708f37c7a530caa", METRICS_PRIORITY_WARNING, ONCE, BIT (REASON) },
  [METRICS_EVENT_CONNECTION_LIMIT] = { "connection-limit", "a204dc9e93bb428d815503d32a5cfaf1",
                                       METRICS_PRIORITY_WARNING, FEW, BIT (CLIENT) | BIT (LIMIT) },
  [METRICS_EVENT_CLIENT_DENIED] = { "client-denied", "9032be017f1b41af96984685d6599a81",
                                    METRICS_PRIORITY_WARNING, FEW, BIT (CLIENT) | BIT (RIGHT) },
  [METRICS_EVENT_CLIENT_LONG_LINE] = { "client-long-line", "c185f517c55a41e5b6c6bba3817bd1c9",
                                       METRICS_PRIORITY_NOTICE, FEW, BIT (CLIENT) | BIT (LIMIT) },
  [METRICS_EVENT_CLIENT_HTTP]
  = { "client-http", "4faa9d4de415473da3d34b72ea3cc09b", METRICS_PRIORITY_NOTICE, FEW, BIT (CLIENT) },
  [METRICS_EVENT_CLIENT_LOST] = { "client-lost", "1f1ff711372946729549be04967a5123", METRICS_PRIORITY_WARNING,
                                  FEW, BIT (CLIENT) | BIT (REASON) },
  [METRICS_EVENT_DESCRIPTORS_FEW]
  = { "descriptors-few", "6b68764886864badac9cca8dc272069c", METRICS_PRIORITY_WARNING, FEW, BIT (LIMIT) },
  [METRICS_EVENT_DESCRIPTORS_GONE]
  = { "descriptors-gone", "9c5e31af23fc4e9ba7c3e9bb7ccdd05c", METRICS_PRIORITY_WARNING, FEW, 0 },
  [METRICS_EVENT_DESCRIPTORS_BACK]
  = { "descriptors-back", "b3ed96fccb2549d4b30409b573ffeaee", METRICS_PRIORITY_NOTICE, FEW, 0 },
  [METRICS_EVENT_SERIES_LIMIT] = { "series-limit", "e5e84437cb904adba3f89aaf2c14b21f",
                                   METRICS_PRIORITY_WARNING, FEW, BIT (CLIENT) | BIT (LIMIT) },
  [METRICS_EVENT_MEMORY_LIMIT] = { "memory-limit", "5e1825cbe1ac42cfb18bcd29dd80fae8",
                                   METRICS_PRIORITY_WARNING, FEW, BIT (CLIENT) | BIT (LIMIT) },
  [METRICS_EVENT_MEMORY_TIGHT] = { "memory-tight", "70b56d2f0c8e4e2bb567894b6733b0de",
                                   METRICS_PRIORITY_WARNING, FEW, BIT (COUNT) | BIT (LIMIT) },
  [METRICS_EVENT_RELOADED]
  = { "reloaded", "2bcbe324489e4b3b89a8fdc7fed48078", METRICS_PRIORITY_NOTICE, MANY, BIT (FILE) },
  [METRICS_EVENT_RELOAD_FAILED] = { "reload-failed", "c9c045b5681740f5b9ff5053ebd0559a",
                                    METRICS_PRIORITY_ERROR, MANY, BIT (FILE) | BIT (LINE) | BIT (REASON) },
  [METRICS_EVENT_RESTART_NEEDED]
  = { "restart-needed", "1b08576b4e6c4b448dc716b313deb582", METRICS_PRIORITY_WARNING, MANY, BIT (SETTING) },
  [METRICS_EVENT_WRITE_FAILED] = { "write-failed", "2c0697a312ae48e083dfe9800c325d49", METRICS_PRIORITY_ERROR,
                                   FEW, BIT (FILE) | BIT (REASON) },
  [METRICS_EVENT_WRITE_RESUMED]
  = { "write-resumed", "296eebe1ed194097a381430b6c5be09d", METRICS_PRIORITY_NOTICE, MANY, BIT (FILE) },
  [METRICS_EVENT_DISK_SLOW]
  = { "disk-slow", "b6bc3faa7e4d4f7f9a499f27bb055e88", METRICS_PRIORITY_WARNING, FEW, BIT (FILE) },
  [METRICS_EVENT_READ_FAILED] = { "read-failed", "172d75f85e4b4815adffd9f7c2ea110a", METRICS_PRIORITY_ERROR,
                                  FEW, BIT (FILE) | BIT (REASON) },
  [METRICS_EVENT_DAMAGED]
  = { "damaged", "56151cf87a594ac2b13ca0fdbaccae9f", METRICS_PRIORITY_CRITICAL, FEW, BIT (FILE) },
  [METRICS_EVENT_ROW_DAMAGED] = { "row-damaged", "8726072456a64c449ca133045938552e", METRICS_PRIORITY_ERROR,
                                  MANY, BIT (FILE) | BIT (TABLE) | BIT (ROW) | BIT (REASON) },
  [METRICS_EVENT_WAL_DAMAGED] = { "wal-damaged", "d54a46a28742499588561129eaf446f3", METRICS_PRIORITY_ERROR,
                                  FEW, BIT (FILE) | BIT (COUNT) },
  [METRICS_EVENT_DAMAGE_KEPT]
  = { "damage-kept", "093d70a19615413cb76bb60f16e7cb98", METRICS_PRIORITY_NOTICE, MANY, BIT (FILE) },
  [METRICS_EVENT_DAMAGE_NOT_KEPT] = { "damage-not-kept", "9b8629896bc6416d98a389ca3c20e06d",
                                      METRICS_PRIORITY_ERROR, MANY, BIT (FILE) | BIT (REASON) },
  [METRICS_EVENT_FOLDER_AWAITED]
  = { "folder-awaited", "62030a0978ed40f0b0a3e3ea9e34c2ad", METRICS_PRIORITY_NOTICE, MANY, BIT (FILE) },
  [METRICS_EVENT_NAME_OWNED]
  = { "name-owned", "ac3e4e033be349e6aeda15f59ff93d39", METRICS_PRIORITY_INFO, FEW, BIT (NAME) },
  [METRICS_EVENT_NAME_LOST]
  = { "name-lost", "0a92ad66d78f4c54bd781953daa2ec7d", METRICS_PRIORITY_WARNING, FEW, BIT (NAME) },
  [METRICS_EVENT_CLOCK_DOUBTED]
  = { "clock-doubted", "77553fe4b9ba4b609973038f60442bb8", METRICS_PRIORITY_WARNING, FEW, 0 },
  [METRICS_EVENT_CLOCK_BELIEVED]
  = { "clock-believed", "e55b8aa4b7874777b05bd99bca1a40c9", METRICS_PRIORITY_NOTICE, FEW, 0 },
  [METRICS_EVENT_WATCHDOG]
  = { "watchdog", "fdaec907a90a42b9927b972a6089ff62", METRICS_PRIORITY_WARNING, FEW, BIT (REASON) },
  [METRICS_EVENT_SUPPRESSED] = { "suppressed", "e346969553f44d8db743853b31cb6f9f", METRICS_PRIORITY_NOTICE,
                                 ONCE, BIT (EVENT) | BIT (COUNT) },
};

G_STATIC_ASSERT (G_N_ELEMENTS (infos) == METRICS_N_EVENTS);

static const char *const field_names[] = {
  [METRICS_FIELD_ADDRESS] = "METRICSD_ADDRESS", [METRICS_FIELD_CLIENT] = "METRICSD_CLIENT",
  [METRICS_FIELD_RIGHT] = "METRICSD_RIGHT",     [METRICS_FIELD_COUNT] = "METRICSD_COUNT",
  [METRICS_FIELD_EVENT] = "METRICSD_EVENT",     [METRICS_FIELD_FILE] = "METRICSD_FILE",
  [METRICS_FIELD_LIMIT] = "METRICSD_LIMIT",     [METRICS_FIELD_LINE] = "METRICSD_LINE",
  [METRICS_FIELD_NAME] = "METRICSD_NAME",       [METRICS_FIELD_REASON] = "METRICSD_REASON",
  [METRICS_FIELD_ROW] = "METRICSD_ROW",         [METRICS_FIELD_SETTING] = "METRICSD_SETTING",
  [METRICS_FIELD_TABLE] = "METRICSD_TABLE",     [METRICS_FIELD_VERSION] = "METRICSD_VERSION",
  [METRICS_FIELD_WRITTEN] = "METRICSD_WRITTEN",
};

G_STATIC_ASSERT (G_N_ELEMENTS (field_names) == METRICS_N_FIELDS);
G_STATIC_ASSERT (METRICS_N_FIELDS <= 32);

/**
 * metrics_event_get_info:
 * @event: an event
 *
 * Returns: (transfer none): what is known of it
 */
const MetricsEventInfo *
metrics_event_get_info (MetricsEvent event)
{
  g_assert (event < METRICS_N_EVENTS);

  return &infos[event];
}

/**
 * metrics_field_get_name:
 * @field: a field
 *
 * Returns: (transfer none): its name in the journal
 */
const char *
metrics_field_get_name (MetricsField field)
{
  g_assert (field < METRICS_N_FIELDS);

  return field_names[field];
}
