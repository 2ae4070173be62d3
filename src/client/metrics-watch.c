/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <metrics-glib/metrics-watch.h>

#include "client/metrics-client-private.h"
#include "client/metrics-texts.h"
#include "client/metrics-watch-link.h"
#include "client/metrics-watch-private.h"
#include <glib/gi18n-lib.h>

/**
 * MetricsWatch:
 *
 * Points as they are put.
 *
 * A watch tells of every point that anybody puts to a key that matches one of its patterns (globs, see
 * [class@Client]), once, in the order in which the server has got them. What was there before is not told:
 * that is for [method@Client.last] or [method@Client.range], asked for when
 * [signal@Watch::connected] was emitted; a point that is put meanwhile may then come twice.
 *
 * There are two ways to take the points, and a program chooses one. Either it connects to
 * [signal@Watch::points], and the signal is emitted when there are some:
 *
 * ```c
 * static void
 * on_points (MetricsWatch *watch, GPtrArray *samples, gpointer user_data)
 * {
 *   for (guint i = 0; i < samples->len; i++)
 *     {
 *       const MetricsSample *sample = samples->pdata[i];
 *
 *       g_print ("%s %g\n", sample->key, sample->value);
 *     }
 * }
 *
 * const char *patterns[] = { "room.*", NULL };
 * MetricsWatch *watch = metrics_watch_new (client, patterns);
 *
 * g_signal_connect (watch, "points", G_CALLBACK (on_points), NULL);
 * ```
 *
 * or it asks for them one batch after the other by [method@Watch.next_async] or, blocking, by
 * [method@Watch.next].
 *
 * ## Threads and main contexts
 *
 * All signals, and notifications of properties, are emitted in the main context that was the thread-default
 * one where the watch was made, with the priority %G_PRIORITY_DEFAULT_IDLE: however many points come, a
 * program draws its windows and answers its user first. The methods can be called from any thread; as with
 * any object, [method@Watch.close] does not stop a signal that is being emitted in another one.
 *
 * ## The connection
 *
 * A watch has a connection of its own, to the server of its client, and makes it as soon as it is made
 * itself. It takes the address and [property@Client:timeout] of that moment. Where nothing comes for that
 * time the server is asked for a sign of life; where it gives none for as long again, the connection is given
 * up.
 *
 * When the connection is lost, or cannot be made, the watch tries again by itself, at first after a tenth of
 * a second, then after longer and longer times of up to 10 seconds, until it succeeds or is closed.
 * [signal@Watch::disconnected] and [signal@Watch::connected] tell of it. A server on a bus is started by it,
 * as by any request. Without [property@Watch:reconnect] the first loss is the end.
 *
 * What was put while there was no connection is not told later: that there may be such points, a *gap*, is.
 * The watch does not read them by itself, as it could not know which: a point can be put with any time. A
 * program that wants them reads what it needs, as for a start: a point that it has already is the same point,
 * for there is one value for a key and timestamp.
 *
 * What cannot get better ends the watch at once: patterns that are none, an address that is none, a server
 * that does not speak the protocol, or that refuses the watch, since it has too many or may not be read. It
 * is told by [signal@Watch::failed].
 *
 * ## Bounds
 *
 * Up to [property@Watch:queue-limit] points wait in the process for a program that is slower than they come;
 * then the oldest are dropped. The server does the same for a client that is slower than it. How many
 * points were dropped is told in front of those that follow.
 *
 * Since: 0.1
 */
struct _MetricsWatch
{
  GObject parent_instance;

  MetricsClient *client; /* (owned) */
  GStrv patterns;        /* (owned) */
  gboolean reconnect;
  guint queue_limit;
  MetricsFeed *feed;      /* (owned): what came, for all threads */
  MetricsWatchLink *link; /* (owned) (nullable) (atomic): none when it is closed */
  GSource *source;        /* (owned): emits the signals */
  gboolean was_online;    /* according to these */
};

typedef enum
{
  PROP_CLIENT = 1,
  PROP_PATTERNS,
  PROP_RECONNECT,
  PROP_QUEUE_LIMIT,
  PROP_ONLINE,
} MetricsWatchProperty;

static GParamSpec *properties[PROP_ONLINE + 1];

enum
{
  SIGNAL_POINTS,
  SIGNAL_DROPPED,
  SIGNAL_CONNECTED,
  SIGNAL_DISCONNECTED,
  SIGNAL_FAILED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

#define DEFAULT_QUEUE_LIMIT 65536

G_DEFINE_FINAL_TYPE (MetricsWatch, metrics_watch, G_TYPE_OBJECT)

static void
emit_news (MetricsWatch *self, const MetricsFeedNews *news)
{
  gboolean is_connected = news->state == METRICS_FEED_CONNECTED;

  if (self->was_online != is_connected)
    {
      self->was_online = is_connected;
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ONLINE]);
      /* Whoever was told of that may have closed the watch. */
      if (g_atomic_pointer_get (&self->link) == NULL)
        return;
    }
  switch (news->state)
    {
    case METRICS_FEED_CONNECTED:
      g_signal_emit (self, signals[SIGNAL_CONNECTED], 0, news->is_gap);
      break;
    case METRICS_FEED_DISCONNECTED:
      g_signal_emit (self, signals[SIGNAL_DISCONNECTED], 0, news->error);
      break;
    case METRICS_FEED_FAILED:
    default:
      g_signal_emit (self, signals[SIGNAL_FAILED], 0, news->error);
      break;
    }
}

static void
emit_batch (MetricsWatch *self, const MetricsFeedBatch *batch)
{
  g_autoptr (GPtrArray) samples = metrics_feed_batch_make_samples (batch);

  if (batch->n_dropped > 0)
    g_signal_emit (self, signals[SIGNAL_DROPPED], 0, batch->n_dropped);
  /* Whoever was told of that may have closed the watch. */
  if (samples->len > 0 && g_atomic_pointer_get (&self->link) != NULL)
    g_signal_emit (self, signals[SIGNAL_POINTS], 0, samples);
}

static gboolean
on_ready (gpointer user_data)
{
  g_autoptr (MetricsWatch) self = g_weak_ref_get (user_data);
  g_autoptr (MetricsFeedNews) news = NULL;
  g_autoptr (MetricsFeedBatch) batch = NULL;

  if (self == NULL)
    return G_SOURCE_REMOVE;
  if (!metrics_feed_take_for_signals (self->feed,
                                      g_signal_has_handler_pending (self, signals[SIGNAL_POINTS], 0, TRUE),
                                      &news, &batch))
    return G_SOURCE_CONTINUE;
  if (news != NULL)
    emit_news (self, news);
  else
    emit_batch (self, batch);
  return G_SOURCE_CONTINUE;
}

static void
free_weak_ref (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

static void
attach_source (MetricsWatch *self)
{
  GWeakRef *weak = g_new (GWeakRef, 1);

  /* Whoever lets go of the last reference is not made to wait for a signal. */
  g_weak_ref_init (weak, self);
  self->source = metrics_feed_new_source ();
  g_source_set_static_name (self->source, "MetricsWatch");
  g_source_set_priority (self->source, G_PRIORITY_DEFAULT_IDLE);
  g_source_set_callback (self->source, on_ready, weak, free_weak_ref);
  metrics_feed_set_signals (self->feed, self->source);
  g_source_attach (self->source, g_main_context_get_thread_default ());
}

static void
metrics_watch_constructed (GObject *object)
{
  MetricsWatch *self = METRICS_WATCH (object);
  static const char *const none[] = { NULL };

  G_OBJECT_CLASS (metrics_watch_parent_class)->constructed (object);

  if (self->client == NULL)
    self->client = metrics_client_new (NULL);
  if (self->patterns == NULL)
    self->patterns = g_strdupv ((GStrv) none);
  self->feed = metrics_feed_new (self->queue_limit);
  attach_source (self);
  self->link = metrics_watch_link_new (self->feed,
                                       metrics_channel_get_server (metrics_client_get_channel (self->client)),
                                       (const char *const *) self->patterns,
                                       metrics_client_get_timeout (self->client), self->reconnect);
}

static void
metrics_watch_dispose (GObject *object)
{
  metrics_watch_close (METRICS_WATCH (object));
  G_OBJECT_CLASS (metrics_watch_parent_class)->dispose (object);
}

static void
metrics_watch_finalize (GObject *object)
{
  MetricsWatch *self = METRICS_WATCH (object);

  g_source_unref (self->source);
  metrics_feed_unref (self->feed);
  g_strfreev (self->patterns);
  g_object_unref (self->client);
  G_OBJECT_CLASS (metrics_watch_parent_class)->finalize (object);
}

static void
metrics_watch_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  MetricsWatch *self = METRICS_WATCH (object);

  switch ((MetricsWatchProperty) id)
    {
    case PROP_CLIENT:
      g_value_set_object (value, self->client);
      break;
    case PROP_PATTERNS:
      g_value_set_boxed (value, self->patterns);
      break;
    case PROP_RECONNECT:
      g_value_set_boolean (value, self->reconnect);
      break;
    case PROP_QUEUE_LIMIT:
      g_value_set_uint (value, self->queue_limit);
      break;
    case PROP_ONLINE:
      g_value_set_boolean (value, metrics_watch_get_online (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
metrics_watch_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  MetricsWatch *self = METRICS_WATCH (object);

  switch ((MetricsWatchProperty) id)
    {
    case PROP_CLIENT:
      self->client = g_value_dup_object (value);
      break;
    case PROP_PATTERNS:
      self->patterns = g_value_dup_boxed (value);
      break;
    case PROP_RECONNECT:
      self->reconnect = g_value_get_boolean (value);
      break;
    case PROP_QUEUE_LIMIT:
      self->queue_limit = g_value_get_uint (value);
      break;
    case PROP_ONLINE:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_properties (GObjectClass *object_class)
{
  const GParamFlags construct = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * MetricsWatch:client: (getter get_client)
   *
   * The client whose server is watched; %NULL at construction stands for one without an address.
   *
   * Since: 0.1
   */
  properties[PROP_CLIENT] = g_param_spec_object ("client", NULL, NULL, METRICS_TYPE_CLIENT, construct);

  /**
   * MetricsWatch:patterns: (getter get_patterns)
   *
   * What is watched: one or several globs over whole keys.
   *
   * Since: 0.1
   */
  properties[PROP_PATTERNS] = g_param_spec_boxed ("patterns", NULL, NULL, G_TYPE_STRV, construct);

  /**
   * MetricsWatch:reconnect: (getter get_reconnect)
   *
   * Whether a connection that is lost, or cannot be made, is tried again.
   *
   * Since: 0.1
   */
  properties[PROP_RECONNECT] = g_param_spec_boolean ("reconnect", NULL, NULL, TRUE, construct);

  /**
   * MetricsWatch:queue-limit: (getter get_queue_limit)
   *
   * How many points wait at most for a program that does not take them.
   *
   * Since: 0.1
   */
  properties[PROP_QUEUE_LIMIT]
      = g_param_spec_uint ("queue-limit", NULL, NULL, 1, G_MAXINT, DEFAULT_QUEUE_LIMIT, construct);

  /**
   * MetricsWatch:online: (getter get_online)
   *
   * Whether the server is being listened to, so that what is put now will be told.
   *
   * Since: 0.1
   */
  properties[PROP_ONLINE]
      = g_param_spec_boolean ("online", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);
}

static void
install_signals (GType type)
{
  /**
   * MetricsWatch::points:
   * @self: a watch
   * @samples: (element-type MetricsSample): the points; a reference to the array keeps them beyond the call
   *
   * Emitted when points have come, in the order in which the server has got them. Not where
   * [method@Watch.next] or [method@Watch.next_async] was ever called.
   *
   * Whoever connects before the main context runs again misses none.
   *
   * Since: 0.1
   */
  signals[SIGNAL_POINTS] = g_signal_new ("points", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                         1, G_TYPE_PTR_ARRAY);

  /**
   * MetricsWatch::dropped:
   * @self: a watch
   * @n_points: how many points
   *
   * Emitted when points were dropped as they were not taken in time, here or by the server: in front of those
   * that came after them. Not where [method@Watch.next] or [method@Watch.next_async] was ever called.
   *
   * Since: 0.1
   */
  signals[SIGNAL_DROPPED]
      = g_signal_new ("dropped", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);

  /**
   * MetricsWatch::connected:
   * @self: a watch
   * @gap: whether there was a connection before, so that points may have been missed since
   *
   * Emitted when the server is being listened to: all that is put from here on will be told.
   *
   * Since: 0.1
   */
  signals[SIGNAL_CONNECTED] = g_signal_new ("connected", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                            G_TYPE_NONE, 1, G_TYPE_BOOLEAN);

  /**
   * MetricsWatch::disconnected:
   * @self: a watch
   * @error: why, see [error@Error]
   *
   * Emitted when the connection is lost, or the first attempt to make it has failed. It is tried again; that
   * it has failed again is not told.
   *
   * Since: 0.1
   */
  signals[SIGNAL_DISCONNECTED] = g_signal_new ("disconnected", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                               G_TYPE_NONE, 1, G_TYPE_ERROR);

  /**
   * MetricsWatch::failed:
   * @self: a watch
   * @error: why, see [error@Error]
   *
   * Emitted when nothing more will come, and the watch does not try again. It is the last signal.
   *
   * Since: 0.1
   */
  signals[SIGNAL_FAILED]
      = g_signal_new ("failed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
metrics_watch_class_init (MetricsWatchClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  metrics_texts_bind ();

  object_class->constructed = metrics_watch_constructed;
  object_class->dispose = metrics_watch_dispose;
  object_class->finalize = metrics_watch_finalize;
  object_class->get_property = metrics_watch_get_property;
  object_class->set_property = metrics_watch_set_property;

  install_properties (object_class);
  install_signals (G_OBJECT_CLASS_TYPE (klass));
}

static void
metrics_watch_init (MetricsWatch *self)
{
}

/**
 * metrics_watch_new:
 * @client: whose server to watch; the watch has a connection of its own
 * @patterns: (array zero-terminated=1): which keys, as globs: see [class@Client]
 *
 * Begins to watch. It connects by itself, and so cannot fail here: what goes wrong is told by
 * [signal@Watch::failed] and [method@Watch.next].
 *
 * Returns: (transfer full): the watch
 *
 * Since: 0.1
 */
MetricsWatch *
metrics_watch_new (MetricsClient *client, const char *const *patterns)
{
  g_return_val_if_fail (METRICS_IS_CLIENT (client), NULL);
  g_return_val_if_fail (patterns != NULL, NULL);

  return g_object_new (METRICS_TYPE_WATCH, "client", client, "patterns", patterns, NULL);
}

/**
 * metrics_watch_get_client: (get-property client)
 * @self: a watch
 *
 * Gets the client whose server is watched.
 *
 * Returns: (transfer none): the client
 *
 * Since: 0.1
 */
MetricsClient *
metrics_watch_get_client (MetricsWatch *self)
{
  g_return_val_if_fail (METRICS_IS_WATCH (self), NULL);

  return self->client;
}

/**
 * metrics_watch_get_patterns: (get-property patterns)
 * @self: a watch
 *
 * Gets what is watched.
 *
 * Returns: (transfer none) (array zero-terminated=1): the patterns
 *
 * Since: 0.1
 */
const char *const *
metrics_watch_get_patterns (MetricsWatch *self)
{
  g_return_val_if_fail (METRICS_IS_WATCH (self), NULL);

  return (const char *const *) self->patterns;
}

/**
 * metrics_watch_get_reconnect: (get-property reconnect)
 * @self: a watch
 *
 * Gets whether a lost connection is tried again.
 *
 * Returns: whether it is so
 *
 * Since: 0.1
 */
gboolean
metrics_watch_get_reconnect (MetricsWatch *self)
{
  g_return_val_if_fail (METRICS_IS_WATCH (self), FALSE);

  return self->reconnect;
}

/**
 * metrics_watch_get_queue_limit: (get-property queue-limit)
 * @self: a watch
 *
 * Gets how many points wait at most.
 *
 * Returns: the number of points
 *
 * Since: 0.1
 */
guint
metrics_watch_get_queue_limit (MetricsWatch *self)
{
  g_return_val_if_fail (METRICS_IS_WATCH (self), 0);

  return self->queue_limit;
}

/**
 * metrics_watch_get_online: (get-property online)
 * @self: a watch
 *
 * Gets whether the server is being listened to, at this moment: the signals of it may still be to come.
 *
 * Returns: whether it is so
 *
 * Since: 0.1
 */
gboolean
metrics_watch_get_online (MetricsWatch *self)
{
  g_return_val_if_fail (METRICS_IS_WATCH (self), FALSE);

  return metrics_feed_is_connected (self->feed);
}

/**
 * metrics_watch_get_feed:
 * @self: a watch
 *
 * Returns: (transfer none): what it has to tell
 */
MetricsFeed *
metrics_watch_get_feed (MetricsWatch *self)
{
  return self->feed;
}

/**
 * metrics_watch_close:
 * @self: a watch
 *
 * Ends the watch: its connection is closed, points that were not taken are dropped, and no signal is emitted
 * any more. A call that waits for points fails with %METRICS_ERROR_CLOSED. Does not block, and may be called
 * more than once.
 *
 * A watch that is freed is closed by itself. A call that waits keeps it from being freed.
 *
 * Since: 0.1
 */
void
metrics_watch_close (MetricsWatch *self)
{
  MetricsWatchLink *link;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (METRICS_IS_WATCH (self));

  do
    link = g_atomic_pointer_get (&self->link);
  while (!g_atomic_pointer_compare_and_exchange (&self->link, link, NULL));
  if (link == NULL)
    return;

  error = g_error_new_literal (METRICS_ERROR, METRICS_ERROR_CLOSED, _ ("the watch was closed"));
  metrics_feed_close (self->feed, error);
  g_source_destroy (self->source);
  metrics_watch_link_shut_down (link);
}
