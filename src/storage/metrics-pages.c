/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-pages.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What SQLite would see as the pages of a database (https://www.sqlite.org/fileformat2.html), but without
 * giving up where something is wrong.
 *
 * The write-ahead log has the newer pages, each in a frame with a checksum that goes on from that of the
 * frame before. SQLite reads it up to the first one that is wrong. What is behind that one may be newer than
 * all before it; or older, where a server went on after the damage and its commits took the place of some of
 * the frames. So none of these pages takes the place of another: each is a stray, a page behind all others,
 * of which whole rows can be told by checksums of their own. */

#define FRAME_HEADER 24

/* What stands where in the header of the file. */
#define FIRST_HEADER 100
#define CHANGES 24
#define COUNT 28
#define CHANGES_OF_COUNT 92

/* More than any: what says so is damaged. */
#define MAX_PAGES (1u << 31)

typedef struct
{
  guint64 offset;    /* of the page, in the log */
  guint32 number;    /* of the page; 0 where that is not known */
  guint transaction; /* in which it was written */
} Frame;

struct _MetricsPages
{
  int fd;
  int log_fd; /* -1 where there is none */
  guint size;
  guint n_in_file;
  guint n_claimed; /* how many there should be; 0 where that is not known */
  guint n;         /* how many there are, with those that only the log has */
  GHashTable
      *frames;    /* (owned) (element-type guint guint64): where in the log the newest page of a number is */
  GArray *strays; /* (owned) (element-type Frame): as they stand in the log */
  GHashTable *stray_numbers; /* (owned) (element-type guint): which pages are among them */
  guint last_read;           /* which page was read last */
};

/* A transaction counts when the frame at its end is there: until then its frames wait. */
static void
commit (MetricsPages *self, GArray *waiting, guint n_pages)
{
  for (guint i = 0; i < waiting->len; i++)
    {
      const Frame *frame = &g_array_index (waiting, Frame, i);

      self->n = MAX (self->n, frame->number);
      g_hash_table_replace (self->frames, GUINT_TO_POINTER (frame->number),
                            g_memdup2 (&frame->offset, sizeof frame->offset));
    }
  g_array_set_size (waiting, 0);
  self->n_claimed = n_pages;
}

/* Frames of earlier times stand behind the end; both of their salts are others. One may be what is damaged.
 */
static gboolean
is_of_log (const MetricsWalReader *reader)
{
  return reader->salts_good
         || (reader->good
             && (memcmp (reader->frame + 8, reader->salts, 4) == 0
                 || memcmp (reader->frame + 12, reader->salts + 4, 4) == 0));
}

static void
add_stray (MetricsPages *self, Frame frame)
{
  g_array_append_val (self->strays, frame);
  if (frame.number > 0)
    g_hash_table_add (self->stray_numbers, GUINT_TO_POINTER (frame.number));
}

/* What is left of whole frames when the log ends never happened; but where something is wrong behind them,
 * both what they have and what there was before may be what counts. */
static void
read_log (MetricsPages *self)
{
  g_auto (MetricsWalReader) reader = { 0 };
  g_autoptr (GArray) waiting = g_array_new (FALSE, FALSE, sizeof (Frame));
  gboolean is_whole = metrics_wal_reader_init (&reader, self->log_fd, self->size);
  guint transaction = 0;

  while (reader.frame != NULL && metrics_wal_reader_next (&reader))
    {
      gboolean good
          = reader.good && reader.number > 0 && reader.number < MAX_PAGES && reader.n_pages < MAX_PAGES;
      Frame frame = { reader.offset + FRAME_HEADER, good ? reader.number : 0, transaction };

      if (!is_of_log (&reader))
        continue;
      if (is_whole && !good)
        for (guint i = 0; i < waiting->len; i++)
          add_stray (self, g_array_index (waiting, Frame, i));
      is_whole = is_whole && good;
      if (is_whole)
        g_array_append_val (waiting, frame);
      else
        add_stray (self, frame);
      transaction += reader.n_pages != 0;
      if (is_whole && reader.n_pages != 0)
        commit (self, waiting, reader.n_pages);
    }
}

/* How many pages there are and should be. What is behind the end by what the log says is of before; the
 * header of the file counts where no old version of SQLite has written it. */
static void
count (MetricsPages *self)
{
  guint8 header[FIRST_HEADER];

  self->n = MAX (self->n, self->n_in_file);
  if (self->n_claimed > 0 && self->n_claimed < self->n && self->strays->len == 0)
    self->n = self->n_claimed;
  if (self->n_claimed == 0 && metrics_wal_read_at (self->fd, 0, header, sizeof header)
      && metrics_pages_get_32 (header + CHANGES) == metrics_pages_get_32 (header + CHANGES_OF_COUNT))
    self->n_claimed = metrics_pages_get_32 (header + COUNT);
}

static MetricsPages *
fail (const char *path, GError **error)
{
  int code = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "'%s': %s", path, g_strerror (code));
  return NULL;
}

/**
 * metrics_pages_open:
 * @path: (type filename): a database file
 * @page_size: how many bytes a page has, a power of 2
 * @error: return location for a #GError
 *
 * Opens a file and its write-ahead log for reading. Nobody may write them meanwhile.
 *
 * Returns: (transfer full) (nullable): the pages
 */
MetricsPages *
metrics_pages_open (const char *path, guint page_size, GError **error)
{
  g_autoptr (MetricsPages) self = g_new0 (MetricsPages, 1);
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  struct stat status;

  self->size = page_size;
  self->frames = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->strays = g_array_new (FALSE, FALSE, sizeof (Frame));
  self->stray_numbers = g_hash_table_new (NULL, NULL);
  self->fd = -1;
  self->log_fd = open (log_path, O_RDONLY | O_CLOEXEC);
  if (self->log_fd < 0 && errno != ENOENT)
    return fail (log_path, error);
  self->fd = open (path, O_RDONLY | O_CLOEXEC);
  if (self->fd < 0 || fstat (self->fd, &status) < 0)
    return fail (path, error);
  self->n_in_file = MIN (((guint64) status.st_size + page_size - 1) / page_size, MAX_PAGES);
  if (self->log_fd >= 0)
    read_log (self);
  count (self);
  return g_steal_pointer (&self);
}

/**
 * metrics_pages_free:
 * @self: (transfer full): pages
 */
void
metrics_pages_free (MetricsPages *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->log_fd >= 0)
    close (self->log_fd);
  g_hash_table_unref (self->frames);
  g_array_unref (self->strays);
  g_hash_table_unref (self->stray_numbers);
  g_free (self);
}

/**
 * metrics_pages_get_size:
 * @self: pages
 *
 * Returns: how many bytes each has
 */
guint
metrics_pages_get_size (MetricsPages *self)
{
  return self->size;
}

/**
 * metrics_pages_get_n:
 * @self: pages
 *
 * Returns: how many there are; they are numbered from 1
 */
guint
metrics_pages_get_n (MetricsPages *self)
{
  return self->n;
}

/**
 * metrics_pages_get_n_missing:
 * @self: pages
 *
 * Returns: how many should be there, behind the others, and are not
 */
guint
metrics_pages_get_n_missing (MetricsPages *self)
{
  return self->n_claimed > self->n ? self->n_claimed - self->n : 0;
}

/**
 * metrics_pages_get_n_strays:
 * @self: pages
 *
 * Returns: how many more there are, with the next numbers, of which it is not known where they belong
 */
guint
metrics_pages_get_n_strays (MetricsPages *self)
{
  return self->strays->len;
}

static gboolean
read_page (MetricsPages *self, guint number, guint8 *data)
{
  const guint64 *offset = g_hash_table_lookup (self->frames, GUINT_TO_POINTER (number));
  guint64 start = ((guint64) number - 1) * self->size;

  if (number > self->n && number - self->n <= self->strays->len)
    offset = &g_array_index (self->strays, Frame, number - self->n - 1).offset;
  if (offset != NULL)
    return metrics_wal_read_at (self->log_fd, *offset, data, self->size);
  if (number == 0 || number > self->n || number > self->n_in_file)
    return FALSE;
  if (metrics_wal_read_at (self->fd, start, data, self->size))
    return TRUE;
  if (number < self->n_in_file)
    return FALSE;
  /* The last one, cut short: as much of it as there is. */
  memset (data, 0, self->size);
  for (guint i = 0; i < self->size && metrics_wal_read_at (self->fd, start + i, data + i, 1); i++)
    ;
  return TRUE;
}

/**
 * metrics_pages_read:
 * @self: pages
 * @number: any number
 * @data: (out caller-allocates): the page; what the file does not have of it is 0
 *
 * Returns: whether there is such a page, and the disk gives it
 */
gboolean
metrics_pages_read (MetricsPages *self, guint number, guint8 *data)
{
  self->last_read = number;
  return read_page (self, number, data);
}

/* Returns: the number of the stray that a page was when another stray was written; 0 where it is none */
static guint
find_stray (MetricsPages *self, guint from, guint number)
{
  guint i = from - self->n - 1;
  guint transaction = g_array_index (self->strays, Frame, i).transaction;

  if (!g_hash_table_contains (self->stray_numbers, GUINT_TO_POINTER (number)))
    return 0;
  while (i + 1 < self->strays->len && g_array_index (self->strays, Frame, i + 1).transaction == transaction)
    i++;
  for (guint k = i + 1; k > 0; k--)
    if (g_array_index (self->strays, Frame, k - 1).number == number)
      return self->n + k;
  return 0;
}

/**
 * metrics_pages_read_rest:
 * @self: pages
 * @number: (inout): the number of a page as a row has it; becomes the one under which it was read
 * @data: (out caller-allocates): the page
 *
 * Reads a page in which a row goes on. The row is of the page that metrics_pages_read() has read last: where
 * that one is a stray, so may be the other.
 *
 * Returns: whether there is such a page, and the disk gives it
 */
gboolean
metrics_pages_read_rest (MetricsPages *self, guint *number, guint8 *data)
{
  gboolean is_stray = self->last_read > self->n && self->last_read - self->n <= self->strays->len;
  guint stray = is_stray ? find_stray (self, self->last_read, *number) : 0;

  /* What is behind the others has a number of its own here, which no row has. */
  if (stray == 0 && *number > self->n)
    return FALSE;
  if (stray != 0)
    *number = stray;
  return read_page (self, *number, data);
}
