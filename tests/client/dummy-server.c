/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-server.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct _DummyPeer
{
  DummyServer *server; /* (unowned) */
  GSocket *socket;     /* (owned) */
  GThread *thread;     /* (owned) */
  GString *input;      /* (owned): what came and was not yet read as a line */
  guint number;
};

struct _DummyServer
{
  GSocket *socket;           /* (owned) */
  char *address;             /* (owned) */
  char *directory;           /* (owned) (nullable): holds the unix socket */
  GThread *thread;           /* (owned): accepts */
  GCancellable *cancellable; /* (owned): ends all that blocks */
  DummyHandler handler;
  gpointer user_data;
  GPtrArray *peers; /* (owned) (element-type DummyPeer): all there ever were; @thread's until it has ended */
};

static void
ignore_message (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
}

/**
 * dummy_test_init:
 * @argc: (inout): the address of main()'s argc
 * @argv: (inout): the address of main()'s argv
 *
 * Prepares a test program.
 */
void
dummy_test_init (int *argc, char ***argv)
{
  g_test_init (argc, argv, NULL);
  g_log_set_handler ("GLib-GIO", G_LOG_LEVEL_DEBUG, ignore_message, NULL);
}

static gpointer
peer_run (gpointer data)
{
  DummyPeer *self = data;

  self->server->handler (self, self->server->user_data);
  dummy_peer_close (self);
  return NULL;
}

static void
peer_free (gpointer data)
{
  DummyPeer *self = data;

  g_thread_join (self->thread);
  g_object_unref (self->socket);
  g_string_free (self->input, TRUE);
  g_free (self);
}

static gpointer
server_run (gpointer data)
{
  DummyServer *self = data;

  while (TRUE)
    {
      GSocket *socket = g_socket_accept (self->socket, self->cancellable, NULL);
      DummyPeer *peer;

      if (socket == NULL)
        return NULL;
      peer = g_new0 (DummyPeer, 1);
      peer->server = self;
      peer->socket = socket;
      peer->input = g_string_new (NULL);
      peer->number = self->peers->len;
      if (g_socket_get_family (socket) != G_SOCKET_FAMILY_UNIX)
        g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
      peer->thread = g_thread_new ("dummy-peer", peer_run, peer);
      g_ptr_array_add (self->peers, peer);
    }
}

static DummyServer *
server_start (GSocketAddress *address, DummyHandler handler, gpointer user_data)
{
  DummyServer *self = g_new0 (DummyServer, 1);
  g_autoptr (GError) error = NULL;

  self->socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_STREAM, 0, &error);
  g_assert_no_error (error);
  g_socket_bind (self->socket, address, TRUE, &error);
  g_assert_no_error (error);
  g_socket_listen (self->socket, &error);
  g_assert_no_error (error);

  self->handler = handler;
  self->user_data = user_data;
  self->cancellable = g_cancellable_new ();
  self->peers = g_ptr_array_new_with_free_func (peer_free);
  self->thread = g_thread_new ("dummy-server", server_run, self);
  return self;
}

static char *
print_local_address (GSocket *socket)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);

  return g_strdup_printf ("127.0.0.1:%u", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
}

/**
 * dummy_server_new:
 * @handler: is called for each connection, in a thread of its own
 * @user_data: what to call it with
 *
 * Returns: (transfer full): a server on a free port of the loopback interface
 */
DummyServer *
dummy_server_new (DummyHandler handler, gpointer user_data)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  DummyServer *self = server_start (address, handler, user_data);

  self->address = print_local_address (self->socket);
  return self;
}

/**
 * dummy_server_new_unix:
 * @handler: is called for each connection, in a thread of its own
 * @user_data: what to call it with
 *
 * Returns: (transfer full): a server on a unix socket
 */
DummyServer *
dummy_server_new_unix (DummyHandler handler, gpointer user_data)
{
  g_autofree char *directory = g_dir_make_tmp ("dummy-server-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "socket", NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  DummyServer *self = server_start (address, handler, user_data);

  self->directory = g_steal_pointer (&directory);
  self->address = g_strconcat ("unix:", path, NULL);
  return self;
}

/**
 * dummy_server_free:
 * @self: (transfer full): a server
 *
 * Ends the server, and whatever its handlers read or write, and waits for them to return.
 */
void
dummy_server_free (DummyServer *self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  g_ptr_array_unref (self->peers);
  if (self->directory != NULL)
    {
      g_unlink (self->address + strlen ("unix:"));
      g_rmdir (self->directory);
    }
  g_object_unref (self->socket);
  g_object_unref (self->cancellable);
  g_free (self->directory);
  g_free (self->address);
  g_free (self);
}

/**
 * dummy_server_get_address:
 * @self: a server
 *
 * Returns: (transfer none): where it is, as a client takes it
 */
const char *
dummy_server_get_address (DummyServer *self)
{
  return self->address;
}

/**
 * dummy_peer_get_number:
 * @self: a connection
 *
 * Returns: how many there were before it
 */
guint
dummy_peer_get_number (DummyPeer *self)
{
  return self->number;
}

/**
 * dummy_peer_read_line:
 * @self: a connection
 *
 * Returns: (transfer full) (nullable): the next line, without its line feed; %NULL where there is none any
 * more
 */
char *
dummy_peer_read_line (DummyPeer *self)
{
  char *lf, *line;

  while ((lf = memchr (self->input->str, '\n', self->input->len)) == NULL)
    {
      char buffer[4096];
      gssize n_bytes
          = g_socket_receive (self->socket, buffer, sizeof buffer, self->server->cancellable, NULL);

      if (n_bytes <= 0)
        return NULL;
      g_string_append_len (self->input, buffer, n_bytes);
    }
  line = g_strndup (self->input->str, lf - self->input->str);
  g_string_erase (self->input, 0, lf + 1 - self->input->str);
  return line;
}

/**
 * dummy_peer_write:
 * @self: a connection
 * @text: what to write
 *
 * Writes it all; blocks while the client takes nothing.
 *
 * Returns: %FALSE where the client is gone
 */
gboolean
dummy_peer_write (DummyPeer *self, const char *text)
{
  gsize left = strlen (text);

  while (left > 0)
    {
      gssize n_bytes = g_socket_send (self->socket, text, left, self->server->cancellable, NULL);

      if (n_bytes < 0)
        return FALSE;
      text += n_bytes;
      left -= n_bytes;
    }
  return TRUE;
}

/**
 * dummy_peer_write_slowly:
 * @self: a connection
 * @text: what to write
 *
 * As dummy_peer_write(), but a byte at a time.
 *
 * Returns: %FALSE where the client is gone
 */
gboolean
dummy_peer_write_slowly (DummyPeer *self, const char *text)
{
  for (; *text != '\0'; text++)
    {
      const char byte[] = { *text, '\0' };

      if (!dummy_peer_write (self, byte))
        return FALSE;
      g_thread_yield ();
    }
  return TRUE;
}

/**
 * dummy_peer_answer_all:
 * @self: a connection
 * @answer: the answer to each request, until there are no more
 */
void
dummy_peer_answer_all (DummyPeer *self, const char *answer)
{
  char *line;

  while ((line = dummy_peer_read_line (self)) != NULL)
    {
      g_free (line);
      if (!dummy_peer_write (self, answer))
        return;
    }
}

/**
 * dummy_peer_wait_for_end:
 * @self: a connection
 *
 * Blocks until the client has closed it; what still comes is thrown away.
 */
void
dummy_peer_wait_for_end (DummyPeer *self)
{
  char *line;

  while ((line = dummy_peer_read_line (self)) != NULL)
    g_free (line);
}

/**
 * dummy_peer_close:
 * @self: a connection
 *
 * Closes it, before its handler returns.
 */
void
dummy_peer_close (DummyPeer *self)
{
  g_socket_close (self->socket, NULL);
}

/**
 * dummy_event_set:
 * @self: an event; zero before it has happened
 *
 * Makes it happen.
 */
void
dummy_event_set (DummyEvent *self)
{
  g_mutex_lock (&self->mutex);
  self->has_happened = TRUE;
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->mutex);
}

/**
 * dummy_event_wait:
 * @self: an event
 *
 * Blocks until it has happened.
 */
void
dummy_event_wait (DummyEvent *self)
{
  g_mutex_lock (&self->mutex);
  while (!self->has_happened)
    g_cond_wait (&self->cond, &self->mutex);
  g_mutex_unlock (&self->mutex);
}

/**
 * dummy_make_dead_address:
 *
 * Returns: (transfer full): the address of a port that was free a moment ago
 */
char *
dummy_make_dead_address (void)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, NULL);

  g_assert_true (g_socket_bind (socket, address, FALSE, NULL));
  return print_local_address (socket);
}
