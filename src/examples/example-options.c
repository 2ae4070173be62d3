/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-options.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define DEFAULT_MAX_CONNECTIONS 1000
/* What a process has open besides its clients. */
#define OTHER_DESCRIPTORS 64
#define MAX_NAME_LENGTH 64

/* Says what is wrong with the command line, and ends the program as one does for that. */
G_NORETURN static void
fail_usage (const char *message)
{
  g_printerr ("%s: %s\n", g_get_prgname (), message);
  exit (2);
}

static void
add_server_entries (ExampleOptions *self, GOptionContext *context, const char *idle_text)
{
  const GOptionEntry entries[] = {
    { "max-connections", 0, 0, G_OPTION_ARG_INT, &self->max_connections,
      N_ ("Clients that may be there at once (default: 1000)"), N_ ("N") },
    { "idle-timeout", 0, 0, G_OPTION_ARG_INT, &self->idle_seconds, idle_text, N_ ("SECONDS") },
    { NULL },
  };

  g_option_context_add_main_entries (context, entries, NULL);
}

/* Whether there are connections, of which there may be too many. */
static gboolean
has_connections (const ExampleInfo *info)
{
  return info->is_server && info->address != NULL && !info->is_datagram;
}

static void
parse (ExampleOptions *self, const ExampleInfo *info, int *argc, char ***argv)
{
  /* A context keeps the pointers to such texts. */
  g_autofree char *address_text = g_strdup_printf (info->is_server ? _ ("Where it listens (default: %s)")
                                                                   : _ ("Where the server is (default: %s)"),
                                                   info->address);
  g_autofree char *name_text
      = g_strdup_printf (_ ("In the names of its series, examples.NAME.* (default: %s)"), info->name);
  g_autofree char *idle_text
      = g_strdup_printf (_ ("After how long a silent client is sent away; 0: never (default: %u)"),
                         info->idle_seconds);
  const GOptionEntry address_entries[] = {
    { "address", 'a', 0, G_OPTION_ARG_STRING, &self->address, address_text, N_ ("HOST:PORT") },
    { NULL },
  };
  const GOptionEntry entries[] = {
    { "metrics", 'm', 0, G_OPTION_ARG_FILENAME, &self->metrics,
      N_ ("Where metricsd is (default: $METRICSD_ADDRESS, else 127.0.0.1:8888)"), N_ ("ADDRESS") },
    { "name", 'n', 0, G_OPTION_ARG_STRING, &self->name, name_text, N_ ("NAME") },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (info->parameters);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, _ (info->summary));
  if (info->entries != NULL)
    g_option_context_add_main_entries (context, info->entries, NULL);
  if (info->address != NULL)
    g_option_context_add_main_entries (context, address_entries, NULL);
  if (has_connections (info))
    add_server_entries (self, context, idle_text);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    fail_usage (error->message);
}

/* Whether it can be a part of a key. */
static gboolean
is_name (const char *text)
{
  gsize length = strlen (text);

  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p))
      return FALSE;
  return length > 0 && length <= MAX_NAME_LENGTH;
}

/* Returns: (transfer full) (nullable): ADDRESS, with the port of the usual one where it has none */
static char *
complete_address (const char *address, const char *usual)
{
  g_autoptr (GSocketConnectable) model = usual != NULL ? g_network_address_parse (usual, 0, NULL) : NULL;
  guint16 port = model != NULL ? g_network_address_get_port (G_NETWORK_ADDRESS (model)) : 0;
  g_autoptr (GSocketConnectable) whole
      = address != NULL ? g_network_address_parse (address, port, NULL) : NULL;
  const char *host;

  if (whole == NULL || *address == '\0')
    return g_strdup (address);
  host = g_network_address_get_hostname (G_NETWORK_ADDRESS (whole));
  /* What is no host is said as it was written. */
  if (strchr (host, ':') != NULL && !g_hostname_is_ip_address (host))
    return g_strdup (address);
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
                          g_network_address_get_port (G_NETWORK_ADDRESS (whole)));
}

/* Accepting without a descriptor left would fail again and again: the limit of clients comes first. */
static void
make_room_for_descriptors (ExampleOptions *self)
{
  rlim_t wanted = (rlim_t) self->max_connections + OTHER_DESCRIPTORS;
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return;
  limit.rlim_cur = MIN (limit.rlim_max, wanted);
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return;
  self->max_connections = MAX (1, (int) limit.rlim_cur - OTHER_DESCRIPTORS);
  g_printerr (_ ("%s: %d clients at most, for there are no more descriptors (ulimit -Hn)\n"),
              g_get_prgname (), self->max_connections);
}

/* Reads the command line of the example that INFO describes. Where it is wrong the program ends, with
 * status 2. */
void
example_options_init (ExampleOptions *self, const ExampleInfo *info, int *argc, char ***argv)
{
  g_autofree char *address = NULL;

  *self = (ExampleOptions){ .max_connections = DEFAULT_MAX_CONNECTIONS, .idle_seconds = info->idle_seconds };
  parse (self, info, argc, argv);
  if (*argc > 1 && info->parameters == NULL)
    fail_usage (_ ("there is a word too many behind the options"));
  if (self->max_connections < 1 || self->idle_seconds < 0)
    fail_usage (_ ("--max-connections is 1 or more, --idle-timeout 0 or more"));
  if (self->name != NULL && !is_name (self->name))
    fail_usage (_ ("--name is a word of 1 to 64 ASCII characters"));
  if (self->name == NULL)
    self->name = g_strdup (info->name);
  address = self->address;
  self->address = complete_address (address != NULL ? address : info->address, info->address);
  if (has_connections (info))
    make_room_for_descriptors (self);
}

/* Frees what the options have. */
void
example_options_clear (ExampleOptions *self)
{
  g_free (self->address);
  g_free (self->metrics);
  g_free (self->name);
}
