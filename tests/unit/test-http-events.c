/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "http/metrics-http-events.h"

#include <string.h>

/* The events of a stream. */

#define NO_LIMIT G_MAXUINT64
#define PLENTY 1000000
#define MAX_OVERHEAD 128 /* bytes that an event takes beside its text */

static void
on_wake (MetricsWatcher *watcher, gpointer user_data)
{
  guint *n_woken = user_data;

  (*n_woken)++;
}

static MetricsHttpEvents *
watch (MetricsStore *store, const char *pattern, guint *n_woken)
{
  MetricsHttpEvents *events = metrics_http_events_new (store, on_wake, n_woken);
  g_autoptr (GError) error = NULL;

  metrics_http_events_add (events, pattern, &error);
  g_assert_no_error (error);
  return events;
}

/* Returns: (nullable): the next event, with "ID-" for what all of its ids begin with */
static char *
next (MetricsHttpEvents *events, gint budget)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *token = g_strconcat (metrics_http_events_get_token (events), "-", NULL);

  if (!metrics_http_events_append_next (events, out, &budget))
    return NULL;
  g_assert_cmpuint (g_string_replace (out, token, "ID-", 0), ==, 1);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

#define assert_next(events, budget, expected)                                                                \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autofree char *assert_event = next (events, budget);                                                   \
                                                                                                             \
    g_assert_cmpstr (assert_event, ==, expected);                                                            \
  }                                                                                                          \
  G_STMT_END

#define assert_hello(events, expected)                                                                       \
  G_STMT_START                                                                                               \
  {                                                                                                          \
    g_autoptr (GString) assert_out = g_string_new (NULL);                                                    \
                                                                                                             \
    metrics_http_events_append_hello (events, assert_out);                                                   \
    g_string_replace (assert_out, metrics_http_events_get_token (events), "ID", 0);                          \
    g_assert_cmpstr (assert_out->str, ==, expected);                                                         \
  }                                                                                                          \
  G_STMT_END

static void
test_points (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsHttpEvents) events = watch (store, "a*", &n_woken);

  assert_hello (events, "retry: 1000\nid: ID-0\nevent: hello\ndata: {\"resumed\":false}\n\n");
  assert_next (events, PLENTY, NULL);
  put (store, "a", 2, 10);
  put (store, "a", 1, 0.25);
  put (store, "b", 1, 3);
  put (store, "a\"\\ü", -1, 1e300);
  put (store, "a", 2, -5);
  g_assert_cmpuint (n_woken, ==, 1);
  assert_next (events, PLENTY,
               "id: ID-1\nevent: points\ndata: {\"series\":[{\"key\":\"a\",\"points\":[[2,10.0],[1,0.25]]},"
               "{\"key\":\"a\\\"\\\\ü\",\"points\":[[-1,1e+300]]},{\"key\":\"a\",\"points\":[[2,-5.0]]}]}"
               "\n\n");
  assert_next (events, PLENTY, NULL);
}

static void
test_budget (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsHttpEvents) events = watch (store, "a", &n_woken);

  for (gint64 i = 0; i < 3; i++)
    put (store, "a", i, 0);
  assert_next (events, 2,
               "id: ID-1\nevent: points\ndata: "
               "{\"series\":[{\"key\":\"a\",\"points\":[[0,0.0],[1,0.0]]}]}\n\n");
  assert_next (events, 2,
               "id: ID-2\nevent: points\ndata: {\"series\":[{\"key\":\"a\",\"points\":[[2,0.0]]}]}\n\n");
  assert_next (events, 2, NULL);
}

static void
test_reset (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  guint n_woken = 0;
  g_autoptr (MetricsHttpEvents) events = watch (store, "a", &n_woken);

  metrics_http_events_tell_reset (events);
  assert_hello (events, "retry: 1000\nid: ID-0\nevent: hello\ndata: {\"resumed\":false}\n\n");
  assert_next (events, PLENTY, "id: ID-1\nevent: reset\ndata: {}\n\n");
  assert_next (events, PLENTY, NULL);
  /* Who was cut off before it came gets it again. */
  g_assert_true (metrics_http_events_resume (events, 0));
  assert_hello (events, "retry: 1000\nid: ID-0\nevent: hello\ndata: {\"resumed\":true}\n\n");
  assert_next (events, PLENTY, "id: ID-1\nevent: reset\ndata: {}\n\n");
  assert_next (events, PLENTY, NULL);
}

static void
test_resume (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  const char *third
      = "id: ID-3\nevent: points\ndata: {\"series\":[{\"key\":\"a\",\"points\":[[3,3.0]]}]}\n\n";
  guint n_woken = 0;
  g_autoptr (MetricsHttpEvents) events = watch (store, "a", &n_woken);

  for (gint64 i = 1; i <= 3; i++)
    {
      g_autofree char *event = NULL;

      put (store, "a", i, i);
      event = next (events, PLENTY);
    }
  g_assert_false (metrics_http_events_resume (events, 4));
  g_assert_true (metrics_http_events_resume (events, 2));
  put (store, "a", 4, 4);
  assert_hello (events, "retry: 1000\nid: ID-2\nevent: hello\ndata: {\"resumed\":true}\n\n");
  assert_next (events, PLENTY, third);
  assert_next (events, PLENTY,
               "id: ID-4\nevent: points\ndata: {\"series\":[{\"key\":\"a\",\"points\":[[4,4.0]]}]}\n\n");
  assert_next (events, PLENTY, NULL);
  g_assert_true (metrics_http_events_resume (events, 4));
  assert_next (events, PLENTY, NULL);
}

static void
test_id (void)
{
  const char *wrong[] = { "",
                          "-",
                          "-1",
                          "0123456789abcdef0123456789abcdef",
                          "0123456789abcdef0123456789abcdef-",
                          "0123456789abcdef0123456789abcdef--1",
                          "0123456789abcdef0123456789abcdef-1x",
                          "0123456789abcdef0123456789abcdef-18446744073709551616" };
  g_autofree char *token = NULL;
  guint64 number;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (metrics_http_events_parse_id (wrong[i], &token, &number));
  g_assert_true (metrics_http_events_parse_id ("0123456789abcdef0123456789abcdef-17", &token, &number));
  g_assert_cmpstr (token, ==, "0123456789abcdef0123456789abcdef");
  g_assert_cmpuint (number, ==, 17);
}

static void
test_tokens_differ (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, NO_LIMIT);
  g_autoptr (GHashTable) tokens = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n_woken = 0;

  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (MetricsHttpEvents) events = watch (store, "a", &n_woken);

      g_assert_true (g_hash_table_add (tokens, g_strdup (metrics_http_events_get_token (events))));
    }
}

/* A client that is cut off again and again, of a store whose nth point has the value n. */
typedef struct
{
  MetricsHttpEvents *events; /* (owned) */
  GArray *values; /* (owned) (element-type gint64): which value was to come next behind each event */
  GArray *sizes;  /* (owned) (element-type gsize): of each event that ever came */
  gint64 value;   /* which is to come next */
  guint64 number; /* of the last event */
} Reader;

static void
reader_take_points (Reader *self, const char *data)
{
  for (const char *at = data; (at = strstr (at, ",")) != NULL; at++)
    {
      char *end;
      double value = g_ascii_strtod (at + 1, &end);

      if (end == at + 1 || *end != ']')
        continue;
      g_assert_cmpfloat (value, ==, self->value);
      self->value++;
    }
}

static void
reader_note_size (Reader *self, gsize size)
{
  if (self->number == self->sizes->len)
    g_array_append_val (self->sizes, size);
  g_assert_cmpuint (g_array_index (self->sizes, gsize, self->number), ==, size);
}

static gboolean
reader_take (Reader *self, gint budget)
{
  g_autofree char *event = next (self->events, budget);
  const char *at;

  if (event == NULL)
    return FALSE;
  g_assert_true (g_str_has_prefix (event, "id: ID-"));
  g_assert_true (g_str_has_suffix (event, "}\n\n"));
  g_assert_cmpuint (g_ascii_strtoull (event + strlen ("id: ID-"), NULL, 10), ==, self->number + 1);
  self->number++;
  reader_note_size (self, strlen (event));
  if ((at = strstr (event, "\nevent: dropped\ndata: {\"points\":")) != NULL)
    self->value += g_ascii_strtoll (at + strlen ("\nevent: dropped\ndata: {\"points\":"), NULL, 10);
  else
    reader_take_points (self, event);
  g_array_set_size (self->values, self->number);
  g_array_append_val (self->values, self->value);
  return TRUE;
}

static void
reader_cut (Reader *self)
{
  guint64 back = g_test_rand_int_range (0, 20);
  guint64 wanted = self->number - MIN (self->number, back);
  gsize n_bytes = 0, n_events = 0;

  for (guint64 i = wanted + 1; i < self->sizes->len; i++, n_events++)
    n_bytes += g_array_index (self->sizes, gsize, i);
  if (metrics_http_events_resume (self->events, wanted))
    g_assert_cmpuint (n_bytes, <=, METRICS_HTTP_EVENTS_KEPT_LIMIT);
  else
    {
      /* All that came since then has no room. */
      g_assert_cmpuint (n_bytes + n_events * MAX_OVERHEAD, >, METRICS_HTTP_EVENTS_KEPT_LIMIT);
      wanted = self->number;
      g_assert_true (metrics_http_events_resume (self->events, wanted));
    }
  self->number = wanted;
  self->value = g_array_index (self->values, gint64, self->number);
}

/* Whatever is put, taken and cut off: each point comes once and in its turn, or is counted as dropped there.
 */
static void
test_model (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, 64 << 20);
  g_autoptr (GArray) values = g_array_new (FALSE, TRUE, sizeof (gint64));
  g_autoptr (GArray) sizes = g_array_new (FALSE, TRUE, sizeof (gsize));
  guint n_woken = 0, n_keys = g_test_rand_int_range (1, 5);
  g_autoptr (MetricsHttpEvents) events = watch (store, "*", &n_woken);
  Reader reader = { .events = events, .values = values, .sizes = sizes };
  gint64 n_put = 0;

  g_array_set_size (values, 1);
  g_array_set_size (sizes, 1);
  for (guint n = get_operations (20000); n > 0; n--)
    {
      guint what = g_test_rand_int_range (0, 1000);
      guint n_points = what == 0 ? 60000 : what < 10 ? 2000 : what < 500 ? 3 : 0;

      for (guint i = 0; i < n_points; i++, n_put++)
        {
          char key[] = { 'a' + g_test_rand_int_range (0, (gint32) n_keys), '\0' };

          put (store, key, n_put % 10, n_put);
        }
      if (what > 990)
        reader_cut (&reader);
      else if (what > 700)
        reader_take (&reader, g_test_rand_int_range (1, 4096));
    }
  while (reader_take (&reader, PLENTY))
    ;
  g_assert_cmpint (reader.value, ==, n_put);
}

/* What is kept counts, and is less where there is little memory. */
static void
test_memory (void)
{
  g_autoptr (MetricsStore) store = metrics_store_new (NO_LIMIT, 2 << 20);
  guint n_woken = 0;
  g_autoptr (MetricsHttpEvents) events = watch (store, "a", &n_woken);
  guint64 memory = metrics_store_get_memory (store), number = 0;

  for (gint64 i = 0; i < 20000; i++)
    {
      g_autofree char *event = NULL;

      put (store, "a", 0, noise_at (i));
      event = next (events, PLENTY);
      number++;
      g_assert_cmpuint (metrics_store_get_memory (store), <, memory + (96 << 10));
    }
  g_assert_cmpuint (metrics_store_get_memory (store), >, memory + (50 << 10));
  g_assert_false (metrics_http_events_resume (events, number - 10000));
  g_assert_true (metrics_http_events_resume (events, number - 100));
  g_clear_pointer (&events, metrics_http_events_free);
  g_assert_cmpuint (metrics_store_get_memory (store), <=, memory);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/http-events/points", test_points);
  g_test_add_func ("/http-events/budget", test_budget);
  g_test_add_func ("/http-events/reset", test_reset);
  g_test_add_func ("/http-events/resume", test_resume);
  g_test_add_func ("/http-events/id", test_id);
  g_test_add_func ("/http-events/tokens-differ", test_tokens_differ);
  g_test_add_func ("/http-events/model", test_model);
  g_test_add_func ("/http-events/memory", test_memory);

  return g_test_run ();
}
