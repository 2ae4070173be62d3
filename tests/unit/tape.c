/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "tape.h"

#include <string.h>

struct _Tape
{
  GObject parent_instance;

  GPtrArray *changes; /* (owned) (element-type Change) */
  GArray *touched;    /* (owned) (element-type Change) */
  guint n_pressed;
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
tape_press (MetricsJournal *journal)
{
  UNIT_TAPE (journal)->n_pressed++;
}

static void
tape_touch (MetricsJournal *journal, guint64 id, gint64 from, gint64 to)
{
  Change change = { .kind = CHANGE_TOUCH, .id = id, .from = from, .to = to };

  g_array_append_val (UNIT_TAPE (journal)->touched, change);
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
  iface->press = tape_press;
  iface->touch = tape_touch;
}

static void
tape_finalize (GObject *object)
{
  g_ptr_array_unref (UNIT_TAPE (object)->changes);
  g_array_unref (UNIT_TAPE (object)->touched);

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
  self->touched = g_array_new (FALSE, FALSE, sizeof (Change));
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

/* What was touched since this was called last. */
GArray *
tape_take_touched (Tape *self)
{
  GArray *touched = self->touched;

  self->touched = g_array_new (FALSE, FALSE, sizeof (Change));
  return touched;
}

guint
tape_get_n_pressed (Tape *self)
{
  return self->n_pressed;
}

/* Does a change. Returns: whether something has to be loaded first */
static gboolean
do_change (MetricsStore *store, const Change *change, MetricsChunkRequest *request)
{
  if (change->kind == CHANGE_PUT)
    return metrics_store_restore_put (store, change->id, change->point, request) == METRICS_RESTORE_COLD;
  return metrics_store_restore_remove (store, change->id, change->from, change->to, request)
         == METRICS_RESTORE_COLD;
}

/* Does all changes to a store that is being restored; what has to be loaded comes from a source, if there is
 * one. */
void
tape_play (Tape *self, MetricsStore *store, DummyChunkSource *source)
{
  for (guint i = 0; i < self->changes->len; i++)
    {
      const Change *change = tape_get (self, i);
      g_autoptr (GError) error = NULL;
      MetricsChunkRequest request;
      MetricsChunkAnswer answer;

      switch (change->kind)
        {
        case CHANGE_BEGIN:
          metrics_store_restore_series (store, change->id, change->key, strlen (change->key), &error);
          g_assert_no_error (error);
          break;
        case CHANGE_PUT:
        case CHANGE_REMOVE:
          while (do_change (store, change, &request))
            {
              g_assert_nonnull (source);
              dummy_chunk_source_read (source, &request, &answer);
              metrics_store_restore_split (store, &request, &answer);
              metrics_chunk_answer_clear (&answer);
            }
          break;
        case CHANGE_TOUCH:
          g_assert_not_reached ();
        }
    }
}
