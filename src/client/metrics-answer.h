/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is made of the lines of an answer. */
typedef enum
{
  METRICS_ANSWER_DISCARD, /* nothing: nobody waits for it any more */
  METRICS_ANSWER_EMPTY,   /* it must not have any */
  METRICS_ANSWER_SAMPLES, /* a point a line */
  METRICS_ANSWER_BLOCK,   /* the same, to be handed over a block at a time */
  METRICS_ANSWER_KEYS,    /* a key a line, with what is known of it */
  METRICS_ANSWER_COUNT,   /* one line, a number */
  METRICS_ANSWER_FIGURES, /* a name and a value a line */
} MetricsAnswerKind;

/* More lines than this are not kept, so that no server can fill all memory: with METRICS_ANSWER_BLOCK there
 * is no such limit. */
#define METRICS_ANSWER_MAX_ROWS (1 << 26)

/**
 * MetricsBlock:
 * @samples: (owned) (element-type MetricsSample): samples, whose keys are those of @keys
 * @keys: (owned) (element-type GRefString): what owns them
 *
 * Samples that are handed from one thread to another together, at the cost of one allocation or two.
 */
typedef struct
{
  GArray *samples;
  GPtrArray *keys;
} MetricsBlock;

/**
 * MetricsAnswer:
 * @kind: what to make of the lines
 * @only_key: (owned) (nullable): the one key whose points were asked for
 * @n_rows: how many lines there were; of %METRICS_ANSWER_BLOCK, whether there were any
 * @rows: (owned) (nullable) (element-type gpointer): MetricsSample or MetricsKeyInfo, by @kind
 * @block: (owned) (nullable): what was read since the last block was taken
 * @figures: (owned) (nullable) (element-type utf8 utf8): names and values
 * @count: the number
 * @key: (owned) (nullable): the key of the last sample
 * @key_len: its length in bytes
 *
 * What an answer holds, as far as it has come.
 */
typedef struct
{
  MetricsAnswerKind kind;
  char *only_key;
  guint n_rows;
  GPtrArray *rows;
  MetricsBlock *block;
  GHashTable *figures;
  guint64 count;

  GRefString *key;
  gsize key_len;
} MetricsAnswer;

void metrics_answer_init (MetricsAnswer *self, MetricsAnswerKind kind);
void metrics_answer_clear (MetricsAnswer *self);

gboolean metrics_answer_add_line (MetricsAnswer *self, const char *line, gsize len);
gboolean metrics_answer_end (MetricsAnswer *self);

MetricsBlock *metrics_answer_take_block (MetricsAnswer *self);
void metrics_block_join (MetricsBlock *self, MetricsBlock *other);
void metrics_block_free (MetricsBlock *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsBlock, metrics_block_free)

G_END_DECLS
