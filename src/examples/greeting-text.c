/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "greeting.h"

/* What is shown of a greeting. */
#define SHOWN_CHARACTERS 200

/* Whether any terminal takes it for no more than a character: not those that control it, turn the direction
 * of a line or end it. */
static gboolean
is_harmless (gunichar character)
{
  GUnicodeType type = g_unichar_type (character);

  return g_unichar_isprint (character) && type != G_UNICODE_LINE_SEPARATOR
         && type != G_UNICODE_PARAGRAPH_SEPARATOR;
}

/* Adds a character as it is, or what stands for it. */
static void
append_character (GString *text, gunichar character)
{
  if (character == '\\')
    g_string_append (text, "\\\\");
  else if (is_harmless (character))
    g_string_append_unichar (text, character);
  else if (character == '\n')
    g_string_append (text, "\\n");
  else if (character < 0x10000)
    g_string_append_printf (text, "\\u%04x", character);
  else
    g_string_append_printf (text, "\\U%08x", character);
}

/* Whatever somebody has sent, as one line of bounded length that can be shown to people.
 *
 * Returns: (transfer full): the text, in UTF-8; what is no UTF-8 stands there as \xff */
char *
greeting_make_harmless (const char *data, gsize length)
{
  GString *text = g_string_new (NULL);
  const char *end = data + length;

  for (guint n = 0; data < end; n++)
    {
      gunichar character = g_utf8_get_char_validated (data, end - data);

      if (n == SHOWN_CHARACTERS)
        {
          g_string_append (text, "...");
          break;
        }
      if (character < 0x110000)
        {
          append_character (text, character);
          data += g_unichar_to_utf8 (character, NULL);
        }
      else
        g_string_append_printf (text, "\\x%02x", (guchar) *data++);
    }
  return g_string_free (text, FALSE);
}
