/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-stream.h"

#include "common/metrics-key.h"
#include "common/metrics-pattern.h"
#include "http/metrics-http-events.h"
#include "http/metrics-http-points.h"
#include "http/metrics-http-private.h"

#include <string.h>
#include <sys/socket.h>

/* Streams of points as they are put.
 *
 * A stream outlives the connection that it was asked for on: it goes on to collect for a while, so that a
 * client that was cut off and comes back with the id of its last event has missed nothing. That client may
 * come before its first connection is seen to be gone; then it takes the stream over. What waits and what is
 * kept is bounded for each, and for all together, see metrics_watcher_keep(); those who left first are given
 * up first.
 *
 * A point is told at once where the last event is some time ago; what comes soon after it waits and becomes
 * one event. */

/* How many streams there may be, how many more whose clients are gone, and how long these wait for them. Each
 * is asked about each point that is put. */
#define MAX_STREAMS 256
#define MAX_LEFT 64
#define LEFT_TIME (60 * G_TIME_SPAN_SECOND)

#define MAX_PATTERNS 64

#define EVENT_STREAM "text/event-stream"

/* How far events are apart: often enough for a human. Where so much is told that what waits could not be held
 * for so long, they are nearer. And how long nothing is said at most, so that nobody in between takes a
 * connection for dead. */
#define INTERVAL (50 * G_TIME_SPAN_MILLISECOND)
#define SHORT_INTERVAL (10 * G_TIME_SPAN_MILLISECOND)
#define MANY_BYTES (64 << 10)
#define HEARTBEAT (15 * G_TIME_SPAN_SECOND)

/* How much is written down at a time, about. */
#define SLICE_BYTES (64 << 10)

/* What the socket of a stream holds. It would take megabytes for a client whose network is gone, more than is
 * kept to be sent again; so it waits as points, of which the oldest go, and what a slow client gets is not
 * old. */
#define SOCKET_BUFFER (64 << 10)

typedef struct _Stream Stream;

/* What a request is answered with. */
typedef struct
{
  Stream *stream; /* (unowned) (nullable): it owns this; NULL where another answer has taken it */
  MetricsHttpRequest *request; /* (unowned): it owns this */
  gboolean has_begun;
} Answer;

struct _Stream
{
  MetricsHttpStreams *owner; /* (unowned) */
  GList link;                /* in MetricsHttpStreams.open or .left */
  MetricsHttpEvents *events; /* (owned) */
  GStrv patterns;            /* (owned): what it watches */
  Answer *answer;            /* (unowned) (nullable): NULL where its client is gone */
  GSource *timer;            /* (owned): when it has to do something next */
  gboolean has_news;         /* whether there is something to tell */
  gboolean is_telling;       /* whether it began to tell of that, and there may be more */
  gint64 since;              /* monotonic time at which that began */
  gsize n_bytes;             /* how much was told since then */
  gint64 next;               /* monotonic time before which nothing new is told */
  gint64 last;               /* monotonic time at which something was said last */
  gint64 end;                /* monotonic time until which it waits for its client */
};

struct _MetricsHttpStreams
{
  MetricsHttp *http;   /* (unowned): it owns this */
  MetricsStore *store; /* (owned) */
  GQueue open;         /* (owned) (element-type Stream) */
  GQueue left;         /* (owned) (element-type Stream): those whose clients are gone, by when they went */
};

static void
stream_free (Stream *self)
{
  if (self->answer != NULL)
    {
      self->answer->stream = NULL;
      g_queue_unlink (&self->owner->open, &self->link);
    }
  else
    g_queue_unlink (&self->owner->left, &self->link);
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  metrics_http_events_free (self->events);
  g_strfreev (self->patterns);
  g_free (self);
}

static void
set_timer (Stream *self)
{
  g_source_set_ready_time (self->timer, self->has_news ? self->next : self->last + HEARTBEAT);
}

/* From within a put. */
static void
news_cb (MetricsWatcher *watcher, gpointer user_data)
{
  Stream *self = user_data;

  self->has_news = TRUE;
  if (self->answer != NULL)
    set_timer (self);
}

static gboolean
timer_cb (gpointer user_data)
{
  Stream *self = user_data;

  /* It may have been due for something that has changed in the same round of the main loop. */
  g_source_set_ready_time (self->timer, self->answer != NULL ? -1 : self->end);
  if (self->answer != NULL)
    metrics_http_request_wake (self->answer->request);
  else if (g_get_monotonic_time () >= self->end)
    stream_free (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  return func (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch };

static Stream *
stream_new (MetricsHttpStreams *owner, GStrv patterns)
{
  Stream *self = g_new0 (Stream, 1);

  self->owner = owner;
  self->link.data = self;
  self->patterns = g_strdupv (patterns);
  self->events = metrics_http_events_new (owner->store, news_cb, self);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "metricsd stream");
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  g_queue_push_tail_link (&owner->left, &self->link);
  return self;
}

/* The client is gone: the stream waits for it, and no longer for those that went before. */
static void
stream_leave (Stream *self)
{
  MetricsHttpStreams *owner = self->owner;

  self->answer = NULL;
  g_queue_unlink (&owner->open, &self->link);
  g_queue_push_tail_link (&owner->left, &self->link);
  self->end = g_get_monotonic_time () + LEFT_TIME;
  g_source_set_ready_time (self->timer, self->end);
  if (owner->left.length > MAX_LEFT)
    stream_free (owner->left.head->data);
}

/* Returns: whether all that there was is told */
static gboolean
tell (Stream *self, gint64 now, GString *out, gint *budget)
{
  gsize start = out->len;
  gboolean more = TRUE;

  if (!self->is_telling)
    {
      self->is_telling = TRUE;
      self->since = now;
      self->n_bytes = 0;
    }
  while (more && *budget > 0 && out->len - start < SLICE_BYTES)
    more = metrics_http_events_append_next (self->events, out, budget);
  self->n_bytes += out->len - start;
  if (out->len > start)
    self->last = now;
  if (more)
    return FALSE;
  self->is_telling = self->has_news = FALSE;
  if (self->n_bytes > 0)
    self->next = self->since + (self->n_bytes > MANY_BYTES ? SHORT_INTERVAL : INTERVAL);
  return TRUE;
}

static MetricsHttpStep
produce (MetricsHttpRequest *request, GString *out, gint *budget, gpointer user_data)
{
  Answer *answer = user_data;
  Stream *self = answer->stream;
  gint64 now = g_get_monotonic_time ();

  if (self == NULL)
    return METRICS_HTTP_STEP_LOST;
  if (!answer->has_begun)
    {
      metrics_http_events_append_hello (self->events, out);
      answer->has_begun = TRUE;
      self->last = now;
    }
  if (metrics_http_is_finishing (self->owner->http))
    return tell (self, now, out, budget) ? METRICS_HTTP_STEP_OVER : METRICS_HTTP_STEP_AGAIN;
  if (self->is_telling || (self->has_news && now >= self->next))
    if (!tell (self, now, out, budget))
      return METRICS_HTTP_STEP_AGAIN;
  if (now - self->last >= HEARTBEAT)
    {
      g_string_append (out, ":\n\n");
      self->last = now;
    }
  set_timer (self);
  return METRICS_HTTP_STEP_WAIT;
}

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  if (answer->stream != NULL && metrics_http_is_finishing (answer->stream->owner->http))
    stream_free (answer->stream);
  else if (answer->stream != NULL)
    stream_leave (answer->stream);
  g_free (answer);
}

/* Has the request answered with what the stream has to tell from now on. */
static void
stream_begin (Stream *self, MetricsHttpRequest *request)
{
  Answer *answer = g_new0 (Answer, 1);
  GQueue *queue = self->answer != NULL ? &self->owner->open : &self->owner->left;

  if (self->answer != NULL)
    {
      self->answer->stream = NULL;
      metrics_http_request_wake (self->answer->request);
    }
  answer->stream = self;
  answer->request = request;
  self->answer = answer;
  g_queue_unlink (queue, &self->link);
  g_queue_push_tail_link (&self->owner->open, &self->link);
  /* What was put while nobody was there is told at once. */
  self->has_news = TRUE;
  self->is_telling = FALSE;
  self->next = 0;
  g_socket_set_option (metrics_http_client_get_socket (request->client), SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER,
                       NULL);
  metrics_http_request_set_endless (request);
  metrics_http_request_produce (request, EVENT_STREAM, produce, answer, answer_free);
}

static Stream *
find (GQueue *streams, const char *token)
{
  for (GList *l = streams->head; l != NULL; l = l->next)
    if (g_str_equal (metrics_http_events_get_token (((Stream *) l->data)->events), token))
      return l->data;
  return NULL;
}

/* Returns: (nullable): the stream that is to go on behind that event */
static Stream *
resume (MetricsHttpStreams *self, const char *id, GStrv patterns)
{
  g_autofree char *token = NULL;
  Stream *stream;
  guint64 number;

  if (!metrics_http_events_parse_id (id, &token, &number))
    return NULL;
  stream = find (&self->open, token);
  if (stream == NULL)
    stream = find (&self->left, token);
  if (stream == NULL || !g_strv_equal ((const char *const *) stream->patterns, (const char *const *) patterns)
      || !metrics_http_events_resume (stream->events, number))
    return NULL;
  return stream;
}

/* Begins a stream that watches what is asked for. Returns: (nullable): it; NULL where the request was
 * answered */
static Stream *
begin_new (MetricsHttpStreams *self, MetricsHttpRequest *request, GStrv patterns)
{
  g_autoptr (GError) error = NULL;
  Stream *stream;

  if (self->open.length >= MAX_STREAMS)
    {
      metrics_http_request_set_header (request, "Retry-After", "10");
      metrics_http_request_fail (request, 503, "too-many-streams", NULL, "there are %d streams already",
                                 MAX_STREAMS);
      return NULL;
    }
  stream = stream_new (self, patterns);
  for (guint i = 0; patterns[i] != NULL; i++)
    if (!metrics_http_events_add (stream->events, patterns[i], &error))
      {
        metrics_http_request_fail (request, 503, "watch-limit", NULL, "%s", error->message);
        stream_free (stream);
        return NULL;
      }
  return stream;
}

static gboolean
refuse (MetricsHttpRequest *request, const char *where, const char *message)
{
  metrics_http_request_fail (request, 400, METRICS_HTTP_BAD_PARAMETER, where, "%s", message);
  return FALSE;
}

/* Appends a pattern. Returns: whether it can be one; the request was answered else */
static gboolean
append_pattern (MetricsHttpRequest *request,
                const MetricsHttpParameter *parameter,
                GPtrArray *patterns,
                gsize *cost)
{
  const char *name = parameter->name, *value = parameter->value;
  gboolean is_key = g_str_equal (name, "key");
  g_autoptr (MetricsPattern) pattern = NULL;
  char *text;

  if (!is_key && !g_str_equal (name, "pattern"))
    return refuse (request, name, "there is no such parameter here");
  if (is_key && !metrics_key_is_valid (value, strlen (value)))
    return refuse (request, name, "not a key");
  if (!is_key && !metrics_pattern_is_valid (value, strlen (value)))
    return refuse (request, name, "not a pattern");
  text = is_key ? metrics_pattern_escape (value) : g_strdup (value);
  g_ptr_array_add (patterns, text);
  pattern = metrics_pattern_new (text, strlen (text));
  *cost += metrics_pattern_get_cost (pattern, METRICS_KEY_MAX);
  if (patterns->len > MAX_PATTERNS || *cost > METRICS_WATCHER_MAX_COST)
    return refuse (request, name, "the keys and patterns are too many, or too hard to match");
  return TRUE;
}

/* Returns: (transfer full) (nullable): the patterns that are asked for; NULL where the request was answered
 */
static GStrv
read_patterns (MetricsHttpRequest *request)
{
  const MetricsHttpParameters *parameters = metrics_http_request_get_parameters (request);
  g_autoptr (GPtrArray) patterns = g_ptr_array_new_null_terminated (8, g_free, TRUE);
  gsize cost = 0;

  for (guint i = 0; i < parameters->n_items; i++)
    if (!append_pattern (request, &parameters->items[i], patterns, &cost))
      return NULL;
  if (patterns->len == 0)
    g_ptr_array_add (patterns, g_strdup ("*"));
  return (GStrv) g_ptr_array_free (g_steal_pointer (&patterns), FALSE);
}

static void
streams_free (gpointer data)
{
  MetricsHttpStreams *self = data;

  while (self->open.length > 0)
    stream_free (self->open.head->data);
  while (self->left.length > 0)
    stream_free (self->left.head->data);
  g_object_unref (self->store);
  g_free (self);
}

/**
 * metrics_http_streams_get:
 * @http: what accepts clients
 *
 * Returns: (transfer none): its streams
 */
MetricsHttpStreams *
metrics_http_streams_get (MetricsHttp *http)
{
  static GQuark quark;
  MetricsHttpStreams *self;

  if (quark == 0)
    quark = g_quark_from_static_string ("metrics-http-streams");
  self = g_object_get_qdata (G_OBJECT (http), quark);
  if (self == NULL)
    {
      self = g_new0 (MetricsHttpStreams, 1);
      self->http = http;
      self->store = g_object_ref (metrics_http_get_store (http));
      g_object_set_qdata_full (G_OBJECT (http), quark, self, streams_free);
    }
  return self;
}

/* There is one: who asks by HEAD need not know more, and no stream is begun. */
static MetricsHttpStep
produce_nothing (MetricsHttpRequest *request, GString *out, gint *budget, gpointer user_data)
{
  return METRICS_HTTP_STEP_WAIT;
}

/**
 * metrics_http_streams_begin:
 * @self: streams
 * @request: a request for one, see #MetricsHttpHandler
 *
 * Answers it with a new stream, or the one that the client was cut off from.
 */
void
metrics_http_streams_begin (MetricsHttpStreams *self, MetricsHttpRequest *request)
{
  const char *id = metrics_http_request_get_header (request, "Last-Event-ID");
  g_auto (GStrv) patterns = read_patterns (request);
  Stream *stream = NULL;

  if (patterns == NULL)
    return;
  if (g_str_equal (metrics_http_request_get_method (request), "HEAD"))
    {
      metrics_http_request_set_endless (request);
      metrics_http_request_produce (request, EVENT_STREAM, produce_nothing, NULL, NULL);
      return;
    }
  if (id != NULL && *id != '\0')
    stream = resume (self, id, patterns);
  if (stream == NULL)
    {
      stream = begin_new (self, request, patterns);
      if (stream == NULL)
        return;
      if (id != NULL && *id != '\0')
        metrics_http_events_tell_reset (stream->events);
    }
  stream_begin (stream, request);
}

/**
 * metrics_http_streams_get_n_open:
 * @self: streams
 *
 * Returns: how many have a client
 */
guint
metrics_http_streams_get_n_open (const MetricsHttpStreams *self)
{
  return self->open.length;
}

/* GET /api/v1/stream */
void
metrics_http_handle_stream (MetricsHttpRequest *request)
{
  metrics_http_streams_begin (metrics_http_streams_get (metrics_http_request_get_http (request)), request);
}
