/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The least that a server of the line protocol can do: it answers `ok` to every line and looks at none. What
 * a benchmark gets out of it is what the machine, the kernel's sockets and the client allow. It serves one
 * core's worth of connections with poll() and writes what it owes at once: it is for clients that read while
 * they send. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define READ_SIZE (64 * 1024)

static const char answer[] = { 'o', 'k', '\n', '\n' };

static void
die (const char *what)
{
  fprintf (stderr, "baseline: %s: %s\n", what, strerror (errno));
  exit (1);
}

static int
listen_somewhere (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t len = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  if (fd < 0 || bind (fd, (struct sockaddr *) &address, len) != 0 || listen (fd, CONNECTIONS_MAX) != 0
      || getsockname (fd, (struct sockaddr *) &address, &len) != 0)
    die ("listen");
  printf ("listening on 127.0.0.1:%d\nready\n", ntohs (address.sin_port));
  fflush (stdout);
  return fd;
}

/* Returns 0 where the connection is over. */
static int
write_all (int fd, const char *bytes, size_t n)
{
  while (n > 0)
    {
      ssize_t written = send (fd, bytes, n, MSG_NOSIGNAL);

      if (written < 0)
        return 0;
      bytes += written;
      n -= (size_t) written;
    }
  return 1;
}

static int
serve (int fd)
{
  static char in[READ_SIZE], out[READ_SIZE * sizeof answer];
  ssize_t n = read (fd, in, sizeof in);
  size_t owed = 0;

  if (n <= 0)
    return 0;
  for (const char *p = in; (p = memchr (p, '\n', (size_t) (in + n - p))) != NULL; p++)
    {
      memcpy (out + owed, answer, sizeof answer);
      owed += sizeof answer;
    }
  return write_all (fd, out, owed);
}

static int
accept_one (int listener)
{
  int fd = accept (listener, NULL, NULL);
  int yes = 1;

  if (fd < 0)
    die ("accept");
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

int
main (void)
{
  struct pollfd fds[1 + CONNECTIONS_MAX] = { { .fd = listen_somewhere (), .events = POLLIN } };
  nfds_t n = 1;

  while (poll (fds, n, -1) > 0)
    {
      for (nfds_t i = n - 1; i > 0; i--)
        if (fds[i].revents != 0 && !serve (fds[i].fd))
          {
            close (fds[i].fd);
            fds[i] = fds[--n];
          }
      if (fds[0].revents != 0 && n <= CONNECTIONS_MAX)
        fds[n++] = (struct pollfd){ .fd = accept_one (fds[0].fd), .events = POLLIN };
      /* Where there is no room, whoever comes next waits until somebody leaves. */
      fds[0].events = n <= CONNECTIONS_MAX ? POLLIN : 0;
    }
  die ("poll");
}
