/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chat-member.h"

#include <glib/gi18n.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* After how long a client that says nothing is asked whether it is still there, and how often: one that has
 * vanished without a word is gone after two minutes. */
#define KEEPALIVE_SECONDS 60
#define KEEPALIVE_INTERVAL_SECONDS 10
#define KEEPALIVE_PROBES 6

static int hold_msec = 50;
static int join_seconds = 60;

static void
set_up_socket (GSocket *socket)
{
  /* Who only reads may be silent for as long as it likes, but not dead. */
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_SECONDS, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES, NULL);
  /* A message does not wait until the one before has been acknowledged. */
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
}

static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  Example *example = user_data;

  if (!example_open (example, connection))
    return TRUE;
  set_up_socket (g_socket_connection_get_socket (connection));
  chat_member_start (example, connection, hold_msec, join_seconds);
  return TRUE;
}

int
main (int argc, char **argv)
{
  static const GOptionEntry entries[] = {
    { "hold", 0, 0, G_OPTION_ARG_INT, &hold_msec,
      N_ ("How long the rest of a client's first line may take (default: 50)"), N_ ("MILLISECONDS") },
    { "join-timeout", 0, 0, G_OPTION_ARG_INT, &join_seconds,
      N_ ("After how long a client that has named no room is sent away; 0: never (default: 60)"),
      N_ ("SECONDS") },
    { NULL },
  };
  static const ExampleInfo info = {
    .name = "chat-server",
    .summary
    = N_ ("Chat rooms: the first byte of a client names one, its messages go to all in it, exit leaves."),
    .address = "localhost:25004",
    .is_server = TRUE,
    .entries = entries,
  };
  g_autoptr (Example) example = example_new (&info, &argc, &argv);
  g_autoptr (GSocketService) service = g_socket_service_new ();

  if (hold_msec < 0 || join_seconds < 0)
    {
      g_printerr ("%s: %s\n", g_get_prgname (), _ ("--hold and --join-timeout are 0 or more"));
      return 2;
    }
  g_signal_connect (service, "incoming", G_CALLBACK (incoming_cb), example);
  if (!example_listen (example, G_SOCKET_LISTENER (service)))
    return 1;
  return example_run (example);
}
