/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-storage-log.h"

#include "common/metrics-log.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* What is said of the disk while a server runs. What is said of damaged rows: metrics-damage.c. */

/**
 * metrics_storage_log_damaged:
 * @path: the database
 *
 * Says that it is not written any more.
 */
void
metrics_storage_log_damaged (const char *path)
{
  metrics_log (METRICS_EVENT_DAMAGED, METRICS_FIELDS (METRICS_TEXT (FILE, path)),
               _ ("'%s' is damaged: what is whole is served, nothing is written; 'metricsd --recover FILE' "
                  "saves what is whole"),
               path);
}

/**
 * metrics_storage_log_unread:
 * @path: the database
 * @error: why
 *
 * Says that it cannot be read.
 */
void
metrics_storage_log_unread (const char *path, const GError *error)
{
  metrics_log (METRICS_EVENT_READ_FAILED,
               METRICS_FIELDS (METRICS_TEXT (FILE, path), METRICS_TEXT (REASON, error->message)),
               _ ("cannot read '%s': %s"), path, error->message);
}

/**
 * metrics_storage_log_unwritten:
 * @path: the database
 * @reason: why
 *
 * Says that it cannot be written for now.
 */
void
metrics_storage_log_unwritten (const char *path, const char *reason)
{
  metrics_log (METRICS_EVENT_WRITE_FAILED,
               METRICS_FIELDS (METRICS_TEXT (FILE, path), METRICS_TEXT (REASON, reason)),
               /* Translators: a file, and the system's reason */
               _ ("cannot write '%s': %s; what is not on disk yet is kept in memory"), path, reason);
}

/**
 * metrics_storage_log_resumed:
 * @path: the database
 *
 * Says that it can be written again.
 */
void
metrics_storage_log_resumed (const char *path)
{
  metrics_log (METRICS_EVENT_WRITE_RESUMED, METRICS_FIELDS (METRICS_TEXT (FILE, path)),
               _ ("writing '%s' works again"), path);
}

/**
 * metrics_storage_log_slow:
 * @path: the database
 *
 * Says that points are refused since the disk does not keep up with them.
 */
void
metrics_storage_log_slow (const char *path)
{
  metrics_log (METRICS_EVENT_DISK_SLOW, METRICS_FIELDS (METRICS_TEXT (FILE, path)),
               _ ("points are refused: the disk of '%s' is too slow for them"), path);
}

/**
 * metrics_storage_log_tight:
 * @n_series: how many series there are
 * @needed: how many bytes of memory would be enough for them
 *
 * Says that the limit of memory is too small for the series.
 */
void
metrics_storage_log_tight (guint64 n_series, guint64 needed)
{
  g_autofree char *size = g_format_size_full (needed, G_FORMAT_SIZE_IEC_UNITS);

  metrics_log (METRICS_EVENT_MEMORY_TIGHT,
               METRICS_FIELDS (METRICS_NUMBER (COUNT, n_series), METRICS_NUMBER (LIMIT, needed)),
               /* Translators: a number of series, and a size with its unit: 64.0 MiB */
               ngettext ("the memory limit is small for %" PRIu64
                         " series: puts wait for the disk or are refused, and more is written than need be; "
                         "%s would be enough",
                         "the memory limit is small for %" PRIu64
                         " series: puts wait for the disk or are refused, and more is written than need be; "
                         "%s would be enough",
                         n_series),
               n_series, size);
}
