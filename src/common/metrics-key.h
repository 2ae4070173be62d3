/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest key and the longest pattern, in bytes. */
#define METRICS_KEY_MAX 1024

/* The longest key of a store in bytes, and what stands in those that a store makes itself, between the key of
 * a client and what tells them apart: no key of a client can have it. */
#define METRICS_KEY_STORED_MAX (METRICS_KEY_MAX + 32)
#define METRICS_KEY_MARK '\x1f'

gboolean metrics_key_is_valid (const char *key, gsize len);
gboolean metrics_key_is_storable (const char *key, gsize len);
gsize metrics_key_get_public_len (const char *key, gsize len);
gboolean metrics_key_is_hidden (const char *key, gsize len);

G_END_DECLS
