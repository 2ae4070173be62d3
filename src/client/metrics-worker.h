/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

GMainContext *metrics_worker_get_context (void);

G_END_DECLS
