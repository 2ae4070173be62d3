/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-listener-private.h"

#include "common/metrics-address.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <string.h>

/* Where to listen, as people write it and as it is shown to them. */

/* What a name of passed sockets follows. */
#define PASSED_PREFIX "fd:"

static gboolean
parse_option (MetricsListener *self, const char *option, GError **error)
{
  if (g_str_has_prefix (option, "rights="))
    {
      self->has_rights = metrics_rights_parse (option + strlen ("rights="), &self->rights);
      if (self->has_rights)
        return TRUE;
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   _ ("'%s': rights are read, put and delete, joined by '+'"), option);
      return FALSE;
    }
  if (self->path != NULL && g_str_has_prefix (option, "mode="))
    return metrics_unix_owner_parse_mode (&self->owner, option + strlen ("mode="), error);
  if (self->path != NULL && g_str_has_prefix (option, "owner="))
    return metrics_unix_owner_parse_owner (&self->owner, option + strlen ("owner="), error);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("'%s': a listener takes rights=, and a unix socket mode= and owner= as well"), option);
  return FALSE;
}

static gboolean
parse_address (MetricsListener *self, const char *text, guint16 default_port, GError **error)
{
  g_autoptr (GSocketConnectable) address = NULL;

  if (g_str_has_prefix (text, PASSED_PREFIX))
    {
      self->passed_name = g_strdup (text + strlen (PASSED_PREFIX));
      if (self->passed_name[0] != '\0')
        return TRUE;
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _ ("'%s': the name is empty"), text);
      return FALSE;
    }

  address = metrics_address_parse (text, default_port, error);
  if (address == NULL)
    return FALSE;
  if (G_IS_UNIX_SOCKET_ADDRESS (address))
    self->path = g_strdup (g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (address)));
  else
    {
      const char *hosts[] = { g_network_address_get_hostname (G_NETWORK_ADDRESS (address)), NULL };

      self->hosts = g_strdupv ((GStrv) hosts);
      self->port = g_network_address_get_port (G_NETWORK_ADDRESS (address));
      self->rights = METRICS_RIGHTS_ALL;
    }
  return TRUE;
}

/**
 * metrics_listener_new_parse:
 * @text: `ADDRESS[,rights=RIGHTS][,mode=MODE][,owner=USER[:GROUP]]`, the address as metrics_address_parse()
 * takes it, or `fd:NAME` for the sockets of that name which the service manager passed
 * @default_port: the port, where the address has none
 * @error: return location for a #GError
 *
 * Returns: (transfer full): a listener, or %NULL where the text is not one
 */
MetricsListener *
metrics_listener_new_parse (const char *text, guint16 default_port, GError **error)
{
  g_autoptr (MetricsListener) self = g_object_new (METRICS_TYPE_LISTENER, NULL);
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  if (!parse_address (self, parts[0] != NULL ? parts[0] : "", default_port, error))
    return NULL;
  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    if (!parse_option (self, parts[i], error))
      return NULL;
  return g_steal_pointer (&self);
}

/* A name that is not in the file system, which only a passed socket can have, is written as systemd does. */
char *
metrics_listener_describe_address (GSocketAddress *address)
{
  if (G_IS_UNIX_SOCKET_ADDRESS (address)
      && g_unix_socket_address_get_address_type (G_UNIX_SOCKET_ADDRESS (address))
             != G_UNIX_SOCKET_ADDRESS_PATH)
    return g_strconcat ("unix:@", g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (address)), NULL);
  if (G_IS_UNIX_SOCKET_ADDRESS (address))
    return g_strconcat ("unix:", g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (address)), NULL);
  return g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address));
}

/**
 * metrics_listener_describe:
 * @self: a listener
 *
 * Returns: (transfer full) (element-type utf8): where it listens, with the ports that the system chose, in
 * the form that metrics_address_parse() reads (but for `unix:@NAME`, a unix socket in no file)
 */
GPtrArray *
metrics_listener_describe (MetricsListener *self)
{
  GPtrArray *texts;

  g_return_val_if_fail (METRICS_IS_LISTENER (self), NULL);

  texts = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < self->sockets->len; i++)
    {
      g_autoptr (GSocketAddress) address = g_socket_get_local_address (self->sockets->pdata[i], NULL);

      if (address != NULL)
        g_ptr_array_add (texts, metrics_listener_describe_address (address));
    }
  return texts;
}
