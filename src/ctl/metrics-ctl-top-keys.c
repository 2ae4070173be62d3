/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-screen.h"
#include "ctl/metrics-ctl-top-live.h"

#define MIN_WINDOW 20
#define MAX_WINDOW (G_GINT64_CONSTANT (100) * 365 * 24 * 60 * 60)

/* In bytes. */
#define MAX_FILTER 200

static void
select_row (MetricsCtlTopLive *self, gint64 nth)
{
  guint n = self->rows->shown->len;
  const MetricsCtlTopRow *row;

  if (n == 0)
    return;
  row = g_ptr_array_index (self->rows->shown, (guint) CLAMP (nth, 0, (gint64) n - 1));
  g_free (self->selected);
  self->selected = g_strdup (row->key);
  metrics_ctl_top_live_show (self);
}

static void
sort_by (MetricsCtlTopLive *self, int column)
{
  self->rows->sort = (MetricsCtlTopColumn) ((column + METRICS_CTL_TOP_N_COLUMNS) % METRICS_CTL_TOP_N_COLUMNS);
  /* All windows are needed now. */
  self->all_due_at = 0;
  metrics_ctl_top_live_arrange (self);
  metrics_ctl_top_live_show (self);
}

static void
set_window (MetricsCtlTopLive *self, gint64 window)
{
  self->window = CLAMP (window, MIN_WINDOW, MAX_WINDOW);
  for (guint i = 0; i < self->rows->all->len; i++)
    ((MetricsCtlTopRow *) self->rows->all->pdata[i])->changed = TRUE;
  self->all_due_at = 0;
  metrics_ctl_top_live_show (self);
}

static void
set_filter (MetricsCtlTopLive *self, const char *filter)
{
  metrics_ctl_top_rows_set_filter (self->rows, filter);
  self->first = 0;
  metrics_ctl_top_live_show (self);
}

static void
end_prompt (MetricsCtlTopLive *self)
{
  g_string_free (g_steal_pointer (&self->prompt), TRUE);
  metrics_ctl_top_live_show (self);
}

/* While a filter is typed, the rows follow it. */
static void
on_prompt_key (MetricsCtlTopLive *self, guint key)
{
  switch (key)
    {
    case METRICS_CTL_KEY_ENTER:
      end_prompt (self);
      break;
    case METRICS_CTL_KEY_ESCAPE:
      end_prompt (self);
      set_filter (self, "");
      break;
    case METRICS_CTL_KEY_BACKSPACE:
      if (self->prompt->len > 0)
        g_string_truncate (self->prompt,
                           (gsize) (g_utf8_find_prev_char (self->prompt->str,
                                                           self->prompt->str + self->prompt->len)
                                    - self->prompt->str));
      set_filter (self, self->prompt->str);
      break;
    default:
      if (key < METRICS_CTL_KEY_UP && g_unichar_isprint (key) && self->prompt->len < MAX_FILTER)
        g_string_append_unichar (self->prompt, key);
      set_filter (self, self->prompt->str);
      break;
    }
}

static gboolean
on_move_key (MetricsCtlTopLive *self, guint key)
{
  gint64 selected = metrics_ctl_top_rows_get_index (self->rows, self->selected);
  gint64 page = MAX (metrics_ctl_top_live_get_n_rows (self), 1);

  switch (key)
    {
    case METRICS_CTL_KEY_UP:
      select_row (self, selected - 1);
      return TRUE;
    case METRICS_CTL_KEY_DOWN:
      select_row (self, selected + 1);
      return TRUE;
    case METRICS_CTL_KEY_PAGE_UP:
      select_row (self, selected - page);
      return TRUE;
    case METRICS_CTL_KEY_PAGE_DOWN:
      select_row (self, MAX (selected, 0) + page);
      return TRUE;
    case METRICS_CTL_KEY_HOME:
      select_row (self, 0);
      return TRUE;
    case METRICS_CTL_KEY_END:
      select_row (self, G_MAXINT64);
      return TRUE;
    default:
      return FALSE;
    }
}

static void
on_command_key (MetricsCtlTopLive *self, guint key)
{
  switch (key)
    {
    case 'q':
    case 'Q':
      g_main_loop_quit (self->loop);
      break;
    case 's':
    case '>':
      sort_by (self, (int) self->rows->sort + 1);
      break;
    case 'S':
    case '<':
      sort_by (self, (int) self->rows->sort - 1);
      break;
    case 'r':
      self->rows->reverse = !self->rows->reverse;
      metrics_ctl_top_live_arrange (self);
      metrics_ctl_top_live_show (self);
      break;
    case '+':
    case '=':
      set_window (self, self->window / 2);
      break;
    case '-':
      set_window (self, self->window * 2);
      break;
    case '?':
    case 'h':
      self->help = !self->help;
      metrics_ctl_top_live_show (self);
      break;
    case '/':
      self->prompt = g_string_new (self->rows->filter);
      metrics_ctl_top_live_show (self);
      break;
    case METRICS_CTL_KEY_ESCAPE:
      set_filter (self, "");
      break;
    case METRICS_CTL_KEY_ENTER:
      /* A picture that cannot begin would be the end. */
      self->wants_plot = metrics_watch_get_online (self->watch)
                         && metrics_ctl_top_rows_get_index (self->rows, self->selected) >= 0;
      if (self->wants_plot)
        g_main_loop_quit (self->loop);
      break;
    default:
      break;
    }
}

/**
 * metrics_ctl_top_live_on_key:
 * @key: a key, see metrics_ctl_screen_parse_key()
 * @user_data: a table on a screen
 *
 * Does what the key is for.
 */
void
metrics_ctl_top_live_on_key (guint key, gpointer user_data)
{
  MetricsCtlTopLive *self = user_data;

  /* What was typed ahead behind a key that ends it. */
  if (!g_main_loop_is_running (self->loop))
    return;
  if (key == METRICS_CTL_KEY_CLOSED)
    g_main_loop_quit (self->loop);
  else if (self->prompt != NULL && key != METRICS_CTL_KEY_UP && key != METRICS_CTL_KEY_DOWN)
    on_prompt_key (self, key);
  else if (!on_move_key (self, key))
    on_command_key (self, key);
}
