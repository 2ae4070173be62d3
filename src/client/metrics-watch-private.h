/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "client/metrics-feed.h"
#include <metrics-glib/metrics-watch.h>

G_BEGIN_DECLS

MetricsFeed *metrics_watch_get_feed (MetricsWatch *self);

G_END_DECLS
