/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example-report.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * ExampleInfo:
 * @name: in the names of its series, `examples.NAME.requests`
 * @summary: what `--help` says of it, marked with N_()
 * @address: (nullable): where it listens, or where its server is, unless `--address` says otherwise; %NULL:
 * it has none
 * @idle_seconds: after which a silent connection is ended, unless `--idle-timeout` says otherwise; 0: never
 * @is_server: whether it listens, and has limits for its clients
 * @entries: (nullable): options of its own
 * @parameters: (nullable): what stands behind the options, for `--help`; %NULL: nothing may stand there
 *
 * What distinguishes one example from another.
 */
typedef struct
{
  const char *name;
  const char *summary;
  const char *address;
  guint idle_seconds;
  gboolean is_server;
  const GOptionEntry *entries;
  const char *parameters;
} ExampleInfo;

typedef struct Example Example;

Example *example_new (const ExampleInfo *info, int *argc, char ***argv);
void example_free (Example *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Example, example_free)

ExampleReport *example_get_report (Example *self);
const char *example_get_address (Example *self);

gboolean example_listen (Example *self, GSocketListener *listener);
int example_run (Example *self);
void example_quit (Example *self, int status);

gboolean example_open (Example *self, GSocketConnection *connection);
void example_close (Example *self, GSocketConnection *connection);
void example_closed (Example *self);

G_END_DECLS
