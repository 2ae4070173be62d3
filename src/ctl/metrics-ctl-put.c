/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"
#include "ctl/metrics-ctl-commands.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <string.h>

static const MetricsCtlUsage usage = {
  N_ ("KEY VALUE [TIMESTAMP]"),
  2,
  3,
  N_ ("Puts a point. One of the same key and timestamp is replaced."),
  N_ ("KEY is a word of up to 1024 bytes without blanks, VALUE a decimal number. TIMESTAMP is a\n"
      "number of seconds since 1970 (default: now), 'now', 'now-5m' (also s, h, d, w) or a local\n"
      "date and time: '2026-11-20 14:03:05'.\n"
      "\n"
      "It prints nothing: when it ends with 0, the server has the point.\n"
      "\n"
      "Examples:\n"
      "  metricsctl put room.temperature 21.5\n"
      "  metricsctl put room.temperature -3 now-2h\n"
      "  metricsctl put backup.seconds 418 1503319740\n"
      "\n"
      "For many points 'metricsctl import' is a thousand times faster."),
};

static int
put (MetricsCtl *ctl, const char *key, double value, const char *time)
{
  g_autoptr (GError) error = NULL;
  gboolean done;
  gint64 timestamp;

  if (time == NULL)
    done = metrics_client_put_now (metrics_ctl_get_client (ctl), key, value, NULL, &error);
  else if (strcmp (time, "-") == 0 || !metrics_ctl_parse_time (time, 0, &timestamp))
    return metrics_ctl_usage_error (ctl,
                                    _ ("not a timestamp: '%s'; it is for example now-5m, '2026-11-20 14:03' "
                                       "or 1700000000"),
                                    time);
  else
    done = metrics_client_put (metrics_ctl_get_client (ctl), key, value, timestamp, NULL, &error);
  return done ? METRICS_CTL_DONE : metrics_ctl_fail (ctl, error);
}

int
metrics_ctl_put (MetricsCtl *ctl, int argc, char **argv)
{
  g_auto (GStrv) arguments = NULL;
  double value;
  int status;

  arguments = metrics_ctl_parse (ctl, &usage, NULL, argc, argv, &status);
  if (arguments == NULL)
    return status;

  if (!metrics_ctl_check_key (ctl, arguments[0], &status))
    return status;
  if (!metrics_number_parse_double (arguments[1], strlen (arguments[1]), &value))
    return metrics_ctl_usage_error (ctl,
                                    _ ("not a value: '%s'; it is a decimal number, for example 21.5 or 1e-3"),
                                    arguments[1]);
  return put (ctl, arguments[0], value, arguments[2]);
}
