/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-storage.h"

#include <stdlib.h>

/* Fills a folder with points for a benchmark, without a server: fill FOLDER SERIES POINTS. The points come as
 * they do from a collector, one for each series and then the next. */

/* How many points are put before what is written is attended to. */
#define BATCH 1000

static void
fill (MetricsStore *store, guint n_series, guint64 n_points)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < n_series; i++)
    g_ptr_array_add (keys, g_strdup_printf ("host%u.sensor%u", i / 100, i % 100));
  for (guint64 i = 0; i < n_points; i++)
    {
      const char *key = keys->pdata[i % n_series];
      guint64 number = i / n_series;
      g_autoptr (GError) error = NULL;

      if (!metrics_store_put (store, key, strlen (key), (MetricsPoint){ number * 2, number % 10 }, &error))
        g_error ("%s", error->message);
      if (i % BATCH == 0)
        while (g_main_context_iteration (NULL,
                                         metrics_journal_is_awaited (metrics_store_get_journal (store))))
          continue;
    }
}

int
main (int argc, char *argv[])
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MetricsStorage) storage = NULL;
  g_autoptr (MetricsStore) store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);

  if (argc != 4)
    g_error ("fill FOLDER SERIES POINTS");
  storage = metrics_storage_new (argv[1], METRICS_DURABILITY_NONE, 0, &error);
  if (storage == NULL || !metrics_storage_load (storage, store, &error))
    g_error ("%s", error->message);
  fill (store, atoi (argv[2]), g_ascii_strtoull (argv[3], NULL, 10));
  if (!metrics_storage_close (storage, &error))
    g_error ("%s", error->message);
  return EXIT_SUCCESS;
}
