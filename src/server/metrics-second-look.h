/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* However seldom it pays, it is tried again after so many answers. */
#define METRICS_SECOND_LOOK_MAX_PAUSE 63

/**
 * MetricsSecondLook:
 *
 * Whether to look for the next request right behind an answer, before the main loop has gone round.
 *
 * A client on the same processor, that waits for each answer, mostly runs as soon as the answer is sent: its
 * next request is there when the server has the processor again, and a round of the main loop and a wait can
 * be left out. A client on a processor of its own is never that fast, and each look is a system call for
 * nothing. So each look in vain makes the pause until the next one longer, and a good one ends that.
 *
 * All zero at first.
 */
typedef struct
{
  guint8 pause; /* answers that are passed over after a look in vain */
  guint8 left;  /* of them */
} MetricsSecondLook;

/* Whether to look, behind an answer. */
static inline gboolean
metrics_second_look_is_due (MetricsSecondLook *self)
{
  if (self->left == 0)
    return TRUE;
  self->left--;
  return FALSE;
}

/* Says what a look has shown. */
static inline void
metrics_second_look_note (MetricsSecondLook *self, gboolean found)
{
  self->pause = found ? 0 : MIN (2 * self->pause + 1, METRICS_SECOND_LOOK_MAX_PAUSE);
  self->left = self->pause;
}

G_END_DECLS
