/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

void echo_serve (Example *example, GSocketConnection *connection, GCancellable *stop);

G_END_DECLS
