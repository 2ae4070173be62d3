/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "coding/metrics-coding.h"

G_BEGIN_DECLS

typedef enum
{
  BLOCK_TIMES_REGULAR,
  BLOCK_TIMES_JITTER,
  BLOCK_TIMES_GAPS,
  BLOCK_TIMES_IRREGULAR,
  BLOCK_TIMES_WIDE,
  BLOCK_TIMES_ROUND,
  BLOCK_TIMES_ALTERNATING,
  BLOCK_N_TIMES,
} BlockTimes;

typedef enum
{
  BLOCK_VALUES_CONSTANT,
  BLOCK_VALUES_LINEAR,
  BLOCK_VALUES_WALK,
  BLOCK_VALUES_COUNTER,
  BLOCK_VALUES_SCALED,
  BLOCK_VALUES_LARGE,
  BLOCK_VALUES_NOISE,
  BLOCK_VALUES_BITS,
  BLOCK_VALUES_WIDTH,
  BLOCK_VALUES_SPECIAL,
  BLOCK_VALUES_OUTLIERS,
  BLOCK_VALUES_EXCEPTIONS,
  BLOCK_VALUES_ROUND,
  BLOCK_N_VALUES,
} BlockValues;

/* Points of one series, and their code. All is in allocations of its own size, so that a sanitizer sees what
 * is read or written behind it. */
typedef struct
{
  guint n;
  gint64 *times;  /* (owned) (array length=n) */
  double *values; /* (owned) (array length=n) */
  guint8 *code;   /* (owned) (array length=size) */
  gsize size;
} Block;

Block *block_new (const gint64 *times, const double *values, guint n);
Block *block_new_random (GRand *random, BlockTimes times, BlockValues values, guint n);
void block_free (Block *self);

guint64 random_bits (GRand *random);
double random_double (GRand *random, guint width);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Block, block_free)

G_END_DECLS
