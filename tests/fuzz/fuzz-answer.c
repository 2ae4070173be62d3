/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "client/metrics-answer-reader.h"

#include <string.h>

/* What a server sends, through the client's reader of answers: however it is cut, it ends in the same way.
 * The first byte chooses what was asked for, the second how large the pieces are, the third is anything;
 * behind them ';' stands for a line feed, as a line of the corpus cannot have one. */

#define N_KINDS (METRICS_ANSWER_FIGURES + 1)

typedef struct
{
  MetricsAnswerStatus status;
  gsize n_consumed;
  guint n_rows;
  guint n_figures;
  guint n_samples;
  guint64 count;
  char *refusal; /* (owned) (nullable) */
} Outcome;

static Outcome
describe (MetricsAnswerStatus status, gsize n_consumed, MetricsAnswerReader *reader, MetricsAnswer *answer)
{
  return (Outcome){
    .status = status,
    .n_consumed = n_consumed,
    .n_rows = answer->rows != NULL ? answer->rows->len : 0,
    .n_figures = answer->figures != NULL ? g_hash_table_size (answer->figures) : 0,
    .n_samples = answer->block != NULL ? answer->block->samples->len : 0,
    .count = answer->count,
    .refusal = g_strdup (reader->refusal),
  };
}

/* As a channel does: what is not yet a line comes again with what follows it. Each time in an allocation of
 * its own size, so that a sanitizer sees what is read behind it. */
static Outcome
read_in_pieces (MetricsAnswerKind kind, const char *bytes, gsize size, gsize piece_size)
{
  MetricsAnswerStatus status = METRICS_ANSWER_MORE;
  MetricsAnswerReader reader = { 0 };
  MetricsAnswer answer;
  const char *what = NULL;
  gsize n_consumed = 0;
  Outcome outcome;

  metrics_answer_init (&answer, kind);
  for (gsize end = 0; status == METRICS_ANSWER_MORE && end < size;)
    {
      g_autofree char *piece = NULL;
      const char *at;

      end = MIN (end + piece_size, size);
      piece = g_memdup2 (bytes + n_consumed, end - n_consumed);
      at = piece;
      status = metrics_answer_reader_parse (&reader, &answer, &at, piece + (end - n_consumed), &what);
      n_consumed += at - piece;
    }
  g_assert_true (status != METRICS_ANSWER_BROKEN || what != NULL);
  g_assert_true (status != METRICS_ANSWER_REFUSED || reader.refusal != NULL);

  outcome = describe (status, n_consumed, &reader, &answer);
  metrics_answer_reader_clear (&reader);
  metrics_answer_clear (&answer);
  return outcome;
}

static void
assert_same (const Outcome *a, const Outcome *b)
{
  g_assert_cmpint (a->status, ==, b->status);
  g_assert_cmpuint (a->n_consumed, ==, b->n_consumed);
  g_assert_cmpuint (a->n_rows, ==, b->n_rows);
  g_assert_cmpuint (a->n_figures, ==, b->n_figures);
  g_assert_cmpuint (a->n_samples, ==, b->n_samples);
  g_assert_cmpuint (a->count, ==, b->count);
  g_assert_cmpstr (a->refusal, ==, b->refusal);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *bytes = NULL;
  MetricsAnswerKind kind;
  Outcome whole, cut;

  if (size <= 3)
    return 0;
  kind = data[0] % N_KINDS;
  bytes = g_strdelimit (g_strndup ((const char *) data + 3, size - 3), ";", '\n');
  size = strlen (bytes);
  if (size == 0)
    return 0;

  whole = read_in_pieces (kind, bytes, size, size);
  cut = read_in_pieces (kind, bytes, size, 1 + data[1] % 16);
  assert_same (&whole, &cut);
  g_free (whole.refusal);
  g_free (cut.refusal);
  return 0;
}
