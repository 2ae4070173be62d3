/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest key and the longest pattern, in bytes. */
#define METRICS_KEY_MAX 1024

gboolean metrics_key_is_valid (const char *key, gsize len);

G_END_DECLS
