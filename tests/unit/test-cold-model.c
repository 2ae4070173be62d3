/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "active.h"
#include "tape.h"

#include <string.h>

/* A store whose chunks go to a disk and leave memory, all the while that others put, late ones too, delete,
 * and read bit by bit. Checkpoints are made in steps with all that between them, and the process ends now and
 * then. What waits is answered at any time and in any order. */

#define N_KEYS 5
#define N_TIMES 4000
#define MAX_RUN 700
#define MAX_ACTIVE 10
#define MAX_RESTARTS 2

/* A span that a checkpoint has yet to write. */
typedef struct
{
  guint64 id;
  gint64 from;
  gint64 to;
} Span;

/* A checkpoint that goes on. */
typedef struct
{
  gboolean is_on;
  guint n_changes; /* of the tape, that it has */
  guint64 position;
  GArray *spans;       /* (owned) (element-type Span) */
  GPtrArray *snapshot; /* (owned) (nullable): what is to be written */
  enum
  {
    STEP_PREPARE,
    STEP_WRITE,
    STEP_CONFIRM,
  } step;
} Checkpoint;

typedef struct
{
  MetricsStore *store;
  Model *model;
  Tape *tape;
  DummyChunkSource *source;
  GPtrArray *keys;   /* (owned) (element-type utf8): of all series that there ever were, by number less one */
  guint n_tape;      /* how much of the tape was looked at for keys */
  GPtrArray *active; /* (owned) (element-type Active) */
  Checkpoint checkpoint;
  guint n_finished;
  guint n_late;
  guint n_checkpoints;
  guint n_restarts;
  guint n_restarts_behind; /* since the last checkpoint that was completed */
} Fixture;

static void
put_in_model (Fixture *f, const char *key, MetricsPoint point, gboolean keep_state)
{
  f->model->keep_states = keep_state;
  model_put (f->model, key, point);
  f->model->keep_states = TRUE;
}

static void
begin (Fixture *f, const MetricsQuerySpec *spec)
{
  Active *active = active_new (f->store, f->model, spec);

  /* Series grow meanwhile, and where gaps keep chunks from being joined, each point may be one of its own. */
  active->run->max_beyond += N_TIMES + 2 * MAX_RUN;
  g_ptr_array_add (f->active, active);
}

/* Points that are put at once, until one has to wait. */
static void
put_random (Fixture *f)
{
  static const gint64 steps[] = { 1, 1, 1, 3, -1 };
  g_autofree char *key
      = g_strdup_printf ("%c%d", g_test_rand_bit () ? 'a' : 'b', g_test_rand_int_range (0, N_KEYS));
  gint64 time = g_test_rand_int_range (0, N_TIMES);
  gint64 step = steps[g_test_rand_int_range (0, G_N_ELEMENTS (steps))];
  gboolean is_constant = g_test_rand_int_range (0, 4) == 0;
  guint n = g_test_rand_int_range (0, 3) == 0 ? g_test_rand_int_range (1, MAX_RUN) : 1;

  for (guint i = 0; i < n; i++, time += step)
    {
      g_autoptr (GError) error = NULL;
      MetricsPoint point = { .time = time, .value = is_constant ? 2 : g_test_rand_int_range (0, 1000) };
      MetricsQuerySpec spec = spec_of (METRICS_QUERY_PUT, key, G_MININT64, G_MAXINT64);

      if (metrics_store_put (f->store, key, strlen (key), point, &error))
        {
          put_in_model (f, key, point, i == 0);
          continue;
        }
      g_assert_error (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET);
      metrics_store_take_work (f->store);
      spec.is_pattern = FALSE;
      spec.point = point;
      begin (f, &spec);
      return;
    }
}

static void
begin_random (Fixture *f)
{
  static const char *const patterns[] = { "*", "*", "a*", "b?", "*3", "a1", "b2" };
  gboolean delete = g_test_rand_int_range (0, 3) == 0;
  MetricsQueryKind kind = delete ? METRICS_QUERY_DELETE : g_test_rand_int_range (0, METRICS_QUERY_KEYS + 1);
  const char *pattern = patterns[g_test_rand_int_range (0, G_N_ELEMENTS (patterns))];
  gint64 from = g_test_rand_int_range (0, 8) == 0 ? G_MININT64 : g_test_rand_int_range (0, N_TIMES);
  gint64 to
      = g_test_rand_int_range (0, 8) == 0 ? G_MAXINT64 : MAX (from, 0) + g_test_rand_int_range (0, N_TIMES);
  MetricsQuerySpec spec;

  if (delete &&g_test_rand_int_range (0, 4) > 0)
    to = MAX (from, 0) + g_test_rand_int_range (0, 300);
  spec = spec_of (kind, pattern, from, to);
  spec.step = g_test_rand_bit () ? g_test_rand_int_range (1, 50) : g_test_rand_int_range (1, 2 * N_TIMES);
  spec.aggregation = g_test_rand_int_range (METRICS_AGGREGATION_AVG, METRICS_AGGREGATION_RATE + 1);
  begin (f, &spec);
}

static void
advance (Fixture *f, guint index, gint budget)
{
  Active *active = g_ptr_array_index (f->active, index);
  const MetricsQuerySpec *spec = &active->run->spec;
  MetricsQueryState state = run_next (active->run, budget);

  g_assert_cmpint (state, !=, METRICS_QUERY_LOST);
  g_assert_cmpint (state, !=, METRICS_QUERY_REFUSED);
  if (spec->kind == METRICS_QUERY_DELETE)
    active_follow_deletion (active, f->store, f->model, f->source);
  if (state != METRICS_QUERY_DONE)
    return;
  if (spec->kind == METRICS_QUERY_DELETE)
    active_check_deletion (active);
  else if (spec->kind != METRICS_QUERY_PUT)
    active_check_answer (active);
  else
    {
      put_in_model (f, spec->key, spec->point, TRUE);
      f->n_late++;
    }
  f->n_finished++;
  g_ptr_array_remove_index (f->active, index);
}

static void
finish_all (Fixture *f)
{
  while (f->active->len > 0)
    {
      advance (f, 0, 100);
      dummy_chunk_source_answer_any (f->source);
    }
}

/* The changes of one series so far, as one span. */
static void
add_span (GArray *spans, guint64 id, gint64 from, gint64 to)
{
  for (guint i = 0; i < spans->len; i++)
    {
      Span *span = &g_array_index (spans, Span, i);

      if (span->id == id)
        {
          span->from = MIN (span->from, from);
          span->to = MAX (span->to, to);
          return;
        }
    }
  g_array_append_val (spans, ((Span){ .id = id, .from = from, .to = to }));
}

static void
collect_keys (Fixture *f)
{
  for (; f->n_tape < tape_get_length (f->tape); f->n_tape++)
    {
      const Change *change = tape_get (f->tape, f->n_tape);

      if (change->kind != CHANGE_BEGIN)
        continue;
      g_assert_cmpuint (change->id, >, f->keys->len);
      while (f->keys->len + 1 < change->id)
        g_ptr_array_add (f->keys, NULL);
      g_ptr_array_add (f->keys, g_strdup (change->key));
    }
}

static void
begin_checkpoint (Fixture *f)
{
  Checkpoint *self = &f->checkpoint;
  g_autoptr (GArray) touched = tape_take_touched (f->tape);

  *self = (Checkpoint){ .is_on = TRUE,
                        .n_changes = tape_get_length (f->tape),
                        .position = metrics_journal_get_position (METRICS_JOURNAL (f->tape)),
                        .spans = g_array_new (FALSE, FALSE, sizeof (Span)) };
  for (guint i = 0; i < self->n_changes; i++)
    {
      const Change *change = tape_get (f->tape, i);

      if (change->kind == CHANGE_PUT)
        add_span (self->spans, change->id, change->point.time, change->point.time);
      else if (change->kind == CHANGE_REMOVE)
        add_span (self->spans, change->id, change->from, change->to);
    }
  for (guint i = 0; i < touched->len; i++)
    {
      const Change *change = &g_array_index (touched, Change, i);

      add_span (self->spans, change->id, change->from, change->to);
    }
}

static void
stop_checkpoint (Fixture *f)
{
  f->checkpoint.is_on = FALSE;
  g_clear_pointer (&f->checkpoint.spans, g_array_unref);
  g_clear_pointer (&f->checkpoint.snapshot, g_ptr_array_unref);
}

static void
end_checkpoint (Fixture *f)
{
  guint n = f->checkpoint.n_changes;

  collect_keys (f);
  tape_cut (f->tape, n);
  f->n_tape -= n;
  metrics_store_settle (f->store, f->checkpoint.position);
  f->n_checkpoints++;
  f->n_restarts_behind = 0;
  stop_checkpoint (f);
}

static void
advance_checkpoint (Fixture *f)
{
  Checkpoint *self = &f->checkpoint;
  Span *span;

  if (!self->is_on)
    {
      begin_checkpoint (f);
      return;
    }
  if (self->spans->len == 0)
    {
      end_checkpoint (f);
      return;
    }
  span = &g_array_index (self->spans, Span, self->spans->len - 1);
  switch (self->step)
    {
    case STEP_PREPARE:
      self->snapshot = dummy_chunk_source_prepare (f->source, f->store, span->id, &span->from, &span->to);
      self->step = STEP_WRITE;
      break;
    case STEP_WRITE:
      dummy_chunk_source_write (f->source, span->id, span->from, span->to, self->snapshot);
      g_clear_pointer (&self->snapshot, g_ptr_array_unref);
      self->step = STEP_CONFIRM;
      break;
    case STEP_CONFIRM:
      metrics_store_confirm (f->store, span->id, span->from, span->to);
      g_array_set_size (self->spans, self->spans->len - 1);
      self->step = STEP_PREPARE;
      break;
    }
}

static void
evict_random (Fixture *f)
{
  gdouble part = g_test_rand_bit () ? 0 : g_test_rand_double ();
  gint budget = g_test_rand_int_range (1, 400);

  metrics_store_evict (f->store, metrics_store_get_memory (f->store) * part, &budget);
}

/* The process ends and begins again. */
static void
restart (Fixture *f)
{
  g_autoptr (GArray) touched = tape_take_touched (f->tape);

  g_ptr_array_set_size (f->active, 0);
  stop_checkpoint (f);
  collect_keys (f);
  metrics_store_set_journal (f->store, NULL);
  g_assert_finalize_object (f->store);

  f->store = metrics_store_new (G_MAXUINT64, G_MAXUINT64);
  metrics_store_set_chunk_source (f->store, METRICS_CHUNK_SOURCE (f->source));
  for (guint64 id = 1; id <= f->keys->len; id++)
    {
      const char *key = g_ptr_array_index (f->keys, id - 1);
      g_autoptr (GError) error = NULL;
      gint64 first, last;
      guint64 n;

      if (!dummy_chunk_source_count (f->source, id, &n, &first, &last))
        continue;
      metrics_store_restore_series (f->store, id, key, strlen (key), &error);
      g_assert_no_error (error);
      metrics_store_restore_gap (f->store, id, n, first, last, &error);
      g_assert_no_error (error);
    }
  tape_play (f->tape, f->store, f->source);
  metrics_store_restore_finish (f->store, tape_get_newest_id (f->tape));
  metrics_store_set_journal (f->store, METRICS_JOURNAL (f->tape));
  assert_store_is (f->store, f->model, f->source);
  f->n_restarts++;
  f->n_restarts_behind++;
}

/* A checkpoint that a restart stops leaves the next one more to write, and more time in which that is
 * stopped: without a limit the tape can grow so long that none is ever completed again. */
static gboolean
may_restart (Fixture *f)
{
  return f->n_restarts_behind < MAX_RESTARTS;
}

static void
do_random (Fixture *f)
{
  guint choice = g_test_rand_int_range (0, 1000);

  if (choice < 180 && f->active->len < MAX_ACTIVE)
    put_random (f);
  else if (choice < 340 && f->active->len < MAX_ACTIVE)
    begin_random (f);
  else if (choice < 345 && f->active->len > 0)
    g_ptr_array_remove_index (f->active, g_test_rand_int_range (0, f->active->len));
  else if (choice < 480)
    dummy_chunk_source_answer_any (f->source);
  else if (choice < 600)
    advance_checkpoint (f);
  else if (choice < 660)
    evict_random (f);
  else if (choice < 662 && may_restart (f))
    restart (f);
  else if (f->active->len > 0)
    advance (f, g_test_rand_int_range (0, f->active->len), g_test_rand_int_range (1, 300));
}

/* States that no query needs any more take memory. */
static void
forget_states (Fixture *f)
{
  finish_all (f);
  assert_store_is (f->store, f->model, f->source);
  for (guint i = 0; i < f->model->series->len; i++)
    g_ptr_array_set_size (((ModelSeries *) g_ptr_array_index (f->model->series, i))->states, 0);
}

static gboolean
has_seen_enough (const Fixture *f, guint n)
{
  return f->n_late > n / 1000 && f->n_checkpoints > n / 1000 && f->n_restarts > n / 10000;
}

static void
test_interleaved (void)
{
  Fixture f = { .store = metrics_store_new (G_MAXUINT64, G_MAXUINT64),
                .model = model_new (),
                .tape = tape_new (),
                .source = dummy_chunk_source_new () };
  MetricsQuerySpec all = spec_of (METRICS_QUERY_DELETE, "*", G_MININT64, G_MAXINT64);
  guint n = get_operations (60000);

  f.active = g_ptr_array_new_with_free_func ((GDestroyNotify) active_free);
  f.keys = g_ptr_array_new_with_free_func (g_free);
  f.model->keep_states = TRUE;
  dummy_chunk_source_set_manual (f.source, TRUE);
  metrics_store_set_chunk_source (f.store, METRICS_CHUNK_SOURCE (f.source));
  metrics_store_set_journal (f.store, METRICS_JOURNAL (f.tape));
  for (guint i = 0; i < n || !has_seen_enough (&f, n); i++)
    {
      g_assert_cmpuint (i, <, 10 * n);
      do_random (&f);
      if (i % 500 == 0)
        forget_states (&f);
    }
  forget_states (&f);
  g_test_message ("%u queries, of them %u late puts; %u checkpoints, %u restarts, %u requests", f.n_finished,
                  f.n_late, f.n_checkpoints, f.n_restarts, dummy_chunk_source_get_n_fetched (f.source));
  g_assert_cmpuint (dummy_chunk_source_get_n_holds (f.source), ==, 0);

  g_assert_cmpuint (run_delete (f.store, &all, 100), ==, model_delete (f.model, &all));
  g_assert_cmpuint (metrics_store_get_n_points (f.store), ==, 0);
  stop_checkpoint (&f);
  g_ptr_array_unref (f.active);
  g_ptr_array_unref (f.keys);
  model_free (f.model);
  metrics_store_set_journal (f.store, NULL);
  g_assert_finalize_object (f.store);
  g_assert_finalize_object (f.source);
  g_assert_finalize_object (f.tape);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/cold/model/interleaved", test_interleaved);
  return g_test_run ();
}
