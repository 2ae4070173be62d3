/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-settings.h"

#include "common/metrics-event.h"
#include "common/metrics-names.h"
#include "storage/metrics-storage.h"

#include <glib/gi18n.h>
#include <string.h>

/* All that can be set, once: the command line, the files, what is shown of them and what is tested come from
 * here. What is new needs a line here, a use of it, and a place in data/metricsd.conf.example and
 * data/man/metricsd.conf.5.rst, which a test looks for. */

/* A day: longer times than that are meant to be none. */
#define MAX_SECONDS (24 * 60 * 60)

static const char *const durabilities[] = {
  [METRICS_DURABILITY_NONE] = "none",
  [METRICS_DURABILITY_INTERVAL] = "interval",
  [METRICS_DURABILITY_ALWAYS] = "always",
  NULL,
};

/* From METRICS_PRIORITY_ERROR on. */
static const char *const log_levels[] = { "error", "warning", "notice", "info", "debug", NULL };

/* The value of a memory limit is worked out, see metrics_settings_new(). */
static const MetricsSetting settings[METRICS_N_SETTINGS] = {
  [METRICS_SETTING_HOST]
  = { "host", METRICS_SETTING_LIST, N_ ("Host to listen on (127.0.0.1 and ::1); can be given several times"),
      N_ ("HOST") },
  [METRICS_SETTING_PORT] = { "port", METRICS_SETTING_NUMBER, N_ ("TCP port (8888); 0 takes any that is free"),
                             N_ ("PORT"), 0, G_MAXUINT16, METRICS_DEFAULT_PORT },
  [METRICS_SETTING_LISTEN]
  = { "listen", METRICS_SETTING_LIST, N_ ("Address to listen on; can be given several times"),
      N_ ("ADDRESS[,OPTION...]") },
#if HAVE_HTTP
  [METRICS_SETTING_HTTP_LISTEN]
  = { "http-listen", METRICS_SETTING_LIST,
      N_ ("Address to serve HTTP on (127.0.0.1:8889 and [::1]:8889); can be given several times"),
      N_ ("ADDRESS[,OPTION...]") },
  [METRICS_SETTING_HTTP_PORT]
  = { "http-port", METRICS_SETTING_NUMBER, N_ ("TCP port of HTTP (8889); 0 takes any that is free"),
      N_ ("PORT"), 0, G_MAXUINT16, METRICS_DEFAULT_HTTP_PORT },
  [METRICS_SETTING_HTTP_HOST]
  = { "http-host", METRICS_SETTING_LIST,
      N_ ("Name by which browsers may call the server, beside localhost and the machine's own; can be given "
          "several times"),
      N_ ("NAME"), .is_live = TRUE },
  [METRICS_SETTING_NO_HTTP] = { "no-http", METRICS_SETTING_SWITCH, N_ ("Serve no HTTP") },
#endif
  [METRICS_SETTING_EXIT_WHEN_IDLE]
  = { "exit-when-idle", METRICS_SETTING_NUMBER,
      N_ ("Time after which a server leaves that has nothing to do, to be started again by the next call (0: "
          "never)"),
      N_ ("SECONDS"), 0, MAX_SECONDS, 0 },
  [METRICS_SETTING_SELF_METRICS]
  = { "self-metrics", METRICS_SETTING_NUMBER,
      N_ ("How often to keep the server's own figures as series metricsd.* (0: never)"), N_ ("SECONDS"), 0,
      MAX_SECONDS, 0, .is_live = TRUE },

  [METRICS_SETTING_LOG_LEVEL]
  = { "log-level", METRICS_SETTING_CHOICE,
      N_ ("What is logged: error, warning, notice, info (the default) or debug, and what is graver"),
      N_ ("LEVEL"), .value = METRICS_PRIORITY_INFO - METRICS_PRIORITY_ERROR, .choices = log_levels,
      .is_live = TRUE },

  [METRICS_SETTING_STATE_DIR]
  = { "state-dir", METRICS_SETTING_PATH,
      N_ ("Folder in which points last ($STATE_DIRECTORY, else $XDG_STATE_HOME/metricsd)"), N_ ("DIR") },
  [METRICS_SETTING_LOCK_TIMEOUT]
  = { "lock-timeout", METRICS_SETTING_NUMBER, N_ ("Time to wait for another server to leave the folder (10)"),
      N_ ("SECONDS"), 0, MAX_SECONDS, 10 },
  [METRICS_SETTING_MEMORY_ONLY] = { "memory-only", METRICS_SETTING_SWITCH,
                                    N_ ("Keep points in memory only: they are gone when the server stops") },
  [METRICS_SETTING_DURABILITY]
  = { "durability", METRICS_SETTING_CHOICE,
      N_ ("When points are on disk: within a second (interval, the default), before their 'ok' (always), or "
          "written every ten seconds and not waited for (none)"),
      N_ ("WHEN"), .value = METRICS_DURABILITY_INTERVAL, .choices = durabilities, .is_live = TRUE },

  [METRICS_SETTING_MEMORY_LIMIT]
  = { "memory-limit", METRICS_SETTING_SIZE,
      N_ ("Most memory for points (a quarter of the machine's or of its control group's); at least 1M"),
      N_ ("BYTES"), 1 << 20, G_MAXINT64, 0, .is_live = TRUE },
  [METRICS_SETTING_SERIES_LIMIT] = { "series-limit", METRICS_SETTING_NUMBER, N_ ("Most keys (1000000)"),
                                     N_ ("N"), 1, G_MAXINT64, 1000000, .is_live = TRUE },
  [METRICS_SETTING_CONNECTION_LIMIT]
  = { "connection-limit", METRICS_SETTING_NUMBER, N_ ("Most clients at once (1024)"), N_ ("N"), 1, 1 << 20,
      1024, .is_live = TRUE },
  [METRICS_SETTING_LINE_LIMIT]
  = { "line-limit", METRICS_SETTING_SIZE, N_ ("Longest line of a request (65536)"), N_ ("BYTES"), 64,
      16 << 20, 65536, .is_live = TRUE },
  [METRICS_SETTING_UNSENT_LIMIT]
  = { "unsent-limit", METRICS_SETTING_SIZE,
      N_ ("Most that is held of answers for a client that does not take them (128K)"), N_ ("BYTES"), 1024,
      1 << 30, 131072, .is_live = TRUE },
  [METRICS_SETTING_SLICE_LIMIT]
  = { "slice-limit", METRICS_SETTING_NUMBER,
      N_ ("Most points or lines for a client before it is another one's turn (4096)"), N_ ("N"), 1, 1 << 24,
      4096, .is_live = TRUE },
  [METRICS_SETTING_LINE_TIMEOUT]
  = { "line-timeout", METRICS_SETTING_NUMBER, N_ ("Time in which a line has to be complete (60)"),
      N_ ("SECONDS"), 1, MAX_SECONDS, 60, .is_live = TRUE },
  [METRICS_SETTING_ANSWER_TIMEOUT] = { "answer-timeout", METRICS_SETTING_NUMBER,
                                       N_ ("Time in which a client has to take what is ready for it (60)"),
                                       N_ ("SECONDS"), 1, MAX_SECONDS, 60, .is_live = TRUE },
  [METRICS_SETTING_IDLE_TIMEOUT]
  = { "idle-timeout", METRICS_SETTING_NUMBER, N_ ("Time after which an idle client is sent away (0: never)"),
      N_ ("SECONDS"), 0, MAX_SECONDS, 0, .is_live = TRUE },
  [METRICS_SETTING_STOP_TIMEOUT] = { "stop-timeout", METRICS_SETTING_NUMBER,
                                     N_ ("Time for clients to take their answers when the server stops (5)"),
                                     N_ ("SECONDS"), 0, MAX_SECONDS, 5, .is_live = TRUE },
};

/**
 * metrics_setting_get:
 * @id: which one
 *
 * Returns: (transfer none): what it is
 */
const MetricsSetting *
metrics_setting_get (MetricsSettingId id)
{
  g_assert (id < METRICS_N_SETTINGS);

  return &settings[id];
}

/**
 * metrics_setting_find:
 * @name: a name
 * @id: (out): whose it is
 *
 * Returns: %FALSE where there is no setting of that name
 */
gboolean
metrics_setting_find (const char *name, MetricsSettingId *id)
{
  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    if (strcmp (settings[i].name, name) == 0)
      {
        *id = i;
        return TRUE;
      }
  return FALSE;
}

/**
 * metrics_setting_is_address:
 * @id: which one
 *
 * Returns: whether its values are addresses to listen on, with options
 */
gboolean
metrics_setting_is_address (MetricsSettingId id)
{
#if HAVE_HTTP
  if (id == METRICS_SETTING_HTTP_LISTEN)
    return TRUE;
#endif
  return id == METRICS_SETTING_LISTEN;
}

/**
 * metrics_setting_list_names:
 *
 * Returns: (transfer full): the names of all settings, for a message
 */
char *
metrics_setting_list_names (void)
{
  GString *names = g_string_new (settings[0].name);

  for (guint i = 1; i < METRICS_N_SETTINGS; i++)
    g_string_append_printf (names, ", %s", settings[i].name);
  return g_string_free (names, FALSE);
}
