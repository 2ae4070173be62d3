/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/**
 * MetricsWritten:
 * @methods: what the file has for methods
 * @real: (unowned): those that it had before
 * @n_bytes: how many bytes were written to it
 *
 * Counts what SQLite writes to a file. All zero before metrics_written_begin().
 */
typedef struct
{
  sqlite3_io_methods methods;
  const sqlite3_io_methods *real;
  guint64 n_bytes;
} MetricsWritten;

void metrics_written_begin (MetricsWritten *self, sqlite3 *handle, int which);

G_END_DECLS
