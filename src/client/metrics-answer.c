/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-answer.h"

#include "client/metrics-sample-private.h"
#include "common/metrics-key.h"
#include "common/metrics-number.h"
#include <metrics-glib/metrics-key-info.h>
#include <string.h>

/* Lines are taken apart where they lie in the connection's buffer. The points of a key follow each other, so
 * a line that starts with the same key as the one before needs no look at its key and no copy of it. */

static MetricsBlock *
block_new (void)
{
  MetricsBlock *self = g_new (MetricsBlock, 1);

  self->samples = g_array_new (FALSE, FALSE, sizeof (MetricsSample));
  self->keys = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ref_string_release);
  return self;
}

/**
 * metrics_block_free:
 * @self: (transfer full): a block
 */
void
metrics_block_free (MetricsBlock *self)
{
  g_array_unref (self->samples);
  g_ptr_array_unref (self->keys);
  g_free (self);
}

/**
 * metrics_answer_init:
 * @self: (out caller-allocates): an answer
 * @kind: what to make of its lines
 */
void
metrics_answer_init (MetricsAnswer *self, MetricsAnswerKind kind)
{
  *self = (MetricsAnswer){ .kind = kind };

  if (kind == METRICS_ANSWER_SAMPLES)
    self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_sample_free);
  else if (kind == METRICS_ANSWER_KEYS)
    self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_key_info_free);
  else if (kind == METRICS_ANSWER_FIGURES)
    self->figures = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/**
 * metrics_answer_clear:
 * @self: an answer
 *
 * Frees what it holds and has not been taken from it.
 */
void
metrics_answer_clear (MetricsAnswer *self)
{
  g_clear_pointer (&self->only_key, g_free);
  g_clear_pointer (&self->rows, g_ptr_array_unref);
  g_clear_pointer (&self->block, metrics_block_free);
  g_clear_pointer (&self->figures, g_hash_table_unref);
  g_clear_pointer (&self->key, g_ref_string_release);
}

/* Words are separated by exactly one space: what a server prints, not all that one accepts. */
static gboolean
take_word (const char **at, const char *end, const char **word, gsize *len)
{
  const char *space;

  if (*at > end)
    return FALSE;
  space = memchr (*at, ' ', end - *at);
  *word = *at;
  *len = (space != NULL ? space : end) - *at;
  *at = (space != NULL ? space : end) + 1;
  return *len > 0;
}

static gboolean
take_int64 (const char **at, const char *end, gint64 *value)
{
  const char *word;
  gsize len;

  return take_word (at, end, &word, &len) && metrics_number_parse_int64 (word, len, value);
}

static gboolean
set_key (MetricsAnswer *self, const char *key, gsize len)
{
  if (!metrics_key_is_valid (key, len))
    return FALSE;
  /* Else this is the answer to some other request, and so will all that follow be. */
  if (self->only_key != NULL && (strlen (self->only_key) != len || memcmp (self->only_key, key, len) != 0))
    return FALSE;

  g_clear_pointer (&self->key, g_ref_string_release);
  self->key = g_ref_string_new_len (key, len);
  self->key_len = len;
  return TRUE;
}

/* Takes a line of a point apart; its key becomes the answer's. */
static gboolean
parse_sample (MetricsAnswer *self, const char *line, gsize len, double *value, gint64 *timestamp)
{
  const char *at = line;
  const char *end = line + len;
  const char *word;
  gsize word_len;

  if (self->key != NULL && len > self->key_len && line[self->key_len] == ' '
      && memcmp (line, self->key, self->key_len) == 0)
    at += self->key_len + 1;
  else if (!take_word (&at, end, &word, &word_len) || !set_key (self, word, word_len))
    return FALSE;

  return take_word (&at, end, &word, &word_len) && metrics_number_parse_double (word, word_len, value)
         && take_int64 (&at, end, timestamp) && at > end;
}

static gboolean
add_sample (MetricsAnswer *self, const char *line, gsize len)
{
  double value;
  gint64 timestamp;

  if (!parse_sample (self, line, len, &value, &timestamp))
    return FALSE;
  g_ptr_array_add (self->rows, metrics_sample_new_shared (self->key, value, timestamp));
  return TRUE;
}

static gboolean
add_to_block (MetricsAnswer *self, const char *line, gsize len)
{
  MetricsSample sample;

  if (!parse_sample (self, line, len, &sample.value, &sample.timestamp))
    return FALSE;
  if (self->block == NULL)
    self->block = block_new ();
  if (self->block->keys->len == 0
      || g_ptr_array_index (self->block->keys, self->block->keys->len - 1) != self->key)
    g_ptr_array_add (self->block->keys, g_ref_string_acquire (self->key));
  sample.key = self->key;
  g_array_append_val (self->block->samples, sample);
  return TRUE;
}

static gboolean
add_key (MetricsAnswer *self, const char *line, gsize len)
{
  const char *at = line;
  const char *end = line + len;
  const char *key;
  gsize key_len;
  gint64 n_points;
  MetricsKeyInfo info;

  if (!take_word (&at, end, &key, &key_len) || !metrics_key_is_valid (key, key_len)
      || !take_int64 (&at, end, &n_points) || !take_int64 (&at, end, &info.first)
      || !take_int64 (&at, end, &info.last) || at <= end || n_points < 1 || info.first > info.last)
    return FALSE;

  info.key = g_strndup (key, key_len);
  info.n_points = n_points;
  g_ptr_array_add (self->rows, g_memdup2 (&info, sizeof info));
  return TRUE;
}

static gboolean
add_figure (MetricsAnswer *self, const char *line, gsize len)
{
  const char *at = line;
  const char *end = line + len;
  const char *name, *value;
  gsize name_len, value_len;

  /* What can be a key is text without control characters: figures are shown to people. */
  if (!take_word (&at, end, &name, &name_len) || !metrics_key_is_valid (name, name_len)
      || !take_word (&at, end, &value, &value_len) || !metrics_key_is_valid (value, value_len) || at <= end)
    return FALSE;
  g_hash_table_replace (self->figures, g_strndup (name, name_len), g_strndup (value, value_len));
  return TRUE;
}

static gboolean
set_count (MetricsAnswer *self, const char *line, gsize len)
{
  gint64 count;

  if (self->n_rows > 1 || !metrics_number_parse_int64 (line, len, &count) || count < 0)
    return FALSE;
  self->count = count;
  return TRUE;
}

/**
 * metrics_answer_add_line:
 * @self: an answer
 * @line: (array length=len): one of its lines, without the line feed; not empty
 * @len: its length in bytes
 *
 * Returns: %FALSE where the line is not what such an answer consists of, or is one too many
 */
gboolean
metrics_answer_add_line (MetricsAnswer *self, const char *line, gsize len)
{
  if (self->kind == METRICS_ANSWER_BLOCK)
    {
      /* They are not counted: there is no end to them. */
      self->n_rows = 1;
      return add_to_block (self, line, len);
    }
  if (self->kind == METRICS_ANSWER_DISCARD)
    return TRUE;

  if (self->n_rows == METRICS_ANSWER_MAX_ROWS)
    return FALSE;
  self->n_rows++;
  switch (self->kind)
    {
    case METRICS_ANSWER_SAMPLES:
      return add_sample (self, line, len);
    case METRICS_ANSWER_KEYS:
      return add_key (self, line, len);
    case METRICS_ANSWER_COUNT:
      return set_count (self, line, len);
    case METRICS_ANSWER_FIGURES:
      return add_figure (self, line, len);
    case METRICS_ANSWER_EMPTY:
    case METRICS_ANSWER_DISCARD:
    case METRICS_ANSWER_BLOCK:
    default:
      return FALSE;
    }
}

/**
 * metrics_answer_end:
 * @self: an answer
 *
 * Returns: %FALSE where it cannot end here
 */
gboolean
metrics_answer_end (MetricsAnswer *self)
{
  return self->kind != METRICS_ANSWER_COUNT || self->n_rows == 1;
}

/**
 * metrics_answer_take_block:
 * @self: an answer of %METRICS_ANSWER_BLOCK
 *
 * Returns: (transfer full) (nullable): the samples that came since the last call, if any did
 */
MetricsBlock *
metrics_answer_take_block (MetricsAnswer *self)
{
  return g_steal_pointer (&self->block);
}

/**
 * metrics_block_join:
 * @self: a block
 * @other: (transfer full): another one
 *
 * Puts the samples of the other one behind those of this one.
 */
void
metrics_block_join (MetricsBlock *self, MetricsBlock *other)
{
  g_array_append_vals (self->samples, other->samples->data, other->samples->len);
  g_ptr_array_extend_and_steal (self->keys, g_steal_pointer (&other->keys));
  g_array_unref (other->samples);
  g_free (other);
}
