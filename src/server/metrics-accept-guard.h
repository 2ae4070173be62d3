/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

guint metrics_accept_guard_get_n_free (void);

GSource *metrics_accept_guard_new (void);
void metrics_accept_guard_add (GSource *guard, GSocketService *service, GSocket *socket);
void metrics_accept_guard_set_open (GSource *guard, gboolean open);

void metrics_accept_guard_accepted (GSource *guard, GSocketService *service);

G_END_DECLS
