/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "http/metrics-http-chunks.h"
#include "http/metrics-http-private.h"

G_BEGIN_DECLS

typedef enum
{
  PHASE_NEW,
  PHASE_HEAD,      /* a request is waited for, or its head is not complete */
  PHASE_BODY,      /* its body is not */
  PHASE_ANSWER,    /* it is being answered */
  PHASE_FLUSHING,  /* nothing more is asked; what is owed still leaves */
  PHASE_LINGERING, /* all has left; waits for the client to hang up */
  PHASE_CLOSED,
} Phase;

/**
 * MetricsHttpClient:
 *
 * One client, from its first byte to its last.
 */
struct _MetricsHttpClient
{
  GObject parent;

  MetricsHttp *http;         /* (unowned): it has all clients */
  GSocketConnection *stream; /* (owned) */
  MetricsRights rights;
  MetricsPollerWatch watch;
  Phase phase;

  MetricsBuffer in;
  MetricsHttpHead head;
  MetricsHttpChunks chunks;
  GByteArray *body;            /* (owned) (nullable): while it is not complete */
  gsize n_reserved;            /* bytes of a body that are counted */
  MetricsHttpRequest *request; /* (owned) (nullable): from a whole head to a whole answer */

  MetricsBuffer out;
  GBytes *tail; /* (owned) (nullable): what leaves behind it */
  gsize n_tail; /* bytes of it that have left */

  gint budget;
  gboolean is_called;    /* in a turn, at the end of which it may be let go */
  gboolean eof;          /* the client sends nothing more */
  gboolean stays;        /* whether it may ask again behind this answer */
  gboolean has_asked;    /* whether it has got an answer */
  gboolean is_finishing; /* the server stops */

  gint64 since;        /* monotonic time at which the phase, or what is waited for in it, began */
  gint64 answer_since; /* 0 while nothing waits to leave */
  guint64 answer_mark; /* what has to leave in time, as a number of bytes from the first one */
  guint64 n_sent;
};

void metrics_http_client_set_phase (MetricsHttpClient *self, Phase phase);
gsize metrics_http_client_get_unsent (MetricsHttpClient *self);
gboolean metrics_http_client_has_input (MetricsHttpClient *self);
void metrics_http_client_close (MetricsHttpClient *self);

/* Its times. */
void metrics_http_client_update_deadline (MetricsHttpClient *self);
void metrics_http_client_handle_deadline (MetricsHttpClient *self);

/* Its requests. Of what is there to be done in a phase, each does a part, and says whether it could. */
gboolean metrics_http_client_work_on_head (MetricsHttpClient *self);
gboolean metrics_http_client_work_on_body (MetricsHttpClient *self);
gboolean metrics_http_client_work_on_answer (MetricsHttpClient *self);
void metrics_http_client_refuse_request (MetricsHttpClient *self,
                                         guint status,
                                         const char *code,
                                         const char *where,
                                         const char *message);
void metrics_http_client_begin_flushing (MetricsHttpClient *self);
void metrics_http_client_drop_request (MetricsHttpClient *self);

G_END_DECLS
