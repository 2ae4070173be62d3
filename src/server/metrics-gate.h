/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "server/metrics-outbox.h"
#include "store/metrics-store.h"

G_BEGIN_DECLS

#define METRICS_TYPE_GATE (metrics_gate_get_type ())
G_DECLARE_FINAL_TYPE (MetricsGate, metrics_gate, METRICS, GATE, GObject)

MetricsGate *metrics_gate_new (MetricsStore *store);

gboolean metrics_gate_begin (MetricsGate *self);
void metrics_gate_note (MetricsGate *self, MetricsOutbox *outbox, gboolean is_complete);
void metrics_gate_forget (MetricsGate *self, MetricsOutbox *outbox);

G_END_DECLS
