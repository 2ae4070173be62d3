/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-wal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* SQLite's write-ahead log, read without SQLite (https://www.sqlite.org/fileformat2.html).
 *
 * Each frame has a checksum that goes on from that of the frame before. SQLite reads it up to the first one
 * that is wrong, and says nothing: it takes that for the end, where a crash has cut off what was being
 * written. A crash leaves nothing behind that place but frames of earlier times, which have other salts, and
 * those of transactions that never ended. So where a transaction of this time ends behind it, what is wrong
 * is damaged.
 *
 * After a loss of power that may be so without damage: what was written since the last sync reaches the disk
 * in any order, and none of it was told as kept. It is called damage all the same, for nothing tells it
 * apart; that costs no more than a message and a copy of the log. */

#define LOG_HEADER 32
#define FRAME_HEADER 24
#define LOG_MAGIC 0x377f0682u

/* What a server that writes it may do meanwhile takes longer than a look. */
#define LOOKS 5

/**
 * metrics_wal_read_at:
 * @fd: a file
 * @offset: where
 * @data: (out caller-allocates) (array length=size): what is there
 * @size: how many bytes
 *
 * Returns: whether there is so much, and the disk gives it
 */
gboolean
metrics_wal_read_at (int fd, guint64 offset, guint8 *data, gsize size)
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

static guint32
get_word (const MetricsWalReader *self, const guint8 *data)
{
  guint32 word = metrics_pages_get_32 (data);

  return self->is_big ? word : GUINT32_SWAP_LE_BE (word);
}

static void
add_to_checksum (MetricsWalReader *self, const guint8 *data, gsize size)
{
  for (gsize i = 0; i + 8 <= size; i += 8)
    {
      self->sums[0] += get_word (self, data + i) + self->sums[1];
      self->sums[1] += get_word (self, data + i + 4) + self->sums[0];
    }
}

/* Compares, and goes on from what is written there. */
static gboolean
take_checksum (MetricsWalReader *self, const guint8 *data)
{
  guint32 first = metrics_pages_get_32 (data);
  guint32 second = metrics_pages_get_32 (data + 4);
  gboolean good = self->sums[0] == first && self->sums[1] == second;

  self->sums[0] = first;
  self->sums[1] = second;
  return good;
}

/**
 * metrics_wal_reader_init:
 * @self: (out caller-allocates): a reader; metrics_wal_reader_clear() frees what it has, whatever is returned
 * @fd: a write-ahead log
 * @page_size: how many bytes a page has
 *
 * Begins to read. Frames are passed over where they are wrong, and the next one is checked from the checksum
 * that stands in the wrong one.
 *
 * Returns: whether there is a frame
 */
gboolean
metrics_wal_reader_init (MetricsWalReader *self, int fd, guint page_size)
{
  guint8 header[LOG_HEADER];
  gsize frame_size = FRAME_HEADER + page_size;

  *self = (MetricsWalReader){ .fd = fd, .page_size = page_size, .next = LOG_HEADER };
  self->frame = g_malloc (frame_size);
  if (!metrics_wal_read_at (fd, 0, header, sizeof header)
      || !metrics_wal_read_at (fd, self->next, self->frame, frame_size))
    return FALSE;
  self->is_big = header[3] == 0x83;
  add_to_checksum (self, header, 24);
  /* Zeros have the checksum 0. */
  self->header_good = take_checksum (self, header + 24) && (metrics_pages_get_32 (header) & ~1u) == LOG_MAGIC;
  /* Where the header is wrong the first frame has the salts as well. */
  memcpy (self->salts, self->header_good ? header + 16 : self->frame + 8, sizeof self->salts);
  return TRUE;
}

/**
 * metrics_wal_reader_next:
 * @self: a reader
 *
 * Reads the next frame.
 *
 * Returns: whether there is one
 */
gboolean
metrics_wal_reader_next (MetricsWalReader *self)
{
  gsize frame_size = FRAME_HEADER + self->page_size;

  if (!metrics_wal_read_at (self->fd, self->next, self->frame, frame_size))
    return FALSE;
  self->offset = self->next;
  self->next += frame_size;
  self->number = metrics_pages_get_32 (self->frame);
  self->n_pages = metrics_pages_get_32 (self->frame + 4);
  add_to_checksum (self, self->frame, 8);
  add_to_checksum (self, self->frame + FRAME_HEADER, self->page_size);
  self->good = take_checksum (self, self->frame + 16);
  self->salts_good = memcmp (self->frame + 8, self->salts, sizeof self->salts) == 0;
  return TRUE;
}

/**
 * metrics_wal_reader_clear:
 * @self: a reader
 */
void
metrics_wal_reader_clear (MetricsWalReader *self)
{
  g_clear_pointer (&self->frame, g_free);
}

/* Whether the database has the page as a frame has it. */
static gboolean
has_page (int fd, const MetricsWalReader *reader)
{
  g_autofree guint8 *page = g_malloc (reader->page_size);

  return metrics_wal_read_at (fd, (guint64) (reader->number - 1) * reader->page_size, page, reader->page_size)
         && memcmp (page, reader->frame + FRAME_HEADER, reader->page_size) == 0;
}

/* Whether most of the pages that are not read are in the database as they were left. A few may be without
 * that, for a page can become again what it was. */
static gboolean
are_moved (GHashTable *pages)
{
  GHashTableIter iter;
  gpointer is_there;
  guint n = 0;

  g_hash_table_iter_init (&iter, pages);
  while (g_hash_table_iter_next (&iter, NULL, &is_there))
    n += GPOINTER_TO_INT (is_there);
  return n > g_hash_table_size (pages) / 2;
}

static void
look (int fd, int log_fd, guint page_size, MetricsWalDamage *damage)
{
  g_auto (MetricsWalReader) reader = { 0 };
  g_autoptr (GHashTable) pages = g_hash_table_new (NULL, NULL);
  guint64 last = 0;
  guint64 n = 0;
  guint64 n_valid = 0;
  gboolean is_valid;

  *damage = (MetricsWalDamage){ 0 };
  if (!metrics_wal_reader_init (&reader, log_fd, page_size))
    return;
  is_valid = reader.header_good;
  while (metrics_wal_reader_next (&reader))
    {
      gboolean is_one = reader.good && reader.salts_good && reader.number > 0;

      n++;
      is_valid = is_valid && is_one;
      if (is_valid && reader.n_pages > 0)
        {
          n_valid = n;
          damage->end = reader.next;
        }
      else if (!is_valid && is_one)
        {
          last = reader.n_pages > 0 ? n : last;
          g_hash_table_replace (pages, GUINT_TO_POINTER (reader.number),
                                GINT_TO_POINTER (has_page (fd, &reader)));
        }
    }
  damage->is_moved = are_moved (pages);
  damage->n_frames = last > n_valid ? last - n_valid : 0;
  damage->salts
      = (guint64) metrics_pages_get_32 (reader.salts) << 32 | metrics_pages_get_32 (reader.salts + 4);
}

/* The header says how large a page is, where it is not damaged itself. */
static guint
get_page_size (const guint8 *header)
{
  guint32 size = metrics_pages_get_32 (header + 8);

  return size >= 512 && size <= METRICS_PAGES_MAX_SIZE && (size & (size - 1)) == 0
             ? size
             : METRICS_PAGES_DEFAULT_SIZE;
}

/**
 * metrics_wal_find_damage:
 * @path: (type filename): a database file, which a server may have
 * @damage: (out caller-allocates): what is wrong
 *
 * Looks whether there is something in the write-ahead log that SQLite does not read, though it was committed.
 * What cannot be read at all SQLite will say.
 *
 * Returns: whether there is
 */
gboolean
metrics_wal_find_damage (const char *path, MetricsWalDamage *damage)
{
  g_autofree char *log_path = g_strconcat (path, "-wal", NULL);
  guint8 header[LOG_HEADER];
  guint8 after[LOG_HEADER];
  int log_fd = open (log_path, O_RDONLY | O_CLOEXEC);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  gboolean is_same = FALSE;

  *damage = (MetricsWalDamage){ 0 };
  /* Who begins the log anew writes its header first. Then what was seen is of two times. */
  for (guint i = 0; i < LOOKS && !is_same && log_fd >= 0 && fd >= 0; i++)
    {
      if (!metrics_wal_read_at (log_fd, 0, header, sizeof header))
        break;
      look (fd, log_fd, get_page_size (header), damage);
      is_same = metrics_wal_read_at (log_fd, 0, after, sizeof after)
                && memcmp (header, after, sizeof header) == 0;
    }
  if (log_fd >= 0)
    close (log_fd);
  if (fd >= 0)
    close (fd);
  return is_same && damage->n_frames > 0;
}
