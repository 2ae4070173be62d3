/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-log.h"

#include "common/metrics-log-bucket.h"

#include <glib/gi18n.h>

/* Fields that each entry has besides those of its event. */
enum
{
  ENTRY_MESSAGE,
  ENTRY_MESSAGE_ID,
  ENTRY_PRIORITY,
  ENTRY_EVENT,
  ENTRY_DOMAIN,
  ENTRY_FILE,
  ENTRY_LINE,
  ENTRY_FUNC,
  N_ENTRIES,
};

typedef struct
{
  GLogField fields[N_ENTRIES + METRICS_N_FIELDS];
  gsize n_fields;
  char numbers[METRICS_N_FIELDS][24];
} Entry;

/* What was said how often, for the whole process: events come from several threads. */
static GMutex mutex;
static MetricsLogBucket buckets[METRICS_N_EVENTS];
static MetricsLogClockFunc clock_func = g_get_monotonic_time;

static void
add (Entry *self, const char *key, const char *value)
{
  self->fields[self->n_fields++] = (GLogField){ key, value, -1 };
}

/* Adds the values; returns a bit for each field. */
static guint
add_values (Entry *self, const MetricsLogValue *values)
{
  guint bits = 0;

  for (guint i = 0; values != NULL && values[i].field != METRICS_N_FIELDS; i++)
    {
      const char *text = values[i].text;

      g_assert (i < METRICS_N_FIELDS);
      if (text == NULL)
        {
          g_snprintf (self->numbers[i], sizeof self->numbers[i], "%" G_GUINT64_FORMAT, values[i].number);
          text = self->numbers[i];
        }
      add (self, metrics_field_get_name (values[i].field), text);
      bits |= 1u << values[i].field;
    }
  return bits;
}

static GLogLevelFlags
get_level (MetricsPriority priority)
{
  /* Never critical: that is for what the program has done wrong itself. */
  if (priority <= METRICS_PRIORITY_WARNING)
    return G_LOG_LEVEL_WARNING;
  return priority == METRICS_PRIORITY_NOTICE ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_INFO;
}

/* Writes an entry, however often that was done. */
static void
write_entry (MetricsEvent event,
             const char *file,
             const char *line,
             const char *func,
             const MetricsLogValue *values,
             const char *message)
{
  const MetricsEventInfo *info = metrics_event_get_info (event);
  char priority[2] = { (char) ('0' + info->priority), '\0' };
  Entry entry = { .n_fields = 0 };

  add (&entry, "MESSAGE", message);
  add (&entry, "MESSAGE_ID", info->message_id);
  add (&entry, "PRIORITY", priority);
  add (&entry, "GLIB_DOMAIN", G_LOG_DOMAIN);
  add (&entry, "CODE_FILE", file);
  add (&entry, "CODE_LINE", line);
  add (&entry, "CODE_FUNC", func);
  /* Which message was suppressed is one of its fields. */
  if (event != METRICS_EVENT_SUPPRESSED)
    add (&entry, metrics_field_get_name (METRICS_FIELD_EVENT), info->name);
  if (add_values (&entry, values) != info->fields)
    g_critical ("the fields of '%s' are not those of its table", info->name);
  g_log_structured_array (get_level (info->priority), entry.fields, entry.n_fields);
}

static void
write_suppressed (MetricsEvent event, guint n)
{
  const char *name = metrics_event_get_info (event)->name;
  /* Translators: the word in quotes stands for the kind of message, such as 'client-denied'; it is the same
   * in all languages. */
  g_autofree char *message = g_strdup_printf (ngettext ("%u more message '%s' was suppressed",
                                                        "%u more messages '%s' were suppressed", n),
                                              n, name);

  write_entry (METRICS_EVENT_SUPPRESSED, __FILE__,
               G_STRINGIFY (__LINE__), G_STRFUNC,
                            METRICS_FIELDS (METRICS_TEXT (EVENT, name), METRICS_NUMBER (COUNT, n)), message);
}

/* Whether it may be said once more, and how many of its kind were not before. */
static gboolean
take (MetricsEvent event, guint *n_suppressed)
{
  guint burst = metrics_event_get_info (event)->burst;
  MetricsLogBucket *bucket = &buckets[event];
  gboolean good;

  *n_suppressed = 0;
  if (burst == 0)
    return TRUE;
  g_mutex_lock (&mutex);
  good = metrics_log_bucket_take (bucket, burst, clock_func ());
  if (good)
    *n_suppressed = metrics_log_bucket_take_suppressed (bucket);
  g_mutex_unlock (&mutex);
  return good;
}

/**
 * metrics_log_is_due:
 * @event: an event that can come very often
 *
 * To be asked before a message is put together, which costs more than to find that it would not be said.
 *
 * Returns: whether it can be said; where not, it is counted as suppressed
 */
gboolean
metrics_log_is_due (MetricsEvent event)
{
  guint burst = metrics_event_get_info (event)->burst;
  gboolean good;

  g_mutex_lock (&mutex);
  good = burst == 0 || metrics_log_bucket_check (&buckets[event], burst, clock_func ());
  g_mutex_unlock (&mutex);
  return good;
}

/* See metrics_log(). */
void
metrics_log_full (MetricsEvent event,
                  const char *file,
                  const char *line,
                  const char *func,
                  const MetricsLogValue *values,
                  const char *format,
                  ...)
{
  g_autofree char *message = NULL;
  guint n_suppressed;
  va_list arguments;

  if (!take (event, &n_suppressed))
    return;
  if (n_suppressed > 0)
    write_suppressed (event, n_suppressed);
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  write_entry (event, file, line, func, values, message);
}

/**
 * metrics_log_flush:
 *
 * Says of what how much was suppressed, which is said otherwise when the next one of its kind is not: when
 * the program ends.
 */
void
metrics_log_flush (void)
{
  for (guint i = 0; i < METRICS_N_EVENTS; i++)
    {
      guint n;

      g_mutex_lock (&mutex);
      n = metrics_log_bucket_take_suppressed (&buckets[i]);
      g_mutex_unlock (&mutex);
      if (n > 0)
        write_suppressed (i, n);
    }
}

/**
 * metrics_log_set_clock:
 * @func: (nullable): the clock by which messages are suppressed; %NULL for the machine's
 *
 * For tests, which move it by hand. All is forgotten that was said before.
 */
void
metrics_log_set_clock (MetricsLogClockFunc func)
{
  g_mutex_lock (&mutex);
  clock_func = func != NULL ? func : g_get_monotonic_time;
  for (guint i = 0; i < METRICS_N_EVENTS; i++)
    buckets[i] = (MetricsLogBucket){ 0 };
  g_mutex_unlock (&mutex);
}
