/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

#define ECHO_PREFIX "GOT:"
#define ECHO_PREFIX_SIZE (sizeof ECHO_PREFIX - 1)
/* What is read at once, and answered at once. */
#define ECHO_READ_SIZE 1000

/**
 * EchoAnswer:
 * @text: the prefix, and behind it what one read has brought
 *
 * What the echo servers answer, however they wait for it, and how they count it.
 */
typedef struct
{
  char text[ECHO_PREFIX_SIZE + ECHO_READ_SIZE];
  gint64 since;
} EchoAnswer;

void echo_answer_init (EchoAnswer *self);
gsize echo_answer_make (EchoAnswer *self, gsize n_read, ExampleReport *report);
void echo_answer_count_sent (EchoAnswer *self, gsize n_written, gboolean all, ExampleReport *report);
void echo_answer_count_end (const GError *error, ExampleReport *report);

G_END_DECLS
