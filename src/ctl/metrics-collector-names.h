/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest component that is made of a name from outside, in bytes, a number behind it included. */
#define METRICS_COLLECTOR_COMPONENT_MAX 128

char *metrics_collector_component (const char *name);
char *metrics_collector_mount_component (const char *path);
char *metrics_collector_claim_component (GHashTable *taken, const char *component);

G_END_DECLS
