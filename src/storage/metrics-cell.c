/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-cell.h"

#include "common/metrics-key.h"

/* A record of SQLite (https://www.sqlite.org/fileformat2.html, sections 1.6 and 2.1), from bytes that may be
 * anything. Which table it is of is told by its columns, not by where it stands: so it is found even where
 * the tree around it is gone. */

/* No row has more: a batch of changes is closed long before. */
#define MAX_PAYLOAD (1 << 28)

enum
{
  TYPE_NULL = 0,
  TYPE_DOUBLE = 7,
  TYPE_ZERO = 8,
  TYPE_ONE = 9,
  TYPE_BLOB = 12,
};

typedef struct
{
  guint n;
  guint64 types[METRICS_CELL_MAX_COLUMNS];
  const guint8 *values[METRICS_CELL_MAX_COLUMNS];
} Record;

/* Seven bits a byte, the highest first; of a ninth byte all eight. */
static gboolean
take_varint (MetricsBytes *bytes, guint64 *value)
{
  *value = 0;
  for (guint i = 0; i < 9 && bytes->size > 0; i++)
    {
      guint8 byte = *metrics_bytes_take (bytes, 1);

      if (i == 8)
        {
          *value = *value << 8 | byte;
          return TRUE;
        }
      *value = *value << 7 | (byte & 0x7f);
      if (byte < 0x80)
        return TRUE;
    }
  return FALSE;
}

static gsize
get_size_of_type (guint64 type)
{
  static const guint8 sizes[TYPE_BLOB] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0 };

  return type < TYPE_BLOB ? sizes[type] : (type - TYPE_BLOB) / 2;
}

/* Reads the types of the columns. Returns: whether such a record has that size. */
static gboolean
take_types (MetricsBytes *bytes, guint64 size, Record *record)
{
  MetricsBytes types;
  gsize size_before = bytes->size;
  guint64 header_size;
  guint64 total;

  if (!take_varint (bytes, &header_size) || header_size < size_before - bytes->size || header_size > size)
    return FALSE;
  types.size = header_size - (size_before - bytes->size);
  types.data = metrics_bytes_take (bytes, types.size);
  total = header_size;
  if (types.data == NULL)
    return FALSE;
  for (record->n = 0; types.size > 0; record->n++)
    {
      guint64 *type = &record->types[record->n];

      if (record->n == METRICS_CELL_MAX_COLUMNS || !take_varint (&types, type) || *type > 2ull * MAX_PAYLOAD)
        return FALSE;
      total += get_size_of_type (*type);
    }
  return total == size;
}

static void
take_values (MetricsBytes *bytes, Record *record)
{
  for (guint i = 0; i < record->n; i++)
    record->values[i] = metrics_bytes_take (bytes, get_size_of_type (record->types[i]));
}

static gboolean
is_integer (const Record *record, guint column)
{
  guint64 type = record->types[column];

  return type > TYPE_NULL && type != TYPE_DOUBLE && type <= TYPE_ONE;
}

static gboolean
is_blob (const Record *record, guint column)
{
  return record->types[column] >= TYPE_BLOB && record->types[column] % 2 == 0;
}

static gint64
get_integer (const Record *record, guint column)
{
  guint64 type = record->types[column];
  gsize size = get_size_of_type (type);
  guint64 value = 0;

  if (type == TYPE_ZERO || type == TYPE_ONE)
    return type - TYPE_ZERO;
  if (size > 0 && (record->values[column][0] & 0x80))
    value = G_MAXUINT64;
  for (gsize i = 0; i < size; i++)
    value = value << 8 | record->values[column][i];
  return (gint64) value;
}

/* Whether the columns from one on to before another are integers, or may be and are not set. */
static gboolean
are_integers (const Record *record, guint from, guint to, gboolean may_be_null)
{
  for (guint i = from; i < to; i++)
    if (!is_integer (record, i) && !(may_be_null && record->types[i] == TYPE_NULL))
      return FALSE;
  return TRUE;
}

static MetricsCellKind
get_kind (const Record *record, gboolean is_table)
{
  guint n = record->n;

  if (!is_table)
    {
      if (n >= 2 && is_blob (record, 0) && are_integers (record, 1, n - 1, TRUE)
          && is_integer (record, n - 1))
        return METRICS_CELL_KEY;
      return n >= 3 && are_integers (record, 0, n, FALSE) ? METRICS_CELL_SPAN : METRICS_CELL_OTHER;
    }
  if (n == 5 && record->types[0] > TYPE_BLOB && is_integer (record, 3))
    return METRICS_CELL_ROOT;
  if (n < 2 || record->types[0] != TYPE_NULL)
    return METRICS_CELL_OTHER;
  if (is_blob (record, 1) && are_integers (record, 2, n, TRUE))
    return METRICS_CELL_SERIES;
  if (n == 3 && is_integer (record, 1) && is_blob (record, 2))
    return METRICS_CELL_LOG;
  return n == 7 && are_integers (record, 1, 6, FALSE) && is_blob (record, 6) ? METRICS_CELL_CHUNK
                                                                             : METRICS_CELL_OTHER;
}

static void
set_data (MetricsCell *self, const Record *record, guint column)
{
  self->data = record->values[column];
  self->size = get_size_of_type (record->types[column]);
}

static void
set_values (MetricsCell *self, const Record *record)
{
  switch (self->kind)
    {
    case METRICS_CELL_SERIES:
      set_data (self, record, 1);
      break;
    case METRICS_CELL_CHUNK:
      self->series = get_integer (record, 1);
      self->span.first = get_integer (record, 2);
      self->span.last = get_integer (record, 3);
      self->span.n_points = get_integer (record, 4);
      self->checksum = get_integer (record, 5);
      set_data (self, record, 6);
      break;
    case METRICS_CELL_LOG:
      self->checksum = get_integer (record, 1);
      set_data (self, record, 2);
      break;
    case METRICS_CELL_KEY:
      set_data (self, record, 0);
      self->id = get_integer (record, record->n - 1);
      break;
    case METRICS_CELL_SPAN:
      self->series = get_integer (record, 0);
      self->span.first = get_integer (record, 1);
      self->id = get_integer (record, record->n - 1);
      break;
    case METRICS_CELL_ROOT:
      self->series = get_integer (record, 3);
      break;
    case METRICS_CELL_OTHER:
    default:
      break;
    }
}

/* How many bytes of a payload stand in the page itself. */
static guint64
get_local_size (guint64 size, guint page_size, gboolean is_table)
{
  guint64 most = is_table ? page_size - 35 : (page_size - 12) * 64 / 255 - 23;
  guint64 least = (page_size - 12) * 32 / 255 - 23;
  guint64 local = least + (size - least) % (page_size - 4);

  if (size <= most)
    return size;
  return local <= most ? local : least;
}

/* Appends what stands in other pages, each of which names the next one. */
static gboolean
read_chain (MetricsPages *pages,
            guint number,
            gsize left,
            GByteArray *buffer,
            MetricsCellChainFunc func,
            gpointer user_data)
{
  guint page_size = metrics_pages_get_size (pages);
  guint8 page[METRICS_PAGES_MAX_SIZE];

  while (left > 0)
    {
      gsize n = MIN (left, page_size - 4);

      if (!metrics_pages_read_rest (pages, &number, page))
        return FALSE;
      if (func != NULL)
        func (number, user_data);
      g_byte_array_append (buffer, page + 4, n);
      left -= n;
      number = metrics_pages_get_32 (page);
    }
  return TRUE;
}

/* What is missing is 0: no checksum fits then. */
static void
pad (GByteArray *buffer, gsize size)
{
  gsize n = buffer->len;

  g_byte_array_set_size (buffer, size);
  memset (buffer->data + n, 0, size - n);
}

/**
 * metrics_cell_read:
 * @self: (out caller-allocates): what was read
 * @pages: the pages of the database
 * @page: one of them
 * @offset: where in it a cell may begin
 * @place: what kind of page it is
 * @buffer: what the record is read into; @self points into it
 * @func: (scope call) (nullable): is told each page that the record goes on in
 * @user_data: for @func
 *
 * Reads a record. It need not be whole: see metrics_cell_is_whole().
 *
 * Returns: whether there is one
 */
gboolean
metrics_cell_read (MetricsCell *self,
                   MetricsPages *pages,
                   const guint8 *page,
                   guint offset,
                   MetricsCellPlace place,
                   GByteArray *buffer,
                   MetricsCellChainFunc func,
                   gpointer user_data)
{
  guint page_size = metrics_pages_get_size (pages);
  guint64 n_pages = (guint64) metrics_pages_get_n (pages) + metrics_pages_get_n_strays (pages);
  guint skip = place == METRICS_CELL_OF_INDEX_INNER ? 4 : 0;
  gboolean is_table = place == METRICS_CELL_OF_TABLE;
  MetricsBytes bytes = { page + MIN (offset + skip, page_size), page_size - MIN (offset + skip, page_size) };
  MetricsBytes payload;
  guint64 size;
  guint64 id = 0;
  guint64 local;
  Record record;

  if (!take_varint (&bytes, &size) || size == 0 || size > MAX_PAYLOAD
      || (is_table && !take_varint (&bytes, &id)))
    return FALSE;
  local = get_local_size (size, page_size, is_table);
  if (local + (local < size ? 4 : 0) > bytes.size || size > page_size * n_pages)
    return FALSE;
  *self = (MetricsCell){ .id = (gint64) id, .start = offset };
  self->end = MAX (offset + 4, (guint) (bytes.data - page) + local + (local < size ? 4 : 0));
  payload = (MetricsBytes){ bytes.data, local };
  if (!take_types (&payload, size, &record))
    return FALSE;
  g_byte_array_set_size (buffer, 0);
  g_byte_array_append (buffer, bytes.data, local);
  if (local < size
      && !read_chain (pages, metrics_pages_get_32 (bytes.data + local), size - local, buffer, func,
                      user_data))
    pad (buffer, size);
  payload = (MetricsBytes){ buffer->data, buffer->len };
  take_types (&payload, size, &record);
  take_values (&payload, &record);
  self->kind = get_kind (&record, is_table);
  set_values (self, &record);
  return TRUE;
}

/**
 * metrics_cell_is_whole:
 * @self: a record
 *
 * Returns: whether it is as it was written, as far as that can be told: of a key, that it can be one
 */
gboolean
metrics_cell_is_whole (const MetricsCell *self)
{
  MetricsSpan span;

  switch (self->kind)
    {
    case METRICS_CELL_SERIES:
    case METRICS_CELL_KEY:
      return self->id > 0 && metrics_key_is_storable ((const char *) self->data, self->size);
    case METRICS_CELL_CHUNK:
      return self->checksum == metrics_log_checksum (self->data, self->size)
             && metrics_whole_chunk (self->data, self->size, &span);
    case METRICS_CELL_LOG:
      return self->checksum == metrics_log_checksum (self->data, self->size)
             && metrics_whole_log (self->data, self->size, NULL, NULL);
    case METRICS_CELL_SPAN:
      return self->id > 0;
    case METRICS_CELL_ROOT:
    case METRICS_CELL_OTHER:
    default:
      return FALSE;
    }
}
