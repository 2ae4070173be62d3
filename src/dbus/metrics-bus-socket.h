/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dbus/metrics-bus-interface.h"

G_BEGIN_DECLS

gboolean metrics_bus_socket_handle_reader (MetricsBusService *service,
                                           GDBusMethodInvocation *invocation,
                                           GUnixFDList *fd_list,
                                           GVariant *options);
gboolean metrics_bus_socket_handle_writer (MetricsBusService *service,
                                           GDBusMethodInvocation *invocation,
                                           GUnixFDList *fd_list,
                                           GVariant *options);

G_END_DECLS
