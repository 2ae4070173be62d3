/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-json-reader.h"
#include "common/metrics-key.h"
#include "common/metrics-point.h"

G_BEGIN_DECLS

/**
 * MetricsHttpFormat:
 * @METRICS_HTTP_FORMAT_NONE: none of these
 * @METRICS_HTTP_FORMAT_JSON: `application/json`
 * @METRICS_HTTP_FORMAT_CSV: `text/csv` (RFC 4180)
 *
 * How points are written down.
 */
typedef enum
{
  METRICS_HTTP_FORMAT_NONE,
  METRICS_HTTP_FORMAT_JSON,
  METRICS_HTTP_FORMAT_CSV,
} MetricsHttpFormat;

/**
 * MetricsHttpBodyState:
 * @METRICS_HTTP_BODY_POINT: there is a point; more may follow
 * @METRICS_HTTP_BODY_END: there are no more, and the body is right as a whole
 * @METRICS_HTTP_BODY_PAUSED: the budget is used up: call again when it is your turn
 * @METRICS_HTTP_BODY_WRONG: the body is wrong: see metrics_http_body_get_message()
 *
 * How a step of reading ended.
 */
typedef enum
{
  METRICS_HTTP_BODY_POINT,
  METRICS_HTTP_BODY_END,
  METRICS_HTTP_BODY_PAUSED,
  METRICS_HTTP_BODY_WRONG,
} MetricsHttpBodyState;

/**
 * MetricsHttpField:
 * @METRICS_HTTP_FIELD_NONE: the point as a whole
 * @METRICS_HTTP_FIELD_KEY: its key
 * @METRICS_HTTP_FIELD_VALUE: its value
 * @METRICS_HTTP_FIELD_TIMESTAMP: its time
 *
 * What of a point is meant.
 */
typedef enum
{
  METRICS_HTTP_FIELD_NONE,
  METRICS_HTTP_FIELD_KEY,
  METRICS_HTTP_FIELD_VALUE,
  METRICS_HTTP_FIELD_TIMESTAMP,
} MetricsHttpField;

#define METRICS_HTTP_N_FIELDS 4

/**
 * MetricsHttpBody:
 * @key: of a point: its key
 * @key_len: its length in bytes
 * @point: of a point: its time and value
 *
 * The body of a request that puts points, read one point at a time: once to see whether it is right, and,
 * when it was rewound, once more to put them. So no more is held of it than itself. Its other fields are its
 * own.
 */
typedef struct _MetricsHttpBody MetricsHttpBody;

struct _MetricsHttpBody
{
  char key[METRICS_KEY_MAX + 1];
  gsize key_len;
  MetricsPoint point;

  MetricsHttpFormat format;
  GBytes *bytes; /* (owned) */
  gint64 now;
  char *message; /* (owned) (nullable): what is wrong */
  char *where;   /* (owned) (nullable): where */

  /* Of JSON, see metrics-http-body-json.c. */
  MetricsJsonReader reader;
  MetricsJsonReader behind; /* where to go on behind points that are read later than they stand */
  MetricsJsonReader ahead;  /* where these begin */
  guint place;
  guint member;  /* of an object: the one whose value comes next */
  guint members; /* bits: those that were there */
  guint top_members;
  guint n_tokens;
  guint skip_depth;   /* the depth behind what was skipped; 0 where nothing was */
  gboolean has_point; /* whether the last one is told of still */
  gboolean is_back;   /* whether the points are read that were skipped */
  guint64 series;     /* the index of the series */
  guint64 index;      /* the index of the point, in the series or in the list of points */

  /* Of CSV, see metrics-http-body-csv.c. */
  gboolean has_header; /* whether the first line names the columns */
  gboolean is_header;  /* whether the next line does */
  gsize at;
  guint64 line;      /* the line at which the record begins, from 1 */
  guint64 next_line; /* the line at which the next one begins */
  guint n_columns;
  MetricsHttpField columns[METRICS_HTTP_N_FIELDS];
};

MetricsHttpBody *metrics_http_body_new (GBytes *bytes,
                                        MetricsHttpFormat format,
                                        gboolean has_header,
                                        gint64 now);
void metrics_http_body_free (MetricsHttpBody *self);

MetricsHttpBodyState metrics_http_body_next (MetricsHttpBody *self, gint *budget);
void metrics_http_body_rewind (MetricsHttpBody *self);

char *metrics_http_body_name_place (const MetricsHttpBody *self, MetricsHttpField field);
const char *metrics_http_body_get_message (const MetricsHttpBody *self);
const char *metrics_http_body_get_where (const MetricsHttpBody *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsHttpBody, metrics_http_body_free)

G_END_DECLS
