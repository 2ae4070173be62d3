/* SPDX-License-Identifier: LGPL-2.1-or-later */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What `wear` loads into the programs that it measures (LD_PRELOAD), so that they need no options for it.
 *
 * It counts what they write to files. And where WEAR_CLOCK is set their monotonic clock stands still, and
 * `wear` moves it by hand: hours of points then need no hours, and still a commit comes a second after its
 * first change and a checkpoint fifteen minutes after the last one. GLib waits for a time in a futex; such a
 * wait ends early here (who waits looks at the clock and waits again) and is counted: when two have begun
 * since the clock was moved, nothing is due any more. Who waits without an end may do so for another thread
 * that is still at work, so that many of these count as much as one of the others. */

#define EARLY_NSEC 200000
#define TIMED 250
#define ENDLESS 1

/* A file that both have mapped: `wear` knows the order. */
typedef struct
{
  int64_t clock_nsec; /* since the start */
  uint64_t waits;
  uint64_t wal_bytes; /* written to files whose name ends with -wal */
  uint64_t file_bytes;
} Shared;

static Shared *shared;
static int has_clock;
static struct timespec start;

#define REAL(name)                                                                                           \
  static __typeof__ (name) *real;                                                                            \
  if (real == NULL)                                                                                          \
  real = (__typeof__ (name) *) dlsym (RTLD_NEXT, #name)

__attribute__ ((constructor)) static void
set_up (void)
{
  const char *path = getenv ("WEAR_SHARED");
  int fd = path != NULL ? open (path, O_RDWR | O_CLOEXEC) : -1;
  void *memory;

  if (fd < 0)
    return;
  memory = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close (fd);
  if (memory == MAP_FAILED)
    abort ();
  clock_gettime (CLOCK_MONOTONIC, &start);
  has_clock = getenv ("WEAR_CLOCK") != NULL;
  shared = memory;
}

int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int64_t nsec;

  REAL (clock_gettime);
  if (shared == NULL || !has_clock || clock != CLOCK_MONOTONIC)
    return real (clock, now);
  nsec = start.tv_nsec + __atomic_load_n (&shared->clock_nsec, __ATOMIC_ACQUIRE);
  now->tv_sec = start.tv_sec + nsec / 1000000000;
  now->tv_nsec = nsec % 1000000000;
  return 0;
}

/* As many arguments as any system call has. */
long
syscall (long number, ...)
{
  static const struct timespec early = { 0, EARLY_NSEC };
  long a[6];
  va_list list;

  REAL (syscall);
  va_start (list, number);
  for (int i = 0; i < 6; i++)
    a[i] = va_arg (list, long);
  va_end (list);
  if (number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT && shared != NULL && has_clock)
    {
      __atomic_add_fetch (&shared->waits, a[3] != 0 ? TIMED : ENDLESS, __ATOMIC_ACQ_REL);
      a[3] = (long) &early;
    }
  return real (number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void
count (int fd, ssize_t n)
{
  char link[64];
  char path[4096];
  struct stat status;
  ssize_t len;

  if (shared == NULL || n <= 0 || fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    return;
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  len = readlink (link, path, sizeof path);
  if (len > 4 && memcmp (path + len - 4, "-wal", 4) == 0)
    __atomic_add_fetch (&shared->wal_bytes, n, __ATOMIC_RELAXED);
  else
    __atomic_add_fetch (&shared->file_bytes, n, __ATOMIC_RELAXED);
}

ssize_t
write (int fd, const void *data, size_t size)
{
  ssize_t n;

  REAL (write);
  n = real (fd, data, size);
  count (fd, n);
  return n;
}

ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t offset)
{
  ssize_t n;

  REAL (pwrite64);
  n = real (fd, data, size, offset);
  count (fd, n);
  return n;
}
