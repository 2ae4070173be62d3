/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The largest page that SQLite has, and the one that it makes if nobody asks for another. */
#define METRICS_PAGES_MAX_SIZE 65536
#define METRICS_PAGES_DEFAULT_SIZE 4096

/**
 * MetricsWalReader:
 * @fd: (unowned): the write-ahead log
 * @page_size: how many bytes a page has
 * @is_big: in which order checksums read the bytes
 * @sums: the checksum that stands in what was read last
 * @salts: what the frames of this time have
 * @header_good: whether the header is as it was written
 * @next: where the next frame is
 *
 * @frame: (owned): the frame that was read last, its header and its page
 * @offset: where it is
 * @number: which page it has
 * @n_pages: at the end of a transaction, how many pages the database has; otherwise 0
 * @good: whether its checksum goes on from what stands in the one before
 * @salts_good: whether it is of this time
 *
 * Reads a write-ahead log frame by frame.
 */
typedef struct
{
  int fd;
  guint page_size;
  gboolean is_big;
  guint32 sums[2];
  guint8 salts[8];
  gboolean header_good;
  guint64 next;

  guint8 *frame;
  guint64 offset;
  guint32 number;
  guint32 n_pages;
  gboolean good;
  gboolean salts_good;
} MetricsWalReader;

/**
 * MetricsWalDamage:
 * @n_frames: how many frames SQLite does not read though they were committed; 0 where there is no damage
 * @end: how many bytes of the log count
 * @salts: of which time they are
 * @is_moved: whether the database has most of what is not read already: what is read is older than it
 *
 * What is wrong with a write-ahead log.
 */
typedef struct
{
  guint64 n_frames;
  guint64 end;
  guint64 salts;
  gboolean is_moved;
} MetricsWalDamage;

gboolean metrics_wal_read_at (int fd, guint64 offset, guint8 *data, gsize size);
gboolean metrics_wal_reader_init (MetricsWalReader *self, int fd, guint page_size);
gboolean metrics_wal_reader_next (MetricsWalReader *self);
void metrics_wal_reader_clear (MetricsWalReader *self);

gboolean metrics_wal_find_damage (const char *path, MetricsWalDamage *damage);

/* Numbers in SQLite's files have their highest byte first. */
static inline guint
metrics_pages_get_16 (const guint8 *data)
{
  return (guint) data[0] << 8 | data[1];
}

static inline guint32
metrics_pages_get_32 (const guint8 *data)
{
  return (guint32) metrics_pages_get_16 (data) << 16 | metrics_pages_get_16 (data + 2);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MetricsWalReader, metrics_wal_reader_clear)

G_END_DECLS
