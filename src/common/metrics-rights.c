/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-rights.h"

#include <unistd.h>

/**
 * metrics_rights_get_name:
 * @rights: at least one right
 *
 * Returns: (transfer none): the name of it, or of the first one of several
 */
const char *
metrics_rights_get_name (MetricsRights rights)
{
  if (rights & METRICS_RIGHTS_READ)
    return "read";
  return rights & METRICS_RIGHTS_PUT ? "put" : "delete";
}

/**
 * metrics_rights_parse:
 * @text: names of rights, joined by `+`: `read+put+delete`
 * @rights: (out): the rights
 *
 * Returns: %FALSE where one of the names is not that of a right
 */
gboolean
metrics_rights_parse (const char *text, MetricsRights *rights)
{
  g_auto (GStrv) names = g_strsplit (text, "+", -1);
  MetricsRights result = METRICS_RIGHTS_NONE;

  for (guint i = 0; names[i] != NULL; i++)
    {
      if (g_str_equal (names[i], "read"))
        result |= METRICS_RIGHTS_READ;
      else if (g_str_equal (names[i], "put"))
        result |= METRICS_RIGHTS_PUT;
      else if (g_str_equal (names[i], "delete"))
        result |= METRICS_RIGHTS_DELETE;
      else
        return FALSE;
    }
  *rights = result;
  return result != METRICS_RIGHTS_NONE;
}

/**
 * metrics_rights_of_peer:
 * @socket: a connected unix socket
 *
 * What the user at the other end may do: who runs the server and the superuser everything, all others read
 * and put. The kernel says who it is, as of the time of connecting (SO_PEERCRED).
 *
 * Returns: the rights
 */
MetricsRights
metrics_rights_of_peer (GSocket *socket)
{
  g_autoptr (GCredentials) credentials = g_socket_get_credentials (socket, NULL);
  uid_t uid = credentials != NULL ? g_credentials_get_unix_user (credentials, NULL) : (uid_t) -1;

  if (uid != (uid_t) -1 && (uid == 0 || uid == geteuid ()))
    return METRICS_RIGHTS_ALL;
  return METRICS_RIGHTS_READ | METRICS_RIGHTS_PUT;
}
