/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a client may do. */
typedef enum
{
  METRICS_RIGHTS_NONE = 0,
  METRICS_RIGHTS_READ = 1 << 0,
  METRICS_RIGHTS_PUT = 1 << 1,
  METRICS_RIGHTS_DELETE = 1 << 2,
} MetricsRights;

#define METRICS_RIGHTS_ALL (METRICS_RIGHTS_READ | METRICS_RIGHTS_PUT | METRICS_RIGHTS_DELETE)

const char *metrics_rights_get_name (MetricsRights rights);
gboolean metrics_rights_parse (const char *text, MetricsRights *rights);
MetricsRights metrics_rights_of_peer (GSocket *socket);

G_END_DECLS
