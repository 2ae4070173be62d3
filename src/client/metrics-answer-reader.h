/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-answer.h"

G_BEGIN_DECLS

/* No line of an answer is longer: a key of 1024 bytes, two numbers and what is between them are far below. */
#define METRICS_ANSWER_MAX_LINE 8192

/* How far the reading of an answer has come. */
typedef enum
{
  METRICS_ANSWER_MORE,    /* more bytes are needed */
  METRICS_ANSWER_OK,      /* this is its end */
  METRICS_ANSWER_REFUSED, /* this is its end, and it was an error */
  METRICS_ANSWER_BROKEN,  /* this is no answer */
} MetricsAnswerStatus;

/**
 * MetricsAnswerReader:
 * @part: which part of the answer the next line belongs to; starts anew after its end
 * @refusal: (owned) (nullable): the text of the error, where that was the answer
 *
 * The framing of an answer: a line that says how it went, lines, an empty line. Zero is the start.
 */
typedef struct
{
  enum
  {
    METRICS_ANSWER_PART_STATUS,
    METRICS_ANSWER_PART_ROWS,
    METRICS_ANSWER_PART_REFUSAL,
    METRICS_ANSWER_PART_REFUSAL_END,
  } part;
  char *refusal;
} MetricsAnswerReader;

void metrics_answer_reader_clear (MetricsAnswerReader *self);

MetricsAnswerStatus metrics_answer_reader_parse (MetricsAnswerReader *self,
                                                 MetricsAnswer *answer,
                                                 const char **at,
                                                 const char *end,
                                                 const char **what);

G_END_DECLS
