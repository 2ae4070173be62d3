/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "fuzz.h"

#include "common/metrics-key.h"
#include "protocol/metrics-command.h"

#include <math.h>
#include <string.h>

/* A request has one meaning, whatever blanks there are around its words: one more in front takes it out of
 * the short way in which the commonest requests are read. */

#define NOW G_GINT64_CONSTANT (1700000000)

static void
parse_behind_blank (const char *line, gsize len, char **copy, MetricsCommand *command)
{
  *copy = g_malloc (len + 1);
  (*copy)[0] = ' ';
  memcpy (*copy + 1, line, len);
  metrics_command_parse (*copy, len + 1, NOW, command);
}

static void
check_put (const MetricsCommand *command)
{
  g_assert_true (metrics_key_is_valid (command->key.text, command->key.len));
  g_assert_true (isfinite (command->point.value));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *line = (const char *) data;
  g_autofree char *copy = NULL;
  MetricsCommand command, other;

  metrics_command_parse (line, size, NOW, &command);
  parse_behind_blank (line, size, &copy, &other);
  g_assert_cmpint (command.verb, ==, other.verb);
  if (command.verb != METRICS_VERB_PUT)
    return 0;

  check_put (&command);
  g_assert_cmpmem (command.key.text, command.key.len, other.key.text, other.key.len);
  g_assert_true (command.key.text - line == other.key.text - copy - 1);
  g_assert_cmpmem (&command.point, sizeof command.point, &other.point, sizeof other.point);
  return 0;
}
