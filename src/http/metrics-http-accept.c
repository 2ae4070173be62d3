/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-accept.h"

#include <string.h>

/* Which form of an answer a client wants (RFC 9110, section 12.5.1), and in which one it sends points
 * (section 8.3). */

static const struct
{
  MetricsHttpFormat format;
  const char *type;
} formats[] = {
  { METRICS_HTTP_FORMAT_JSON, "application/json" },
  { METRICS_HTTP_FORMAT_CSV, "text/csv" },
};

/* What was heard of a type: of what names it most exactly, how much it is wanted, in thousandths. */
typedef struct
{
  guint exactness;
  guint quality;
} Wanted;

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

/* Takes what stands before the next @delimiter that is not in quotation marks, without the blanks around it.
 * Returns: FALSE where there is nothing any more */
static gboolean
take_part (const char **text, char delimiter, const char **part, gsize *len)
{
  const char *p = *text;
  gboolean is_quoted = FALSE;

  if (p == NULL)
    return FALSE;
  while (is_blank (*p))
    p++;
  *part = p;
  for (; *p != '\0' && (is_quoted || *p != delimiter); p++)
    {
      if (is_quoted && *p == '\\' && p[1] != '\0')
        p++;
      else if (*p == '"')
        is_quoted = !is_quoted;
    }
  *text = *p != '\0' ? p + 1 : NULL;
  while (p > *part && is_blank (p[-1]))
    p--;
  *len = p - *part;
  return TRUE;
}

static gboolean
is_word (const char *text, gsize len, const char *word)
{
  return len == strlen (word) && g_ascii_strncasecmp (text, word, len) == 0;
}

/* Takes the name and the value of a parameter apart. */
static gboolean
split_parameter (const char *text, gsize len, gsize *name_len, const char **value, gsize *value_len)
{
  const char *sign = memchr (text, '=', len);

  if (sign == NULL)
    return FALSE;
  *name_len = sign - text;
  *value = sign + 1;
  *value_len = len - *name_len - 1;
  if (*value_len >= 2 && **value == '"' && (*value)[*value_len - 1] == '"')
    {
      ++*value;
      *value_len -= 2;
    }
  return TRUE;
}

/* `0`, `0.25`, `1`, `1.000`: in thousandths; -1 where it is something else. */
static int
read_quality (const char *text, gsize len)
{
  int quality, unit = 100;

  if (len == 0 || len > 5 || (text[0] != '0' && text[0] != '1') || (len > 1 && text[1] != '.'))
    return -1;
  quality = (text[0] - '0') * 1000;
  for (gsize i = 2; i < len; i++, unit /= 10)
    {
      if (!g_ascii_isdigit (text[i]))
        return -1;
      quality += (text[i] - '0') * unit;
    }
  return quality <= 1000 ? quality : -1;
}

/* How exactly a range of types names a type; 0 where it does not. */
static guint
get_exactness (const char *type, const char *range, gsize len)
{
  gsize kind_len = strchr (type, '/') - type + 1;

  if (is_word (range, len, type))
    return 3;
  if (len == kind_len + 1 && range[kind_len] == '*' && g_ascii_strncasecmp (range, type, kind_len) == 0)
    return 2;
  return is_word (range, len, "*/*") ? 1 : 0;
}

/* An element of the list, of which what names the type most exactly counts. One that cannot be read says
 * nothing. */
static void
take_element (const char *element, const char *type, Wanted *wanted)
{
  const char *part, *range, *value;
  gsize len, range_len, name_len, value_len;
  int quality = 1000;
  guint exactness;

  take_part (&element, ';', &range, &range_len);
  while (take_part (&element, ';', &part, &len))
    if (split_parameter (part, len, &name_len, &value, &value_len) && is_word (part, name_len, "q"))
      quality = read_quality (value, value_len);
  exactness = get_exactness (type, range, range_len);
  if (quality < 0 || exactness == 0 || exactness < wanted->exactness)
    return;
  if (exactness > wanted->exactness || (guint) quality > wanted->quality)
    *wanted = (Wanted){ .exactness = exactness, .quality = quality };
}

/* Returns: FALSE where nothing is said of any type */
static gboolean
look_for (const char *accept, const char *type, Wanted *wanted)
{
  const char *part;
  gsize len;
  gboolean is_said = FALSE;

  *wanted = (Wanted){ 0 };
  while (take_part (&accept, ',', &part, &len))
    {
      g_autofree char *element = g_strndup (part, len);

      if (len > 0)
        take_element (element, type, wanted);
      is_said |= len > 0;
    }
  return is_said;
}

/**
 * metrics_http_accept_choose:
 * @accept: (nullable): the field `Accept` of a request; %NULL where there is none
 * @types: (array zero-terminated=1): what it can be answered as, without parameters
 *
 * Returns: (transfer none) (nullable): that of them which the client wants most; of what it wants alike, what
 *   it names most exactly; of these the first one; %NULL where it wants none of them
 */
const char *
metrics_http_accept_choose (const char *accept, const char *const *types)
{
  Wanted best = { 0 };
  const char *chosen = NULL;

  for (; *types != NULL; types++)
    {
      Wanted wanted;

      if (!look_for (accept, *types, &wanted))
        return *types;
      if (wanted.quality == 0 || wanted.quality < best.quality
          || (wanted.quality == best.quality && wanted.exactness <= best.exactness))
        continue;
      best = wanted;
      chosen = *types;
    }
  return chosen;
}

/**
 * metrics_http_accept_read_type:
 * @content_type: (nullable): the field `Content-Type` of a request
 * @has_header: (out): of CSV: whether the first line names the columns (RFC 4180, section 3)
 *
 * Returns: what the body is; %METRICS_HTTP_FORMAT_NONE where it is something else, or no UTF-8
 */
MetricsHttpFormat
metrics_http_accept_read_type (const char *content_type, gboolean *has_header)
{
  MetricsHttpFormat format = METRICS_HTTP_FORMAT_NONE;
  const char *part, *value;
  gsize len, name_len, value_len;

  *has_header = TRUE;
  if (!take_part (&content_type, ';', &part, &len))
    return METRICS_HTTP_FORMAT_NONE;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (is_word (part, len, formats[i].type))
      format = formats[i].format;
  while (take_part (&content_type, ';', &part, &len))
    {
      if (!split_parameter (part, len, &name_len, &value, &value_len))
        continue;
      if (is_word (part, name_len, "charset") && !is_word (value, value_len, "utf-8")
          && !is_word (value, value_len, "us-ascii"))
        return METRICS_HTTP_FORMAT_NONE;
      if (is_word (part, name_len, "header"))
        *has_header = !is_word (value, value_len, "absent");
    }
  return format;
}
