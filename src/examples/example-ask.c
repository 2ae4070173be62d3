/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "example-ask.h"

/* A request that is under way. */
typedef struct
{
  ExampleLink *link; /* (unowned) */
  gint64 since;      /* when it began to be sent */
} Ask;

static void
received_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Ask *ask = g_task_get_task_data (task);
  GError *error = NULL;
  g_autofree char *answer = example_link_receive_finish (ask->link, result, &error);

  if (answer == NULL)
    g_task_return_error (task, error);
  else if (g_str_has_prefix (answer, "error: "))
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", answer);
  else
    {
      example_report_answered (example_get_report (example_link_get_example (ask->link)), 0, ask->since);
      g_task_return_pointer (task, g_steal_pointer (&answer), g_free);
    }
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Ask *ask = g_task_get_task_data (task);
  GError *error = NULL;

  if (example_link_send_finish (ask->link, result, &error))
    {
      example_link_receive_async (ask->link, received_cb, task);
      return;
    }
  g_task_return_error (task, error);
  g_object_unref (task);
}

/* Begins to send REQUEST, which is kept until then, and to receive its answer, a line. Nothing else is to be
 * received meanwhile. Two steps, of which the callback of the first begins the second; the caller sees one.
 */
void
example_link_ask_async (ExampleLink *self,
                        const char *request,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Ask *ask = g_new (Ask, 1);

  g_task_set_source_tag (task, example_link_ask_async);
  g_task_set_task_data (task, ask, g_free);
  ask->link = self;
  ask->since = g_get_monotonic_time ();
  example_link_send_async (self, request, sent_cb, task);
}

/* Returns: (transfer full): the answer without its end, fit to be shown, which was counted and timed; NULL
 * with ERROR, also where the server answers with one */
char *
example_link_ask_finish (ExampleLink *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, example_link_ask_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
