/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "dictionary-words.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#define FILE_LIMIT (1024 * 1024)
#define WORD_LIMIT 64
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What there is without a file, written as one: letters moved by 13 places, or by 3 in the alphabet of 33. */
static const char usual[] = "uryyb hello\n"
                            "jbeyq world\n"
                            "ercbegf reports\n"
                            "gur the\n"
                            "freire server\n"
                            "тулезх привет\n"
                            "плу мир\n"
                            "фозег слова\n";

/* Returns: (transfer full) (element-type utf8): the words of a line, without the blanks between */
GPtrArray *
dictionary_split (const char *line)
{
  g_auto (GStrv) pieces = g_strsplit_set (line, " \t\r\n", -1);
  GPtrArray *words = g_ptr_array_new_with_free_func (g_free);

  for (char **piece = pieces; *piece != NULL; piece++)
    if (**piece != '\0')
      g_ptr_array_add (words, g_strdup (*piece));
  return words;
}

/* Returns: (transfer full): the word in the form in which it is looked for: some keyboards write an accent
 * for itself */
static char *
normalize (const char *word)
{
  return g_utf8_normalize (word, -1, G_NORMALIZE_NFC);
}

/* Returns: (nullable): what that word means */
const char *
dictionary_look_up (GHashTable *words, const char *cipher)
{
  g_autofree char *normal = normalize (cipher);

  return g_hash_table_lookup (words, normal);
}

/* Returns: whether each character of WORD can be shown, in a line among others */
static gboolean
is_word (const char *word)
{
  for (const char *at = word; *at != '\0'; at = g_utf8_next_char (at))
    if (!g_unichar_isgraph (g_utf8_get_char (at)) || g_unichar_isspace (g_utf8_get_char (at)))
      return FALSE;
  return TRUE;
}

/* Returns: (nullable): what is wrong with a pair of words, translated */
static const char *
check_pair (GHashTable *words, GPtrArray *pair)
{
  if (pair->len != 2)
    return _ ("a line is a word in cipher, a blank and what it means");
  for (guint i = 0; i < pair->len; i++)
    if (strlen (pair->pdata[i]) > WORD_LIMIT)
      return _ ("a word is longer than 64 bytes");
    else if (!is_word (pair->pdata[i]))
      return _ ("a word has a character that cannot be shown");
  /* Else an answer could be read in two ways. */
  if (*(char *) pair->pdata[1] == DICTIONARY_UNKNOWN || strcmp (pair->pdata[1], "error:") == 0)
    return _ ("no word means error:, or something that begins with a question mark");
  if (dictionary_look_up (words, pair->pdata[0]) != NULL)
    return _ ("the word in cipher has stood there before");
  return NULL;
}

/* Reads TEXT into WORDS, line by line. */
static gboolean
read_lines (GHashTable *words, const char *text, gsize length, GError **error)
{
  const char *end = text + length;
  guint number = 1;

  for (const char *line = text, *next; line < end; line = next, number++)
    {
      const char *line_end = memchr (line, '\n', end - line);
      g_autofree char *copy = g_strndup (line, (line_end != NULL ? line_end : end) - line);
      g_autoptr (GPtrArray) pair = dictionary_split (copy);
      const char *problem = NULL;

      next = line_end != NULL ? line_end + 1 : end;
      if (!g_utf8_validate_len (line, next - line, NULL))
        problem = _ ("it is not UTF-8");
      else if (pair->len > 0 && *copy != '#')
        problem = check_pair (words, pair);
      if (problem != NULL)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("line %u: %s"), number, problem);
          return FALSE;
        }
      if (pair->len > 0 && *copy != '#')
        g_hash_table_insert (words, normalize (pair->pdata[0]), g_strdup (pair->pdata[1]));
    }
  return TRUE;
}

/* Returns: (transfer full) (nullable): what is in the file, if that is not too much */
static char *
read_file (const char *path, gsize *length, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_commandline_arg (path);
  g_autoptr (GFileInputStream) input = g_file_read (file, NULL, error);
  g_autofree char *text = NULL;

  if (input == NULL)
    return NULL;
  text = g_malloc (FILE_LIMIT + 1);
  if (!g_input_stream_read_all (G_INPUT_STREAM (input), text, FILE_LIMIT + 1, length, NULL, error))
    return NULL;
  if (*length > FILE_LIMIT)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, _ ("it has more than 1 MiB"));
      return NULL;
    }
  return g_steal_pointer (&text);
}

/* Loads the dictionary at PATH, a line `CIPHER WORD` for each word, and lines that are empty or begin with #;
 * or, if that is NULL, the one that is built in.
 *
 * Returns: (transfer full) (nullable) (element-type utf8 utf8): what each word means */
GHashTable *
dictionary_load (const char *path, GError **error)
{
  g_autoptr (GHashTable) words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  gsize length = strlen (usual);
  g_autofree char *text = path != NULL ? read_file (path, &length, error) : g_strdup (usual);
  gsize begin;

  if (text == NULL)
    return NULL;
  begin = length >= strlen (BYTE_ORDER_MARK) && memcmp (text, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK)) == 0
              ? strlen (BYTE_ORDER_MARK)
              : 0;
  if (!read_lines (words, text + begin, length - begin, error))
    return NULL;
  return g_steal_pointer (&words);
}
