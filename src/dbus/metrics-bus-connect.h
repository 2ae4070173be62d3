/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_BUS_CONNECTION_FLAGS                                                                         \
  (G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION)

GDBusConnection *metrics_bus_connect_sync (GBusType type, guint patience, GError **error);

G_END_DECLS
