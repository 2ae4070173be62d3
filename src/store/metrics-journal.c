/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-journal.h"

enum
{
  SIGNAL_KEPT,
  SIGNAL_FAILED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_INTERFACE (MetricsJournal, metrics_journal, G_TYPE_OBJECT)

static void
metrics_journal_default_init (MetricsJournalInterface *iface)
{
  /**
   * MetricsJournal::kept:
   *
   * metrics_journal_get_kept() has grown.
   */
  signals[SIGNAL_KEPT]
      = g_signal_new ("kept", METRICS_TYPE_JOURNAL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * MetricsJournal::failed:
   * @position: up to which changes the attempt went
   * @reason: one line of English
   *
   * An attempt to keep changes failed. It will be repeated: they are not lost while the process lives, but
   * who waits for them up to that position is to be told.
   */
  signals[SIGNAL_FAILED] = g_signal_new ("failed", METRICS_TYPE_JOURNAL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                         NULL, G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_STRING);
}

/**
 * metrics_journal_check:
 * @self: a journal
 * @error: return location for a #GError
 *
 * To be asked before points are added: a journal that cannot keep anything for long must not make the process
 * run out of memory.
 *
 * Returns: whether it takes more changes; else @error is set, its message one line of English
 */
gboolean
metrics_journal_check (MetricsJournal *self, GError **error)
{
  MetricsJournalInterface *iface = METRICS_JOURNAL_GET_IFACE (self);

  return iface->check == NULL || iface->check (self, error);
}

/**
 * metrics_journal_begin:
 * @self: a journal
 * @id: the number of a new series, larger than that of all before
 * @key: (array length=key_len): its key
 * @key_len: its length in bytes
 *
 * Says that there is a new series; its first put follows.
 */
void
metrics_journal_begin (MetricsJournal *self, guint64 id, const char *key, gsize key_len)
{
  METRICS_JOURNAL_GET_IFACE (self)->begin (self, id, key, key_len);
}

/**
 * metrics_journal_put:
 * @self: a journal
 * @id: the number of a series
 * @point: a point that it has now
 *
 * Says that a point was put.
 */
void
metrics_journal_put (MetricsJournal *self, guint64 id, MetricsPoint point)
{
  METRICS_JOURNAL_GET_IFACE (self)->put (self, id, point);
}

/**
 * metrics_journal_remove:
 * @self: a journal
 * @id: the number of a series
 * @from: the first time
 * @to: the last time
 *
 * Says that a series has no points any more in a span. One that has no points at all any more is forgotten:
 * its number is not used again while anything that is kept speaks of it.
 */
void
metrics_journal_remove (MetricsJournal *self, guint64 id, gint64 from, gint64 to)
{
  METRICS_JOURNAL_GET_IFACE (self)->remove (self, id, from, to);
}

/**
 * metrics_journal_get_position:
 * @self: a journal
 *
 * Returns: a number that grows with every change
 */
guint64
metrics_journal_get_position (MetricsJournal *self)
{
  return METRICS_JOURNAL_GET_IFACE (self)->get_position (self);
}

/**
 * metrics_journal_get_kept:
 * @self: a journal
 *
 * Returns: the position up to which each change is kept, or has been told to have failed: on a full disk a
 * removal is kept before puts that came earlier
 */
guint64
metrics_journal_get_kept (MetricsJournal *self)
{
  return METRICS_JOURNAL_GET_IFACE (self)->get_kept (self);
}

/**
 * metrics_journal_is_awaited:
 * @self: a journal
 *
 * Returns: whether a change that is made now is to be acknowledged only when it is kept: always, or while
 * there are too many that are not
 */
gboolean
metrics_journal_is_awaited (MetricsJournal *self)
{
  return METRICS_JOURNAL_GET_IFACE (self)->is_awaited (self);
}

/**
 * metrics_journal_press:
 * @self: a journal
 *
 * Says that memory is short, and that only what is on disk can leave it: a checkpoint is wanted soon, also
 * where spans were touched alone. However it ends, metrics_store_settle() or metrics_store_refuse_waiting()
 * has to be called then: puts may wait for it.
 */
void
metrics_journal_press (MetricsJournal *self)
{
  MetricsJournalInterface *iface = METRICS_JOURNAL_GET_IFACE (self);

  if (iface->press != NULL)
    iface->press (self);
}

/**
 * metrics_journal_touch:
 * @self: a journal
 * @id: the number of a series
 * @from: the first time
 * @to: the last time
 *
 * Asks that the next checkpoint writes the chunks of a span, too, although nothing changed there.
 */
void
metrics_journal_touch (MetricsJournal *self, guint64 id, gint64 from, gint64 to)
{
  MetricsJournalInterface *iface = METRICS_JOURNAL_GET_IFACE (self);

  if (iface->touch != NULL)
    iface->touch (self, id, from, to);
}

/**
 * metrics_journal_flush:
 * @self: a journal
 *
 * Asks that all changes so far are kept as soon as can be. #MetricsJournal::kept or #MetricsJournal::failed
 * says how that ended.
 */
void
metrics_journal_flush (MetricsJournal *self)
{
  MetricsJournalInterface *iface = METRICS_JOURNAL_GET_IFACE (self);

  if (iface->flush != NULL)
    iface->flush (self);
}

/**
 * metrics_journal_emit_kept:
 * @self: a journal
 *
 * For those that implement it: emits #MetricsJournal::kept.
 */
void
metrics_journal_emit_kept (MetricsJournal *self)
{
  g_signal_emit (self, signals[SIGNAL_KEPT], 0);
}

/**
 * metrics_journal_emit_failed:
 * @self: a journal
 * @position: up to which changes the attempt went
 * @reason: one line of English
 *
 * For those that implement it: emits #MetricsJournal::failed.
 */
void
metrics_journal_emit_failed (MetricsJournal *self, guint64 position, const char *reason)
{
  g_signal_emit (self, signals[SIGNAL_FAILED], 0, position, reason);
}
