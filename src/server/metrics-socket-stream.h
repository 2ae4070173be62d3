/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define METRICS_TYPE_SOCKET_STREAM (metrics_socket_stream_get_type ())
G_DECLARE_FINAL_TYPE (MetricsSocketStream, metrics_socket_stream, METRICS, SOCKET_STREAM, GInputStream)

GInputStream *metrics_socket_stream_new (GSocket *socket);

gssize metrics_socket_stream_throw_away (GSocket *socket);

G_END_DECLS
