/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "http/metrics-http-events.h"

#include "common/metrics-json.h"
#include "common/metrics-key.h"

#include <string.h>
#include <sys/random.h>

/* The events of one stream, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them.
 *
 * Each has a number, and an id of that number and the stream's token. What was sent last is kept, so that who
 * comes back with the id of what arrived last gets all that came after it, and nothing twice, as far back as
 * that reaches. The token is random: nobody takes over the stream of another who was not shown its id, and no
 * server takes an id for its own that one before it gave. */

#define TOKEN_BYTES 16
#define TOKEN_LEN (2 * TOKEN_BYTES)

/* How long the text of points may be that become one event, about, so that none takes long to write down; and
 * after how many milliseconds a client that was cut off should come back. */
#define MAX_BYTES (32 << 10)
#define RETRY 1000

typedef struct
{
  GList link; /* in MetricsHttpEvents.kept */
  guint64 number;
  gsize len;
  char text[];
} Event;

struct _MetricsHttpEvents
{
  MetricsWatcher *watcher; /* (owned) */
  char token[TOKEN_LEN + 1];
  guint64 last;        /* the number of the last event that was made; 0 is `hello` */
  gboolean is_reset;   /* whether `reset` is to be told first */
  gboolean is_resumed; /* whether a client has come back to it */
  guint64 arrived;     /* the number of what that one got last */
  GQueue kept;         /* (owned) (element-type Event): the last ones, in the order of their numbers */
  gsize kept_size;     /* what they take, in bytes */
  GList *again;        /* (unowned) (nullable): the first of them that has to be sent again */
};

static void
make_token (char *token)
{
  guint8 bytes[TOKEN_BYTES];

  /* Where the machine has just started there may be no such numbers yet, and nothing here waits. */
  if (getrandom (bytes, sizeof bytes, GRND_NONBLOCK) != sizeof bytes)
    for (guint i = 0; i < sizeof bytes; i++)
      bytes[i] = g_random_int ();
  for (guint i = 0; i < sizeof bytes; i++)
    g_snprintf (token + 2 * i, 3, "%02x", bytes[i]);
}

/**
 * metrics_http_events_new:
 * @store: a store
 * @wake: what to call when there is something to tell and was not before, see #MetricsWatcherFunc
 * @user_data: what to call it with
 *
 * Returns: (transfer full): the events of a stream that watches nothing yet
 */
MetricsHttpEvents *
metrics_http_events_new (MetricsStore *store, MetricsWatcherFunc wake, gpointer user_data)
{
  MetricsHttpEvents *self = g_new0 (MetricsHttpEvents, 1);

  self->watcher = metrics_watcher_new (store, METRICS_HTTP_EVENTS_QUEUE_LIMIT, wake, user_data);
  make_token (self->token);
  return self;
}

static gsize
get_size (const Event *event)
{
  return metrics_memory_of (sizeof *event + event->len);
}

static void
drop_oldest (MetricsHttpEvents *self)
{
  Event *event = g_queue_peek_head (&self->kept);

  g_queue_unlink (&self->kept, &event->link);
  self->kept_size -= get_size (event);
  g_free (event);
}

/**
 * metrics_http_events_free:
 * @self: (transfer full) (nullable): the events of a stream
 */
void
metrics_http_events_free (MetricsHttpEvents *self)
{
  if (self == NULL)
    return;
  while (self->kept.length > 0)
    drop_oldest (self);
  metrics_watcher_free (self->watcher);
  g_free (self);
}

/**
 * metrics_http_events_add:
 * @self: the events of a stream
 * @pattern: a valid pattern
 * @error: return location for a #GError
 *
 * Tells of points whose keys match the pattern, too.
 *
 * Returns: whether it does; else @error is set as by metrics_watcher_add()
 */
gboolean
metrics_http_events_add (MetricsHttpEvents *self, const char *pattern, GError **error)
{
  return metrics_watcher_add (self->watcher, pattern, strlen (pattern), error);
}

/**
 * metrics_http_events_tell_reset:
 * @self: the events of a new stream
 *
 * Has the client told that what it knew of is not known here.
 */
void
metrics_http_events_tell_reset (MetricsHttpEvents *self)
{
  self->is_reset = TRUE;
}

/**
 * metrics_http_events_get_token:
 * @self: the events of a stream
 *
 * Returns: (transfer none): what tells its ids from those of all others
 */
const char *
metrics_http_events_get_token (const MetricsHttpEvents *self)
{
  return self->token;
}

/**
 * metrics_http_events_resume:
 * @self: the events of a stream
 * @number: the number of the last event that a client has got
 *
 * Goes on behind that event, whatever was sent since.
 *
 * Returns: whether all that came after it is known still; else nothing is changed
 */
gboolean
metrics_http_events_resume (MetricsHttpEvents *self, guint64 number)
{
  const Event *oldest = g_queue_peek_head (&self->kept);
  GList *again = NULL;

  if (number > self->last)
    return FALSE;
  if (number < self->last)
    {
      if (oldest == NULL || oldest->number > number + 1)
        return FALSE;
      for (again = self->kept.head; ((Event *) again->data)->number <= number; again = again->next)
        ;
    }
  self->again = again;
  self->is_resumed = TRUE;
  self->arrived = number;
  return TRUE;
}

static void
append_head (const MetricsHttpEvents *self, GString *out, guint64 number, const char *name)
{
  g_string_append_printf (out, "id: %s-%" G_GUINT64_FORMAT "\nevent: %s\ndata: ", self->token, number, name);
}

/**
 * metrics_http_events_append_hello:
 * @self: the events of a stream
 * @out: what to append to
 *
 * Appends what stands first in each answer: an id to come back with, though nothing else should ever be told.
 */
void
metrics_http_events_append_hello (const MetricsHttpEvents *self, GString *out)
{
  g_string_append_printf (out, "retry: %d\n", RETRY);
  append_head (self, out, self->arrived, "hello");
  g_string_append_printf (out, "{\"resumed\":%s}\n\n", self->is_resumed ? "true" : "false");
}

/* Keeps what was appended since. */
static void
keep (MetricsHttpEvents *self, const GString *out, gsize start)
{
  gsize len = out->len - start;
  Event *event = g_malloc (sizeof *event + len);

  *event = (Event){ .number = self->last, .len = len };
  event->link.data = event;
  memcpy (event->text, out->str + start, len);
  g_queue_push_tail_link (&self->kept, &event->link);
  self->kept_size += get_size (event);
  while (self->kept.length > 0
         && (self->kept_size > METRICS_HTTP_EVENTS_KEPT_LIMIT
             || !metrics_watcher_keep (self->watcher, self->kept_size)))
    drop_oldest (self);
  if (self->kept.length == 0)
    metrics_watcher_keep (self->watcher, 0);
}

static void
append_point (GString *out, MetricsPoint point)
{
  g_string_append_c (out, '[');
  metrics_json_append_int64 (out, point.time);
  g_string_append_c (out, ',');
  metrics_json_append_double (out, point.value);
  g_string_append_c (out, ']');
}

/* In the order in which they were put; what was put to one key without another one between stands together.
 * Returns: whether there was something */
static gboolean
append_points (MetricsHttpEvents *self, GString *out, gint *budget)
{
  char key[METRICS_KEY_MAX + 1];
  gsize key_len = 0, start = out->len;
  MetricsWatchRow row;

  if (!metrics_watcher_take (self->watcher, &row))
    return FALSE;
  append_head (self, out, ++self->last, "points");
  g_string_append (out, "{\"series\":[");
  do
    {
      if (row.key_len == key_len && memcmp (row.key, key, key_len) == 0)
        g_string_append_c (out, ',');
      else
        {
          g_string_append (out, key_len > 0 ? "]},{\"key\":" : "{\"key\":");
          memcpy (key, row.key, row.key_len);
          key_len = row.key_len;
          key[key_len] = '\0';
          metrics_json_append_string (out, key);
          g_string_append (out, ",\"points\":[");
        }
      append_point (out, row.point);
    }
  while (--*budget > 0 && out->len - start < MAX_BYTES && metrics_watcher_take (self->watcher, &row));
  g_string_append (out, "]}]}\n\n");
  return TRUE;
}

/**
 * metrics_http_events_append_next:
 * @self: the events of a stream
 * @out: what to append to
 * @budget: (inout): how many points may be told now
 *
 * Appends the next event that the client has to get.
 *
 * Returns: whether there was one; where not, the wake function is called when there is
 */
gboolean
metrics_http_events_append_next (MetricsHttpEvents *self, GString *out, gint *budget)
{
  gsize start = out->len;
  guint64 n_dropped;

  if (self->again != NULL)
    {
      const Event *event = self->again->data;

      g_string_append_len (out, event->text, event->len);
      *budget -= event->len / 64 + 1;
      self->again = self->again->next;
      return TRUE;
    }
  if (self->is_reset)
    {
      self->is_reset = FALSE;
      append_head (self, out, ++self->last, "reset");
      g_string_append (out, "{}\n\n");
    }
  else if ((n_dropped = metrics_watcher_take_n_dropped (self->watcher)) > 0)
    {
      append_head (self, out, ++self->last, "dropped");
      g_string_append_printf (out, "{\"points\":%" G_GUINT64_FORMAT "}\n\n", n_dropped);
    }
  else if (!append_points (self, out, budget))
    return FALSE;
  keep (self, out, start);
  return TRUE;
}

/**
 * metrics_http_events_parse_id:
 * @id: what a client says that it got last
 * @token: (out) (transfer full): the token of the stream
 * @number: (out): the number of the event
 *
 * Returns: whether it can be an id
 */
gboolean
metrics_http_events_parse_id (const char *id, char **token, guint64 *number)
{
  if (strlen (id) < TOKEN_LEN + 2 || id[TOKEN_LEN] != '-'
      || !g_ascii_string_to_unsigned (id + TOKEN_LEN + 1, 10, 0, G_MAXUINT64, number, NULL))
    return FALSE;
  *token = g_strndup (id, TOKEN_LEN);
  return TRUE;
}
