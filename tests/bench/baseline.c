/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The least that a server of the line protocol can do: it answers `ok` to every line and looks at none beyond
 * its first byte: `get` is answered with points that are always the same, so many as the command line says.
 * What a benchmark gets out of it is what the machine, the kernel's sockets and the client allow. It writes
 * what it owes at once: it is for clients that read while they send.
 *
 *     baseline [--single] [POINTS SERIES]
 *
 * With --single it serves one connection after the other, and between an answer and the next request nothing
 * is called but read() and write(). */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (128 * 1024)
#define EVENTS_MAX 64

static const char answer[] = { 'o', 'k', '\n', '\n' };

/* As in dialect-line.c. */
static const char point[] = "b.series.123 100.25 1700000000\n";

typedef struct
{
  char *bytes;
  size_t len;
} Answer;

static Answer of_one, of_all;

static void
die (const char *what)
{
  fprintf (stderr, "baseline: %s: %s\n", what, strerror (errno));
  exit (1);
}

static Answer
make_answer (size_t n)
{
  size_t point_len = strlen (point);
  Answer made = { malloc (strlen ("ok\n\n") + n * point_len), 0 };

  if (made.bytes == NULL)
    die ("memory");
  memcpy (made.bytes, "ok\n", 3);
  made.len = 3;
  for (size_t i = 0; i < n; i++, made.len += point_len)
    memcpy (made.bytes + made.len, point, point_len);
  made.bytes[made.len++] = '\n';
  return made;
}

static int
listen_somewhere (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t len = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  if (fd < 0 || bind (fd, (struct sockaddr *) &address, len) != 0 || listen (fd, SOMAXCONN) != 0
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

/* A line that begins with 'g': all of it has come, for such clients wait for the answer. */
static int
serve_get (int fd, const char *line)
{
  const Answer *wanted = line[strlen ("get ")] == '*' ? &of_all : &of_one;

  return write_all (fd, wanted->bytes, wanted->len);
}

static int
serve (int fd)
{
  static char in[READ_SIZE], out[READ_SIZE * sizeof answer];
  ssize_t n = read (fd, in, sizeof in);
  size_t owed = 0;

  if (n <= 0)
    return 0;
  if (n > 4 && in[0] == 'g' && of_one.bytes != NULL)
    return serve_get (fd, in);
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

static void
serve_single (int listener)
{
  for (;;)
    {
      int fd = accept_one (listener);

      while (serve (fd))
        ;
      close (fd);
    }
}

static void
serve_many (int listener)
{
  int set = epoll_create1 (0);
  struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, events[EVENTS_MAX];

  if (set < 0 || epoll_ctl (set, EPOLL_CTL_ADD, listener, &event) != 0)
    die ("epoll");
  for (;;)
    {
      int n = epoll_wait (set, events, EVENTS_MAX, -1);

      for (int i = 0; i < n; i++)
        if (events[i].data.fd == listener)
          {
            event.data.fd = accept_one (listener);
            if (epoll_ctl (set, EPOLL_CTL_ADD, event.data.fd, &event) != 0)
              die ("epoll");
          }
        else if (!serve (events[i].data.fd))
          close (events[i].data.fd);
    }
}

int
main (int argc, char **argv)
{
  int single = argc > 1 && strcmp (argv[1], "--single") == 0;
  int listener;

  if (argc - single == 3)
    {
      size_t n_points = strtoul (argv[1 + single], NULL, 10), n_series = strtoul (argv[2 + single], NULL, 10);

      of_one = make_answer (n_points);
      of_all = make_answer (n_points * n_series);
    }
  listener = listen_somewhere ();
  if (single)
    serve_single (listener);
  serve_many (listener);
  return 0;
}
