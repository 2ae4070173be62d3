/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "coding/metrics-integers.h"

#include "coding/metrics-bits.h"

#include <string.h>

/* A list of integers, times or values, in few bits.
 *
 * Either the numbers themselves or the differences of neighbours are taken, relative to the least one (frame
 * of reference; J. Goldstein, R. Ramakrishnan, U. Shaft, "Compressing relations and indexes", ICDE 1998) or,
 * for differences to both sides of zero, zigzag. Zero bits that all have at their end are dropped (sizes in
 * pages of memory). What is left is packed in a width that suits most; the few that are wider have their
 * higher bits beside (patching; M. Zukowski, S. Heman, N. Nes, P. Boncz, "Super-scalar RAM-CPU cache
 * compression", ICDE 2006), found by a list of indexes or, where that is shorter, a bit for each number.
 * Which of these is shortest is computed for each list from how many numbers there are of each width.
 *
 * Constant lists have differences of zero and linear ones, such as times at a regular step, a constant
 * difference: both need no packed bits, and may be of any length.
 *
 * All can be undone without a branch for a number: unpack, patch, shift, add up. */

/* The head, two bytes: */
#define WIDTH_MASK 0x7f  /* first: width, 0 to 64 */
#define IS_DELTA 0x80    /* first */
#define SHIFT_MASK 0x3f  /* second: shift, 0 to 63 */
#define HAS_PATCHES 0x40 /* second */
#define IS_ZIGZAG 0x80   /* second */
/* then the base (zigzag varint) and, of differences, the first number (zigzag varint), and where there are
 * patches: */
#define PATCH_WIDTH_MASK 0x7f /* a byte: their width, 1 to 64 */
#define IS_BITMAP 0x80

/* How numbers are to be coded, and those to be packed. */
typedef struct
{
  gboolean is_delta;
  gboolean is_zigzag;
  guint64 first;
  guint64 base;
  guint shift;
  guint n; /* how many are packed */
  guint width;
  guint n_patches;
  guint patch_width;
  gboolean is_bitmap;
  gsize cost; /* bytes behind the head */
  guint64 numbers[METRICS_INTEGERS_MAX];
} Plan;

static gsize
get_patches_size (guint n, guint n_patches, guint patch_width, gboolean *is_bitmap)
{
  gsize list = n_patches;
  gsize bitmap = metrics_bits_get_size (n, 1);

  if (n_patches == 0)
    return 0;
  *is_bitmap = bitmap < list;
  /* Two for their width and number, rarely three. */
  return 2 + MIN (list, bitmap) + metrics_bits_get_size (n_patches, patch_width);
}

/* Finds the width that makes the whole shortest. */
static void
choose_width (Plan *plan)
{
  guint counts[65] = { 0 };
  guint widest = 64;
  guint n_wider = 0;

  for (guint i = 0; i < plan->n; i++)
    counts[metrics_bits_get_width (plan->numbers[i])]++;
  while (widest > 0 && counts[widest] == 0)
    widest--;

  plan->cost = G_MAXSIZE;
  for (guint width = widest; n_wider <= plan->n / 2; width--)
    {
      gboolean is_bitmap = FALSE;
      gsize cost = metrics_bits_get_size (plan->n, width)
                   + get_patches_size (plan->n, n_wider, widest - width, &is_bitmap);

      /* Where it is the same, the narrower one has patches: not worth it. */
      if (cost < plan->cost)
        {
          plan->cost = cost;
          plan->width = width;
          plan->n_patches = n_wider;
          plan->patch_width = widest - width;
          plan->is_bitmap = is_bitmap;
        }
      n_wider += counts[width];
      if (width == 0)
        break;
    }
  plan->cost += metrics_bytes_get_varint_size (metrics_bytes_zigzag (plan->base));
  if (plan->is_delta)
    plan->cost += metrics_bytes_get_varint_size (metrics_bytes_zigzag (plan->first));
}

static guint
get_trailing_zeros (guint64 bits)
{
  return bits == 0 ? 0 : __builtin_ctzll (bits);
}

/* Relative to the least one. */
static void
plan_frame (Plan *plan, const guint64 *numbers, guint n)
{
  gint64 least = (gint64) numbers[0];
  guint64 bits = 0;

  for (guint i = 1; i < n; i++)
    least = MIN (least, (gint64) numbers[i]);
  for (guint i = 0; i < n; i++)
    bits |= numbers[i] - (guint64) least;

  plan->is_zigzag = FALSE;
  plan->base = (guint64) least;
  plan->shift = get_trailing_zeros (bits);
  plan->n = n;
  for (guint i = 0; i < n; i++)
    plan->numbers[i] = (numbers[i] - (guint64) least) >> plan->shift;
  choose_width (plan);
}

/* To both sides of zero. */
static void
plan_zigzag (Plan *plan, const guint64 *numbers, guint n)
{
  guint64 bits = 0;

  for (guint i = 0; i < n; i++)
    bits |= numbers[i];

  plan->is_zigzag = TRUE;
  plan->base = 0;
  plan->shift = get_trailing_zeros (bits);
  plan->n = n;
  for (guint i = 0; i < n; i++)
    plan->numbers[i] = metrics_bytes_zigzag ((guint64) ((gint64) numbers[i] >> plan->shift));
  choose_width (plan);
}

static guint8 *
write_head (guint8 *data, const Plan *plan)
{
  *data++ = plan->width | (plan->is_delta ? IS_DELTA : 0);
  *data++ = plan->shift | (plan->n_patches > 0 ? HAS_PATCHES : 0) | (plan->is_zigzag ? IS_ZIGZAG : 0);
  data = metrics_bytes_put_varint (data, metrics_bytes_zigzag (plan->base));
  if (plan->is_delta)
    data = metrics_bytes_put_varint (data, metrics_bytes_zigzag (plan->first));
  return data;
}

static guint8 *
write_patches (guint8 *data, const Plan *plan)
{
  guint64 patches[METRICS_INTEGERS_MAX];
  guint8 *positions;
  guint n = 0;

  *data++ = plan->patch_width | (plan->is_bitmap ? IS_BITMAP : 0);
  data = metrics_bytes_put_varint (data, plan->n_patches);
  positions = data;
  data += plan->is_bitmap ? metrics_bits_get_size (plan->n, 1) : plan->n_patches;
  memset (positions, 0, data - positions);
  for (guint i = 0; i < plan->n; i++)
    {
      if (metrics_bits_get_width (plan->numbers[i]) <= plan->width)
        continue;
      if (plan->is_bitmap)
        positions[i / 8] |= 1 << i % 8;
      else
        positions[n] = i;
      patches[n++] = plan->numbers[i] >> plan->width;
    }
  g_assert (n == plan->n_patches);
  metrics_bits_pack (data, patches, n, plan->patch_width);
  return data + metrics_bits_get_size (n, plan->patch_width);
}

static guint8 *
write_plan (guint8 *data, Plan *plan)
{
  data = write_head (data, plan);
  if (plan->n_patches > 0)
    {
      guint64 mask = (G_GUINT64_CONSTANT (1) << plan->width) - 1;

      data = write_patches (data, plan);
      for (guint i = 0; i < plan->n; i++)
        plan->numbers[i] &= mask;
    }
  metrics_bits_pack (data, plan->numbers, plan->n, plan->width);
  return data + metrics_bits_get_size (plan->n, plan->width);
}

/**
 * metrics_integers_encode_linear:
 * @data: (out caller-allocates): room for %METRICS_INTEGERS_MAX_SIZE(0)
 * @first: the first number
 * @step: what each is more than the one before
 *
 * Returns: the end of what was written: the code of such a list of any length
 */
guint8 *
metrics_integers_encode_linear (guint8 *data, guint64 first, guint64 step)
{
  Plan plan = { .is_delta = TRUE, .first = first, .base = step, .n = 0 };

  return write_head (data, &plan);
}

/**
 * metrics_integers_encode:
 * @data: (out caller-allocates): room for %METRICS_INTEGERS_MAX_SIZE(n) bytes
 * @values: (array length=n): the numbers
 * @n: how many, 1 to %METRICS_INTEGERS_MAX
 *
 * Returns: the end of what was written
 */
guint8 *
metrics_integers_encode (guint8 *data, const guint64 *values, guint n)
{
  guint64 deltas[METRICS_INTEGERS_MAX];
  Plan plans[3];
  Plan *best = plans;
  guint64 different = 0;

  g_assert (n >= 1 && n <= METRICS_INTEGERS_MAX);

  for (guint i = 0; i + 1 < n; i++)
    {
      deltas[i] = values[i + 1] - values[i];
      different |= deltas[i] ^ deltas[0];
    }
  if (different == 0)
    return metrics_integers_encode_linear (data, values[0], n > 1 ? deltas[0] : 0);

  plans[0].is_delta = FALSE;
  plans[1].is_delta = plans[2].is_delta = TRUE;
  plans[1].first = plans[2].first = values[0];
  plan_frame (&plans[0], values, n);
  plan_frame (&plans[1], deltas, n - 1);
  plan_zigzag (&plans[2], deltas, n - 1);
  for (guint i = 1; i < G_N_ELEMENTS (plans); i++)
    if (plans[i].cost < best->cost)
      best = plans + i;
  return write_plan (data, best);
}

/* The positions are in order, each below @n; as many as there are said to be. */
static gboolean
check_positions (const MetricsIntegers *self, guint n)
{
  guint count = 0;
  gint last = -1;

  if (self->is_bitmap)
    {
      for (guint i = 0; i < metrics_bits_get_size (n, 1); i++)
        count += __builtin_popcount (self->positions[i]);
      return count == self->n_patches && (n % 8 == 0 || self->positions[n / 8] >> n % 8 == 0);
    }
  for (guint i = 0; i < self->n_patches; i++)
    {
      if (self->positions[i] <= last || self->positions[i] >= n)
        return FALSE;
      last = self->positions[i];
    }
  return TRUE;
}

static gboolean
open_patches (MetricsIntegers *self, MetricsBytes *bytes, guint n)
{
  const guint8 *head = metrics_bytes_take (bytes, 1);
  guint64 n_patches;

  if (head == NULL || !metrics_bytes_take_varint (bytes, &n_patches) || n_patches == 0 || n_patches > n)
    return FALSE;
  self->n_patches = n_patches;
  self->patch_width = *head & PATCH_WIDTH_MASK;
  self->is_bitmap = (*head & IS_BITMAP) != 0;
  if (self->patch_width == 0 || self->patch_width + self->width > 64)
    return FALSE;
  self->positions
      = metrics_bytes_take (bytes, self->is_bitmap ? metrics_bits_get_size (n, 1) : self->n_patches);
  self->patches = metrics_bytes_take (bytes, metrics_bits_get_size (self->n_patches, self->patch_width));
  return self->positions != NULL && self->patches != NULL && check_positions (self, n);
}

/**
 * metrics_integers_open:
 * @self: (out caller-allocates): what is in @bytes; it points into them
 * @bytes: (inout): what metrics_integers_encode() wrote, or anything else; what was read is taken off
 * @n: how many numbers there have to be, at least 1
 *
 * Returns: whether it is the code of so many numbers
 */
gboolean
metrics_integers_open (MetricsIntegers *self, MetricsBytes *bytes, guint64 n)
{
  const guint8 *head = metrics_bytes_take (bytes, 2);
  guint n_packed;

  if (head == NULL)
    return FALSE;
  *self = (MetricsIntegers){
    .n = n,
    .is_delta = (head[0] & IS_DELTA) != 0,
    .is_zigzag = (head[1] & IS_ZIGZAG) != 0,
    .width = head[0] & WIDTH_MASK,
    .shift = head[1] & SHIFT_MASK,
  };
  if (self->width > 64 || !metrics_bytes_take_varint (bytes, &self->base)
      || (self->is_delta && !metrics_bytes_take_varint (bytes, &self->first)))
    return FALSE;
  self->base = metrics_bytes_unzigzag (self->base);
  self->first = metrics_bytes_unzigzag (self->first);

  if (self->width == 0 && (head[1] & HAS_PATCHES) == 0)
    return TRUE;
  if (n > METRICS_INTEGERS_MAX)
    return FALSE;
  n_packed = self->is_delta ? n - 1 : n;
  if ((head[1] & HAS_PATCHES) != 0 && !open_patches (self, bytes, n_packed))
    return FALSE;
  self->packed = metrics_bytes_take (bytes, metrics_bits_get_size (n_packed, self->width));
  return self->packed != NULL;
}

/**
 * metrics_integers_is_linear:
 * @self: a list
 *
 * Returns: whether each number is by the same step more than the one before
 */
gboolean
metrics_integers_is_linear (const MetricsIntegers *self)
{
  return self->width == 0 && self->n_patches == 0;
}

/**
 * metrics_integers_get_first:
 * @self: a linear list
 *
 * Returns: its first number
 */
guint64
metrics_integers_get_first (const MetricsIntegers *self)
{
  return self->is_delta ? self->first : self->base;
}

/**
 * metrics_integers_get_step:
 * @self: a linear list
 *
 * Returns: by how much each number is more than the one before
 */
guint64
metrics_integers_get_step (const MetricsIntegers *self)
{
  return self->is_delta ? self->base : 0;
}

static void
apply_patches (const MetricsIntegers *self, guint n, guint64 *numbers)
{
  guint64 patches[METRICS_INTEGERS_MAX];
  guint i = 0;

  metrics_bits_unpack (self->patches, self->n_patches, self->patch_width, patches);
  if (!self->is_bitmap)
    {
      for (; i < self->n_patches; i++)
        numbers[self->positions[i]] |= patches[i] << self->width;
      return;
    }
  for (guint byte = 0; byte < metrics_bits_get_size (n, 1); byte++)
    for (guint bits = self->positions[byte]; bits != 0; bits &= bits - 1)
      numbers[byte * 8 + __builtin_ctz (bits)] |= patches[i++] << self->width;
}

/* Differences, one place behind the number before which they stand, become numbers. */
static void
add_up (guint64 *values, guint64 n, guint64 first, guint64 base, guint shift)
{
  guint64 value = first;

  values[0] = value;
  for (guint64 i = 1; i < n; i++)
    {
      value += base + (values[i] << shift);
      values[i] = value;
    }
}

/**
 * metrics_integers_decode:
 * @self: a list of at most %METRICS_INTEGERS_MAX numbers
 * @values: (out caller-allocates) (array): where they go
 */
void
metrics_integers_decode (const MetricsIntegers *self, guint64 *values)
{
  guint n = self->is_delta ? self->n - 1 : self->n;
  guint64 *numbers = self->is_delta ? values + 1 : values;

  g_assert (self->n <= METRICS_INTEGERS_MAX);

  metrics_bits_unpack (self->packed, n, self->width, numbers);
  if (self->n_patches > 0)
    apply_patches (self, n, numbers);
  if (self->is_zigzag)
    for (guint i = 0; i < n; i++)
      numbers[i] = metrics_bytes_unzigzag (numbers[i]);
  if (self->is_delta)
    add_up (values, self->n, self->first, self->base, self->shift);
  else
    for (guint i = 0; i < n; i++)
      values[i] = self->base + (values[i] << self->shift);
}

/* A position is a byte. */
G_STATIC_ASSERT (METRICS_INTEGERS_MAX <= 256);
