/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean metrics_check_key (const char *key, GError **error);
gboolean metrics_check_pattern (const char *pattern, GError **error);
gboolean metrics_check_value (double value, GError **error);

G_END_DECLS
