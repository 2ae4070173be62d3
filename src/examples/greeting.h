/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What the server and the client of greetings say to each other. */
#define GREETING "Hello server"
#define GREETING_ANSWER "Hello client"
#define GREETING_ERROR "error: "
/* Bytes that a greeting may have. */
#define GREETING_LIMIT 1024
/* What is shown of one. */
#define GREETING_SHOWN_CHARACTERS 200

typedef struct GreetingLog GreetingLog;

GreetingLog *greeting_log_new (void);
void greeting_log_free (GreetingLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GreetingLog, greeting_log_free)

void greeting_log_add (GreetingLog *self, const char *line);

G_END_DECLS
