/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-names.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A session of the test's own: a bus, and metricsd as what the bus starts when it is called, by a service
 * file as the one that is installed. Nothing of the session, or the points, of whoever runs the test is
 * touched.
 *
 * What is called here is called by the well-known name, so that it is a call of whatever server there is, and
 * starts one where there is none. */
typedef struct
{
  char *folder; /* (owned): of all that the session has */
  char *state;  /* (owned): where points last */
  int servers;  /* a pipe that each server that was started has the other end of */
  GTestDBus *bus;
  GDBusConnection *connection;
} Session;

/* Those that the bus starts get the environment that there is now. */
void session_up (Session *self, const char *services);
void session_down (Session *self);

/* Waits until all servers that were started are gone, if there were any. */
void session_wait_for_end (Session *self);

/* Ends the server as a service manager does, and waits for that. */
void session_stop_server (Session *self);

/* The process of the server, 0 where there is none. */
guint session_get_pid (Session *self);

/* One more connection, as another program has it. Returns: (transfer full): it, for session_disconnect() */
GDBusConnection *session_connect (Session *self);
void session_disconnect (GDBusConnection *connection);

/* Calls a method that is to succeed. Returns: (transfer full): the answer */
GVariant *session_call (GDBusConnection *caller, const char *method, GVariant *arguments);

void session_put (Session *self, const char *key, double value, gint64 time);

/* `expected` is all points of the key as text: "[(1.5, int64 100)]" */
void session_assert_points (Session *self, const char *key, const char *expected);

GVariant *session_no_options (void);

G_END_DECLS
