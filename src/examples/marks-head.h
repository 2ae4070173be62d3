/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Bytes of a line with its end; fields; bytes of all lines; of a body. */
#define MARKS_HEAD_MAX_LINE (64 * 1024)
#define MARKS_HEAD_MAX_FIELDS 100
#define MARKS_HEAD_MAX_SIZE (256 * 1024)
#define MARKS_HEAD_MAX_BODY (4 * 1024)

/**
 * MarksFault:
 * @status: the status of the answer
 * @code: what it is, for programs
 * @reason: the same for people: the end of the status line
 *
 * What is wrong with a request, whatever it asks for.
 */
typedef struct
{
  guint status;
  const char *code;
  const char *reason;
} MarksFault;

/**
 * MarksHead:
 * @size: how many bytes it has, when it is whole; before, 0
 * @body_size: how many bytes follow it
 * @first_size: how many bytes of it are the request line
 * @host: (owned) (nullable): the field Host
 * @content_type: (owned) (nullable): the field Content-Type
 * @origin: (owned) (nullable): the field Origin: from whose page a browser asks
 *
 * The head of a request, of which one line is looked at after the other while they come.
 */
typedef struct
{
  gsize size;
  gsize body_size;
  gsize first_size;
  char *host;
  char *content_type;
  char *origin;
  /*< private >*/
  char *target; /* (owned) (nullable) */
  gsize line;   /* where the line begins that is not whole */
  gsize seen;   /* before this there is no end of it */
  guint n_fields;
  gboolean has_length;
  gboolean needs_host; /* HTTP/1.1 */
} MarksHead;

const MarksFault *marks_head_read (MarksHead *self, const char *data, gsize size);
void marks_head_clear (MarksHead *self);

G_END_DECLS
