/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * ExampleFigure:
 * @EXAMPLE_CONNECTIONS: clients that are there now; of a client, whether it has its server
 * @EXAMPLE_CONNECTIONS_ACCEPTED: clients that have come; of a client, how often it has got its server
 * @EXAMPLE_REQUESTS: requests that have come
 * @EXAMPLE_ERRORS: requests that were wrong, and clients that were refused or lost
 * @EXAMPLE_BYTES_RECEIVED: bytes that have come
 * @EXAMPLE_BYTES_SENT: bytes that were given to sockets
 *
 * What is counted. All but the first are totals since the start.
 */
typedef enum
{
  EXAMPLE_CONNECTIONS,
  EXAMPLE_CONNECTIONS_ACCEPTED,
  EXAMPLE_REQUESTS,
  EXAMPLE_ERRORS,
  EXAMPLE_BYTES_RECEIVED,
  EXAMPLE_BYTES_SENT,
} ExampleFigure;

#define EXAMPLE_N_FIGURES (EXAMPLE_BYTES_SENT + 1)

typedef struct ExampleReport ExampleReport;

ExampleReport *example_report_new (const char *name, const char *address);
void example_report_free (ExampleReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExampleReport, example_report_free)

void example_report_count (ExampleReport *self, ExampleFigure figure, gint64 n);
void example_report_answered (ExampleReport *self, gsize n_bytes, gint64 since);

G_END_DECLS
