/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-json.h"
#include "common/metrics-number.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-output.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

static const MetricsCtlUsage usage = {
  NULL,
  0,
  0,
  N_ ("Shows the server's own figures: how long it runs, what it holds and has done, and its limits.\n"
      "Memory, lines and what is unsent are in bytes; uptime is in seconds, commit_time and\n"
      "cpu_microseconds in microseconds. metricsd(1) explains each figure."),
  N_ ("It prints, for people, two columns; plain, a line a figure: 'NAME VALUE'; as JSON, an object\n"
      "of numbers. The figures are in the order of their names. What is counted begins at 0 with each\n"
      "start of the server; memory is what points take of its memory, resident what all of it takes.\n"
      "\n"
      "Examples:\n"
      "  metricsctl stats\n"
      "  metricsctl stats --plain | grep ^memory"),
};

typedef struct
{
  const char *name;  /* (unowned) */
  const char *value; /* (unowned): as the server wrote it */
  gint64 integer;    /* what it is, where @whole */
  gboolean whole;    /* whether it is an integer; all are, today */
} Figure;

static int
compare_figures (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Figure *) a)->name, ((const Figure *) b)->name);
}

static GArray *
sort_figures (GHashTable *stats)
{
  GArray *figures = g_array_new (FALSE, FALSE, sizeof (Figure));
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, stats);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      Figure figure = { .name = name, .value = value };

      figure.whole = metrics_number_parse_int64 (value, strlen (value), &figure.integer);
      g_array_append_val (figures, figure);
    }
  g_array_sort (figures, compare_figures);
  return figures;
}

static void
append_human (GString *text, const GArray *figures)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  gsize name_width = 0, value_width = 0;

  for (guint i = 0; i < figures->len; i++)
    {
      const Figure *figure = &g_array_index (figures, Figure, i);
      char *value = figure->whole ? metrics_ctl_format_integer (figure->integer) : g_strdup (figure->value);

      g_ptr_array_add (values, value);
      name_width = MAX (name_width, metrics_ctl_text_width (figure->name));
      value_width = MAX (value_width, metrics_ctl_text_width (value));
    }
  for (guint i = 0; i < figures->len; i++)
    {
      const char *name = g_array_index (figures, Figure, i).name;
      const char *value = g_ptr_array_index (values, i);
      gsize blanks
          = 2 + name_width - metrics_ctl_text_width (name) + value_width - metrics_ctl_text_width (value);

      g_string_append_printf (text, "%s%*s%s\n", name, (int) blanks, "", value);
    }
}

static void
append_json (GString *text, const GArray *figures)
{
  for (guint i = 0; i < figures->len; i++)
    {
      const Figure *figure = &g_array_index (figures, Figure, i);

      g_string_append (text, i > 0 ? ",\n  " : "{\n  ");
      metrics_json_append_string (text, figure->name);
      g_string_append (text, ": ");
      if (figure->whole)
        metrics_json_append_int64 (text, figure->integer);
      else
        metrics_json_append_string (text, figure->value);
    }
  g_string_append (text, figures->len > 0 ? "\n}\n" : "{}\n");
}

static int
print_figures (MetricsCtl *ctl, const GArray *figures)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  MetricsCtlForm form = metrics_ctl_get_form (ctl);

  if (form == METRICS_CTL_FORM_HUMAN)
    append_human (text, figures);
  else if (form == METRICS_CTL_FORM_JSON)
    append_json (text, figures);
  else
    {
      for (guint i = 0; i < figures->len; i++)
        {
          const Figure *figure = &g_array_index (figures, Figure, i);

          g_string_append_printf (text, "%s %s\n", figure->name, figure->value);
        }
    }
  metrics_ctl_output_append (output, text->str, text->len);
  return metrics_ctl_output_flush (output, &error) ? METRICS_CTL_DONE : metrics_ctl_fail (ctl, error);
}

int
metrics_ctl_stats (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  g_autoptr (GHashTable) stats = NULL;
  g_autoptr (GArray) figures = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;

  stats = metrics_client_stats (metrics_ctl_get_client (ctl), NULL, &error);
  if (stats == NULL)
    return metrics_ctl_fail (ctl, error);
  figures = sort_figures (stats);
  return print_figures (ctl, figures);
}
