/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-key.h"
#include "ctl/metrics-collector-names.h"
#include "ctl/metrics-ctl-collect-grid.h"
#include "ctl/metrics-ctl-collect-queue.h"

#include <string.h>

static void
test_grid_next (void)
{
  const gint64 day = 86400;

  g_assert_cmpint (metrics_collect_grid_next (100 * G_USEC_PER_SEC, 5), ==, 105);
  g_assert_cmpint (metrics_collect_grid_next (100 * G_USEC_PER_SEC - 1, 5), ==, 100);
  g_assert_cmpint (metrics_collect_grid_next (101 * G_USEC_PER_SEC + 1, 1), ==, 102);
  g_assert_cmpint (metrics_collect_grid_next (20000 * day * G_USEC_PER_SEC + 1, (guint) day), ==,
                   20001 * day);
}

static void
test_grid_find_slot (void)
{
  gint64 slot;

  g_assert_true (metrics_collect_grid_find_slot (100 * G_USEC_PER_SEC, 5, &slot));
  g_assert_cmpint (slot, ==, 100);
  g_assert_true (metrics_collect_grid_find_slot (100 * G_USEC_PER_SEC + 2499999, 5, &slot));
  g_assert_cmpint (slot, ==, 100);
  /* Too late for 100, too early for 105. */
  g_assert_false (metrics_collect_grid_find_slot (100 * G_USEC_PER_SEC + 2500000, 5, &slot));
  g_assert_false (metrics_collect_grid_find_slot (105 * G_USEC_PER_SEC - 1, 5, &slot));
}

static void
push (MetricsCollectQueue *queue, gint64 from, gint64 to)
{
  for (gint64 time = from; time <= to; time++)
    metrics_collect_queue_push (queue, "key", (double) time / 2, time);
}

static void
assert_holds (MetricsCollectQueue *queue, gint64 from, gint64 to)
{
  g_assert_cmpuint (metrics_collect_queue_get_length (queue), ==, to - from + 1);
  for (gint64 time = from; time <= to; time++)
    {
      const MetricsCollectPoint *point = metrics_collect_queue_get (queue, (guint) (time - from));

      g_assert_cmpstr (point->key, ==, "key");
      g_assert_cmpint (point->time, ==, time);
      g_assert_cmpfloat (point->value, ==, (double) time / 2);
    }
}

static void
test_queue_order (void)
{
  g_autoptr (MetricsCollectQueue) queue = metrics_collect_queue_new (4);

  assert_holds (queue, 1, 0);
  /* Round the ring several times. */
  for (gint64 time = 1; time < 20; time += 3)
    {
      push (queue, time, time + 2);
      assert_holds (queue, time, time + 2);
      metrics_collect_queue_begin (queue);
      metrics_collect_queue_settle (queue, 1);
      assert_holds (queue, time + 1, time + 2);
      metrics_collect_queue_begin (queue);
      metrics_collect_queue_settle (queue, 2);
      assert_holds (queue, 1, 0);
    }
  g_assert_cmpuint (metrics_collect_queue_get_n_dropped (queue), ==, 0);
}

static void
test_queue_full (void)
{
  g_autoptr (MetricsCollectQueue) queue = metrics_collect_queue_new (4);

  push (queue, 1, 7);
  assert_holds (queue, 4, 7);
  metrics_collect_queue_begin (queue);
  g_assert_cmpuint (metrics_collect_queue_get_n_dropped (queue), ==, 3);
  metrics_collect_queue_settle (queue, 0);
  g_assert_cmpuint (metrics_collect_queue_get_n_dropped (queue), ==, 3);
  assert_holds (queue, 4, 7);
}

static void
test_queue_dropped_while_sent (void)
{
  g_autoptr (MetricsCollectQueue) queue = metrics_collect_queue_new (4);

  /* 1 and 2 must go for 5 and 6, but were acknowledged: nothing is lost. */
  push (queue, 1, 4);
  metrics_collect_queue_begin (queue);
  push (queue, 5, 6);
  metrics_collect_queue_settle (queue, 3);
  g_assert_cmpuint (metrics_collect_queue_get_n_dropped (queue), ==, 0);
  assert_holds (queue, 4, 6);

  /* 4, 5 and 6 must go for 8, 9 and 10; only 4 was acknowledged. */
  push (queue, 7, 7);
  metrics_collect_queue_begin (queue);
  push (queue, 8, 10);
  metrics_collect_queue_settle (queue, 1);
  g_assert_cmpuint (metrics_collect_queue_get_n_dropped (queue), ==, 2);
  assert_holds (queue, 7, 10);

  /* All that was being sent is gone, and more. */
  metrics_collect_queue_begin (queue);
  push (queue, 11, 20);
  metrics_collect_queue_settle (queue, 4);
  g_assert_cmpuint (metrics_collect_queue_get_n_dropped (queue), ==, 2 + 6);
  assert_holds (queue, 17, 20);
}

static void
assert_component (const char *name, const char *expected)
{
  g_autofree char *component = metrics_collector_component (name);

  g_assert_cmpstr (component, ==, expected);
  g_assert_true (metrics_key_is_valid (component, strlen (component)));
  g_assert_cmpuint (strlen (component), <=, METRICS_COLLECTOR_COMPONENT_MAX);
}

static void
test_component (void)
{
  assert_component ("eth0", "eth0");
  assert_component ("eth0.100", "eth0_100");
  assert_component ("a b\tc\nd\x7f", "a_b_c_d_");
  assert_component ("*?\\/", "____");
  assert_component ("", "_");
  assert_component ("*", "_");
  assert_component ("b\xc3\xbcro", "b\xc3\xbcro");
  /* A no-break space, U+2028, a byte that is no UTF-8, half a character. */
  assert_component ("a\xc2\xa0"
                    "b\xe2\x80\xa8"
                    "c\xff"
                    "d\xc3",
                    "a_b_c_d_");
}

static void
test_component_is_cut (void)
{
  g_autofree char *ascii = g_strnfill (5000, 'x');
  g_autoptr (GString) wide = g_string_new (NULL);
  g_autofree char *component = metrics_collector_component (ascii);
  g_autofree char *wide_component = NULL;

  g_assert_cmpuint (strlen (component), >, 100);
  g_assert_cmpuint (strlen (component), <, METRICS_COLLECTOR_COMPONENT_MAX);

  /* Not in the middle of a character, whatever stands in front. */
  for (guint i = 0; i < 3; i++)
    {
      g_string_append_c (wide, 'x');
      for (guint j = 0; j < 100; j++)
        g_string_append (wide, "\xe2\x82\xac");
      g_free (wide_component);
      wide_component = metrics_collector_component (wide->str);
      g_assert_true (g_utf8_validate (wide_component, -1, NULL));
      g_string_truncate (wide, i + 1);
    }
}

static void
test_mount_component (void)
{
  const char *const cases[][2] = {
    { "/", "root" },
    { "/var/lib", "var_lib" },
    { "/media/my disk", "media_my_disk" },
    { "/srv/a.b", "srv_a_b" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *component = metrics_collector_mount_component (cases[i][0]);

      g_assert_cmpstr (component, ==, cases[i][1]);
    }
}

static void
test_claim (void)
{
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *longest = NULL, *ascii = g_strnfill (5000, 'x');

  g_assert_cmpstr (metrics_collector_claim_component (taken, "root"), ==, "root");
  g_assert_cmpstr (metrics_collector_claim_component (taken, "root"), ==, "root_2");
  g_assert_cmpstr (metrics_collector_claim_component (taken, "root"), ==, "root_3");
  g_assert_cmpstr (metrics_collector_claim_component (taken, "root_2"), ==, "root_2_2");
  g_assert_cmpstr (metrics_collector_claim_component (taken, "other"), ==, "other");

  longest = metrics_collector_component (ascii);
  metrics_collector_claim_component (taken, longest);
  g_assert_cmpuint (strlen (metrics_collector_claim_component (taken, longest)), <=,
                    METRICS_COLLECTOR_COMPONENT_MAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/collect/grid/next", test_grid_next);
  g_test_add_func ("/collect/grid/find-slot", test_grid_find_slot);
  g_test_add_func ("/collect/queue/order", test_queue_order);
  g_test_add_func ("/collect/queue/full", test_queue_full);
  g_test_add_func ("/collect/queue/dropped-while-sent", test_queue_dropped_while_sent);
  g_test_add_func ("/collect/names/component", test_component);
  g_test_add_func ("/collect/names/component-is-cut", test_component_is_cut);
  g_test_add_func ("/collect/names/mount-component", test_mount_component);
  g_test_add_func ("/collect/names/claim", test_claim);

  return g_test_run ();
}
