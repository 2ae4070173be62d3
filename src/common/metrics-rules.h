/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many rules a group may have: each can be tried for a key. */
#define METRICS_RULES_MAX 256

typedef struct _MetricsRules MetricsRules;

MetricsRules *metrics_rules_new (GKeyFile *file, const char *group, GError **error);
void metrics_rules_free (MetricsRules *self);

guint metrics_rules_get_n_rules (const MetricsRules *self);
const char *metrics_rules_get_pattern (const MetricsRules *self, guint rule);
const char *metrics_rules_get_value (const MetricsRules *self, guint rule);
guint metrics_rules_find (const MetricsRules *self, const char *key, gsize len);
gsize metrics_rules_get_cost (const MetricsRules *self, gsize len);

gboolean metrics_rules_parse_duration (const char *text, gsize len, gint64 *seconds);
void metrics_rules_refuse (const MetricsRules *self, guint rule, const char *reason, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsRules, metrics_rules_free)

G_END_DECLS
