/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl-bench-hello.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <metrics-glib/metrics-glib.h>
#include <sys/socket.h>

/**
 * metrics_bench_fail_with_errno:
 * @number: what errno was
 * @error: return location for a #GError
 *
 * Returns: %FALSE: the connection broke
 */
gboolean
metrics_bench_fail_with_errno (int number, GError **error)
{
  g_set_error (error, METRICS_ERROR, METRICS_ERROR_CLOSED, _ ("the connection broke: %s"),
               g_strerror (number));
  return FALSE;
}

/**
 * metrics_bench_fail_as_closed:
 * @error: return location for a #GError
 *
 * Returns: %FALSE: the server closed the connection
 */
gboolean
metrics_bench_fail_as_closed (GError **error)
{
  g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_CLOSED, _ ("the server closed the connection"));
  return FALSE;
}

/**
 * metrics_bench_fail_as_nonsense:
 * @error: return location for a #GError
 *
 * Returns: %FALSE: what came is not in the dialect, or was not asked for
 */
gboolean
metrics_bench_fail_as_nonsense (GError **error)
{
  g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_PROTOCOL,
                       _ ("this is no answer to what was asked"));
  return FALSE;
}

/* Sends a request that changes nothing. */
static gboolean
send_hello (int fd, const MetricsBenchDialect *dialect, GError **error)
{
  g_autoptr (GString) hello = g_string_new (NULL);

  dialect->append_hello (hello);
  if (send (fd, hello->str, hello->len, MSG_NOSIGNAL) != (ssize_t) hello->len)
    return metrics_bench_fail_with_errno (errno, error);
  return TRUE;
}

static gboolean
receive_hello (int fd, const MetricsBenchDialect *dialect, MetricsBenchReply *reply, GError **error)
{
  char bytes[METRICS_BENCH_LINE_MAX];
  ssize_t n = recv (fd, bytes, sizeof bytes, 0);

  if (n == 0)
    return metrics_bench_fail_as_closed (error);
  if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
    return metrics_bench_fail_with_errno (errno, error);
  if (n > 0 && dialect->parse (reply, bytes, (gsize) n) != n)
    return metrics_bench_fail_as_nonsense (error);
  return TRUE;
}

/**
 * metrics_bench_hello:
 * @fd: a connected socket, whose calls wait for at most a short time
 * @dialect: how the server is spoken to
 * @timeout_msec: how long to wait for an answer; 0 is for ever
 * @cancellable: ends it early
 * @error: return location for a #GError
 *
 * Asks something of the server, where the dialect has a word for it, and waits for the answer: then it has
 * accepted the connection.
 *
 * Returns: %FALSE where it has not
 */
gboolean
metrics_bench_hello (int fd,
                     const MetricsBenchDialect *dialect,
                     guint timeout_msec,
                     GCancellable *cancellable,
                     GError **error)
{
  gint64 deadline = g_get_monotonic_time () + (gint64) timeout_msec * 1000;
  MetricsBenchReply reply = { 0 };

  if (dialect->append_hello == NULL)
    return TRUE;
  if (!send_hello (fd, dialect, error))
    return FALSE;
  while (!reply.complete)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error)
          || !receive_hello (fd, dialect, &reply, error))
        return FALSE;
      if (!reply.complete && timeout_msec > 0 && g_get_monotonic_time () > deadline)
        {
          g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_TIMED_OUT, _ ("no answer in time"));
          return FALSE;
        }
    }
  if (reply.refused)
    g_set_error_literal (error, METRICS_ERROR, METRICS_ERROR_REFUSED, reply.text);
  return !reply.refused;
}
