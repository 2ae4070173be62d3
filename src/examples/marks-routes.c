/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-routes.h"

#include "marks-json.h"

#include <string.h>

#define MAX_STUDENT G_MAXINT32

/* What stands behind the ? or in a form. */
typedef struct
{
  char *subject; /* (owned) (nullable) */
  char *mark;    /* (owned) (nullable) */
} Parameters;

static void
parameters_clear (Parameters *self)
{
  g_free (self->subject);
  g_free (self->mark);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parameters, parameters_clear)

static void
answer_json (SoupServerMessage *message, guint status, GString *json)
{
  gsize length = json->len;

  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_TAKE,
                                    g_string_free (json, FALSE), length);
}

/* Answers what is wrong with a request: CODE for programs, REASON for people; WHERE is the name of the
 * parameter or the field that is meant, or NULL. */
void
marks_routes_fail (SoupServerMessage *message,
                   guint status,
                   const char *code,
                   const char *where,
                   const char *reason)
{
  answer_json (message, status, marks_json_format_error (status, code, where, reason));
}

/* Returns: whether the method is one of METHODS, which stand in the form of the field Allow; if not, that has
 * been answered */
gboolean
marks_routes_allow (SoupServerMessage *message, const char *methods)
{
  g_auto (GStrv) allowed = g_strsplit (methods, ", ", -1);

  if (g_strv_contains ((const char *const *) allowed, soup_server_message_get_method (message)))
    return TRUE;
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow", methods);
  marks_routes_fail (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "method-not-allowed", NULL,
                     "the path is there, but not for this method");
  return FALSE;
}

static gboolean
fail_parameter (SoupServerMessage *message, const char *name, const char *reason)
{
  marks_routes_fail (message, SOUP_STATUS_BAD_REQUEST, "bad-parameter", name, reason);
  return FALSE;
}

/* Adds what FORM says, `subject=Math&mark=5`. Returns: whether it is right; if not, that has been answered */
static gboolean
read_form (Parameters *self, const char *form, SoupServerMessage *message)
{
  g_autoptr (GError) error = NULL;
  GUriParamsIter iter;
  char *name, *value;

  g_uri_params_iter_init (&iter, form, -1, "&", G_URI_PARAMS_WWW_FORM);
  while (g_uri_params_iter_next (&iter, &name, &value, &error))
    {
      g_autofree char *owned_name = name;
      g_autofree char *owned_value = value;
      char **place = g_str_equal (name, "subject") ? &self->subject
                     : g_str_equal (name, "mark")  ? &self->mark
                                                   : NULL;

      if (place == NULL)
        return fail_parameter (message, name, "there is no such parameter: they are subject and mark");
      if (*place != NULL)
        return fail_parameter (message, name, "the parameter is there twice");
      *place = g_steal_pointer (&owned_value);
    }
  if (error != NULL)
    return fail_parameter (message, "parameters",
                           "parameters are pairs of NAME=VALUE, with %XX for bytes of UTF-8");
  return TRUE;
}

static gboolean
read_query (Parameters *self, SoupServerMessage *message)
{
  const char *query = g_uri_get_query (soup_server_message_get_uri (message));

  return query == NULL || read_form (self, query, message);
}

/* A form in the body says the same as one behind the ?. */
static gboolean
read_body (Parameters *self, SoupServerMessage *message)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  g_autoptr (GBytes) body = soup_message_body_flatten (soup_server_message_get_request_body (message));
  gsize size;
  const char *data = g_bytes_get_data (body, &size);
  g_autofree char *form = g_strndup (data, size);

  if (size == 0)
    return TRUE;
  if (g_strcmp0 (soup_message_headers_get_content_type (headers, NULL), SOUP_FORM_MIME_TYPE_URLENCODED) != 0)
    {
      marks_routes_fail (message, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type",
                         "Content-Type", "a body is a form, " SOUP_FORM_MIME_TYPE_URLENCODED);
      return FALSE;
    }
  if (strlen (form) != size)
    return fail_parameter (message, "body", "there is a NUL in it");
  return read_form (self, form, message);
}

static gboolean
check_subject (const char *name, SoupServerMessage *message)
{
  g_autofree char *stripped = g_strstrip (g_strdup (name));

  for (const char *c = name; *c != '\0'; c = g_utf8_next_char (c))
    if (g_unichar_iscntrl (g_utf8_get_char (c)))
      return fail_parameter (message, "subject", "there is a control character in it");
  if (*stripped == '\0' || g_utf8_strlen (name, -1) > MARKS_BOOK_MAX_NAME)
    return fail_parameter (message, "subject", "a name has 1 to 64 characters");
  return TRUE;
}

static void
get_subjects (SoupServerMessage *message, guint student, MarksBook *book)
{
  g_auto (Parameters) parameters = { 0 };

  if (!read_query (&parameters, message))
    return;
  if (parameters.mark != NULL)
    fail_parameter (message, "mark", "only a POST has one");
  else if (parameters.subject == NULL || check_subject (parameters.subject, message))
    answer_json (message, SOUP_STATUS_OK, marks_book_format (book, student, parameters.subject));
}

static void
post_mark (SoupServerMessage *message, guint student, MarksBook *book)
{
  g_auto (Parameters) parameters = { 0 };
  g_autoptr (GError) error = NULL;
  guint64 mark;

  if (!read_query (&parameters, message) || !read_body (&parameters, message))
    return;
  if (parameters.subject == NULL)
    fail_parameter (message, "subject", "the parameter is missing");
  else if (parameters.mark == NULL)
    fail_parameter (message, "mark", "the parameter is missing");
  else if (!check_subject (parameters.subject, message))
    return;
  else if (!g_ascii_string_to_unsigned (parameters.mark, 10, 0, MARKS_BOOK_MAX_MARK, &mark, NULL))
    fail_parameter (message, "mark", "a mark is a whole number from 0 to 100");
  else if (!marks_book_add (book, student, parameters.subject, mark, &error))
    /* Neither the client nor the program is wrong. */
    marks_routes_fail (message, SOUP_STATUS_INSUFFICIENT_STORAGE, "book-full", NULL, error->message);
  else
    answer_json (message, SOUP_STATUS_CREATED, marks_book_format (book, student, parameters.subject));
}

/* Answers a request for the subjects of a student, whose number stands in the path. */
void
marks_routes_answer_subjects (SoupServerMessage *message, const char *student, MarksBook *book)
{
  guint64 number;

  if (!marks_routes_allow (message, "GET, HEAD, POST"))
    return;
  if (!g_ascii_string_to_unsigned (student, 10, 0, MAX_STUDENT, &number, NULL))
    fail_parameter (message, "student", "a student has a number up to 2147483647");
  else if (soup_server_message_get_method (message) == SOUP_METHOD_POST)
    post_mark (message, number, book);
  else
    get_subjects (message, number, book);
}
