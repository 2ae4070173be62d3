/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Stands before a word that the dictionary does not have; no word of it begins so. */
#define DICTIONARY_UNKNOWN '?'

GHashTable *dictionary_load (const char *path, GError **error);
const char *dictionary_look_up (GHashTable *words, const char *cipher);
GPtrArray *dictionary_split (const char *line);

G_END_DECLS
