/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-event.h"

#include <stdio.h>

/* The table of events for a program in another language: a line each, NAME MESSAGE_ID PRIORITY FIELD... */

int
main (void)
{
  for (MetricsEvent event = 0; event < METRICS_N_EVENTS; event++)
    {
      const MetricsEventInfo *info = metrics_event_get_info (event);

      printf ("%s %s %d", info->name, info->message_id, info->priority);
      for (MetricsField field = 0; field < METRICS_N_FIELDS; field++)
        if (info->fields & (1u << field))
          printf (" %s", metrics_field_get_name (field));
      putchar ('\n');
    }
  return 0;
}
