/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For memmem(). */
#define _GNU_SOURCE

#include "config.h"

#include "common/metrics-log.h"
#include "helpers.h"
#include "logged.h"
#include "stored.h"

#include <glib/gstdio.h>
#include <string.h>

/* Files that are cut short, and bits of them that are not what they were, wherever: it starts with what is
 * whole and names what is not, or it does not start and says why. No point is served that was not put, and
 * what is damaged is not written to. */

#define N_KEYS 200
#define N_POINTS 150
#define N_PUTS 2000

#define N_CUTS 60
#define N_FLIPS 200

#define PAGE 4096

#define DATABASE "metricsd.db"
#define WAL DATABASE "-wal"

typedef struct
{
  char *folder;     /* (owned): what is there after a crash: chunks, and a log that is in the WAL */
  GHashTable *had;  /* (owned) (element-type guint64): all points that were ever there */
  guint n_points;   /* how many there are */
  guint n_messages; /* about damage, since the last start */
  guint n_ends;     /* of these: that nothing is written any more */
  guint n_starts;
  guint n_damaged; /* how many of these were refused, or served and not written to */
  guint n_refused;
  guint n_silent; /* where something was missing of which nothing was said */
  guint64 n_served;
} Fixture;

static guint64
hash_point (MetricsPoint point)
{
  guint64 value;

  memcpy (&value, &point.value, sizeof value);
  return value ^ (guint64) point.time * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
}

static void
put_noise (Fixture *self, Stored *stored, guint key, gint64 time)
{
  g_autofree char *name = g_strdup_printf ("some.series.%u", key);
  MetricsPoint point = { time, noise_at (time * N_KEYS + key) };
  guint64 hash = hash_point (point);

  put (stored->store, name, point.time, point.value);
  g_hash_table_add (self->had, g_memdup2 (&hash, sizeof hash));
}

static void
copy_file (const char *from, const char *to, const char *name)
{
  g_autofree char *source = g_build_filename (from, name, NULL);
  g_autofree char *target = g_build_filename (to, name, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;
  gsize size;

  g_file_get_contents (source, &content, &size, &error);
  g_assert_no_error (error);
  g_file_set_contents_full (target, content, size, G_FILE_SET_CONTENTS_NONE, 0600, &error);
  g_assert_no_error (error);
}

static void
note_message (const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const char *message = logged_get (fields, n_fields, "MESSAGE");
  Fixture *self = user_data;

  g_assert_nonnull (strstr (message, DATABASE));
  self->n_messages++;
  self->n_ends += strstr (message, "nothing is written") != NULL;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  char *folder = folder_new ();
  g_autoptr (GError) error = NULL;
  Stored *stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);

  g_assert_no_error (error);
  self->had = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (guint i = 0; i < N_KEYS * N_POINTS; i++)
    {
      put_noise (self, stored, i % N_KEYS, i / N_KEYS);
      /* The keys come before the points in the file. */
      if (i != N_KEYS && i != N_KEYS * N_POINTS - 1)
        continue;
      stored_close (stored);
      stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
      g_assert_no_error (error);
    }
  for (guint i = 0; i < N_PUTS; i++)
    {
      put_noise (self, stored, i % N_KEYS, N_POINTS + i / N_KEYS);
      if (i % 100 == 0)
        stored_await_kept (stored);
    }
  stored_await_kept (stored);
  self->n_points = metrics_store_get_n_points (stored->store);
  self->folder = folder_new ();
  copy_file (folder, self->folder, DATABASE);
  copy_file (folder, self->folder, WAL);
  stored_close (stored);
  folder_free (folder);
  logged_set_func (note_message, self);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  folder_free (self->folder);
  g_hash_table_unref (self->had);
}

/* Returns: how many points of a pattern can be read, each of which was put; *all becomes whether that are all
 */
static guint
read_points (Fixture *self, Stored *stored, const char *pattern, gboolean *all)
{
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_POINTS, pattern, G_MININT64, G_MAXINT64);
  g_autoptr (Run) run = run_new (stored->store, &spec);

  *all = run_as_far (run, 10000);
  for (guint i = 0; i < run->rows->len; i++)
    {
      guint64 hash = hash_point (g_array_index (run->rows, ModelRow, i).point);

      g_assert_true (g_hash_table_contains (self->had, &hash));
    }
  return run->rows->len;
}

/* Returns: how many points there are, as far as they can be read */
static guint
check_points (Fixture *self, Stored *stored)
{
  gboolean all;
  guint n_points = read_points (self, stored, "*", &all);

  if (all)
    return n_points;
  /* One series that cannot be read does not keep others from it, and that was said. */
  g_assert_cmpuint (self->n_messages, >, 0);
  n_points = 0;
  for (guint i = 0; i < N_KEYS; i++)
    {
      g_autofree char *name = g_strdup_printf ("some.series.%u", i);

      n_points += read_points (self, stored, name, &all);
    }
  return n_points;
}

/* Puts and deletes, and stops. */
static void
check_changes (Stored *stored, const char *folder)
{
  g_autofree char *path = g_build_filename (folder, DATABASE, NULL);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gsize size_before;
  gsize size_after;
  g_autoptr (GError) error = NULL;
  MetricsQuerySpec spec = spec_of (METRICS_QUERY_DELETE, "some.series.1*", 10, 20);
  Run *run;

  g_assert_true (g_file_get_contents (path, &before, &size_before, NULL));
  if (metrics_store_put (stored->store, "other", 5, (MetricsPoint){ 1, 1 }, &error))
    {
      /* What is damaged may be met only now. */
      stored_try_close (stored, NULL);
      return;
    }
  g_assert_true (g_str_has_prefix (error->message, "storage: "));
  run = run_new (stored->store, &spec);
  run_as_far (run, 1000);
  g_clear_pointer (&run, run_free);
  stored_try_close (stored, NULL);
  g_assert_true (g_file_get_contents (path, &after, &size_after, NULL));
  g_assert_cmpmem (before, size_before, after, size_after);
}

static void
check_start (Fixture *self, const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) refusal = NULL;
  Stored *stored;
  guint n_points;

  self->n_messages = 0;
  /* Nothing is said too often: each is a process of its own. */
  metrics_log_set_clock (NULL);
  self->n_starts++;
  stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
  if (stored == NULL)
    {
      g_assert_nonnull (strstr (error->message, folder));
      self->n_refused++;
      return;
    }
  n_points = check_points (self, stored);
  g_assert_cmpuint (n_points, <=, self->n_points);
  self->n_served += n_points;
  self->n_silent += n_points < self->n_points && self->n_messages == 0;
  self->n_damaged += self->n_messages > 0;
  check_changes (stored, folder);
}

static void
damage (Fixture *self, const char *name, gsize cut_at, gsize flip_at, guint bit)
{
  char *folder = folder_new ();
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *content = NULL;
  gsize size;

  copy_file (self->folder, folder, DATABASE);
  copy_file (self->folder, folder, WAL);
  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  content[flip_at] ^= 1 << bit;
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_true (g_file_set_contents_full (path, content, MIN (size, cut_at), G_FILE_SET_CONTENTS_NONE, 0600,
                                           NULL));
  check_start (self, folder);
  folder_free (folder);
}

/* Makes pages of a table that hold no key such as cannot be right: those of the chunks. */
static void
damage_chunks (const char *folder)
{
  static const char key[] = "some.series.";
  g_autofree char *path = g_build_filename (folder, DATABASE, NULL);
  g_autofree char *content = NULL;
  gsize size;
  guint n_pages = 0;

  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  for (gsize at = PAGE; at + PAGE <= size; at += PAGE)
    if (content[at] == 0x0d && memmem (content + at, PAGE, key, sizeof key - 1) == NULL)
      {
        content[at] = 0x55;
        n_pages++;
      }
  g_assert_cmpuint (n_pages, >, 10);
  g_assert_true (g_file_set_contents_full (path, content, size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* A start does not look at chunks. Who reads them learns that the file is damaged; from then on nothing is
 * written, which is said once. */
static void
test_late (Fixture *self, gconstpointer data)
{
  char *folder = folder_new ();
  g_autoptr (GError) error = NULL;
  Stored *stored;
  gboolean all;

  copy_file (self->folder, folder, DATABASE);
  copy_file (self->folder, folder, WAL);
  damage_chunks (folder);
  stored = stored_open (folder, METRICS_DURABILITY_ALWAYS, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (self->n_messages, ==, 0);
  put (stored->store, "some.series.1", G_MAXINT64, 1);
  stored_await_kept (stored);

  for (guint i = 0; i < 2; i++)
    {
      g_assert_cmpuint (read_points (self, stored, "some.series.2*", &all), <, self->n_points / 4);
      g_assert_true (all);
      g_assert_cmpuint (self->n_messages, >, 1);
      g_assert_cmpuint (self->n_ends, ==, 1);
    }
  g_assert_false (metrics_store_put (stored->store, "other", 5, (MetricsPoint){ 1, 1 }, &error));
  g_assert_cmpstr (error->message, ==, "storage: the file is damaged");
  check_changes (stored, folder);
  g_assert_cmpuint (self->n_ends, ==, 1);
  folder_free (folder);
}

static gsize
get_size (Fixture *self, const char *name)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autofree char *content = NULL;
  gsize size;

  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  return size;
}

static void
report (Fixture *self)
{
  g_test_message ("%u starts, %u refused, %u named damage, %u lacked something and did not say so; %u of "
                  "1000 "
                  "points served",
                  self->n_starts, self->n_refused, self->n_damaged, self->n_silent,
                  (guint) (self->n_served * 1000 / ((guint64) self->n_points * self->n_starts)));
}

static void
test_cut (Fixture *self, gconstpointer data)
{
  const char *name = data;
  gsize size = get_size (self, name);

  for (guint i = 0; i < N_CUTS; i++)
    damage (self, name, size * i / N_CUTS + i, 0, 8);
  report (self);
  /* What is behind the cut is gone; what is before it is there where the index is. */
  g_assert_cmpuint (self->n_served, >, (guint64) self->n_points * self->n_starts / 10);
}

/* Some bits only: all of them would take hours. The headers of pages have their share. */
static void
test_flip (Fixture *self, gconstpointer data)
{
  const char *name = data;
  gsize size = get_size (self, name);
  g_autoptr (GRand) random = g_rand_new_with_seed (4);

  for (guint i = 0; i < N_FLIPS; i++)
    {
      gsize at = g_rand_int_range (random, 0, size);

      if (i % 3 == 0)
        at = at / 4096 * 4096 + at % 16;
      damage (self, name, G_MAXSIZE, at, g_rand_int_range (random, 0, 8));
    }
  report (self);
  /* Most of it is there however it was damaged, and hardly ever is anything missing without a word. */
  g_assert_cmpuint (self->n_served, >, (guint64) self->n_points * self->n_starts * 8 / 10);
  g_assert_cmpuint (self->n_refused, <, N_FLIPS / 10);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  logged_install ();

#define ADD(name, data, func) g_test_add ("/storage-damage/" name, Fixture, data, set_up, func, tear_down)
  ADD ("cut/database", DATABASE, test_cut);
  ADD ("cut/wal", WAL, test_cut);
  ADD ("flip/database", DATABASE, test_flip);
  ADD ("flip/wal", WAL, test_flip);
  ADD ("late", NULL, test_late);

  return g_test_run ();
}
