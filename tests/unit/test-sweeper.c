/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-sweeper.h"

#include "helpers.h"
#include "logged.h"

#include <string.h>

#define DAY G_GINT64_CONSTANT (86400)
#define MINUTE 60
#define SECOND G_USEC_PER_SEC
#define NOW (20000 * DAY)

/* Rules, of a group as a file has it. */
static MetricsRetention *
new_retention (const char *text)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  MetricsRetention *retention;

  g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_KEEP_TRANSLATIONS, &error);
  g_assert_no_error (error);
  retention = metrics_retention_new (metrics_rules_new (file, "retention", &error), &error);
  g_assert_no_error (error);
  return retention;
}

/* A store that keeps a day, and clocks that are set by hand. */
typedef struct
{
  MetricsRetention *retention;
  MetricsStore *store;
  MetricsSweeper *sweeper;
  MetricsInstant clocks;
  gint64 slowness; /* how many seconds go by each time it looks at the clock */
} Fixture;

static void
show_clocks (MetricsInstant *now, gpointer user_data)
{
  Fixture *f = user_data;

  f->clocks.real += f->slowness * SECOND;
  f->clocks.elapsed += f->slowness * SECOND;
  *now = f->clocks;
}

static void
begin (Fixture *f, gint64 witness)
{
  f->sweeper = metrics_sweeper_new (f->store, f->retention, witness, show_clocks, f);
}

static void
set_up (Fixture *f, gconstpointer user_data)
{
  f->retention = new_retention ("[retention]\nforever.*=1000y\n*=1d\n");
  f->store = metrics_store_new (100, G_MAXUINT64);
  f->clocks = (MetricsInstant){ .real = NOW * SECOND, .elapsed = 12345678 };
  for (gint64 i = 0; i < 48; i++)
    {
      put (f->store, "k", NOW - i * 3600, i);
      put (f->store, "forever.k", NOW - i * 3600, i);
    }
}

static void
tear_down (Fixture *f, gconstpointer user_data)
{
  metrics_sweeper_free (f->sweeper);
  g_object_unref (f->store);
  metrics_retention_free (f->retention);
}

static void
advance (Fixture *f, gint64 seconds)
{
  f->clocks.real += seconds * SECOND;
  f->clocks.elapsed += seconds * SECOND;
}

/* Returns: how many points went by what it does every minute */
static guint64
tick (Fixture *f)
{
  guint64 n = metrics_store_get_n_points (f->store);

  metrics_sweeper_tick (f->sweeper);
  while (metrics_sweeper_is_sweeping (f->sweeper))
    g_main_context_iteration (NULL, TRUE);
  return n - metrics_store_get_n_points (f->store);
}

static void
test_sweeps (Fixture *f, gconstpointer user_data)
{
  begin (f, f->clocks.real - SECOND);
  g_assert_cmpuint (tick (f), ==, 23);
  g_assert_cmpuint (tick (f), ==, 0);
  advance (f, 3600);
  g_assert_cmpuint (tick (f), ==, 1);
  advance (f, 100 * DAY);
  g_assert_cmpuint (tick (f), ==, 24);
  g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, 48);
  g_assert_cmpuint (metrics_store_get_n_expired (f->store), ==, 48);
}

/* By itself, a second after the start. */
static void
test_by_itself (Fixture *f, gconstpointer user_data)
{
  begin (f, f->clocks.real);
  while (metrics_store_get_n_expired (f->store) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, 96 - 23);
}

/* Nobody knows whether the clock is right: it waits. */
static void
test_doubts_a_start (Fixture *f, gconstpointer user_data)
{
  begin (f, G_MININT64);
  g_assert_cmpuint (tick (f), ==, 0);
  for (guint i = 0; i < 9; i++)
    {
      advance (f, MINUTE);
      g_assert_cmpuint (tick (f), ==, 0);
    }
  advance (f, MINUTE);
  g_assert_cmpuint (tick (f), ==, 24);
}

/* A machine starts in 2099 and learns the time from the network. */
static void
test_wrong_at_a_start (Fixture *f, gconstpointer user_data)
{
  f->clocks.real += 27000 * DAY * SECOND;
  begin (f, NOW * SECOND);
  g_assert_cmpuint (tick (f), ==, 0);
  advance (f, 5 * MINUTE);
  f->clocks.real -= 27000 * DAY * SECOND;
  for (guint i = 0; i < 10; i++)
    {
      g_assert_cmpuint (tick (f), ==, 0);
      advance (f, MINUTE);
    }
  g_assert_cmpuint (tick (f), ==, 24);
}

/* 2099 for some minutes, while it runs. */
static void
test_jump (Fixture *f, gconstpointer user_data)
{
  begin (f, NOW * SECOND);
  g_assert_cmpuint (tick (f), ==, 23);
  f->clocks.real += 27000 * DAY * SECOND;
  for (guint i = 0; i < 9; i++)
    {
      g_assert_cmpuint (tick (f), ==, 0);
      advance (f, MINUTE);
    }
  f->clocks.real -= 27000 * DAY * SECOND;
  for (guint i = 0; i < 10; i++)
    {
      g_assert_cmpuint (tick (f), ==, 0);
      advance (f, MINUTE);
    }
  g_assert_cmpuint (tick (f), ==, 1);
  advance (f, 3600);
  g_assert_cmpuint (tick (f), ==, 1);
}

/* What takes long is done less often. */
static void
test_rests (Fixture *f, gconstpointer user_data)
{
  f->slowness = MINUTE;
  begin (f, f->clocks.real);
  g_assert_cmpuint (tick (f), >=, 23);
  f->slowness = 0;
  advance (f, 5900);
  g_assert_cmpuint (tick (f), ==, 0);
  advance (f, 100);
  g_assert_cmpuint (tick (f), >=, 1);
}

/* Where it ends the store has no rules; one that is under way is given up. */
static void
test_end (Fixture *f, gconstpointer user_data)
{
  begin (f, NOW * SECOND);
  metrics_sweeper_tick (f->sweeper);
  g_assert_true (metrics_sweeper_is_sweeping (f->sweeper));
  g_clear_pointer (&f->sweeper, metrics_sweeper_free);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (metrics_store_get_n_points (f->store), ==, 96);
  put (f->store, "k", 0, 1);
}

/* Without rules it neither refuses nor deletes, nor does it wake up. */
static void
test_no_rules (void)
{
  g_autoptr (MetricsRetention) retention = new_retention ("");
  g_autoptr (MetricsStore) store = metrics_store_new (100, G_MAXUINT64);
  g_autoptr (GMainContext) context = g_main_context_ref (g_main_context_default ());
  g_autoptr (MetricsSweeper) sweeper
      = metrics_sweeper_new (store, retention, G_MININT64, metrics_instant_now, NULL);
  gint timeout, priority;

  put (store, "k", G_MININT64, 1);
  g_assert_true (g_main_context_acquire (context));
  g_assert_false (g_main_context_prepare (context, &priority));
  timeout = 0;
  g_main_context_query (context, G_MAXINT, &timeout, NULL, 0);
  g_assert_cmpint (timeout, ==, -1);
  g_main_context_release (context);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  logged_install ();

  g_test_add_func ("/sweeper/no-rules", test_no_rules);
  g_test_add ("/sweeper/sweeps", Fixture, NULL, set_up, test_sweeps, tear_down);
  g_test_add ("/sweeper/by-itself", Fixture, NULL, set_up, test_by_itself, tear_down);
  g_test_add ("/sweeper/doubts-a-start", Fixture, NULL, set_up, test_doubts_a_start, tear_down);
  g_test_add ("/sweeper/wrong-at-a-start", Fixture, NULL, set_up, test_wrong_at_a_start, tear_down);
  g_test_add ("/sweeper/jump", Fixture, NULL, set_up, test_jump, tear_down);
  g_test_add ("/sweeper/rests", Fixture, NULL, set_up, test_rests, tear_down);
  g_test_add ("/sweeper/end", Fixture, NULL, set_up, test_end, tear_down);
  return g_test_run ();
}
