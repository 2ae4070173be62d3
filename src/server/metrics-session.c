/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-session.h"

#include "common/metrics-peer.h"
#include "protocol/metrics-command.h"
#include "protocol/metrics-reply.h"
#include "server/metrics-client-log.h"
#include "server/metrics-stats.h"

/* How large a block is that is told after the end of a watch. */
#define LAST_BLOCK_MAX (16 << 10)

/**
 * metrics_session_init:
 * @self: (out caller-allocates): a session
 * @store: what it puts into and reads from
 * @limits: its limits; they have to live as long as the session
 * @figures: where it counts; they have to live as long as the session
 * @rights: what the client may do
 *
 * Begins a session.
 */
void
metrics_session_init (MetricsSession *self,
                      MetricsStore *store,
                      const MetricsLimits *limits,
                      MetricsFigures *figures,
                      MetricsRights rights)
{
  *self = (MetricsSession){
    .store = g_object_ref (store),
    .limits = limits,
    .figures = figures,
    .rights = rights,
  };
}

/**
 * metrics_session_clear:
 * @self: a session, begun or all zero
 *
 * Ends it; a reply that is not complete is given up.
 */
void
metrics_session_clear (MetricsSession *self)
{
  g_clear_pointer (&self->query, metrics_query_free);
  g_clear_pointer (&self->subscription, metrics_subscription_free);
  g_clear_object (&self->store);
}

/**
 * metrics_session_set_socket:
 * @self: a session
 * @socket: (nullable): the client's; it has to live as long as the session
 *
 * Has the log name the client.
 */
void
metrics_session_set_socket (MetricsSession *self, GSocket *socket)
{
  self->socket = socket;
}

/**
 * metrics_session_set_wake_func:
 * @self: a session
 * @func: what to call when a reply can go on that had to wait (%METRICS_QUERY_NOT_YET)
 * @user_data: what to call it with
 */
void
metrics_session_set_wake_func (MetricsSession *self, MetricsQueryWakeFunc func, gpointer user_data)
{
  self->wake_func = func;
  self->wake_data = user_data;
}

/**
 * metrics_session_set_watch_func:
 * @self: a session
 * @func: what to call when there is something to be told that the client watches
 * @user_data: what to call it with
 */
void
metrics_session_set_watch_func (MetricsSession *self, MetricsSubscriptionFunc func, gpointer user_data)
{
  self->watch_func = func;
  self->watch_data = user_data;
}

/**
 * metrics_session_refuse:
 * @self: a session
 * @message: one line of English
 * @out: where the reply goes
 *
 * Answers with an error and counts it.
 */
void
metrics_session_refuse (MetricsSession *self, const char *message, MetricsBuffer *out)
{
  self->figures->errors++;
  metrics_reply_error (out, message);
}

static void
refuse_put (MetricsSession *self, const GError *error, MetricsBuffer *out)
{
  metrics_client_log_refused_put (self->socket, self->store, error);
  metrics_session_refuse (self, error->message, out);
}

/* The reply is complete later: nothing of it is there yet. */
static void
begin_put (MetricsSession *self, const MetricsCommand *command)
{
  MetricsQuerySpec spec = {
    .kind = METRICS_QUERY_PUT,
    .key = command->key.text,
    .key_len = command->key.len,
    .point = command->point,
  };

  self->query = metrics_query_new (self->store, &spec);
  self->is_busy = TRUE;
  self->query_kind = spec.kind;
  metrics_query_set_wake_func (self->query, self->wake_func, self->wake_data);
}

static void
put (MetricsSession *self, const MetricsCommand *command, MetricsBuffer *out)
{
  g_autoptr (GError) error = NULL;

  if (metrics_store_put (self->store, command->key.text, command->key.len, command->point, &error))
    metrics_reply_ok (out);
  else if (g_error_matches (error, METRICS_STORE_ERROR, METRICS_STORE_ERROR_NOT_YET))
    begin_put (self, command);
  else
    refuse_put (self, error, out);
  self->work = metrics_store_take_work (self->store);
}

static void
append_figure (const char *name, guint64 value, gpointer user_data)
{
  metrics_reply_append_figure (user_data, name, value);
}

static void
append_stats (MetricsSession *self, MetricsBuffer *out)
{
  metrics_reply_begin (out);
  metrics_stats_foreach (self->store, self->figures, append_figure, out);
  metrics_stats_foreach_limit (self->store, self->limits, append_figure, out);
  metrics_reply_end (out);
}

static void
begin_query (MetricsSession *self, MetricsQueryKind kind, const MetricsCommand *command, MetricsBuffer *out)
{
  MetricsQuerySpec spec = {
    .kind = kind,
    .key = command->key.text,
    .key_len = command->key.len,
    .is_pattern = command->verb != METRICS_VERB_GET,
    .from = command->from,
    .to = command->to,
    .step = command->step,
    .aggregation = command->aggregation,
  };

  self->query = metrics_query_new (self->store, &spec);
  self->is_busy = TRUE;
  self->query_kind = kind;
  metrics_query_set_wake_func (self->query, self->wake_func, self->wake_data);
  metrics_reply_begin (out);
}

G_GNUC_NO_INLINE static void
watch (MetricsSession *self, const MetricsCommand *command, MetricsBuffer *out)
{
  g_autoptr (MetricsSubscription) begun = NULL;
  g_autoptr (GError) error = NULL;

  if (self->subscription == NULL)
    begun = metrics_subscription_new (self->store, self->watch_func, self->watch_data);
  if (!metrics_subscription_add (begun != NULL ? begun : self->subscription, command->key.text,
                                 command->key.len, &error))
    {
      metrics_session_refuse (self, error->message, out);
      return;
    }
  if (begun != NULL)
    self->subscription = g_steal_pointer (&begun);
  metrics_reply_ok (out);
}

/* What was put before is told still, and the reply stands behind it. */
static void
begin_ending (MetricsSession *self, MetricsVerb verb)
{
  metrics_subscription_stop (self->subscription);
  self->ending = verb;
  self->is_busy = TRUE;
}

G_GNUC_NO_INLINE static void
end (MetricsSession *self, MetricsVerb verb, MetricsBuffer *out)
{
  if (self->subscription != NULL)
    {
      begin_ending (self, verb);
      return;
    }
  self->over |= verb == METRICS_VERB_QUIT;
  if (verb != METRICS_VERB_WRONG)
    metrics_reply_ok (out);
}

/* Replies and blocks must not be taken for each other: so nothing is answered that looks like a block. */
static gboolean
is_answered_while_watching (MetricsVerb verb)
{
  switch (verb)
    {
    case METRICS_VERB_WRONG:
    case METRICS_VERB_PUT:
    case METRICS_VERB_WATCH:
    case METRICS_VERB_UNWATCH:
    case METRICS_VERB_PING:
    case METRICS_VERB_QUIT:
      return TRUE;
    case METRICS_VERB_GET:
    case METRICS_VERB_GET_ALL:
    case METRICS_VERB_LAST:
    case METRICS_VERB_RANGE:
    case METRICS_VERB_KEYS:
    case METRICS_VERB_DEL:
    case METRICS_VERB_STATS:
    case METRICS_VERB_HELP:
    default:
      return FALSE;
    }
}

static MetricsRights
needed_rights (MetricsVerb verb)
{
  switch (verb)
    {
    case METRICS_VERB_PUT:
      return METRICS_RIGHTS_PUT;
    case METRICS_VERB_DEL:
      return METRICS_RIGHTS_DELETE;
    case METRICS_VERB_GET:
    case METRICS_VERB_GET_ALL:
    case METRICS_VERB_LAST:
    case METRICS_VERB_RANGE:
    case METRICS_VERB_KEYS:
    case METRICS_VERB_STATS:
    case METRICS_VERB_WATCH:
      return METRICS_RIGHTS_READ;
    case METRICS_VERB_WRONG:
    case METRICS_VERB_UNWATCH:
    case METRICS_VERB_PING:
    case METRICS_VERB_HELP:
    case METRICS_VERB_QUIT:
    default:
      return METRICS_RIGHTS_NONE;
    }
}

static void
execute_command (MetricsSession *self, const MetricsCommand *command, MetricsBuffer *out)
{
  switch (command->verb)
    {
    case METRICS_VERB_PUT:
      put (self, command, out);
      break;
    case METRICS_VERB_GET:
    case METRICS_VERB_GET_ALL:
      begin_query (self, METRICS_QUERY_POINTS, command, out);
      break;
    case METRICS_VERB_LAST:
      begin_query (self, METRICS_QUERY_LAST, command, out);
      break;
    case METRICS_VERB_RANGE:
      begin_query (self, command->step > 0 ? METRICS_QUERY_BUCKETS : METRICS_QUERY_POINTS, command, out);
      break;
    case METRICS_VERB_KEYS:
      begin_query (self, METRICS_QUERY_KEYS, command, out);
      break;
    case METRICS_VERB_DEL:
      begin_query (self, METRICS_QUERY_DELETE, command, out);
      break;
    case METRICS_VERB_STATS:
      append_stats (self, out);
      break;
    case METRICS_VERB_HELP:
      metrics_reply_begin (out);
      metrics_command_append_help (out);
      metrics_reply_end (out);
      break;
    case METRICS_VERB_WATCH:
      watch (self, command, out);
      break;
    case METRICS_VERB_UNWATCH:
    case METRICS_VERB_QUIT:
      end (self, command->verb, out);
      break;
    case METRICS_VERB_PING:
      metrics_reply_ok (out);
      break;
    case METRICS_VERB_WRONG:
    default:
      metrics_session_refuse (self, METRICS_REPLY_WRONG_COMMAND, out);
      break;
    }
}

/**
 * metrics_session_execute:
 * @self: a session that is not busy
 * @line: (array length=len): what the client sent, without its LF
 * @len: its length in bytes
 * @now: the time now, in seconds since the Unix epoch
 * @out: where the reply goes
 *
 * Does what a line asks for. The reply is complete, or the session is busy with it: metrics_session_resume()
 * goes on.
 *
 * Returns: how many units of work that took, besides those for the line
 */
guint
metrics_session_execute (MetricsSession *self, const char *line, gsize len, gint64 now, MetricsBuffer *out)
{
  gboolean blank = metrics_tokens_is_blank (line, len);
  gboolean swallowed = blank && self->after_request;
  gboolean first = !self->had_line;
  MetricsCommand command;
  MetricsRights missing;

  g_assert (!self->is_busy);

  self->had_line = TRUE;
  self->after_request = !blank;
  self->work = 0;
  if (swallowed)
    return 0;

  self->figures->requests++;
  metrics_command_parse (line, len, now, &command);
  if (first && metrics_command_is_http (line, len))
    {
      command.verb = METRICS_VERB_WRONG;
      self->over = TRUE;
      metrics_client_log_http (self->socket);
    }

  missing = needed_rights (command.verb) & ~self->rights;
  if (missing != METRICS_RIGHTS_NONE)
    {
      metrics_peer_log_denied (self->socket, missing);
      metrics_session_refuse (self, "permission denied", out);
    }
  else if (G_UNLIKELY (self->subscription != NULL) && !is_answered_while_watching (command.verb))
    metrics_session_refuse (self, "watching", out);
  else
    execute_command (self, &command, out);
  return self->work;
}

/**
 * metrics_session_refuse_long_line:
 * @self: a session that is not busy
 * @out: where the reply goes
 *
 * Refuses a line that is too long to be read.
 */
void
metrics_session_refuse_long_line (MetricsSession *self, MetricsBuffer *out)
{
  self->figures->requests++;
  metrics_client_log_long_line (self->socket, self->limits);
  metrics_session_refuse (self, "line too long", out);
}

/**
 * metrics_session_end_long_line:
 * @self: a session
 * @tail: (array length=len): the last bytes of a line, without its LF
 * @len: how many
 *
 * Says that a line that was refused for its length, and not read, has come to its end.
 */
void
metrics_session_end_long_line (MetricsSession *self, const char *tail, gsize len)
{
  if (!self->had_line && metrics_command_is_http (tail, len))
    self->over = TRUE;
  self->had_line = TRUE;
  self->after_request = TRUE;
}

static void
clear_query (MetricsSession *self)
{
  g_clear_pointer (&self->query, metrics_query_free);
  self->is_busy = FALSE;
}

static void
end_query (MetricsSession *self, MetricsBuffer *out)
{
  if (self->query_kind == METRICS_QUERY_DELETE)
    metrics_reply_append_count (out, metrics_query_get_n_deleted (self->query));
  if (self->query_kind == METRICS_QUERY_PUT)
    metrics_reply_ok (out);
  else
    metrics_reply_end (out);
  clear_query (self);
}

/**
 * metrics_session_end_watch:
 * @self: a session that is not busy, and whose client watches
 *
 * Says that the client asks for nothing more. The session is busy then with what was put before.
 */
void
metrics_session_end_watch (MetricsSession *self)
{
  g_assert (!self->is_busy && self->subscription != NULL);

  begin_ending (self, METRICS_VERB_WRONG);
}

static MetricsQueryState
resume_ending (MetricsSession *self, gint *budget, MetricsBuffer *out)
{
  if (self->subscription->has_points)
    metrics_subscription_tell (self->subscription, budget, metrics_buffer_length (out) + LAST_BLOCK_MAX, 0,
                               out);
  if (self->subscription->has_points)
    return *budget > 0 ? METRICS_QUERY_ROW : METRICS_QUERY_PAUSED;
  g_clear_pointer (&self->subscription, metrics_subscription_free);
  self->is_busy = FALSE;
  end (self, self->ending, out);
  return METRICS_QUERY_DONE;
}

/**
 * metrics_session_resume:
 * @self: a session that is busy
 * @budget: (inout): how much work it may do, in units; what was done is taken off
 * @out: where the reply goes
 *
 * Goes on with the reply, by at most one row of the answer, or a block of what the client has watched.
 *
 * Returns: %METRICS_QUERY_DONE where it is complete now, %METRICS_QUERY_ROW where there is more,
 *   %METRICS_QUERY_PAUSED where the budget is used up, %METRICS_QUERY_NOT_YET where it will be woken,
 *   %METRICS_QUERY_LOST where it never will be complete: the client has to be let go without it;
 *   %METRICS_QUERY_REFUSED where it is complete and an error
 */
MetricsQueryState
metrics_session_resume (MetricsSession *self, gint *budget, MetricsBuffer *out)
{
  MetricsQueryRow row;
  MetricsQueryState state;

  if (self->query == NULL)
    return resume_ending (self, budget, out);

  state = metrics_query_next (self->query, budget, &row);
  if (state == METRICS_QUERY_DONE)
    end_query (self, out);
  else if (state == METRICS_QUERY_LOST)
    self->broken = self->over = TRUE;
  else if (state == METRICS_QUERY_REFUSED)
    {
      refuse_put (self, metrics_query_get_error (self->query), out);
      clear_query (self);
    }
  else if (state == METRICS_QUERY_ROW && self->query_kind == METRICS_QUERY_KEYS)
    metrics_reply_append_key (out, row.key, row.key_len, row.n_total, row.first, row.last);
  else if (state == METRICS_QUERY_ROW)
    metrics_reply_append_points (out, row.key, row.key_len, row.points, row.n_points);
  return state;
}
