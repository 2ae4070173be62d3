/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What can be set, in the order in which it is shown. */
typedef enum
{
  METRICS_SETTING_HOST,
  METRICS_SETTING_PORT,
  METRICS_SETTING_LISTEN,
#if HAVE_HTTP
  METRICS_SETTING_HTTP_LISTEN,
  METRICS_SETTING_HTTP_PORT,
  METRICS_SETTING_HTTP_HOST,
  METRICS_SETTING_NO_HTTP,
#endif
  METRICS_SETTING_EXIT_WHEN_IDLE,
  METRICS_SETTING_SELF_METRICS,
  METRICS_SETTING_LOG_LEVEL,
  METRICS_SETTING_STATE_DIR,
  METRICS_SETTING_LOCK_TIMEOUT,
  METRICS_SETTING_MEMORY_ONLY,
  METRICS_SETTING_DURABILITY,
  METRICS_SETTING_MEMORY_LIMIT,
  METRICS_SETTING_SERIES_LIMIT,
  METRICS_SETTING_CONNECTION_LIMIT,
  METRICS_SETTING_LINE_LIMIT,
  METRICS_SETTING_UNSENT_LIMIT,
  METRICS_SETTING_SLICE_LIMIT,
  METRICS_SETTING_LINE_TIMEOUT,
  METRICS_SETTING_ANSWER_TIMEOUT,
  METRICS_SETTING_IDLE_TIMEOUT,
  METRICS_SETTING_STOP_TIMEOUT,
  METRICS_N_SETTINGS,
} MetricsSettingId;

/**
 * MetricsSettingKind:
 * @METRICS_SETTING_NUMBER: a number
 * @METRICS_SETTING_SIZE: a number of bytes, behind which K, M or G may stand
 * @METRICS_SETTING_SWITCH: true or false; on the command line it has no value
 * @METRICS_SETTING_CHOICE: one of some words; its number is the index of the word
 * @METRICS_SETTING_PATH: a file name
 * @METRICS_SETTING_LIST: some texts
 */
typedef enum
{
  METRICS_SETTING_NUMBER,
  METRICS_SETTING_SIZE,
  METRICS_SETTING_SWITCH,
  METRICS_SETTING_CHOICE,
  METRICS_SETTING_PATH,
  METRICS_SETTING_LIST,
} MetricsSettingKind;

/**
 * MetricsSetting:
 * @name: as it is written in a file; on the command line with two dashes before it
 * @kind: what its value is
 * @description: for `--help`, to be translated
 * @unit: (nullable): what stands for the value there, to be translated
 * @min: the least number that it can be
 * @max: the greatest one
 * @value: the number that it is where nothing is said
 * @choices: (nullable): the words, %NULL behind them
 * @is_live: whether it can change while the server runs
 *
 * A setting of the server: it has the same name and the same values on the command line and in a file.
 */
typedef struct
{
  const char *name;
  MetricsSettingKind kind;
  const char *description;
  const char *unit;
  guint64 min;
  guint64 max;
  guint64 value;
  const char *const *choices;
  gboolean is_live;
} MetricsSetting;

typedef struct _MetricsSettings MetricsSettings;

const MetricsSetting *metrics_setting_get (MetricsSettingId id);
gboolean metrics_setting_find (const char *name, MetricsSettingId *id);
gboolean metrics_setting_is_address (MetricsSettingId id);
char *metrics_setting_list_names (void);

MetricsSettings *metrics_settings_new (void);
void metrics_settings_free (MetricsSettings *self);

gboolean metrics_settings_parse (MetricsSettings *self,
                                 MetricsSettingId id,
                                 const char *text,
                                 const char *origin,
                                 GError **error);
void metrics_settings_set_texts (MetricsSettings *self, MetricsSettingId id, GStrv texts, const char *origin);
void metrics_settings_add_text (MetricsSettings *self,
                                MetricsSettingId id,
                                const char *text,
                                const char *origin);
void metrics_settings_copy (MetricsSettings *self, const MetricsSettings *from, MetricsSettingId id);

const char *metrics_settings_get_origin (const MetricsSettings *self, MetricsSettingId id);
guint64 metrics_settings_get_number (const MetricsSettings *self, MetricsSettingId id);
const char *metrics_settings_get_text (const MetricsSettings *self, MetricsSettingId id);
const char *const *metrics_settings_get_texts (const MetricsSettings *self, MetricsSettingId id);
gboolean metrics_settings_equal (const MetricsSettings *self,
                                 const MetricsSettings *other,
                                 MetricsSettingId id);
char *metrics_settings_format (const MetricsSettings *self, MetricsSettingId id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsSettings, metrics_settings_free)

G_END_DECLS
