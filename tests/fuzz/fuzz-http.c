/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "http/metrics-http-chunks.h"
#include "http/metrics-http-head.h"
#include "http/metrics-http-parameters.h"

#include <string.h>

/* What comes of a client of HTTP: a head, a body in chunks behind it, and the parameters of the target. It
 * comes in whatever pieces it likes, which must not make a difference. */

#define LIMIT 4096
/* So that looking at each beginning of an input takes little. */
#define MAX_SIZE 1024

static void
assert_same (const MetricsHttpHead *a, const MetricsHttpHead *b)
{
  g_assert_cmpuint (a->status, ==, b->status);
  g_assert_cmpstr (a->code, ==, b->code);
  if (a->status != 0)
    return;
  g_assert_cmpuint (a->len, ==, b->len);
  g_assert_cmpuint (a->target, ==, b->target);
  g_assert_cmpuint (a->target_len, ==, b->target_len);
  g_assert_cmpuint (a->host, ==, b->host);
  g_assert_cmpuint (a->host_len, ==, b->host_len);
  g_assert_cmpint (a->content_length, ==, b->content_length);
  g_assert_cmpint (a->is_chunked, ==, b->is_chunked);
  g_assert_cmpint (a->keep_alive, ==, b->keep_alive);
}

/* What is let through has one reading. */
static void
check_head (const MetricsHttpHead *head, const char *data)
{
  g_autofree char *text = g_strndup (data + head->start, head->len - head->start);

  g_assert_cmpuint (head->len, <=, METRICS_HTTP_MAX_HEAD);
  g_assert_true (strlen (text) == head->len - head->start);
  g_assert_true (g_str_has_suffix (text, "\r\n\r\n"));
  g_assert_true (strstr (text, "\r\n\r\n") == text + strlen (text) - 4);
  g_assert_null (strstr (text, "\n "));
  g_assert_null (strstr (text, "\n\t"));
  for (const char *c = text; *c != '\0'; c++)
    g_assert_true (*c != '\n' || c[-1] == '\r');
  g_assert_cmpuint (head->target + head->target_len, <, head->len);
  g_assert_cmpuint (head->host + head->host_len, <, head->len);
  g_assert_true (head->minor == 0 || head->host_len > 0);
  g_assert_false (head->is_chunked && head->content_length >= 0);
  g_assert_cmpuint (head->status, ==, 0);
}

static void
check_parameters (const char *target, gsize len)
{
  const char *query = memchr (target, '?', len);
  MetricsHttpParameters parameters;
  g_autofree char *path
      = metrics_http_unescape (target, query != NULL ? (gsize) (query - target) : len, FALSE);

  g_assert_true (path == NULL || g_utf8_validate (path, -1, NULL));
  if (query == NULL)
    return;
  metrics_http_parameters_parse (&parameters, query + 1, target + len - (query + 1));
  for (guint i = 0; i < parameters.n_items; i++)
    {
      const MetricsHttpParameter *item = &parameters.items[i];

      g_assert_true (item->name == NULL || g_utf8_validate (item->name, -1, NULL));
      g_assert_true (item->value == NULL || g_utf8_validate (item->value, -1, NULL));
    }
  metrics_http_parameters_clear (&parameters);
}

/* In pieces of @step bytes. */
static MetricsHttpChunksState
read_chunks (const char *data, gsize size, gsize step, GByteArray *body, gsize *n_read)
{
  MetricsHttpChunks chunks = { 0 };
  MetricsHttpChunksState state = METRICS_HTTP_CHUNKS_MORE;

  *n_read = 0;
  while (state == METRICS_HTTP_CHUNKS_MORE && *n_read < size)
    {
      gsize len = MIN (step, size - *n_read);

      state = metrics_http_chunks_read (&chunks, data + *n_read, &len, body, LIMIT);
      *n_read += len;
    }
  g_assert_cmpuint (body->len, <=, LIMIT);
  return state;
}

static void
check_chunks (const char *data, gsize size)
{
  g_autoptr (GByteArray) whole = g_byte_array_new ();
  g_autoptr (GByteArray) pieces = g_byte_array_new ();
  gsize n_whole, n_pieces;
  MetricsHttpChunksState state = read_chunks (data, size, MAX (size, 1), whole, &n_whole);

  g_assert_cmpint (read_chunks (data, size, 3, pieces, &n_pieces), ==, state);
  if (state != METRICS_HTTP_CHUNKS_END)
    return;
  g_assert_cmpuint (n_whole, ==, n_pieces);
  g_assert_cmpmem (whole->data, whole->len, pieces->data, pieces->len);
  g_assert_true (n_whole >= 5 && memcmp (data + n_whole - 2, "\r\n", 2) == 0);
}

/* The corpus has a line for each input, so there `|` stands for CR LF, `^` for CR and `~` for LF. */
static GString *
expand (const guint8 *bytes, gsize size)
{
  GString *text = g_string_sized_new (size);

  for (gsize i = 0; i < size; i++)
    if (bytes[i] == '|')
      g_string_append (text, "\r\n");
    else
      g_string_append_c (text, bytes[i] == '^' ? '\r' : bytes[i] == '~' ? '\n' : (char) bytes[i]);
  return text;
}

int
LLVMFuzzerTestOneInput (const guint8 *bytes, gsize given)
{
  g_autoptr (GString) text = expand (bytes, given);
  const char *data = text->str;
  gsize size = MIN (text->len, MAX_SIZE);
  MetricsHttpHead whole, pieces;
  MetricsHttpHeadState state, slow = METRICS_HTTP_HEAD_MORE;

  metrics_http_head_init (&whole);
  metrics_http_head_init (&pieces);
  state = metrics_http_head_read (&whole, data, size);
  for (gsize n = 0; n <= size && slow == METRICS_HTTP_HEAD_MORE; n++)
    {
      /* It must not look behind what it was given. */
      g_autofree char *copy = g_memdup2 (data, n);

      slow = metrics_http_head_read (&pieces, copy, n);
    }
  g_assert_true (slow == state || (slow == METRICS_HTTP_HEAD_BAD && state == METRICS_HTTP_HEAD_BAD));
  if (state != METRICS_HTTP_HEAD_MORE && whole.code != NULL && pieces.code != NULL)
    g_assert_true (strcmp (whole.code, pieces.code) == 0 || strcmp (pieces.code, "not-http") == 0);
  else
    assert_same (&whole, &pieces);
  if (state == METRICS_HTTP_HEAD_WHOLE)
    {
      check_head (&whole, data);
      check_parameters (data + whole.target, whole.target_len);
      check_chunks (data + whole.len, size - whole.len);
    }
  else
    check_chunks (data, size);
  return 0;
}
