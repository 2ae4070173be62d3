/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A configuration file is a key file as GKeyFile reads it. That says nothing of lines, lets the last of two
 * equal keys win, and stops at the first line that is wrong. Who mends a file wants to hear of all at once
 * and where they are, so the lines are gone through here before. */

#define MAX_SIZE (1 << 20)
#define MAX_LINE 8192
#define MAX_DROP_INS 256

/* What is said of a file that is wrong from end to end. */
#define MAX_PROBLEMS 32

/* The device that swallows all: a drop-in that is a link to it is none, as with other services. */
#define NULL_DEVICE makedev (1, 3)

static void
entry_free (gpointer data)
{
  MetricsConfigEntry *entry = data;

  g_free (entry->group);
  g_free (entry->key);
  g_free (entry);
}

static void
problem_free (gpointer data)
{
  MetricsProblem *problem = data;

  g_free (problem->file);
  g_free (problem->line);
  g_free (problem->reason);
  g_free (problem->text);
  g_free (problem);
}

/**
 * metrics_problems_new:
 *
 * Returns: (transfer full) (element-type MetricsProblem): an empty list
 */
GPtrArray *
metrics_problems_new (void)
{
  return g_ptr_array_new_with_free_func (problem_free);
}

/* What a terminal would obey is taken out. */
static char *
make_clean (const char *text)
{
  GString *clean = g_string_new (NULL);
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    g_string_append_unichar (clean, g_unichar_iscntrl (g_utf8_get_char (p)) ? 0xfffd : g_utf8_get_char (p));
  return g_string_free (clean, FALSE);
}

/**
 * metrics_problems_add:
 * @problems: (element-type MetricsProblem): what is wrong
 * @file: where something is wrong as well, as it can be shown
 * @line: in which line, from 1; 0 where it is the file as a whole
 * @reason: what it is; of any bytes
 *
 * Adds it. Of very many the rest is left out.
 */
void
metrics_problems_add (GPtrArray *problems, const char *file, guint line, const char *reason)
{
  MetricsProblem *problem;

  if (metrics_problems_are_full (problems))
    return;
  problem = g_new0 (MetricsProblem, 1);
  problem->file = make_clean (file);
  problem->line = line > 0 ? g_strdup_printf ("%u", line) : g_strdup ("");
  problem->reason = make_clean (problems->len < MAX_PROBLEMS ? reason : _ ("there is more that is wrong"));
  problem->text = line > 0 ? g_strdup_printf ("%s:%u: %s", problem->file, line, problem->reason)
                           : g_strdup_printf ("%s: %s", problem->file, problem->reason);
  g_ptr_array_add (problems, problem);
}

/**
 * metrics_problems_are_full:
 * @problems: (element-type MetricsProblem): what is wrong
 *
 * Returns: whether nothing more is added to them: who looks for more may as well stop
 */
gboolean
metrics_problems_are_full (const GPtrArray *problems)
{
  return problems->len > MAX_PROBLEMS;
}

/**
 * metrics_config_file_get_place:
 * @self: a file
 * @entry: a line of it
 *
 * Returns: (transfer full): where that is, `FILE:LINE`
 */
char *
metrics_config_file_get_place (const MetricsConfigFile *self, const MetricsConfigEntry *entry)
{
  return g_strdup_printf ("%s:%u", self->name, entry->line);
}

/**
 * metrics_config_file_refuse:
 * @self: a file
 * @entry: a line of it
 * @reason: what is wrong with it
 * @problems: (element-type MetricsProblem): where that goes, with the file, the line, the group and the key
 */
void
metrics_config_file_refuse (const MetricsConfigFile *self,
                            const MetricsConfigEntry *entry,
                            const char *reason,
                            GPtrArray *problems)
{
  g_autofree char *text = entry->key != NULL
                              ? g_strdup_printf ("[%s] %s: %s", entry->group, entry->key, reason)
                              : g_strdup_printf ("[%s]: %s", entry->group, reason);

  metrics_problems_add (problems, self->name, entry->line, text);
}

static void
refuse_line (const MetricsConfigFile *self, guint line, const char *reason, GPtrArray *problems)
{
  metrics_problems_add (problems, self->name, line, reason);
}

/* Reads from a descriptor to its end. Returns: 0, or what errno says */
static int
read_all (int fd, GString *text)
{
  char buffer[4096];
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) != 0)
    {
      if (n < 0 && errno != EINTR)
        return errno;
      if (n > 0)
        g_string_append_len (text, buffer, n);
      if (text->len > MAX_SIZE)
        return EFBIG;
    }
  return 0;
}

/* It may be anything: a pipe must not be waited for. Returns: FALSE where it is not there or wrong */
static gboolean
load (MetricsConfigFile *self, const char *path, gboolean is_optional, GString *text, GPtrArray *problems)
{
  int fd = g_open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
  struct stat status;
  g_autofree char *reason = NULL;
  int code = 0;

  if (fd < 0 && is_optional && (errno == ENOENT || errno == ENOTDIR))
    return FALSE;
  if (fd < 0 || fstat (fd, &status) < 0)
    reason = g_strdup (g_strerror (errno));
  else if (S_ISCHR (status.st_mode) && status.st_rdev == NULL_DEVICE)
    ;
  else if (S_ISDIR (status.st_mode))
    reason = g_strdup (g_strerror (EISDIR));
  else if (!S_ISREG (status.st_mode))
    reason = g_strdup (_ ("not a regular file"));
  else if (status.st_size > MAX_SIZE || (code = read_all (fd, text)) == EFBIG)
    reason = g_strdup_printf (_ ("larger than %u bytes"), MAX_SIZE);
  else if (code != 0)
    reason = g_strdup (g_strerror (code));
  if (fd >= 0)
    g_close (fd, NULL);
  if (reason != NULL)
    refuse_line (self, 0, reason, problems);
  return reason == NULL;
}

static guint
count_lines (const char *start, const char *end)
{
  guint n = 1;

  for (; start < end; start++)
    n += *start == '\n';
  return n;
}

/* Returns: whether it is text at all */
static gboolean
check_text (const MetricsConfigFile *self, const GString *text, GPtrArray *problems)
{
  const char *wrong;

  if (g_utf8_validate_len (text->str, text->len, &wrong))
    return TRUE;
  refuse_line (self, count_lines (text->str, wrong),
               *wrong == '\0' ? _ ("there is a zero byte") : _ ("not UTF-8"), problems);
  return FALSE;
}

/* Takes a line as GKeyFile does. Returns: (transfer full) (nullable): what is wrong with it */
static char *
take_line (MetricsConfigFile *self, const char *line, guint number, GHashTable *seen)
{
  const char *end = strchr (line, line[0] == '[' ? ']' : '=');
  const char *group = self->groups->len > 0
                          ? ((MetricsConfigEntry *) self->groups->pdata[self->groups->len - 1])->group
                          : NULL;
  MetricsConfigEntry entry = { .line = number };
  g_autofree char *name = NULL;
  guint before;

  if (strlen (line) > MAX_LINE)
    return g_strdup_printf (_ ("longer than %u bytes"), MAX_LINE);
  if (end == NULL || end == line)
    return g_strdup_printf (_ ("'%s' is not a group, a key with a value, or a comment"), line);
  if (line[0] == '[')
    {
      entry.group = g_strndup (line + 1, end - line - 1);
      g_ptr_array_add (self->groups, g_memdup2 (&entry, sizeof entry));
      return NULL;
    }
  if (group == NULL)
    return g_strdup_printf (_ ("'%s' stands before the first group"), line);

  entry.key = g_strchomp (g_strndup (line, end - line));
  name = g_strdup_printf ("%s]%s", group, entry.key);
  before = GPOINTER_TO_UINT (g_hash_table_lookup (seen, name));
  if (before > 0)
    {
      char *reason = g_strdup_printf (_ ("[%s] %s: given twice; the first one is in line %u"), group,
                                      entry.key, before);

      g_free (entry.key);
      return reason;
    }
  g_hash_table_insert (seen, g_steal_pointer (&name), GUINT_TO_POINTER (number));
  entry.group = g_strdup (group);
  g_ptr_array_add (self->entries, g_memdup2 (&entry, sizeof entry));
  return NULL;
}

/* Whether GKeyFile takes a line; what is wrong with the others does not matter. */
static gboolean
is_good (const char *line, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = line[0] == '[' ? g_strdup (line) : g_strconcat ("[group]\n", line, NULL);

  return g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_KEEP_TRANSLATIONS, error);
}

/* Says which lines GKeyFile does not take though they looked good. */
static void
refuse_lines (MetricsConfigFile *self, GStrv lines, GPtrArray *problems)
{
  for (guint i = 0; lines[i] != NULL && !metrics_problems_are_full (problems); i++)
    {
      g_autoptr (GError) error = NULL;

      if (!is_good (lines[i], &error))
        refuse_line (self, i + 1, error->message, problems);
    }
}

/* Takes all lines; those that are wrong are said and left out. */
static void
take_lines (MetricsConfigFile *self, const char *text, GPtrArray *problems)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *good = NULL;
  g_autoptr (GError) error = NULL;
  guint n_before = problems->len;

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *reason = NULL;

      g_strstrip (lines[i]);
      if (lines[i][0] == '\0' || lines[i][0] == '#')
        continue;
      reason = take_line (self, lines[i], i + 1, seen);
      if (reason != NULL)
        {
          refuse_line (self, i + 1, reason, problems);
          lines[i][0] = '\0';
        }
    }
  good = g_strjoinv ("\n", lines);
  /* Keys are patterns, and no translations. */
  if (g_key_file_load_from_data (self->keys, good, strlen (good), G_KEY_FILE_KEEP_TRANSLATIONS, &error))
    return;
  refuse_lines (self, lines, problems);
  if (problems->len == n_before)
    refuse_line (self, 0, error->message, problems);
  /* It has the lines before the first of these, whose places nobody could tell without the others. */
  g_key_file_unref (self->keys);
  self->keys = g_key_file_new ();
  g_ptr_array_set_size (self->groups, 0);
  g_ptr_array_set_size (self->entries, 0);
}

/**
 * metrics_config_file_read:
 * @path: (type filename): a file
 * @is_optional: whether it may be missing
 * @problems: (element-type MetricsProblem): where that goes which is wrong with it, a line each
 *
 * Reads a file.
 *
 * Returns: (transfer full) (nullable): what it says, without the lines that are no key file's; %NULL where
 *   there is nothing to be read
 */
MetricsConfigFile *
metrics_config_file_read (const char *path, gboolean is_optional, GPtrArray *problems)
{
  g_autoptr (MetricsConfigFile) self = g_new0 (MetricsConfigFile, 1);
  g_autoptr (GString) text = g_string_new (NULL);

  self->name = g_filename_display_name (path);
  self->keys = g_key_file_new ();
  self->groups = g_ptr_array_new_with_free_func (entry_free);
  self->entries = g_ptr_array_new_with_free_func (entry_free);
  if (!load (self, path, is_optional, text, problems) || !check_text (self, text, problems))
    return NULL;
  take_lines (self, text->str, problems);
  return g_steal_pointer (&self);
}

/**
 * metrics_config_file_free:
 * @self: (transfer full) (nullable): a file
 */
void
metrics_config_file_free (MetricsConfigFile *self)
{
  if (self == NULL)
    return;
  g_key_file_unref (self->keys);
  g_ptr_array_unref (self->groups);
  g_ptr_array_unref (self->entries);
  g_free (self->name);
  g_free (self);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
refuse_folder (const char *path, const char *reason, GPtrArray *problems)
{
  g_autofree char *name = g_filename_display_name (path);

  metrics_problems_add (problems, name, 0, reason);
}

/**
 * metrics_config_list_drop_ins:
 * @path: (type filename): of a configuration file
 * @problems: (element-type MetricsProblem): where that goes which is wrong
 *
 * Looks for `*.conf` in the folder that has the name of the file and `.d` behind it. It need not be there.
 *
 * Returns: (transfer full) (element-type filename): the paths of these, in the order of their names
 */
GPtrArray *
metrics_config_list_drop_ins (const char *path, GPtrArray *problems)
{
  g_autofree char *folder = g_strconcat (path, ".d", NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;

  if (dir == NULL)
    {
      /* What the folder would be in may be a file, too. */
      if (g_file_test (folder, G_FILE_TEST_EXISTS)
          || (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)
              && !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR)))
        refuse_folder (folder, error->message, problems);
      return g_steal_pointer (&paths);
    }
  while ((name = g_dir_read_name (dir)) != NULL)
    if (name[0] != '.' && g_str_has_suffix (name, ".conf"))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (paths, compare_names);
  if (paths->len > MAX_DROP_INS)
    {
      g_autofree char *reason = g_strdup_printf (_ ("more than %u files"), MAX_DROP_INS);

      refuse_folder (folder, reason, problems);
      g_ptr_array_set_size (paths, MAX_DROP_INS);
    }
  return g_steal_pointer (&paths);
}
