/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

/* What the command line of an example says. */
typedef struct
{
  char *address;       /* (owned) (nullable) --address */
  char *metrics;       /* (owned) (nullable) --metrics */
  char *name;          /* (owned) --name */
  int max_connections; /* --max-connections */
  int idle_seconds;    /* --idle-timeout */
} ExampleOptions;

void example_options_init (ExampleOptions *self, const ExampleInfo *info, int *argc, char ***argv);
void example_options_clear (ExampleOptions *self);

G_END_DECLS
