/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsProblem:
 * @file: (owned): the file where something is wrong
 * @line: (owned): in which line; empty where it is the file as a whole
 * @reason: (owned): what is wrong, and what is allowed
 * @text: (owned): all of that, for people
 *
 * Something that is wrong with a configuration.
 */
typedef struct
{
  char *file;
  char *line;
  char *reason;
  char *text;
} MetricsProblem;

GPtrArray *metrics_problems_new (void);
void metrics_problems_add (GPtrArray *problems, const char *file, guint line, const char *reason);
gboolean metrics_problems_are_full (const GPtrArray *problems);

/**
 * MetricsConfigEntry:
 * @group: (owned): its group
 * @key: (owned): its key
 * @line: in which line of the file, from 1
 *
 * A line of a file that is a key and a value.
 */
typedef struct
{
  char *group;
  char *key;
  guint line;
} MetricsConfigEntry;

/**
 * MetricsConfigFile:
 * @name: (owned): of the file, as it can be shown
 * @keys: (owned): what it says
 * @groups: (owned) (element-type MetricsConfigEntry): the lines that begin a group; these have no key
 * @entries: (owned) (element-type MetricsConfigEntry): in the order of the file
 *
 * A key file that was read.
 */
typedef struct
{
  char *name;
  GKeyFile *keys;
  GPtrArray *groups;
  GPtrArray *entries;
} MetricsConfigFile;

MetricsConfigFile *metrics_config_file_read (const char *path, gboolean is_optional, GPtrArray *problems);
void metrics_config_file_free (MetricsConfigFile *self);

char *metrics_config_file_get_place (const MetricsConfigFile *self, const MetricsConfigEntry *entry);
void metrics_config_file_refuse (const MetricsConfigFile *self,
                                 const MetricsConfigEntry *entry,
                                 const char *reason,
                                 GPtrArray *problems);

GPtrArray *metrics_config_list_drop_ins (const char *path, GPtrArray *problems);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsConfigFile, metrics_config_file_free)

G_END_DECLS
