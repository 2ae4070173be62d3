/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "helpers.h"
#include "logged.h"
#include "power-vfs.h"
#include "stored.h"

#include <string.h>

/* The power goes at each operation on files of a start, commits, deletions, and stops with their checkpoints,
 * several times over. What is left then is opened: it has to be what there was after one of the changes, none
 * of which may lie before what was told as kept by then. */

#define N_KEYS 6
#define N_TIMES 64
#define N_SESSIONS 5
#define N_CHANGES 120

/* A run notes every so many operations what would be left; as many runs note all of them. */
#define N_RUNS 12

typedef struct
{
  char *folder; /* (owned) */
  guint n;      /* before which operation */
  gint told;    /* how many changes were told as kept */
} Loss;

typedef struct
{
  MetricsDurability durability;
  guint number;
  GRand *random;      /* (owned): for the changes */
  GRand *loss_random; /* (owned): for what is left */
  Stored *stored;     /* (owned) (nullable) */
  gint base;          /* how many changes there were before this session */
  gint told;          /* how many were told as kept; atomic */
  GArray *losses;     /* (owned) (element-type Loss) */

  /* What there should be. */
  gboolean is_there[N_KEYS][N_TIMES];
  double values[N_KEYS][N_TIMES];
  guint64 hash;
  GArray *hashes;  /* (owned) (element-type guint64): after each change */
  GHashTable *had; /* (owned) (element-type guint64): all points that were ever there */
} Power;

/* Where there are many, their sum tells what there is. */
static guint64
hash_point (guint key, gint64 time, double value)
{
  guint64 hash;

  memcpy (&hash, &value, sizeof hash);
  hash ^= (key * N_TIMES + time + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  hash = (hash ^ hash >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  hash = (hash ^ hash >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return hash ^ hash >> 31;
}

static void
model_set (Power *self, guint key, gint64 time, gboolean is_there, double value)
{
  if (self->is_there[key][time])
    self->hash -= hash_point (key, time, self->values[key][time]);
  self->is_there[key][time] = is_there;
  self->values[key][time] = value;
  if (is_there)
    {
      guint64 hash = hash_point (key, time, value);

      self->hash += hash;
      g_hash_table_add (self->had, g_memdup2 (&hash, sizeof hash));
    }
}

/* Each change of the journal has its place; where there were two, the series began without points. */
static void
note_change (Power *self, guint64 hash_before)
{
  MetricsJournal *journal = METRICS_JOURNAL (self->stored->storage);
  gint n = self->base + metrics_journal_get_position (journal) + 1;

  while ((gint) self->hashes->len < n - 1)
    g_array_append_val (self->hashes, hash_before);
  if ((gint) self->hashes->len < n)
    g_array_append_val (self->hashes, self->hash);
}

static void
change (Power *self)
{
  guint key = g_rand_int_range (self->random, 0, N_KEYS);
  g_autofree char *name = g_strdup_printf ("k%u", key);
  gint64 time = g_rand_int_range (self->random, 0, N_TIMES);
  gint64 end = time;
  guint64 before = self->hash;

  if (g_rand_int_range (self->random, 0, 8) > 0)
    {
      double value = g_rand_double (self->random);

      put (self->stored->store, name, time, value);
      model_set (self, key, time, TRUE, value);
    }
  else
    {
      MetricsQuerySpec spec;

      if (g_rand_boolean (self->random))
        time = 0;
      end = g_rand_int_range (self->random, time, N_TIMES);
      spec = spec_of (METRICS_QUERY_DELETE, name, time, end);
      run_delete (self->stored->store, &spec, 1000);
      for (; time <= end; time++)
        model_set (self, key, time, FALSE, 0);
    }
  note_change (self, before);
}

static void
on_operation (guint n, gpointer user_data)
{
  Power *self = user_data;
  Loss loss = { .n = n, .told = g_atomic_int_get (&self->told) };

  if (n % N_RUNS != self->number)
    return;
  loss.folder = folder_new ();
  power_vfs_lose (self->loss_random, loss.folder);
  g_array_append_val (self->losses, loss);
}

static void
on_kept (Power *self, MetricsJournal *journal)
{
  g_atomic_int_set (&self->told, self->base + metrics_journal_get_kept (journal));
}

static void
run_session (Power *self, const char *folder)
{
  g_autoptr (GError) error = NULL;

  self->base = self->hashes->len - 1;
  self->stored = stored_open (folder, self->durability, &error);
  g_assert_no_error (error);
  g_signal_connect_swapped (self->stored->storage, "kept", G_CALLBACK (on_kept), self);
  for (guint i = 0; i < N_CHANGES; i++)
    {
      change (self);
      if (g_rand_int_range (self->random, 0, 10) == 0 && self->durability == METRICS_DURABILITY_ALWAYS)
        stored_await_kept (self->stored);
      g_main_context_iteration (NULL, FALSE);
    }
  /* That is a second. */
  if (self->durability == METRICS_DURABILITY_INTERVAL && g_rand_int_range (self->random, 0, 4) == 0)
    stored_await_kept (self->stored);
  stored_close (g_steal_pointer (&self->stored));
  g_atomic_int_set (&self->told, self->hashes->len - 1);
}

/* Returns: the sum of what there is; in any case only what was there once */
static guint64
hash_of (Power *self, Stored *stored)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, "*", G_MININT64, G_MAXINT64);
  g_autoptr (Run) run = run_new (stored->store, &spec);
  guint64 sum = 0;

  g_assert_true (run_as_far (run, 1000) || self->durability == METRICS_DURABILITY_NONE);
  for (guint i = 0; i < run->rows->len; i++)
    {
      const ModelRow *row = &g_array_index (run->rows, ModelRow, i);
      guint64 hash = hash_point (row->key[1] - '0', row->point.time, row->point.value);

      g_assert_true (g_hash_table_contains (self->had, &hash));
      sum += hash;
    }
  return sum;
}

static gboolean
is_known (Power *self, guint64 hash, guint told)
{
  for (guint i = told; i < self->hashes->len; i++)
    if (g_array_index (self->hashes, guint64, i) == hash)
      return TRUE;
  return FALSE;
}

static void
check_whole (Power *self, const Loss *loss)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      Stored *stored = stored_open (loss->folder, self->durability, &error);

      g_assert_no_error (error);
      if (!is_known (self, hash_of (self, stored), loss->told))
        g_error ("run %u, operation %u: what was kept by then, %d changes, is not there", self->number,
                 loss->n, loss->told);
      stored_close (stored);
      g_assert_cmpint (folder_query (loss->folder, "SELECT count (*) FROM pragma_integrity_check WHERE"
                                                   " integrity_check = 'ok'"),
                       ==, 1);
    }
}

typedef struct
{
  guint n_losses;
  guint n_whole;
  guint n_other;
  guint n_refused;
} Tally;

/* Nothing was promised: it is opened, as far as it can be, or it is said why not. */
static void
check_none (Power *self, const Loss *loss, Tally *tally)
{
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (loss->folder, self->durability, &error);

  if (stored == NULL)
    {
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, loss->folder));
      g_test_message ("%s", error->message);
      tally->n_refused++;
      return;
    }
  if (is_known (self, hash_of (self, stored), 0))
    tally->n_whole++;
  else
    tally->n_other++;
  stored_try_close (stored, NULL);
}

static void
check_losses (Power *self, Tally *tally)
{
  for (guint i = 0; i < self->losses->len; i++)
    {
      Loss *loss = &g_array_index (self->losses, Loss, i);

      if (self->durability == METRICS_DURABILITY_NONE)
        check_none (self, loss, tally);
      else
        check_whole (self, loss);
      folder_free (loss->folder);
    }
  tally->n_losses += self->losses->len;
}

static void
run (MetricsDurability durability, guint number, Tally *tally)
{
  Power self = { .durability = durability, .number = number };
  char *folder = folder_new ();

  self.random = g_rand_new_with_seed (durability * 1000 + number / 4);
  self.loss_random = g_rand_new_with_seed (durability * 1000 + number);
  self.losses = g_array_new (FALSE, FALSE, sizeof (Loss));
  self.hashes = g_array_new (FALSE, FALSE, sizeof (guint64));
  self.had = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_array_append_val (self.hashes, self.hash);

  power_vfs_record (folder, on_operation, &self);
  for (guint i = 0; i < N_SESSIONS; i++)
    run_session (&self, folder);
  power_vfs_stop ();
  check_losses (&self, tally);

  g_rand_free (self.random);
  g_rand_free (self.loss_random);
  g_array_unref (self.losses);
  g_array_unref (self.hashes);
  g_hash_table_unref (self.had);
  folder_free (folder);
}

static void
test_power (gconstpointer data)
{
  Tally tally = { 0 };

  for (guint i = 0; i < N_RUNS; i++)
    run (GPOINTER_TO_INT (data), i, &tally);
  g_test_message ("%u losses; where nothing is promised: %u whole, %u in part, %u refused", tally.n_losses,
                  tally.n_whole, tally.n_other, tally.n_refused);
  g_assert_cmpuint (tally.n_losses, >, 50);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  logged_install ();
  power_vfs_install ();

  g_test_add_data_func ("/storage-power/always", GINT_TO_POINTER (METRICS_DURABILITY_ALWAYS), test_power);
  g_test_add_data_func ("/storage-power/interval", GINT_TO_POINTER (METRICS_DURABILITY_INTERVAL), test_power);
  g_test_add_data_func ("/storage-power/none", GINT_TO_POINTER (METRICS_DURABILITY_NONE), test_power);

  return g_test_run ();
}
