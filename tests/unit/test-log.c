/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-log.h"

/* Changes as bytes, and back. */

static void
assert_bytes (MetricsLogBatch *batch, const char *expected)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < batch->bytes->len; i++)
    g_string_append_printf (text, i > 0 ? " %02x" : "%02x", batch->bytes->data[i]);
  g_assert_cmpstr (text->str, ==, expected);
}

/* The example of the page that describes the format. */
static void
test_example (void)
{
  g_autoptr (MetricsLogBatch) batch = metrics_log_batch_new ();

  metrics_log_batch_begin (batch, 1, "cpu", 3);
  metrics_log_batch_put (batch, 1, (MetricsPoint){ 1000, 12.5 });
  metrics_log_batch_put (batch, 2, (MetricsPoint){ 1000, 0 });
  metrics_log_batch_remove (batch, 1, 990, 1010);
  assert_bytes (batch, "01 03 63 70 75 2c 01 d0 0f 40 29 00 06 03 13 14");
}

static guint64
pick_number (GRand *random)
{
  guint64 number = (guint64) g_rand_int (random) << 32 | g_rand_int (random);

  return number >> g_rand_int_range (random, 0, 64);
}

static gint64
pick_time (GRand *random)
{
  guint64 number = pick_number (random);

  return (gint64) (g_rand_boolean (random) ? number : ~number);
}

static MetricsLogChange
pick_change (GRand *random)
{
  static const char key[] = "0123456789";
  MetricsLogChange change = { .kind = g_rand_int_range (random, 0, 3), .id = pick_number (random) };
  guint64 value = pick_number (random) << g_rand_int_range (random, 0, 64);

  switch (change.kind)
    {
    case METRICS_LOG_BEGIN:
      change.key = key;
      change.key_len = g_rand_int_range (random, 0, sizeof key);
      break;
    case METRICS_LOG_PUT:
      change.point.time = pick_time (random);
      memcpy (&change.point.value, &value, sizeof value);
      break;
    case METRICS_LOG_REMOVE:
    default:
      change.from = pick_time (random);
      change.to = pick_time (random);
      if (change.from > change.to)
        change.from = G_MININT64;
    }
  return change;
}

static void
append (MetricsLogBatch *batch, const MetricsLogChange *change)
{
  if (change->kind == METRICS_LOG_PUT)
    metrics_log_batch_put (batch, change->id, change->point);
  else if (change->kind == METRICS_LOG_BEGIN)
    metrics_log_batch_begin (batch, change->id, change->key, change->key_len);
  else
    metrics_log_batch_remove (batch, change->id, change->from, change->to);
}

static void
assert_same (const MetricsLogChange *read, const MetricsLogChange *change)
{
  g_assert_cmpint (read->kind, ==, change->kind);
  g_assert_cmpuint (read->id, ==, change->id);
  g_assert_cmpint (read->point.time, ==, change->point.time);
  g_assert_cmpmem (&read->point.value, sizeof (double), &change->point.value, sizeof (double));
  g_assert_cmpmem (read->key, read->key_len, change->key, change->key_len);
  g_assert_cmpint (read->from, ==, change->from);
  g_assert_cmpint (read->to, ==, change->to);
}

static void
test_random (void)
{
  g_autoptr (MetricsLogBatch) batch = metrics_log_batch_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (GBytes) packed = NULL;
  g_autoptr (GBytes) unpacked = NULL;
  MetricsLogReader reader;
  MetricsLogChange read;

  for (guint i = 0; i < 10000; i++)
    {
      MetricsLogChange change = pick_change (random);

      append (batch, &change);
    }
  packed = metrics_log_pack (batch->bytes->data, batch->bytes->len);
  unpacked = metrics_log_unpack (g_bytes_get_data (packed, NULL), g_bytes_get_size (packed));
  g_assert_nonnull (unpacked);

  g_rand_set_seed (random, 1);
  metrics_log_reader_init (&reader, g_bytes_get_data (unpacked, NULL), g_bytes_get_size (unpacked));
  for (guint i = 0; i < 10000; i++)
    {
      MetricsLogChange change = pick_change (random);

      g_assert_true (metrics_log_reader_next (&reader, &read));
      assert_same (&read, &change);
    }
  g_assert_false (metrics_log_reader_next (&reader, &read));
  g_assert_false (reader.damaged);
}

/* Bytes that are no changes end the reading, and are said to. */
static void
test_damaged (void)
{
  const char *const damaged[] = { "\x04",
                                  "\x08",
                                  "\x10",
                                  "\x90",
                                  "\x03",
                                  "\x01\x05"
                                  "abc",
                                  "\x02\x01" };
  MetricsLogChange change;

  for (guint i = 0; i < G_N_ELEMENTS (damaged); i++)
    {
      MetricsLogReader reader;

      metrics_log_reader_init (&reader, (const guint8 *) damaged[i], strlen (damaged[i]));
      g_assert_false (metrics_log_reader_next (&reader, &change));
      g_assert_true (reader.damaged);
    }
}

/* A row that was cut, or says that it is longer than it is. */
static void
test_packed_damage (void)
{
  const guint8 changes[] = { 0, 0, 0, 0, 0, 0, 0, 0 };
  g_autoptr (GBytes) packed = metrics_log_pack (changes, sizeof changes);
  gsize size;
  const guint8 *data = g_bytes_get_data (packed, &size);
  g_autofree guint8 *longer = g_memdup2 (data, size);

  for (gsize n = 0; n < size; n++)
    {
      g_autoptr (GBytes) unpacked = metrics_log_unpack (data, n);

      g_assert_null (unpacked);
    }
  longer[0]++;
  g_assert_null (metrics_log_unpack (longer, size));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/log/example", test_example);
  g_test_add_func ("/log/random", test_random);
  g_test_add_func ("/log/damaged", test_damaged);
  g_test_add_func ("/log/packed-damage", test_packed_damage);

  return g_test_run ();
}
