/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Keys that are no characters. */
typedef enum
{
  METRICS_CTL_KEY_UP = 0x110000,
  METRICS_CTL_KEY_DOWN,
  METRICS_CTL_KEY_LEFT,
  METRICS_CTL_KEY_RIGHT,
  METRICS_CTL_KEY_PAGE_UP,
  METRICS_CTL_KEY_PAGE_DOWN,
  METRICS_CTL_KEY_HOME,
  METRICS_CTL_KEY_END,
  METRICS_CTL_KEY_ESCAPE,
  METRICS_CTL_KEY_ENTER,
  METRICS_CTL_KEY_BACKSPACE,
  METRICS_CTL_KEY_CLOSED, /* there will be no more keys: the terminal has gone */
} MetricsCtlKey;

/**
 * MetricsCtlScreenFuncs:
 * @key: a key was pressed: a character, or a #MetricsCtlKey
 * @redraw: the size has changed, or what stood on the screen is lost
 *
 * What a program on a screen is told, in the main context.
 */
typedef struct
{
  void (*key) (guint key, gpointer user_data);
  void (*redraw) (gpointer user_data);
} MetricsCtlScreenFuncs;

/* The terminal, taken over for a program that draws on all of it. There is one. */
typedef struct _MetricsCtlScreen MetricsCtlScreen;

gboolean metrics_ctl_screen_get_size (guint *columns, guint *rows);

MetricsCtlScreen *metrics_ctl_screen_open (const MetricsCtlScreenFuncs *funcs,
                                           gpointer user_data,
                                           GError **error);
void metrics_ctl_screen_close (MetricsCtlScreen *self);

gboolean metrics_ctl_screen_write (MetricsCtlScreen *self, const char *bytes, gsize n_bytes);

guint metrics_ctl_screen_parse_key (const char *bytes, gsize n_bytes, gsize *n_used);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MetricsCtlScreen, metrics_ctl_screen_close)

G_END_DECLS
