/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-axis.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Values that are nearer to one another than this part of them are one value: a double does not have the
 * digits that labels between them would need. */
#define ONE_VALUE 1e-12

/* What is smaller is not told from zero: the steps between would be no normal numbers. */
#define TINY 1e-290

/* The next one, 2e308, is more than a double holds. */
#define GREATEST_STEP 1e308

/* The smallest of 1, 2 and 5 times a power of ten that is at least this. */
static double
round_up (double least)
{
  double power = pow (10, floor (log10 (least)));
  double digit = least / power;

  /* A hair above is what rounding has made of the very number. */
  return (digit <= 1 + 1e-9 ? 1 : digit <= 2 + 1e-9 ? 2 : digit <= 5 + 1e-9 ? 5 : 10) * power;
}

/* Makes room around what is one value. */
static void
open_up (MetricsCtlAxis *self, gboolean keep_low, gboolean keep_high)
{
  double size = MAX (fabs (self->low), fabs (self->high));
  double room;

  if (size < TINY && !keep_low && !keep_high)
    self->low = self->high = size = 0;
  room = size == 0 ? 1 : MAX (size * 0.05, TINY);
  if (!keep_low || keep_high)
    self->low = MAX (self->low - room, -DBL_MAX);
  if (!keep_high || keep_low)
    self->high = MIN (self->high + room, DBL_MAX);
}

/* Chooses how all labels are written, so that each step shows and none has digits to spare. */
static void
choose_format (MetricsCtlAxis *self, double step)
{
  double size = MAX (fabs (self->low), fabs (self->high));
  int magnitude = (int) floor (log10 (MAX (size, TINY)));

  self->exponent = 0;
  if (magnitude >= 4 && magnitude < 18)
    self->exponent = magnitude / 3 * 3;
  else if (magnitude >= 18 || magnitude < -4)
    self->exponent = magnitude;
  self->decimals = CLAMP (self->exponent - (int) floor (log10 (step) + 1e-9), 0, 15);
}

static void
add_ticks (MetricsCtlAxis *self, double step)
{
  double first = ceil (self->low / step - 1e-9);
  double last = floor (self->high / step + 1e-9);

  self->n_ticks = 0;
  for (double nth = first; nth <= last && self->n_ticks < METRICS_CTL_AXIS_MAX_TICKS; nth++)
    self->ticks[self->n_ticks++] = nth * step + 0.0;
}

/**
 * metrics_ctl_axis_fit:
 * @self: (out): an axis
 * @low: the least value that it has to show, finite
 * @high: the greatest, not less
 * @keep_low: whether it has to begin with @low, and not with the tick before
 * @keep_high: whether it has to end with @high, and not with the tick behind
 * @max_ticks: how many ticks there is room for, at least 2
 *
 * Chooses an axis for what there is to show, with ticks at 1, 2 or 5 times a power of ten. Around what is one
 * value it has room on both sides.
 */
void
metrics_ctl_axis_fit (MetricsCtlAxis *self,
                      double low,
                      double high,
                      gboolean keep_low,
                      gboolean keep_high,
                      guint max_ticks)
{
  double half_range, step;

  self->low = low;
  self->high = high;
  max_ticks = CLAMP (max_ticks, 2, METRICS_CTL_AXIS_MAX_TICKS - 2);
  if (high / 2 - low / 2 <= MAX (fabs (low), fabs (high)) * ONE_VALUE / 2 || high - low < TINY)
    open_up (self, keep_low, keep_high);

  /* By halves, for the whole may be more than a double holds. */
  half_range = self->high / 2 - self->low / 2;
  step = round_up (MIN (half_range / (max_ticks - 1) * 2, GREATEST_STEP));
  if (!keep_low && isfinite (floor (self->low / step + 1e-9) * step))
    self->low = MIN (self->low, floor (self->low / step + 1e-9) * step);
  if (!keep_high && isfinite (ceil (self->high / step - 1e-9) * step))
    self->high = MAX (self->high, ceil (self->high / step - 1e-9) * step);
  add_ticks (self, step);
  choose_format (self, step);
}

/**
 * metrics_ctl_axis_get_part:
 * @self: an axis
 * @value: any finite value
 *
 * Returns: where it is: 0 at the lower end, 1 at the upper one, less or more outside; never infinite
 */
double
metrics_ctl_axis_get_part (const MetricsCtlAxis *self, double value)
{
  double part = (value / 2 - self->low / 2) / (self->high / 2 - self->low / 2);

  return CLAMP (part, -1e6, 1e6);
}

/**
 * metrics_ctl_axis_format:
 * @self: an axis
 * @value: one of its ticks
 *
 * Returns: (transfer full): its label: 250, 1.5M, 2e-05
 */
char *
metrics_ctl_axis_format (const MetricsCtlAxis *self, double value)
{
  double scaled = value / pow (10, self->exponent);

  if (value == 0)
    return g_strdup ("0");
  if (self->exponent == 0)
    return g_strdup_printf ("%.*f", self->decimals, value);
  if (self->exponent > 0 && self->exponent < 18)
    return g_strdup_printf ("%.*f%c", self->decimals, scaled, " kMGTP"[self->exponent / 3]);
  return g_strdup_printf ("%.*fe%+03d", self->decimals, scaled, self->exponent);
}

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MONTH_DAYS 30
#define YEAR_MONTHS 12

/* What is in between two ticks: seconds that divide a day, days, or months. */
typedef struct
{
  gint64 seconds;
  int days;
  int months;
  guint width; /* of a label, in cells */
} Interval;

static const Interval intervals[] = {
  { 1, 0, 0, 8 },
  { 2, 0, 0, 8 },
  { 5, 0, 0, 8 },
  { 10, 0, 0, 8 },
  { 15, 0, 0, 8 },
  { 30, 0, 0, 8 },
  { MINUTE, 0, 0, 5 },
  { 2 * MINUTE, 0, 0, 5 },
  { 5 * MINUTE, 0, 0, 5 },
  { 10 * MINUTE, 0, 0, 5 },
  { 15 * MINUTE, 0, 0, 5 },
  { 30 * MINUTE, 0, 0, 5 },
  { HOUR, 0, 0, 5 },
  { 2 * HOUR, 0, 0, 5 },
  { 3 * HOUR, 0, 0, 5 },
  { 6 * HOUR, 0, 0, 5 },
  { 12 * HOUR, 0, 0, 5 },
  { DAY, 1, 0, 5 },
  { 2 * DAY, 2, 0, 5 },
  { 7 * DAY, 7, 0, 5 },
  { MONTH_DAYS * DAY, 0, 1, 7 },
  { 2 * MONTH_DAYS * DAY, 0, 2, 7 },
  { 3 * MONTH_DAYS * DAY, 0, 3, 7 },
  { 6 * MONTH_DAYS * DAY, 0, 6, 7 },
  { 365 * DAY, 0, YEAR_MONTHS, 4 },
  { 2 * 365 * DAY, 0, 2 * YEAR_MONTHS, 4 },
  { 5 * 365 * DAY, 0, 5 * YEAR_MONTHS, 4 },
  { 10 * 365 * DAY, 0, 10 * YEAR_MONTHS, 4 },
  { G_GINT64_CONSTANT (20) * 365 * DAY, 0, 20 * YEAR_MONTHS, 4 },
  { G_GINT64_CONSTANT (50) * 365 * DAY, 0, 50 * YEAR_MONTHS, 4 },
  { G_GINT64_CONSTANT (100) * 365 * DAY, 0, 100 * YEAR_MONTHS, 4 },
  { G_GINT64_CONSTANT (200) * 365 * DAY, 0, 200 * YEAR_MONTHS, 4 },
  { G_GINT64_CONSTANT (500) * 365 * DAY, 0, 500 * YEAR_MONTHS, 4 },
  { G_GINT64_CONSTANT (1000) * 365 * DAY, 0, 1000 * YEAR_MONTHS, 4 },
  { G_GINT64_CONSTANT (2000) * 365 * DAY, 0, 2000 * YEAR_MONTHS, 4 },
};

/* How far apart two times are; it may be more than a gint64 holds. */
static double
get_span (gint64 from, gint64 to)
{
  return (double) ((guint64) to - (guint64) from);
}

static GDateTime *
to_date (gint64 time, GTimeZone *zone)
{
  g_autoptr (GDateTime) universal = g_date_time_new_from_unix_utc (time);

  return universal != NULL ? g_date_time_to_timezone (universal, zone) : NULL;
}

static void
clear_tick (gpointer tick)
{
  g_free (((MetricsCtlTick *) tick)->label);
}

static GArray *
new_ticks (void)
{
  GArray *ticks = g_array_new (FALSE, FALSE, sizeof (MetricsCtlTick));

  g_array_set_clear_func (ticks, clear_tick);
  return ticks;
}

static void
add_tick (GArray *ticks, gint64 time, char *label)
{
  MetricsCtlTick tick = { time, label };

  g_array_append_val (ticks, tick);
}

/* Times of day in steps that divide a day, as the clock on the wall shows them. */
static void
add_clock_ticks (GArray *ticks, const Interval *interval, gint64 from, gint64 to, GTimeZone *zone)
{
  gint64 time = from - from % interval->seconds - interval->seconds;

  while (time <= to)
    {
      g_autoptr (GDateTime) date = to_date (time, zone);
      gint64 local, off;

      if (date == NULL)
        return;
      local = time + g_date_time_get_utc_offset (date) / G_USEC_PER_SEC;
      off = ((local % interval->seconds) + interval->seconds) % interval->seconds;
      if (off == 0 && time >= from)
        {
          gboolean midnight = ((local % DAY) + DAY) % DAY == 0;
          const char *format = midnight ? "%m-%d" : interval->seconds < MINUTE ? "%H:%M:%S" : "%H:%M";

          add_tick (ticks, time, g_date_time_format (date, format));
        }
      /* Where the clocks were changed, to the next time that is even again. */
      time += interval->seconds - off;
    }
}

static GDateTime *
get_first_date (const Interval *interval, GDateTime *date, GTimeZone *zone)
{
  int year = g_date_time_get_year (date), month = g_date_time_get_month (date);
  g_autoptr (GDateTime) midnight = NULL;

  if (interval->months > 0)
    {
      int months = year * YEAR_MONTHS + month - 1;

      months -= months % interval->months;
      /* There is no year 0. */
      months = MAX (months, YEAR_MONTHS);
      return g_date_time_new (zone, months / YEAR_MONTHS, months % YEAR_MONTHS + 1, 1, 0, 0, 0);
    }
  midnight = g_date_time_new (zone, year, month, g_date_time_get_day_of_month (date), 0, 0, 0);
  if (interval->days == 7)
    return g_date_time_add_days (midnight, 1 - g_date_time_get_day_of_week (midnight));
  return g_steal_pointer (&midnight);
}

/* Days, weeks that begin on Mondays, months and years, as the calendar has them. */
static void
add_calendar_ticks (GArray *ticks, const Interval *interval, gint64 from, gint64 to, GTimeZone *zone)
{
  const char *format = interval->days > 0 ? "%m-%d" : interval->months < YEAR_MONTHS ? "%Y-%m" : "%Y";
  g_autoptr (GDateTime) start = to_date (from, zone);
  g_autoptr (GDateTime) date = get_first_date (interval, start, zone);

  while (date != NULL && g_date_time_to_unix (date) <= to)
    {
      GDateTime *next = interval->days > 0 ? g_date_time_add_days (date, interval->days)
                                           : g_date_time_add_months (date, interval->months);

      if (g_date_time_to_unix (date) >= from)
        add_tick (ticks, g_date_time_to_unix (date), g_date_time_format (date, format));
      g_date_time_unref (date);
      date = next;
    }
}

/* For times that are not seconds, or that no calendar has. */
static void
add_number_ticks (GArray *ticks, gint64 from, gint64 to, guint columns)
{
  g_autofree char *first = g_strdup_printf ("%" G_GINT64_FORMAT, from);
  g_autofree char *last = g_strdup_printf ("%" G_GINT64_FORMAT, to);
  gsize width = MAX (strlen (first), strlen (last)) + 2;
  double step = round_up (MAX (get_span (from, to) * (double) width / MAX (columns, 1), 1));
  gint64 whole_step, time;

  if (step >= (double) G_MAXINT64)
    {
      add_tick (ticks, from, g_steal_pointer (&first));
      return;
    }
  whole_step = (gint64) step;
  time = from - from % whole_step;
  for (;; time += whole_step)
    {
      if (time >= from && time <= to)
        add_tick (ticks, time, g_strdup_printf ("%" G_GINT64_FORMAT, time));
      if (time > G_MAXINT64 - whole_step || time + whole_step > to)
        return;
    }
}

/**
 * metrics_ctl_time_ticks_new:
 * @from: the first time of the axis
 * @to: the last one, not before
 * @zone: whose clocks to show
 * @columns: how many cells the axis is long
 *
 * Chooses ticks of an axis of times so far from one another that there is room for the labels: round times of
 * day, days, Mondays, months or years. Where the times are outside of the years 1 to 9999, and so hardly
 * seconds since 1970, they are numbers.
 *
 * Returns: (transfer full) (element-type MetricsCtlTick): the ticks, ascending
 */
GArray *
metrics_ctl_time_ticks_new (gint64 from, gint64 to, GTimeZone *zone, guint columns)
{
  GArray *ticks = new_ticks ();
  g_autoptr (GDateTime) first = to_date (from, zone);
  g_autoptr (GDateTime) last = to_date (to, zone);
  double span = MAX (get_span (from, to), 1);
  guint i = 0;

  if (first == NULL || last == NULL)
    {
      add_number_ticks (ticks, from, to, columns);
      return ticks;
    }
  while (i + 1 < G_N_ELEMENTS (intervals)
         && (double) intervals[i].seconds * columns < span * (intervals[i].width + 2))
    i++;
  if (intervals[i].days == 0 && intervals[i].months == 0)
    add_clock_ticks (ticks, &intervals[i], from, to, zone);
  else
    add_calendar_ticks (ticks, &intervals[i], from, to, zone);
  return ticks;
}

/**
 * metrics_ctl_time_is_date:
 * @time: a time
 *
 * Returns: whether it is in the years 1 to 9999 where it is in seconds since 1970; else it hardly is
 */
gboolean
metrics_ctl_time_is_date (gint64 time)
{
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (time);

  return date != NULL;
}

/**
 * metrics_ctl_time_format:
 * @time: seconds since the Unix epoch
 * @zone: whose clocks to show
 *
 * Returns: (transfer full): the date and the time of day, or the number where that is hardly a time in
 * seconds
 */
char *
metrics_ctl_time_format (gint64 time, GTimeZone *zone)
{
  g_autoptr (GDateTime) date = to_date (time, zone);

  return date != NULL ? g_date_time_format (date, "%Y-%m-%d %H:%M:%S")
                      : g_strdup_printf ("%" G_GINT64_FORMAT, time);
}

/**
 * metrics_ctl_span_format:
 * @seconds: a span of time, at least 0
 *
 * Returns: (transfer full): the span as command lines take it: 90s, 5m
 */
char *
metrics_ctl_span_format (gint64 seconds)
{
  static const struct
  {
    gint64 seconds;
    char letter;
  } units[] = { { 7 * DAY, 'w' }, { DAY, 'd' }, { HOUR, 'h' }, { MINUTE, 'm' } };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (seconds > 0 && seconds % units[i].seconds == 0)
      return g_strdup_printf ("%" G_GINT64_FORMAT "%c", seconds / units[i].seconds, units[i].letter);
  return g_strdup_printf ("%" G_GINT64_FORMAT "s", seconds);
}

/**
 * metrics_ctl_step_choose:
 * @from: the first time
 * @to: the last one, not before
 * @max_steps: how many steps there may be, at least 1
 *
 * Chooses a step for which there is room: one of those that divide a minute, an hour or a day, or a number of
 * days. They are multiples of those that rollups are kept for.
 *
 * Returns: the step, at least 1
 */
gint64
metrics_ctl_step_choose (gint64 from, gint64 to, guint max_steps)
{
  static const gint64 steps[]
      = { 1,          2,           5,           10,          15,       30,       MINUTE,   2 * MINUTE,
          5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,     2 * HOUR, 3 * HOUR, 6 * HOUR,
          12 * HOUR,  DAY,         2 * DAY,     7 * DAY,     14 * DAY, 28 * DAY };
  double least = get_span (from, to) / max_steps;
  double step;

  if (!metrics_ctl_time_is_date (from) || !metrics_ctl_time_is_date (to))
    {
      step = round_up (MAX (least, 1));
      return step < (double) G_MAXINT64 ? (gint64) step : G_MAXINT64;
    }
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if ((double) steps[i] >= least)
      return steps[i];
  step = round_up (least / DAY) * DAY;
  return step < (double) G_MAXINT64 ? (gint64) step : G_MAXINT64;
}

/**
 * metrics_ctl_step_floor:
 * @time: a time
 * @step: a step, at least 1
 *
 * Returns: the beginning of the step in which the time is; the least time where that would be before it
 */
gint64
metrics_ctl_step_floor (gint64 time, gint64 step)
{
  gint64 off = time % step;

  off += off < 0 ? step : 0;
  return time >= G_MININT64 + off ? time - off : G_MININT64;
}
