/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-answer-reader.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/**
 * metrics_answer_reader_clear:
 * @self: the framing of an answer
 *
 * Forgets an answer of which only a part came: the next line is the start of one.
 */
void
metrics_answer_reader_clear (MetricsAnswerReader *self)
{
  g_clear_pointer (&self->refusal, g_free);
  self->part = METRICS_ANSWER_PART_STATUS;
}

static inline gboolean
line_is (const char *line, gsize len, const char *text)
{
  return len == strlen (text) && memcmp (line, text, len) == 0;
}

/* The text of an error is shown to people, on terminals too. */
static gboolean
is_printable (const char *text, gsize len)
{
  if (len == 0 || !g_utf8_validate_len (text, len, NULL))
    return FALSE;
  for (const char *p = text; p < text + len; p = g_utf8_next_char (p))
    {
      if (g_unichar_iscntrl (g_utf8_get_char (p)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_status (MetricsAnswerReader *self, const char *line, gsize len)
{
  if (line_is (line, len, "ok"))
    self->part = METRICS_ANSWER_PART_ROWS;
  else if (line_is (line, len, "error"))
    self->part = METRICS_ANSWER_PART_REFUSAL;
  else
    return FALSE;
  return TRUE;
}

static gboolean
take_refusal (MetricsAnswerReader *self, const char *line, gsize len)
{
  if (!is_printable (line, len))
    return FALSE;
  g_free (self->refusal);
  self->refusal = g_strndup (line, len);
  self->part = METRICS_ANSWER_PART_REFUSAL_END;
  return TRUE;
}

static MetricsAnswerStatus
take_line (MetricsAnswerReader *self, MetricsAnswer *answer, const char *line, gsize len, const char **what)
{
  switch (self->part)
    {
    case METRICS_ANSWER_PART_ROWS:
      if (len > 0 && metrics_answer_add_line (answer, line, len))
        return METRICS_ANSWER_MORE;
      self->part = METRICS_ANSWER_PART_STATUS;
      if (len == 0 && metrics_answer_end (answer))
        return METRICS_ANSWER_OK;
      *what = answer->n_rows >= METRICS_ANSWER_MAX_ROWS
                  ? _ ("the answer is too long to be kept")
                  : _ ("a line of the answer is not what was asked for");
      return METRICS_ANSWER_BROKEN;

    case METRICS_ANSWER_PART_STATUS:
      if (take_status (self, line, len))
        return METRICS_ANSWER_MORE;
      *what = len >= 5 && memcmp (line, "HTTP/", 5) == 0
                  ? _ ("this port speaks HTTP, not the line protocol")
                  : _ ("the answer starts with neither 'ok' nor 'error'");
      return METRICS_ANSWER_BROKEN;

    case METRICS_ANSWER_PART_REFUSAL:
      if (take_refusal (self, line, len))
        return METRICS_ANSWER_MORE;
      *what = _ ("the answer is an error without a text");
      return METRICS_ANSWER_BROKEN;

    case METRICS_ANSWER_PART_REFUSAL_END:
    default:
      self->part = METRICS_ANSWER_PART_STATUS;
      if (len == 0)
        return METRICS_ANSWER_REFUSED;
      *what = _ ("the answer is an error of more than one line");
      return METRICS_ANSWER_BROKEN;
    }
}

/**
 * metrics_answer_reader_parse:
 * @self: the framing of the answer
 * @answer: what takes its lines
 * @at: (inout): where the bytes start that came; behind the last line taken afterwards
 * @end: where they end
 * @what: (out) (transfer none): what is wrong with the answer, in words, where it is %METRICS_ANSWER_BROKEN
 *
 * Reads an answer for as far as it has come, line by line; at most to its end.
 *
 * Returns: how far it has come
 */
MetricsAnswerStatus
metrics_answer_reader_parse (MetricsAnswerReader *self,
                             MetricsAnswer *answer,
                             const char **at,
                             const char *end,
                             const char **what)
{
  MetricsAnswerStatus status = METRICS_ANSWER_MORE;

  while (status == METRICS_ANSWER_MORE)
    {
      const char *line = *at;
      gsize n_bytes = end - line;
      const char *lf = memchr (line, '\n', MIN (n_bytes, METRICS_ANSWER_MAX_LINE + 1));

      if (lf == NULL && n_bytes <= METRICS_ANSWER_MAX_LINE)
        break;
      if (lf == NULL)
        {
          *what = _ ("a line of the answer does not end");
          return METRICS_ANSWER_BROKEN;
        }
      *at = lf + 1;
      status = take_line (self, answer, line, lf - line, what);
    }
  return status;
}
