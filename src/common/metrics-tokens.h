/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A word of a line: a slice of it, not NUL-terminated. */
typedef struct
{
  const char *text; /* (unowned) */
  gsize len;
} MetricsToken;

guint metrics_tokens_split (const char *line, gsize len, MetricsToken *tokens, guint max_tokens);

G_END_DECLS
