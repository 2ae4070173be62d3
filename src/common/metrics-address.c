/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-address.h"

#include "common/metrics-names.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/un.h>

#define BUS_PREFIX "bus:"

/* Says why what begins as the address of a bus does cannot be used. */
static void
set_bus_error (const char *text, GError **error)
{
  if (metrics_address_parse_bus (text) == G_BUS_TYPE_NONE)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _ ("no such bus: '%s' (there are %s and %s)"), text, METRICS_BUS_ADDRESS_SESSION,
                 METRICS_BUS_ADDRESS_SYSTEM);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("a bus cannot be used here: '%s'"), text);
}

/**
 * metrics_address_parse:
 * @text: `HOST`, `HOST:PORT`, `[IPV6]:PORT`, `unix:PATH` or an absolute path
 * @default_port: the port where the text has none
 * @error: return location for a #GError
 *
 * Reads the address of a socket, in the form in which all programs of the project take it. A bus, see
 * metrics_address_parse_bus(), is none.
 *
 * Returns: (transfer full): where to connect to, or %NULL with %G_IO_ERROR_INVALID_ARGUMENT
 */
GSocketConnectable *
metrics_address_parse (const char *text, guint16 default_port, GError **error)
{
  const char *path = NULL;

  if (g_str_has_prefix (text, BUS_PREFIX))
    {
      set_bus_error (text, error);
      return NULL;
    }
  if (g_str_has_prefix (text, "unix:"))
    path = text + strlen ("unix:");
  else if (text[0] == '/')
    path = text;

  if (path == NULL)
    {
      GSocketConnectable *connectable = NULL;

      /* A number alone would be a host of IPv4, in a form that nobody means: a port was meant. */
      if (text[strspn (text, "0123456789")] != '\0' && strstr (text, "://") == NULL)
        connectable = g_network_address_parse (text, default_port, NULL);
      if (connectable == NULL)
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                     _ ("not an address: '%s'; it is HOST:PORT, HOST, [IPV6]:PORT or unix:PATH"), text);
      return connectable;
    }

  if (path[0] == '\0' || strlen (path) >= sizeof (((struct sockaddr_un *) NULL)->sun_path))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   /* Translators: a number of bytes, 107, and the path */
                   _ ("not a path for a unix socket (1 to %zu bytes): '%s'"),
                   sizeof (((struct sockaddr_un *) NULL)->sun_path) - 1, path);
      return NULL;
    }
  return G_SOCKET_CONNECTABLE (g_unix_socket_address_new (path));
}

/**
 * metrics_address_parse_bus:
 * @text: any address
 *
 * Returns: the bus that the address stands for; %G_BUS_TYPE_NONE where it stands for none
 */
GBusType
metrics_address_parse_bus (const char *text)
{
  if (strcmp (text, METRICS_BUS_ADDRESS_SESSION) == 0)
    return G_BUS_TYPE_SESSION;
  if (strcmp (text, METRICS_BUS_ADDRESS_SYSTEM) == 0)
    return G_BUS_TYPE_SYSTEM;
  return G_BUS_TYPE_NONE;
}

/**
 * metrics_address_get_default:
 *
 * Returns: (transfer none): where a server is expected that nobody named: what the environment says, else the
 * default port of this machine
 */
const char *
metrics_address_get_default (void)
{
  const char *address = g_getenv (METRICS_ADDRESS_VARIABLE);

  return address != NULL && address[0] != '\0' ? address : METRICS_DEFAULT_ADDRESS;
}
