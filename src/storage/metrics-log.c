/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-log.h"

#include <zlib.h>

/* Changes as bytes; README.md of this room describes them.
 *
 * What the recorded data looks like decides the form: a client puts a point of each of its series, in the
 * order in which they began, at one time. Such a point costs a byte and its value; zlib then finds what the
 * values and the rows have in common. */

#define HAS_ID (1 << 2)
#define HAS_TIME (1 << 3)
#define VALUE_SHIFT 4

/* More than a batch can have that is closed at a mebibyte: what says so is damaged. */
#define MAX_UNPACKED (1 << 26)

/* Head, series, two times or a time and a value. */
#define MAX_CHANGE (1 + 3 * METRICS_BYTES_MAX_VARINT + sizeof (guint64))

/**
 * metrics_log_batch_new:
 *
 * Returns: (transfer full): a batch without changes
 */
MetricsLogBatch *
metrics_log_batch_new (void)
{
  MetricsLogBatch *self = g_new0 (MetricsLogBatch, 1);

  self->bytes = g_byte_array_new ();
  return self;
}

/**
 * metrics_log_batch_free:
 * @self: (transfer full): a batch
 *
 * Frees it.
 */
void
metrics_log_batch_free (MetricsLogBatch *self)
{
  g_byte_array_unref (self->bytes);
  g_free (self);
}

/* Begins a change. Returns: where it goes on. */
static guint8 *
put_head (MetricsLogBatch *self, guint8 *data, guint head, guint64 id)
{
  guint64 difference = id - (self->id + 1);

  self->id = id;
  *data++ = difference != 0 ? head | HAS_ID : head;
  return difference != 0 ? metrics_bytes_put_varint (data, metrics_bytes_zigzag (difference)) : data;
}

/**
 * metrics_log_batch_begin:
 * @self: a batch
 * @id: the number of a new series
 * @key: (array length=key_len): its key
 * @key_len: its length in bytes
 *
 * Adds the beginning of a series.
 */
void
metrics_log_batch_begin (MetricsLogBatch *self, guint64 id, const char *key, gsize key_len)
{
  guint8 data[MAX_CHANGE];
  guint8 *end = metrics_bytes_put_varint (put_head (self, data, METRICS_LOG_BEGIN, id), key_len);

  g_byte_array_append (self->bytes, data, end - data);
  g_byte_array_append (self->bytes, (const guint8 *) key, key_len);
}

/**
 * metrics_log_batch_put:
 * @self: a batch
 * @id: the number of a series
 * @point: a point of it
 *
 * Adds a put.
 */
void
metrics_log_batch_put (MetricsLogBatch *self, guint64 id, MetricsPoint point)
{
  guint8 data[MAX_CHANGE];
  guint64 difference = (guint64) point.time - (guint64) self->time;
  guint64 value;
  guint n = 0;
  guint8 *end;

  memcpy (&value, &point.value, sizeof value);
  for (guint64 rest = value; rest != 0; rest <<= 8)
    n++;
  end = put_head (self, data, METRICS_LOG_PUT | (difference != 0 ? HAS_TIME : 0) | n << VALUE_SHIFT, id);
  if (difference != 0)
    end = metrics_bytes_put_varint (end, metrics_bytes_zigzag (difference));
  for (; n > 0; n--, value <<= 8)
    *end++ = value >> 56;
  self->time = point.time;
  g_byte_array_append (self->bytes, data, end - data);
}

/**
 * metrics_log_batch_remove:
 * @self: a batch
 * @id: the number of a series
 * @from: the first time
 * @to: the last time, not before @from
 *
 * Adds a removal.
 */
void
metrics_log_batch_remove (MetricsLogBatch *self, guint64 id, gint64 from, gint64 to)
{
  guint8 data[MAX_CHANGE];
  guint8 *end = put_head (self, data, METRICS_LOG_REMOVE, id);

  end = metrics_bytes_put_varint (end, metrics_bytes_zigzag ((guint64) from - (guint64) self->time));
  end = metrics_bytes_put_varint (end, (guint64) to - (guint64) from);
  g_byte_array_append (self->bytes, data, end - data);
}

/**
 * metrics_log_reader_init:
 * @self: a reader
 * @data: (array length=size): the changes of a batch; they have to stay
 * @size: how many bytes that is
 *
 * Begins to read.
 */
void
metrics_log_reader_init (MetricsLogReader *self, const guint8 *data, gsize size)
{
  *self = (MetricsLogReader){ .bytes = { data, size } };
}

static gboolean
take_put (MetricsLogReader *self, guint head, MetricsLogChange *change)
{
  guint n = head >> VALUE_SHIFT;
  guint64 difference;
  guint64 value = 0;
  const guint8 *data;

  if (head & HAS_TIME)
    {
      if (!metrics_bytes_take_varint (&self->bytes, &difference))
        return FALSE;
      self->time = (guint64) self->time + metrics_bytes_unzigzag (difference);
    }
  data = n <= sizeof value ? metrics_bytes_take (&self->bytes, n) : NULL;
  if (data == NULL)
    return FALSE;
  for (guint i = 0; i < n; i++)
    value |= (guint64) data[i] << (56 - 8 * i);
  change->point.time = self->time;
  memcpy (&change->point.value, &value, sizeof value);
  return TRUE;
}

static gboolean
take_begin (MetricsLogReader *self, MetricsLogChange *change)
{
  guint64 length;

  if (!metrics_bytes_take_varint (&self->bytes, &length) || length > self->bytes.size)
    return FALSE;
  change->key = (const char *) metrics_bytes_take (&self->bytes, length);
  change->key_len = length;
  return TRUE;
}

static gboolean
take_remove (MetricsLogReader *self, MetricsLogChange *change)
{
  guint64 from;
  guint64 length;

  if (!metrics_bytes_take_varint (&self->bytes, &from) || !metrics_bytes_take_varint (&self->bytes, &length))
    return FALSE;
  change->from = (guint64) self->time + metrics_bytes_unzigzag (from);
  change->to = (guint64) change->from + length;
  return change->from <= change->to;
}

static gboolean
take_change (MetricsLogReader *self, MetricsLogChange *change)
{
  guint head = *metrics_bytes_take (&self->bytes, 1);
  guint64 difference = 0;

  if ((head & HAS_ID) && !metrics_bytes_take_varint (&self->bytes, &difference))
    return FALSE;
  self->id += 1 + metrics_bytes_unzigzag (difference);
  *change = (MetricsLogChange){ .kind = head & 3, .id = self->id };
  switch (change->kind)
    {
    case METRICS_LOG_PUT:
      return take_put (self, head, change);
    case METRICS_LOG_BEGIN:
      return take_begin (self, change);
    case METRICS_LOG_REMOVE:
      return take_remove (self, change);
    default:
      return FALSE;
    }
}

/**
 * metrics_log_reader_next:
 * @self: a reader
 * @change: (out caller-allocates): the next change
 *
 * Returns: whether there was one; where not, @damaged says whether that is the end
 */
gboolean
metrics_log_reader_next (MetricsLogReader *self, MetricsLogChange *change)
{
  if (self->damaged || self->bytes.size == 0)
    return FALSE;
  self->damaged = !take_change (self, change);
  return !self->damaged;
}

/**
 * metrics_log_checksum:
 * @data: (array length=size): bytes
 * @size: how many
 *
 * Returns: what stands beside them in the database
 */
guint32
metrics_log_checksum (const void *data, gsize size)
{
  return crc32_z (0, data, size);
}

/**
 * metrics_log_pack:
 * @data: (array length=size): the changes of a batch
 * @size: how many bytes that is
 *
 * Returns: (transfer full): them as a row has them: how many bytes, then those compressed
 */
GBytes *
metrics_log_pack (const guint8 *data, gsize size)
{
  uLongf packed_size = compressBound (size);
  guint8 *packed = g_malloc (METRICS_BYTES_MAX_VARINT + packed_size);
  guint8 *start = metrics_bytes_put_varint (packed, size);

  /* It has room and good arguments; it can only be short of memory, where GLib aborts as well. */
  if (compress2 (start, &packed_size, data, size, Z_DEFAULT_COMPRESSION) != Z_OK)
    g_error ("zlib: out of memory");
  return g_bytes_new_take (packed, start - packed + packed_size);
}

/**
 * metrics_log_unpack:
 * @data: (array length=size): what metrics_log_pack() made
 * @size: how many bytes that is
 *
 * Returns: (transfer full) (nullable): the changes, or %NULL where the bytes are damaged
 */
GBytes *
metrics_log_unpack (const guint8 *data, gsize size)
{
  MetricsBytes bytes = { data, size };
  g_autofree guint8 *unpacked = NULL;
  guint64 wanted;
  uLongf unpacked_size;

  if (!metrics_bytes_take_varint (&bytes, &wanted) || wanted > MAX_UNPACKED)
    return NULL;
  unpacked_size = wanted;
  unpacked = g_malloc (MAX (wanted, 1));
  if (uncompress (unpacked, &unpacked_size, bytes.data, bytes.size) != Z_OK || unpacked_size != wanted)
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&unpacked), unpacked_size);
}
