/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-notify.h"

#include "common/metrics-log.h"
#include "daemon/metrics-systemd.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>

/* What is said when the main context works comes from it: a watchdog that another thread fed would be content
 * with a server that answers nobody.
 *
 * What is said is handed over to a thread, though, for that waits where the manager has not read what
 * was said before, and nobody is served then.
 *
 * Loading and the last commit are waited for outside of it, and take as long as the disk takes. Meanwhile a
 * thread asks for more time, again and again as long as the process gets on: one that hangs is still ended at
 * its timeout. */

/* Seconds between two looks at whether it gets on, and what is asked for where it does. The second is
 * several times the first: a machine that is busy must not be late. */
#define LOOK_INTERVAL 5
#define LOOK_EXTENSION 30

/* Nanoseconds of processor time: less is no progress, but a thread that woke up to see that there is none. */
#define LEAST_PROGRESS (1000 * 1000)

/* Messages that may wait for the manager to read: with more, the watchdog has nothing new to tell. And for
 * how many seconds the end of the process waits for it. */
#define MAX_WAITING 8
#define CLOSE_PATIENCE 5

/* What nobody would notice is not worth a message, however short the watchdog's time is. */
#define LEAST_LATENESS G_USEC_PER_SEC

static struct
{
  char *status; /* (owned) (nullable): what is shown of it while it serves */
  guint watchdog_id;
  guint64 watchdog_usec; /* the watchdog's time */
  gint64 last_round;     /* monotonic time at which the main context last came round to it */

  GThreadPool *sender; /* (owned) (nullable): of one thread, so that all is said in order */
  GThread *thread;     /* (owned) (nullable): asks for time */

  GMutex mutex;
  GCond cond;
  /* By the mutex. */
  gboolean is_waiting;
  guint n_unsent;
} state;

static gboolean
is_heard (void)
{
  return g_getenv ("NOTIFY_SOCKET") != NULL;
}

static void
send_cb (gpointer data, gpointer user_data)
{
  g_autofree char *text = data;
  g_autoptr (GError) error = NULL;

  if (!metrics_systemd_notify (text, &error))
    g_debug ("the service manager cannot be told '%s': %s", text, error->message);
  g_mutex_lock (&state.mutex);
  state.n_unsent--;
  g_cond_broadcast (&state.cond);
  g_mutex_unlock (&state.mutex);
}

static void
send_text (const char *text)
{
  if (!is_heard ())
    return;
  g_mutex_lock (&state.mutex);
  state.n_unsent++;
  g_mutex_unlock (&state.mutex);
  if (state.sender == NULL)
    state.sender = g_thread_pool_new (send_cb, NULL, 1, FALSE, NULL);
  g_thread_pool_push (state.sender, g_strdup (text), NULL);
}

/* A line of its own, whatever names of files are in it. */
static char *
make_status (const char *text)
{
  char *status = g_utf8_make_valid (text, -1);

  for (char *c = status; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = '?';
  return status;
}

static void
send_with_status (const char *assignments, const char *text)
{
  g_autofree char *status = NULL;
  g_autofree char *message = NULL;

  if (!is_heard ())
    return;
  status = make_status (text);
  message = g_strdup_printf ("%s\nSTATUS=%s", assignments, status);
  send_text (message);
}

/**
 * metrics_notify_set_status:
 * @status: a line for people
 *
 * Says what metrics_notify_ready() has the service manager show from then on.
 */
void
metrics_notify_set_status (const char *status)
{
  g_return_if_fail (status != NULL);

  g_free (state.status);
  state.status = g_strdup (status);
}

/**
 * metrics_notify_ready:
 *
 * Says that clients are served: at the end of a start, and of a reload.
 */
void
metrics_notify_ready (void)
{
  send_with_status ("READY=1", state.status != NULL ? state.status : _ ("Serving clients"));
}

/**
 * metrics_notify_reloading:
 *
 * Says that the configuration is read again. metrics_notify_ready() has to follow, whether that goes well or
 * not.
 */
void
metrics_notify_reloading (void)
{
  g_autofree char *assignments = NULL;

  /* With the time, in the clock that g_get_monotonic_time() has as well, who asked for the reload knows that
   * this is the answer and not that to somebody before. */
  assignments = g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" PRId64, (gint64) g_get_monotonic_time ());
  send_with_status (assignments, _ ("Reading the configuration"));
}

/**
 * metrics_notify_stopping:
 *
 * Says that the server stops by itself or was told to.
 */
void
metrics_notify_stopping (void)
{
  send_with_status ("STOPPING=1", _ ("Stopping: waiting for clients"));
}

/**
 * metrics_notify_extend:
 * @seconds: how long from now on
 *
 * Asks not to be ended for being late with a start or a stop.
 */
void
metrics_notify_extend (guint seconds)
{
  g_autofree char *text
      = g_strdup_printf ("EXTEND_TIMEOUT_USEC=%" PRIu64, (guint64) seconds * G_USEC_PER_SEC);

  send_text (text);
}

static gint64
get_clock (clockid_t clock)
{
  struct timespec time = { 0 };

  clock_gettime (clock, &time);
  return (gint64) time.tv_sec * 1000 * 1000 * 1000 + time.tv_nsec;
}

/* What the process has done so far beside looking at it. */
typedef struct
{
  gint64 cpu_time;
  gint64 blocks;
} Progress;

static Progress
get_progress (void)
{
  struct rusage usage = { 0 };

  getrusage (RUSAGE_SELF, &usage);
  return (Progress){
    .cpu_time = get_clock (CLOCK_PROCESS_CPUTIME_ID) - get_clock (CLOCK_THREAD_CPUTIME_ID),
    .blocks = usage.ru_inblock + usage.ru_oublock,
  };
}

static gpointer
wait_thread (gpointer data)
{
  Progress seen = get_progress ();

  g_mutex_lock (&state.mutex);
  while (state.is_waiting)
    {
      gint64 end = g_get_monotonic_time () + LOOK_INTERVAL * G_USEC_PER_SEC;
      Progress now;

      while (state.is_waiting && g_cond_wait_until (&state.cond, &state.mutex, end))
        ;
      if (!state.is_waiting)
        break;
      now = get_progress ();
      if (now.cpu_time - seen.cpu_time < LEAST_PROGRESS && now.blocks == seen.blocks)
        continue;
      seen = now;
      /* To say something takes the lock. */
      g_mutex_unlock (&state.mutex);
      metrics_notify_extend (LOOK_EXTENSION);
      g_mutex_lock (&state.mutex);
    }
  g_mutex_unlock (&state.mutex);
  return NULL;
}

/**
 * metrics_notify_begin_wait:
 * @status: a line for people: what is being done
 *
 * To be called before something that the main context cannot go on without, and that may take long. As long
 * as the process gets on, it is not ended for being late. Waits do not nest.
 */
void
metrics_notify_begin_wait (const char *status)
{
  g_autofree char *assignments = NULL;

  g_return_if_fail (status != NULL);
  g_return_if_fail (state.thread == NULL);

  if (!is_heard ())
    return;
  assignments = g_strdup_printf ("EXTEND_TIMEOUT_USEC=%" PRIu64, (guint64) LOOK_EXTENSION * G_USEC_PER_SEC);
  send_with_status (assignments, status);
  state.is_waiting = TRUE;
  state.thread = g_thread_new ("notify", wait_thread, NULL);
}

/**
 * metrics_notify_end_wait:
 *
 * What metrics_notify_begin_wait() was called for is done, or has failed.
 */
void
metrics_notify_end_wait (void)
{
  if (state.thread == NULL)
    return;
  g_mutex_lock (&state.mutex);
  state.is_waiting = FALSE;
  g_cond_broadcast (&state.cond);
  g_mutex_unlock (&state.mutex);
  g_thread_join (g_steal_pointer (&state.thread));
}

/* Whoever finds the server killed by the watchdog one day can see how near it has been before. */
static void
check_lateness (void)
{
  gint64 now = g_get_monotonic_time ();
  guint64 passed = now - state.last_round;

  state.last_round = now;
  if (passed < LEAST_LATENESS || passed < state.watchdog_usec / 4 * 3)
    return;
  if (metrics_log_is_due (METRICS_EVENT_WATCHDOG))
    {
      double seconds = (double) passed / G_USEC_PER_SEC;
      double limit = (double) state.watchdog_usec / G_USEC_PER_SEC;
      g_autofree char *reason = g_strdup_printf ("%.1f s of %.1f s", seconds, limit);

      metrics_log (METRICS_EVENT_WATCHDOG, METRICS_FIELDS (METRICS_TEXT (REASON, reason)),
                   /* Translators: numbers of seconds */
                   _ ("nobody was served for %.1f s; the watchdog allows %.1f s"), seconds, limit);
    }
}

static gboolean
watchdog_cb (gpointer user_data)
{
  check_lateness ();
  if (state.sender == NULL || g_thread_pool_unprocessed (state.sender) < MAX_WAITING)
    send_text ("WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

/**
 * metrics_notify_watch:
 *
 * Tells the service manager twice in each of its intervals that the main context still comes round, if it
 * asked for that. The source has the priority of what clients are served with: where these keep the server
 * busy it has its turn after each of them, and where one of them is stuck it has none.
 */
void
metrics_notify_watch (void)
{
  guint64 usec = metrics_systemd_get_watchdog_time ();

  if (usec == 0 || state.watchdog_id != 0)
    return;
  send_text ("WATCHDOG=1");
  state.watchdog_usec = usec;
  state.last_round = g_get_monotonic_time ();
  state.watchdog_id = g_timeout_add_full (G_PRIORITY_DEFAULT, CLAMP (usec / 2 / 1000, 1, G_MAXUINT),
                                          watchdog_cb, NULL, NULL);
}

/**
 * metrics_notify_unwatch:
 *
 * Ends what metrics_notify_watch() began.
 */
void
metrics_notify_unwatch (void)
{
  g_clear_handle_id (&state.watchdog_id, g_source_remove);
}

/**
 * metrics_notify_close:
 *
 * Waits until all has been said, but not for long. To be called at the end of the process.
 */
void
metrics_notify_close (void)
{
  gint64 end = g_get_monotonic_time () + CLOSE_PATIENCE * G_USEC_PER_SEC;

  metrics_notify_end_wait ();
  metrics_notify_unwatch ();
  if (state.sender == NULL)
    return;
  g_mutex_lock (&state.mutex);
  while (state.n_unsent > 0 && g_cond_wait_until (&state.cond, &state.mutex, end))
    ;
  g_mutex_unlock (&state.mutex);
  g_thread_pool_free (g_steal_pointer (&state.sender), TRUE, FALSE);
}
