/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-check.h"

#include "common/metrics-key.h"
#include "common/metrics-pattern.h"
#include <glib/gi18n-lib.h>
#include <math.h>
#include <metrics-glib/metrics-error.h>
#include <string.h>

/* What is longer than this is not repeated in a message. */
#define MAX_QUOTED 200

/* A key that is none can hold anything, terminal escapes too; the message that tells so cannot. */
static char *
quote (const char *text)
{
  g_autofree char *escaped = NULL;

  /* More than one byte in any case, but languages differ in what is more. */
  if (strlen (text) > MAX_QUOTED)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%zu byte", "%zu bytes", strlen (text)),
                            strlen (text));
  escaped = g_strescape (text, NULL);
  return g_strdup_printf ("'%s'", escaped);
}

/**
 * metrics_check_key:
 * @key: a text
 * @error: return location for a #GError
 *
 * Returns: whether it is a key; else %METRICS_ERROR_INVALID_ARGUMENT
 */
gboolean
metrics_check_key (const char *key, GError **error)
{
  g_autofree char *quoted = NULL;

  if (metrics_key_is_valid (key, strlen (key)))
    return TRUE;

  quoted = quote (key);
  g_set_error (error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT,
               /* Translators: the first is a number of bytes, the second the text in question */
               _ ("not a key (1 to %d bytes of UTF-8 without white space, and not '*'): %s"), METRICS_KEY_MAX,
               quoted);
  return FALSE;
}

/**
 * metrics_check_pattern:
 * @pattern: a text
 * @error: return location for a #GError
 *
 * Returns: whether it is a pattern; else %METRICS_ERROR_INVALID_ARGUMENT
 */
gboolean
metrics_check_pattern (const char *pattern, GError **error)
{
  g_autofree char *quoted = NULL;

  if (metrics_pattern_is_word (pattern, strlen (pattern)))
    return TRUE;

  quoted = quote (pattern);
  g_set_error (error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT,
               /* Translators: the first is a number of bytes, the second the text in question */
               _ ("not a pattern (1 to %d bytes of UTF-8 without white space or a '\\' at its end): %s"),
               METRICS_KEY_MAX, quoted);
  return FALSE;
}

/**
 * metrics_check_value:
 * @value: a number
 * @error: return location for a #GError
 *
 * Returns: whether it is finite; else %METRICS_ERROR_INVALID_ARGUMENT
 */
gboolean
metrics_check_value (double value, GError **error)
{
  if (isfinite (value))
    return TRUE;

  g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_INVALID_ARGUMENT,
                       isnan (value) ? _ ("a value has to be a number") : _ ("a value cannot be infinite"));
  return FALSE;
}
