/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "store/metrics-disk.h"

/* Where calls wait whose changes have to be on disk before they are answered. As in server/metrics-gate.c,
 * the journal's position tells what has changed; a call that changes much does so in several steps, between
 * which others change something too, and it waits for these as well. */

struct _MetricsDisk
{
  MetricsJournal *journal; /* (owned) (nullable) */
  GQueue waiting;          /* (unowned links): MetricsDiskWait.link */
  guint64 failed;          /* the last position of which it was said that it failed */
  char *reason;            /* (owned) (nullable): why */
};

/* They wait in the order of their positions. Whoever is told may begin to wait, or forget others. */
static void
tell (MetricsDisk *self, guint64 position, const char *reason)
{
  while (self->waiting.head != NULL)
    {
      MetricsDiskWait *wait = self->waiting.head->data;

      if (wait->position > position)
        return;
      metrics_disk_forget (self, wait);
      wait->func (reason, wait->user_data);
    }
}

static void
kept_cb (MetricsJournal *journal, gpointer user_data)
{
  tell (user_data, metrics_journal_get_kept (journal), NULL);
}

static void
failed_cb (MetricsJournal *journal, guint64 position, const char *reason, gpointer user_data)
{
  MetricsDisk *self = user_data;

  self->failed = MAX (self->failed, position);
  g_free (self->reason);
  self->reason = g_strdup (reason);
  tell (self, metrics_journal_get_kept (journal), NULL);
  tell (self, position, reason);
}

/**
 * metrics_disk_new:
 * @store: a store that has its journal already, where it is to have one
 *
 * Returns: (transfer full): where nobody waits
 */
MetricsDisk *
metrics_disk_new (MetricsStore *store)
{
  MetricsDisk *self = g_new0 (MetricsDisk, 1);

  g_set_object (&self->journal, metrics_store_get_journal (store));
  if (self->journal != NULL)
    {
      g_signal_connect (self->journal, "kept", G_CALLBACK (kept_cb), self);
      g_signal_connect (self->journal, "failed", G_CALLBACK (failed_cb), self);
    }
  return self;
}

/**
 * metrics_disk_free:
 * @self: (transfer full): where nobody waits any more
 */
void
metrics_disk_free (MetricsDisk *self)
{
  g_assert (self->waiting.length == 0);

  if (self->journal != NULL)
    g_signal_handlers_disconnect_by_data (self->journal, self);
  g_clear_object (&self->journal);
  g_free (self->reason);
  g_free (self);
}

/**
 * metrics_disk_get_position:
 * @self: a disk
 *
 * Returns: a number that grows with every change; to be asked before one begins, for metrics_disk_wait()
 */
guint64
metrics_disk_get_position (MetricsDisk *self)
{
  return self->journal != NULL ? metrics_journal_get_position (self->journal) : 0;
}

/**
 * metrics_disk_is_awaited:
 * @self: a disk
 *
 * Returns: whether a change that is made now has to be waited for
 */
gboolean
metrics_disk_is_awaited (MetricsDisk *self)
{
  return self->journal != NULL && metrics_journal_is_awaited (self->journal);
}

/* Returns: FALSE where there is nothing to wait for */
static gboolean
begin_wait (MetricsDisk *self, MetricsDiskWait *wait, MetricsDiskFunc func, gpointer user_data)
{
  guint64 position = metrics_disk_get_position (self);

  if (metrics_journal_get_kept (self->journal) >= position)
    return FALSE;
  *wait = (MetricsDiskWait){ .position = position, .func = func, .user_data = user_data };
  wait->link.data = wait;
  wait->is_queued = TRUE;
  g_queue_push_tail_link (&self->waiting, &wait->link);
  return TRUE;
}

/**
 * metrics_disk_flush:
 * @self: a disk
 * @wait: who waits, as in metrics_disk_wait()
 * @func: what to call when all changes so far are kept, or the next attempt has failed
 * @user_data: what to call it with
 * @error: return location for a #GError
 *
 * Has all changes so far written now.
 *
 * Returns: whether it has to be waited for; where it has not and @error is not set, all is kept
 */
gboolean
metrics_disk_flush (MetricsDisk *self,
                    MetricsDiskWait *wait,
                    MetricsDiskFunc func,
                    gpointer user_data,
                    GError **error)
{
  g_assert (!wait->is_queued);

  if (self->journal == NULL || !metrics_journal_check (self->journal, error)
      || !begin_wait (self, wait, func, user_data))
    return FALSE;
  metrics_journal_flush (self->journal);
  return TRUE;
}

/**
 * metrics_disk_wait:
 * @self: a disk
 * @wait: who waits; it has to stay where it is until it is told or metrics_disk_forget()
 * @since: the position before the change
 * @func: what to call then
 * @user_data: what to call it with
 *
 * Waits until all that is there now is kept. Where a part of it has failed meanwhile that is told too.
 *
 * Returns: %FALSE where it is kept already: nobody is called
 */
gboolean
metrics_disk_wait (MetricsDisk *self,
                   MetricsDiskWait *wait,
                   guint64 since,
                   MetricsDiskFunc func,
                   gpointer user_data)
{
  g_assert (!wait->is_queued);

  if (self->journal == NULL || metrics_disk_get_position (self) == since)
    return FALSE;
  if (self->failed > since)
    {
      g_autofree char *reason = g_strdup (self->reason);

      func (reason, user_data);
      return TRUE;
    }
  return begin_wait (self, wait, func, user_data);
}

/**
 * metrics_disk_forget:
 * @self: a disk
 * @wait: one who waits, or not
 *
 * It is not told any more.
 */
void
metrics_disk_forget (MetricsDisk *self, MetricsDiskWait *wait)
{
  if (!wait->is_queued)
    return;
  g_queue_unlink (&self->waiting, &wait->link);
  wait->is_queued = FALSE;
}
