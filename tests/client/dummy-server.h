/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A server that does what a test says, in threads of its own: each connection is given to the test's handler,
 * which may block, and is closed when that returns. */

/* As g_test_init(), but keeps GIO's debug messages, which come from other threads, out of the midst of TAP's
 * lines. */
void dummy_test_init (int *argc, char ***argv);

typedef struct _DummyServer DummyServer;
typedef struct _DummyPeer DummyPeer;
typedef void (*DummyHandler) (DummyPeer *peer, gpointer user_data);

DummyServer *dummy_server_new (DummyHandler handler, gpointer user_data);
DummyServer *dummy_server_new_unix (DummyHandler handler, gpointer user_data);
void dummy_server_free (DummyServer *self);
const char *dummy_server_get_address (DummyServer *self);

/* for handlers */
guint dummy_peer_get_number (DummyPeer *self);
char *dummy_peer_read_line (DummyPeer *self);
gboolean dummy_peer_write (DummyPeer *self, const char *text);
gboolean dummy_peer_write_slowly (DummyPeer *self, const char *text);
void dummy_peer_answer_all (DummyPeer *self, const char *answer);
void dummy_peer_wait_for_end (DummyPeer *self);
void dummy_peer_close (DummyPeer *self);

/* Something that one thread waits for and another one makes happen. */
typedef struct
{
  GMutex mutex;
  GCond cond;
  gboolean has_happened;
} DummyEvent;

void dummy_event_set (DummyEvent *self);
void dummy_event_wait (DummyEvent *self);

/* An address of the loopback interface at which nobody listens. */
char *dummy_make_dead_address (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DummyServer, dummy_server_free)

G_END_DECLS
