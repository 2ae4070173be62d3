/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the service manager is told, see sd_notify(3). Where there is none that listens, all of these do
 * nothing. */

void metrics_notify_set_status (const char *status);

void metrics_notify_ready (void);
void metrics_notify_reloading (void);
void metrics_notify_stopping (void);
void metrics_notify_extend (guint seconds);

void metrics_notify_begin_wait (const char *status);
void metrics_notify_end_wait (void);

void metrics_notify_watch (void);
void metrics_notify_unwatch (void);

void metrics_notify_close (void);

G_END_DECLS
