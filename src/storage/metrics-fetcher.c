/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "storage/metrics-fetcher.h"

#include "storage/metrics-storage-log.h"

#include <gio/gio.h>

/* Brings what is on disk alone: a thread that reads, asked by the main thread, and answering in it.
 *
 * A hold is an open transaction on a connection of its own: what is read under it is as it was when the hold
 * was made. Making one takes some microseconds, so the main thread does it; from then on the connection
 * belongs to whoever has set busy: the reader while it reads, else the main thread.
 *
 * While there is a hold, SQLite's write-ahead log cannot begin anew and grows. So a hold is seldom older than
 * the newest checkpoint (metrics_fetcher_renew()), there are few, and when the log has grown long the oldest
 * ends, whoever still needs it: that one is answered that it cannot be read. */

#define MAX_HOLDS 64
/* Connections that are kept for the next hold. */
#define MAX_IDLE 4
/* How long the write-ahead log may get with holds. From twice as much on, all of them end. */
#define MAX_WAL (64 << 20)

/* A medium may have hiccups: what fails is tried once more. */
#define N_ATTEMPTS 2

/* How many answers are given before others have their turn. */
#define MAX_ANSWERS 64

struct _MetricsHold
{
  guint ref_count;         /* the main thread's */
  MetricsFetcher *fetcher; /* (unowned) (nullable): %NULL once it has ended */
  MetricsRows *rows;       /* (owned) (nullable): guarded by the mutex of @fetcher, and by @busy */
  gboolean busy;           /* guarded by the mutex: the thread reads */
  gboolean ended;          /* guarded by the mutex */
};

typedef enum
{
  TICKET_WAITING,
  TICKET_READING,
  TICKET_DONE,
} TicketState;

typedef struct
{
  MetricsHold *hold; /* (owned) (nullable) */
  MetricsChunkRequest request;
  MetricsChunkSourceFunc func;
  gpointer user_data;
  gboolean cancelled; /* the main thread's */

  TicketState state; /* guarded by the mutex */
  gboolean good;     /* whether there is an answer */
  GError *error;     /* (owned) (nullable): why there is none */
  MetricsChunkAnswer answer;
  GArray *damaged; /* (owned) (element-type MetricsDamagedRow) */
} Ticket;

struct _MetricsFetcher
{
  char *path; /* (owned) */
  MetricsFetcherDamageFunc damage;
  gpointer user_data;
  GHashTable *named;    /* (owned) (element-type guint64): damaged rows that were named */
  GSource *notice;      /* (owned): made ready when there are answers */
  MetricsHold *current; /* (unowned) (nullable): what the next one who wants a hold gets */
  GQueue holds;     /* (unowned) (element-type MetricsHold): those that have not ended, the oldest first */
  gboolean failing; /* whether reading failed last */
  gboolean closed;

  GThread *thread; /* (owned) (nullable) */
  GMutex mutex;    /* guards what follows up to the next comment */
  GCond wake;      /* for the thread */
  GQueue waiting;  /* (owned) (element-type Ticket) */
  GQueue done;     /* (owned) (element-type Ticket) */
  GPtrArray *idle; /* (owned) (element-type MetricsRows): without a transaction */
  gboolean stopping;

  /* The thread's own, and the main thread's before there is one. */
  MetricsRows *rows; /* (owned) */
};

static void
ticket_free (Ticket *self)
{
  if (self->hold != NULL)
    metrics_hold_unref (self->hold);
  if (self->good)
    metrics_chunk_answer_clear (&self->answer);
  g_clear_error (&self->error);
  g_array_unref (self->damaged);
  g_free (self);
}

/* With the mutex: ends a transaction that nobody reads in. */
static void
put_back (MetricsFetcher *self, MetricsRows *rows)
{
  metrics_rows_end (rows);
  if (self->idle->len < MAX_IDLE && !self->stopping)
    g_ptr_array_add (self->idle, rows);
  else
    metrics_rows_close (rows);
}

/* Ends a hold, whoever still has it. */
static void
end_hold (MetricsHold *hold)
{
  MetricsFetcher *self = hold->fetcher;

  if (self == NULL)
    return;
  g_queue_remove (&self->holds, hold);
  if (self->current == hold)
    self->current = NULL;
  hold->fetcher = NULL;
  g_mutex_lock (&self->mutex);
  hold->ended = TRUE;
  if (!hold->busy)
    put_back (self, g_steal_pointer (&hold->rows));
  g_mutex_unlock (&self->mutex);
}

/**
 * metrics_hold_ref:
 * @self: a hold
 *
 * Returns: (transfer full): the same
 */
MetricsHold *
metrics_hold_ref (MetricsHold *self)
{
  self->ref_count++;
  return self;
}

/**
 * metrics_hold_unref:
 * @self: (transfer full): a hold
 *
 * Lets go of it.
 */
void
metrics_hold_unref (MetricsHold *self)
{
  if (--self->ref_count > 0)
    return;
  /* Whoever comes next, for the next series perhaps, gets the same one. */
  if (self->fetcher != NULL && self->fetcher->current == self)
    return;
  end_hold (self);
  g_free (self);
}

/* Ends the newest hold where nobody has it. */
static void
drop_unused (MetricsFetcher *self)
{
  MetricsHold *hold = self->current;

  if (hold == NULL || hold->ref_count > 0)
    return;
  end_hold (hold);
  g_free (hold);
}

static MetricsRows *
begin_rows (MetricsFetcher *self)
{
  g_autoptr (MetricsRows) rows = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->mutex);
  if (self->idle->len > 0)
    rows = g_ptr_array_steal_index_fast (self->idle, self->idle->len - 1);
  g_mutex_unlock (&self->mutex);
  if (rows == NULL)
    rows = metrics_rows_open (self->path, NULL);
  if (rows == NULL)
    rows = metrics_rows_open (self->path, &error);
  if (rows != NULL && metrics_rows_begin (rows, &error))
    return g_steal_pointer (&rows);
  metrics_storage_log_unread (self->path, error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    self->damage (NULL, self->user_data);
  return NULL;
}

/**
 * metrics_fetcher_hold:
 * @self: a reader
 *
 * Returns: (transfer full) (nullable): what there is now, see metrics_chunk_source_hold()
 */
MetricsHold *
metrics_fetcher_hold (MetricsFetcher *self)
{
  MetricsRows *rows;

  if (self->current != NULL)
    return metrics_hold_ref (self->current);
  if (self->holds.length >= MAX_HOLDS)
    end_hold (g_queue_peek_head (&self->holds));
  rows = begin_rows (self);
  if (rows == NULL)
    return NULL;
  self->current = g_new0 (MetricsHold, 1);
  self->current->ref_count = 1;
  self->current->fetcher = self;
  self->current->rows = rows;
  g_queue_push_tail (&self->holds, self->current);
  return self->current;
}

/**
 * metrics_fetcher_renew:
 * @self: a reader
 *
 * To be called when the store has heard that chunks were written: holds that are made from now on see them.
 */
void
metrics_fetcher_renew (MetricsFetcher *self)
{
  drop_unused (self);
  self->current = NULL;
}

/**
 * metrics_fetcher_limit:
 * @self: a reader
 * @wal_size: how many bytes the write-ahead log has
 *
 * To be called after each commit: ends holds where they have made the log long.
 */
void
metrics_fetcher_limit (MetricsFetcher *self, guint64 wal_size)
{
  drop_unused (self);
  if (wal_size > MAX_WAL && self->holds.length > 0)
    end_hold (g_queue_peek_head (&self->holds));
  while (wal_size > 2 * MAX_WAL && self->holds.length > 0)
    end_hold (g_queue_peek_head (&self->holds));
}

/* Reads as things are now: in one transaction, so that the index and the table are of one instant. An error
 * of the medium ends that; then it is begun once more. */
static gboolean
read_now (MetricsFetcher *self,
          const MetricsChunkRequest *request,
          MetricsChunkAnswer *answer,
          GArray *damaged,
          GError **error)
{
  gboolean good = FALSE;

  for (guint i = 0; !good && i < N_ATTEMPTS; i++)
    {
      g_clear_error (error);
      if (!metrics_rows_begin (self->rows, error))
        return FALSE;
      good = metrics_rows_read (self->rows, request, answer, damaged, error);
      metrics_rows_end (self->rows);
    }
  return good;
}

/* In the thread, without the mutex. */
static void
read_ticket (MetricsFetcher *self, Ticket *ticket, MetricsRows *rows)
{
  if (ticket->hold == NULL)
    ticket->good = read_now (self, &ticket->request, &ticket->answer, ticket->damaged, &ticket->error);
  else if (rows != NULL)
    ticket->good
        = metrics_rows_read (rows, &ticket->request, &ticket->answer, ticket->damaged, &ticket->error);
}

/* With the mutex, which it leaves for as long as it reads. */
static void
do_ticket (MetricsFetcher *self, Ticket *ticket)
{
  MetricsHold *hold = ticket->hold;
  MetricsRows *rows = NULL;

  ticket->state = TICKET_READING;
  if (hold != NULL && !hold->ended)
    {
      hold->busy = TRUE;
      rows = hold->rows;
    }
  g_mutex_unlock (&self->mutex);
  read_ticket (self, ticket, rows);
  g_mutex_lock (&self->mutex);
  if (rows != NULL)
    {
      hold->busy = FALSE;
      if (hold->ended)
        put_back (self, g_steal_pointer (&hold->rows));
    }
  ticket->state = TICKET_DONE;
  g_queue_push_tail (&self->done, ticket);
  g_source_set_ready_time (self->notice, 0);
}

static gpointer
read_until_stopped (gpointer user_data)
{
  MetricsFetcher *self = user_data;

  g_mutex_lock (&self->mutex);
  while (!self->stopping)
    {
      Ticket *ticket = g_queue_pop_head (&self->waiting);

      if (ticket != NULL)
        do_ticket (self, ticket);
      else
        g_cond_wait (&self->wake, &self->mutex);
    }
  g_mutex_unlock (&self->mutex);
  return NULL;
}

static void
name_damage (MetricsFetcher *self, GArray *damaged, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA))
    self->damage (NULL, self->user_data);
  for (guint i = 0; i < damaged->len; i++)
    {
      const MetricsDamagedRow *row = &g_array_index (damaged, MetricsDamagedRow, i);

      if (g_hash_table_add (self->named, g_memdup2 (&row->id, sizeof row->id)))
        self->damage (row, self->user_data);
    }
}

/* The cause is said once, not at each attempt. */
static void
report_failing (MetricsFetcher *self, const Ticket *ticket)
{
  if (ticket->error != NULL && !self->failing)
    metrics_storage_log_unread (self->path, ticket->error);
  if (ticket->error != NULL || ticket->good)
    self->failing = ticket->error != NULL;
}

static void
give_answer (MetricsFetcher *self, Ticket *ticket)
{
  if (!ticket->cancelled)
    {
      report_failing (self, ticket);
      name_damage (self, ticket->damaged, ticket->error);
      ticket->func (ticket->good ? &ticket->answer : NULL, ticket->user_data);
    }
  ticket_free (ticket);
}

static Ticket *
take_done (MetricsFetcher *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return g_queue_pop_head (&self->done);
}

static void
metrics_fetcher_clear (MetricsFetcher *self)
{
  g_hash_table_unref (self->named);
  g_ptr_array_unref (self->idle);
  g_clear_pointer (&self->rows, metrics_rows_close);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->wake);
  g_free (self->path);
}

static void
metrics_fetcher_release (MetricsFetcher *self)
{
  g_rc_box_release_full (self, (GDestroyNotify) metrics_fetcher_clear);
}

static gboolean
on_notice (gpointer user_data)
{
  MetricsFetcher *self = g_rc_box_acquire (user_data);

  /* Who is answered may close it. */
  for (guint i = 0; !self->closed; i++)
    {
      Ticket *ticket;

      if (i == MAX_ANSWERS)
        {
          g_source_set_ready_time (self->notice, 0);
          break;
        }
      ticket = take_done (self);
      if (ticket == NULL)
        break;
      give_answer (self, ticket);
    }
  metrics_fetcher_release (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_notice (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs notice_funcs = { .dispatch = dispatch_notice };

/**
 * metrics_fetcher_new:
 * @path: a database that metrics_database_open() has open
 * @damage: is told of damaged rows, in this thread
 * @user_data: for @damage
 * @error: return location for a #GError
 *
 * Returns: (transfer full) (nullable): a reader of what is on disk alone; answers come in the thread-default
 * main context of this thread
 */
MetricsFetcher *
metrics_fetcher_new (const char *path, MetricsFetcherDamageFunc damage, gpointer user_data, GError **error)
{
  MetricsRows *rows = metrics_rows_open (path, error);
  MetricsFetcher *self;

  if (rows == NULL)
    return NULL;
  self = g_rc_box_new0 (MetricsFetcher);
  self->path = g_strdup (path);
  self->damage = damage;
  self->user_data = user_data;
  self->named = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->rows = rows;
  self->idle = g_ptr_array_new_with_free_func ((GDestroyNotify) metrics_rows_close);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->wake);
  self->notice = g_source_new (&notice_funcs, sizeof (GSource));
  g_source_set_static_name (self->notice, "MetricsFetcher");
  g_source_set_callback (self->notice, on_notice, self, NULL);
  g_source_attach (self->notice, g_main_context_get_thread_default ());
  return self;
}

/**
 * metrics_fetcher_close:
 * @self: (transfer full): a reader
 *
 * Ends it. Requests that were not answered are answered that they cannot be read. Holds are of no use then;
 * they can still be let go of.
 */
void
metrics_fetcher_close (MetricsFetcher *self)
{
  self->closed = TRUE;
  g_source_destroy (self->notice);
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->mutex);
  g_clear_pointer (&self->thread, g_thread_join);
  while (self->waiting.length + self->done.length > 0)
    {
      Ticket *ticket = g_queue_pop_head (self->done.length > 0 ? &self->done : &self->waiting);

      give_answer (self, ticket);
    }
  drop_unused (self);
  while (self->holds.length > 0)
    end_hold (g_queue_peek_head (&self->holds));
  g_source_unref (self->notice);
  metrics_fetcher_release (self);
}

/**
 * metrics_fetcher_read:
 * @self: a reader that was not asked for anything yet
 * @request: what is wanted
 * @answer: (out caller-allocates): it; to be cleared, but where this fails
 * @error: return location for a #GError
 *
 * Reads at once. Only while the store is being restored: the disk is waited for.
 *
 * Returns: %FALSE where it cannot be read
 */
gboolean
metrics_fetcher_read (MetricsFetcher *self,
                      const MetricsChunkRequest *request,
                      MetricsChunkAnswer *answer,
                      GError **error)
{
  g_autoptr (GArray) damaged = g_array_new (FALSE, FALSE, sizeof (MetricsDamagedRow));
  g_autoptr (GError) local_error = NULL;

  g_assert (self->thread == NULL);

  if (!read_now (self, request, answer, damaged, &local_error))
    {
      name_damage (self, damaged, local_error);
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  name_damage (self, damaged, NULL);
  return TRUE;
}

/**
 * metrics_fetcher_request:
 * @self: a reader
 * @hold: (nullable): as of when; %NULL for whatever there is when it is read
 * @request: what is wanted
 * @func: is told of it, later
 * @user_data: for @func
 *
 * See metrics_chunk_source_request().
 *
 * Returns: (transfer none): a ticket for metrics_fetcher_cancel()
 */
gpointer
metrics_fetcher_request (MetricsFetcher *self,
                         MetricsHold *hold,
                         const MetricsChunkRequest *request,
                         MetricsChunkSourceFunc func,
                         gpointer user_data)
{
  Ticket *ticket = g_new0 (Ticket, 1);

  ticket->hold = hold != NULL ? metrics_hold_ref (hold) : NULL;
  ticket->request = *request;
  ticket->func = func;
  ticket->user_data = user_data;
  ticket->damaged = g_array_new (FALSE, FALSE, sizeof (MetricsDamagedRow));
  g_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->waiting, ticket);
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->mutex);
  if (self->thread == NULL && !self->closed)
    self->thread = g_thread_new ("fetcher", read_until_stopped, self);
  return ticket;
}

/**
 * metrics_fetcher_cancel:
 * @self: a reader
 * @ticket: of a request that was not answered yet
 *
 * See metrics_chunk_source_cancel().
 */
void
metrics_fetcher_cancel (MetricsFetcher *self, gpointer ticket)
{
  Ticket *one = ticket;
  gboolean is_waiting;

  one->cancelled = TRUE;
  g_mutex_lock (&self->mutex);
  is_waiting = one->state == TICKET_WAITING && g_queue_remove (&self->waiting, one);
  g_mutex_unlock (&self->mutex);
  if (is_waiting)
    ticket_free (one);
}
