/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-json-reader.h"

#include <string.h>

/* Reading JSON that comes from outside, where what is expected is known and is mostly numbers. No tree is
 * made of it: of eight mebibytes of `{}` a tree takes six hundred. So memory is bounded by nothing but the
 * text itself, reading can stop behind any token while others have their turn, and a number is seen as it
 * stands, with all its digits. */

/* So many blanks are read at once. */
#define MAX_BLANKS 4096

/* What may come next. */
enum
{
  EXPECT_VALUE,
  EXPECT_VALUE_OR_END, /* of an array that has just begun */
  EXPECT_NAME,
  EXPECT_NAME_OR_END, /* of an object that has just begun */
  EXPECT_COLON,
  EXPECT_COMMA_OR_END,
  EXPECT_NOTHING,
};

/**
 * metrics_json_reader_init:
 * @self: (out caller-allocates): a reader
 * @text: (array length=len): bytes; they have to stay where they are as long as it reads
 * @len: how many
 *
 * Begins to read.
 */
void
metrics_json_reader_init (MetricsJsonReader *self, const char *text, gsize len)
{
  self->string_len = self->number_len = 0;
  self->number = NULL;
  /* Of no bytes there may be no address. */
  self->text = len > 0 ? text : "";
  self->len = len;
  self->at = 0;
  self->expected = EXPECT_VALUE;
  self->depth = 0;
  self->objects = 0;
  self->message = NULL;
}

static MetricsJsonToken
fail (MetricsJsonReader *self, const char *message)
{
  self->message = message;
  return METRICS_JSON_WRONG;
}

static void
end_value (MetricsJsonReader *self)
{
  self->expected = self->depth > 0 ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

static MetricsJsonToken
open_value (MetricsJsonReader *self, gboolean is_object)
{
  if (self->depth == METRICS_JSON_MAX_DEPTH)
    return fail (self, "nested too deeply");
  self->at++;
  self->depth++;
  self->objects = self->objects << 1 | (is_object ? 1 : 0);
  self->expected = is_object ? EXPECT_NAME_OR_END : EXPECT_VALUE_OR_END;
  return is_object ? METRICS_JSON_BEGIN_OBJECT : METRICS_JSON_BEGIN_ARRAY;
}

static MetricsJsonToken
close_value (MetricsJsonReader *self)
{
  gboolean is_object = self->objects & 1;

  self->at++;
  self->depth--;
  self->objects >>= 1;
  end_value (self);
  return is_object ? METRICS_JSON_END_OBJECT : METRICS_JSON_END_ARRAY;
}

/* Strings */

/* Four digits; -1 where they are not there. */
static gint32
read_hex (const MetricsJsonReader *self, gsize at)
{
  gint32 c = 0;

  if (self->len < 4 || at > self->len - 4)
    return -1;
  for (gsize i = at; i < at + 4; i++)
    {
      int digit = g_ascii_xdigit_value (self->text[i]);

      if (digit < 0)
        return -1;
      c = c << 4 | digit;
    }
  return c;
}

/* A character behind `\u`; one beyond the first 65,536 is written as two halves (RFC 8259, section 7). */
static gboolean
read_unicode (MetricsJsonReader *self, char *out, gsize *n)
{
  gint32 c = read_hex (self, self->at);
  gint32 low;

  if (c < 0)
    return FALSE;
  self->at += 4;
  if (c >= 0xd800 && c < 0xdc00)
    {
      if (self->len - self->at < 6 || self->text[self->at] != '\\' || self->text[self->at + 1] != 'u')
        return FALSE;
      low = read_hex (self, self->at + 2);
      if (low < 0xdc00 || low >= 0xe000)
        return FALSE;
      self->at += 6;
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  else if (c >= 0xdc00 && c < 0xe000)
    return FALSE;
  *n = g_unichar_to_utf8 (c, out);
  return TRUE;
}

/* The character that an escape stands for, behind its backslash; up to four bytes. */
static gboolean
read_escape (MetricsJsonReader *self, char *out, gsize *n)
{
  static const char letters[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char *letter;
  char c;

  if (self->at == self->len)
    return FALSE;
  c = self->text[self->at++];
  if (c == 'u')
    return read_unicode (self, out, n);
  letter = c != '\0' ? strchr (letters, c) : NULL;
  if (letter == NULL)
    return FALSE;
  *out = meanings[letter - letters];
  *n = 1;
  return TRUE;
}

static MetricsJsonToken
end_string (MetricsJsonReader *self, MetricsJsonToken token)
{
  self->at++;
  self->string[self->string_len] = '\0';
  if (!g_utf8_validate_len (self->string, self->string_len, NULL))
    return fail (self, "a string is not valid UTF-8, or has a NUL");
  return token;
}

static MetricsJsonToken
read_string (MetricsJsonReader *self, MetricsJsonToken token)
{
  self->string_len = 0;
  for (self->at++; self->at < self->len;)
    {
      char c = self->text[self->at];
      char bytes[6] = { c };
      gsize n = 1;

      if (c == '"')
        return end_string (self, token);
      if ((guchar) c < 0x20)
        return fail (self, "a control character in a string that is not escaped");
      self->at++;
      if (c == '\\' && !read_escape (self, bytes, &n))
        return fail (self, "a wrong escape in a string");
      if (self->string_len + n > METRICS_JSON_MAX_STRING)
        return fail (self, "a string is longer than 1024 bytes");
      memcpy (self->string + self->string_len, bytes, n);
      self->string_len += n;
    }
  return fail (self, "the text ends within a string");
}

/* Numbers and words */

static gboolean
skip_digits (MetricsJsonReader *self)
{
  gsize from = self->at;

  while (self->at < self->len && g_ascii_isdigit (self->text[self->at]))
    self->at++;
  return self->at > from;
}

static gboolean
skip_char (MetricsJsonReader *self, char a, char b)
{
  if (self->at == self->len || (self->text[self->at] != a && self->text[self->at] != b))
    return FALSE;
  self->at++;
  return TRUE;
}

static gboolean
skip_number (MetricsJsonReader *self)
{
  skip_char (self, '-', '-');
  if (!skip_char (self, '0', '0') && !skip_digits (self))
    return FALSE;
  if (skip_char (self, '.', '.') && !skip_digits (self))
    return FALSE;
  if (!skip_char (self, 'e', 'E'))
    return TRUE;
  skip_char (self, '-', '+');
  return skip_digits (self);
}

static MetricsJsonToken
read_number (MetricsJsonReader *self)
{
  gsize from = self->at;
  gsize len = self->len;
  gboolean is_number;

  self->len = MIN (len, from + METRICS_JSON_MAX_NUMBER + 1);
  is_number = skip_number (self);
  self->len = len;
  if (self->at - from > METRICS_JSON_MAX_NUMBER)
    return fail (self, "a number is longer than 2048 characters");
  if (!is_number || skip_digits (self))
    return fail (self, "not a number");
  self->number = self->text + from;
  self->number_len = self->at - from;
  end_value (self);
  return METRICS_JSON_NUMBER;
}

static MetricsJsonToken
read_word (MetricsJsonReader *self, const char *word, MetricsJsonToken token)
{
  gsize n = strlen (word);

  if (self->len - self->at < n || memcmp (self->text + self->at, word, n) != 0)
    return fail (self, "not a value");
  self->at += n;
  end_value (self);
  return token;
}

/* Tokens */

static MetricsJsonToken
read_value (MetricsJsonReader *self)
{
  char c = self->text[self->at];

  switch (c)
    {
    case '{':
    case '[':
      return open_value (self, c == '{');
    case '"':
      end_value (self);
      return read_string (self, METRICS_JSON_STRING);
    case 't':
      return read_word (self, "true", METRICS_JSON_TRUE);
    case 'f':
      return read_word (self, "false", METRICS_JSON_FALSE);
    case 'n':
      return read_word (self, "null", METRICS_JSON_NULL);
    default:
      if (c == '-' || g_ascii_isdigit (c))
        return read_number (self);
      return fail (self, "not a value");
    }
}

/* Returns: FALSE where there are more of them */
static gboolean
skip_blanks (MetricsJsonReader *self)
{
  gsize from = self->at;

  for (; self->at < self->len; self->at++)
    {
      char c = self->text[self->at];

      if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
        return TRUE;
      if (self->at - from >= MAX_BLANKS)
        return FALSE;
    }
  return TRUE;
}

static MetricsJsonToken
read_name (MetricsJsonReader *self)
{
  if (self->text[self->at] != '"')
    return fail (self, "expected the name of a member");
  self->expected = EXPECT_COLON;
  return read_string (self, METRICS_JSON_NAME);
}

/* Returns: %METRICS_JSON_PAUSED where it was a mark between two tokens */
static MetricsJsonToken
read_token (MetricsJsonReader *self)
{
  gboolean is_object = self->objects & 1;
  char c = self->text[self->at];

  switch (self->expected)
    {
    case EXPECT_VALUE_OR_END:
      if (c == ']')
        return close_value (self);
      return read_value (self);
    case EXPECT_VALUE:
      return read_value (self);
    case EXPECT_NAME_OR_END:
      if (c == '}')
        return close_value (self);
      return read_name (self);
    case EXPECT_NAME:
      return read_name (self);
    case EXPECT_COLON:
      if (c != ':')
        return fail (self, "expected ':'");
      self->expected = EXPECT_VALUE;
      break;
    case EXPECT_COMMA_OR_END:
      if (c == (is_object ? '}' : ']'))
        return close_value (self);
      if (c != ',')
        return fail (self, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
      self->expected = is_object ? EXPECT_NAME : EXPECT_VALUE;
      break;
    default:
      return fail (self, "more text behind the value");
    }
  self->at++;
  return METRICS_JSON_PAUSED;
}

/**
 * metrics_json_reader_next:
 * @self: a reader
 *
 * Reads the next token. That a name is twice in an object is for the caller to see. Behind an error there is
 * nothing but that error.
 *
 * Returns: what it is
 */
MetricsJsonToken
metrics_json_reader_next (MetricsJsonReader *self)
{
  MetricsJsonToken token;

  if (self->message != NULL)
    return METRICS_JSON_WRONG;
  do
    {
      if (!skip_blanks (self))
        return METRICS_JSON_PAUSED;
      if (self->at == self->len)
        return self->expected == EXPECT_NOTHING ? METRICS_JSON_END
                                                : fail (self, "the text ends before the value does");
      token = read_token (self);
    }
  while (token == METRICS_JSON_PAUSED);
  return token;
}

/**
 * metrics_json_reader_get_message:
 * @self: a reader
 *
 * Returns: (nullable): what is wrong with the text, in English; %NULL where it is right so far
 */
const char *
metrics_json_reader_get_message (const MetricsJsonReader *self)
{
  return self->message;
}

/**
 * metrics_json_reader_get_place:
 * @self: a reader
 * @line: (out): the line up to which it has read, from 1
 * @column: (out): how many bytes of it, and one
 *
 * Says where it is, for who has to find a mistake.
 */
void
metrics_json_reader_get_place (const MetricsJsonReader *self, gsize *line, gsize *column)
{
  const char *end = self->text + self->at;
  const char *begin = self->text;

  /* Millions of lines may be empty, for each of which a search would begin anew. */
  *line = 1;
  for (const char *p = self->text; p < end; p++)
    if (*p == '\n')
      {
        begin = p + 1;
        ++*line;
      }
  *column = end - begin + 1;
}
