/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-hash.h"

#include <string.h>

/* SipHash-1-3 of the first n of the bytes 0, 1, 2 ... with the key 00 01 ... 0f: computed with another
 * program, which was checked with the vector of the paper (for 2-4 rounds) and with CPython's hash of bytes.
 */
static void
test_vectors (void)
{
  static const struct
  {
    gsize len;
    guint64 hash;
  } vectors[] = {
    { 0, G_GUINT64_CONSTANT (0xabac0158050fc4dc) },  { 1, G_GUINT64_CONSTANT (0xc9f49bf37d57ca93) },
    { 7, G_GUINT64_CONSTANT (0xd3927d989bb11140) },  { 8, G_GUINT64_CONSTANT (0x369095118d299a8e) },
    { 9, G_GUINT64_CONSTANT (0x25a48eb36c063de4) },  { 15, G_GUINT64_CONSTANT (0xd320d86d2a519956) },
    { 16, G_GUINT64_CONSTANT (0xcc4fdd1a7d908b66) }, { 63, G_GUINT64_CONSTANT (0x9d199062b7bbb3a8) },
  };
  const MetricsHashSeed seed
      = { .k0 = G_GUINT64_CONSTANT (0x0706050403020100), .k1 = G_GUINT64_CONSTANT (0x0f0e0d0c0b0a0908) };
  char bytes[64];

  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = i;
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    g_assert_cmphex (metrics_hash (&seed, bytes, vectors[i].len), ==, vectors[i].hash);
}

/* Seeds differ, and with them the hashes. */
static void
test_seeds (void)
{
  MetricsHashSeed a = metrics_hash_seed_new ();
  MetricsHashSeed b = metrics_hash_seed_new ();

  g_assert_true (memcmp (&a, &b, sizeof a) != 0);
  g_assert_cmphex (metrics_hash (&a, "key", 3), !=, metrics_hash (&b, "key", 3));
  g_assert_cmphex (metrics_hash (&a, "key", 3), ==, metrics_hash (&a, "key", 3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/hash/vectors", test_vectors);
  g_test_add_func ("/hash/seeds", test_seeds);
  return g_test_run ();
}
