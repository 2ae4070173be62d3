/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "common/metrics-point.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define METRICS_TYPE_JOURNAL (metrics_journal_get_type ())
G_DECLARE_INTERFACE (MetricsJournal, metrics_journal, METRICS, JOURNAL, GObject)

/**
 * MetricsJournalInterface:
 * @check: (nullable): see metrics_journal_check(); %NULL where it takes everything
 * @begin: see metrics_journal_begin()
 * @put: see metrics_journal_put()
 * @remove: see metrics_journal_remove()
 * @get_position: see metrics_journal_get_position()
 * @get_kept: see metrics_journal_get_kept()
 * @is_awaited: see metrics_journal_is_awaited()
 * @press: (nullable): see metrics_journal_press()
 * @touch: (nullable): see metrics_journal_touch()
 * @flush: (nullable): see metrics_journal_flush()
 *
 * Is told of every change of a store, in order, and keeps it where it lasts.
 */
struct _MetricsJournalInterface
{
  GTypeInterface parent_iface;

  gboolean (*check) (MetricsJournal *self, GError **error);
  void (*begin) (MetricsJournal *self, guint64 id, const char *key, gsize key_len);
  void (*put) (MetricsJournal *self, guint64 id, MetricsPoint point);
  void (*remove) (MetricsJournal *self, guint64 id, gint64 from, gint64 to);

  guint64 (*get_position) (MetricsJournal *self);
  guint64 (*get_kept) (MetricsJournal *self);
  gboolean (*is_awaited) (MetricsJournal *self);

  void (*press) (MetricsJournal *self);
  void (*touch) (MetricsJournal *self, guint64 id, gint64 from, gint64 to);
  void (*flush) (MetricsJournal *self);
};

gboolean metrics_journal_check (MetricsJournal *self, GError **error);
void metrics_journal_begin (MetricsJournal *self, guint64 id, const char *key, gsize key_len);
void metrics_journal_put (MetricsJournal *self, guint64 id, MetricsPoint point);
void metrics_journal_remove (MetricsJournal *self, guint64 id, gint64 from, gint64 to);

guint64 metrics_journal_get_position (MetricsJournal *self);
guint64 metrics_journal_get_kept (MetricsJournal *self);
gboolean metrics_journal_is_awaited (MetricsJournal *self);

void metrics_journal_press (MetricsJournal *self);
void metrics_journal_touch (MetricsJournal *self, guint64 id, gint64 from, gint64 to);
void metrics_journal_flush (MetricsJournal *self);

void metrics_journal_emit_kept (MetricsJournal *self);
void metrics_journal_emit_failed (MetricsJournal *self, guint64 position, const char *reason);

G_END_DECLS
