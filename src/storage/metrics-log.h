/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "coding/metrics-bytes.h"
#include "common/metrics-point.h"

G_BEGIN_DECLS

/**
 * MetricsLogBatch:
 * @bytes: (owned): the changes
 * @id: the series of the last change
 * @time: the time of the last put
 * @position: the position of the last change
 *
 * Changes that become one row of the log.
 */
typedef struct
{
  GByteArray *bytes;
  guint64 id;
  gint64 time;
  guint64 position;
} MetricsLogBatch;

MetricsLogBatch *metrics_log_batch_new (void);
void metrics_log_batch_free (MetricsLogBatch *self);
void metrics_log_batch_begin (MetricsLogBatch *self, guint64 id, const char *key, gsize key_len);
void metrics_log_batch_put (MetricsLogBatch *self, guint64 id, MetricsPoint point);
void metrics_log_batch_remove (MetricsLogBatch *self, guint64 id, gint64 from, gint64 to);

/**
 * MetricsLogKind:
 * @METRICS_LOG_PUT: a point was put
 * @METRICS_LOG_BEGIN: a series began
 * @METRICS_LOG_REMOVE: a span of points was removed
 *
 * What a change is; the numbers are those of the format.
 */
typedef enum
{
  METRICS_LOG_PUT,
  METRICS_LOG_BEGIN,
  METRICS_LOG_REMOVE,
} MetricsLogKind;

/**
 * MetricsLogChange:
 * @kind: what it is
 * @id: the series
 * @point: of a put
 * @key: (array length=key_len) (nullable): of a series that begins
 * @key_len: its length
 * @from: the first time of a removal
 * @to: the last time of a removal
 *
 * A change that was read. It points into the bytes that it was read from.
 */
typedef struct
{
  MetricsLogKind kind;
  guint64 id;
  MetricsPoint point;
  const char *key;
  gsize key_len;
  gint64 from;
  gint64 to;
} MetricsLogChange;

/**
 * MetricsLogReader:
 * @bytes: what is still to be read
 * @id: the series of the last change
 * @time: the time of the last put
 * @damaged: whether something was met that is no change
 *
 * Reads the changes of a batch.
 */
typedef struct
{
  MetricsBytes bytes;
  guint64 id;
  gint64 time;
  gboolean damaged;
} MetricsLogReader;

void metrics_log_reader_init (MetricsLogReader *self, const guint8 *data, gsize size);
gboolean metrics_log_reader_next (MetricsLogReader *self, MetricsLogChange *change);

guint32 metrics_log_checksum (const void *data, gsize size);
GBytes *metrics_log_pack (const guint8 *data, gsize size);
GBytes *metrics_log_unpack (const guint8 *data, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsLogBatch, metrics_log_batch_free)

G_END_DECLS
