/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-live.h"

#include "common/metrics-log-writer.h"
#include "common/metrics-log.h"

#include <glib/gi18n.h>

/* What becomes of a server that runs when its configuration changes. */

#define SWAP(a, b)                                                                                           \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    gpointer swapped = a;                                                                                    \
    a = b;                                                                                                   \
    b = swapped;                                                                                             \
  }                                                                                                          \
  G_STMT_END

/**
 * metrics_live_keep_fixed:
 * @config: a new configuration
 * @running: the one that holds; what is kept of it is taken out of it
 * @parts: the server
 *
 * Has the new configuration say of what cannot change now what the old one says, and says so in the log.
 */
void
metrics_live_keep_fixed (MetricsConfig *config, MetricsConfig *running, const MetricsParts *parts)
{
  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    if (!metrics_setting_get (i)->is_live)
      {
        if (!metrics_settings_equal (config->settings, running->settings, i))
          metrics_log (METRICS_EVENT_RESTART_NEEDED,
                       METRICS_FIELDS (METRICS_TEXT (SETTING, metrics_setting_get (i)->name)),
                       _ ("%s is changed by a restart only: it stays as it was"),
                       metrics_setting_get (i)->name);
        metrics_settings_copy (config->settings, running->settings, i);
      }
  SWAP (config->listeners, running->listeners);
  SWAP (config->state_dir, running->state_dir);

  /* The file may have been lost, and what is rolled up takes years to come back. */
  if (config->has_rollup || parts->roller == NULL)
    return;
  metrics_log (METRICS_EVENT_RESTART_NEEDED, METRICS_FIELDS (METRICS_TEXT (SETTING, METRICS_CONFIG_ROLLUP)),
               _ ("there is no group [%s] any more: its rules stay until a restart; an empty one would "
                  "delete "
                  "what is rolled up"),
               METRICS_CONFIG_ROLLUP);
  config->has_rollup = TRUE;
  SWAP (config->rollup, running->rollup);
  SWAP (config->rollup_rules, running->rollup_rules);
}

static void
report_changes (const MetricsConfig *config, const MetricsConfig *running)
{
  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    if (!metrics_settings_equal (config->settings, running->settings, i))
      {
        g_autofree char *before = metrics_settings_format (running->settings, i);
        g_autofree char *after = metrics_settings_format (config->settings, i);

        g_message (_ ("%s is %s now; it was %s"), metrics_setting_get (i)->name, after, before);
      }
  for (guint i = 0; i < config->notes->len; i++)
    g_message ("%s", (const char *) config->notes->pdata[i]);
}

/**
 * metrics_live_apply:
 * @config: a new configuration, see metrics_live_keep_fixed(); it has to live as long as the parts
 * @running: the one that holds so far; the parts do not need it any more
 * @parts: the server; what is to roll it up that was not rolled up so far is not its business
 *
 * Has the server do what the configuration says.
 */
void
metrics_live_apply (const MetricsConfig *config, const MetricsConfig *running, const MetricsParts *parts)
{
  metrics_log_writer_set_level (config->log_level);
  report_changes (config, running);
  metrics_store_set_limits (parts->store, config->series_limit, config->memory_limit);
  if (parts->storage != NULL)
    metrics_storage_update (parts->storage, config->durability);
  metrics_service_set_limits (parts->service, &config->limits);
  if (parts->bus != NULL)
    metrics_bus_set_slice (parts->bus, config->limits.slice);
  metrics_http_front_configure (parts->http, config);
  if (config->self_metrics != running->self_metrics)
    metrics_service_record (parts->service, config->self_metrics);
  metrics_sweeper_set_retention (parts->sweeper, config->retention);
  if (parts->roller != NULL)
    metrics_roller_set_rules (parts->roller, config->rollup, config->retention);
}
