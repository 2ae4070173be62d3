/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-store-log.h"

#include "common/metrics-log.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* What is said of points that reach a limit, whichever way they came. */

/* Returns: whether that is a limit, and then which event it is */
static gboolean
find_event (const GError *error, MetricsEvent *event)
{
  if (g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_SERIES_LIMIT))
    *event = METRICS_EVENT_SERIES_LIMIT;
  else if (g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_MEMORY_LIMIT))
    *event = METRICS_EVENT_MEMORY_LIMIT;
  else
    return FALSE;
  return TRUE;
}

static void
log_series_limit (const char *client, guint64 limit)
{
  metrics_log (METRICS_EVENT_SERIES_LIMIT,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_NUMBER (LIMIT, limit)),
               /* Translators: a series is all points of a key */
               ngettext ("a point of client %s is refused: the limit of %" PRIu64 " series is reached",
                         "a point of client %s is refused: the limit of %" PRIu64 " series is reached",
                         limit),
               client, limit);
}

static void
log_memory_limit (const char *client, guint64 limit)
{
  g_autofree char *size = g_format_size_full (limit, G_FORMAT_SIZE_IEC_UNITS);

  metrics_log (METRICS_EVENT_MEMORY_LIMIT,
               METRICS_FIELDS (METRICS_TEXT (CLIENT, client), METRICS_NUMBER (LIMIT, limit)),
               /* Translators: the size has its unit: 64.0 MiB */
               _ ("a point of client %s is refused: the limit of memory, %s, is reached"), client, size);
}

/**
 * metrics_store_log_is_due:
 * @error: why a point was refused
 *
 * Returns: whether there is something to be said of it: who has sent it is to be looked up only then
 */
gboolean
metrics_store_log_is_due (const GError *error)
{
  MetricsEvent event;

  return find_event (error, &event) && metrics_log_is_due (event);
}

/**
 * metrics_store_log_refused_put:
 * @store: what has refused a point
 * @error: why; metrics_store_log_is_due() said so
 * @client: who has sent it
 *
 * Says that a point was refused for a limit.
 */
void
metrics_store_log_refused_put (MetricsStore *store, const GError *error, const char *client)
{
  MetricsEvent event;
  guint64 limit;

  if (!find_event (error, &event))
    return;
  g_object_get (store, event == METRICS_EVENT_SERIES_LIMIT ? "series-limit" : "memory-limit", &limit, NULL);
  if (event == METRICS_EVENT_SERIES_LIMIT)
    log_series_limit (client, limit);
  else
    log_memory_limit (client, limit);
}
