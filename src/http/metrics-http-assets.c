/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-assets.h"

#include "http/metrics-http-private.h"

#include <string.h>

/* What never changes while the server runs: the files of the page.
 *
 * They are in the program, and are sent from there. What gets smaller by it is compressed once, when it is
 * first asked for. A browser keeps them and asks each time whether they are the same, which costs it a small
 * answer: so after an update of the server nobody has an old file beside a new one. */

/* Nothing is loaded from elsewhere, nothing in the page itself is run, nobody has it in a frame. */
#define PAGE_POLICY                                                                                          \
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "      \
  "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* Less is not compressed. */
#define SMALL 1024

struct _MetricsHttpAsset
{
  GBytes *bytes;     /* (owned) */
  GBytes *packed;    /* (owned) (nullable): where that is smaller */
  const char *type;  /* (unowned) */
  char *etag;        /* (owned) */
  char *packed_etag; /* (owned) */
};

struct _MetricsHttpAssets
{
  GResource *resource; /* (owned) */
  char *prefix;        /* (owned) */
  GHashTable *known;   /* (owned) (element-type utf8 MetricsHttpAsset): by their paths, once asked for */
};

static const char *
guess_type (const char *name)
{
  static const struct
  {
    const char *ending;
    const char *type;
  } types[] = {
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".json", METRICS_HTTP_JSON },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".woff2", "font/woff2" },
    { ".webmanifest", "application/manifest+json" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (name, types[i].ending))
      return types[i].type;
  return "application/octet-stream";
}

/* Whether it gets smaller. */
static gboolean
is_text (const char *type)
{
  return !g_str_has_prefix (type, "image/png") && !g_str_has_prefix (type, "font/");
}

/**
 * metrics_http_asset_new:
 * @bytes: something that does not change while the server runs
 * @name: a file name, by whose ending it is known what it is
 *
 * Returns: (transfer full): it, ready to be sent
 */
MetricsHttpAsset *
metrics_http_asset_new (GBytes *bytes, const char *name)
{
  MetricsHttpAsset *self = g_new0 (MetricsHttpAsset, 1);
  g_autofree char *sum = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);

  self->bytes = g_bytes_ref (bytes);
  self->type = guess_type (name);
  if (is_text (self->type) && g_bytes_get_size (bytes) > SMALL)
    self->packed = metrics_http_gzip_bytes (bytes);
  /* Half of it is more than enough; what is compressed is something else, to the byte. */
  self->etag = g_strdup_printf ("\"%.32s\"", sum);
  self->packed_etag = g_strdup_printf ("\"%.32s-gzip\"", sum);
  return self;
}

/**
 * metrics_http_asset_free:
 * @self: (transfer full) (nullable): an asset
 */
void
metrics_http_asset_free (MetricsHttpAsset *self)
{
  if (self == NULL)
    return;
  g_bytes_unref (self->bytes);
  g_clear_pointer (&self->packed, g_bytes_unref);
  g_free (self->etag);
  g_free (self->packed_etag);
  g_free (self);
}

/**
 * metrics_http_asset_answer:
 * @self: an asset
 * @request: a request for it
 *
 * Ends the request with it, or with 304 where the client has it.
 */
void
metrics_http_asset_answer (MetricsHttpAsset *self, MetricsHttpRequest *request)
{
  gboolean is_packed = self->packed != NULL && metrics_http_request_takes_gzip (request);

  metrics_http_request_set_header (request, "Cache-Control", "no-cache");
  if (self->packed != NULL)
    metrics_http_request_set_header (request, "Vary", "Accept-Encoding");
  request->is_packed = is_packed;
  if (g_str_has_prefix (self->type, "text/html"))
    metrics_http_request_set_header (request, "Content-Security-Policy", PAGE_POLICY);
  metrics_http_request_set_etag (request, is_packed ? self->packed_etag : self->etag);
  metrics_http_request_answer (request, 200, self->type, is_packed ? self->packed : self->bytes);
}

/**
 * metrics_http_assets_new:
 * @resource: where they are
 * @prefix: where in it, with a `/` at both ends
 *
 * Returns: (transfer full): the files of a page
 */
MetricsHttpAssets *
metrics_http_assets_new (GResource *resource, const char *prefix)
{
  MetricsHttpAssets *self = g_new0 (MetricsHttpAssets, 1);

  self->resource = g_resource_ref (resource);
  self->prefix = g_strdup (prefix);
  self->known
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) metrics_http_asset_free);
  return self;
}

/**
 * metrics_http_assets_free:
 * @self: (transfer full) (nullable): assets
 */
void
metrics_http_assets_free (MetricsHttpAssets *self)
{
  if (self == NULL)
    return;
  g_resource_unref (self->resource);
  g_free (self->prefix);
  g_hash_table_unref (self->known);
  g_free (self);
}

/* The page itself has the path `/`, and no other; a resource is found by its name with a `/` behind it, too.
 */
static char *
find_name (MetricsHttpAssets *self, const char *path)
{
  if (strcmp (path, "/") == 0)
    return g_strconcat (self->prefix, "index.html", NULL);
  if (path[0] != '/' || g_str_has_suffix (path, "/") || strcmp (path, "/index.html") == 0)
    return NULL;
  return g_strconcat (self->prefix, path + 1, NULL);
}

/**
 * metrics_http_assets_have:
 * @self: (nullable): assets
 * @path: the path of a request
 *
 * Returns: whether it is that of one of them
 */
gboolean
metrics_http_assets_have (MetricsHttpAssets *self, const char *path)
{
  g_autofree char *name = self != NULL ? find_name (self, path) : NULL;

  return name != NULL
         && g_resource_get_info (self->resource, name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL, NULL, NULL);
}

/**
 * metrics_http_assets_answer:
 * @self: assets
 * @request: a request for one of them
 *
 * Ends the request with it.
 */
void
metrics_http_assets_answer (MetricsHttpAssets *self, MetricsHttpRequest *request)
{
  const char *path = metrics_http_request_get_path (request);
  MetricsHttpAsset *asset = g_hash_table_lookup (self->known, path);

  if (asset == NULL)
    {
      g_autofree char *name = find_name (self, path);
      g_autoptr (GBytes) bytes
          = g_resource_lookup_data (self->resource, name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

      asset = metrics_http_asset_new (bytes, name);
      g_hash_table_insert (self->known, g_strdup (path), asset);
    }
  metrics_http_asset_answer (asset, request);
}
