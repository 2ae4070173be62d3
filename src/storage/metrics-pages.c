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
 * frame before. SQLite reads it up to the first one that is wrong. Here that frame is passed over, and the
 * next one is checked from the checksum that stands in the wrong one. The page in a wrong frame may be of any
 * number, so it takes the place of none; it is a stray, a page behind all others, of which whole rows can be
 * told by checksums of their own. */

#define LOG_HEADER 32
#define FRAME_HEADER 24

/* What stands where in the header of the file. */
#define FIRST_HEADER 100
#define CHANGES 24
#define COUNT 28
#define CHANGES_OF_COUNT 92

/* More than any: what says so is damaged. */
#define MAX_PAGES (1u << 31)

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
  GArray *strays; /* (owned) (element-type guint64): where in the log they are */
};

static gboolean
read_at (int fd, guint64 offset, guint8 *data, gsize size)
{
  gsize done = 0;

  while (done < size)
    {
      ssize_t n = pread (fd, data + done, size - done, offset + done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      done += n;
    }
  return TRUE;
}

typedef struct
{
  gboolean is_big; /* in which order checksums read the bytes */
  guint32 sums[2];
} Checksum;

static guint32
get_word (const Checksum *self, const guint8 *data)
{
  guint32 word = metrics_pages_get_32 (data);

  return self->is_big ? word : GUINT32_SWAP_LE_BE (word);
}

static void
add_to_checksum (Checksum *self, const guint8 *data, gsize size)
{
  for (gsize i = 0; i + 8 <= size; i += 8)
    {
      self->sums[0] += get_word (self, data + i) + self->sums[1];
      self->sums[1] += get_word (self, data + i + 4) + self->sums[0];
    }
}

/* Compares, and goes on from what is written there. */
static gboolean
take_checksum (Checksum *self, const guint8 *data)
{
  guint32 first = metrics_pages_get_32 (data);
  guint32 second = metrics_pages_get_32 (data + 4);
  gboolean good = self->sums[0] == first && self->sums[1] == second;

  self->sums[0] = first;
  self->sums[1] = second;
  return good;
}

/* A transaction counts when the frame at its end is there: until then its frames wait. */
typedef struct
{
  GArray *numbers; /* (element-type guint32); 0 is a stray */
  GArray *offsets; /* (element-type guint64) */
} Transaction;

static void
commit (MetricsPages *self, Transaction *transaction, guint n_pages)
{
  for (guint i = 0; i < transaction->numbers->len; i++)
    {
      guint number = g_array_index (transaction->numbers, guint32, i);
      guint64 *offset = g_memdup2 (&g_array_index (transaction->offsets, guint64, i), sizeof (guint64));

      if (number == 0)
        {
          g_array_append_val (self->strays, *offset);
          g_free (offset);
        }
      else
        {
          self->n = MAX (self->n, number);
          g_hash_table_replace (self->frames, GUINT_TO_POINTER (number), offset);
        }
    }
  g_array_set_size (transaction->numbers, 0);
  g_array_set_size (transaction->offsets, 0);
  if (n_pages > 0)
    self->n_claimed = n_pages;
}

static void
take_frame (MetricsPages *self, Transaction *transaction, const guint8 *frame, guint64 offset, gboolean good)
{
  guint32 number = metrics_pages_get_32 (frame);
  guint32 n_pages = metrics_pages_get_32 (frame + 4);
  guint64 data_offset = offset + FRAME_HEADER;

  good = good && number > 0 && number < MAX_PAGES && n_pages < MAX_PAGES;
  if (!good)
    number = 0;
  g_array_append_val (transaction->numbers, number);
  g_array_append_val (transaction->offsets, data_offset);
  if (n_pages != 0)
    commit (self, transaction, good ? n_pages : 0);
}

/* Frames of earlier times stand behind the end; both of their salts are others. One may be what is damaged.
 */
static gboolean
is_of_log (const guint8 *frame, const guint8 *header, gboolean good)
{
  gboolean first = memcmp (frame + 8, header + 16, 4) == 0;
  gboolean second = memcmp (frame + 12, header + 20, 4) == 0;

  return (first && second) || (good && (first || second));
}

/* What is left when the log ends never happened; but if the frame that ends a transaction may be among those
 * that are wrong, both what they have and what there was before may be what counts. */
static void
settle_rest (MetricsPages *self, Transaction *transaction)
{
  gboolean has_stray = FALSE;

  for (guint i = 0; i < transaction->numbers->len; i++)
    has_stray = has_stray || g_array_index (transaction->numbers, guint32, i) == 0;
  if (!has_stray)
    return;
  memset (transaction->numbers->data, 0, transaction->numbers->len * sizeof (guint32));
  commit (self, transaction, 0);
}

static void
read_log (MetricsPages *self)
{
  guint8 header[LOG_HEADER];
  gsize frame_size = FRAME_HEADER + self->size;
  g_autofree guint8 *frame = g_malloc (frame_size);
  Transaction transaction;
  Checksum checksum = { 0 };

  if (!read_at (self->log_fd, 0, header, sizeof header)
      || !read_at (self->log_fd, sizeof header, frame, frame_size))
    return;
  checksum.is_big = header[3] == 0x83;
  add_to_checksum (&checksum, header, 24);
  /* Where the header is wrong the first frame has the salts as well. */
  if (!take_checksum (&checksum, header + 24))
    memcpy (header + 16, frame + 8, 8);

  transaction.numbers = g_array_new (FALSE, FALSE, sizeof (guint32));
  transaction.offsets = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint64 offset = sizeof header; read_at (self->log_fd, offset, frame, frame_size);
       offset += frame_size)
    {
      gboolean good;

      add_to_checksum (&checksum, frame, 8);
      add_to_checksum (&checksum, frame + FRAME_HEADER, self->size);
      good = take_checksum (&checksum, frame + 16);
      if (is_of_log (frame, header, good))
        take_frame (self, &transaction, frame, offset, good);
    }
  settle_rest (self, &transaction);
  g_array_unref (transaction.numbers);
  g_array_unref (transaction.offsets);
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
  if (self->n_claimed == 0 && read_at (self->fd, 0, header, sizeof header)
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
  self->strays = g_array_new (FALSE, FALSE, sizeof (guint64));
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
  const guint64 *offset = g_hash_table_lookup (self->frames, GUINT_TO_POINTER (number));
  guint64 start = ((guint64) number - 1) * self->size;

  if (number > self->n && number - self->n <= self->strays->len)
    offset = &g_array_index (self->strays, guint64, number - self->n - 1);
  if (offset != NULL)
    return read_at (self->log_fd, *offset, data, self->size);
  if (number == 0 || number > self->n || number > self->n_in_file)
    return FALSE;
  if (read_at (self->fd, start, data, self->size))
    return TRUE;
  if (number < self->n_in_file)
    return FALSE;
  /* The last one, cut short: as much of it as there is. */
  memset (data, 0, self->size);
  for (guint i = 0; i < self->size && read_at (self->fd, start + i, data + i, 1); i++)
    ;
  return TRUE;
}
