/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dummy-server.h"
#include <metrics-glib/metrics-glib.h>

G_BEGIN_DECLS

/**
 * WatchVisit:
 * @n_lines: how many lines are read first
 * @text: what is written then
 * @is_held: whether the connection is kept then until the client ends it; lines that come are answered `ok`
 *
 * What a server does with a client that watches.
 */
typedef struct
{
  guint n_lines;
  const char *text;
  gboolean is_held;
} WatchVisit;

/* A server that does with each connection what stands at its place, and with all behind the last what stands
 * there. */
typedef struct
{
  const WatchVisit *visits;
  guint n_visits;
  guint n_connections; /* (atomic) */
  guint n_lines;       /* (atomic): of all of them */
  DummyEvent ended;    /* a client has ended a connection that was held */
  char *line;          /* (owned) (nullable): the first that came */
} WatchScript;

#define WATCH_SCRIPT(the_visits)                                                                             \
  {                                                                                                          \
    .visits = the_visits, .n_visits = G_N_ELEMENTS (the_visits)                                              \
  }

void watch_script_serve (DummyPeer *peer, gpointer script);

/* What the signals of a watch said, a word each, with a space behind it: `+` connected, `+gap`, `-<code>`
 * disconnected, `!<code>` failed, `dropped:<n>`, `online:<0 or 1>`, and points: `<key>=<value>@<time>`, with
 * a
 * `|` behind those that came together. */
typedef struct
{
  GString *text;   /* (owned) */
  GThread *thread; /* in which all of them have to come */
} WatchLog;

void watch_log_begin (WatchLog *self, MetricsWatch *watch);
void watch_log_wait (WatchLog *self, const char *text);
void watch_log_end (WatchLog *self);

MetricsWatch *watch_server (DummyServer *server, const char *first_pattern, ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
