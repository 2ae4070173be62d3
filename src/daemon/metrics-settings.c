/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-settings.h"

#include "daemon/metrics-cgroup.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* The values of all settings, and who gave each. */

typedef struct
{
  guint64 number;
  GPtrArray *texts; /* (owned) (element-type utf8): of a path there is one, or none */
  char *origin;     /* (owned) (nullable): who said so; %NULL where nobody did */
} Value;

struct _MetricsSettings
{
  Value values[METRICS_N_SETTINGS];
};

/* A quarter of what the machine or the control group has, whichever is less. */
static guint64
get_default_memory_limit (void)
{
  long n_pages = sysconf (_SC_PHYS_PAGES);
  long page_size = sysconf (_SC_PAGESIZE);
  guint64 machine = n_pages > 0 && page_size > 0 ? (guint64) n_pages * page_size : 1 << 30;
  guint64 group = metrics_cgroup_get_memory_limit ("/");

  return MAX (MIN (machine, group) / 4, metrics_setting_get (METRICS_SETTING_MEMORY_LIMIT)->min);
}

/**
 * metrics_settings_new:
 *
 * Returns: (transfer full): settings that are what they are where nobody says anything
 */
MetricsSettings *
metrics_settings_new (void)
{
  MetricsSettings *self = g_new0 (MetricsSettings, 1);

  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    {
      self->values[i].number = metrics_setting_get (i)->value;
      self->values[i].texts = g_ptr_array_new_null_terminated (1, g_free, TRUE);
    }
  self->values[METRICS_SETTING_MEMORY_LIMIT].number = get_default_memory_limit ();
  return self;
}

/**
 * metrics_settings_free:
 * @self: (transfer full) (nullable): settings
 */
void
metrics_settings_free (MetricsSettings *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < METRICS_N_SETTINGS; i++)
    {
      g_ptr_array_unref (self->values[i].texts);
      g_free (self->values[i].origin);
    }
  g_free (self);
}

/* Reads a number; a size can have one of the suffixes K, M and G, for which it is multiplied by a power of
 * 1024. */
static gboolean
parse_number (const char *text, gboolean is_size, guint64 *value)
{
  char *end;
  guint shift = 0;

  if (!g_ascii_isdigit (text[0]))
    return FALSE;
  *value = g_ascii_strtoull (text, &end, 10);
  switch (*end)
    {
    case 'K':
      shift = 10;
      break;
    case 'M':
      shift = 20;
      break;
    case 'G':
      shift = 30;
      break;
    default:
      break;
    }
  if (shift > 0 && is_size)
    end++;
  /* What g_ascii_strtoull() could not hold is G_MAXUINT64, over every maximum. */
  if (*end != '\0' || *value > G_MAXUINT64 >> shift)
    return FALSE;
  *value <<= shift;
  return TRUE;
}

/* As it can be written: 1M and not 1048576. */
static char *
format_number (const MetricsSetting *setting, guint64 value)
{
  static const char suffixes[] = "KMG";
  guint i = 0;

  while (setting->kind == METRICS_SETTING_SIZE && i < strlen (suffixes) && value > 0 && value % 1024 == 0)
    {
      value /= 1024;
      i++;
    }
  return i > 0 ? g_strdup_printf ("%" PRIu64 "%c", value, suffixes[i - 1])
               : g_strdup_printf ("%" PRIu64, value);
}

/* What is wrong with a number, and what would be right. */
static void
refuse_number (const MetricsSetting *setting, const char *text, GError **error)
{
  g_autofree char *min = format_number (setting, setting->min);
  g_autofree char *max = format_number (setting, setting->max);

  if (setting->kind == METRICS_SETTING_SIZE && setting->max == G_MAXINT64)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 _ ("'%s' is not a size of at least %s: a number of bytes, behind which K, M or G may stand"),
                 text, min);
  else if (setting->kind == METRICS_SETTING_SIZE)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 _ ("'%s' is not a size from %s to %s: a number of bytes, behind which K, M or G may stand"),
                 text, min, max);
  else if (strcmp (setting->unit, "SECONDS") == 0)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 _ ("'%s' is not a number of seconds from %s to %s"), text, min, max);
  else
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("'%s' is not a number from %s to %s"),
                 text, min, max);
}

static gboolean
parse_choice (const MetricsSetting *setting, const char *text, guint64 *value, GError **error)
{
  g_autofree char *known = g_strjoinv (", ", (GStrv) setting->choices);

  for (guint i = 0; setting->choices[i] != NULL; i++)
    if (strcmp (text, setting->choices[i]) == 0)
      {
        *value = i;
        return TRUE;
      }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("'%s' is not one of: %s"), text, known);
  return FALSE;
}

static gboolean
parse_switch (const char *text, guint64 *value, GError **error)
{
  *value = strcmp (text, "true") == 0;
  if (*value || strcmp (text, "false") == 0)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("'%s' is not true or false"), text);
  return FALSE;
}

static void
set_origin (Value *value, const char *origin)
{
  g_autofree char *old = g_steal_pointer (&value->origin);

  value->origin = g_strdup (origin);
}

/**
 * metrics_settings_parse:
 * @self: settings
 * @id: one of them, but no list
 * @text: its value, as it is written
 * @origin: (nullable): who says so; %NULL where that is its default
 * @error: return location for a #GError
 *
 * Sets it.
 *
 * Returns: %FALSE where the text is no value for it; the error says what would be one, and not of what
 */
gboolean
metrics_settings_parse (MetricsSettings *self,
                        MetricsSettingId id,
                        const char *text,
                        const char *origin,
                        GError **error)
{
  const MetricsSetting *setting = metrics_setting_get (id);
  guint64 number = 0;

  switch (setting->kind)
    {
    case METRICS_SETTING_NUMBER:
    case METRICS_SETTING_SIZE:
      if (!parse_number (text, setting->kind == METRICS_SETTING_SIZE, &number) || number < setting->min
          || number > setting->max)
        {
          refuse_number (setting, text, error);
          return FALSE;
        }
      break;
    case METRICS_SETTING_SWITCH:
      if (!parse_switch (text, &number, error))
        return FALSE;
      break;
    case METRICS_SETTING_CHOICE:
      if (!parse_choice (setting, text, &number, error))
        return FALSE;
      break;
    case METRICS_SETTING_PATH:
      if (text[0] == '\0')
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("the name is empty"));
          return FALSE;
        }
      g_ptr_array_set_size (self->values[id].texts, 0);
      g_ptr_array_add (self->values[id].texts, g_strdup (text));
      break;
    case METRICS_SETTING_LIST:
    default:
      g_assert_not_reached ();
    }
  self->values[id].number = number;
  set_origin (&self->values[id], origin);
  return TRUE;
}

/**
 * metrics_settings_set_texts:
 * @self: settings
 * @id: one of them that is a list
 * @texts: what it is to have
 * @origin: who says so
 *
 * Sets it.
 */
void
metrics_settings_set_texts (MetricsSettings *self, MetricsSettingId id, GStrv texts, const char *origin)
{
  g_ptr_array_set_size (self->values[id].texts, 0);
  for (guint i = 0; texts[i] != NULL; i++)
    g_ptr_array_add (self->values[id].texts, g_strdup (texts[i]));
  set_origin (&self->values[id], origin);
}

/**
 * metrics_settings_add_text:
 * @self: settings
 * @id: one of them that is a list
 * @text: what it is to have as well
 * @origin: who says so
 *
 * Adds to it.
 */
void
metrics_settings_add_text (MetricsSettings *self, MetricsSettingId id, const char *text, const char *origin)
{
  g_ptr_array_add (self->values[id].texts, g_strdup (text));
  set_origin (&self->values[id], origin);
}

/**
 * metrics_settings_copy:
 * @self: settings
 * @from: others
 * @id: one of them
 *
 * Takes a value from others, and who gave it.
 */
void
metrics_settings_copy (MetricsSettings *self, const MetricsSettings *from, MetricsSettingId id)
{
  self->values[id].number = from->values[id].number;
  metrics_settings_set_texts (self, id, (GStrv) from->values[id].texts->pdata, from->values[id].origin);
}

/**
 * metrics_settings_get_origin:
 * @self: settings
 * @id: one of them
 *
 * Returns: (transfer none) (nullable): who gave it; %NULL where nobody did
 */
const char *
metrics_settings_get_origin (const MetricsSettings *self, MetricsSettingId id)
{
  return self->values[id].origin;
}

/**
 * metrics_settings_get_number:
 * @self: settings
 * @id: one of them that is a number, a size, a switch or a choice
 *
 * Returns: its value
 */
guint64
metrics_settings_get_number (const MetricsSettings *self, MetricsSettingId id)
{
  return self->values[id].number;
}

/**
 * metrics_settings_get_text:
 * @self: settings
 * @id: one of them that is a path
 *
 * Returns: (transfer none) (nullable): its value; %NULL where nobody gave it
 */
const char *
metrics_settings_get_text (const MetricsSettings *self, MetricsSettingId id)
{
  const GPtrArray *texts = self->values[id].texts;

  return texts->len > 0 ? texts->pdata[0] : NULL;
}

/**
 * metrics_settings_get_texts:
 * @self: settings
 * @id: one of them that is a list
 *
 * Returns: (transfer none) (array zero-terminated=1): what it has
 */
const char *const *
metrics_settings_get_texts (const MetricsSettings *self, MetricsSettingId id)
{
  return (const char *const *) self->values[id].texts->pdata;
}

/**
 * metrics_settings_equal:
 * @self: settings
 * @other: others
 * @id: one of them
 *
 * Returns: whether both have the same value
 */
gboolean
metrics_settings_equal (const MetricsSettings *self, const MetricsSettings *other, MetricsSettingId id)
{
  const Value *one = &self->values[id];
  const Value *two = &other->values[id];

  return one->number == two->number
         && g_strv_equal ((const char *const *) one->texts->pdata, (const char *const *) two->texts->pdata);
}

/**
 * metrics_settings_format:
 * @self: settings
 * @id: one of them
 *
 * Returns: (transfer full): its value as it stands in a file
 */
char *
metrics_settings_format (const MetricsSettings *self, MetricsSettingId id)
{
  const MetricsSetting *setting = metrics_setting_get (id);
  const Value *value = &self->values[id];
  g_autoptr (GKeyFile) file = NULL;

  switch (setting->kind)
    {
    case METRICS_SETTING_NUMBER:
    case METRICS_SETTING_SIZE:
      return format_number (setting, value->number);
    case METRICS_SETTING_SWITCH:
      return g_strdup (value->number ? "true" : "false");
    case METRICS_SETTING_CHOICE:
      return g_strdup (setting->choices[value->number]);
    case METRICS_SETTING_PATH:
    case METRICS_SETTING_LIST:
    default:
      break;
    }
  /* It knows what has to be escaped. */
  file = g_key_file_new ();
  if (setting->kind == METRICS_SETTING_LIST)
    g_key_file_set_string_list (file, "g", "k", (const char *const *) value->texts->pdata, value->texts->len);
  else
    g_key_file_set_string (file, "g", "k", value->texts->len > 0 ? value->texts->pdata[0] : "");
  return g_key_file_get_value (file, "g", "k", NULL);
}
