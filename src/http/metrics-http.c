/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http.h"

#include "http/metrics-http-private.h"

#include <string.h>

/* All bodies that are held at once, in bytes. */
#define MAX_BODIES (4 * METRICS_HTTP_MAX_BODY)

/**
 * MetricsHttp:
 *
 * Serves HTTP to clients that others accept.
 *
 * README.md says how a request goes through the room, and why it is not libsoup's SoupServer that serves.
 */
struct _MetricsHttp
{
  GObject parent;

  MetricsStore *store;   /* (owned) */
  MetricsPoller *poller; /* (unowned) */
  MetricsDisk *disk;     /* (owned) */
  MetricsHttpLimits limits;
  MetricsHttpHost host;
  MetricsHttpFigures figures;
  MetricsHttpAssets *page; /* (owned) (nullable) */
  GStrv names;             /* (owned) (nullable): by which it may be called, beside those that it has */

  GHashTable *clients; /* (owned) (element-type MetricsHttpClient Owner) */
  gsize body_bytes;    /* of all bodies that are held */
  gboolean is_finishing;
};

/* Who handed a client over. */
typedef struct
{
  MetricsHttpReleasedFunc released;
  gpointer user_data; /* (unowned) */
} Owner;

G_DEFINE_FINAL_TYPE (MetricsHttp, metrics_http, G_TYPE_OBJECT)

static void
for_each_client (MetricsHttp *self, void (*func) (MetricsHttpClient *))
{
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer client;

  /* Those that close take themselves out of the table. */
  g_hash_table_iter_init (&iter, self->clients);
  while (g_hash_table_iter_next (&iter, &client, NULL))
    g_ptr_array_add (clients, g_object_ref (client));
  for (guint i = 0; i < clients->len; i++)
    func (clients->pdata[i]);
}

static void
metrics_http_dispose (GObject *object)
{
  MetricsHttp *self = METRICS_HTTP (object);

  for_each_client (self, metrics_http_client_abort);
  g_clear_pointer (&self->disk, metrics_disk_free);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (metrics_http_parent_class)->dispose (object);
}

static void
metrics_http_finalize (GObject *object)
{
  MetricsHttp *self = METRICS_HTTP (object);

  g_hash_table_unref (self->clients);
  g_strfreev (self->names);
  g_clear_pointer (&self->page, metrics_http_assets_free);

  G_OBJECT_CLASS (metrics_http_parent_class)->finalize (object);
}

static void
metrics_http_class_init (MetricsHttpClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = metrics_http_dispose;
  G_OBJECT_CLASS (klass)->finalize = metrics_http_finalize;
}

static void
metrics_http_init (MetricsHttp *self)
{
  self->clients = g_hash_table_new_full (NULL, NULL, g_object_unref, g_free);
}

/**
 * metrics_http_new:
 * @store: what clients put into and read from
 * @poller: what wakes clients; it has to live as long as any of them
 * @limits: what clients can make the server hold or do; copied
 * @host: the rest of the server; copied
 *
 * Returns: (transfer full): what has no client yet
 */
MetricsHttp *
metrics_http_new (MetricsStore *store,
                  MetricsPoller *poller,
                  const MetricsHttpLimits *limits,
                  const MetricsHttpHost *host)
{
  MetricsHttp *self = g_object_new (METRICS_TYPE_HTTP, NULL);

  self->store = g_object_ref (store);
  self->poller = poller;
  self->disk = metrics_disk_new (store);
  self->limits = *limits;
  self->host = *host;
  return self;
}

/**
 * metrics_http_set_limits:
 * @self: it
 * @limits: what clients can make the server hold or do from now on; copied
 *
 * They hold for the clients that are there as well.
 */
void
metrics_http_set_limits (MetricsHttp *self, const MetricsHttpLimits *limits)
{
  g_return_if_fail (METRICS_IS_HTTP (self));

  self->limits = *limits;
  for_each_client (self, metrics_http_client_take_limits);
}

/**
 * metrics_http_set_page:
 * @self: it
 * @resource: the files of a page
 * @prefix: where they are in it, with a `/` at both ends: index.html is served as `/`, all else by its name
 */
void
metrics_http_set_page (MetricsHttp *self, GResource *resource, const char *prefix)
{
  g_return_if_fail (METRICS_IS_HTTP (self));

  g_clear_pointer (&self->page, metrics_http_assets_free);
  self->page = metrics_http_assets_new (resource, prefix);
}

/**
 * metrics_http_set_names:
 * @self: it
 * @names: (array zero-terminated=1): names by which browsers may call it, beside localhost, addresses and the
 *   name of the machine
 */
void
metrics_http_set_names (MetricsHttp *self, const char *const *names)
{
  g_return_if_fail (METRICS_IS_HTTP (self));

  g_strfreev (self->names);
  self->names = g_strdupv ((GStrv) names);
}

static void
client_closed_cb (MetricsHttpClient *client, gpointer user_data)
{
  MetricsHttp *self = user_data;
  const Owner owner = *(const Owner *) g_hash_table_lookup (self->clients, client);

  g_hash_table_remove (self->clients, client);
  self->figures.clients = g_hash_table_size (self->clients);
  owner.released (owner.user_data);
}

/**
 * metrics_http_accept:
 * @self: it
 * @stream: a connected socket; closing it is not the caller's business any more
 * @rights: what who is at its other end may do
 * @is_over_limit: whether there are too many clients: it is told so, and let go
 * @released: what to call when it has gone
 * @user_data: what to call it with
 * @error: return location for a #GError
 *
 * Serves a client.
 *
 * Returns: %FALSE where that cannot be; then nobody is called
 */
gboolean
metrics_http_accept (MetricsHttp *self,
                     GSocketConnection *stream,
                     MetricsRights rights,
                     gboolean is_over_limit,
                     MetricsHttpReleasedFunc released,
                     gpointer user_data,
                     GError **error)
{
  g_autoptr (MetricsHttpClient) client = NULL;
  Owner *owner;

  g_return_val_if_fail (METRICS_IS_HTTP (self), FALSE);

  client = metrics_http_client_new (self, stream, rights);
  if (!metrics_http_client_start (client, self->poller, error))
    return FALSE;
  owner = g_new (Owner, 1);
  *owner = (Owner){ .released = released, .user_data = user_data };
  g_signal_connect (client, "closed", G_CALLBACK (client_closed_cb), self);
  if (is_over_limit)
    metrics_http_client_refuse (client);
  g_hash_table_insert (self->clients, g_steal_pointer (&client), owner);
  self->figures.clients = g_hash_table_size (self->clients);
  return TRUE;
}

/**
 * metrics_http_finish:
 * @self: it
 *
 * Answers what was asked, ends what goes on for ever, and lets all clients go.
 */
void
metrics_http_finish (MetricsHttp *self)
{
  g_return_if_fail (METRICS_IS_HTTP (self));

  self->is_finishing = TRUE;
  for_each_client (self, metrics_http_client_finish);
}

/**
 * metrics_http_abort:
 * @self: it
 *
 * Closes all connections at once, whatever is owed to them.
 */
void
metrics_http_abort (MetricsHttp *self)
{
  g_return_if_fail (METRICS_IS_HTTP (self));

  for_each_client (self, metrics_http_client_abort);
}

/**
 * metrics_http_get_store:
 * @self: it
 *
 * Returns: (transfer none): what clients put into and read from
 */
MetricsStore *
metrics_http_get_store (MetricsHttp *self)
{
  return self->store;
}

/**
 * metrics_http_get_disk:
 * @self: it
 *
 * Returns: (transfer none): where changes wait that have to be on disk before they are answered
 */
MetricsDisk *
metrics_http_get_disk (MetricsHttp *self)
{
  return self->disk;
}

/**
 * metrics_http_get_limits:
 * @self: it
 *
 * Returns: (transfer none): its limits, as they are now
 */
const MetricsHttpLimits *
metrics_http_get_limits (MetricsHttp *self)
{
  return &self->limits;
}

/**
 * metrics_http_get_figures:
 * @self: it
 *
 * Returns: (transfer none): what it has counted
 */
const MetricsHttpFigures *
metrics_http_get_figures (MetricsHttp *self)
{
  return &self->figures;
}

/**
 * metrics_http_is_finishing:
 * @self: it
 *
 * Returns: whether the server stops
 */
gboolean
metrics_http_is_finishing (MetricsHttp *self)
{
  return self->is_finishing;
}

/**
 * metrics_http_get_trouble:
 * @self: it
 *
 * Returns: (transfer none) (nullable): why nothing can be written to the disk now; %NULL where it can
 */
const char *
metrics_http_get_trouble (MetricsHttp *self)
{
  return self->host.get_trouble != NULL ? self->host.get_trouble (self->host.user_data) : NULL;
}

/**
 * metrics_http_foreach_figure:
 * @self: it
 * @func: (scope call): called for each figure of the server
 * @user_data: what to call it with
 */
void
metrics_http_foreach_figure (MetricsHttp *self, MetricsHttpFigureFunc func, gpointer user_data)
{
  if (self->host.foreach_figure != NULL)
    self->host.foreach_figure (func, user_data, self->host.user_data);
}

/* The files of its page; %NULL where it has none. */
MetricsHttpAssets *
metrics_http_get_page (MetricsHttp *self)
{
  return self->page;
}

/* Where clients count. */
MetricsHttpFigures *
metrics_http_count (MetricsHttp *self)
{
  return &self->figures;
}

/* An answer is complete, or was given in place of one. */
void
metrics_http_note_answer (MetricsHttp *self, guint status)
{
  self->figures.requests++;
  self->figures.client_errors += status >= 400 && status < 500;
  self->figures.server_errors += status >= 500;
}

/* Bytes of bodies that are held, or not any more; FALSE where they are too many. */
gboolean
metrics_http_reserve_body (MetricsHttp *self, gssize n_bytes)
{
  self->body_bytes += n_bytes;
  return self->body_bytes <= MAX_BODIES;
}

static gboolean
equals (const char *text, gsize len, const char *name)
{
  return len == strlen (name) && g_ascii_strncasecmp (text, name, len) == 0;
}

static gboolean
is_machine (const char *text, gsize len)
{
  const char *machine = g_get_host_name ();
  gsize first = strcspn (machine, ".");

  return equals (text, len, machine) || (len == first && g_ascii_strncasecmp (text, machine, first) == 0)
         || (len == first + strlen (".local") && g_ascii_strncasecmp (text, machine, first) == 0
             && g_ascii_strncasecmp (text + first, ".local", strlen (".local")) == 0);
}

/* Whether it may be called so, with or without a port. An address is no name: nobody can let another one's
 * point to this machine. */
gboolean
metrics_http_is_name (MetricsHttp *self, const char *host)
{
  gsize len = host[0] == '[' ? strcspn (host, "]") + 1 : strcspn (host, ":");
  g_autofree char *name = g_strndup (host, len);

  if (host[0] == '[' || g_hostname_is_ip_address (name))
    return TRUE;
  /* The dot behind a name that is complete. */
  if (len > 1 && host[len - 1] == '.')
    len--;
  if (equals (host, len, "localhost") || is_machine (host, len)
      || (len > strlen (".localhost")
          && equals (host + len - strlen (".localhost"), strlen (".localhost"), ".localhost")))
    return TRUE;
  for (guint i = 0; self->names != NULL && self->names[i] != NULL; i++)
    if (equals (host, len, self->names[i]))
      return TRUE;
  return FALSE;
}
