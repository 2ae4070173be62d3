/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-query.h"

G_BEGIN_DECLS

typedef struct _MetricsHttpQuestion MetricsHttpQuestion;

MetricsHttpQuestion *metrics_http_question_new (MetricsQueryKind kind, gint64 now);
void metrics_http_question_free (MetricsHttpQuestion *self);

gboolean metrics_http_question_take (MetricsHttpQuestion *self,
                                     const char *name,
                                     const char *value,
                                     gsize value_len,
                                     char **message);
gboolean metrics_http_question_complete (MetricsHttpQuestion *self, const char **where, char **message);

void metrics_http_question_begin (MetricsHttpQuestion *self,
                                  MetricsStore *store,
                                  MetricsQueryWakeFunc wake_func,
                                  gpointer wake_data);
MetricsQueryState metrics_http_question_next (MetricsHttpQuestion *self, gint *budget, MetricsQueryRow *row);
guint64 metrics_http_question_get_n_deleted (const MetricsHttpQuestion *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsHttpQuestion, metrics_http_question_free)

G_END_DECLS
