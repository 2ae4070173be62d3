/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <metrics-glib/metrics-sample.h>

G_BEGIN_DECLS

MetricsSample *metrics_sample_new_shared (GRefString *key, double value, gint64 timestamp);

G_END_DECLS
