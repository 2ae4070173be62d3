/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-key-info.h>

G_DEFINE_BOXED_TYPE (MetricsKeyInfo, metrics_key_info, metrics_key_info_copy, metrics_key_info_free)

/**
 * metrics_key_info_copy:
 * @self: what a server said of a key
 *
 * Copies it, the key as well.
 *
 * Returns: (transfer full): the copy
 *
 * Since: 0.1
 */
MetricsKeyInfo *
metrics_key_info_copy (const MetricsKeyInfo *self)
{
  MetricsKeyInfo *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->key = g_strdup (self->key);
  return copy;
}

/**
 * metrics_key_info_free:
 * @self: (transfer full) (nullable): what a server said of a key
 *
 * Frees it, the key as well.
 *
 * Since: 0.1
 */
void
metrics_key_info_free (MetricsKeyInfo *self)
{
  if (self == NULL)
    return;
  g_free (self->key);
  g_free (self);
}
