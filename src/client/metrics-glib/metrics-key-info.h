/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * MetricsKeyInfo:
 * @key: the key; belongs to the struct
 * @n_points: how many points it has, at least one
 * @first: the timestamp of its oldest point, by convention seconds since the Unix epoch
 * @last: the timestamp of its newest point
 *
 * What a server says of a key.
 *
 * Since: 0.1
 */
typedef struct
{
  char *key;
  guint64 n_points;
  gint64 first;
  gint64 last;
} MetricsKeyInfo;

#define METRICS_TYPE_KEY_INFO (metrics_key_info_get_type ())
GType metrics_key_info_get_type (void);

MetricsKeyInfo *metrics_key_info_copy (const MetricsKeyInfo *self);
void metrics_key_info_free (MetricsKeyInfo *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsKeyInfo, metrics_key_info_free)

G_END_DECLS
