/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-link.h"

#include "ctl/metrics-ctl-bench-hello.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <metrics-glib/metrics-glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* A load generator must cost less than what it measures. So nothing is done for each answer where that can be
 * avoided: requests were written down before and leave many at a time; the answers to puts are compared with
 * a stretch of good ones, many at a time, and an answer whose bytes are known is compared with these. Only
 * where something differs is an answer taken apart. The clock is read once for what was sent together and
 * once for what was received together. */

/* The most that is given to a send(): about what stays in a core's own cache. */
#define SEND_MAX (128 * 1024)

/* A stretch of good answers to compare with. */
#define ACKS_SIZE (32 * 1024)

/* How long a waiting call may take before it is asked whether to go on. */
#define WAIT_USEC 100000

struct _MetricsBenchCommon
{
  const MetricsBenchDialect *dialect; /* (unowned) */
  gsize ack_len;
  char *acks; /* (owned) (nullable): the good answer to a put, as often as there is room */
  gsize acks_len;
  char received[METRICS_BENCH_RECEIVE_MAX];
};

/* Requests that were sent whole at the same time, after those that were sent before. */
typedef struct
{
  guint64 n_sent;
  gint64 time;
} Sending;

struct _MetricsBenchLink
{
  GSocket *socket; /* (owned) */
  int fd;
  MetricsBenchCommon *common;       /* (unowned) */
  const MetricsBenchScript *script; /* (unowned) (nullable) */
  MetricsBenchTally *tally;         /* (unowned) (nullable) */
  guint depth;                      /* requests without an answer at most; 0 is as many as can be sent */

  /* Sending. Bytes are counted from the beginning of the script, through all its repetitions. */
  guint64 n_sent;
  guint64 bytes_sent;
  guint64 sent_end;    /* where the request ends that is sent next */
  guint sent_index;    /* which that is in the script */
  gsize offset;        /* where in the script the next byte is */
  guint64 n_window;    /* requests that may be sent, as far as was looked */
  guint64 window_end;  /* where they end */
  guint window_index;  /* which the next one is in the script */
  gboolean shut;       /* nothing more will be sent */
  gboolean ended;      /* nothing more will come */
  GArray *sendings;    /* (owned) (element-type Sending): what is not answered yet begins at @first_sending */
  guint first_sending; /* those before are over */

  /* Receiving. */
  guint64 n_answered;
  guint64 n_timed;         /* of these, those whose latency is counted */
  guint answer_index;      /* which answer comes next, in the script */
  gsize matched;           /* bytes of the next answer that have come and are as they should be */
  gboolean parsing;        /* it is not as expected, or that is not known: it is taken apart */
  gboolean differs;        /* it is known, and this is not it */
  MetricsBenchReply reply; /* where @parsing */
};

/**
 * metrics_bench_common_new:
 * @dialect: how the server is spoken to
 *
 * Returns: (transfer full): what links share
 */
MetricsBenchCommon *
metrics_bench_common_new (const MetricsBenchDialect *dialect)
{
  MetricsBenchCommon *self = g_new0 (MetricsBenchCommon, 1);

  self->dialect = dialect;
  if (dialect->ack != NULL)
    {
      self->ack_len = strlen (dialect->ack);
      self->acks_len = ACKS_SIZE - ACKS_SIZE % self->ack_len;
      self->acks = g_malloc (self->acks_len);
      for (gsize i = 0; i < self->acks_len; i++)
        self->acks[i] = dialect->ack[i % self->ack_len];
    }
  return self;
}

/**
 * metrics_bench_common_free:
 * @self: (transfer full): what links shared
 */
void
metrics_bench_common_free (MetricsBenchCommon *self)
{
  g_free (self->acks);
  g_free (self);
}

/**
 * metrics_bench_link_new:
 * @socket: a connected socket
 * @common: what is shared with other links, and outlives this one
 *
 * Returns: (transfer full): a link
 */
MetricsBenchLink *
metrics_bench_link_new (GSocket *socket, MetricsBenchCommon *common)
{
  MetricsBenchLink *self = g_new0 (MetricsBenchLink, 1);
  struct timeval wait = { .tv_usec = WAIT_USEC };
  int yes = 1;

  self->socket = g_object_ref (socket);
  self->fd = g_socket_get_fd (socket);
  self->common = common;
  self->sendings = g_array_new (FALSE, FALSE, sizeof (Sending));
  /* Where there is nothing to do but wait for one answer, a recv() that waits saves a call of poll(). */
  fcntl (self->fd, F_SETFL, fcntl (self->fd, F_GETFL) & ~O_NONBLOCK);
  setsockopt (self->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  /* Of no effect where it is no TCP. */
  setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return self;
}

/**
 * metrics_bench_link_free:
 * @self: (transfer full): a link
 */
void
metrics_bench_link_free (MetricsBenchLink *self)
{
  g_object_unref (self->socket);
  g_array_unref (self->sendings);
  g_free (self);
}

/**
 * metrics_bench_link_get_fd:
 * @self: a link
 *
 * Returns: its file descriptor, to be polled
 */
int
metrics_bench_link_get_fd (const MetricsBenchLink *self)
{
  return self->fd;
}

static gint64
get_nanoseconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

/**
 * metrics_bench_link_begin:
 * @self: a link that has no script, or has carried it out
 * @script: what to carry out; it outlives that
 * @depth: how many requests may be without an answer; 0 is as many as can be sent
 * @tally: where to count
 */
void
metrics_bench_link_begin (MetricsBenchLink *self,
                          const MetricsBenchScript *script,
                          guint depth,
                          MetricsBenchTally *tally)
{
  self->script = script;
  self->depth = depth;
  self->tally = tally;
  self->n_sent = self->n_window = self->n_answered = self->n_timed = 0;
  self->bytes_sent = self->window_end = 0;
  self->offset = 0;
  self->sent_index = self->window_index = self->answer_index = 0;
  self->sent_end = script->lengths->len > 0 ? g_array_index (script->lengths, guint32, 0) : 0;
  self->first_sending = 0;
  g_array_set_size (self->sendings, 0);
}

/* Looks how far may be sent: as far as the depth allows, and not farther than the next send() needs. */
static void
widen_window (MetricsBenchLink *self)
{
  const MetricsBenchScript *script = self->script;
  guint64 end = script->n_requests;

  if (self->depth > 0)
    end = MIN (end, self->n_answered + self->depth);
  while (self->n_window < end && self->window_end - self->bytes_sent < SEND_MAX)
    {
      self->window_end += g_array_index (script->lengths, guint32, self->window_index);
      self->n_window++;
      if (++self->window_index == script->lengths->len)
        self->window_index = 0;
    }
}

static void
note_sent (MetricsBenchLink *self, gsize n_bytes, gint64 time)
{
  const MetricsBenchScript *script = self->script;
  guint64 n_before = self->n_sent;
  Sending sending;

  self->tally->bytes_sent += n_bytes;
  self->bytes_sent += n_bytes;
  self->offset += n_bytes;
  if (self->offset == script->bytes->len)
    self->offset = 0;
  while (self->n_sent < script->n_requests && self->sent_end <= self->bytes_sent)
    {
      self->n_sent++;
      if (++self->sent_index == script->lengths->len)
        self->sent_index = 0;
      self->sent_end += g_array_index (script->lengths, guint32, self->sent_index);
    }
  self->tally->n_sent += self->n_sent - n_before;
  if (self->n_sent == n_before)
    return;

  /* What is over leaves when all is, or when it is the greater part. */
  if (self->first_sending > 64 && self->first_sending * 2 > self->sendings->len)
    {
      g_array_remove_range (self->sendings, 0, self->first_sending);
      self->first_sending = 0;
    }
  sending = (Sending){ self->n_sent, time };
  g_array_append_val (self->sendings, sending);
}

/**
 * metrics_bench_link_send:
 * @self: a link with a script
 * @error: return location for a #GError
 *
 * Sends what may be sent and what the socket takes.
 *
 * Returns: %FALSE where the connection is broken
 */
gboolean
metrics_bench_link_send (MetricsBenchLink *self, GError **error)
{
  const GString *bytes = self->script->bytes;

  for (;;)
    {
      gint64 time;
      ssize_t sent;
      gsize n;

      widen_window (self);
      n = MIN (MIN (self->window_end - self->bytes_sent, bytes->len - self->offset), SEND_MAX);
      if (n == 0)
        break;
      time = get_nanoseconds ();
      sent = send (self->fd, bytes->str + self->offset, n, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return TRUE;
      if (sent < 0 && errno != EINTR)
        return metrics_bench_fail_with_errno (errno, error);
      if (sent > 0)
        note_sent (self, (gsize) sent, time);
    }
  if (!self->common->dialect->has_acks && !self->shut && self->n_sent == self->script->n_requests)
    {
      self->shut = TRUE;
      shutdown (self->fd, SHUT_WR);
    }
  return TRUE;
}

/* The latencies of what has been answered by now. */
static void
time_answers (MetricsBenchLink *self, gint64 now)
{
  while (self->n_timed < self->n_answered)
    {
      const Sending *sending = &g_array_index (self->sendings, Sending, self->first_sending);
      guint64 n = MIN (self->n_answered, sending->n_sent) - self->n_timed;

      metrics_bench_histogram_add (self->tally->latencies, (guint64) MAX (now - sending->time, 0), n);
      self->n_timed += n;
      if (self->n_timed == sending->n_sent)
        self->first_sending++;
    }
  if (self->first_sending == self->sendings->len)
    {
      self->first_sending = 0;
      g_array_set_size (self->sendings, 0);
    }
}

static void
note_answers (MetricsBenchLink *self, guint64 n)
{
  self->n_answered += n;
  self->tally->n_answered += n;
  self->matched = 0;
  if (self->script->answers != NULL)
    self->answer_index = (guint) (self->n_answered % self->script->lengths->len);
}

static const MetricsBenchAnswer *
get_answer (MetricsBenchLink *self)
{
  return self->script->answers != NULL
             ? &g_array_index (self->script->answers, MetricsBenchAnswer, self->answer_index)
             : NULL;
}

/* The next answer is not what it should be, or that is not known. */
static void
begin_parsing (MetricsBenchLink *self, gboolean differs)
{
  memset (&self->reply, 0, sizeof self->reply);
  self->parsing = TRUE;
  self->differs = differs;
}

/* Of the answers to puts, takes those that are good, up to the first that is not. Returns how many bytes. */
static gsize
take_acks (MetricsBenchLink *self, const char *bytes, gsize n_bytes)
{
  const MetricsBenchCommon *common = self->common;
  guint64 outstanding = (self->n_sent - self->n_answered) * common->ack_len - self->matched;
  gsize n = MIN (MIN (n_bytes, common->acks_len - self->matched), outstanding);
  const char *acks = common->acks + self->matched;
  gsize total, before = self->matched;

  if (memcmp (bytes, acks, n) != 0)
    {
      gsize same = 0;

      while (bytes[same] == acks[same])
        same++;
      begin_parsing (self, TRUE);
      n = same;
    }
  total = before + n;
  if (total >= common->ack_len)
    note_answers (self, total / common->ack_len);
  self->matched = total % common->ack_len;
  return n;
}

static gsize
take_known_answer (MetricsBenchLink *self, const MetricsBenchAnswer *answer, const char *bytes, gsize n_bytes)
{
  gsize n = MIN (n_bytes, answer->bytes->len - self->matched);

  if (memcmp (bytes, answer->bytes->str + self->matched, n) != 0)
    {
      begin_parsing (self, TRUE);
      return 0;
    }
  self->matched += n;
  if (self->matched == answer->bytes->len)
    {
      self->tally->n_points_read += answer->n_points;
      note_answers (self, 1);
    }
  return n;
}

static gboolean
check_read (MetricsBenchLink *self, const MetricsBenchAnswer *answer, GError **error)
{
  if (self->reply.n_points != answer->n_points)
    g_set_error (error, METRICS_ERROR, METRICS_ERROR_PROTOCOL,
                 ngettext ("%llu point of '%s' was put, and the server has %llu",
                           "%llu points of '%s' were put, and the server has %llu", answer->n_points),
                 (unsigned long long) answer->n_points, answer->key,
                 (unsigned long long) self->reply.n_points);
  else if (self->differs)
    g_set_error (error, METRICS_ERROR, METRICS_ERROR_PROTOCOL,
                 _ ("the points of '%s' are not those that were put"), answer->key);
  else
    return TRUE;
  return FALSE;
}

static gboolean
end_reply (MetricsBenchLink *self, GError **error)
{
  const MetricsBenchAnswer *answer = get_answer (self);
  MetricsBenchTally *tally = self->tally;

  if (self->reply.refused)
    {
      if (tally->n_refused++ == 0)
        g_strlcpy (tally->refusal, self->reply.text, sizeof tally->refusal);
    }
  else if (answer != NULL && !check_read (self, answer, error))
    return FALSE;
  tally->n_points_read += self->reply.n_points;
  self->parsing = self->differs = FALSE;
  note_answers (self, 1);
  return TRUE;
}

/* Takes a reply apart. What of it has come and was as it should be is made up for. */
static gboolean
take_reply (MetricsBenchLink *self, const char *bytes, gsize n_bytes, gsize *taken, GError **error)
{
  const MetricsBenchDialect *dialect = self->common->dialect;
  const MetricsBenchAnswer *answer = get_answer (self);
  gssize n;

  if (self->matched > 0)
    {
      const char *known = answer != NULL ? answer->bytes->str : dialect->ack;

      if (dialect->parse (&self->reply, known, self->matched) < 0)
        return metrics_bench_fail_as_nonsense (error);
      self->matched = 0;
    }
  n = dialect->parse (&self->reply, bytes, n_bytes);
  if (n < 0 || (n == 0 && !self->reply.complete))
    return metrics_bench_fail_as_nonsense (error);
  *taken = (gsize) n;
  return !self->reply.complete || end_reply (self, error);
}

static gboolean
take (MetricsBenchLink *self, const char *bytes, gsize n_bytes, GError **error)
{
  while (n_bytes > 0)
    {
      const MetricsBenchAnswer *answer = get_answer (self);
      gsize taken = 0;

      if (self->n_answered == self->n_sent)
        return metrics_bench_fail_as_nonsense (error);
      if (!self->parsing && answer == NULL && self->common->acks != NULL)
        taken = take_acks (self, bytes, n_bytes);
      else if (!self->parsing && answer != NULL && answer->bytes != NULL)
        taken = take_known_answer (self, answer, bytes, n_bytes);
      else
        {
          if (!self->parsing)
            begin_parsing (self, FALSE);
          if (!take_reply (self, bytes, n_bytes, &taken, error))
            return FALSE;
        }
      bytes += taken;
      n_bytes -= taken;
    }
  return TRUE;
}

/**
 * metrics_bench_link_receive:
 * @self: a link with a script
 * @may_wait: whether to wait, shortly, where nothing has come
 * @n_bytes: (out): how much has come; less than that may still be there
 * @error: return location for a #GError
 *
 * Receives once and checks what has come.
 *
 * Returns: %FALSE where the connection is broken or an answer is wrong
 */
gboolean
metrics_bench_link_receive (MetricsBenchLink *self, gboolean may_wait, gsize *n_bytes, GError **error)
{
  ssize_t n = recv (self->fd, self->common->received, METRICS_BENCH_RECEIVE_MAX, may_wait ? 0 : MSG_DONTWAIT);
  gboolean taken;

  *n_bytes = 0;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    return TRUE;
  if (n < 0)
    return metrics_bench_fail_with_errno (errno, error);
  if (n == 0)
    {
      self->ended = TRUE;
      if (!self->shut)
        return metrics_bench_fail_as_closed (error);
      self->tally->n_answered += self->n_sent - self->n_answered;
      self->n_answered = self->n_sent;
      return TRUE;
    }
  *n_bytes = (gsize) n;
  self->tally->bytes_received += *n_bytes;
  if (!self->common->dialect->has_acks)
    return TRUE;
  taken = take (self, self->common->received, *n_bytes, error);
  time_answers (self, get_nanoseconds ());
  return taken;
}

/**
 * metrics_bench_link_is_waiting:
 * @self: a link with a script
 *
 * Returns: whether there is nothing to send before something has come
 */
gboolean
metrics_bench_link_is_waiting (const MetricsBenchLink *self)
{
  return self->bytes_sent == self->window_end;
}

/**
 * metrics_bench_link_is_done:
 * @self: a link with a script
 *
 * Returns: whether all requests are answered, or, where the dialect has no answers, taken
 */
gboolean
metrics_bench_link_is_done (const MetricsBenchLink *self)
{
  if (!self->common->dialect->has_acks)
    return self->ended;
  return self->n_answered == self->script->n_requests;
}

/**
 * metrics_bench_link_drain:
 * @self: a link
 * @deadline: when to give up, by the monotonic clock
 *
 * Ends the connection in order, also amidst a script: when the server has closed it too, it has carried out
 * all that it got.
 */
void
metrics_bench_link_drain (MetricsBenchLink *self, gint64 deadline)
{
  shutdown (self->fd, SHUT_WR);
  while (!self->ended && g_get_monotonic_time () < deadline)
    {
      ssize_t n = recv (self->fd, self->common->received, METRICS_BENCH_RECEIVE_MAX, 0);

      self->ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
    }
}
