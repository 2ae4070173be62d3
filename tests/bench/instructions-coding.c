/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coding/metrics-coding.h"
#include "instructions.h"

/* Coding alone: a point of a full block, its time with it. */

#define N_BLOCKS 256
#define N METRICS_CODING_MAX_POINTS

typedef struct
{
  gint64 times[N_BLOCKS][N];
  double values[N_BLOCKS][N];
  guint8 data[N_BLOCKS][METRICS_CODING_MAX_SIZE (N)];
  gsize sizes[N_BLOCKS];
} Blocks;

static Blocks *
blocks_new (Kind kind)
{
  Blocks *self = g_new0 (Blocks, 1);

  make_values (kind, self->values[0], N_BLOCKS * N);
  for (guint i = 0; i < N_BLOCKS * N; i++)
    self->times[i / N][i % N] = WALK_START + (gint64) i * WALK_STEP;
  return self;
}

static void
encode (Blocks *self)
{
  for (guint i = 0; i < N_BLOCKS; i++)
    self->sizes[i] = metrics_coding_encode (self->data[i], self->times[i], self->values[i], N);
}

static guint64
code_points (Kind kind)
{
  g_autofree Blocks *blocks = blocks_new (kind);

  counting_begin ();
  encode (blocks);
  counting_end ();
  return N_BLOCKS * N;
}

static guint64
decode_points (Kind kind)
{
  g_autofree Blocks *blocks = blocks_new (kind);
  gboolean good = TRUE;

  encode (blocks);
  counting_begin ();
  for (guint i = 0; i < N_BLOCKS; i++)
    {
      MetricsCoded coded;

      good &= metrics_coding_open (&coded, blocks->data[i], blocks->sizes[i]);
      metrics_coding_read_times (&coded, 0, N, blocks->times[i]);
      metrics_coding_read_values (&coded, 0, N, blocks->values[i]);
    }
  counting_end ();
  g_assert_true (good);
  return N_BLOCKS * N;
}

const Work coding_works[] = {
  { "coded-walk", code_points, KIND_WALK },
  { "coded-constant", code_points, KIND_CONSTANT },
  { "coded-counter", code_points, KIND_COUNTER },
  { "coded-noise", code_points, KIND_NOISE },
  { "decoded-walk", decode_points, KIND_WALK },
  { "decoded-constant", decode_points, KIND_CONSTANT },
  { "decoded-counter", decode_points, KIND_COUNTER },
  { "decoded-noise", decode_points, KIND_NOISE },
  { NULL },
};
