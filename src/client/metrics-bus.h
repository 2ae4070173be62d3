/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <metrics-glib/metrics-error.h>

G_BEGIN_DECLS

void metrics_bus_call_async (GBusType bus,
                             const char *method,
                             GVariant *arguments,
                             const char *reply_type,
                             gboolean is_interactive,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
GVariant *metrics_bus_call_finish (GAsyncResult *result, GUnixFDList **fds, GError **error);

gboolean metrics_bus_is_denied (const GError *error);
gboolean metrics_bus_is_leaving (const GError *error);
MetricsError metrics_bus_describe (const GError *error, char **reason);

G_END_DECLS
