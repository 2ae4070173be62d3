/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-config.h"

#include "common/metrics-names.h"
#include "daemon/metrics-config-file.h"
#include "daemon/metrics-systemd.h"
#include "server/metrics-listener.h"

#include <glib/gi18n.h>
#include <string.h>

/* The layers of a configuration: what holds where nothing is said, the file, its drop-ins in the order of
 * their names, the command line. Of settings, each key counts by itself: what is said last holds. Of rules, a
 * group counts as a whole: their order is what they mean, and where rules of two files were mixed nobody
 * could say which one comes first. */

static const char *const groups[]
    = { METRICS_CONFIG_SERVER, METRICS_CONFIG_RETENTION, METRICS_CONFIG_ROLLUP, NULL };

static void
rule_free (gpointer data)
{
  MetricsConfigRule *rule = data;

  g_free (rule->text);
  g_free (rule->place);
  g_free (rule);
}

/* The desktop's rules say that a variable with a path which is relative does not count. */
static char *
get_default_file (gboolean is_system)
{
  if (is_system)
    return g_build_filename (SYSCONFDIR, "metricsd", "metricsd.conf", NULL);
  if (!g_path_is_absolute (g_get_user_config_dir ()))
    return g_build_filename (g_get_home_dir (), ".config", "metricsd", "metricsd.conf", NULL);
  return g_build_filename (g_get_user_config_dir (), "metricsd", "metricsd.conf", NULL);
}

/* What is written wrong must not be passed over: points would be kept for another time than was meant. */
static void
check_groups (const MetricsConfigFile *file, GPtrArray *problems)
{
  g_autofree char *known = g_strjoinv (", ", (GStrv) groups);
  g_autofree char *reason = g_strdup_printf (_ ("no such group; there are: %s"), known);

  for (guint i = 0; i < file->groups->len; i++)
    {
      const MetricsConfigEntry *entry = file->groups->pdata[i];

      if (!g_strv_contains (groups, entry->group))
        metrics_config_file_refuse (file, entry, reason, problems);
    }
}

static gboolean
take_list (MetricsSettings *settings,
           MetricsSettingId id,
           const MetricsConfigFile *file,
           const MetricsConfigEntry *entry,
           const char *place,
           GError **error)
{
  g_auto (GStrv) texts = g_key_file_get_string_list (file->keys, entry->group, entry->key, NULL, error);

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      g_autoptr (MetricsListener) listener = NULL;

      if (g_strstrip (texts[i])[0] == '\0')
        {
          g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                               _ ("one of the list is empty"));
          return FALSE;
        }
      if (!metrics_setting_is_address (id))
        continue;
      listener = metrics_listener_new_parse (texts[i], METRICS_DEFAULT_PORT, error);
      if (listener == NULL)
        return FALSE;
    }
  if (texts != NULL)
    metrics_settings_set_texts (settings, id, texts, place);
  return texts != NULL;
}

static gboolean
take_path (MetricsSettings *settings,
           MetricsSettingId id,
           const MetricsConfigFile *file,
           const MetricsConfigEntry *entry,
           const char *place,
           GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = g_key_file_get_string (file->keys, entry->group, entry->key, &reason);

  /* Of a wrong escape, there is a text as well. */
  if (reason != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  if (text[0] != '\0' && !g_path_is_absolute (text))
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                   _ ("'%s' is not an absolute path: it does not begin with /"), text);
      return FALSE;
    }
  return metrics_settings_parse (settings, id, text, place, error);
}

static void
take_setting (MetricsConfig *self,
              const MetricsConfigFile *file,
              const MetricsConfigEntry *entry,
              GPtrArray *problems)
{
  g_autofree char *place = metrics_config_file_get_place (file, entry);
  g_autofree char *value = NULL;
  g_autoptr (GError) error = NULL;
  MetricsSettingId id;

  if (!metrics_setting_find (entry->key, &id))
    {
      g_autofree char *known = metrics_setting_list_names ();
      g_autofree char *reason = g_strdup_printf (_ ("no such setting; there are: %s"), known);

      metrics_config_file_refuse (file, entry, reason, problems);
      return;
    }
  switch (metrics_setting_get (id)->kind)
    {
    case METRICS_SETTING_LIST:
      take_list (self->settings, id, file, entry, place, &error);
      break;
    case METRICS_SETTING_PATH:
      take_path (self->settings, id, file, entry, place, &error);
      break;
    case METRICS_SETTING_NUMBER:
    case METRICS_SETTING_SIZE:
    case METRICS_SETTING_SWITCH:
    case METRICS_SETTING_CHOICE:
    default:
      value = g_key_file_get_value (file->keys, entry->group, entry->key, NULL);
      metrics_settings_parse (self->settings, id, g_strstrip (value), place, &error);
      break;
    }
  if (error != NULL)
    metrics_config_file_refuse (file, entry, error->message, problems);
}

/* Of the rules of a group: which line an error is about; it begins with the group and the key. */
static const MetricsConfigEntry *
find_culprit (const MetricsConfigFile *file, const char *message, gsize *len)
{
  const MetricsConfigEntry *found = NULL;

  *len = 0;
  for (guint i = 0; i < file->entries->len; i++)
    {
      const MetricsConfigEntry *entry = file->entries->pdata[i];
      g_autofree char *start = g_strdup_printf ("[%s] %s: ", entry->group, entry->key);

      if (strlen (start) > *len && g_str_has_prefix (message, start))
        {
          found = entry;
          *len = strlen (start);
        }
    }
  return found;
}

/* Reads both groups of rules; what is wrong is said, and taken out so that the next mistake is found. */
static void
take_rules (MetricsConfig *self, const MetricsConfigFile *file, const char *group, GPtrArray *problems)
{
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MetricsRetention) retention = NULL;
      g_autoptr (MetricsRollupRules) rollup = NULL;
      MetricsRules *rules;
      const MetricsConfigEntry *culprit;
      gsize len;

      if (strcmp (group, METRICS_CONFIG_ROLLUP) == 0)
        rollup = metrics_rollup_rules_new (file->keys, group, &error);
      else if ((rules = metrics_rules_new (file->keys, group, &error)) != NULL)
        retention = metrics_retention_new (rules, &error);
      if (error == NULL)
        {
          if (rollup != NULL)
            {
              metrics_rollup_rules_free (self->rollup);
              self->rollup = g_steal_pointer (&rollup);
              self->has_rollup = TRUE;
            }
          else
            {
              metrics_retention_free (self->retention);
              self->retention = g_steal_pointer (&retention);
            }
          return;
        }
      culprit = find_culprit (file, error->message, &len);
      if (culprit == NULL)
        {
          metrics_problems_add (problems, file->name, 0, error->message);
          return;
        }
      metrics_config_file_refuse (file, culprit, error->message + len, problems);
      if (metrics_problems_are_full (problems)
          || !g_key_file_remove_key (file->keys, group, culprit->key, NULL))
        return;
    }
}

static void
note_rules (GPtrArray *rules, const MetricsConfigFile *file, const char *group)
{
  g_ptr_array_set_size (rules, 0);
  for (guint i = 0; i < file->entries->len; i++)
    {
      const MetricsConfigEntry *entry = file->entries->pdata[i];
      g_autofree char *value = NULL;
      MetricsConfigRule *rule;

      if (strcmp (entry->group, group) != 0)
        continue;
      value = g_key_file_get_value (file->keys, group, entry->key, NULL);
      rule = g_new0 (MetricsConfigRule, 1);
      rule->text = g_strdup_printf ("%s=%s", entry->key, value != NULL ? g_strstrip (value) : "");
      rule->place = metrics_config_file_get_place (file, entry);
      g_ptr_array_add (rules, rule);
    }
}

static void
read_layer (MetricsConfig *self, const char *path, gboolean is_optional, GPtrArray *problems)
{
  g_autoptr (MetricsConfigFile) file = metrics_config_file_read (path, is_optional, problems);

  if (file == NULL)
    return;
  g_ptr_array_add (self->files, g_strdup (file->name));
  check_groups (file, problems);
  for (guint i = 0; i < file->entries->len; i++)
    {
      const MetricsConfigEntry *entry = file->entries->pdata[i];

      if (strcmp (entry->group, METRICS_CONFIG_SERVER) == 0)
        take_setting (self, file, entry, problems);
    }
  if (g_key_file_has_group (file->keys, METRICS_CONFIG_RETENTION))
    {
      take_rules (self, file, METRICS_CONFIG_RETENTION, problems);
      note_rules (self->retention_rules, file, METRICS_CONFIG_RETENTION);
    }
  if (g_key_file_has_group (file->keys, METRICS_CONFIG_ROLLUP))
    {
      take_rules (self, file, METRICS_CONFIG_ROLLUP, problems);
      note_rules (self->rollup_rules, file, METRICS_CONFIG_ROLLUP);
    }
}

static void
read_layers (MetricsConfig *self, const MetricsOptions *options, GPtrArray *problems)
{
  g_autofree char *path = options->config != NULL ? g_strdup (options->config)
                                                  : get_default_file (options->bus == METRICS_BUS_SYSTEM);
  g_autoptr (GPtrArray) drop_ins = NULL;

  read_layer (self, path, options->config == NULL, problems);
  drop_ins = metrics_config_list_drop_ins (path, problems);
  for (guint i = 0; i < drop_ins->len; i++)
    read_layer (self, drop_ins->pdata[i], FALSE, problems);
}

static void
take_command_line (MetricsConfig *self, const MetricsSettings *given)
{
  gboolean wants_disk = metrics_settings_get_origin (given, METRICS_SETTING_STATE_DIR) != NULL
                        || metrics_settings_get_origin (given, METRICS_SETTING_DURABILITY) != NULL;

  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    {
      const char *place = metrics_settings_get_origin (self->settings, i);
      /* Who names a folder there wants one. */
      gboolean is_given = metrics_settings_get_origin (given, i) != NULL
                          || (i == METRICS_SETTING_MEMORY_ONLY && wants_disk && place != NULL);

      if (is_given && place != NULL && !metrics_settings_equal (self->settings, given, i))
        g_ptr_array_add (self->notes,
                         g_strdup_printf (_ ("%s: [%s] %s does not count: the command line says otherwise"),
                                          place, METRICS_CONFIG_SERVER, metrics_setting_get (i)->name));
      if (is_given)
        metrics_settings_copy (self->settings, given, i);
    }
}

/* What the service manager gives, else what the desktop's rules say. */
static char *
get_default_state_dir (void)
{
  const char *given = g_getenv ("STATE_DIRECTORY");

  /* There may be several, see systemd.exec(5): the first one is for this. */
  if (given != NULL && given[0] != '\0' && given[0] != ':')
    return g_strndup (given, strcspn (given, ":"));
  /* The rules say that a path which is relative does not count. */
  if (!g_path_is_absolute (g_get_user_state_dir ()))
    return g_build_filename (g_get_home_dir (), ".local", "state", "metricsd", NULL);
  return g_build_filename (g_get_user_state_dir (), "metricsd", NULL);
}

/* Five minutes, unless somebody says otherwise: the unit leaves that to the configuration. */
static void
take_idle_time (MetricsConfig *self, const MetricsOptions *options)
{
  if (options->is_on_demand
      && metrics_settings_get_origin (self->settings, METRICS_SETTING_EXIT_WHEN_IDLE) == NULL)
    metrics_settings_parse (self->settings, METRICS_SETTING_EXIT_WHEN_IDLE, "300", NULL, NULL);
}

static guint64
get (const MetricsConfig *self, MetricsSettingId id)
{
  return metrics_settings_get_number (self->settings, id);
}

static void
take_values (MetricsConfig *self, MetricsBusKind bus)
{
  gboolean is_called
      = bus == METRICS_BUS_SESSION || (bus == METRICS_BUS_NONE && metrics_systemd_has_sockets ());

  self->limits = (MetricsLimits){
    .line = get (self, METRICS_SETTING_LINE_LIMIT),
    .connections = get (self, METRICS_SETTING_CONNECTION_LIMIT),
    .unsent = get (self, METRICS_SETTING_UNSENT_LIMIT),
    .slice = get (self, METRICS_SETTING_SLICE_LIMIT),
    .line_timeout = get (self, METRICS_SETTING_LINE_TIMEOUT),
    .answer_timeout = get (self, METRICS_SETTING_ANSWER_TIMEOUT),
    .idle_timeout = get (self, METRICS_SETTING_IDLE_TIMEOUT),
  };
  self->series_limit = get (self, METRICS_SETTING_SERIES_LIMIT);
  self->memory_limit = get (self, METRICS_SETTING_MEMORY_LIMIT);
  self->lock_timeout = get (self, METRICS_SETTING_LOCK_TIMEOUT);
  self->log_level = METRICS_PRIORITY_ERROR + get (self, METRICS_SETTING_LOG_LEVEL);
  self->stop_timeout = get (self, METRICS_SETTING_STOP_TIMEOUT);
  self->self_metrics = get (self, METRICS_SETTING_SELF_METRICS);
  self->durability = get (self, METRICS_SETTING_DURABILITY);
  if (get (self, METRICS_SETTING_MEMORY_ONLY))
    return;
  self->state_dir = g_strdup (metrics_settings_get_text (self->settings, METRICS_SETTING_STATE_DIR));
  if (self->state_dir == NULL)
    self->state_dir = get_default_state_dir ();
  /* Only who is started again by a call, and has lost nothing then. */
  if (is_called)
    self->exit_when_idle = get (self, METRICS_SETTING_EXIT_WHEN_IDLE);
}

/**
 * metrics_config_load:
 * @options: the command line
 * @problems: (element-type MetricsProblem): where that goes which is wrong, each with its file, line, group
 * and key
 *
 * Reads the configuration: the file that the command line names or that which it stands for, its drop-ins,
 * and the command line itself. It may be called from any thread.
 *
 * Returns: (transfer full): what it says; it is not to be used where @problems has got longer
 */
MetricsConfig *
metrics_config_load (const MetricsOptions *options, GPtrArray *problems)
{
  MetricsConfig *self = g_new0 (MetricsConfig, 1);
  g_autoptr (GKeyFile) nothing = g_key_file_new ();

  self->files = g_ptr_array_new_with_free_func (g_free);
  self->notes = g_ptr_array_new_with_free_func (g_free);
  self->settings = metrics_settings_new ();
  self->retention_rules = g_ptr_array_new_with_free_func (rule_free);
  self->rollup_rules = g_ptr_array_new_with_free_func (rule_free);
  self->listeners = g_ptr_array_new_with_free_func (g_object_unref);
  self->retention = metrics_retention_new (metrics_rules_new (nothing, METRICS_CONFIG_RETENTION, NULL), NULL);
  self->rollup = metrics_rollup_rules_new (nothing, METRICS_CONFIG_ROLLUP, NULL);

  read_layers (self, options, problems);
  take_command_line (self, options->settings);
  take_idle_time (self, options);
  take_values (self, options->bus);
  return self;
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
  g_ptr_array_unref (self->files);
  g_ptr_array_unref (self->notes);
  g_clear_pointer (&self->settings, metrics_settings_free);
  g_ptr_array_unref (self->retention_rules);
  g_ptr_array_unref (self->rollup_rules);
  g_clear_pointer (&self->retention, metrics_retention_free);
  g_clear_pointer (&self->rollup, metrics_rollup_rules_free);
  g_ptr_array_unref (self->listeners);
  g_free (self->state_dir);
  g_free (self);
}
