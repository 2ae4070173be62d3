/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many a request may have. */
#define METRICS_HTTP_MAX_PARAMETERS 1024

/**
 * MetricsHttpParameter:
 * @name: (owned): its name, decoded, UTF-8
 * @value: (owned): its value, decoded, UTF-8
 */
typedef struct
{
  char *name;
  char *value;
} MetricsHttpParameter;

/**
 * MetricsHttpParameters:
 * @items: (owned): the parameters, in the order of the request
 * @n_items: how many they are
 */
typedef struct
{
  MetricsHttpParameter *items;
  guint n_items;
} MetricsHttpParameters;

const char *metrics_http_parameters_parse (MetricsHttpParameters *self, const char *query, gsize len);
void metrics_http_parameters_clear (MetricsHttpParameters *self);
char *metrics_http_unescape (const char *text, gsize len, gboolean plus_is_space);

G_END_DECLS
