/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "dummy-chunk-source.h"

G_BEGIN_DECLS

typedef enum
{
  CHANGE_BEGIN,
  CHANGE_PUT,
  CHANGE_REMOVE,
  CHANGE_TOUCH, /* is none, and not among them */
} ChangeKind;

typedef struct
{
  ChangeKind kind;
  guint64 id;
  char *key; /* (owned) (nullable) */
  MetricsPoint point;
  gint64 from;
  gint64 to;
} Change;

/* A journal that writes down what it is told. */
#define UNIT_TYPE_TAPE (tape_get_type ())
G_DECLARE_FINAL_TYPE (Tape, tape, UNIT, TAPE, GObject)

Tape *tape_new (void);
guint tape_get_length (Tape *self);
const Change *tape_get (Tape *self, guint i);
guint64 tape_get_newest_id (Tape *self);
void tape_cut (Tape *self, guint n);
void tape_play (Tape *self, MetricsStore *store, DummyChunkSource *source);
GArray *tape_take_touched (Tape *self);
guint tape_get_n_pressed (Tape *self);

G_END_DECLS
