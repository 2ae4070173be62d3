/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-number.h"
#include <string.h>

G_BEGIN_DECLS

/* The longest row with a key of so many bytes. */
#define METRICS_ROW_MAX(key_len) ((key_len) + METRICS_NUMBER_MAX_DOUBLE + METRICS_NUMBER_MAX_INT64 + 3)

/**
 * metrics_row_print:
 * @out: (out caller-allocates): room for METRICS_ROW_MAX() bytes
 * @key: (array length=key_len): a key
 * @key_len: its length in bytes
 * @value: a finite number
 * @timestamp: a time
 *
 * Writes a point as the protocol has it, line feed included: `key value timestamp`. Inline, for answers are
 * made of millions of rows.
 *
 * Returns: how many bytes were written
 */
static inline gsize
metrics_row_print (char *out, const char *key, gsize key_len, double value, gint64 timestamp)
{
  char *at = out;

  memcpy (at, key, key_len);
  at += key_len;
  *at++ = ' ';
  at += metrics_number_print_double (at, value);
  *at++ = ' ';
  at += metrics_number_print_int64 (at, timestamp);
  *at++ = '\n';
  return at - out;
}

G_END_DECLS
