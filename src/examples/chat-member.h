/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "example.h"

G_BEGIN_DECLS

void chat_member_start (Example *example, GSocketConnection *connection, int hold_msec, int join_seconds);

G_END_DECLS
