/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "marks-json.h"

#include <string.h>

/* Appends TEXT, which is UTF-8, as a string of JSON. What HTML and JavaScript would understand is written as
 * a number: nobody who pastes it into a page makes an element of it. */
void
marks_json_append_string (GString *json, const char *text)
{
  g_string_append_c (json, '"');
  for (const char *c = text; *c != '\0'; c++)
    if ((guchar) *c < ' ' || *c == 0x7f || strchr ("\"\\<>&'", *c) != NULL)
      g_string_append_printf (json, "\\u%04x", (guint) *c);
    else
      g_string_append_c (json, *c);
  g_string_append_c (json, '"');
}

/* Returns: (transfer full): what is wrong, for programs (CODE) and for people (MESSAGE); WHERE is the name of
 * what is wrong, or NULL */
GString *
marks_json_format_error (guint status, const char *code, const char *where, const char *message)
{
  GString *json = g_string_new (NULL);

  g_string_append_printf (json, "{\"error\":{\"status\":%u,\"code\":", status);
  marks_json_append_string (json, code);
  g_string_append (json, ",\"message\":");
  marks_json_append_string (json, message);
  if (where != NULL)
    {
      g_string_append (json, ",\"where\":");
      marks_json_append_string (json, where);
    }
  g_string_append (json, "}}\n");
  return json;
}
