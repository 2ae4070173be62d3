/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <sys/epoll.h>

G_BEGIN_DECLS

/* Of one round; those that are ready beyond that come first in the next one, as epoll goes round. */
#define METRICS_EPOLL_MAX_EVENTS 64

typedef struct _MetricsEpoll MetricsEpoll;

MetricsEpoll *metrics_epoll_new (GMainContext *context, GError **error);
void metrics_epoll_free (MetricsEpoll *self);

int metrics_epoll_get_fd (MetricsEpoll *self);
int metrics_epoll_control (MetricsEpoll *self, int operation, int fd, guint32 events, gpointer data);
int metrics_epoll_take (MetricsEpoll *self, struct epoll_event *events);
void metrics_epoll_forget (MetricsEpoll *self, gconstpointer data);

void metrics_epoll_adopt (MetricsEpoll *self, int fd);
void metrics_epoll_disown (MetricsEpoll *self, int fd);

G_END_DECLS
