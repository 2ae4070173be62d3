/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-question.h"

#include "common/metrics-key.h"
#include "common/metrics-number.h"
#include "common/metrics-pattern.h"
#include "common/metrics-time.h"

#include <string.h>

/* What a request asks for, read from its parameters: keys and patterns, in the order in which they were
 * given, and what of their series. Each key and each pattern is a query of its own, begun when the one before
 * it is over; what one of them has shown already is not shown again. */

/* So many steps of matching are a unit of work, as they are to a query. */
#define MATCHING_A_UNIT 64

typedef struct
{
  char *text; /* (owned) */
  gsize len;
  MetricsPattern *pattern; /* (owned) (nullable): NULL where it is a key */
} Selector;

struct _MetricsHttpQuestion
{
  MetricsQuerySpec spec; /* but for its key */
  gint64 now;
  GArray *selectors; /* (owned) (element-type Selector) */
  GHashTable *seen;  /* (owned) (element-type utf8): names of parameters that were there, static */

  MetricsStore *store; /* (owned) (nullable): when it was begun */
  MetricsQueryWakeFunc wake_func;
  gpointer wake_data;  /* (unowned) */
  guint at;            /* which selector it is at */
  MetricsQuery *query; /* (owned) (nullable): of that one */
  guint64 n_deleted;   /* by those before */
  GString *last_key;   /* (owned): of the row before, of this selector */
  gboolean is_known;   /* whether that was shown by a selector before */
};

static void
clear_selector (gpointer data)
{
  Selector *selector = data;

  g_free (selector->text);
  metrics_pattern_free (selector->pattern);
}

/**
 * metrics_http_question_new:
 * @kind: what is asked for: POINTS, which a step makes BUCKETS, LAST, KEYS or DELETE
 * @now: the time now, in seconds since the Unix epoch: what `now` in parameters stands for
 *
 * Returns: (transfer full): a question without parameters yet
 */
MetricsHttpQuestion *
metrics_http_question_new (MetricsQueryKind kind, gint64 now)
{
  MetricsHttpQuestion *self = g_new0 (MetricsHttpQuestion, 1);

  self->spec.kind = kind;
  self->spec.from = G_MININT64;
  self->spec.to = G_MAXINT64;
  self->now = now;
  self->selectors = g_array_new (FALSE, FALSE, sizeof (Selector));
  g_array_set_clear_func (self->selectors, clear_selector);
  self->seen = g_hash_table_new (g_str_hash, g_str_equal);
  self->last_key = g_string_new (NULL);
  return self;
}

/**
 * metrics_http_question_free:
 * @self: (transfer full) (nullable): a question
 *
 * Gives it up, wherever it is.
 */
void
metrics_http_question_free (MetricsHttpQuestion *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->query, metrics_query_free);
  g_clear_object (&self->store);
  g_array_unref (self->selectors);
  g_hash_table_unref (self->seen);
  g_string_free (self->last_key, TRUE);
  g_free (self);
}

/* Parameters */

/* Returns: whether the same key or pattern was given before */
static gboolean
has_selector (const MetricsHttpQuestion *self, const char *text, gsize len, gboolean is_pattern)
{
  for (guint i = 0; i < self->selectors->len; i++)
    {
      const Selector *other = &g_array_index (self->selectors, Selector, i);

      if (other->len == len && (other->pattern != NULL) == is_pattern && memcmp (other->text, text, len) == 0)
        return TRUE;
    }
  return FALSE;
}

static void
add_selector (MetricsHttpQuestion *self, const char *text, gsize len, gboolean is_pattern)
{
  Selector selector = { .len = len };

  if (has_selector (self, text, len, is_pattern))
    return;
  selector.text = g_memdup2 (text, len);
  selector.pattern = is_pattern ? metrics_pattern_new (text, len) : NULL;
  g_array_append_val (self->selectors, selector);
}

static gboolean
take_key (MetricsHttpQuestion *self, const char *value, gsize len, char **message)
{
  if (metrics_key_is_valid (value, len))
    {
      add_selector (self, value, len, FALSE);
      return TRUE;
    }
  *message = g_strdup_printf ("not a key: 1 to %d bytes of UTF-8 without white space or control characters, "
                              "and not '*'",
                              METRICS_KEY_MAX);
  return FALSE;
}

static gboolean
take_pattern (MetricsHttpQuestion *self, const char *value, gsize len, char **message)
{
  if (metrics_pattern_is_valid (value, len))
    {
      add_selector (self, value, len, TRUE);
      return TRUE;
    }
  *message = g_strdup_printf ("not a pattern: 1 to %d bytes that do not end in a single backslash",
                              METRICS_KEY_MAX);
  return FALSE;
}

static gboolean
take_time (MetricsHttpQuestion *self, const char *value, gsize len, gint64 open, gint64 *time, char **message)
{
  if (metrics_time_parse (value, len, self->now, open, time))
    return TRUE;
  *message
      = g_strdup ("not a time: an integer, 'now', 'now-' with a span such as 90s, 5m, 2h, 7d or 4w, or '-'");
  return FALSE;
}

static gboolean
take_from (MetricsHttpQuestion *self, const char *value, gsize len, char **message)
{
  return take_time (self, value, len, G_MININT64, &self->spec.from, message);
}

static gboolean
take_to (MetricsHttpQuestion *self, const char *value, gsize len, char **message)
{
  return take_time (self, value, len, G_MAXINT64, &self->spec.to, message);
}

static gboolean
take_step (MetricsHttpQuestion *self, const char *value, gsize len, char **message)
{
  if ((metrics_number_parse_int64 (value, len, &self->spec.step)
       || metrics_time_parse_span (value, len, &self->spec.step))
      && self->spec.step > 0)
    return TRUE;
  *message = g_strdup ("not a step: seconds, at least 1, or a span such as 30s, 5m, 1h or 1d");
  return FALSE;
}

static gboolean
take_function (MetricsHttpQuestion *self, const char *value, gsize len, char **message)
{
  self->spec.aggregation = metrics_aggregation_from_name (value, len);
  if (self->spec.aggregation != METRICS_AGGREGATION_NONE)
    return TRUE;
  *message = g_strdup ("not a function: avg, min, max, sum, count, first, last, median, p95, p99 or rate");
  return FALSE;
}

#define FOR(kind) (1 << METRICS_QUERY_##kind)

static const struct
{
  const char *name;
  guint kinds; /* bits: for which kinds it is */
  gboolean may_repeat;
  gboolean (*take) (MetricsHttpQuestion *self, const char *value, gsize len, char **message);
} parameters[] = {
  { "key", FOR (POINTS) | FOR (LAST) | FOR (KEYS) | FOR (DELETE), TRUE, take_key },
  { "pattern", FOR (POINTS) | FOR (LAST) | FOR (KEYS) | FOR (DELETE), TRUE, take_pattern },
  { "from", FOR (POINTS) | FOR (DELETE), FALSE, take_from },
  { "to", FOR (POINTS) | FOR (DELETE), FALSE, take_to },
  { "step", FOR (POINTS), FALSE, take_step },
  { "function", FOR (POINTS), FALSE, take_function },
};

/**
 * metrics_http_question_take:
 * @self: a question
 * @name: the name of a parameter
 * @value: (array length=value_len): its value
 * @value_len: its length in bytes
 * @message: (out): why not, in English; to be freed
 *
 * Takes a parameter.
 *
 * Returns: %FALSE where it is unknown or wrong, or was there before
 */
gboolean
metrics_http_question_take (MetricsHttpQuestion *self,
                            const char *name,
                            const char *value,
                            gsize value_len,
                            char **message)
{
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++)
    {
      if (strcmp (name, parameters[i].name) != 0 || (parameters[i].kinds & 1 << self->spec.kind) == 0)
        continue;
      if (g_hash_table_add (self->seen, (gpointer) parameters[i].name) || parameters[i].may_repeat)
        return parameters[i].take (self, value, value_len, message);
      *message = g_strdup ("given twice");
      return FALSE;
    }
  *message = g_strdup ("there is no such parameter here");
  return FALSE;
}

/**
 * metrics_http_question_complete:
 * @self: a question that has all its parameters
 * @where: (out): the parameter that is missing, static
 * @message: (out): what is wrong, in English; to be freed
 *
 * Looks at the parameters as a whole.
 *
 * Returns: whether they can be answered
 */
gboolean
metrics_http_question_complete (MetricsHttpQuestion *self, const char **where, char **message)
{
  gboolean has_step = self->spec.step > 0;
  gboolean has_function = self->spec.aggregation != METRICS_AGGREGATION_NONE;

  if (has_step != has_function)
    {
      *where = has_step ? "function" : "step";
      *message = g_strdup (has_step ? "a step needs a function" : "a function needs a step");
      return FALSE;
    }
  if (has_step)
    self->spec.kind = METRICS_QUERY_BUCKETS;
  if (self->selectors->len > 0)
    return TRUE;
  if (self->spec.kind == METRICS_QUERY_KEYS || self->spec.kind == METRICS_QUERY_LAST)
    {
      add_selector (self, "*", 1, TRUE);
      return TRUE;
    }
  *where = "key";
  *message = g_strdup ("a key or a pattern has to be given");
  return FALSE;
}

/* Answers */

/**
 * metrics_http_question_begin:
 * @self: a question that can be answered
 * @store: what is asked
 * @wake_func: what to call when it can go on that had to wait (%METRICS_QUERY_NOT_YET)
 * @wake_data: what to call it with
 */
void
metrics_http_question_begin (MetricsHttpQuestion *self,
                             MetricsStore *store,
                             MetricsQueryWakeFunc wake_func,
                             gpointer wake_data)
{
  g_assert (self->store == NULL);

  self->store = g_object_ref (store);
  self->wake_func = wake_func;
  self->wake_data = wake_data;
}

static void
begin_query (MetricsHttpQuestion *self)
{
  const Selector *selector = &g_array_index (self->selectors, Selector, self->at);
  MetricsQuerySpec spec = self->spec;

  spec.key = selector->text;
  spec.key_len = selector->len;
  spec.is_pattern = selector->pattern != NULL;
  self->query = metrics_query_new (self->store, &spec);
  metrics_query_set_wake_func (self->query, self->wake_func, self->wake_data);
  g_string_truncate (self->last_key, 0);
}

static gboolean
selects (const Selector *selector, const MetricsQueryRow *row)
{
  if (selector->pattern != NULL)
    return metrics_pattern_matches (selector->pattern, row->key, row->key_len);
  return selector->len == row->key_len && memcmp (selector->text, row->key, row->key_len) == 0;
}

/* Whether a selector before has shown the series of a row; that is decided once a series. */
static gboolean
is_shown (MetricsHttpQuestion *self, const MetricsQueryRow *row, gint *budget)
{
  if (self->at == 0)
    return FALSE;
  if (self->last_key->len == row->key_len && memcmp (self->last_key->str, row->key, row->key_len) == 0)
    return self->is_known;
  g_string_truncate (self->last_key, 0);
  g_string_append_len (self->last_key, row->key, row->key_len);
  self->is_known = FALSE;
  for (guint i = 0; i < self->at && !self->is_known; i++)
    {
      const Selector *selector = &g_array_index (self->selectors, Selector, i);

      self->is_known = selects (selector, row);
      *budget -= 1;
      if (selector->pattern != NULL)
        *budget -= metrics_pattern_get_cost (selector->pattern, row->key_len) / MATCHING_A_UNIT;
    }
  return self->is_known;
}

/**
 * metrics_http_question_next:
 * @self: a question that was begun
 * @budget: (inout): units of work, from which what was done is taken off
 * @row: (out caller-allocates): a part of the answer
 *
 * Goes on as metrics_query_next() does.
 *
 * Returns: how that ended
 */
MetricsQueryState
metrics_http_question_next (MetricsHttpQuestion *self, gint *budget, MetricsQueryRow *row)
{
  while (self->at < self->selectors->len)
    {
      MetricsQueryState state;

      if (self->query == NULL)
        begin_query (self);
      state = metrics_query_next (self->query, budget, row);
      if (state == METRICS_QUERY_DONE)
        {
          self->n_deleted += metrics_query_get_n_deleted (self->query);
          g_clear_pointer (&self->query, metrics_query_free);
          self->at++;
          --*budget;
        }
      else if (state != METRICS_QUERY_ROW || !is_shown (self, row, budget))
        return state;
      if (*budget <= 0)
        return METRICS_QUERY_PAUSED;
    }
  return METRICS_QUERY_DONE;
}

/**
 * metrics_http_question_get_n_deleted:
 * @self: a question of DELETE
 *
 * Returns: how many points were deleted so far
 */
guint64
metrics_http_question_get_n_deleted (const MetricsHttpQuestion *self)
{
  return self->n_deleted + (self->query != NULL ? metrics_query_get_n_deleted (self->query) : 0);
}
