/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

/* Where the service is, for those on the same bus. */
#define EVEN_NAME "org.metricsd.Example.Even1"
#define EVEN_PATH "/org/metricsd/Example/Even1"
#define EVEN_INTERFACE EVEN_NAME

typedef struct EvenWatch EvenWatch;

EvenWatch *even_watch_new (GDBusConnection *connection, ExampleReport *report);
void even_watch_free (EvenWatch *self);

void even_watch_add_caller (EvenWatch *self, const char *name);
gint64 even_watch_get_time (GDBusMessage *message);

G_END_DECLS
