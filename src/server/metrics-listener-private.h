/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "server/metrics-listener.h"
#include "server/metrics-unix-socket.h"

G_BEGIN_DECLS

/**
 * MetricsListener:
 *
 * An address at which clients are expected, and what they may do: a TCP host and port, where the host can
 * stand for several addresses, a unix socket, or the sockets of a name that the service manager passed.
 */
struct _MetricsListener
{
  GObject parent;

  GStrv hosts; /* (owned) (nullable): of TCP */
  guint16 port;

  char *path; /* (owned) (nullable): of a unix socket */
  MetricsUnixOwner owner;

  char *passed_name; /* (owned) (nullable): of sockets that were passed */

  MetricsRights rights; /* 0: the credentials of the peer decide */
  gboolean has_rights;  /* whether these were asked for */
  gboolean is_http;     /* whether clients speak HTTP there */
  gboolean is_default;  /* whether it is there only since nobody named another one */

  GPtrArray *sockets; /* (owned) (element-type GSocket) */
  MetricsUnixIdentity identity;
};

char *metrics_listener_describe_address (GSocketAddress *address);

G_END_DECLS
