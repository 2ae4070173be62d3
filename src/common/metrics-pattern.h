/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MetricsPattern MetricsPattern;

MetricsPattern *metrics_pattern_new (const char *text, gsize len);
void metrics_pattern_free (MetricsPattern *self);

gboolean metrics_pattern_is_valid (const char *text, gsize len);
gboolean metrics_pattern_is_word (const char *text, gsize len);

const char *metrics_pattern_get_literal (const MetricsPattern *self, gsize *len);
gsize metrics_pattern_get_cost (const MetricsPattern *self, gsize len);
gboolean metrics_pattern_equal (const MetricsPattern *self, const MetricsPattern *other);
gboolean metrics_pattern_matches (const MetricsPattern *self, const char *key, gsize len);

char *metrics_pattern_escape (const char *key);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsPattern, metrics_pattern_free)

G_END_DECLS
