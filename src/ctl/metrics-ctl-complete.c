/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-pattern.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-output.h"
#include "ctl/metrics-ctl-text.h"

#include <string.h>
#include <unistd.h>

/* For the completions of shells (data/completions), which call it while somebody types: it says nothing on
 * standard error, and waits no longer than a person does. What it prints is not quoted for any shell. Its own
 * texts are for who writes such a completion, and not translated. */

/* More than this nobody reads. */
#define MAX_SHOWN 200

#define TIMEOUT_MSEC 1000

static const MetricsCtlUsage usage = {
  "keys|patterns [PREFIX]",
  1,
  2,
  "For the completions of shells: the keys that begin with PREFIX, or the patterns for each of\n"
  "them alone.",
  "It prints a line a key. Where they are more than 200, it prints what they have in common up to\n"
  "and with the next dot; where that is still too much, nothing. Where the server does not answer\n"
  "within a second, it prints nothing and ends with 3.\n"
  "\n"
  "Examples:\n"
  "  metricsctl complete keys room.",
};

/* Takes the backslashes out of the beginning of a pattern; NULL where it has wildcards. */
static char *
unescape_pattern (const char *text)
{
  GString *literal = g_string_new (NULL);

  for (; *text != '\0'; text++)
    {
      if (*text == '*' || *text == '?')
        {
          g_string_free (literal, TRUE);
          return NULL;
        }
      /* One at the end has yet to get the character whose meaning it takes. */
      if (*text == '\\' && *++text == '\0')
        break;
      g_string_append_c (literal, *text);
    }
  return g_string_free (literal, FALSE);
}

/* Whether the terminal can be shown it as it is. */
static gboolean
is_harmless (const char *key)
{
  g_autofree char *escaped = metrics_ctl_escape (key, strlen (key), G_MAXSIZE);

  return strcmp (escaped, key) == 0;
}

/* What is said of a key: all of it, or no more than to the dot behind the first @skip bytes. */
static char *
cut (const char *key, gboolean folded, gsize skip)
{
  const char *dot = folded ? strchr (key + skip, '.') : NULL;

  return dot != NULL ? g_strndup (key, dot + 1 - key) : g_strdup (key);
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Returns NULL where they are too many. */
static GPtrArray *
list (GPtrArray *keys, gboolean folded, gsize skip)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < keys->len; i++)
    {
      g_autofree char *text = cut (((const MetricsKeyInfo *) keys->pdata[i])->key, folded, skip);

      if (g_hash_table_contains (seen, text) || !is_harmless (text))
        continue;
      if (texts->len == MAX_SHOWN)
        return NULL;
      g_hash_table_add (seen, text);
      g_ptr_array_add (texts, g_steal_pointer (&text));
    }
  g_ptr_array_sort (texts, compare_texts);
  return g_steal_pointer (&texts);
}

static int
print (MetricsCtl *ctl, GPtrArray *keys, gboolean patterns, gsize skip)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autoptr (GPtrArray) texts = list (keys, FALSE, skip);

  if (texts == NULL)
    texts = list (keys, TRUE, skip);
  for (guint i = 0; texts != NULL && i < texts->len; i++)
    {
      const char *text = g_ptr_array_index (texts, i);
      g_autofree char *pattern = patterns ? metrics_pattern_escape (text) : NULL;

      metrics_ctl_output_printf (output, "%s\n", patterns ? pattern : text);
    }
  return metrics_ctl_output_flush (output, NULL) ? METRICS_CTL_DONE : METRICS_CTL_FAILED;
}

int
metrics_ctl_complete (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GPtrArray) keys = NULL;
  g_autofree char *prefix = NULL;
  g_autofree char *escaped = NULL;
  g_autofree char *pattern = NULL;
  MetricsClient *client;
  gboolean patterns;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;
  patterns = strcmp (arguments[0], "patterns") == 0;
  if (!patterns && strcmp (arguments[0], "keys") != 0)
    return metrics_ctl_usage_error (ctl, "neither keys nor patterns: '%s'", arguments[0]);

  prefix = patterns ? unescape_pattern (arguments[1] != NULL ? arguments[1] : "") : g_strdup (arguments[1]);
  if (patterns && prefix == NULL)
    return METRICS_CTL_DONE;
  escaped = metrics_pattern_escape (prefix != NULL ? prefix : "");
  pattern = g_strconcat (escaped, "*", NULL);
  /* What is no beginning of a key has no completions. */
  if (!metrics_pattern_is_word (pattern, strlen (pattern)))
    return METRICS_CTL_DONE;

  client = metrics_ctl_get_client (ctl);
  metrics_client_set_timeout (client, TIMEOUT_MSEC);
  keys = metrics_client_keys (client, pattern, NULL, NULL);
  if (keys == NULL)
    return METRICS_CTL_NO_SERVER;
  return print (ctl, keys, patterns, prefix != NULL ? strlen (prefix) : 0);
}
