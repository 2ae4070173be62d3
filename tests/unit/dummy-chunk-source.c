/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-chunk-source.h"

#include <string.h>

/* What a query has asked for. */
typedef struct
{
  DummyChunkSource *source; /* (unowned) */
  MetricsQuery *query;      /* (unowned) */
  guint id;                 /* of the idle source; 0 where it does not wait */
  const MetricsChunk *at_hand[METRICS_CHUNK_SOURCE_AT_HAND]; /* (unowned): the newest one first */
} Request;

struct _DummyChunkSource
{
  GObject parent_instance;

  GHashTable *requests; /* (owned) (element-type MetricsQuery Request) */
  guint n_fetched;
  guint n_cancelled;
};

static void dummy_chunk_source_iface_init (MetricsChunkSourceInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (DummyChunkSource,
                               dummy_chunk_source,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (METRICS_TYPE_CHUNK_SOURCE,
                                                      dummy_chunk_source_iface_init))

static gboolean
on_idle (gpointer data)
{
  Request *request = data;

  request->id = 0;
  request->source->n_fetched++;
  metrics_query_wake (request->query);
  return G_SOURCE_REMOVE;
}

static Request *
get_request (DummyChunkSource *self, MetricsQuery *query)
{
  Request *request = g_hash_table_lookup (self->requests, query);

  if (request == NULL)
    {
      request = g_new0 (Request, 1);
      request->source = self;
      request->query = query;
      g_hash_table_insert (self->requests, query, request);
    }
  return request;
}

static gboolean
dummy_chunk_source_request (MetricsChunkSource *source, MetricsChunk *chunk, MetricsQuery *query)
{
  Request *request = get_request (DUMMY_CHUNK_SOURCE (source), query);

  g_assert_true (metrics_chunk_is_sealed (chunk));
  g_assert_cmpuint (request->id, ==, 0);

  for (guint i = 0; i < G_N_ELEMENTS (request->at_hand); i++)
    {
      if (request->at_hand[i] == chunk)
        return TRUE;
    }
  memmove (request->at_hand + 1, request->at_hand,
           (G_N_ELEMENTS (request->at_hand) - 1) * sizeof request->at_hand[0]);
  request->at_hand[0] = chunk;
  request->id = g_idle_add (on_idle, request);
  return FALSE;
}

static void
dummy_chunk_source_cancel (MetricsChunkSource *source, MetricsQuery *query)
{
  DummyChunkSource *self = DUMMY_CHUNK_SOURCE (source);
  Request *request = get_request (self, query);

  g_assert_cmpuint (request->id, !=, 0);
  g_source_remove (request->id);
  g_hash_table_remove (self->requests, query);
  self->n_cancelled++;
}

static void
dummy_chunk_source_iface_init (MetricsChunkSourceInterface *iface)
{
  iface->request = dummy_chunk_source_request;
  iface->cancel = dummy_chunk_source_cancel;
}

static void
dummy_chunk_source_init (DummyChunkSource *self)
{
  self->requests = g_hash_table_new_full (NULL, NULL, NULL, g_free);
}

static void
dummy_chunk_source_finalize (GObject *object)
{
  DummyChunkSource *self = DUMMY_CHUNK_SOURCE (object);

  g_hash_table_unref (self->requests);

  G_OBJECT_CLASS (dummy_chunk_source_parent_class)->finalize (object);
}

static void
dummy_chunk_source_class_init (DummyChunkSourceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = dummy_chunk_source_finalize;
}

DummyChunkSource *
dummy_chunk_source_new (void)
{
  return g_object_new (DUMMY_TYPE_CHUNK_SOURCE, NULL);
}

guint
dummy_chunk_source_get_n_fetched (DummyChunkSource *self)
{
  return self->n_fetched;
}

guint
dummy_chunk_source_get_n_cancelled (DummyChunkSource *self)
{
  return self->n_cancelled;
}
