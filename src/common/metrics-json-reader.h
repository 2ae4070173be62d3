/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest string, in bytes as they are without escapes, the longest number, in characters, and how deeply
 * arrays and objects may be nested. */
#define METRICS_JSON_MAX_STRING 1024
#define METRICS_JSON_MAX_NUMBER 2048
#define METRICS_JSON_MAX_DEPTH 16

/**
 * MetricsJsonToken:
 * @METRICS_JSON_WRONG: the text is no JSON, or goes beyond a limit: see metrics_json_reader_get_message()
 * @METRICS_JSON_PAUSED: much was read that is nothing: call again when it is your turn
 * @METRICS_JSON_END: the text is complete
 * @METRICS_JSON_BEGIN_OBJECT: `{`
 * @METRICS_JSON_END_OBJECT: `}`
 * @METRICS_JSON_BEGIN_ARRAY: `[`
 * @METRICS_JSON_END_ARRAY: `]`
 * @METRICS_JSON_NAME: the name of a member of an object, in the reader's string
 * @METRICS_JSON_STRING: a string, in the reader's string
 * @METRICS_JSON_NUMBER: a number, in the reader's number
 * @METRICS_JSON_TRUE: `true`
 * @METRICS_JSON_FALSE: `false`
 * @METRICS_JSON_NULL: `null`
 *
 * What comes next in a text.
 */
typedef enum
{
  METRICS_JSON_WRONG,
  METRICS_JSON_PAUSED,
  METRICS_JSON_END,
  METRICS_JSON_BEGIN_OBJECT,
  METRICS_JSON_END_OBJECT,
  METRICS_JSON_BEGIN_ARRAY,
  METRICS_JSON_END_ARRAY,
  METRICS_JSON_NAME,
  METRICS_JSON_STRING,
  METRICS_JSON_NUMBER,
  METRICS_JSON_TRUE,
  METRICS_JSON_FALSE,
  METRICS_JSON_NULL,
} MetricsJsonToken;

/**
 * MetricsJsonReader:
 * @string: of a name or a string: what it says, valid UTF-8; a NUL is at its end alone
 * @string_len: its length in bytes
 * @number: (unowned) (array length=number_len): of a number: as it stands in the text
 * @number_len: its length in bytes
 *
 * Reads a text of JSON (RFC 8259) token by token. All that it knows is in here: a copy made with an
 * assignment goes on from the same place. The other fields are its own.
 */
typedef struct
{
  char string[METRICS_JSON_MAX_STRING + 1];
  gsize string_len;
  const char *number;
  gsize number_len;

  const char *text; /* (unowned) */
  gsize len;
  gsize at;            /* how far it was read */
  guint expected;      /* what may come there, of metrics-json-reader.c */
  guint depth;         /* how many objects and arrays are open */
  guint32 objects;     /* a bit for each of these, the innermost one lowest: whether it is an object */
  const char *message; /* (unowned) (nullable): what is wrong */
} MetricsJsonReader;

void metrics_json_reader_init (MetricsJsonReader *self, const char *text, gsize len);
MetricsJsonToken metrics_json_reader_next (MetricsJsonReader *self);

const char *metrics_json_reader_get_message (const MetricsJsonReader *self);
void metrics_json_reader_get_place (const MetricsJsonReader *self, gsize *line, gsize *column);

G_END_DECLS
