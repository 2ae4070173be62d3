/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/**
 * metrics_process_get_cpu_time:
 *
 * Returns: how long all threads of this process have used the processor, for themselves and in the kernel, in
 *   microseconds
 */
gint64
metrics_process_get_cpu_time (void)
{
  struct rusage usage;

  if (getrusage (RUSAGE_SELF, &usage) != 0)
    return 0;
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (gint64) G_USEC_PER_SEC + usage.ru_utime.tv_usec
         + usage.ru_stime.tv_usec;
}

/**
 * metrics_process_get_resident:
 *
 * Returns: how much memory this process has now, shared libraries included, in bytes; 0 where the system does
 * not tell
 */
gint64
metrics_process_get_resident (void)
{
  /* Pages: the size, and what of it is there. getrusage() knows the most that there ever was. */
  int fd = open ("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[64], *end;
  ssize_t n;

  if (fd < 0)
    return 0;
  n = read (fd, text, sizeof text - 1);
  close (fd);
  if (n <= 0)
    return 0;
  text[n] = '\0';
  strtoll (text, &end, 10);
  return strtoll (end, NULL, 10) * sysconf (_SC_PAGESIZE);
}
