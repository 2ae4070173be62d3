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

/* Whether a line has no words. */
static inline gboolean
metrics_tokens_is_blank (const char *line, gsize len)
{
  MetricsToken word;

  /* Mostly the first byte says it. */
  return (len == 0 || *line == ' ' || *line == '\t' || *line == '\r')
         && metrics_tokens_split (line, len, &word, 1) == 0;
}

G_END_DECLS
