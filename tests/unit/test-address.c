/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-address.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

static void
assert_network (const char *text, const char *host, guint port)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) address = metrics_address_parse (text, 8888, &error);

  g_assert_no_error (error);
  g_assert_true (G_IS_NETWORK_ADDRESS (address));
  g_assert_cmpstr (g_network_address_get_hostname (G_NETWORK_ADDRESS (address)), ==, host);
  g_assert_cmpuint (g_network_address_get_port (G_NETWORK_ADDRESS (address)), ==, port);
}

static void
assert_unix (const char *text, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) address = metrics_address_parse (text, 8888, &error);

  g_assert_no_error (error);
  g_assert_true (G_IS_UNIX_SOCKET_ADDRESS (address));
  g_assert_cmpstr (g_unix_socket_address_get_path (G_UNIX_SOCKET_ADDRESS (address)), ==, path);
}

static void
test_network (void)
{
  assert_network ("localhost", "localhost", 8888);
  assert_network ("localhost:99", "localhost", 99);
  assert_network ("127.0.0.1:65535", "127.0.0.1", 65535);
  assert_network ("[::1]:99", "::1", 99);
  assert_network ("[::1]", "::1", 8888);
}

static void
test_unix (void)
{
  assert_unix ("unix:/run/metricsd/socket", "/run/metricsd/socket");
  assert_unix ("/run/metricsd/socket", "/run/metricsd/socket");
  assert_unix ("unix:relative", "relative");
}

static void
test_refused (void)
{
  g_autofree char *long_path = g_strnfill (200, 'p');
  g_autofree char *too_long = g_strconcat ("unix:/", long_path, NULL);
  const char *const texts[]
      = { "",          "unix:",  "localhost:99999999", "localhost:port", "bus:", "bus:session", "bus:system",
          "bus:other", too_long, too_long + 5 };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GSocketConnectable) address = metrics_address_parse (texts[i], 8888, &error);

      g_assert_null (address);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_assert_null (metrics_address_parse (texts[i], 8888, NULL));
    }
}

static void
test_bus (void)
{
  const char *const others[] = { "", "bus:", "bus:Session", "bus:session ", "session", "unix:bus:session" };

  g_assert_cmpint (metrics_address_parse_bus ("bus:session"), ==, G_BUS_TYPE_SESSION);
  g_assert_cmpint (metrics_address_parse_bus ("bus:system"), ==, G_BUS_TYPE_SYSTEM);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_cmpint (metrics_address_parse_bus (others[i]), ==, G_BUS_TYPE_NONE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/address/network", test_network);
  g_test_add_func ("/address/unix", test_unix);
  g_test_add_func ("/address/refused", test_refused);
  g_test_add_func ("/address/bus", test_bus);
  return g_test_run ();
}
