/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-error.h>

/**
 * metrics_error_quark:
 *
 * Gets the domain of the library's own errors.
 *
 * Returns: the quark that is the `domain` of such a #GError
 *
 * Since: 0.1
 */
GQuark
metrics_error_quark (void)
{
  return g_quark_from_static_string ("metrics-error-quark");
}
