/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MetricsBusError:
 * @METRICS_BUS_ERROR_INVALID_KEY: this is no key
 * @METRICS_BUS_ERROR_INVALID_VALUE: a value is not finite
 * @METRICS_BUS_ERROR_INVALID_PATTERN: this is no pattern
 * @METRICS_BUS_ERROR_INVALID_ARGUMENT: another argument, or an option, is wrong
 * @METRICS_BUS_ERROR_LIMIT_REACHED: a limit of the server or of the bus
 * @METRICS_BUS_ERROR_TOO_OLD: the point is older than retention allows
 * @METRICS_BUS_ERROR_PERMISSION_DENIED: the caller may not do this
 * @METRICS_BUS_ERROR_STORAGE_FAILED: something could not be written, or not be read
 * @METRICS_BUS_ERROR_ANSWER_LOST: what the answer had yet to show is gone
 * @METRICS_BUS_ERROR_STOPPING: the server stops
 * @METRICS_BUS_ERROR_NOT_FOUND: there is nothing of that number
 * @METRICS_BUS_N_ERRORS: how many there are
 *
 * What callers on the bus are told; the names that they have there are in the interface's description.
 */
typedef enum
{
  METRICS_BUS_ERROR_INVALID_KEY,
  METRICS_BUS_ERROR_INVALID_VALUE,
  METRICS_BUS_ERROR_INVALID_PATTERN,
  METRICS_BUS_ERROR_INVALID_ARGUMENT,
  METRICS_BUS_ERROR_LIMIT_REACHED,
  METRICS_BUS_ERROR_TOO_OLD,
  METRICS_BUS_ERROR_PERMISSION_DENIED,
  METRICS_BUS_ERROR_STORAGE_FAILED,
  METRICS_BUS_ERROR_ANSWER_LOST,
  METRICS_BUS_ERROR_STOPPING,
  METRICS_BUS_ERROR_NOT_FOUND,
  METRICS_BUS_N_ERRORS,
} MetricsBusError;

#define METRICS_BUS_ERROR (metrics_bus_error_quark ())
GQuark metrics_bus_error_quark (void);

GError *metrics_bus_error_from_store (const GError *error);

G_END_DECLS
