/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest target of a request, in bytes; the largest head, and the most header fields in it. */
#define METRICS_HTTP_MAX_TARGET 16384
#define METRICS_HTTP_MAX_HEAD 65536
#define METRICS_HTTP_MAX_FIELDS 100

/**
 * MetricsHttpHeadState:
 * @METRICS_HTTP_HEAD_MORE: what is there is good, and not all
 * @METRICS_HTTP_HEAD_WHOLE: all is there
 * @METRICS_HTTP_HEAD_BAD: it is refused, whatever comes next
 */
typedef enum
{
  METRICS_HTTP_HEAD_MORE,
  METRICS_HTTP_HEAD_WHOLE,
  METRICS_HTTP_HEAD_BAD,
} MetricsHttpHeadState;

/**
 * MetricsHttpHead:
 * @start: offset of the request line: empty lines may stand before it
 * @len: bytes up to the body
 * @method_len: how long the method is, which begins at @start
 * @target: offset of the target
 * @target_len: its length
 * @minor: 0 for HTTP/1.0, 1 for HTTP/1.1 and what comes after it
 * @host: offset of the host and port that are asked for
 * @host_len: their length; 0 where there is none
 * @content_length: the length of the body; -1 where it is not said
 * @is_chunked: whether the body is in chunks
 * @is_awaited: whether the client waits for 100 Continue
 * @keep_alive: whether it may send another request
 * @status: why it is refused: a status,
 * @code: a word of English,
 * @where: (nullable): the name of a header field,
 * @message: and a sentence
 *
 * The head of a request, as far as it has been read. Offsets count from the first byte that was given.
 */
typedef struct
{
  gsize start;
  gsize len;
  gsize method_len;
  gsize target;
  gsize target_len;
  guint minor;
  gsize host;
  gsize host_len;
  gint64 content_length;
  gboolean is_chunked;
  gboolean is_awaited;
  gboolean keep_alive;

  guint status;
  const char *code;
  const char *where;
  const char *message;

  /* Its own. */
  gsize line;
  gsize n_seen;
  guint n_lines;
  gboolean has_host;
  gboolean has_authority;
  gboolean has_encoding;
} MetricsHttpHead;

void metrics_http_head_init (MetricsHttpHead *self);
MetricsHttpHeadState metrics_http_head_read (MetricsHttpHead *self, const char *data, gsize len);

G_END_DECLS
