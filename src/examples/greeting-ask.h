/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

void greeting_ask_async (GSocketAddress *address,
                         const char *greeting,
                         int tries,
                         guint wait_msec,
                         ExampleReport *report,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data);
char *greeting_ask_finish (GAsyncResult *result, GError **error);

G_END_DECLS
