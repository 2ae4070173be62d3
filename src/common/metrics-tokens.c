/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-tokens.h"

#include "common/metrics-scan.h"

static inline gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

/**
 * metrics_tokens_split:
 * @line: (array length=len): a line without its LF
 * @len: its length in bytes
 * @tokens: (out caller-allocates) (array length=max_tokens): where the words go
 * @max_tokens: how many words there is room for
 *
 * Splits a line of the protocol into words: separated by spaces and tabs, those in front and behind ignored,
 * and one CR at its end as well.
 *
 * Returns: how many words the line has; @max_tokens + 1 where it has more than @max_tokens
 */
guint
metrics_tokens_split (const char *line, gsize len, MetricsToken *tokens, guint max_tokens)
{
  const char *p = line;
  const char *end = line + len;
  guint n = 0;

  if (len > 0 && end[-1] == '\r')
    end--;

  while (TRUE)
    {
      const char *start;

      while (p < end && is_blank (*p))
        p++;
      if (p == end)
        return n;
      if (n == max_tokens)
        return n + 1;

      start = p;
      for (p = metrics_scan_printable (p, end); p < end && !is_blank (*p);)
        p = metrics_scan_printable (p + 1, end);
      tokens[n].text = start;
      tokens[n].len = p - start;
      n++;
    }
}
