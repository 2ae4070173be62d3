/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "async-result.h"

/**
 * async_result_store:
 * @source: what made the call
 * @result: the result
 * @user_data: the address of a #GAsyncResult pointer, which is filled
 */
void
async_result_store (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **stored = user_data;

  g_assert_null (*stored);
  *stored = g_object_ref (result);
}

/**
 * async_result_wait:
 * @result: what was given to async_result_store()
 *
 * Returns: (transfer none): the result, when it has come
 */
GAsyncResult *
async_result_wait (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  return *result;
}
