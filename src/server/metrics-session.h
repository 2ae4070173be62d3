/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-buffer.h"
#include "common/metrics-rights.h"
#include "protocol/metrics-command.h"
#include "server/metrics-limits.h"
#include "server/metrics-subscription.h"
#include "store/metrics-query.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * MetricsSession:
 *
 * What a client said and is owed, apart from how the bytes come and go: a line goes in, its reply comes out.
 * It lives inside the object that looks after the bytes; its fields are its own.
 */
typedef struct
{
  MetricsStore *store;         /* (owned) */
  const MetricsLimits *limits; /* (unowned) */
  MetricsFigures *figures;     /* (unowned) */
  MetricsRights rights;
  GSocket *socket; /* (unowned) (nullable): of the client, for what is said of it */

  MetricsQuery *query; /* (owned) (nullable): of the reply that is not complete yet */
  MetricsQueryKind query_kind;
  MetricsQueryWakeFunc wake_func;
  gpointer wake_data; /* (unowned) */
  gboolean is_busy;   /* whether a reply is not complete yet */

  MetricsSubscription *subscription; /* (owned) (nullable): what the client watches */
  MetricsSubscriptionFunc watch_func;
  gpointer watch_data; /* (unowned) */
  MetricsVerb ending;  /* what ends the watch, while the session is busy with that */

  guint work;             /* that the last line took besides, in units */
  gboolean had_line;      /* whether there was a line before */
  gboolean after_request; /* whether the line before was a request line, so that a blank one is swallowed */
  gboolean over;          /* whether nothing more is to be read from this client */
  gboolean broken;        /* whether a reply was begun that cannot be completed */
} MetricsSession;

void metrics_session_init (MetricsSession *self,
                           MetricsStore *store,
                           const MetricsLimits *limits,
                           MetricsFigures *figures,
                           MetricsRights rights);
void metrics_session_clear (MetricsSession *self);
void metrics_session_set_socket (MetricsSession *self, GSocket *socket);
void metrics_session_set_wake_func (MetricsSession *self, MetricsQueryWakeFunc func, gpointer user_data);
void metrics_session_set_watch_func (MetricsSession *self, MetricsSubscriptionFunc func, gpointer user_data);

guint metrics_session_execute (MetricsSession *self,
                               const char *line,
                               gsize len,
                               gint64 now,
                               MetricsBuffer *out);
void metrics_session_refuse (MetricsSession *self, const char *message, MetricsBuffer *out);
void metrics_session_refuse_long_line (MetricsSession *self, MetricsBuffer *out);
void metrics_session_end_long_line (MetricsSession *self, const char *tail, gsize len);

void metrics_session_end_watch (MetricsSession *self);

MetricsQueryState metrics_session_resume (MetricsSession *self, gint *budget, MetricsBuffer *out);

/* Whether a reply is not complete yet. */
static inline gboolean
metrics_session_is_busy (const MetricsSession *self)
{
  return self->is_busy;
}

G_END_DECLS
