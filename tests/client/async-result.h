/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* As the callback of an asynchronous call, with the address of a GAsyncResult pointer to fill. */
void async_result_store (GObject *source, GAsyncResult *result, gpointer user_data);

/* Runs the calling thread's main context until it is filled. */
GAsyncResult *async_result_wait (GAsyncResult **result);

G_END_DECLS
