/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

double metrics_number_from_decimal (guint64 digits, gint64 exponent);
guint64 metrics_number_to_decimal (double value, int *exponent);

G_END_DECLS
