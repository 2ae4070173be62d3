/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-plot.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* As many as there are colours. */
#define DEFAULT_LIMIT 8

#define MAX_WIDTH 1000
#define MAX_HEIGHT 500

/* What options are that are not given; 0 is wrong for them. */
#define NOT_GIVEN G_MININT

static const MetricsCtlUsage usage = {
  N_ ("PATTERN..."),
  1,
  64,
  N_ ("Draws the keys that match, as lines over time. Without --from, --to and --since these are the\n"
      "points of the last hour or, where there are none, all points."),
  N_ ("In PATTERN '*' stands for any number of characters, '?' for one, and a backslash takes the\n"
      "meaning from the character behind it. TIME is what 'metricsctl range' takes: 'now-2h',\n"
      "'2026-11-20 14:03', ... For FUNCTION see there too.\n"
      "\n"
      "Unless --step says otherwise each dot stands for a step of time, so that no more is asked for\n"
      "than can be seen. The numbers below the picture are those of what is drawn. A line is broken\n"
      "where points are missing.\n"
      "\n"
      "The picture is as large as the terminal; elsewhere it has 80 columns and 24 lines, and no\n"
      "colours. Where there are several series, letters tell them apart.\n"
      "\n"
      "With --follow it goes on with the points as they are put, until q is pressed. Keys: + and -\n"
      "for a shorter and a longer span, arrows for earlier and later, space to pause and go on, r to\n"
      "read all again, ? to be told of them.\n"
      "\n"
      "Examples:\n"
      "  metricsctl plot 'host.*.cpu.user'\n"
      "  metricsctl plot room.temperature --since 1w --function max\n"
      "  metricsctl plot 'host.*.net.*.rx_bytes' --function rate --follow"),
};

/* The options as they are given. */
typedef struct
{
  char *from;
  char *to;
  char *since;
  char *step;
  char *function;
  char *min;
  char *max;
  char *color;
  int width;
  int height;
  int limit;
  gboolean utc;
  gboolean ascii;
  gboolean follow;
} Options;

static gboolean
check_time (MetricsCtl *ctl, const char *text, gint64 open, gint64 *time, gboolean *has, int *status)
{
  *has = text != NULL;
  *time = open;
  return metrics_ctl_check_time (ctl, text, time, status);
}

static gboolean
check_value (MetricsCtl *ctl, const char *text, double *value, const double **given, int *status)
{
  if (text == NULL)
    return TRUE;
  *given = value;
  if (metrics_number_parse_double (text, strlen (text), value))
    return TRUE;
  *status = metrics_ctl_usage_error (ctl, _ ("not a number: '%s'"), text);
  return FALSE;
}

static gboolean
check_size (MetricsCtl *ctl, const char *option, int value, int min, int max, guint *size, int *status)
{
  *size = value == NOT_GIVEN ? 0 : (guint) value;
  if (value == NOT_GIVEN || (value >= min && value <= max))
    return TRUE;
  *status = metrics_ctl_usage_error (ctl, _ ("%s is from %d to %d"), option, min, max);
  return FALSE;
}

static gboolean
fail_usage (MetricsCtl *ctl, const char *text, int *status)
{
  *status = metrics_ctl_usage_error (ctl, "%s", text);
  return FALSE;
}

/* What does not go together. */
static gboolean
check_together (const Options *options, const MetricsCtlPlot *plot, int *status)
{
  MetricsCtl *ctl = plot->ctl;

  if (metrics_ctl_get_form (ctl) == METRICS_CTL_FORM_JSON)
    return fail_usage (ctl, _ ("a picture is no JSON; see 'metricsctl range --json'"), status);
  if (plot->has_from && plot->span > 0)
    return fail_usage (ctl, _ ("--from and --since exclude each other"), status);
  if (plot->min != NULL && plot->max != NULL && *plot->min >= *plot->max)
    return fail_usage (ctl, _ ("--min has to be less than --max"), status);
  if (!options->follow)
    return TRUE;
  if (plot->has_to || plot->width > 0 || plot->height > 0)
    return fail_usage (ctl,
                       _ ("--follow goes on from now, on all of the terminal: without --to, --width and "
                          "--height"),
                       status);
  if (!isatty (STDOUT_FILENO) || metrics_ctl_terminal_is_dumb ()
      || metrics_ctl_get_form (ctl) != METRICS_CTL_FORM_HUMAN)
    return fail_usage (ctl, _ ("--follow needs a terminal that can be drawn on"), status);
  return TRUE;
}

static gboolean
check_options (const Options *options, MetricsCtlPlot *plot, double *min, double *max, int *status)
{
  MetricsCtl *ctl = plot->ctl;

  for (guint i = 0; plot->patterns[i] != NULL; i++)
    if (!metrics_ctl_check_pattern (ctl, plot->patterns[i], status))
      return FALSE;
  return check_time (ctl, options->from, METRICS_TIME_MIN, &plot->from, &plot->has_from, status)
         && check_time (ctl, options->to, METRICS_TIME_MAX, &plot->to, &plot->has_to, status)
         && metrics_ctl_check_length (ctl, options->since, &plot->span, status)
         && metrics_ctl_check_step (ctl, options->step, &plot->step, status)
         && metrics_ctl_check_function (ctl, options->function, &plot->function, status)
         && check_value (ctl, options->min, min, &plot->min, status)
         && check_value (ctl, options->max, max, &plot->max, status)
         && check_size (ctl, "--width", options->width, METRICS_CTL_CHART_MIN_WIDTH, MAX_WIDTH, &plot->width,
                        status)
         && check_size (ctl, "--height", options->height, METRICS_CTL_CHART_MIN_HEIGHT, MAX_HEIGHT,
                        &plot->height, status)
         && check_size (ctl, "--limit", options->limit, 1, METRICS_CTL_CHART_MAX_SERIES, &plot->limit, status)
         && metrics_ctl_check_colors (ctl, options->color, &plot->colors, status)
         && check_together (options, plot, status);
}

static int
run (MetricsCtl *ctl, const Options *options, GStrv patterns)
{
  MetricsCtlPlot plot = { .ctl = ctl, .patterns = patterns };
  g_autoptr (GTimeZone) zone = options->utc ? g_time_zone_new_utc () : g_time_zone_new_local ();
  double min, max;
  int status;

  if (!check_options (options, &plot, &min, &max, &status))
    return status;
  plot.zone = zone;
  plot.limit = plot.limit > 0 ? plot.limit : DEFAULT_LIMIT;
  plot.ascii = options->ascii || !g_get_charset (NULL);
  return options->follow ? metrics_ctl_plot_follow (&plot) : metrics_ctl_plot_still (&plot);
}

static void
clear_options (Options *options)
{
  g_free (options->from);
  g_free (options->to);
  g_free (options->since);
  g_free (options->step);
  g_free (options->function);
  g_free (options->min);
  g_free (options->max);
  g_free (options->color);
}

int
metrics_ctl_plot (MetricsCtl *ctl, int argc, char **argv)
{
  Options options = { .width = NOT_GIVEN, .height = NOT_GIVEN, .limit = NOT_GIVEN };
  const GOptionEntry entries[] = {
    { "from", 0, 0, G_OPTION_ARG_STRING, &options.from, N_ ("The earliest time"), N_ ("TIME") },
    { "to", 0, 0, G_OPTION_ARG_STRING, &options.to, N_ ("The latest time (default: now)"), N_ ("TIME") },
    { "since", 0, 0, G_OPTION_ARG_STRING, &options.since, N_ ("How long the span is: 90s, 5m, 2h, 1d, 1w"),
      N_ ("SPAN") },
    { "step", 's', 0, G_OPTION_ARG_STRING, &options.step,
      N_ ("What a point stands for: seconds, or 1m, 1h, 1d, 1w"), N_ ("STEP") },
    { "function", 'f', 0, G_OPTION_ARG_STRING, &options.function,
      N_ ("What is made of the points of a step (default: avg)"), N_ ("FUNCTION") },
    { "follow", 0, 0, G_OPTION_ARG_NONE, &options.follow, N_ ("Go on with the points as they are put"),
      NULL },
    { "width", 0, 0, G_OPTION_ARG_INT, &options.width, N_ ("Columns of the picture"), N_ ("N") },
    { "height", 0, 0, G_OPTION_ARG_INT, &options.height, N_ ("Lines of the picture"), N_ ("N") },
    { "min", 0, 0, G_OPTION_ARG_STRING, &options.min, N_ ("Where the axis of values begins"), N_ ("VALUE") },
    { "max", 0, 0, G_OPTION_ARG_STRING, &options.max, N_ ("Where it ends"), N_ ("VALUE") },
    { "limit", 'n', 0, G_OPTION_ARG_INT, &options.limit, N_ ("How many series to draw at most (default: 8)"),
      N_ ("N") },
    { "utc", 'u', 0, G_OPTION_ARG_NONE, &options.utc, N_ ("Show universal times, not local ones"), NULL },
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
  clear_options (&options);
  return status;
}
