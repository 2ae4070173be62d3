/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-config.h"

#include <glib/gi18n.h>

#define GROUP_RETENTION "retention"
#define GROUP_ROLLUP "rollup"

static const char *const groups[] = { GROUP_RETENTION, GROUP_ROLLUP, NULL };

/* What is written wrong must not be passed over: points would be kept for another time than was meant. */
static gboolean
check_groups (GKeyFile *file, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_groups (file, NULL);

  for (guint i = 0; names[i] != NULL; i++)
    if (!g_strv_contains (groups, names[i]))
      {
        g_autofree char *name = g_utf8_make_valid (names[i], -1);
        g_autofree char *known = g_strjoinv (", ", (GStrv) groups);

        g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND,
                     _ ("[%s]: no such group; there are: %s"), name, known);
        return FALSE;
      }
  return TRUE;
}

static gboolean
read_file (MetricsConfig *self, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  MetricsRules *rules;

  /* Keys are patterns, and no translations. */
  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_KEEP_TRANSLATIONS, error)
      || !check_groups (file, error))
    return FALSE;
  rules = metrics_rules_new (file, GROUP_RETENTION, error);
  if (rules != NULL)
    self->retention = metrics_retention_new (rules, error);
  if (self->retention != NULL)
    self->rollup = metrics_rollup_rules_new (file, GROUP_ROLLUP, error);
  return self->rollup != NULL;
}

static void
set_none (MetricsConfig *self)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  self->retention = metrics_retention_new (metrics_rules_new (file, GROUP_RETENTION, NULL), NULL);
  self->rollup = metrics_rollup_rules_new (file, GROUP_ROLLUP, NULL);
}

/**
 * metrics_config_load:
 * @path: (type filename) (nullable): a key file, or %NULL for none
 * @error: return location for a #GError
 *
 * Reads the configuration.
 *
 * Returns: (transfer full) (nullable): it, or %NULL where the file cannot be read, or something in it is
 *   wrong; the error names the file, the group and the key
 */
MetricsConfig *
metrics_config_load (const char *path, GError **error)
{
  g_autoptr (MetricsConfig) self = g_new0 (MetricsConfig, 1);

  self->is_given = path != NULL;
  if (path == NULL)
    set_none (self);
  else if (!read_file (self, path, error))
    {
      g_autofree char *name = g_filename_display_name (path);

      g_prefix_error (error, "'%s': ", name);
      return NULL;
    }
  return g_steal_pointer (&self);
}

/**
 * metrics_config_free:
 * @self: (transfer full) (nullable): a configuration
 */
void
metrics_config_free (MetricsConfig *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->retention, metrics_retention_free);
  metrics_rollup_rules_free (self->rollup);
  g_free (self);
}
