/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GSocketConnectable *metrics_address_parse (const char *text, guint16 default_port, GError **error);

GBusType metrics_address_parse_bus (const char *text);

const char *metrics_address_get_default (void);

G_END_DECLS
