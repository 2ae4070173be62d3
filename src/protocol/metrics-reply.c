/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "protocol/metrics-reply.h"

#include "common/metrics-number.h"
#include "common/metrics-row.h"

#include <string.h>

/**
 * metrics_reply_begin:
 * @out: where to
 *
 * Begins a reply that has lines of data.
 */
void
metrics_reply_begin (MetricsBuffer *out)
{
  metrics_buffer_append (out, "ok\n", 3);
}

/**
 * metrics_reply_end:
 * @out: where to
 *
 * Ends a reply that has lines of data.
 */
void
metrics_reply_end (MetricsBuffer *out)
{
  metrics_buffer_append (out, "\n", 1);
}

static inline char *
append_word (char *p, const char *word, gsize len, char behind)
{
  memcpy (p, word, len);
  p[len] = behind;
  return p + len + 1;
}

static inline char *
append_int64 (char *p, gint64 value, char behind)
{
  p += metrics_number_print_int64 (p, value);
  *p = behind;
  return p + 1;
}

/**
 * metrics_reply_append_points:
 * @out: where to
 * @key: (array length=key_len): whose points they are
 * @key_len: its length in bytes
 * @points: (array length=n_points): the points
 * @n_points: how many
 *
 * Appends a line a point.
 */
void
metrics_reply_append_points (MetricsBuffer *out,
                             const char *key,
                             gsize key_len,
                             const MetricsPoint *points,
                             guint n_points)
{
  char *start = metrics_buffer_reserve (out, METRICS_ROW_MAX (key_len) * n_points);
  char *p = start;

  for (guint i = 0; i < n_points; i++)
    p += metrics_row_print (p, key, key_len, points[i].value, points[i].time);
  metrics_buffer_commit (out, p - start);
}

/**
 * metrics_reply_append_key:
 * @out: where to
 * @key: (array length=key_len): the key
 * @key_len: its length in bytes
 * @n_points: how many points it has, fewer than 2^63
 * @first: the timestamp of its oldest point
 * @last: the timestamp of its newest point
 *
 * Appends the line of `keys` for a key.
 */
void
metrics_reply_append_key (MetricsBuffer *out,
                          const char *key,
                          gsize key_len,
                          guint64 n_points,
                          gint64 first,
                          gint64 last)
{
  char *start = metrics_buffer_reserve (out, key_len + 3 * METRICS_NUMBER_MAX_INT64 + 4);
  char *p = append_word (start, key, key_len, ' ');

  p = append_int64 (p, n_points, ' ');
  p = append_int64 (p, first, ' ');
  p = append_int64 (p, last, '\n');
  metrics_buffer_commit (out, p - start);
}

/**
 * metrics_reply_append_figure:
 * @out: where to
 * @name: a figure's name, a word
 * @value: the figure, less than 2^63
 *
 * Appends a line of `stats`.
 */
void
metrics_reply_append_figure (MetricsBuffer *out, const char *name, guint64 value)
{
  gsize len = strlen (name);
  char *start = metrics_buffer_reserve (out, len + METRICS_NUMBER_MAX_INT64 + 2);
  char *p = append_word (start, name, len, ' ');

  p = append_int64 (p, value, '\n');
  metrics_buffer_commit (out, p - start);
}

/**
 * metrics_reply_append_count:
 * @out: where to
 * @count: a number, less than 2^63
 *
 * Appends a line that is a number.
 */
void
metrics_reply_append_count (MetricsBuffer *out, guint64 count)
{
  char *start = metrics_buffer_reserve (out, METRICS_NUMBER_MAX_INT64 + 1);

  metrics_buffer_commit (out, append_int64 (start, count, '\n') - start);
}

/**
 * metrics_reply_append_dropped:
 * @out: where to
 * @n_points: how many points, fewer than 2^63
 *
 * Appends what is told to who watches, and has not taken so many points in time.
 */
void
metrics_reply_append_dropped (MetricsBuffer *out, guint64 n_points)
{
  char message[METRICS_NUMBER_MAX_INT64 + sizeof " points dropped"];
  char *p = append_int64 (message, n_points, ' ');

  memcpy (p, "points dropped", sizeof "points dropped");
  metrics_reply_error (out, message);
}

/**
 * metrics_reply_error:
 * @out: where to
 * @message: one line of English, without LF
 *
 * Appends the reply that refuses a request.
 */
void
metrics_reply_error (MetricsBuffer *out, const char *message)
{
  g_assert (strchr (message, '\n') == NULL);

  metrics_buffer_append (out, "error\n", 6);
  metrics_buffer_append (out, message, strlen (message));
  metrics_buffer_append (out, "\n\n", 2);
}
