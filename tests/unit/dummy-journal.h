/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "store/metrics-journal.h"

G_BEGIN_DECLS

/* A journal that counts changes, and keeps them when it is told to. */
#define DUMMY_TYPE_JOURNAL (dummy_journal_get_type ())
G_DECLARE_FINAL_TYPE (DummyJournal, dummy_journal, DUMMY, JOURNAL, GObject)

DummyJournal *dummy_journal_new (gboolean is_awaited);
void dummy_journal_set_awaited (DummyJournal *self, gboolean is_awaited);
void dummy_journal_keep (DummyJournal *self, guint64 position);
void dummy_journal_keep_all (DummyJournal *self);

G_END_DECLS
