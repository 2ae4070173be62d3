/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Space of the file system that is held for when there is no other: a file with nothing in it. It is there
 * after a stop as well, so that nobody else fills the disk meanwhile, and making it costs nothing at the next
 * start. */

/* As much as the file may have to grow before SQLite's write-ahead log begins anew, where there is little
 * space (metrics-database-space.c), with what removals take. */
#define SIZE (4 << 20)

/* Less is not worth holding. */
#define MIN_SIZE (64 << 10)

struct _MetricsReserve
{
  int fd;     /* -1 where it cannot be made */
  off_t size; /* how much is held */
};

/**
 * metrics_reserve_new:
 * @folder: where the files are
 *
 * Makes a reserve, and holds as much as there is. That it cannot be made is no error: there is none then.
 *
 * Returns: (transfer full): it
 */
MetricsReserve *
metrics_reserve_new (const char *folder)
{
  MetricsReserve *self = g_new0 (MetricsReserve, 1);
  g_autofree char *path = g_build_filename (folder, "reserve", NULL);
  struct stat attributes;

  self->fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  /* Blocks, not size: a copy of the file may be sparse. */
  if (self->fd >= 0 && fstat (self->fd, &attributes) == 0)
    self->size = MIN (attributes.st_size, (off_t) attributes.st_blocks * 512);
  metrics_reserve_hold (self);
  return self;
}

/**
 * metrics_reserve_free:
 * @self: (transfer full): a reserve
 *
 * Frees it; the file stays.
 */
void
metrics_reserve_free (MetricsReserve *self)
{
  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}

/**
 * metrics_reserve_hold:
 * @self: a reserve
 *
 * Holds all of it again, or as much as there is.
 */
void
metrics_reserve_hold (MetricsReserve *self)
{
  if (self->fd < 0)
    return;
  for (off_t size = SIZE; size >= MIN_SIZE && size > self->size; size /= 2)
    {
      if (posix_fallocate (self->fd, 0, size) == 0)
        {
          self->size = size;
          return;
        }
      /* Part of it may have been taken. */
      if (ftruncate (self->fd, self->size) < 0)
        return;
    }
}

/**
 * metrics_reserve_give_up:
 * @self: a reserve
 *
 * Leaves the space to who needs it now, until metrics_reserve_hold().
 */
void
metrics_reserve_give_up (MetricsReserve *self)
{
  if (self->fd >= 0 && ftruncate (self->fd, 0) == 0)
    self->size = 0;
}
