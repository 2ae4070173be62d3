/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-answer-reader.h"
#include <metrics-glib/metrics-glib.h>
#include <string.h>

/* The reader of answers on its own; tests/fuzz/fuzz-answer.c has the rest. */

static const char *const answers[] = {
  "ok\n\n",
  "ok\nk 1.0 1\nk 2.0 2\n\n",
  "ok\nk 1.0 1\nkk -0.5 -2\nk 1e+300 3\n\n",
  "ok\na 3 -10 20\nb 1 5 5\n\n",
  "ok\n42\n\n",
  "ok\nuptime 5\npoints 1\n\n",
  "error\nwrong command\n\n",
};

typedef struct
{
  MetricsAnswerStatus status;
  gsize n_consumed;
  guint n_rows;
} Outcome;

/* Reads bytes that come in pieces of at most @max_piece each, every piece in memory of its own. */
static Outcome
read_in_pieces (MetricsAnswerKind kind, const char *bytes, gsize len, gsize max_piece)
{
  Outcome outcome = { METRICS_ANSWER_MORE };
  MetricsAnswerReader reader = { 0 };
  MetricsAnswer answer;
  const char *what = NULL;
  gsize end = 0;

  metrics_answer_init (&answer, kind);
  while (outcome.status == METRICS_ANSWER_MORE && end < len)
    {
      g_autofree char *piece = NULL;
      const char *at;

      end += g_random_int_range (1, max_piece + 1);
      end = MIN (end, len);
      piece = g_memdup2 (bytes + outcome.n_consumed, end - outcome.n_consumed);
      at = piece;
      outcome.status
          = metrics_answer_reader_parse (&reader, &answer, &at, piece + end - outcome.n_consumed, &what);
      outcome.n_consumed += at - piece;
    }
  if (outcome.status == METRICS_ANSWER_BROKEN)
    g_assert_nonnull (what);
  outcome.n_rows = answer.rows != NULL ? answer.rows->len : 0;
  metrics_answer_reader_clear (&reader);
  metrics_answer_clear (&answer);
  return outcome;
}

static void
test_well_formed (void)
{
  static const struct
  {
    MetricsAnswerKind kind;
    guint answer;
    MetricsAnswerStatus status;
  } cases[] = {
    { METRICS_ANSWER_EMPTY, 0, METRICS_ANSWER_OK },     { METRICS_ANSWER_SAMPLES, 0, METRICS_ANSWER_OK },
    { METRICS_ANSWER_SAMPLES, 1, METRICS_ANSWER_OK },   { METRICS_ANSWER_BLOCK, 2, METRICS_ANSWER_OK },
    { METRICS_ANSWER_KEYS, 3, METRICS_ANSWER_OK },      { METRICS_ANSWER_COUNT, 4, METRICS_ANSWER_OK },
    { METRICS_ANSWER_FIGURES, 5, METRICS_ANSWER_OK },   { METRICS_ANSWER_EMPTY, 6, METRICS_ANSWER_REFUSED },
    { METRICS_ANSWER_DISCARD, 3, METRICS_ANSWER_OK },   { METRICS_ANSWER_DISCARD, 6, METRICS_ANSWER_REFUSED },
    { METRICS_ANSWER_EMPTY, 1, METRICS_ANSWER_BROKEN }, { METRICS_ANSWER_COUNT, 0, METRICS_ANSWER_BROKEN },
    { METRICS_ANSWER_KEYS, 1, METRICS_ANSWER_BROKEN },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *text = answers[cases[i].answer];
      Outcome outcome = read_in_pieces (cases[i].kind, text, strlen (text), 2);

      g_assert_cmpint (outcome.status, ==, cases[i].status);
      if (outcome.status != METRICS_ANSWER_BROKEN)
        g_assert_cmpuint (outcome.n_consumed, ==, strlen (text));
    }
}

/* Bytes behind the end are the next answer's. */
static void
test_end (void)
{
  const char *text = "ok\nk 1.0 1\n\nok\n\n";
  Outcome outcome = read_in_pieces (METRICS_ANSWER_SAMPLES, text, strlen (text), strlen (text));

  g_assert_cmpint (outcome.status, ==, METRICS_ANSWER_OK);
  g_assert_cmpuint (outcome.n_consumed, ==, strlen ("ok\nk 1.0 1\n\n"));
  g_assert_cmpuint (outcome.n_rows, ==, 1);
}

static void
test_line_limit (void)
{
  g_autofree char *longest = g_strnfill (METRICS_ANSWER_MAX_LINE, 'x');
  g_autofree char *within = g_strconcat ("error\n", longest, "\n\n", NULL);
  g_autofree char *beyond = g_strconcat ("error\nx", longest, "\n\n", NULL);
  Outcome outcome = read_in_pieces (METRICS_ANSWER_EMPTY, within, strlen (within), 5000);

  g_assert_cmpint (outcome.status, ==, METRICS_ANSWER_REFUSED);
  for (gsize piece = 1; piece < 20000; piece += 999)
    {
      outcome = read_in_pieces (METRICS_ANSWER_EMPTY, beyond, strlen (beyond), piece);
      g_assert_cmpint (outcome.status, ==, METRICS_ANSWER_BROKEN);
    }
}

/* What is kept has a bound; what is handed over as it comes needs none. */
static void
test_row_limit (void)
{
  static const MetricsAnswerKind kinds[] = { METRICS_ANSWER_SAMPLES, METRICS_ANSWER_BLOCK };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      MetricsAnswer answer;

      metrics_answer_init (&answer, kinds[i]);
      answer.n_rows = METRICS_ANSWER_MAX_ROWS - 1;
      g_assert_true (metrics_answer_add_line (&answer, "k 1.0 1", strlen ("k 1.0 1")));
      g_assert_true (metrics_answer_add_line (&answer, "k 1.0 2", strlen ("k 1.0 2"))
                     == (kinds[i] == METRICS_ANSWER_BLOCK));
      metrics_answer_clear (&answer);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/answer-reader/well-formed", test_well_formed);
  g_test_add_func ("/answer-reader/end", test_end);
  g_test_add_func ("/answer-reader/line-limit", test_line_limit);
  g_test_add_func ("/answer-reader/row-limit", test_row_limit);

  return g_test_run ();
}
