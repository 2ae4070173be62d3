/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-pattern.h"

#include "common/metrics-key.h"

#include <string.h>

/* A glob over whole keys: `*` is any number of characters, `?` one, a backslash makes the next one literal.
 *
 * Matching goes from left to right and remembers the last star only: where the text behind it does not match,
 * that star takes one more character. No earlier star ever has to, for whatever follows the later one could
 * be found from there as well; so it takes at most length of pattern times length of key steps, and both are
 * bounded. */

/* What an element of the pattern stands for. */
typedef enum
{
  ELEMENT_LITERAL,
  ELEMENT_ONE,
  ELEMENT_MANY,
} ElementKind;

struct _MetricsPattern
{
  guint n_elements;
  guint n_many;
  char *bytes;   /* (owned) (array length=n_elements): what a literal element is, a byte each */
  guint8 *kinds; /* (owned) (array length=n_elements): ElementKind */
};

/**
 * metrics_pattern_is_valid:
 * @text: (array length=len): bytes
 * @len: how many
 *
 * Whether the bytes are a pattern: 1 to %METRICS_KEY_MAX bytes of UTF-8 whose last one does not escape
 * nothing.
 */
gboolean
metrics_pattern_is_valid (const char *text, gsize len)
{
  gboolean escaped = FALSE;

  if (len == 0 || len > METRICS_KEY_MAX || !g_utf8_validate_len (text, len, NULL))
    return FALSE;
  for (gsize i = 0; i < len; i++)
    escaped = !escaped && text[i] == '\\';
  return !escaped;
}

/**
 * metrics_pattern_is_word:
 * @text: (array length=len): bytes
 * @len: how many
 *
 * Whether the bytes are a pattern that can be written into a request: one without white space, which would
 * end the word, and a line feed the request, and without control characters. No key has them either, so that
 * nothing is out of reach.
 */
gboolean
metrics_pattern_is_word (const char *text, gsize len)
{
  return metrics_pattern_is_valid (text, len)
         && (metrics_key_is_valid (text, len) || (len == 1 && text[0] == '*'));
}

/**
 * metrics_pattern_new:
 * @text: (array length=len): a valid pattern, see metrics_pattern_is_valid()
 * @len: its length in bytes
 *
 * Returns: (transfer full): the pattern, ready to match
 */
MetricsPattern *
metrics_pattern_new (const char *text, gsize len)
{
  MetricsPattern *self = g_new0 (MetricsPattern, 1);

  g_assert (metrics_pattern_is_valid (text, len));

  self->bytes = g_malloc (len);
  self->kinds = g_malloc (len);
  for (gsize i = 0; i < len; i++)
    {
      ElementKind kind = ELEMENT_LITERAL;

      if (text[i] == '\\')
        i++;
      else if (text[i] == '*')
        kind = ELEMENT_MANY;
      else if (text[i] == '?')
        kind = ELEMENT_ONE;

      if (kind == ELEMENT_MANY)
        {
          /* Two stars are one. */
          if (self->n_elements > 0 && self->kinds[self->n_elements - 1] == ELEMENT_MANY)
            continue;
          self->n_many++;
        }
      self->bytes[self->n_elements] = text[i];
      self->kinds[self->n_elements++] = kind;
    }
  return self;
}

/**
 * metrics_pattern_free:
 * @self: (transfer full) (nullable): a pattern
 */
void
metrics_pattern_free (MetricsPattern *self)
{
  if (self == NULL)
    return;
  g_free (self->bytes);
  g_free (self->kinds);
  g_free (self);
}

/**
 * metrics_pattern_get_literal:
 * @self: a pattern
 * @len: (out): the length of the key in bytes
 *
 * Returns: (nullable): the one key that the pattern can match, not NUL-terminated, or %NULL where it has
 * wildcards
 */
const char *
metrics_pattern_get_literal (const MetricsPattern *self, gsize *len)
{
  for (guint i = 0; i < self->n_elements; i++)
    if (self->kinds[i] != ELEMENT_LITERAL)
      return NULL;
  *len = self->n_elements;
  return self->bytes;
}

/**
 * metrics_pattern_get_cost:
 * @self: a pattern
 * @len: the length of a key in bytes
 *
 * Returns: how many steps matching that key can take at most
 */
gsize
metrics_pattern_get_cost (const MetricsPattern *self, gsize len)
{
  gboolean retries
      = self->n_many > 1 || (self->n_many == 1 && self->kinds[self->n_elements - 1] != ELEMENT_MANY);

  /* Only what stands behind a star is ever tried twice. */
  return retries ? self->n_elements * len : self->n_elements + len;
}

/**
 * metrics_pattern_equal:
 * @self: a pattern
 * @other: another one
 *
 * Returns: whether they are the same but for how they are written
 */
gboolean
metrics_pattern_equal (const MetricsPattern *self, const MetricsPattern *other)
{
  return self->n_elements == other->n_elements && memcmp (self->kinds, other->kinds, self->n_elements) == 0
         && memcmp (self->bytes, other->bytes, self->n_elements) == 0;
}

/**
 * metrics_pattern_matches:
 * @self: a pattern
 * @key: (array length=len): a key, valid UTF-8
 * @len: its length in bytes
 *
 * Returns: whether the whole key matches
 */
gboolean
metrics_pattern_matches (const MetricsPattern *self, const char *key, gsize len)
{
  guint element = 0;
  gsize at = 0;
  /* The element behind the last star, and where in the key it was tried last; none so far where 0. */
  guint retry_element = 0;
  gsize retry_at = 0;

  while (at < len)
    {
      if (element < self->n_elements && self->kinds[element] == ELEMENT_MANY)
        {
          retry_element = ++element;
          retry_at = at;
          if (element == self->n_elements)
            return TRUE;
        }
      else if (element < self->n_elements && self->kinds[element] == ELEMENT_ONE)
        {
          element++;
          at += g_utf8_skip[(guchar) key[at]];
        }
      else if (element < self->n_elements && self->bytes[element] == key[at])
        {
          element++;
          at++;
        }
      else if (retry_element > 0)
        {
          retry_at += g_utf8_skip[(guchar) key[retry_at]];
          element = retry_element;
          at = retry_at;
        }
      else
        return FALSE;
    }
  while (element < self->n_elements && self->kinds[element] == ELEMENT_MANY)
    element++;
  return element == self->n_elements;
}

/**
 * metrics_pattern_escape:
 * @key: a key
 *
 * Returns: (transfer full): the pattern that matches this key alone
 */
char *
metrics_pattern_escape (const char *key)
{
  GString *text = g_string_sized_new (strlen (key) + 1);

  for (const char *p = key; *p != '\0'; p++)
    {
      if (strchr ("*?\\", *p) != NULL)
        g_string_append_c (text, '\\');
      g_string_append_c (text, *p);
    }
  return g_string_free (text, FALSE);
}
