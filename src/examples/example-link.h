/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

/**
 * ExampleLink:
 *
 * A client's connection to its server.
 */
typedef struct ExampleLink ExampleLink;

ExampleLink *example_link_new (Example *example, guint answer_seconds);
void example_link_free (ExampleLink *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExampleLink, example_link_free)

Example *example_link_get_example (ExampleLink *self);

void example_link_connect_async (ExampleLink *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean example_link_connect_finish (ExampleLink *self, GAsyncResult *result, GError **error);

void example_link_send_async (ExampleLink *self,
                              const char *request,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
gboolean example_link_send_finish (ExampleLink *self, GAsyncResult *result, GError **error);

void example_link_receive_async (ExampleLink *self, GAsyncReadyCallback callback, gpointer user_data);
char *example_link_receive_finish (ExampleLink *self, GAsyncResult *result, GError **error);

void example_fail (Example *example, const char *message);

G_END_DECLS
