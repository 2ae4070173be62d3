/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What each fuzz target is: takes any bytes, and aborts where the parser is wrong. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

G_END_DECLS
