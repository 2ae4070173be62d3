/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "stored.h"

#include "storage/metrics-database.h"
#include "storage/metrics-fetcher.h"

/* Chunks that are on disk alone: what of them is brought, as of when, and what is said of those that are
 * damaged. */

#define N_POINTS 5000
#define STEP 3
#define SERIES 2

typedef struct
{
  guint64 id;
  gint64 first;
  gint64 last;
  guint64 n;
} Row;

typedef struct
{
  char *folder; /* (owned) */
  MetricsDatabase *database;
  MetricsFetcher *fetcher;
  GArray *rows;    /* (owned) (element-type Row): of SERIES */
  GString *damage; /* (owned): which rows were named */
} Fixture;

static void
on_damage (const MetricsDamagedRow *row, gpointer user_data)
{
  Fixture *self = user_data;

  g_assert_nonnull (row);
  g_assert_false (row->on_page);
  g_string_append_printf (self->damage, "%" G_GUINT64_FORMAT " ", row->id);
}

static void
fill (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (self->folder, METRICS_DURABILITY_INTERVAL, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < N_POINTS; i++)
    {
      put (stored->store, "before", i, noise_at (i));
      put (stored->store, "a", i * STEP, noise_at (i));
      put (stored->store, "behind", i, noise_at (i));
    }
  stored_close (stored);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  guint n_points = 0;

  self->folder = folder_new ();
  self->damage = g_string_new (NULL);
  self->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  fill (self);
  for (gint64 n;
       (n = folder_query (self->folder, "SELECT count (*) FROM chunk WHERE series = 2")) > self->rows->len;)
    {
      g_autofree char *where
          = g_strdup_printf (" FROM chunk WHERE series = 2 ORDER BY first LIMIT 1 OFFSET %u",
                             self->rows->len);
      g_autofree char *id = g_strconcat ("SELECT id", where, NULL);
      g_autofree char *first = g_strconcat ("SELECT first", where, NULL);
      g_autofree char *last = g_strconcat ("SELECT last", where, NULL);
      g_autofree char *count = g_strconcat ("SELECT n", where, NULL);
      Row row = { folder_query (self->folder, id), folder_query (self->folder, first),
                  folder_query (self->folder, last), folder_query (self->folder, count) };

      n_points += row.n;
      g_array_append_val (self->rows, row);
    }
  g_assert_cmpuint (n_points, ==, N_POINTS);
  g_assert_cmpuint (self->rows->len, >, 10);

  path = g_build_filename (self->folder, "metricsd.db", NULL);
  self->database = metrics_database_open (path, TRUE, &error);
  g_assert_no_error (error);
  self->fetcher = metrics_fetcher_new (path, on_damage, self, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  g_clear_pointer (&self->fetcher, metrics_fetcher_close);
  metrics_database_close (self->database);
  folder_free (self->folder);
  g_array_unref (self->rows);
  g_string_free (self->damage, TRUE);
}

static MetricsChunkRequest
request_of (gint64 from, gint64 to)
{
  return (MetricsChunkRequest){
    .id = SERIES, .first = 0, .last = (N_POINTS - 1) * STEP, .from = from, .to = to, .max_chunks = 1000
  };
}

static const Row *
row_at (Fixture *self, guint i)
{
  return &g_array_index (self->rows, Row, i);
}

/* The points of the chunks of an answer are those that were put. */
static void
check_points (const MetricsChunkAnswer *answer)
{
  for (guint i = 0; i < answer->chunks->len; i++)
    {
      MetricsChunk *chunk = answer->chunks->pdata[i];
      guint n = metrics_chunk_get_n_points (chunk);
      g_autofree MetricsPoint *points = g_new (MetricsPoint, n);

      metrics_chunk_read (chunk, 0, n, points);
      for (guint j = 0; j < n; j++)
        g_assert_true (points[j].value == noise_at (points[j].time / STEP));
    }
}

/* What the answer has to be, as the rows say; at most as many bytes as an answer has. */
static void
check_answer (Fixture *self, const MetricsChunkRequest *request, const MetricsChunkAnswer *answer)
{
  guint i = 0;
  guint begin;
  guint64 n_left = 0;

  while (i < self->rows->len && row_at (self, i)->first < request->first)
    i++;
  for (; i < self->rows->len && row_at (self, i)->last < MIN (request->from, request->last + 1); i++)
    n_left += row_at (self, i)->n;
  if (request->before && request->from > request->first
      && (i == self->rows->len || row_at (self, i)->last > request->last
          || row_at (self, i)->first >= request->from)
      && n_left > 0)
    n_left -= row_at (self, --i)->n;
  begin = i;
  for (guint j = 0; j < answer->chunks->len; j++, i++)
    {
      g_assert_cmpint (metrics_chunk_get_first_time (answer->chunks->pdata[j]), ==, row_at (self, i)->first);
      g_assert_cmpint (metrics_chunk_get_last_time (answer->chunks->pdata[j]), ==, row_at (self, i)->last);
    }
  g_assert_cmpuint (answer->chunks->len, <=, request->max_chunks);
  if (answer->chunks->len < request->max_chunks && i < self->rows->len
      && row_at (self, i)->last <= request->last)
    g_assert_cmpint (row_at (self, i)->first, >, request->to);
  g_assert_cmpint (answer->has_next, ==, i < self->rows->len && row_at (self, i)->last <= request->last);
  if (answer->has_next)
    g_assert_cmpint (answer->next_first, ==, row_at (self, i)->first);
  g_assert_cmpuint (answer->n_left, ==, request->count ? n_left : 0);
  if (answer->n_left > 0)
    g_assert_cmpint (answer->last_left, ==, row_at (self, begin - 1)->last);
  g_assert_cmpuint (answer->n_damaged, ==, 0);
}

/* Any request, of a gap that is a part of the rows. */
static void
test_read (Fixture *self, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  guint n = self->rows->len;

  for (guint i = 0; i < 3000; i++)
    {
      guint first = g_rand_int_range (random, 0, n);
      guint last = g_rand_int_range (random, first, n);
      gint64 span = N_POINTS * STEP;
      MetricsChunkRequest request = request_of (g_rand_int_range (random, -10, span + 10), 0);
      MetricsChunkAnswer answer;
      g_autoptr (GError) error = NULL;

      request.first = row_at (self, first)->first;
      request.last = row_at (self, last)->last;
      request.to = request.from + g_rand_int_range (random, 0, i % 2 ? 2 : span);
      request.before = g_rand_boolean (random);
      request.count = g_rand_boolean (random);
      request.max_chunks = g_rand_int_range (random, 1, 10);
      g_assert_true (metrics_fetcher_read (self->fetcher, &request, &answer, &error));
      g_assert_no_error (error);
      check_answer (self, &request, &answer);
      check_points (&answer);
      metrics_chunk_answer_clear (&answer);
    }
}

typedef struct
{
  gboolean done;
  gboolean good;
  guint64 n_points;
  guint64 n_damaged;
} Got;

static void
on_answer (const MetricsChunkAnswer *answer, gpointer user_data)
{
  Got *got = user_data;

  g_assert_false (got->done);
  got->done = TRUE;
  got->good = answer != NULL;
  if (answer == NULL)
    return;
  check_points (answer);
  got->n_damaged = answer->n_damaged;
  for (guint i = 0; i < answer->chunks->len; i++)
    got->n_points += metrics_chunk_get_n_points (answer->chunks->pdata[i]);
}

static Got
get_all (Fixture *self, MetricsHold *hold)
{
  MetricsChunkRequest request = request_of (G_MININT64, G_MAXINT64);
  Got got = { 0 };

  metrics_fetcher_request (self->fetcher, hold, &request, on_answer, &got);
  g_assert_false (got.done);
  while (!got.done)
    g_main_context_iteration (NULL, TRUE);
  return got;
}

static void
delete_all (Fixture *self)
{
  gint64 n_points = 0;
  g_autoptr (GError) error = NULL;

  g_assert_true (metrics_database_begin (self->database, &error));
  g_assert_true (metrics_database_delete_chunks (self->database, SERIES, G_MININT64, G_MAXINT64, &n_points,
                                                 &error));
  g_assert_true (metrics_database_update_series (self->database, SERIES, n_points, &error));
  g_assert_true (metrics_database_commit (self->database, &error));
  g_assert_cmpint (n_points, ==, -N_POINTS);
  g_assert_cmpint (folder_query (self->folder, "SELECT n FROM series WHERE id = 2"), ==, 0);
}

/* What was there when a hold was made is read under it, whatever was written since. */
static void
test_hold (Fixture *self, gconstpointer data)
{
  MetricsHold *hold = metrics_fetcher_hold (self->fetcher);
  MetricsHold *same;
  MetricsHold *other;

  g_assert_cmpuint (get_all (self, NULL).n_points, ==, N_POINTS);
  delete_all (self);
  g_assert_cmpuint (get_all (self, NULL).n_points, ==, 0);
  g_assert_cmpuint (get_all (self, hold).n_points, ==, N_POINTS);

  /* As long as the store has not heard of it, it is one instant. */
  same = metrics_fetcher_hold (self->fetcher);
  g_assert_true (same == hold);
  metrics_hold_unref (same);
  metrics_fetcher_renew (self->fetcher);
  other = metrics_fetcher_hold (self->fetcher);
  g_assert_true (other != hold);
  g_assert_cmpuint (get_all (self, other).n_points, ==, 0);
  g_assert_cmpuint (get_all (self, hold).n_points, ==, N_POINTS);
  metrics_hold_unref (other);
  metrics_hold_unref (hold);
}

/* When the write-ahead log is long, or there are too many, the oldest ends; its requests are answered. */
static void
test_ended (Fixture *self, gconstpointer data)
{
  MetricsHold *holds[68];
  Got got;

  for (guint i = 0; i < G_N_ELEMENTS (holds); i++)
    {
      holds[i] = metrics_fetcher_hold (self->fetcher);
      metrics_fetcher_renew (self->fetcher);
    }
  for (guint i = 0; i < G_N_ELEMENTS (holds); i++)
    {
      got = get_all (self, holds[i]);
      g_assert_cmpint (got.good, ==, i >= G_N_ELEMENTS (holds) - 64);
    }
  metrics_fetcher_limit (self->fetcher, 1 << 20);
  g_assert_true (get_all (self, holds[4]).good);
  metrics_fetcher_limit (self->fetcher, 65 << 20);
  g_assert_false (get_all (self, holds[4]).good);
  g_assert_true (get_all (self, holds[5]).good);
  metrics_fetcher_limit (self->fetcher, 129 << 20);
  g_assert_false (get_all (self, holds[G_N_ELEMENTS (holds) - 1]).good);
  for (guint i = 0; i < G_N_ELEMENTS (holds); i++)
    metrics_hold_unref (holds[i]);
}

/* Without holds the write-ahead log begins anew; an open one keeps it from that, and one that was ended does
 * not. */
static void
test_wal (Fixture *self, gconstpointer data)
{
  MetricsHold *hold = metrics_fetcher_hold (self->fetcher);
  g_autofree char *noise = g_malloc (1 << 20);
  g_autoptr (GBytes) bytes = NULL;
  guint64 largest = 0;

  for (guint i = 0; i < (1 << 20); i++)
    noise[i] = g_test_rand_int ();
  bytes = g_bytes_new_static (noise, 1 << 20);
  for (guint i = 1; i <= 60; i++)
    {
      g_autoptr (GError) error = NULL;

      if (i == 30)
        metrics_fetcher_limit (self->fetcher, 65 << 20);
      g_assert_true (metrics_database_begin (self->database, &error));
      g_assert_true (metrics_database_insert_log (self->database, i, bytes, &error));
      g_assert_true (metrics_database_commit (self->database, &error));
      g_assert_true (metrics_database_flush (self->database, FALSE, &error));
      if (i < 30)
        largest = metrics_database_get_wal_size (self->database);
    }
  g_assert_cmpuint (largest, >, 29 << 20);
  g_assert_cmpuint (metrics_database_get_wal_size (self->database), <, 20 << 20);
  metrics_hold_unref (hold);
}

/* Nobody is told who does not want to know any more, and who is left at the end is told. */
static void
test_cancel (Fixture *self, gconstpointer data)
{
  MetricsChunkRequest request = request_of (G_MININT64, G_MAXINT64);
  MetricsHold *hold = metrics_fetcher_hold (self->fetcher);
  Got got[20] = { 0 };
  gpointer tickets[G_N_ELEMENTS (got)];

  for (guint round = 0; round < 20; round++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (got); i++)
        tickets[i]
            = metrics_fetcher_request (self->fetcher, i % 3 ? hold : NULL, &request, on_answer, &got[i]);
      g_usleep (round * 50);
      for (guint i = 0; i < G_N_ELEMENTS (got); i += 2)
        metrics_fetcher_cancel (self->fetcher, tickets[i]);
      while (!got[G_N_ELEMENTS (got) - 1].done)
        g_main_context_iteration (NULL, TRUE);
      for (guint i = 0; i < G_N_ELEMENTS (got); i++)
        {
          g_assert_cmpint (got[i].done, ==, i % 2);
          g_assert_cmpuint (got[i].n_points, ==, i % 2 ? N_POINTS : 0);
          got[i] = (Got){ 0 };
        }
    }
  for (guint i = 0; i < G_N_ELEMENTS (got); i++)
    tickets[i] = metrics_fetcher_request (self->fetcher, hold, &request, on_answer, &got[i]);
  metrics_fetcher_cancel (self->fetcher, tickets[7]);
  g_clear_pointer (&self->fetcher, metrics_fetcher_close);
  for (guint i = 0; i < G_N_ELEMENTS (got); i++)
    g_assert_cmpint (got[i].done, ==, i != 7);
  g_assert_false (got[G_N_ELEMENTS (got) - 1].good);
  metrics_hold_unref (hold);
}

/* A damaged row is named once, and the others are there. */
static void
test_damage (Fixture *self, gconstpointer data)
{
  const Row *row = row_at (self, 3);
  g_autofree char *sql
      = g_strdup_printf ("UPDATE chunk SET data = x'00' || substr (data, 2) WHERE id = %" G_GUINT64_FORMAT,
                         row->id);
  g_autofree char *named = g_strdup_printf ("%" G_GUINT64_FORMAT " ", row->id);
  MetricsChunkRequest request = request_of (row->first + 1, row->first + 1);
  MetricsChunkAnswer answer;
  g_autoptr (GError) error = NULL;

  folder_execute (self->folder, sql);
  request.count = TRUE;
  request.max_chunks = 1;
  g_assert_true (metrics_fetcher_read (self->fetcher, &request, &answer, &error));
  g_assert_cmpuint (answer.chunks->len, ==, 0);
  g_assert_cmpuint (answer.n_damaged, ==, row->n);
  g_assert_cmpuint (answer.n_left, ==, row_at (self, 0)->n + row_at (self, 1)->n + row_at (self, 2)->n);
  g_assert_cmpint (answer.last_left, ==, row_at (self, 2)->last);
  g_assert_true (answer.has_next);
  g_assert_cmpint (answer.next_first, ==, row_at (self, 4)->first);
  metrics_chunk_answer_clear (&answer);
  for (guint i = 0; i < 3; i++)
    {
      Got got = get_all (self, NULL);

      g_assert_cmpuint (got.n_points, ==, N_POINTS - row->n);
      g_assert_cmpuint (got.n_damaged, ==, row->n);
    }
  g_assert_cmpstr (self->damage->str, ==, named);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, func) g_test_add ("/fetcher/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("read", test_read);
  ADD ("hold", test_hold);
  ADD ("ended", test_ended);
  ADD ("wal", test_wal);
  ADD ("cancel", test_cancel);
  ADD ("damage", test_damage);

  return g_test_run ();
}
