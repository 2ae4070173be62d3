/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dummy-journal.h"

struct _DummyJournal
{
  GObject parent_instance;

  gboolean is_awaited;
  guint64 position;
  guint64 kept;
};

static void dummy_journal_iface_init (MetricsJournalInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (DummyJournal,
                               dummy_journal,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (METRICS_TYPE_JOURNAL, dummy_journal_iface_init))

static void
dummy_journal_begin (MetricsJournal *journal, guint64 id, const char *key, gsize key_len)
{
  DUMMY_JOURNAL (journal)->position++;
}

static void
dummy_journal_put (MetricsJournal *journal, guint64 id, MetricsPoint point)
{
  DUMMY_JOURNAL (journal)->position++;
}

static void
dummy_journal_remove (MetricsJournal *journal, guint64 id, gint64 from, gint64 to)
{
  DUMMY_JOURNAL (journal)->position++;
}

static guint64
dummy_journal_get_position (MetricsJournal *journal)
{
  return DUMMY_JOURNAL (journal)->position;
}

static guint64
dummy_journal_get_kept (MetricsJournal *journal)
{
  return DUMMY_JOURNAL (journal)->kept;
}

static gboolean
dummy_journal_is_awaited (MetricsJournal *journal)
{
  return DUMMY_JOURNAL (journal)->is_awaited;
}

static void
dummy_journal_iface_init (MetricsJournalInterface *iface)
{
  iface->begin = dummy_journal_begin;
  iface->put = dummy_journal_put;
  iface->remove = dummy_journal_remove;
  iface->get_position = dummy_journal_get_position;
  iface->get_kept = dummy_journal_get_kept;
  iface->is_awaited = dummy_journal_is_awaited;
}

static void
dummy_journal_init (DummyJournal *self)
{
}

static void
dummy_journal_class_init (DummyJournalClass *klass)
{
}

DummyJournal *
dummy_journal_new (gboolean is_awaited)
{
  DummyJournal *self = g_object_new (DUMMY_TYPE_JOURNAL, NULL);

  self->is_awaited = is_awaited;
  return self;
}

void
dummy_journal_set_awaited (DummyJournal *self, gboolean is_awaited)
{
  self->is_awaited = is_awaited;
}

void
dummy_journal_keep (DummyJournal *self, guint64 position)
{
  g_assert_cmpuint (position, >=, self->kept);
  g_assert_cmpuint (position, <=, self->position);

  self->kept = position;
  metrics_journal_emit_kept (METRICS_JOURNAL (self));
}

void
dummy_journal_keep_all (DummyJournal *self)
{
  dummy_journal_keep (self, self->position);
}
