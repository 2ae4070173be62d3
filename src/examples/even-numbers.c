/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "even-numbers.h"

#include <string.h>

/* A negative number on a command line looks like an option: puts `--`, behind which there are none, before
 * the first one, and counts it in ARGC.
 *
 * Returns: (transfer container): the command line, whose words are those of ARGV, which stays as it is */
char **
even_numbers_protect (int *argc, char **argv)
{
  static char separator[] = "--";
  GPtrArray *words = g_ptr_array_new ();
  gboolean separated = FALSE;

  for (int i = 0; i < *argc; i++)
    {
      gboolean negative = argv[i][0] == '-' && g_ascii_isdigit (argv[i][1]);

      if (negative && !separated)
        g_ptr_array_add (words, separator);
      separated = separated || negative || strcmp (argv[i], separator) == 0;
      g_ptr_array_add (words, argv[i]);
    }
  *argc = words->len;
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

/* Reads all numbers: all or none, so that a wrong one is known before the first is asked for.
 *
 * Returns: (transfer full): as many numbers as there are texts; NULL with ERROR set where one is none, or
 * needs more than 64 bits */
gint64 *
even_numbers_parse (char *const *texts, GError **error)
{
  guint n = g_strv_length ((char **) texts);
  g_autofree gint64 *numbers = g_new (gint64, n);

  for (guint i = 0; i < n; i++)
    if (!g_ascii_string_to_signed (texts[i], 10, G_MININT64, G_MAXINT64, &numbers[i], error))
      return NULL;
  return g_steal_pointer (&numbers);
}
