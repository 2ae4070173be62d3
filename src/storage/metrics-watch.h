/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * MetricsReportFunc:
 * @text: (type utf8): something that was found, a line without its end
 * @user_data: what was given with the function
 *
 * Is told what is wrong.
 */
typedef void (*MetricsReportFunc) (const char *text, gpointer user_data);

/**
 * MetricsProgressFunc:
 * @done: how much is done
 * @total: of how much; 0 where that is not known
 * @user_data: what was given with the function
 *
 * Is told now and then how far something has come.
 *
 * Returns: whether to go on
 */
typedef gboolean (*MetricsProgressFunc) (guint64 done, guint64 total, gpointer user_data);

/**
 * MetricsWatch:
 * @report: is told what is wrong
 * @progress: is told how far it is, in a unit of its own
 * @user_data: for both
 *
 * Whom to tell while something is done that takes long.
 */
typedef struct
{
  MetricsReportFunc report;
  MetricsProgressFunc progress;
  gpointer user_data;
} MetricsWatch;

G_END_DECLS
