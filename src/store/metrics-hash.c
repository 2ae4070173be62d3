/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-hash.h"

#include <string.h>

/* Keys come from outside: with a hash that can be foretold, a client could send keys that all fall into one
 * place of the table and make each put as slow as the table is long. SipHash with a secret seed cannot be
 * foretold: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012, section 2;
 * here with one round a word and three at the end, which is enough for a table whose hashes nobody sees. */

typedef struct
{
  guint64 v0, v1, v2, v3;
} State;

static inline guint64
rotate (guint64 x, guint n)
{
  return x << n | x >> (64 - n);
}

static inline void
sip_round (State *s)
{
  s->v0 += s->v1;
  s->v2 += s->v3;
  s->v1 = rotate (s->v1, 13) ^ s->v0;
  s->v3 = rotate (s->v3, 16) ^ s->v2;
  s->v0 = rotate (s->v0, 32);
  s->v2 += s->v1;
  s->v0 += s->v3;
  s->v1 = rotate (s->v1, 17) ^ s->v2;
  s->v3 = rotate (s->v3, 21) ^ s->v0;
  s->v2 = rotate (s->v2, 32);
}

static inline void
absorb (State *s, guint64 word)
{
  s->v3 ^= word;
  sip_round (s);
  s->v0 ^= word;
}

/* Eight bytes, the first one lowest. */
static inline guint64
load (const char *bytes)
{
  guint64 word;

  memcpy (&word, bytes, sizeof word);
  return GUINT64_FROM_LE (word);
}

/* The last @n bytes, fewer than eight, of those that end at @end. */
static inline guint64
load_rest (const char *end, gsize n, gsize len)
{
  guint64 word = 0;

  if (n == 0)
    return 0;
  /* One load from within the bytes before is far quicker than a copy of a length that is not known. */
  if (len >= 8)
    return load (end - 8) >> (64 - 8 * n);
  memcpy (&word, end - n, n);
  return GUINT64_FROM_LE (word);
}

/**
 * metrics_hash_seed_new:
 *
 * Returns: a seed that nobody can guess: GLib's generator starts from the kernel's, and none of its numbers
 * is ever told
 */
MetricsHashSeed
metrics_hash_seed_new (void)
{
  MetricsHashSeed seed;

  seed.k0 = (guint64) g_random_int () << 32 | g_random_int ();
  seed.k1 = (guint64) g_random_int () << 32 | g_random_int ();
  return seed;
}

/**
 * metrics_hash:
 * @seed: a seed
 * @bytes: (array length=len): what to hash
 * @len: how many bytes
 *
 * Returns: SipHash-1-3 of the bytes
 */
guint64
metrics_hash (const MetricsHashSeed *seed, const char *bytes, gsize len)
{
  State s = {
    .v0 = seed->k0 ^ G_GUINT64_CONSTANT (0x736f6d6570736575),
    .v1 = seed->k1 ^ G_GUINT64_CONSTANT (0x646f72616e646f6d),
    .v2 = seed->k0 ^ G_GUINT64_CONSTANT (0x6c7967656e657261),
    .v3 = seed->k1 ^ G_GUINT64_CONSTANT (0x7465646279746573),
  };
  const char *end = bytes + len;
  gsize n;

  for (n = len; n >= 8; bytes += 8, n -= 8)
    absorb (&s, load (bytes));
  absorb (&s, (guint64) len << 56 | load_rest (end, n, len));

  s.v2 ^= 0xff;
  for (guint i = 0; i < 3; i++)
    sip_round (&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
