/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-bench-data.h"

G_BEGIN_DECLS

/* The longest line of a reply that a dialect has to look at; of longer ones the beginning is kept. */
#define METRICS_BENCH_LINE_MAX 256

/**
 * MetricsBenchReply:
 * @complete: whether all of it has come
 * @refused: whether it says that the request was not carried out
 * @n_points: how many points it brings
 * @text: what it says, NUL-terminated, where it was refused
 * @state: the dialect's own: where in the reply it is
 * @left: the dialect's own: how much of a part is still to come
 * @last: the dialect's own: the byte before
 * @line: the dialect's own: a line of which the end has not come
 * @line_len: how much of it there is
 *
 * A reply while it comes. All zero, it is at its beginning.
 */
typedef struct
{
  gboolean complete;
  gboolean refused;
  guint64 n_points;
  char text[METRICS_BENCH_LINE_MAX];
  guint state;
  gint64 left;
  char last;
  char line[METRICS_BENCH_LINE_MAX];
  guint line_len;
} MetricsBenchReply;

/**
 * MetricsBenchDialect:
 * @name: a word for it
 * @points_a_put: how many points one request may put; 1 for most
 * @has_acks: whether each put is answered; where not, all that was put counts as taken when the server has
 * closed a connection after we have
 * @ack: (nullable): the one good answer to a put, where there is only one
 * @append_hello: (nullable): a request that changes nothing, by which a connection is known to be open
 * @append_put: a request that puts these points, at most @points_a_put
 * @append_get: (nullable): a request for all points of a series
 * @append_get_all: (nullable): a request for all points of all series
 * @append_answer: (nullable): what the answer to @append_get has to be, byte for byte, or that to
 *   @append_get_all, in which the series come one after the other between the beginning and the end
 * @parse: takes what has come of a reply, up to its end, and says how many bytes that was; negative where it
 * is no reply
 *
 * How a server is spoken to: all that the engine needs to know of a protocol.
 */
typedef struct
{
  const char *name;
  guint points_a_put;
  gboolean has_acks;
  const char *ack;
  void (*append_hello) (GString *out);
  void (*append_put) (GString *out, const MetricsBenchData *data, const guint32 *points, guint n_points);
  void (*append_get) (GString *out, const MetricsBenchData *data, guint series);
  void (*append_get_all) (GString *out, const MetricsBenchData *data);
  void (*append_answer) (GString *out, const MetricsBenchData *data, guint first_series, guint n_series);
  gssize (*parse) (MetricsBenchReply *reply, const char *bytes, gsize n_bytes);
} MetricsBenchDialect;

extern const MetricsBenchDialect metrics_bench_dialect_line;

const char *metrics_bench_reply_take_line (MetricsBenchReply *reply,
                                           const char *bytes,
                                           gsize n_bytes,
                                           gsize *taken);
void metrics_bench_reply_refuse (MetricsBenchReply *reply, const char *text);

void metrics_bench_append_value (GString *out, double value);
void metrics_bench_append_time (GString *out, gint64 time);

G_END_DECLS
