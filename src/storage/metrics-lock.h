/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

int metrics_lock_take (const char *folder, gint64 timeout, GError **error);
void metrics_lock_release (int fd);

G_END_DECLS
