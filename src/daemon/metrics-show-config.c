/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-config.h"

#include <stdio.h>

/* Prints a configuration as a file that says the same. It is for programs as well: no word of it is
 * translated. */

static gboolean
is_port (MetricsSettingId id)
{
#if HAVE_HTTP
  if (id == METRICS_SETTING_HTTP_PORT)
    return TRUE;
#endif
  return id == METRICS_SETTING_PORT;
}

static void
show_setting (const MetricsConfig *self, MetricsSettingId id)
{
  const MetricsSetting *setting = metrics_setting_get (id);
  const char *origin = metrics_settings_get_origin (self->settings, id);
  g_autofree char *value = metrics_settings_format (self->settings, id);
  gboolean is_unused = id == METRICS_SETTING_STATE_DIR && self->state_dir == NULL;
  gboolean is_unset = origin == NULL && (setting->kind == METRICS_SETTING_LIST || is_port (id));

  /* What a folder is by default depends on the environment: here it has been found out. */
  if (id == METRICS_SETTING_STATE_DIR && !is_unused && origin == NULL)
    {
      g_free (value);
      value = g_filename_display_name (self->state_dir);
    }
  printf ("\n# %s%s\n", origin != NULL ? origin : "default", is_unused ? ", not used: memory-only" : "");
  /* That a port is given at all means something, beside listen. */
  printf ("%s%s=%s\n", is_unset || is_unused ? "#" : "", setting->name, value);
}

static void
show_rules (const char *group, const GPtrArray *rules)
{
  printf ("\n[%s]\n", group);
  for (guint i = 0; i < rules->len; i++)
    {
      const MetricsConfigRule *rule = rules->pdata[i];

      printf ("# %s\n%s\n", rule->place, rule->text);
    }
}

/**
 * metrics_config_check:
 * @self: a configuration
 * @problems: (element-type MetricsProblem): what is wrong with it
 *
 * Prints which files were read, and how many errors there are.
 *
 * Returns: the exit status
 */
int
metrics_config_check (const MetricsConfig *self, const GPtrArray *problems)
{
  for (guint i = 0; i < self->files->len; i++)
    printf ("file %s\n", (const char *) self->files->pdata[i]);
  printf ("errors %u\n", problems->len);
  for (guint i = 0; i < self->notes->len; i++)
    g_printerr ("metricsd: %s\n", (const char *) self->notes->pdata[i]);
  return problems->len > 0 ? 2 : 0;
}

/**
 * metrics_config_show:
 * @self: a configuration
 *
 * Prints it as a key file, with a comment before each value that says where it is from.
 */
void
metrics_config_show (const MetricsConfig *self)
{
  for (guint i = 0; i < self->files->len; i++)
    printf ("# file %s\n", (const char *) self->files->pdata[i]);
  printf ("[%s]\n", METRICS_CONFIG_SERVER);
  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    show_setting (self, i);
  show_rules (METRICS_CONFIG_RETENTION, self->retention_rules);
  /* An empty group would say that what is rolled up is to go. */
  if (self->has_rollup)
    show_rules (METRICS_CONFIG_ROLLUP, self->rollup_rules);
}
