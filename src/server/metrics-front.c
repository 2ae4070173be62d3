/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "server/metrics-front.h"

/* Counts the clients that others serve, so that the limits of the service hold for them. */

/**
 * metrics_front_init:
 * @self: (out caller-allocates): a front that has no client
 * @funcs: who serves; copied
 * @gone: what to call when one of its clients has gone
 * @gone_data: what to call it with
 */
void
metrics_front_init (MetricsFront *self,
                    const MetricsFrontFuncs *funcs,
                    void (*gone) (gpointer user_data),
                    gpointer gone_data)
{
  *self = (MetricsFront){ .funcs = *funcs, .gone = gone, .gone_data = gone_data };
}

static void
client_released_cb (gpointer user_data)
{
  MetricsFront *self = user_data;

  self->n_clients--;
  self->gone (self->gone_data);
}

static void
refused_released_cb (gpointer user_data)
{
  MetricsFront *self = user_data;

  self->n_refused--;
  self->gone (self->gone_data);
}

/**
 * metrics_front_accept:
 * @self: a front
 * @stream: a connected socket
 * @rights: what who is at its other end may do
 * @is_over_limit: whether there are too many clients
 * @error: return location for a #GError
 *
 * Hands a client over.
 *
 * Returns: %FALSE where it is lost
 */
gboolean
metrics_front_accept (MetricsFront *self,
                      GSocketConnection *stream,
                      MetricsRights rights,
                      gboolean is_over_limit,
                      GError **error)
{
  guint *counter = is_over_limit ? &self->n_refused : &self->n_clients;

  g_assert (self->funcs.accept != NULL);

  (*counter)++;
  if (self->funcs.accept (stream, rights, is_over_limit,
                          is_over_limit ? refused_released_cb : client_released_cb, self, error,
                          self->funcs.user_data))
    return TRUE;
  (*counter)--;
  return FALSE;
}

/**
 * metrics_front_finish:
 * @self: a front, or none
 *
 * Answers what was asked, and lets all clients go.
 */
void
metrics_front_finish (MetricsFront *self)
{
  if (self->funcs.finish != NULL)
    self->funcs.finish (self->funcs.user_data);
}

/**
 * metrics_front_abort:
 * @self: a front, or none
 *
 * Closes all connections at once.
 */
void
metrics_front_abort (MetricsFront *self)
{
  if (self->funcs.abort != NULL)
    self->funcs.abort (self->funcs.user_data);
}
