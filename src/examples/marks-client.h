/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"
#include "marks-head.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* One client with its one request. At each moment one thing is under way: it is read, SoupServer has it, or
 * the answer is written. */
typedef struct
{
  Example *example;              /* (unowned) */
  SoupServer *server;            /* (unowned) */
  GSocketConnection *connection; /* (owned) */
  GBufferedInputStream *input;   /* (owned) what has come of the request */
  MarksHead head;
  gint64 since;          /* when the request was there */
  GOutputStream *output; /* (owned) (nullable) what SoupServer answers */
  GString *refusal;      /* (owned) (nullable) or what is answered in its place */
  GCancellable *late;    /* (owned) (nullable) cancelled when the client has had its time */
  guint timer;
  guint seconds; /* how long each step may take; 0: without an end */
} MarksClient;

void marks_client_begin_waiting (MarksClient *self);
void marks_client_end_waiting (MarksClient *self);
void marks_client_answer (MarksClient *self, const char *answer, gsize size);
void marks_client_refuse (MarksClient *self, const MarksFault *fault);
void marks_client_end (MarksClient *self);

G_END_DECLS
