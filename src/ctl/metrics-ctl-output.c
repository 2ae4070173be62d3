/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-output.h"

#include "common/metrics-buffer.h"
#include "common/metrics-row.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* How much gathers before it is written: more does not make it faster. */
#define HIGH_WATER (64 * 1024)

struct _MetricsCtlOutput
{
  int fd;               /* not closed here */
  int error_number;     /* the errno of the first write that failed; 0 is none */
  MetricsBuffer buffer; /* (owned): what is not written yet */
};

/**
 * metrics_ctl_output_new:
 * @fd: a file descriptor that blocks; stays the caller's
 *
 * Returns: (transfer full): an empty output
 */
MetricsCtlOutput *
metrics_ctl_output_new (int fd)
{
  MetricsCtlOutput *self = g_new0 (MetricsCtlOutput, 1);

  self->fd = fd;
  return self;
}

/**
 * metrics_ctl_output_free:
 * @self: (transfer full) (nullable): an output; what was not flushed is lost
 */
void
metrics_ctl_output_free (MetricsCtlOutput *self)
{
  if (self == NULL)
    return;
  metrics_buffer_clear (&self->buffer);
  g_free (self);
}

static void
write_all (MetricsCtlOutput *self)
{
  while (self->error_number == 0 && metrics_buffer_length (&self->buffer) > 0)
    {
      gssize n
          = write (self->fd, self->buffer.data + self->buffer.start, metrics_buffer_length (&self->buffer));

      if (n >= 0)
        metrics_buffer_consume (&self->buffer, n);
      else if (errno != EINTR)
        self->error_number = errno;
    }
}

/* Whether there is sense in going on. */
static inline gboolean
write_if_full (MetricsCtlOutput *self)
{
  if (G_UNLIKELY (metrics_buffer_length (&self->buffer) >= HIGH_WATER))
    write_all (self);
  return self->error_number == 0;
}

/**
 * metrics_ctl_output_append:
 * @self: an output
 * @bytes: (array length=n_bytes): what to write
 * @n_bytes: how many bytes
 *
 * Returns: %FALSE where writing has failed, so that nothing more need be produced;
 *   metrics_ctl_output_flush() tells why
 */
gboolean
metrics_ctl_output_append (MetricsCtlOutput *self, const char *bytes, gsize n_bytes)
{
  if (self->error_number != 0)
    return FALSE;
  metrics_buffer_append (&self->buffer, bytes, n_bytes);
  return write_if_full (self);
}

/**
 * metrics_ctl_output_append_row:
 * @self: an output
 * @key: a point's key
 * @value: its value
 * @timestamp: its time
 *
 * Appends a point as the protocol writes it: `key value timestamp`.
 *
 * Returns: see metrics_ctl_output_append()
 */
gboolean
metrics_ctl_output_append_row (MetricsCtlOutput *self, const char *key, double value, gint64 timestamp)
{
  gsize key_len = strlen (key);
  char *row;

  if (self->error_number != 0)
    return FALSE;
  row = metrics_buffer_reserve (&self->buffer, METRICS_ROW_MAX (key_len));
  metrics_buffer_commit (&self->buffer, metrics_row_print (row, key, key_len, value, timestamp));
  return write_if_full (self);
}

/**
 * metrics_ctl_output_printf:
 * @self: an output
 * @format: a format of printf(); what it writes of numbers obeys the locale
 * @...: what it holds
 *
 * Returns: see metrics_ctl_output_append()
 */
gboolean
metrics_ctl_output_printf (MetricsCtlOutput *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return metrics_ctl_output_append (self, text, strlen (text));
}

/**
 * metrics_ctl_output_flush:
 * @self: an output
 * @error: return location for a #GError
 *
 * Writes what has gathered.
 *
 * Returns: %FALSE where this or an earlier write failed, with an error of the domain %G_FILE_ERROR
 */
gboolean
metrics_ctl_output_flush (MetricsCtlOutput *self, GError **error)
{
  write_all (self);
  if (self->error_number == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (self->error_number),
               _ ("cannot write the output: %s"), g_strerror (self->error_number));
  return FALSE;
}
