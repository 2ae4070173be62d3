/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "instructions.h"
#include "server/metrics-service.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The whole way of a request: from the iteration of the main context in which its bytes are there to the one
 * after which nothing is left to do. What the kernel does is not counted. */

/* How much a client that pipelines sends at once. */
#define PIECE 32768

#define OK "ok\n\n"

typedef struct
{
  MetricsStore *store;       /* (owned) */
  MetricsListener *listener; /* (owned) */
  MetricsService *service;   /* (owned) */
  struct sockaddr_un address;
  GArray *clients; /* (owned) (element-type int): those that take part */
  GArray *idle;    /* (owned) (element-type int): those that are only there */
  int watcher;     /* one that watches, or -1 */
  guint64 n_told;  /* lines that it got */
  GString *reply;  /* (owned): what all clients got since the last request */
  gboolean counted;
} Server;

static Server *
server_new (void)
{
  const MetricsLimits limits = {
    .line = 65536,
    .connections = 2000,
    .unsent = 131072,
    .slice = 4096,
    .line_timeout = 3600,
    .answer_timeout = 3600,
  };
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("metrics-XXXXXX", &error);
  g_autofree char *text = NULL;
  Server *self = g_new0 (Server, 1);

  g_assert_no_error (error);
  self->address.sun_family = AF_UNIX;
  g_snprintf (self->address.sun_path, sizeof self->address.sun_path, "%s/socket", directory);

  self->store = metrics_store_new (1000000, 1 << 30);
  self->service = metrics_service_new (self->store, &limits, &error);
  g_assert_no_error (error);
  text = g_strdup_printf ("unix:%s,rights=read+put+delete", self->address.sun_path);
  self->listener = metrics_listener_new_parse (text, 0, &error);
  g_assert_no_error (error);
  g_assert_true (metrics_listener_open (self->listener, &error));
  g_assert_true (metrics_service_listen (self->service, self->listener, &error));

  self->clients = g_array_new (FALSE, FALSE, sizeof (int));
  self->idle = g_array_new (FALSE, FALSE, sizeof (int));
  self->watcher = -1;
  self->reply = g_string_new (NULL);
  return self;
}

static void
close_all (GArray *clients)
{
  for (guint i = 0; i < clients->len; i++)
    close (g_array_index (clients, int, i));
  g_array_unref (clients);
}

static void
server_free (Server *self)
{
  g_autofree char *directory = g_path_get_dirname (self->address.sun_path);

  close_all (self->clients);
  close_all (self->idle);
  if (self->watcher >= 0)
    close (self->watcher);
  metrics_service_abort (self->service);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_object_unref (self->service);
  metrics_listener_close (self->listener);
  g_object_unref (self->listener);
  g_object_unref (self->store);
  g_rmdir (directory);
  g_string_free (self->reply, TRUE);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Server, server_free)

static void
receive_told (Server *self)
{
  static char piece[1 << 20];
  gssize n;

  while (self->watcher >= 0 && (n = recv (self->watcher, piece, sizeof piece, MSG_DONTWAIT)) > 0)
    for (gssize i = 0; i < n; i++)
      self->n_told += piece[i] == '\n';
}

static void
receive_all (Server *self)
{
  receive_told (self);
  for (guint i = 0; i < self->clients->len; i++)
    {
      static char piece[1 << 20];
      gssize n;

      while ((n = recv (g_array_index (self->clients, int, i), piece, sizeof piece, MSG_DONTWAIT)) > 0)
        g_string_append_len (self->reply, piece, n);
      g_assert_true (n == 0 || errno == EAGAIN);
    }
}

/* Lets the server work until all clients together have got so many bytes and it would go to sleep. */
static void
serve (Server *self, gsize n_bytes)
{
  g_string_truncate (self->reply, 0);
  while (self->reply->len < n_bytes || g_main_context_pending (NULL))
    {
      if (self->counted)
        counting_begin ();
      g_main_context_iteration (NULL, TRUE);
      if (self->counted)
        counting_end ();
      receive_all (self);
    }
}

static void
send_text (Server *self, guint nth, const GString *text)
{
  g_assert_cmpint (send (g_array_index (self->clients, int, nth), text->str, text->len, MSG_DONTWAIT), ==,
                   text->len);
}

/* Serves what was sent, requests without rows. */
static void
serve_ok (Server *self, guint n)
{
  serve (self, n * strlen (OK));
  g_assert_cmpuint (self->reply->len, ==, n * strlen (OK));
  for (gsize i = 0; i < self->reply->len; i += strlen (OK))
    g_assert_true (g_str_has_prefix (self->reply->str + i, OK));
}

static void
connect_client (Server *self, GArray *clients)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &self->address, sizeof self->address), ==, 0);
  g_array_append_val (clients, fd);
}

/* Connects clients that put a point and then do nothing. */
static void
add_idle (Server *self, guint n)
{
  g_autoptr (GString) line = g_string_new ("put idle 1 1\n");

  for (guint i = 0; i < n; i++)
    {
      connect_client (self, self->clients);
      send_text (self, 0, line);
      serve_ok (self, 1);
      g_array_append_vals (self->idle, self->clients->data, 1);
      g_array_set_size (self->clients, 0);
    }
}

static void
append_put (GString *lines, Walk *walk, guint series, guint step)
{
  int value = walk_next (walk, series);

  g_string_append_printf (lines, "put bench.series.%u %d.%02d %" G_GINT64_FORMAT "\n", series, value / 100,
                          value % 100, WALK_START + (gint64) step * WALK_STEP);
}

/* Sends what has been gathered where it is a piece, or at the end; counts the lines that wait. */
static void
flush_puts (Server *self, GString *lines, guint *n_lines, gsize enough)
{
  if (*n_lines == 0 || lines->len < enough)
    return;
  send_text (self, 0, lines);
  serve_ok (self, *n_lines);
  g_string_truncate (lines, 0);
  *n_lines = 0;
}

/* Puts steps of a walk, pipelined: all series at one time, then all at the next one. */
static guint64
put_steps (Server *self, Walk *walk, guint first, guint last)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  guint n_lines = 0;

  for (guint step = first; step <= last; step++)
    for (guint series = 0; series < walk->n_series; series++)
      {
        append_put (lines, walk, series, step);
        n_lines++;
        flush_puts (self, lines, &n_lines, PIECE);
      }
  flush_puts (self, lines, &n_lines, 0);
  return (guint64) (last - first + 1) * walk->n_series;
}

/* W1: the second and all further points of each series. */
static guint64
work_put (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (Walk) walk = walk_new (100);

  connect_client (server, server->clients);
  put_steps (server, walk, 0, 0);
  server->counted = TRUE;
  return put_steps (server, walk, 1, 1024);
}

static void
add_watcher (Server *self, const char *pattern)
{
  g_autofree char *line = g_strdup_printf ("watch %s\n", pattern);
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (int));

  connect_client (self, fds);
  self->watcher = g_array_index (fds, int, 0);
  g_assert_cmpint (send (self->watcher, line, strlen (line), MSG_DONTWAIT), ==, strlen (line));
  while (self->n_told < strlen (OK) - 2)
    serve (self, 0);
  self->n_told = 0;
}

/* As W1, while somebody watches other series. */
static guint64
work_put_beside_watcher (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (Walk) walk = walk_new (100);

  connect_client (server, server->clients);
  add_watcher (server, "*.room.*.temperature");
  put_steps (server, walk, 0, 0);
  server->counted = TRUE;
  return put_steps (server, walk, 1, 1024);
}

/* As W1, while somebody watches all series: with what it takes to tell them. */
static guint64
work_put_watched (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (Walk) walk = walk_new (100);
  guint64 n;

  connect_client (server, server->clients);
  add_watcher (server, "bench.*.?*");
  put_steps (server, walk, 0, 0);
  server->counted = TRUE;
  n = put_steps (server, walk, 1, 1024);
  while (server->n_told < n)
    {
      g_main_context_iteration (NULL, TRUE);
      receive_told (server);
    }
  return n;
}

/* W4: the first point of each series. */
static guint64
work_put_new (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (Walk) walk = walk_new (16384);

  connect_client (server, server->clients);
  server->counted = TRUE;
  return put_steps (server, walk, 0, 0);
}

/* W5: a tenth of the points comes up to a hundred steps late. */
static guint64
work_put_late (Kind kind)
{
  enum
  {
    N_STEPS = 1024,
    MAX_LATE = 100,
  };
  g_autoptr (Server) server = server_new ();
  g_autoptr (Walk) walk = walk_new (100);
  g_autoptr (GString) lines = g_string_new (NULL);
  GString *late[N_STEPS + MAX_LATE + 1];
  guint n_late[N_STEPS + MAX_LATE + 1] = { 0 };
  guint n_lines = 0;

  for (guint i = 0; i < G_N_ELEMENTS (late); i++)
    late[i] = g_string_new (NULL);
  connect_client (server, server->clients);
  put_steps (server, walk, 0, 0);
  server->counted = TRUE;
  for (guint step = 1; step < G_N_ELEMENTS (late); step++)
    {
      for (guint series = 0; step <= N_STEPS && series < walk->n_series; series++)
        {
          gboolean is_late = g_rand_int_range (walk->rand, 0, 10) == 0;
          guint due = is_late ? step + g_rand_int_range (walk->rand, 1, MAX_LATE + 1) : step;

          append_put (is_late ? late[due] : lines, walk, series, step);
          *(is_late ? &n_late[due] : &n_lines) += 1;
          flush_puts (server, lines, &n_lines, PIECE);
        }
      g_string_append_len (lines, late[step]->str, late[step]->len);
      n_lines += n_late[step];
    }
  flush_puts (server, lines, &n_lines, 0);
  for (guint i = 0; i < G_N_ELEMENTS (late); i++)
    g_string_free (late[i], TRUE);
  return (guint64) N_STEPS * walk->n_series;
}

/* A request that is answered in rows, several times over; the first time is not counted. Returns how many
 * rows there were. */
static guint64
ask (Server *self, const char *request, guint n_times)
{
  g_autoptr (GString) line = g_string_new (request);
  gsize n_bytes = 0;
  guint64 n_rows = 0;

  self->counted = FALSE;
  for (guint i = 0; i <= n_times; i++)
    {
      send_text (self, 0, line);
      serve (self, n_bytes);
      g_assert_true (g_str_has_prefix (self->reply->str, "ok\n"));
      g_assert_true (g_str_has_suffix (self->reply->str, "\n\n"));
      n_bytes = self->reply->len;
      self->counted = TRUE;
    }
  for (gsize i = 0; i < self->reply->len; i++)
    n_rows += self->reply->str[i] == '\n';
  return (n_rows - 2) * n_times;
}

/* W3: one series of 2,000 points. */
static guint64
work_get (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (Walk) walk = walk_new (1);

  connect_client (server, server->clients);
  put_steps (server, walk, 0, 1999);
  return ask (server, "get bench.series.0\n", 20);
}

/* A point of those that were looked at: six of them make a bucket. */
static guint64
work_range (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (Walk) walk = walk_new (1);

  connect_client (server, server->clients);
  put_steps (server, walk, 0, 1999);
  ask (server, "range bench.series.0 - - 60 avg\n", 20);
  return 2000 * 20;
}

/* Wakes the server up again and again with a put of each client. */
static guint64
put_each (Server *self, guint n_times)
{
  g_autoptr (GString) line = g_string_new (NULL);
  guint n_puts = 0;

  for (guint i = 0; i <= n_times; i++)
    {
      for (guint k = 0; k < self->clients->len; k++)
        {
          g_string_printf (line, "put bench.request 21.5 %u\n", n_puts++);
          send_text (self, k, line);
        }
      serve_ok (self, self->clients->len);
      self->counted = TRUE;
    }
  return (guint64) n_times * self->clients->len;
}

/* The least that a request can be. */
static guint64
work_wake (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (GString) line = g_string_new ("ping\n");
  guint n_times = 1000;

  connect_client (server, server->clients);
  for (guint i = 0; i <= n_times; i++)
    {
      send_text (server, 0, line);
      serve_ok (server, 1);
      server->counted = TRUE;
    }
  return n_times;
}

/* W2. */
static guint64
work_request (Kind kind)
{
  g_autoptr (Server) server = server_new ();

  connect_client (server, server->clients);
  return put_each (server, 1024);
}

/* W2: all clients have asked when the server wakes up. */
static guint64
work_request_50 (Kind kind)
{
  g_autoptr (Server) server = server_new ();

  for (guint i = 0; i < 50; i++)
    connect_client (server, server->clients);
  return put_each (server, 256);
}

/* W2 with idle connections beside: they must not be noticed. */
static guint64
work_request_beside_idle (Kind kind)
{
  g_autoptr (Server) server = server_new ();

  add_idle (server, 1000);
  connect_client (server, server->clients);
  return put_each (server, 1024);
}

/* A client that comes, puts, and goes. */
static guint64
work_visit (Kind kind)
{
  g_autoptr (Server) server = server_new ();
  g_autoptr (GString) lines = g_string_new ("put visit 1 1\nquit\n");
  guint n = 200;

  for (guint i = 0; i <= n; i++)
    {
      connect_client (server, server->clients);
      send_text (server, 0, lines);
      serve_ok (server, 2);
      close (g_array_index (server->clients, int, 0));
      g_array_set_size (server->clients, 0);
      serve (server, 0);
      server->counted = TRUE;
    }
  return n;
}

const Work server_works[] = {
  { "put", work_put },
  { "put-beside-watcher", work_put_beside_watcher },
  { "put-watched", work_put_watched },
  { "put-new", work_put_new },
  { "put-late", work_put_late },
  { "get", work_get },
  { "range", work_range },
  { "wake", work_wake },
  { "request", work_request },
  { "request-50", work_request_50 },
  { "request-beside-idle", work_request_beside_idle },
  { "visit", work_visit },
  { NULL },
};
