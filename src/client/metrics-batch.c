/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-batch.h>

#include "client/metrics-batch-private.h"
#include "client/metrics-check.h"
#include "client/metrics-request-lines.h"
#include "client/metrics-texts.h"
#include "common/metrics-buffer.h"
#include <glib/gi18n-lib.h>
#include <metrics-glib/metrics-error.h>
#include <string.h>

/**
 * MetricsBatch:
 *
 * Many points that are to be put at once, with [method@Client.put_batch].
 *
 * They are held as the text of their requests, 30 bytes or so each. A batch keeps its points when it has been
 * put, so that it can be put again where that failed; [method@Batch.clear] empties it for others.
 *
 * A batch may be used from any thread, but only from one at a time. It may be changed while
 * [method@Client.put_batch_async] is under way: what is put are the points that it had at the call.
 *
 * Since: 0.1
 */
struct _MetricsBatch
{
  GObject parent_instance;

  MetricsBuffer lines; /* what metrics_request_write_put() wrote; empty while there is @text */
  GBytes *text;        /* (owned) (nullable): the same, once a request shares it and it must not change */
  guint n_points;

  guint n_accepted;
  guint n_refused;
  GArray *refusals; /* (owned) (nullable) (element-type MetricsRefusal) */
};

G_DEFINE_FINAL_TYPE (MetricsBatch, metrics_batch, G_TYPE_OBJECT)

static void
clear_outcome (MetricsBatch *self)
{
  self->n_accepted = 0;
  self->n_refused = 0;
  g_clear_pointer (&self->refusals, g_array_unref);
}

static void
clear_points (MetricsBatch *self)
{
  metrics_buffer_clear (&self->lines);
  g_clear_pointer (&self->text, g_bytes_unref);
  self->n_points = 0;
}

static void
metrics_batch_finalize (GObject *object)
{
  MetricsBatch *self = METRICS_BATCH (object);

  clear_points (self);
  clear_outcome (self);
  G_OBJECT_CLASS (metrics_batch_parent_class)->finalize (object);
}

static void
metrics_batch_class_init (MetricsBatchClass *klass)
{
  metrics_texts_bind ();
  G_OBJECT_CLASS (klass)->finalize = metrics_batch_finalize;
}

static void
metrics_batch_init (MetricsBatch *self)
{
}

/**
 * metrics_batch_new:
 *
 * Makes an empty batch.
 *
 * Returns: (transfer full): the batch
 *
 * Since: 0.1
 */
MetricsBatch *
metrics_batch_new (void)
{
  return g_object_new (METRICS_TYPE_BATCH, NULL);
}

/* Makes the text one that can change again; it is copied only where a request still needs it. */
static void
thaw (MetricsBatch *self)
{
  gsize size;

  if (self->text == NULL)
    return;
  self->lines.data = g_bytes_unref_to_data (g_steal_pointer (&self->text), &size);
  self->lines.start = 0;
  self->lines.end = size;
  self->lines.size = size;
}

/**
 * metrics_batch_add:
 * @self: a batch
 * @key: whose point it is: 1 to 1024 bytes of UTF-8 without white space or control characters, and not `*`
 * @value: what was measured; finite
 * @timestamp: when; by convention seconds since the Unix epoch
 * @error: return location for a #GError
 *
 * Adds a point. Where the batch has several of the same key and timestamp, the last one stays.
 *
 * Returns: %TRUE, or %FALSE with %METRICS_ERROR_INVALID_ARGUMENT where this cannot be a point or the batch is
 * full (4,294,967,295 points); the batch is as it was then
 *
 * Since: 0.1
 */
gboolean
metrics_batch_add (MetricsBatch *self, const char *key, double value, gint64 timestamp, GError **error)
{
  char *line;

  g_return_val_if_fail (METRICS_IS_BATCH (self), FALSE);
  g_return_val_if_fail (key != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!metrics_check_key (key, error) || !metrics_check_value (value, error))
    return FALSE;
  if (self->n_points == G_MAXUINT)
    {
      g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT, _ ("the batch is full"));
      return FALSE;
    }

  thaw (self);
  line = metrics_buffer_reserve (&self->lines, METRICS_REQUEST_MAX_PUT);
  metrics_buffer_commit (&self->lines, metrics_request_write_put (line, key, strlen (key), value, timestamp));
  self->n_points++;
  return TRUE;
}

/**
 * metrics_batch_get_n_points:
 * @self: a batch
 *
 * Gets how many points were added since the batch was made or cleared.
 *
 * Returns: how many points it has
 *
 * Since: 0.1
 */
guint
metrics_batch_get_n_points (MetricsBatch *self)
{
  g_return_val_if_fail (METRICS_IS_BATCH (self), 0);

  return self->n_points;
}

/**
 * metrics_batch_clear:
 * @self: a batch
 *
 * Forgets all points, and what became of them when they were put.
 *
 * Since: 0.1
 */
void
metrics_batch_clear (MetricsBatch *self)
{
  g_return_if_fail (METRICS_IS_BATCH (self));

  clear_points (self);
  clear_outcome (self);
}

/**
 * metrics_batch_get_n_accepted:
 * @self: a batch
 *
 * Gets how many of its points the server is known to have taken when the batch was put last: all where that
 * succeeded; where the connection was lost on the way, those that it had acknowledged. Points are put in the
 * order in which they were added, and answered in that order too.
 *
 * Returns: how many points were acknowledged
 *
 * Since: 0.1
 */
guint
metrics_batch_get_n_accepted (MetricsBatch *self)
{
  g_return_val_if_fail (METRICS_IS_BATCH (self), 0);

  return self->n_accepted;
}

/**
 * metrics_batch_get_n_refused:
 * @self: a batch
 *
 * Gets how many of its points the server refused when the batch was put last.
 *
 * Returns: how many points were refused
 *
 * Since: 0.1
 */
guint
metrics_batch_get_n_refused (MetricsBatch *self)
{
  g_return_val_if_fail (METRICS_IS_BATCH (self), 0);

  return self->n_refused;
}

/**
 * metrics_batch_get_refusal:
 * @self: a batch
 * @nth: which refusal, from 0
 * @index: (out) (optional): which point it was, from 0 in the order in which they were added
 *
 * Gets what the server said to a point that it refused when the batch was put last. The first 100 refusals
 * are kept.
 *
 * Returns: (transfer none) (nullable): the text of the server, which is valid until the batch is put again or
 *   cleared; or %NULL where there were not so many refusals, or no more were kept
 *
 * Since: 0.1
 */
const char *
metrics_batch_get_refusal (MetricsBatch *self, guint nth, guint *index)
{
  const MetricsRefusal *refusal;

  g_return_val_if_fail (METRICS_IS_BATCH (self), NULL);

  if (index != NULL)
    *index = 0;
  if (self->refusals == NULL || nth >= self->refusals->len)
    return NULL;
  refusal = &g_array_index (self->refusals, MetricsRefusal, nth);
  if (index != NULL)
    *index = refusal->index;
  return refusal->text;
}

/**
 * metrics_batch_make_request:
 * @self: a batch
 *
 * Returns: (transfer full): the request that puts the points which it has now
 */
MetricsRequest *
metrics_batch_make_request (MetricsBatch *self)
{
  if (self->n_points == 0)
    return metrics_request_new_done (NULL);
  if (self->text == NULL)
    {
      self->text = g_bytes_new_take (self->lines.data, self->lines.end);
      self->lines = (MetricsBuffer){ NULL };
    }
  return metrics_request_new_put_batch (g_bytes_ref (self->text), self->n_points);
}

/**
 * metrics_batch_take_outcome:
 * @self: a batch
 * @request: a request that metrics_batch_make_request() made and that is done
 *
 * Remembers what became of the points.
 */
void
metrics_batch_take_outcome (MetricsBatch *self, MetricsRequest *request)
{
  clear_outcome (self);
  self->n_accepted = request->n_accepted;
  self->n_refused = request->n_refused;
  self->refusals = g_steal_pointer (&request->refusals);
}
