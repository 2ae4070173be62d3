/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-output.h"
#include "ctl/metrics-ctl.h"

G_BEGIN_DECLS

/**
 * MetricsCtlColumnKind:
 * @METRICS_CTL_COLUMN_TEXT: a word, left aligned
 * @METRICS_CTL_COLUMN_NUMBER: a double
 * @METRICS_CTL_COLUMN_INTEGER: a whole number
 * @METRICS_CTL_COLUMN_TIME: seconds since the Unix epoch, for people the local time
 *
 * What the cells of a column are.
 */
typedef enum
{
  METRICS_CTL_COLUMN_TEXT,
  METRICS_CTL_COLUMN_NUMBER,
  METRICS_CTL_COLUMN_INTEGER,
  METRICS_CTL_COLUMN_TIME,
} MetricsCtlColumnKind;

/**
 * MetricsCtlColumn:
 * @name: its name in JSON
 * @title: its name for people, marked with N_()
 * @kind: what its cells are
 *
 * A column of a table. All strings are static.
 */
typedef struct
{
  const char *name;
  const char *title;
  MetricsCtlColumnKind kind;
} MetricsCtlColumn;

/* A cell: the member that belongs to its column's kind is set. */
typedef union
{
  const char *text; /* (unowned) valid UTF-8 */
  double number;    /* finite; NAN where there is none */
  gint64 integer;   /* of a whole number and of a time */
} MetricsCtlCell;

/* Rows on their way to standard output, in the form that the user asked for, in bounded memory. */
typedef struct _MetricsCtlTable MetricsCtlTable;

MetricsCtlTable *metrics_ctl_table_new (MetricsCtlForm form,
                                        const MetricsCtlColumn *columns,
                                        guint n_columns);
MetricsCtlTable *metrics_ctl_table_new_samples (MetricsCtlForm form);
MetricsCtlTable *metrics_ctl_table_new_endless (MetricsCtlForm form);
void metrics_ctl_table_free (MetricsCtlTable *self);

gboolean metrics_ctl_table_add (MetricsCtlTable *self, const MetricsCtlCell *cells);
gboolean metrics_ctl_table_add_sample (const MetricsSample *sample, gpointer table);
gboolean metrics_ctl_table_flush (MetricsCtlTable *self, GError **error);
int metrics_ctl_table_finish (MetricsCtlTable *self, MetricsCtl *ctl, const GError *answer_error);

int metrics_ctl_print_samples (MetricsCtl *ctl, GPtrArray *samples, const GError *error);
int metrics_ctl_print_stream (MetricsCtl *ctl, const char *pattern, gint64 from, gint64 to);
int metrics_ctl_print_counted (MetricsCtl *ctl, const char *pattern, gint64 from, gint64 to, guint64 *n_rows);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlTable, metrics_ctl_table_free)

G_END_DECLS
