/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-table.h"

#include "common/metrics-json.h"
#include "common/metrics-number.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* How many rows wait until the columns' widths are chosen. Those that come later and are wider widen them, so
 * that memory stays bounded however long the answer is. */
#define MAX_WAITING 1000

struct _MetricsCtlTable
{
  MetricsCtlForm form;
  const MetricsCtlColumn *columns; /* (unowned) (array length=n_columns) */
  guint n_columns;
  gboolean is_endless;      /* each row of JSON is a document of its own */
  guint64 n_rows;           /* how many were added */
  MetricsCtlOutput *output; /* (owned) */
  GString *row;             /* (owned): the one that is being written */
  gsize *widths;            /* (owned) (array length=n_columns): in cells of a terminal */
  GPtrArray *waiting;       /* (owned) (nullable) (element-type GStrv): for people: what is not written yet */
};

static const MetricsCtlColumn sample_columns[] = {
  { "key", N_ ("KEY"), METRICS_CTL_COLUMN_TEXT },
  { "value", N_ ("VALUE"), METRICS_CTL_COLUMN_NUMBER },
  { "timestamp", N_ ("TIME"), METRICS_CTL_COLUMN_TIME },
};

/* Adds a row for people to those that wait: the cells' texts, of which the array becomes the owner. */
static void
add_waiting (MetricsCtlTable *self, GStrv texts)
{
  for (guint i = 0; i < self->n_columns; i++)
    self->widths[i] = MAX (self->widths[i], metrics_ctl_text_width (texts[i]));
  g_ptr_array_add (self->waiting, texts);
}

/**
 * metrics_ctl_table_new:
 * @form: what to write
 * @columns: (array length=n_columns): the columns, static
 * @n_columns: how many
 *
 * Returns: (transfer full): a table without rows, on its way to standard output
 */
MetricsCtlTable *
metrics_ctl_table_new (MetricsCtlForm form, const MetricsCtlColumn *columns, guint n_columns)
{
  MetricsCtlTable *self = g_new0 (MetricsCtlTable, 1);

  self->form = form;
  self->columns = columns;
  self->n_columns = n_columns;
  self->output = metrics_ctl_output_new (STDOUT_FILENO);
  self->row = g_string_new (NULL);
  self->widths = g_new0 (gsize, n_columns);
  if (form == METRICS_CTL_FORM_HUMAN)
    {
      GStrv header = g_new0 (char *, n_columns + 1);

      self->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
      for (guint i = 0; i < n_columns; i++)
        header[i] = g_strdup (_ (columns[i].title));
      add_waiting (self, header);
    }
  return self;
}

/**
 * metrics_ctl_table_new_samples:
 * @form: what to write
 *
 * Returns: (transfer full): a table of points and their keys
 */
MetricsCtlTable *
metrics_ctl_table_new_samples (MetricsCtlForm form)
{
  return metrics_ctl_table_new (form, sample_columns, G_N_ELEMENTS (sample_columns));
}

/**
 * metrics_ctl_table_new_endless:
 * @form: what to write
 *
 * As metrics_ctl_table_new_samples(), for points that come for as long as one wants: in JSON each is an
 * object on a line of its own. metrics_ctl_table_flush() shows those that have come.
 *
 * Returns: (transfer full): a table
 */
MetricsCtlTable *
metrics_ctl_table_new_endless (MetricsCtlForm form)
{
  MetricsCtlTable *self = metrics_ctl_table_new_samples (form);

  self->is_endless = TRUE;
  return self;
}

/**
 * metrics_ctl_table_free:
 * @self: (transfer full) (nullable): a table; without metrics_ctl_table_finish() its last rows are lost
 */
void
metrics_ctl_table_free (MetricsCtlTable *self)
{
  if (self == NULL)
    return;
  metrics_ctl_output_free (self->output);
  g_string_free (self->row, TRUE);
  g_free (self->widths);
  g_clear_pointer (&self->waiting, g_ptr_array_unref);
  g_free (self);
}

static char *
format_cell (const MetricsCtlColumn *column, const MetricsCtlCell *cell)
{
  switch (column->kind)
    {
    case METRICS_CTL_COLUMN_TEXT:
      return g_strdup (cell->text);
    case METRICS_CTL_COLUMN_NUMBER:
      return isnan (cell->number) ? g_strdup ("-") : metrics_ctl_format_number (cell->number);
    case METRICS_CTL_COLUMN_INTEGER:
      return metrics_ctl_format_integer (cell->integer);
    case METRICS_CTL_COLUMN_TIME:
      return metrics_ctl_format_time (cell->integer);
    default:
      g_assert_not_reached ();
    }
}

static void
append_blanks (GString *row, gsize n)
{
  g_string_append_printf (row, "%*s", (int) n, "");
}

/* Numbers stand at the right of their column, all else at the left. */
static gboolean
write_texts (MetricsCtlTable *self, const GStrv texts)
{
  g_string_truncate (self->row, 0);
  for (guint i = 0; i < self->n_columns; i++)
    {
      gboolean right = self->columns[i].kind == METRICS_CTL_COLUMN_NUMBER
                       || self->columns[i].kind == METRICS_CTL_COLUMN_INTEGER;
      gsize blanks = self->widths[i] - metrics_ctl_text_width (texts[i]);

      if (right)
        append_blanks (self->row, blanks);
      g_string_append (self->row, texts[i]);
      if (i + 1 < self->n_columns)
        append_blanks (self->row, 2 + (right ? 0 : blanks));
    }
  g_string_append_c (self->row, '\n');
  return metrics_ctl_output_append (self->output, self->row->str, self->row->len);
}

static gboolean
write_waiting (MetricsCtlTable *self)
{
  gboolean good = TRUE;

  for (guint i = 0; good && i < self->waiting->len; i++)
    good = write_texts (self, g_ptr_array_index (self->waiting, i));
  g_ptr_array_set_size (self->waiting, 0);
  return good;
}

static gboolean
add_human (MetricsCtlTable *self, const MetricsCtlCell *cells)
{
  GStrv texts = g_new0 (char *, self->n_columns + 1);

  for (guint i = 0; i < self->n_columns; i++)
    texts[i] = format_cell (&self->columns[i], &cells[i]);
  add_waiting (self, texts);
  return self->n_rows < MAX_WAITING || write_waiting (self);
}

/* A cell as programs read it; a text as it is, and @nothing for a number that is none. */
static void
append_bare (GString *row, const MetricsCtlColumn *column, const MetricsCtlCell *cell, const char *nothing)
{
  if (column->kind == METRICS_CTL_COLUMN_TEXT)
    g_string_append (row, cell->text);
  else if (column->kind == METRICS_CTL_COLUMN_NUMBER && isnan (cell->number))
    g_string_append (row, nothing);
  else if (column->kind == METRICS_CTL_COLUMN_NUMBER)
    metrics_json_append_double (row, cell->number);
  else
    metrics_json_append_int64 (row, cell->integer);
}

static gboolean
add_plain (MetricsCtlTable *self, const MetricsCtlCell *cells)
{
  g_string_truncate (self->row, 0);
  for (guint i = 0; i < self->n_columns; i++)
    {
      if (i > 0)
        g_string_append_c (self->row, ' ');
      append_bare (self->row, &self->columns[i], &cells[i], "-");
    }
  g_string_append_c (self->row, '\n');
  return metrics_ctl_output_append (self->output, self->row->str, self->row->len);
}

static gboolean
add_json (MetricsCtlTable *self, const MetricsCtlCell *cells)
{
  g_string_assign (self->row, self->is_endless ? "{" : self->n_rows > 1 ? ",\n{" : "[\n{");
  for (guint i = 0; i < self->n_columns; i++)
    {
      if (i > 0)
        g_string_append (self->row, ", ");
      metrics_json_append_string (self->row, self->columns[i].name);
      g_string_append (self->row, ": ");
      if (self->columns[i].kind == METRICS_CTL_COLUMN_TEXT)
        metrics_json_append_string (self->row, cells[i].text);
      else
        append_bare (self->row, &self->columns[i], &cells[i], "null");
    }
  g_string_append (self->row, self->is_endless ? "}\n" : "}");
  return metrics_ctl_output_append (self->output, self->row->str, self->row->len);
}

/**
 * metrics_ctl_table_add:
 * @self: a table
 * @cells: (array): a cell for each column
 *
 * Adds a row.
 *
 * Returns: %FALSE where the output cannot be written, so that no more rows need come;
 *   metrics_ctl_table_finish() tells why
 */
gboolean
metrics_ctl_table_add (MetricsCtlTable *self, const MetricsCtlCell *cells)
{
  self->n_rows++;
  switch (self->form)
    {
    case METRICS_CTL_FORM_HUMAN:
      return add_human (self, cells);
    case METRICS_CTL_FORM_PLAIN:
      return add_plain (self, cells);
    case METRICS_CTL_FORM_JSON:
      return add_json (self, cells);
    default:
      g_assert_not_reached ();
    }
}

/**
 * metrics_ctl_table_add_sample:
 * @sample: a point
 * @table: a table of metrics_ctl_table_new_samples()
 *
 * Adds a point; a #MetricsSampleFunc.
 *
 * Returns: see metrics_ctl_table_add()
 */
gboolean
metrics_ctl_table_add_sample (const MetricsSample *sample, gpointer table)
{
  MetricsCtlCell cells[] = {
    { .text = sample->key },
    { .number = sample->value },
    { .integer = sample->timestamp },
  };

  return metrics_ctl_table_add (table, cells);
}

/**
 * metrics_ctl_table_flush:
 * @self: a table without an end
 * @error: return location for a #GError
 *
 * Writes what has been added. Where rows of people come later and are wider, these are.
 *
 * Returns: %FALSE where the output cannot be written
 */
gboolean
metrics_ctl_table_flush (MetricsCtlTable *self, GError **error)
{
  if (self->form == METRICS_CTL_FORM_HUMAN)
    write_waiting (self);
  return metrics_ctl_output_flush (self->output, error);
}

/**
 * metrics_ctl_table_finish:
 * @self: a table
 * @ctl: the command line's state
 * @answer_error: (nullable): why the server's answer is not complete
 *
 * Writes what has not been written, and says on standard error what went wrong. To be called once, after the
 * last row. JSON of an incomplete answer is left open, so that nobody takes it for a whole one.
 *
 * Returns: the exit status
 */
int
metrics_ctl_table_finish (MetricsCtlTable *self, MetricsCtl *ctl, const GError *answer_error)
{
  g_autoptr (GError) error = NULL;

  if (self->form == METRICS_CTL_FORM_HUMAN && (self->n_rows > 0 || answer_error == NULL))
    write_waiting (self);
  else if (self->form == METRICS_CTL_FORM_JSON && answer_error == NULL)
    {
      const char *end = self->n_rows > 0 ? "\n]\n" : "[]\n";

      metrics_ctl_output_append (self->output, end, strlen (end));
    }
  if (!metrics_ctl_output_flush (self->output, &error))
    return metrics_ctl_fail (ctl, error);
  return answer_error != NULL ? metrics_ctl_fail (ctl, answer_error) : METRICS_CTL_DONE;
}

/**
 * metrics_ctl_print_samples:
 * @ctl: the command line's state
 * @samples: (nullable) (element-type MetricsSample): an answer, or %NULL where there is none
 * @error: (nullable): why there is none
 *
 * Prints an answer that is there as a whole.
 *
 * Returns: the exit status
 */
int
metrics_ctl_print_samples (MetricsCtl *ctl, GPtrArray *samples, const GError *error)
{
  g_autoptr (MetricsCtlTable) table = metrics_ctl_table_new_samples (metrics_ctl_get_form (ctl));
  gboolean good = TRUE;

  for (guint i = 0; good && samples != NULL && i < samples->len; i++)
    good = metrics_ctl_table_add_sample (g_ptr_array_index (samples, i), table);
  return metrics_ctl_table_finish (table, ctl, error);
}

/**
 * metrics_ctl_print_stream:
 * @ctl: the command line's state
 * @pattern: which keys
 * @from: the earliest time
 * @to: the latest time
 *
 * Asks for points and prints them as they come, in bounded memory.
 *
 * Returns: the exit status
 */
int
metrics_ctl_print_stream (MetricsCtl *ctl, const char *pattern, gint64 from, gint64 to)
{
  guint64 n_rows;

  return metrics_ctl_print_counted (ctl, pattern, from, to, &n_rows);
}

/**
 * metrics_ctl_print_counted:
 * @ctl: the command line's state
 * @pattern: which keys
 * @from: the earliest time
 * @to: the latest time
 * @n_rows: (out): how many points there were
 *
 * Does what metrics_ctl_print_stream() does, and counts.
 *
 * Returns: the exit status
 */
int
metrics_ctl_print_counted (MetricsCtl *ctl, const char *pattern, gint64 from, gint64 to, guint64 *n_rows)
{
  g_autoptr (MetricsCtlTable) table = metrics_ctl_table_new_samples (metrics_ctl_get_form (ctl));
  g_autoptr (GError) error = NULL;

  metrics_client_foreach (metrics_ctl_get_client (ctl), pattern, from, to, metrics_ctl_table_add_sample,
                          table, NULL, &error);
  *n_rows = table->n_rows;
  return metrics_ctl_table_finish (table, ctl, error);
}
