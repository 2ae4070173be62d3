/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-gate.h"

/**
 * MetricsGate:
 *
 * Where replies wait whose changes have to be on disk first, where the store has a journal that is awaited.
 * It knows the clients that wait, so that those who do not, ten thousand perhaps, are not asked at each
 * commit.
 *
 * What a request has changed shows in the journal's position, and nobody else changes anything between two
 * looks at it, for there is one thread: so whatever requests there are, none has to be told apart.
 */
struct _MetricsGate
{
  GObject parent;

  MetricsStore *store;     /* (owned) */
  MetricsJournal *journal; /* (owned) (nullable): the store's */
  guint64 position;        /* of the journal when it was looked at last */
  GQueue waiting;          /* (unowned links): MetricsOutbox.link of those that hold replies */
};

enum
{
  PROP_STORE = 1,
};

G_DEFINE_FINAL_TYPE (MetricsGate, metrics_gate, G_TYPE_OBJECT)

/* Lets out what is kept, and then refuses what waits up to @failed, where there is a @message. */
static void
wake (MetricsGate *self, guint64 failed, const char *message)
{
  guint64 kept = metrics_journal_get_kept (self->journal);
  GList *next;

  for (GList *link = self->waiting.head; link != NULL; link = next)
    {
      MetricsOutbox *outbox = link->data;
      gboolean is_released = metrics_outbox_release (outbox, kept);
      guint n_failed = message != NULL ? metrics_outbox_fail (outbox, failed, message) : 0;

      next = link->next;
      if (!metrics_outbox_is_held (outbox))
        metrics_gate_forget (self, outbox);
      if (is_released || n_failed > 0)
        outbox->wake_func (n_failed, outbox->wake_data);
    }
}

static void
kept_cb (MetricsJournal *journal, gpointer user_data)
{
  wake (user_data, 0, NULL);
}

static void
failed_cb (MetricsJournal *journal, guint64 position, const char *reason, gpointer user_data)
{
  g_autofree char *message = g_strconcat ("storage: ", reason, NULL);

  wake (user_data, position, message);
}

static void
update_journal (MetricsGate *self)
{
  MetricsJournal *journal = metrics_store_get_journal (self->store);

  if (journal == self->journal)
    return;

  if (self->journal != NULL)
    {
      /* Nobody will ever hear of what it has not kept by now. */
      wake (self, G_MAXUINT64, "storage: closed");
      g_signal_handlers_disconnect_by_data (self->journal, self);
    }
  g_set_object (&self->journal, journal);
  if (journal != NULL)
    {
      g_signal_connect (journal, "kept", G_CALLBACK (kept_cb), self);
      g_signal_connect (journal, "failed", G_CALLBACK (failed_cb), self);
    }
}

/* The object */

static void
metrics_gate_set_property (GObject *object, guint property_id, const GValue *value, GParamSpec *pspec)
{
  MetricsGate *self = METRICS_GATE (object);

  switch (property_id)
    {
    case PROP_STORE:
      self->store = g_value_dup_object (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
    }
}

static void
metrics_gate_constructed (GObject *object)
{
  MetricsGate *self = METRICS_GATE (object);

  G_OBJECT_CLASS (metrics_gate_parent_class)->constructed (object);

  g_signal_connect_swapped (self->store, "notify::journal", G_CALLBACK (update_journal), self);
  update_journal (self);
}

static void
metrics_gate_dispose (GObject *object)
{
  MetricsGate *self = METRICS_GATE (object);

  g_assert (self->waiting.length == 0);

  if (self->store != NULL)
    g_signal_handlers_disconnect_by_data (self->store, self);
  if (self->journal != NULL)
    g_signal_handlers_disconnect_by_data (self->journal, self);
  g_clear_object (&self->journal);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (metrics_gate_parent_class)->dispose (object);
}

static void
metrics_gate_class_init (MetricsGateClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = metrics_gate_constructed;
  object_class->set_property = metrics_gate_set_property;
  object_class->dispose = metrics_gate_dispose;

  g_object_class_install_property (object_class, PROP_STORE,
                                   g_param_spec_object ("store", NULL, NULL, METRICS_TYPE_STORE,
                                                        G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY
                                                            | G_PARAM_STATIC_STRINGS));
}

static void
metrics_gate_init (MetricsGate *self)
{
}

/**
 * metrics_gate_new:
 * @store: whose journal it looks at
 *
 * Returns: (transfer full): a gate where nobody waits
 */
MetricsGate *
metrics_gate_new (MetricsStore *store)
{
  return g_object_new (METRICS_TYPE_GATE, "store", store, NULL);
}

/**
 * metrics_gate_begin:
 * @self: a gate
 *
 * To be called at the beginning of each slice of work.
 *
 * Returns: whether metrics_gate_note() has to be called behind each step of it
 */
gboolean
metrics_gate_begin (MetricsGate *self)
{
  if (G_LIKELY (self->journal == NULL) || !metrics_journal_is_awaited (self->journal))
    return FALSE;
  self->position = metrics_journal_get_position (self->journal);
  return TRUE;
}

/**
 * metrics_gate_note:
 * @self: a gate
 * @outbox: where the last reply goes; it has to stay where it is until it is forgotten
 * @is_complete: whether that reply is complete
 *
 * If what was done since it was asked last, or before for the same reply, has changed something, the reply
 * and all behind it wait in the outbox until that is kept. Its wake function then is called, from within the
 * journal's signal.
 */
void
metrics_gate_note (MetricsGate *self, MetricsOutbox *outbox, gboolean is_complete)
{
  guint64 position;

  if (G_UNLIKELY (self->journal == NULL))
    return;
  position = metrics_journal_get_position (self->journal);
  if (position != self->position)
    outbox->has_changed = TRUE;
  self->position = position;
  if (!is_complete || !outbox->has_changed)
    return;

  outbox->has_changed = FALSE;
  if (metrics_journal_get_kept (self->journal) >= position)
    return;
  metrics_outbox_hold (outbox, position);
  if (!outbox->is_queued)
    g_queue_push_tail_link (&self->waiting, &outbox->link);
  outbox->is_queued = TRUE;
}

/**
 * metrics_gate_forget:
 * @self: a gate
 * @outbox: an outbox, waiting or not
 *
 * It is not woken any more.
 */
void
metrics_gate_forget (MetricsGate *self, MetricsOutbox *outbox)
{
  if (!outbox->is_queued)
    return;
  g_queue_unlink (&self->waiting, &outbox->link);
  outbox->is_queued = FALSE;
}
