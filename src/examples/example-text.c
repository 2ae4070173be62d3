/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-text.h"

#include <string.h>

/* Whether any terminal takes it for no more than a character: not those that control it, turn the direction
 * of a line, end it or show nothing. */
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
  if (is_harmless (character))
    g_string_append_unichar (text, character);
  else if (character == '\n')
    g_string_append (text, "\\n");
  else if (character == '\t')
    g_string_append (text, "\\t");
  else if (character < 0x10000)
    g_string_append_printf (text, "\\u%04x", character);
  else
    g_string_append_printf (text, "\\U%08x", character);
}

/* What came from outside, for a line that people read: of LENGTH bytes (-1: up to the 0 behind them) the
 * first MAX_CHARACTERS; "..." says that there was more.
 *
 * Returns: (transfer full): the text, in UTF-8; ESC, for one, stands there as \u001b, and what is no UTF-8 as
 * \xff */
char *
example_printable (const char *text, gssize length, glong max_characters)
{
  GString *printable = g_string_new (NULL);
  const char *end = text + (length >= 0 ? (gsize) length : strlen (text));

  while (text < end)
    {
      gunichar character = g_utf8_get_char_validated (text, end - text);

      if (max_characters-- == 0)
        {
          g_string_append (printable, "...");
          break;
        }
      if (character < 0x110000)
        {
          append_character (printable, character);
          text += g_unichar_to_utf8 (character, NULL);
        }
      else
        g_string_append_printf (printable, "\\x%02x", (guchar) *text++);
    }
  return g_string_free (printable, FALSE);
}
