/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "presence.h"

#define NAME_CHARACTERS 32
#define MAX_AGE 150

/* Returns: whether each character can be shown, and is no line end or other sign that moves something */
static gboolean
can_be_shown (const char *name)
{
  for (const char *at = name; *at != '\0'; at = g_utf8_next_char (at))
    if (*at != ' ' && (!g_unichar_isgraph (g_utf8_get_char (at)) || g_unichar_isspace (g_utf8_get_char (at))))
      return FALSE;
  return TRUE;
}

/* Reads `NAME AGE`: the last word is the age, and the name may have blanks.
 *
 * Returns: (transfer full): the name in the form in which names are compared; NULL with ERROR, in English,
 * for the wire */
char *
presence_read_name (const char *line, gsize length, guint *age, GError **error)
{
  g_autofree char *text = NULL;
  g_autofree char *name = NULL;
  const char *problem = NULL;
  guint64 number;
  char *blank;

  if (!g_utf8_validate_len (line, length, NULL))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not UTF-8");
      return NULL;
    }
  text = g_strstrip (g_strndup (line, length));
  blank = strrchr (text, ' ');
  if (blank == NULL)
    problem = "say who you are: NAME AGE";
  else if (!g_ascii_string_to_unsigned (blank + 1, 10, 0, MAX_AGE, &number, NULL))
    problem = "an age is a number from 0 to 150";
  else
    {
      *blank = '\0';
      name = g_utf8_normalize (g_strchomp (text), -1, G_NORMALIZE_NFC);
      if (g_utf8_strlen (name, -1) > NAME_CHARACTERS)
        problem = "a name has 32 characters at most";
      else if (!can_be_shown (name))
        problem = "a name has a character that cannot be shown";
    }
  if (problem != NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, problem);
      return NULL;
    }
  *age = number;
  return g_steal_pointer (&name);
}
