/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-epoll.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A set in whose context other sources poll, too. Each step of a test iterates the context until what it
 * waits for has happened, in a thread that a watchdog of the test runner ends if it never does. */
typedef struct
{
  GMainContext *context;
  MetricsEpoll *epoll;
  GSource *own;   /* polls the set */
  int inside;     /* a descriptor in the set */
  guint n_inside; /* how often it was ready */
  guint n_turns;  /* how often the set was */
} Fixture;

static int
make_event (void)
{
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
raise_event (int fd)
{
  g_assert_cmpint (eventfd_write (fd, 1), ==, 0);
}

static gboolean
set_cb (int fd, GIOCondition condition, gpointer user_data)
{
  Fixture *fixture = user_data;
  struct epoll_event events[METRICS_EPOLL_MAX_EVENTS];
  int n = metrics_epoll_take (fixture->epoll, events);

  fixture->n_turns++;
  for (int i = 0; i < n; i++)
    {
      eventfd_t value;

      /* What belongs to others is not among them. */
      g_assert_true (events[i].data.ptr == fixture);
      g_assert_cmpint (eventfd_read (fixture->inside, &value), ==, 0);
      fixture->n_inside++;
    }
  return G_SOURCE_CONTINUE;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->context = g_main_context_new ();
  fixture->epoll = metrics_epoll_new (fixture->context, &error);
  g_assert_no_error (error);
  fixture->own = g_unix_fd_source_new (metrics_epoll_get_fd (fixture->epoll), G_IO_IN);
  g_source_set_callback (fixture->own, G_SOURCE_FUNC (set_cb), fixture, NULL);
  g_source_attach (fixture->own, fixture->context);
  fixture->inside = make_event ();
  g_assert_cmpint (metrics_epoll_control (fixture->epoll, EPOLL_CTL_ADD, fixture->inside, EPOLLIN, fixture),
                   ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_source_destroy (fixture->own);
  g_source_unref (fixture->own);
  metrics_epoll_free (fixture->epoll);
  g_main_context_unref (fixture->context);
  close (fixture->inside);
}

static gboolean
count_cb (int fd, GIOCondition condition, gpointer user_data)
{
  guint *n = user_data;
  eventfd_t value;

  g_assert_cmpint (eventfd_read (fd, &value), ==, 0);
  ++*n;
  return G_SOURCE_CONTINUE;
}

static GSource *
add_source (Fixture *fixture, int fd, guint *n)
{
  GSource *source = g_unix_fd_source_new (fd, G_IO_IN);

  g_source_set_callback (source, G_SOURCE_FUNC (count_cb), n, NULL);
  g_source_attach (source, fixture->context);
  return source;
}

static void
remove_source (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

static void
expect_inside (Fixture *fixture)
{
  guint n = fixture->n_inside;

  raise_event (fixture->inside);
  while (fixture->n_inside == n)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (fixture->n_inside, ==, n + 1);
}

static void
expect (Fixture *fixture, int fd, const guint *count)
{
  guint n = *count;

  raise_event (fd);
  while (*count == n)
    g_main_context_iteration (fixture->context, TRUE);
  g_assert_cmpuint (*count, ==, n + 1);
}

static void
expect_nothing (Fixture *fixture)
{
  guint n = fixture->n_turns;

  g_assert_false (g_main_context_iteration (fixture->context, FALSE));
  g_assert_cmpuint (fixture->n_turns, ==, n);
}

static void
test_inside (Fixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 3; i++)
    expect_inside (fixture);
  expect_nothing (fixture);
}

/* Both at once, and one after the other; what is polled no more wakes nobody, ready or not. */
static void
test_adopted (Fixture *fixture, gconstpointer data)
{
  int fd = make_event ();
  guint n = 0;
  GSource *source;

  metrics_epoll_adopt (fixture->epoll, fd);
  source = add_source (fixture, fd, &n);
  expect (fixture, fd, &n);
  expect_inside (fixture);
  raise_event (fd);
  expect_inside (fixture);
  while (n < 2)
    g_main_context_iteration (fixture->context, TRUE);
  expect_nothing (fixture);

  remove_source (source);
  raise_event (fd);
  expect_nothing (fixture);
  expect_inside (fixture);
  source = add_source (fixture, fd, &n);
  while (n < 3)
    g_main_context_iteration (fixture->context, TRUE);

  remove_source (source);
  metrics_epoll_disown (fixture->epoll, fd);
  close (fd);
  expect_inside (fixture);
}

/* Beside a source that nobody spoke of, whose descriptor is closed and opened again with the same number
 * while nothing else changes. */
static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  int adopted = make_event (), fd = make_event ();
  guint n = 0, n_adopted = 0;
  GSource *source = add_source (fixture, adopted, &n_adopted);

  metrics_epoll_adopt (fixture->epoll, adopted);
  expect (fixture, adopted, &n_adopted);
  for (guint i = 0; i < 3; i++)
    {
      GSource *unknown = add_source (fixture, fd, &n);
      int again;

      expect (fixture, fd, &n);
      expect (fixture, adopted, &n_adopted);
      expect_inside (fixture);
      remove_source (unknown);
      close (fd);
      again = make_event ();
      g_assert_cmpint (again, ==, fd);
    }
  expect (fixture, adopted, &n_adopted);
  expect_nothing (fixture);

  remove_source (source);
  metrics_epoll_disown (fixture->epoll, adopted);
  close (adopted);
  close (fd);
}

/* One that was disowned, and closed, and whose number returns as that of another. */
static void
test_disowned (Fixture *fixture, gconstpointer data)
{
  int first = make_event (), fd = make_event ();
  guint n = 0, n_first = 0;
  GSource *first_source = add_source (fixture, first, &n_first);

  metrics_epoll_adopt (fixture->epoll, fd);
  metrics_epoll_adopt (fixture->epoll, first);
  for (guint i = 0; i < 3; i++)
    {
      GSource *source = add_source (fixture, fd, &n);
      int again;

      expect (fixture, fd, &n);
      expect (fixture, first, &n_first);
      remove_source (source);
      metrics_epoll_disown (fixture->epoll, fd);
      close (fd);
      again = make_event ();
      g_assert_cmpint (again, ==, fd);
      metrics_epoll_adopt (fixture->epoll, fd);
    }
  expect_inside (fixture);

  remove_source (first_source);
  metrics_epoll_disown (fixture->epoll, first);
  metrics_epoll_disown (fixture->epoll, fd);
  close (first);
  close (fd);
}

/* More than there is room for: poll() does it. */
static void
test_many (Fixture *fixture, gconstpointer data)
{
  int fds[40];
  GSource *sources[G_N_ELEMENTS (fds)];
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      fds[i] = make_event ();
      metrics_epoll_adopt (fixture->epoll, fds[i]);
      sources[i] = add_source (fixture, fds[i], &n);
      expect (fixture, fds[i], &n);
      expect (fixture, fds[0], &n);
      expect_inside (fixture);
    }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      expect (fixture, fds[i], &n);
      remove_source (sources[i]);
      metrics_epoll_disown (fixture->epoll, fds[i]);
      close (fds[i]);
      expect_inside (fixture);
    }
}

/* What went before anybody took its event is not heard of again. */
static void
test_forgotten (Fixture *fixture, gconstpointer data)
{
  struct epoll_event events[METRICS_EPOLL_MAX_EVENTS];
  int timeout, priority;
  GPollFD fds[4];
  int n_fds;

  raise_event (fixture->inside);
  g_assert_true (g_main_context_acquire (fixture->context));
  g_main_context_prepare (fixture->context, &priority);
  n_fds = g_main_context_query (fixture->context, priority, &timeout, fds, G_N_ELEMENTS (fds));
  /* The context itself may have been woken up as well. */
  g_assert_cmpint (g_main_context_get_poll_func (fixture->context) (fds, n_fds, timeout), >=, 1);
  g_main_context_release (fixture->context);

  g_assert_cmpint (metrics_epoll_control (fixture->epoll, EPOLL_CTL_DEL, fixture->inside, 0, NULL), ==, 0);
  metrics_epoll_forget (fixture->epoll, fixture);
  g_assert_cmpint (metrics_epoll_take (fixture->epoll, events), ==, 0);
}

static gpointer
wake_up (gpointer context)
{
  g_main_context_wakeup (context);
  return NULL;
}

static void
test_wake_up (Fixture *fixture, gconstpointer data)
{
  GThread *thread = g_thread_new ("wake-up", wake_up, fixture->context);

  g_main_context_iteration (fixture->context, TRUE);
  g_thread_join (thread);
  expect_inside (fixture);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *, gconstpointer);
  } tests[] = {
    { "/epoll/inside", test_inside },   { "/epoll/adopted", test_adopted },
    { "/epoll/unknown", test_unknown }, { "/epoll/disowned", test_disowned },
    { "/epoll/many", test_many },       { "/epoll/forgotten", test_forgotten },
    { "/epoll/wake-up", test_wake_up },
  };

  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);

  return g_test_run ();
}
