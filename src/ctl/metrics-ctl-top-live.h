/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "ctl/metrics-ctl-screen.h"
#include "ctl/metrics-ctl-top.h"

G_BEGIN_DECLS

/* The table on a screen: shared by metrics-ctl-top-live.c, which keeps it as the server has it, and
 * metrics-ctl-top-keys.c, which does what people ask for. */
typedef struct
{
  const MetricsCtlTop *top; /* (unowned) */
  MetricsCtlScreen *screen; /* (owned) (nullable): none while a picture is shown in its place */
  MetricsWatch *watch;      /* (owned) */
  GMainLoop *loop;          /* (owned) */
  MetricsCtlPaint paint;    /* (owned) */
  MetricsCtlTopRows *rows;  /* (owned) */
  gint64 window;
  guint first;         /* the first row that can be seen */
  char *selected;      /* (owned) (nullable): the key of the row that is chosen */
  GString *prompt;     /* (owned) (nullable): the filter that is being typed */
  gboolean help;       /* whether the keys are told in place of the title */
  gboolean wants_plot; /* whether the loop ended for a picture of that row */
  gboolean reload;     /* whether the series are to be read again */
  gboolean unsorted;   /* whether points have come since the rows were sorted */
  gboolean reading;    /* whether an answer is awaited */
  gboolean loaded;     /* whether the series were read at all */
  gint64 asked_at;     /* monotonic time in microseconds, of the last question */
  gint64 all_due_at;   /* monotonic time in microseconds, when all windows may be read again */
  gint64 reloaded_at;  /* of the last one for all series */
  guint read_source;   /* 0 is none */
  guint tick_source;
  char *problem; /* (owned) (nullable): what is wrong with the connection */
  GError *error; /* (owned) (nullable): why it ends */
  guint width;
  guint height;
} MetricsCtlTopLive;

guint metrics_ctl_top_live_get_n_rows (const MetricsCtlTopLive *self);
void metrics_ctl_top_live_arrange (MetricsCtlTopLive *self);
void metrics_ctl_top_live_show (MetricsCtlTopLive *self);

void metrics_ctl_top_live_on_key (guint key, gpointer user_data);

G_END_DECLS
