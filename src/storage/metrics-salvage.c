/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-salvage.h"

/* Finds the rows of a database that SQLite may not be able to read.
 *
 * No tree is followed: a page says itself whether it is a leaf of a table, and a row by its columns of which
 * one, so all that a damaged root, pointer or header takes away is the order. What stands in free pages was
 * deleted, and is taken for doubtful.
 *
 * A page of rows is as it was written when its records, its free blocks and its fragments fill it and do not
 * overlap (what SQLite's integrity_check looks at). Where that does not hold, or where a page is of no kind,
 * a record may begin anywhere in it: each place is tried, and what has the right checksum is one. */

enum
{
  PAGE_INDEX_INNER = 2,
  PAGE_TABLE_INNER = 5,
  PAGE_INDEX_LEAF = 10,
  PAGE_TABLE_LEAF = 13,
};

/* Where things stand in the header of the first page, which has 100 bytes. */
#define FIRST_HEADER 100
#define FREE_TRUNK 32
#define AUTO_VACUUM 52

/* SQLite never uses the page with this byte. */
#define LOCK_BYTE 0x40000000u

/* What is known of a page. */
enum
{
  ROLE_UNKNOWN,
  ROLE_GOOD,
  ROLE_FREE,
  ROLE_CHAIN, /* a record goes on in it */
};

typedef struct
{
  MetricsSalvage *out; /* (unowned) */
  guint size;          /* of a page */
  guint n;             /* how many pages there are, with strays */
  guint8 *roles;       /* (owned): by number */
  guint8 *referenced;  /* (owned): by number: whether a page of a tree leads to it */
  guint number;        /* of the page that is looked at */
  guint8 *page;        /* (owned): its bytes */
  guint8 *covered;     /* (owned): which of its bytes belong to something */
  GByteArray *buffer;  /* (owned): the record that is looked at */
} Scan;

static void
add_key (GHashTable *keys, const MetricsCell *cell)
{
  gint64 *id = g_memdup2 (&cell->id, sizeof cell->id);

  if (g_hash_table_contains (keys, id))
    g_free (id);
  else
    g_hash_table_insert (keys, id, g_bytes_new (cell->data, cell->size));
}

static void
add_row (Scan *self, GArray *rows, const MetricsCell *cell)
{
  MetricsSalvaged row = {
    .kind = cell->kind,
    .id = cell->id,
    .series = cell->series,
    .span = cell->span,
    .page = self->number,
    .offset = cell->start,
    .doubtful
    = self->roles[self->number] == ROLE_FREE || self->number > metrics_pages_get_n (self->out->pages),
  };

  /* Its points say better than its columns what it holds: they have a checksum. */
  if (cell->kind == METRICS_CELL_CHUNK && rows == self->out->chunks)
    metrics_whole_chunk (cell->data, cell->size, &row.span);
  g_array_append_val (rows, row);
}

static void
on_chain (guint number, gpointer user_data)
{
  Scan *self = user_data;

  if (number <= self->n && self->roles[number] == ROLE_UNKNOWN)
    self->roles[number] = ROLE_CHAIN;
}

/* Notes that bytes belong to something. Returns: whether they did not before. */
static gboolean
cover (Scan *self, guint start, guint end)
{
  gboolean good = start < end && end <= self->size;

  for (guint i = start; i < MIN (end, self->size); i++)
    {
      good = good && !self->covered[i];
      self->covered[i] = TRUE;
    }
  return good;
}

static void
take_row (Scan *self, const MetricsCell *cell)
{
  gboolean whole = metrics_cell_is_whole (cell);

  switch (cell->kind)
    {
    case METRICS_CELL_SERIES:
      if (whole && (self->roles[self->number] != ROLE_FREE || self->referenced[self->number]))
        add_key (self->out->keys, cell);
      break;
    case METRICS_CELL_CHUNK:
      add_row (self, whole ? self->out->chunks : self->out->broken, cell);
      break;
    case METRICS_CELL_LOG:
      add_row (self, whole ? self->out->logs : self->out->broken, cell);
      break;
    case METRICS_CELL_KEY:
      if (whole)
        add_key (self->out->index_keys, cell);
      break;
    case METRICS_CELL_SPAN:
      if (whole)
        add_row (self, self->out->spans, cell);
      break;
    case METRICS_CELL_ROOT:
    case METRICS_CELL_OTHER:
    default:
      break;
    }
}

/* The blocks and the fragments between the records. Returns: whether all bytes are accounted for. */
static gboolean
check_rest (Scan *self, const guint8 *header, guint content)
{
  guint block = metrics_pages_get_16 (header + 1);
  guint n_free = 0;

  while (block != 0)
    {
      guint size = block + 4 <= self->size ? metrics_pages_get_16 (self->page + block + 2) : 0;

      if (block < content || size < 4 || !cover (self, block, block + size))
        return FALSE;
      block = metrics_pages_get_16 (self->page + block);
    }
  for (guint i = content; i < self->size; i++)
    n_free += !self->covered[i];
  return n_free == header[7];
}

typedef void (*CellFunc) (Scan *self, const MetricsCell *cell);

/* Goes through the records that a page says it has. Returns: whether they are all, and nothing is odd. */
static gboolean
each_cell (Scan *self, MetricsCellPlace place, CellFunc func)
{
  guint start = self->number == 1 ? FIRST_HEADER : 0;
  const guint8 *header = self->page + start;
  guint pointers = start + (place == METRICS_CELL_OF_INDEX_INNER ? 12 : 8);
  guint n = metrics_pages_get_16 (header + 3);
  guint content = metrics_pages_get_16 (header + 5);
  gboolean good = TRUE;

  if (content == 0)
    content = METRICS_PAGES_MAX_SIZE;
  memset (self->covered, 0, self->size);
  for (guint i = 0; i < n && pointers + 2 * i + 2 <= self->size; i++)
    {
      guint offset = metrics_pages_get_16 (self->page + pointers + 2 * i);
      MetricsCell cell;

      if (offset < pointers
          || !metrics_cell_read (&cell, self->out->pages, self->page, offset, place, self->buffer, on_chain,
                                 self))
        {
          good = FALSE;
          continue;
        }
      good = cover (self, cell.start, cell.end) && offset >= content && good;
      if (func != NULL)
        func (self, &cell);
    }
  return good && pointers + 2 * n <= content && content <= self->size && check_rest (self, header, content);
}

/* Tries every place of a page that is not what it should be. Returns: whether there was something. */
static gboolean
carve (Scan *self)
{
  gboolean found = FALSE;

  for (guint offset = 0; offset + 4 < self->size; offset++)
    {
      MetricsCell cell;

      if (!self->covered[offset]
          && metrics_cell_read (&cell, self->out->pages, self->page, offset, METRICS_CELL_OF_TABLE,
                                self->buffer, NULL, NULL)
          && (cell.kind == METRICS_CELL_CHUNK || cell.kind == METRICS_CELL_LOG)
          && metrics_cell_is_whole (&cell))
        {
          metrics_cell_read (&cell, self->out->pages, self->page, offset, METRICS_CELL_OF_TABLE, self->buffer,
                             on_chain, self);
          take_row (self, &cell);
          found = TRUE;
          offset = MAX (cell.end, offset + 1) - 1;
        }
    }
  return found;
}

typedef void (*ChildFunc) (Scan *self, guint child);

/* Goes through the pages that a page leads to. Returns: whether there are such pages. */
static gboolean
each_child (Scan *self, ChildFunc func)
{
  guint start = self->number == 1 ? FIRST_HEADER : 0;
  guint n = metrics_pages_get_16 (self->page + start + 3);

  for (guint i = 0; i <= n; i++)
    {
      guint offset
          = i < n ? metrics_pages_get_16 (self->page + MIN (start + 12 + 2 * i, self->size - 2)) : start + 8;
      guint32 child = offset + 5 <= self->size ? metrics_pages_get_32 (self->page + offset) : 0;

      if (child < 2 || child > metrics_pages_get_n (self->out->pages))
        return FALSE;
      if (func != NULL)
        func (self, child);
    }
  return TRUE;
}

static void
refer_to (Scan *self, guint child)
{
  self->referenced[child] = TRUE;
}

static void
refer_to_root (Scan *self, const MetricsCell *cell)
{
  if (cell->kind == METRICS_CELL_ROOT && cell->series > 1
      && cell->series <= metrics_pages_get_n (self->out->pages))
    self->referenced[cell->series] = TRUE;
}

/* Only looks, at a page whose kind is not known. */
static gboolean
is_leaf (Scan *self)
{
  return metrics_pages_get_16 (self->page + (self->number == 1 ? FIRST_HEADER : 0) + 3) > 0
         && each_cell (self, METRICS_CELL_OF_TABLE, NULL);
}

static gboolean
is_index (Scan *self)
{
  return self->page[0] == PAGE_INDEX_LEAF || self->page[0] == PAGE_INDEX_INNER;
}

/* Returns: whether the page is what it says that it is */
static gboolean
scan_page (Scan *self)
{
  switch (self->page[self->number == 1 ? FIRST_HEADER : 0])
    {
    case PAGE_TABLE_LEAF:
      return each_cell (self, METRICS_CELL_OF_TABLE, take_row);
    case PAGE_INDEX_LEAF:
      /* What a damaged index says is not heard: it would be missed. */
      return each_cell (self, METRICS_CELL_OF_INDEX, NULL)
             && each_cell (self, METRICS_CELL_OF_INDEX, take_row);
    case PAGE_INDEX_INNER:
      return each_cell (self, METRICS_CELL_OF_INDEX_INNER, NULL)
             && each_cell (self, METRICS_CELL_OF_INDEX_INNER, take_row);
    case PAGE_TABLE_INNER:
      memset (self->covered, 0, self->size);
      return each_child (self, NULL);
    default:
      return FALSE;
    }
}

static gboolean
load (Scan *self, guint number)
{
  self->number = number;
  memset (self->covered, 0, self->size);
  if (metrics_pages_read (self->out->pages, number, self->page))
    return TRUE;
  memset (self->page, 0, self->size);
  return FALSE;
}

/* Pages of this kind say which others are free. */
static void
find_free (Scan *self)
{
  guint32 trunk = load (self, 1) ? metrics_pages_get_32 (self->page + FREE_TRUNK) : 0;

  while (trunk > 1 && trunk <= self->n && self->roles[trunk] == ROLE_UNKNOWN && load (self, trunk))
    {
      guint32 n = MIN (metrics_pages_get_32 (self->page + 4), self->size / 4 - 2);

      self->roles[trunk] = ROLE_FREE;
      for (guint32 i = 0; i < n; i++)
        {
          guint32 number = metrics_pages_get_32 (self->page + 8 + 4 * i);

          if (number > 1 && number <= self->n)
            self->roles[number] = ROLE_FREE;
        }
      trunk = metrics_pages_get_32 (self->page);
    }
}

/* A page that is used cannot be free as well: which of both is wrong the rows may tell. */
static void
find_referenced (Scan *self)
{
  for (guint number = 1; number <= metrics_pages_get_n (self->out->pages); number++)
    {
      if (self->roles[number] == ROLE_FREE || !load (self, number))
        continue;
      if (number == 1 && self->page[FIRST_HEADER] == PAGE_TABLE_LEAF)
        each_cell (self, METRICS_CELL_OF_TABLE, refer_to_root);
      else if (self->page[number == 1 ? FIRST_HEADER : 0] == PAGE_TABLE_INNER && each_child (self, NULL))
        each_child (self, refer_to);
    }
  for (guint number = 1; number <= self->n; number++)
    if (self->roles[number] == ROLE_FREE && self->referenced[number])
      g_array_append_val (self->out->contested, number);
}

/* Pages with nothing but where others belong; and the one that is never used. */
static gboolean
has_no_rows (Scan *self, guint number, gboolean has_map)
{
  guint n_entries = self->size / 5 + 1;
  guint lock_page = LOCK_BYTE / self->size + 1;

  if (number == lock_page)
    return TRUE;
  if (!has_map || number < 2)
    return FALSE;
  /* Where the map would be on the page that is never used, it is on the next one. */
  return (number - 2) % n_entries == 0 || (number == lock_page + 1 && (lock_page - 2) % n_entries == 0);
}

static void
scan_known (Scan *self, const MetricsWatch *watch, gboolean has_map)
{
  for (guint number = 1; number <= self->n && !self->out->interrupted; number++)
    {
      guint role = self->roles[number];

      self->out->interrupted = !watch->progress (number, self->n, watch->user_data);
      if (has_no_rows (self, number, has_map))
        self->roles[number] = ROLE_GOOD;
      else if (load (self, number) && role == ROLE_FREE)
        {
          if (self->page[0] == PAGE_TABLE_LEAF)
            scan_page (self);
        }
      else if (role == ROLE_CHAIN && self->page[0] == 0)
        continue;
      else if (scan_page (self))
        self->roles[number] = ROLE_GOOD;
      else if (self->page[number == 1 ? FIRST_HEADER : 0] == PAGE_TABLE_LEAF)
        {
          /* What it says it has is taken already. */
          carve (self);
          self->roles[number] = ROLE_GOOD;
          g_array_append_val (self->out->damaged, number);
        }
    }
}

/* What is left is no page of a tree, and nothing goes on in it. */
static void
scan_unknown (Scan *self)
{
  for (guint number = 1; number <= self->n && !self->out->interrupted; number++)
    {
      gboolean loaded;

      if (self->roles[number] != ROLE_UNKNOWN)
        continue;
      loaded = load (self, number);
      if (loaded && is_leaf (self))
        {
          each_cell (self, METRICS_CELL_OF_TABLE, take_row);
          continue;
        }
      memset (self->covered, 0, self->size);
      /* Of a page that only leads to others nothing is missed. */
      if (loaded && !carve (self) && (self->page[0] == PAGE_TABLE_INNER || is_index (self)))
        continue;
      g_array_append_val (self->out->damaged, number);
    }
}

static void
scan (MetricsSalvage *out, const MetricsWatch *watch)
{
  Scan self = { .out = out, .size = metrics_pages_get_size (out->pages) };
  gboolean has_map;

  self.n = metrics_pages_get_n (out->pages) + metrics_pages_get_n_strays (out->pages);
  self.roles = g_malloc0 ((gsize) self.n + 1);
  self.referenced = g_malloc0 ((gsize) self.n + 1);
  self.page = g_malloc (self.size);
  self.covered = g_malloc (self.size);
  self.buffer = g_byte_array_new ();
  find_free (&self);
  find_referenced (&self);
  has_map = load (&self, 1) && metrics_pages_get_32 (self.page + AUTO_VACUUM) != 0;
  scan_known (&self, watch, has_map);
  scan_unknown (&self);
  g_byte_array_unref (self.buffer);
  g_free (self.covered);
  g_free (self.page);
  g_free (self.referenced);
  g_free (self.roles);
}

static GHashTable *
keys_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify) g_bytes_unref);
}

/**
 * metrics_salvage_new:
 * @path: (type filename): a database file
 * @page_size: how many bytes a page has
 * @watch: whom to tell how far it is, in pages
 * @error: return location for a #GError
 *
 * Finds all that is whole in a file, and what can be told of what is not. The file is only read.
 *
 * Returns: (transfer full) (nullable): what there is, or %NULL where the file cannot be opened
 */
MetricsSalvage *
metrics_salvage_new (const char *path, guint page_size, const MetricsWatch *watch, GError **error)
{
  MetricsPages *pages = metrics_pages_open (path, page_size, error);
  MetricsSalvage *self;

  if (pages == NULL)
    return NULL;
  self = g_new0 (MetricsSalvage, 1);
  self->pages = pages;
  self->chunks = g_array_new (FALSE, FALSE, sizeof (MetricsSalvaged));
  self->logs = g_array_new (FALSE, FALSE, sizeof (MetricsSalvaged));
  self->broken = g_array_new (FALSE, FALSE, sizeof (MetricsSalvaged));
  self->spans = g_array_new (FALSE, FALSE, sizeof (MetricsSalvaged));
  self->damaged = g_array_new (FALSE, FALSE, sizeof (guint));
  self->contested = g_array_new (FALSE, FALSE, sizeof (guint));
  self->keys = keys_new ();
  self->index_keys = keys_new ();
  scan (self, watch);
  return self;
}

/**
 * metrics_salvage_free:
 * @self: (transfer full) (nullable): what was found
 */
void
metrics_salvage_free (MetricsSalvage *self)
{
  if (self == NULL)
    return;
  metrics_pages_free (self->pages);
  g_array_unref (self->chunks);
  g_array_unref (self->logs);
  g_array_unref (self->broken);
  g_array_unref (self->spans);
  g_array_unref (self->damaged);
  g_array_unref (self->contested);
  g_hash_table_unref (self->keys);
  g_hash_table_unref (self->index_keys);
  g_free (self);
}

/**
 * metrics_salvage_read:
 * @self: what was found
 * @row: one of its rows
 * @buffer: what is read into
 * @cell: (out caller-allocates): the row; it points into @buffer
 *
 * Returns: whether it is there still
 */
gboolean
metrics_salvage_read (MetricsSalvage *self, const MetricsSalvaged *row, GByteArray *buffer, MetricsCell *cell)
{
  guint8 page[METRICS_PAGES_MAX_SIZE];

  return metrics_pages_read (self->pages, row->page, page)
         && metrics_cell_read (cell, self->pages, page, row->offset, METRICS_CELL_OF_TABLE, buffer, NULL,
                               NULL)
         && metrics_cell_is_whole (cell);
}
