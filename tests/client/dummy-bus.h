/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dummy-server.h"
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* A bus of the test's own, which is the session's and the system's for this process, and on it a service that
 * has the name of metricsd and does what a test says. Its handler is called in a thread of the service's, for
 * each call of a method; it may block, and may keep the invocation to answer it later, or never. */

#define DUMMY_BUS_NAME "org.metricsd.Metrics1"
#define DUMMY_BUS_PATH "/org/metricsd/Metrics1"

typedef struct _DummyBus DummyBus;
typedef void (*DummyBusHandler) (DummyBus *bus, GDBusMethodInvocation *invocation, gpointer user_data);

/* Whether there is the program that a bus is made of; skips the test where not. */
gboolean dummy_bus_is_possible (void);

/* First of all, before there are threads. */
void dummy_bus_prepare (void);

/* Without a handler nobody has the name; `service_dir` has service files, or is NULL. */
DummyBus *dummy_bus_new (const char *service_dir, DummyBusHandler handler, gpointer user_data);
void dummy_bus_free (DummyBus *self);

/* How often the method was called. */
guint dummy_bus_count (DummyBus *self, const char *method);

/* for handlers: a socket that is connected to the server; an answer that hands these over, with the handle
 * `handle`; the descriptors are the bus's then */
int dummy_bus_connect (DummyServer *server);
void dummy_bus_hand_over (GDBusMethodInvocation *invocation, int handle, const int *fds, guint n_fds);

/* as a process of its own that the bus has started */
gboolean dummy_bus_serve_once (const char *address, int fd);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DummyBus, dummy_bus_free)

G_END_DECLS
