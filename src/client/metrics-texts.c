/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "client/metrics-texts.h"

#include <libintl.h>

/**
 * metrics_texts_bind:
 *
 * Says where the translations of messages are: the program that uses the library does not know. May be called
 * more than once, from any thread.
 */
void
metrics_texts_bind (void)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
}
