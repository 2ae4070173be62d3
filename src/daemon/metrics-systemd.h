/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The first descriptor of those that are passed; the others follow it. */
#define METRICS_SYSTEMD_FIRST_FD 3

gboolean metrics_systemd_notify (const char *text, GError **error);
guint64 metrics_systemd_get_watchdog_time (void);
gboolean metrics_systemd_has_sockets (void);
gboolean metrics_systemd_take_sockets (GStrv *names, GError **error);

G_END_DECLS
