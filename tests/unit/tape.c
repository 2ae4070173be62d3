/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "tape.h"

#include <string.h>

struct _Tape
{
  GObject parent_instance;

  GPtrArray *changes; /* (owned) (element-type Change) */
  guint64 position;
  guint64 newest_id;
};

static void tape_journal_init (MetricsJournalInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (Tape,
                               tape,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (METRICS_TYPE_JOURNAL, tape_journal_init))

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->key);
  g_free (change);
}

static void
add (MetricsJournal *journal, const Change *change)
{
  Tape *self = UNIT_TAPE (journal);

  g_ptr_array_add (self->changes, g_memdup2 (change, sizeof *change));
  self->position++;
}

static void
tape_begin (MetricsJournal *journal, guint64 id, const char *key, gsize key_len)
{
  Tape *self = UNIT_TAPE (journal);

  g_assert_cmpuint (id, >, self->newest_id);
  self->newest_id = id;
  add (journal, &(Change){ .kind = CHANGE_BEGIN, .id = id, .key = g_strndup (key, key_len) });
}

static void
tape_put (MetricsJournal *journal, guint64 id, MetricsPoint point)
{
  add (journal, &(Change){ .kind = CHANGE_PUT, .id = id, .point = point });
}

static void
tape_remove (MetricsJournal *journal, guint64 id, gint64 from, gint64 to)
{
  add (journal, &(Change){ .kind = CHANGE_REMOVE, .id = id, .from = from, .to = to });
}

static guint64
tape_get_position (MetricsJournal *journal)
{
  return UNIT_TAPE (journal)->position;
}

static gboolean
tape_is_awaited (MetricsJournal *journal)
{
  return FALSE;
}

static void
tape_journal_init (MetricsJournalInterface *iface)
{
  iface->begin = tape_begin;
  iface->put = tape_put;
  iface->remove = tape_remove;
  iface->get_position = tape_get_position;
  iface->get_kept = tape_get_position;
  iface->is_awaited = tape_is_awaited;
}

static void
tape_finalize (GObject *object)
{
  g_ptr_array_unref (UNIT_TAPE (object)->changes);

  G_OBJECT_CLASS (tape_parent_class)->finalize (object);
}

static void
tape_class_init (TapeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tape_finalize;
}

static void
tape_init (Tape *self)
{
  self->changes = g_ptr_array_new_with_free_func (change_free);
}

Tape *
tape_new (void)
{
  return g_object_new (UNIT_TYPE_TAPE, NULL);
}

guint
tape_get_length (Tape *self)
{
  return self->changes->len;
}

const Change *
tape_get (Tape *self, guint i)
{
  g_assert_cmpuint (i, <, self->changes->len);
  return g_ptr_array_index (self->changes, i);
}

guint64
tape_get_newest_id (Tape *self)
{
  return self->newest_id;
}

/* Forgets the oldest changes. */
void
tape_cut (Tape *self, guint n)
{
  if (n > 0)
    g_ptr_array_remove_range (self->changes, 0, n);
}

/* Does all changes to a store that is being restored. */
void
tape_play (Tape *self, MetricsStore *store)
{
  for (guint i = 0; i < self->changes->len; i++)
    {
      const Change *change = tape_get (self, i);
      g_autoptr (GError) error = NULL;

      switch (change->kind)
        {
        case CHANGE_BEGIN:
          metrics_store_restore_series (store, change->id, change->key, strlen (change->key), &error);
          g_assert_no_error (error);
          break;
        case CHANGE_PUT:
          metrics_store_restore_put (store, change->id, change->point);
          break;
        case CHANGE_REMOVE:
          metrics_store_restore_remove (store, change->id, change->from, change->to);
          break;
        }
    }
}
