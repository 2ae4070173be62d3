/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MetricsReserve MetricsReserve;

MetricsReserve *metrics_reserve_new (const char *folder);
void metrics_reserve_free (MetricsReserve *self);

void metrics_reserve_hold (MetricsReserve *self);
void metrics_reserve_give_up (MetricsReserve *self);

G_END_DECLS
