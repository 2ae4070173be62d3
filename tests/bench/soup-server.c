/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What metricsd's HTTP is measured beside: SoupServer, and clients of lines in the same main context.
 *
 * `soup-server`: connections are accepted by a GSocketService and handed over, which is the way for a server
 * that counts and limits all its clients in one place. `soup-server own`: SoupServer listens itself. The two
 * ports, of HTTP and of lines, are printed; each line is answered as `ping` is. What becomes of a stream is
 * told on standard error. */

#include <gio/gio.h>
#include <glib-unix.h>
#include <libsoup/soup.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 1024
#define N_PIECES 3

static void
answer (SoupServerMessage *message)
{
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_STATIC, "{\"status\":\"ok\"}\n",
                                    16);
}

static void
health_cb (SoupServer *server,
           SoupServerMessage *message,
           const char *path,
           GHashTable *query,
           gpointer user_data)
{
  answer (message);
}

static void
post_cb (SoupServer *server,
         SoupServerMessage *message,
         const char *path,
         GHashTable *query,
         gpointer user_data)
{
  g_printerr ("body: %" G_GINT64_FORMAT "\n",
              (gint64) soup_server_message_get_request_body (message)->length);
  answer (message);
}

static void
append (SoupServerMessage *message, const char *piece)
{
  soup_message_body_append (soup_server_message_get_response_body (message), SOUP_MEMORY_STATIC, piece,
                            strlen (piece));
}

static void
begin_chunks (SoupServerMessage *message)
{
  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_set_encoding (soup_server_message_get_response_headers (message),
                                     SOUP_ENCODING_CHUNKED);
  soup_message_body_set_accumulate (soup_server_message_get_response_body (message), FALSE);
  append (message, "piece\n");
}

static void
wrote_chunk_cb (SoupServerMessage *message, gpointer user_data)
{
  int *left = user_data;

  if (*left > 1)
    append (message, "piece\n");
  else if (*left == 1)
    soup_message_body_complete (soup_server_message_get_response_body (message));
  --*left;
}

static void
free_data (gpointer data, GClosure *closure)
{
  g_free (data);
}

static void
chunked_cb (SoupServer *server,
            SoupServerMessage *message,
            const char *path,
            GHashTable *query,
            gpointer user_data)
{
  int *left = g_new (int, 1);

  *left = N_PIECES;
  g_signal_connect_data (message, "wrote-chunk", G_CALLBACK (wrote_chunk_cb), left, free_data, 0);
  begin_chunks (message);
}

static void
finished_cb (SoupServerMessage *message, gpointer user_data)
{
  g_printerr ("stream: finished\n");
}

/* Nothing more is to be said for now. */
static void
stream_cb (SoupServer *server,
           SoupServerMessage *message,
           const char *path,
           GHashTable *query,
           gpointer user_data)
{
  SoupServerMessage **stream = user_data;

  g_set_object (stream, message);
  g_signal_connect (message, "wrote-chunk", G_CALLBACK (soup_server_message_pause), NULL);
  g_signal_connect (message, "finished", G_CALLBACK (finished_cb), NULL);
  begin_chunks (message);
}

/* Something is said on the stream. */
static void
say_cb (SoupServer *server,
        SoupServerMessage *message,
        const char *path,
        GHashTable *query,
        gpointer user_data)
{
  SoupServerMessage **stream = user_data;

  append (*stream, "again\n");
  soup_server_message_unpause (*stream);
  answer (message);
}

static gboolean
http_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  g_autoptr (GSocketAddress) local = g_socket_connection_get_local_address (connection, NULL);
  g_autoptr (GSocketAddress) remote = g_socket_connection_get_remote_address (connection, NULL);

  soup_server_accept_iostream (user_data, G_IO_STREAM (connection), local, remote, NULL);
  return TRUE;
}

static gboolean
line_cb (int fd, GIOCondition condition, gpointer user_data)
{
  char data[4096];
  gssize n = recv (fd, data, sizeof data, MSG_DONTWAIT);

  if (n > 0)
    send (fd, "ok\n\n", 4, MSG_NOSIGNAL);
  else if (n == 0)
    g_object_unref (user_data);
  return n != 0;
}

static gboolean
lines_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  g_unix_fd_add (g_socket_get_fd (g_socket_connection_get_socket (connection)), G_IO_IN, line_cb,
                 g_object_ref (connection));
  return TRUE;
}

static guint
listen_for (GCallback callback, gpointer user_data)
{
  GSocketService *service = g_socket_service_new ();
  GError *error = NULL;
  guint port;

  /* It has to be known before. */
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (service), BACKLOG);
  port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, &error);
  if (port == 0)
    g_error ("%s", error->message);
  g_signal_connect (service, "incoming", callback, user_data);
  return port;
}

static guint
listen_itself (SoupServer *server)
{
  GError *error = NULL;
  GSList *uris;
  guint port;

  if (!soup_server_listen_local (server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
    g_error ("%s", error->message);
  uris = soup_server_get_uris (server);
  port = g_uri_get_port (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  return port;
}

int
main (int argc, char **argv)
{
  g_autoptr (SoupServer) server = soup_server_new (NULL, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  SoupServerMessage *stream = NULL;
  guint http;

  soup_server_add_handler (server, "/healthz", health_cb, NULL, NULL);
  soup_server_add_handler (server, "/post", post_cb, NULL, NULL);
  soup_server_add_handler (server, "/chunked", chunked_cb, NULL, NULL);
  soup_server_add_handler (server, "/stream", stream_cb, &stream, NULL);
  soup_server_add_handler (server, "/say", say_cb, &stream, NULL);
  http = argc > 1 ? listen_itself (server) : listen_for (G_CALLBACK (http_cb), server);
  printf ("%u %u\n", http, listen_for (G_CALLBACK (lines_cb), NULL));
  fflush (stdout);
  g_unix_signal_add (SIGTERM, G_SOURCE_FUNC (g_main_loop_quit), loop);
  g_main_loop_run (loop);
  g_clear_object (&stream);
  return 0;
}
