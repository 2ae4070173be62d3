/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example-report.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a client is told that is one too many, where its protocol has nothing of its own for that. */
#define EXAMPLE_REFUSAL "error: too many clients\n"

/**
 * ExampleInfo:
 * @name: in the names of its series, `examples.NAME.requests`
 * @summary: what `--help` says of it, marked with N_()
 * @address: (nullable): where it listens, or where its server is, unless `--address` says otherwise; %NULL:
 * it has none
 * @idle_seconds: after which a silent connection is ended, unless `--idle-timeout` says otherwise; 0: never
 * @is_server: whether it listens, and has limits for its clients
 * @entries: (nullable): options of its own
 * @parameters: (nullable): what stands behind the options, for `--help`; %NULL: nothing may stand there
 * @refusal: (nullable): what a client is told that is one too many; %NULL: EXAMPLE_REFUSAL
 * @is_datagram: whether it listens for datagrams: then there are no connections to limit
 *
 * What distinguishes one example from another.
 */
typedef struct
{
  const char *name;
  const char *summary;
  const char *address;
  guint idle_seconds;
  gboolean is_server;
  const GOptionEntry *entries;
  const char *parameters;
  const char *refusal;
  gboolean is_datagram;
} ExampleInfo;

typedef struct Example Example;

Example *example_new (const ExampleInfo *info, int *argc, char ***argv);
void example_free (Example *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Example, example_free)

ExampleReport *example_get_report (Example *self);
const char *example_get_address (Example *self);

/**
 * ExampleListenFunc:
 * @user_data: what was given to example_listen_by()
 * @address: where to listen; its port may be 0
 *
 * Listens at one address.
 *
 * Returns: (transfer full): the address with its port; %NULL with @error set where that failed
 */
typedef GSocketAddress *(*ExampleListenFunc) (gpointer user_data, GSocketAddress *address, GError **error);

gboolean example_listen_by (Example *self, ExampleListenFunc listen, gpointer user_data);
gboolean example_listen (Example *self, GSocketListener *listener);
int example_run (Example *self);
void example_quit (Example *self, int status);

/* A client comes and goes: example_open(), and when nothing is under way with it any more example_close(),
 * which goes on by itself with a reference of its own. */

/* Whether one more client may be there, and counts it; if not, it is told so and sent away. */
gboolean example_open (Example *self, GSocketConnection *connection);
/* Ends what example_open() let in: example_let_go(), and then example_closed(). */
void example_close (Example *self, GSocketConnection *connection);

/* The two halves of it. Ends a connection so that the last answer still arrives, and calls GONE when that is
 * done: for one that example_open() did not let in, or that is counted in another way. */
void example_let_go (Example *self, GSocketConnection *connection, void (*gone) (Example *self));
/* Counts that a client has gone, without a word to it: for whoever closes the connection itself. In any
 * thread. */
void example_closed (Example *self);

G_END_DECLS
