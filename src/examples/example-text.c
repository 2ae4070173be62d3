/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-text.h"

#include <string.h>

/* What came from outside, for a line that people read: of LENGTH bytes (-1: up to the 0 behind them) the
 * first MAX_CHARACTERS, in UTF-8, with a question mark for all that would move a cursor, turn the writing
 * direction, begin a line or show nothing; "..." says that there was more. Returns: (transfer full): the text
 */
char *
example_printable (const char *text, gssize length, glong max_characters)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  GString *printable = g_string_new (NULL);

  for (const char *at = valid; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (max_characters-- == 0)
        {
          g_string_append (printable, "...");
          break;
        }
      g_string_append_unichar (printable, g_unichar_isgraph (c) && !g_unichar_isspace (c) ? c
                                          : c == ' '                                      ? c
                                                                                          : '?');
    }
  return g_string_free (printable, FALSE);
}
