/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-rights.h"

#include <gio/gio.h>

G_BEGIN_DECLS

void metrics_peer_set_name (GSocket *socket, const char *name);
char *metrics_peer_dup_name (GSocket *socket);
void metrics_peer_log_denied (GSocket *socket, MetricsRights missing);

G_END_DECLS
