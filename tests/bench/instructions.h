/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-point.h"

/* Without valgrind's header there is nothing to count with, and the test is skipped. */
#ifdef HAVE_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_DUMP_STATS_AT(name)
#endif

G_BEGIN_DECLS

/* What the values of a series are like. */
typedef enum
{
  KIND_WALK,     /* of two decimals, in small steps */
  KIND_CONSTANT, /* always the same */
  KIND_COUNTER,  /* integers that grow */
  KIND_NOISE,    /* all bits of a fraction */
} Kind;

/**
 * Work:
 * @name: as in budgets.ini
 * @run: does it, counting begins and ends within; returns how many units it was
 * @kind: what it is given
 *
 * Something of which it is known what it may cost.
 */
typedef struct
{
  const char *name;
  guint64 (*run) (Kind kind);
  Kind kind;
} Work;

/* Each ends with one without a name. */
extern const Work server_works[];
extern const Work coding_works[];
extern const Work store_works[];

/* The counter stands still but between these two. */
static inline void
counting_begin (void)
{
  CALLGRIND_TOGGLE_COLLECT;
}

static inline void
counting_end (void)
{
  CALLGRIND_TOGGLE_COLLECT;
}

/* The steps of all series are so far apart, and the first is at this time. */
#define WALK_STEP 10
#define WALK_START G_GINT64_CONSTANT (1700000000)

/* Some series, of which each goes its own way in steps of hundredths. */
typedef struct
{
  GRand *rand;     /* (owned) */
  int *hundredths; /* (owned) (array length=n_series): where each is */
  guint n_series;
} Walk;

Walk *walk_new (guint n_series);
void walk_free (Walk *self);
int walk_next (Walk *self, guint series);

void make_values (Kind kind, double *values, guint n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Walk, walk_free)

G_END_DECLS
