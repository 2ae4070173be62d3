/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "hypotenuse-request.h"

#include "example-text.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define WHITE_SPACE " \t\r\n"
/* As many digits fit into the integers of json-glib; of longer ones it makes others. */
#define INTEGER_DIGITS 18
/* How much of what is wrong an answer repeats. */
#define QUOTED_CHARACTERS 20

/* One token of JSON: RFC 8259. json-glib takes more for JSON: 010 for 8, 0x10, .5, 'a', comments. */
#define TOKEN                                                                                                \
  "[" WHITE_SPACE "{}\\[\\]:,]"                                                                              \
  "|\"(?:[^\"\\\\\\x00-\\x1f]|\\\\(?:[\"\\\\/bfnrt]|u(?!0000)[0-9a-fA-F]{4}))*+\""                           \
  "|-?(?:0|[1-9][0-9]*+)(?:\\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+(?![\\w.])"                                    \
  "|(?:true|false|null)(?!\\w)"

/* The white space before a request: how many of those bytes belong to none. */
gsize
hypotenuse_find_begin (const char *data, gsize length)
{
  gsize n = 0;

  while (n < length && strchr (WHITE_SPACE, data[n]) != NULL && data[n] != '\0')
    n++;
  return n;
}

/* The closing brace ends a request, for not every client sends more behind it. Returns: the size of the
 * request with that brace, 0 where it has not come yet; all where no request can begin so */
gsize
hypotenuse_find_end (const char *data, gsize length)
{
  gsize depth = 0;
  gboolean in_string = FALSE;

  if (data[0] != '{')
    return length;
  for (gsize i = 0; i < length; i++)
    {
      if (in_string && data[i] == '\\')
        i++;
      else if (data[i] == '"')
        in_string = !in_string;
      else if (!in_string && data[i] == '{')
        depth++;
      else if (!in_string && data[i] == '}' && --depth == 0)
        return i + 1;
    }
  return 0;
}

/* Returns: (nullable): REQUEST as json-glib reads it right, or NULL where it is not made of JSON's tokens */
static char *
check_tokens (const char *request, gsize length, GError **error)
{
  static GRegex *token;
  g_autoptr (GString) checked = g_string_new (NULL);
  int begin, end;

  if (token == NULL)
    token = g_regex_new (TOKEN, G_REGEX_OPTIMIZE, G_REGEX_MATCH_ANCHORED, NULL);
  if (!g_utf8_validate_len (request, length, NULL))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not UTF-8");
      return NULL;
    }
  for (gsize at = 0; at < length; at = end)
    {
      g_autoptr (GMatchInfo) match = NULL;

      if (!g_regex_match_full (token, request, length, at, 0, &match, NULL)
          || !g_match_info_fetch_pos (match, 0, &begin, &end))
        {
          g_autofree char *rest = example_printable (request + at, length - at, QUOTED_CHARACTERS);

          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not JSON from byte %zu on: %s", at + 1,
                       rest);
          return NULL;
        }
      g_string_append_len (checked, request + begin, end - begin);
      /* A long integer is read as what it is with a fraction. */
      if (end - begin > INTEGER_DIGITS && strspn (request + begin, "-0123456789") >= (gsize) (end - begin))
        g_string_append (checked, ".0");
    }
  return g_string_free (g_steal_pointer (&checked), FALSE);
}

/* How often each leg stands in a request: a JsonObject has the last one alone. */
typedef struct
{
  int n_a;
  int n_b;
} Seen;

static void
member_cb (JsonParser *parser, JsonObject *object, const char *name, gpointer user_data)
{
  Seen *seen = user_data;

  seen->n_a += strcmp (name, "a") == 0;
  seen->n_b += strcmp (name, "b") == 0;
}

static JsonNode *
parse (const char *json, Seen *seen, GError **error)
{
  static const char *const problems[] = {
    [JSON_PARSER_ERROR_TRAILING_COMMA] = "nothing stands behind a comma",
    [JSON_PARSER_ERROR_MISSING_COMMA] = "a comma is missing",
    [JSON_PARSER_ERROR_MISSING_COLON] = "a colon is missing",
  };
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) parse_error = NULL;
  const char *problem = NULL;

  g_signal_connect (parser, "object-member", G_CALLBACK (member_cb), seen);
  if (json_parser_load_from_data (parser, json, -1, &parse_error))
    return json_parser_steal_root (parser);
  /* Its own message is translated, and this is the wire. */
  if (parse_error->domain == JSON_PARSER_ERROR && parse_error->code < (int) G_N_ELEMENTS (problems))
    problem = problems[parse_error->code];
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not JSON: %s",
               problem != NULL ? problem : "the syntax is wrong");
  return NULL;
}

static gboolean
read_leg (JsonObject *object, const char *name, double *leg, GError **error)
{
  JsonNode *node = json_object_get_member (object, name);
  GType type
      = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
  const char *problem = NULL;

  if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE)
    *leg = json_node_get_double (node);
  if (node == NULL)
    problem = "is missing";
  else if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE)
    problem = "is not a number";
  else if (!isfinite (*leg))
    problem = "is too large";
  else if (*leg < 0)
    problem = "is negative";
  if (problem != NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "\"%s\" %s", name, problem);
  return problem == NULL;
}

static gboolean
has_only_legs (JsonObject *object, const Seen *seen, GError **error)
{
  g_autoptr (GList) names = json_object_get_members (object);

  for (GList *at = names; at != NULL; at = at->next)
    if (strcmp (at->data, "a") != 0 && strcmp (at->data, "b") != 0)
      {
        g_autofree char *name = example_printable (at->data, -1, QUOTED_CHARACTERS);

        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "\"%s\" is neither \"a\" nor \"b\"", name);
        return FALSE;
      }
  if (seen->n_a > 1 || seen->n_b > 1)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "\"%s\" stands there twice",
                 seen->n_a > 1 ? "a" : "b");
  return seen->n_a <= 1 && seen->n_b <= 1;
}

/* Reads `{"a": 3, "b": 4}`: two legs, neither negative, and nothing else. Returns: whether REQUEST is that;
 * if not, ERROR says in English what it is instead, in a line that may be shown */
gboolean
hypotenuse_read_legs (const char *request, gsize length, double *a, double *b, GError **error)
{
  g_autofree char *json = check_tokens (request, length, error);
  g_autoptr (JsonNode) root = NULL;
  Seen seen = { 0 };
  JsonObject *object;

  if (json == NULL || (root = parse (json, &seen, error)) == NULL)
    return FALSE;
  object = json_node_get_object (root);
  return read_leg (object, "a", a, error) && read_leg (object, "b", b, error)
         && has_only_legs (object, &seen, error);
}
