/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

void marks_guard_start (Example *example, GSocketConnection *connection, SoupServer *server);

G_END_DECLS
