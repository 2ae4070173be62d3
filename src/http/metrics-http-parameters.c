/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-parameters.h"

#include <string.h>

/* `name=value&name=value`, as forms are written. */

/**
 * metrics_http_unescape:
 * @text: a text with %XX in it, and no NUL
 * @len: its length
 * @plus_is_space: whether `+` is a blank, as in forms
 *
 * Returns: (transfer full) (nullable): the text that is meant; %NULL where it is wrong, has a NUL, or is not
 *   UTF-8
 */
char *
metrics_http_unescape (const char *text, gsize len, gboolean plus_is_space)
{
  g_autofree char *form = plus_is_space ? g_strdelimit (g_strndup (text, len), "+", ' ') : NULL;
  const char *escaped = form != NULL ? form : text;
  g_autofree char *result = g_uri_unescape_segment (escaped, escaped + len, NULL);

  return result != NULL && g_utf8_validate (result, -1, NULL) ? g_steal_pointer (&result) : NULL;
}

static gboolean
parse_one (MetricsHttpParameter *self, const char *text, gsize len)
{
  const char *equals = memchr (text, '=', len);
  gsize name_len = equals != NULL ? (gsize) (equals - text) : len;
  gsize value_start = MIN (name_len + 1, len);

  self->name = metrics_http_unescape (text, name_len, TRUE);
  self->value = metrics_http_unescape (text + value_start, len - value_start, TRUE);
  return self->name != NULL && self->value != NULL;
}

/**
 * metrics_http_parameters_parse:
 * @self: (out caller-allocates): parameters
 * @query: what stands behind the `?`
 * @len: its length
 *
 * Returns: (nullable): what is wrong with it, a sentence of English; %NULL where all is read. In any case
 *   they are to be cleared.
 */
const char *
metrics_http_parameters_parse (MetricsHttpParameters *self, const char *query, gsize len)
{
  const char *end = query + len;
  gsize n = 1;

  *self = (MetricsHttpParameters){ 0 };
  for (const char *c = query; c < end; c++)
    n += *c == '&';
  if (n > METRICS_HTTP_MAX_PARAMETERS)
    return "there are more than 1024 parameters";
  self->items = g_new0 (MetricsHttpParameter, n);
  while (query < end)
    {
      const char *stop = memchr (query, '&', end - query);

      if (stop == NULL)
        stop = end;
      if (stop > query && !parse_one (&self->items[self->n_items++], query, stop - query))
        return "a parameter has a wrong %XX in it, or is not UTF-8";
      query = MIN (stop + 1, end);
    }
  return NULL;
}

/**
 * metrics_http_parameters_clear:
 * @self: parameters
 */
void
metrics_http_parameters_clear (MetricsHttpParameters *self)
{
  for (guint i = 0; i < self->n_items; i++)
    {
      g_free (self->items[i].name);
      g_free (self->items[i].value);
    }
  g_clear_pointer (&self->items, g_free);
  self->n_items = 0;
}
