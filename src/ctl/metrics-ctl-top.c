/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-top.h"

#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-output.h"
#include "ctl/metrics-ctl-screen.h"
#include "ctl/metrics-ctl-table.h"
#include "ctl/metrics-ctl-text.h"
#include "ctl/metrics-ctl-top-read.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_WINDOW (10 * 60)

static const MetricsCtlUsage usage = {
  N_ ("[PATTERN...]"),
  0,
  64,
  N_ ("Shows a table of the keys that match PATTERN (default: '*', all keys), which changes with the\n"
      "points as they are put: the newest value, the least, the greatest and the mean of the last\n"
      "minutes, how long ago the newest point was, and a line of how it went."),
  N_ ("In PATTERN '*' stands for any number of characters, '?' for one, and a backslash takes the\n"
      "meaning from the character behind it.\n"
      "\n"
      "COLUMN is key, last, min, max, avg, points or age. Keys ascend; of numbers the largest come\n"
      "first, of ages the smallest.\n"
      "\n"
      "Keys: s and S (or < and >) choose the column that it is sorted by, r turns the order around,\n"
      "/ and a text leave the keys that have it in them, + and - make the window shorter and longer,\n"
      "arrows choose a row, Enter draws it as 'metricsctl plot --follow' does, q ends it, ? tells of them.\n"
      "\n"
      "With --once, and where output is no terminal, it prints the table once; plain, a line a key:\n"
      "'KEY LAST MIN MAX AVG POINTS TIME', where '-' stands for what there is not; as JSON, an array of\n"
      "{\"key\": \"cpu\", \"last\": 2.5, \"min\": 1.0, \"max\": 4.0, \"avg\": 2.25, \"points\": 4,\n"
      "\"timestamp\": 1503319740}, where null does.\n"
      "\n"
      "Examples:\n"
      "  metricsctl top 'host.*'\n"
      "  metricsctl top --window 1h --sort max --lines 20 --once"),
};

static const MetricsCtlColumn columns[] = {
  { "key", N_ ("KEY"), METRICS_CTL_COLUMN_TEXT },
  { "last", N_ ("LAST"), METRICS_CTL_COLUMN_NUMBER },
  { "min", N_ ("MIN"), METRICS_CTL_COLUMN_NUMBER },
  { "max", N_ ("MAX"), METRICS_CTL_COLUMN_NUMBER },
  { "avg", N_ ("AVG"), METRICS_CTL_COLUMN_NUMBER },
  { "points", N_ ("POINTS"), METRICS_CTL_COLUMN_INTEGER },
  { "timestamp", N_ ("TIME"), METRICS_CTL_COLUMN_TIME },
};

/* For programs. */
static int
print_rows (const MetricsCtlTop *self, const MetricsCtlTopRows *rows, guint n_rows)
{
  g_autoptr (MetricsCtlTable) table
      = metrics_ctl_table_new (metrics_ctl_get_form (self->ctl), columns, G_N_ELEMENTS (columns));
  gboolean good = TRUE;

  for (guint i = 0; good && i < n_rows; i++)
    {
      const MetricsCtlTopRow *row = g_ptr_array_index (rows->shown, i);
      const MetricsCtlTopStats *stats = row->stats;
      const MetricsCtlCell cells[] = {
        { .text = row->key },
        { .number = row->value },
        { .number = stats != NULL ? stats->min : NAN },
        { .number = stats != NULL ? stats->max : NAN },
        { .number = stats != NULL ? stats->avg : NAN },
        { .integer = stats != NULL ? (gint64) stats->n : 0 },
        { .integer = row->time },
      };

      good = metrics_ctl_table_add (table, cells);
    }
  return metrics_ctl_table_finish (table, self->ctl, NULL);
}

/* For people: as on the screen, without its title. */
static int
print_view (const MetricsCtlTop *self, const MetricsCtlTopRows *rows, guint n_rows, gint64 now)
{
  g_autofree char *patterns = g_strjoinv (" ", self->patterns);
  g_autofree char *message = g_strdup_printf (_ ("no key matches: %s"), patterns);
  const MetricsCtlTopView view = {
    .rows = rows,
    .message = rows->shown->len == 0 ? message : NULL,
    .now = now,
    .window = self->window,
    .selected = -1,
    .n_rows = n_rows,
  };
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autoptr (GError) error = NULL;
  g_autofree char *bytes = NULL;
  gsize n_bytes;
  guint width, height;
  MetricsCtlPaint paint;

  metrics_ctl_screen_get_size (&width, &height);
  metrics_ctl_paint_init (&paint, self->colors, self->ascii, width);
  metrics_ctl_top_view_draw (&view, &paint);
  bytes = metrics_ctl_paint_take (&paint, &n_bytes);
  metrics_ctl_paint_clear (&paint);
  metrics_ctl_output_append (output, bytes, n_bytes);
  return metrics_ctl_output_flush (output, &error) ? METRICS_CTL_DONE : metrics_ctl_fail (self->ctl, error);
}

/**
 * metrics_ctl_top_once:
 * @self: what the command line asks for
 *
 * Prints the table.
 *
 * Returns: the exit status
 */
int
metrics_ctl_top_once (const MetricsCtlTop *self)
{
  g_autoptr (MetricsCtlTopRows) rows = metrics_ctl_top_rows_new (self->sort, self->reverse);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_autoptr (MetricsCtlTopRead) read
      = metrics_ctl_top_read_new (metrics_ctl_get_client (self->ctl), now, self->window);
  g_autoptr (GError) error = NULL;
  guint n_rows;

  read->patterns = g_strdupv (self->patterns);
  read->all = TRUE;
  /* Programs are not shown the steps. */
  read->coarse = metrics_ctl_get_form (self->ctl) != METRICS_CTL_FORM_HUMAN;
  if (!metrics_ctl_top_read_run (read, &error))
    return metrics_ctl_fail (self->ctl, error);
  metrics_ctl_top_rows_load (rows, read->samples, G_MAXINT64);
  for (guint i = 0; i < rows->all->len; i++)
    metrics_ctl_top_read_give (read, g_ptr_array_index (rows->all, i));
  metrics_ctl_top_rows_arrange (rows);
  n_rows = self->max_lines > 0 ? MIN (self->max_lines, rows->shown->len) : rows->shown->len;
  return metrics_ctl_get_form (self->ctl) == METRICS_CTL_FORM_HUMAN ? print_view (self, rows, n_rows, now)
                                                                    : print_rows (self, rows, n_rows);
}

/* The options as they are given. */
typedef struct
{
  char *window;
  char *sort;
  char *color;
  int lines;
  gboolean reverse;
  gboolean once;
  gboolean ascii;
} Options;

static gboolean
check_window (MetricsCtlTop *top, const char *text, int *status)
{
  const gint64 longest = G_GINT64_CONSTANT (100) * 365 * 24 * 60 * 60;

  top->window = DEFAULT_WINDOW;
  if (!metrics_ctl_check_length (top->ctl, text, &top->window, status))
    return FALSE;
  if (top->window <= longest)
    return TRUE;
  *status
      = metrics_ctl_usage_error (top->ctl,
                                 _ ("not a span of time: '%s'; it is for example 90s, 5m, 2h, 1d, 1w"), text);
  return FALSE;
}

static gboolean
check_sort (MetricsCtlTop *top, const char *name, int *status)
{
  if (name == NULL || metrics_ctl_top_column_from_name (name, &top->sort))
    return TRUE;
  *status
      = metrics_ctl_usage_error (top->ctl,
                                 _ ("no such column: '%s'; there are key, last, min, max, avg, points, age"),
                                 name);
  return FALSE;
}

static gboolean
check_rest (MetricsCtlTop *top, const Options *options, int *status)
{
  if (options->lines >= 0)
    return metrics_ctl_check_colors (top->ctl, options->color, &top->colors, status);
  *status = metrics_ctl_usage_error (top->ctl, _ ("not a number of lines: %d"), options->lines);
  return FALSE;
}

static int
run (MetricsCtl *ctl, const Options *options, GStrv patterns)
{
  char *all[] = { (char *) "*", NULL };
  MetricsCtlTop top = {
    .ctl = ctl,
    .patterns = patterns[0] != NULL ? patterns : all,
    .reverse = options->reverse,
    .max_lines = (guint) options->lines,
    .ascii = options->ascii || !g_get_charset (NULL),
  };
  int status;

  for (guint i = 0; top.patterns[i] != NULL; i++)
    if (!metrics_ctl_check_pattern (ctl, top.patterns[i], &status))
      return status;
  if (!check_window (&top, options->window, &status) || !check_sort (&top, options->sort, &status)
      || !check_rest (&top, options, &status))
    return status;
  if (options->once || options->lines > 0 || !isatty (STDOUT_FILENO) || metrics_ctl_terminal_is_dumb ()
      || metrics_ctl_get_form (ctl) != METRICS_CTL_FORM_HUMAN)
    return metrics_ctl_top_once (&top);
  return metrics_ctl_top_live (&top);
}

int
metrics_ctl_top (MetricsCtl *ctl, int argc, char **argv)
{
  Options options = { 0 };
  const GOptionEntry entries[] = {
    { "window", 'w', 0, G_OPTION_ARG_STRING, &options.window, N_ ("How far back to look (default: 10m)"),
      N_ ("SPAN") },
    { "sort", 's', 0, G_OPTION_ARG_STRING, &options.sort, N_ ("What to sort by (default: key)"),
      N_ ("COLUMN") },
    { "reverse", 'r', 0, G_OPTION_ARG_NONE, &options.reverse, N_ ("The other way around"), NULL },
    { "once", 0, 0, G_OPTION_ARG_NONE, &options.once, N_ ("Print the table once"), NULL },
    { "lines", 'n', 0, G_OPTION_ARG_INT, &options.lines, N_ ("How many rows to print, once"), N_ ("N") },
    { "ascii", 0, 0, G_OPTION_ARG_NONE, &options.ascii, N_ ("Draw with ASCII alone"), NULL },
    { "color", 0, 0, G_OPTION_ARG_STRING, &options.color,
      N_ ("Use colours: auto (on terminals; the default), always, never"), N_ ("WHEN") },
    { NULL },
  };
  g_auto (GStrv) arguments = NULL;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, entries, argc, argv, &status);
  if (arguments != NULL)
    status = run (ctl, &options, arguments);
  g_free (options.window);
  g_free (options.sort);
  g_free (options.color);
  return status;
}
