/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsLimits:
 * @line: bytes of a line, its LF included
 * @connections: how many clients at once
 * @unsent: bytes of answers that a connection holds before it stops reading
 * @slice: units of work that a connection gets at once: about a line or a point each
 * @line_timeout: seconds in which a line has to be complete
 * @answer_timeout: seconds in which an answer has to be taken
 * @idle_timeout: seconds without a request after which a client is sent away; 0 for never
 *
 * What a client can make the server hold or do at most.
 */
typedef struct
{
  guint line;
  guint connections;
  guint unsent;
  guint slice;
  guint line_timeout;
  guint answer_timeout;
  guint idle_timeout;
} MetricsLimits;

/**
 * MetricsDiskFigures:
 * @commits: how often changes were brought to the disk
 * @commit_time: how long that took, in microseconds
 * @bytes_written: how much was written for it
 * @bytes_unwritten: how much waits in memory to be brought there, now
 * @bytes_on_disk: how large the files are, now
 * @storage_errors: how often it failed
 * @rows_damaged: how many damaged rows were met
 *
 * What the server counts of what lasts, for `stats`. All since its start but where it says now.
 */
typedef struct
{
  guint64 commits;
  guint64 commit_time;
  guint64 bytes_written;
  guint64 bytes_unwritten;
  guint64 bytes_on_disk;
  guint64 storage_errors;
  guint64 rows_damaged;
} MetricsDiskFigures;

typedef void (*MetricsDiskFiguresFunc) (MetricsDiskFigures *figures, gpointer user_data);

/**
 * MetricsFrontFiguresFunc:
 * @func: to be called for each figure, with its name and its value
 * @func_data: what to call it with
 * @user_data: what was given with the function
 *
 * Tells what is counted where other protocols are spoken.
 */
typedef void (*MetricsFrontFiguresFunc) (void (*func) (const char *name, guint64 value, gpointer func_data),
                                         gpointer func_data,
                                         gpointer user_data);

/**
 * MetricsFigures:
 *
 * What the server counts of itself, for `stats`. All since its start, but @connections.
 */
typedef struct
{
  gint64 started; /* monotonic time in microseconds */
  guint64 connections;
  guint64 connections_accepted;
  guint64 connections_refused;
  guint64 requests;
  guint64 errors;
  guint64 bytes_received;
  guint64 bytes_sent;
  guint64 largest_slice;              /* units of work, see MetricsLimits.slice */
  MetricsDiskFiguresFunc disk_func;   /* (nullable): who knows what lasts; NULL where nothing does */
  gpointer disk_data;                 /* (unowned) */
  MetricsFrontFiguresFunc front_func; /* (nullable): who counts other clients; NULL where there are none */
  gpointer front_data;                /* (unowned) */
} MetricsFigures;

G_END_DECLS
