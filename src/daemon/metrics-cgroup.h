/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint64 metrics_cgroup_get_memory_limit (const char *root);

G_END_DECLS
