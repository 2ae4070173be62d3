/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The program metricsd. */
typedef struct
{
  GSubprocess *process; /* (owned) */
  char *address;        /* (owned) */
} RealServer;

RealServer *real_server_start (const char *program, const char *address);
void real_server_stop (RealServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RealServer, real_server_stop)

G_END_DECLS
