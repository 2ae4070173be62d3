/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What makes the hashes of one table unlike those of all others. */
typedef struct
{
  guint64 k0;
  guint64 k1;
} MetricsHashSeed;

MetricsHashSeed metrics_hash_seed_new (void);
guint64 metrics_hash (const MetricsHashSeed *seed, const char *bytes, gsize len);

G_END_DECLS
