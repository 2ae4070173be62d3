/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GPtrArray *metrics_activation_join (GPtrArray *listeners, gboolean has_http, GError **error);

G_END_DECLS
