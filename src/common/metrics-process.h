/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What this process costs its machine. */

gint64 metrics_process_get_cpu_time (void);
gint64 metrics_process_get_resident (void);

G_END_DECLS
