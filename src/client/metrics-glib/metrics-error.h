/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * MetricsError:
 * @METRICS_ERROR_CONNECT: there is no server at the address, or it cannot be reached
 * @METRICS_ERROR_TIMED_OUT: no whole answer came in time
 * @METRICS_ERROR_CLOSED: the server, or [method@Client.close], ended the connection before the answer was
 *   complete; whether the server has done what it was asked to is not known
 * @METRICS_ERROR_REFUSED: the server answered with an error, and has done nothing; the message is its text
 * @METRICS_ERROR_PROTOCOL: what came back is no answer of a metrics server
 * @METRICS_ERROR_INVALID_ARGUMENT: the request cannot be made at all: a key with a space, a value that is not
 *   finite, a client whose address is none. Nothing was sent
 *
 * What can go wrong with a request. A request that was cancelled fails with %G_IO_ERROR_CANCELLED instead.
 *
 * Messages are for people: they name the server's address, or are the server's own text, and may be
 * translated.
 *
 * Since: 0.1
 */
typedef enum
{
  METRICS_ERROR_CONNECT,
  METRICS_ERROR_TIMED_OUT,
  METRICS_ERROR_CLOSED,
  METRICS_ERROR_REFUSED,
  METRICS_ERROR_PROTOCOL,
  METRICS_ERROR_INVALID_ARGUMENT,
} MetricsError;

/**
 * METRICS_ERROR:
 *
 * The domain of the library's own errors; their codes are those of [error@Error].
 *
 * Since: 0.1
 */
#define METRICS_ERROR (metrics_error_quark ())
GQuark metrics_error_quark (void);

G_END_DECLS
