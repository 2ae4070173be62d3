/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "logged.h"

/* g_test_expect_message() knows nothing of structured messages. */

static LoggedFunc logged_func;
static gpointer logged_data;
static GQueue expected = G_QUEUE_INIT; /* (owned) (element-type utf8): patterns */

/**
 * logged_get:
 * @fields: (array length=n_fields): an entry, whose values are texts
 * @n_fields: how many
 * @key: a field's name
 *
 * Returns: (transfer none) (nullable): its value
 */
const char *
logged_get (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key))
      return fields[i].value;
  return NULL;
}

static GLogWriterOutput
take (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const char *message = logged_get (fields, n_fields, "MESSAGE");
  g_autofree char *pattern = NULL;

  if (logged_get (fields, n_fields, "MESSAGE_ID") == NULL)
    return g_log_writer_default (level, fields, n_fields, user_data);
  if (logged_func != NULL)
    {
      logged_func (fields, n_fields, logged_data);
      return G_LOG_WRITER_HANDLED;
    }
  pattern = g_queue_pop_head (&expected);
  if (pattern != NULL && !g_pattern_match_simple (pattern, message))
    g_error ("'%s' was logged, expected was '%s'", message, pattern);
  if (pattern == NULL)
    g_test_message ("%s", message);
  return G_LOG_WRITER_HANDLED;
}

/**
 * logged_install:
 *
 * To be called once, before anything is logged.
 */
void
logged_install (void)
{
  g_log_set_writer_func (take, NULL, NULL);
}

/**
 * logged_set_func:
 * @func: (nullable): gets what is logged from now on
 * @user_data: for @func
 */
void
logged_set_func (LoggedFunc func, gpointer user_data)
{
  logged_func = func;
  logged_data = user_data;
}

/**
 * logged_expect:
 * @pattern: as for g_pattern_match_simple()
 *
 * The next messages, in turn, have to be those that are expected.
 */
void
logged_expect (const char *pattern)
{
  g_queue_push_tail (&expected, g_strdup (pattern));
}

/**
 * logged_assert_expected:
 *
 * All that were expected have come.
 */
void
logged_assert_expected (void)
{
  g_assert_cmpstr (g_queue_peek_head (&expected), ==, NULL);
}
