/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-error.h"

#include "common/metrics-names.h"
#include "store/metrics-store.h"

#include <string.h>

static const GDBusErrorEntry entries[] = {
  { METRICS_BUS_ERROR_INVALID_KEY, METRICS_BUS_ERROR_PREFIX "InvalidKey" },
  { METRICS_BUS_ERROR_INVALID_VALUE, METRICS_BUS_ERROR_PREFIX "InvalidValue" },
  { METRICS_BUS_ERROR_INVALID_PATTERN, METRICS_BUS_ERROR_PREFIX "InvalidPattern" },
  { METRICS_BUS_ERROR_INVALID_ARGUMENT, METRICS_BUS_ERROR_PREFIX "InvalidArgument" },
  { METRICS_BUS_ERROR_LIMIT_REACHED, METRICS_BUS_ERROR_PREFIX "LimitReached" },
  { METRICS_BUS_ERROR_TOO_OLD, METRICS_BUS_ERROR_PREFIX "TooOld" },
  { METRICS_BUS_ERROR_PERMISSION_DENIED, METRICS_BUS_ERROR_PREFIX "PermissionDenied" },
  { METRICS_BUS_ERROR_STORAGE_FAILED, METRICS_BUS_ERROR_PREFIX "StorageFailed" },
  { METRICS_BUS_ERROR_ANSWER_LOST, METRICS_BUS_ERROR_PREFIX "AnswerLost" },
  { METRICS_BUS_ERROR_STOPPING, METRICS_BUS_ERROR_PREFIX "Stopping" },
  { METRICS_BUS_ERROR_NOT_FOUND, METRICS_BUS_ERROR_PREFIX "NotFound" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (entries) == METRICS_BUS_N_ERRORS);

/**
 * metrics_bus_error_quark:
 *
 * Returns: the domain of #MetricsBusError, whose errors have names on the bus from the first call on
 */
GQuark
metrics_bus_error_quark (void)
{
  static gsize quark = 0;

  g_dbus_error_register_error_domain ("metrics-bus-error", &quark, entries, G_N_ELEMENTS (entries));
  return (GQuark) quark;
}

static MetricsBusError
get_code (const GError *error)
{
  if (error->domain != METRICS_STORE_ERROR)
    return METRICS_BUS_ERROR_STORAGE_FAILED;
  switch ((MetricsStoreError) error->code)
    {
    case METRICS_STORE_ERROR_SERIES_LIMIT:
    case METRICS_STORE_ERROR_MEMORY_LIMIT:
    case METRICS_STORE_ERROR_WATCH_LIMIT:
      return METRICS_BUS_ERROR_LIMIT_REACHED;
    case METRICS_STORE_ERROR_TOO_OLD:
      return METRICS_BUS_ERROR_TOO_OLD;
    case METRICS_STORE_ERROR_DAMAGED:
    case METRICS_STORE_ERROR_NOT_YET:
      break;
    }
  return METRICS_BUS_ERROR_STORAGE_FAILED;
}

/**
 * metrics_bus_error_from_store:
 * @error: why the store did not take a point, or its journal
 *
 * Returns: (transfer full): the error that the caller gets
 */
GError *
metrics_bus_error_from_store (const GError *error)
{
  return g_error_new_literal (METRICS_BUS_ERROR, get_code (error), error->message);
}
