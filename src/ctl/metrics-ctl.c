/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-ctl.h"

#include "common/metrics-address.h"
#include "common/metrics-names.h"
#include "ctl/metrics-ctl-private.h"
#include "ctl/metrics-ctl-text.h"

#include <glib/gi18n.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* How long the user has to show that he may, where he is asked. */
#define INTERACTION_TIMEOUT_MSEC (300 * 1000)

/**
 * metrics_ctl_get_address:
 * @ctl: the command line's state
 *
 * Returns: (transfer none) (type filename): where the server is: what was given, else the environment's, else
 *   the default
 */
const char *
metrics_ctl_get_address (MetricsCtl *ctl)
{
  if (ctl->session)
    return METRICS_BUS_ADDRESS_SESSION;
  if (ctl->system)
    return METRICS_BUS_ADDRESS_SYSTEM;
  return ctl->address != NULL ? ctl->address : metrics_address_get_default ();
}

/**
 * metrics_ctl_describe_address:
 * @ctl: the command line's state
 *
 * Returns: (transfer full): where the server is, to be shown: see metrics_ctl_escape()
 */
char *
metrics_ctl_describe_address (MetricsCtl *ctl)
{
  const char *address = metrics_ctl_get_address (ctl);

  return metrics_ctl_escape (address, strlen (address), G_MAXSIZE);
}

/**
 * metrics_ctl_get_form:
 * @ctl: the command line's state
 *
 * Returns: what standard output is to be written in: as asked for, else for people on a terminal, else plain
 */
MetricsCtlForm
metrics_ctl_get_form (MetricsCtl *ctl)
{
  if (ctl->json)
    return METRICS_CTL_FORM_JSON;
  if (ctl->human || (!ctl->plain && isatty (STDOUT_FILENO)))
    return METRICS_CTL_FORM_HUMAN;
  return METRICS_CTL_FORM_PLAIN;
}

/**
 * metrics_ctl_new_client:
 * @ctl: the command line's state
 *
 * Makes a client of the global options, which connects with its first request.
 *
 * Returns: (transfer full): the client
 */
MetricsClient *
metrics_ctl_new_client (MetricsCtl *ctl)
{
  MetricsClient *client = metrics_client_new (metrics_ctl_get_address (ctl));

  if (ctl->timeout != NULL)
    metrics_client_set_timeout (client, ctl->timeout_msec);
  return client;
}

/**
 * metrics_ctl_get_client:
 * @ctl: the command line's state
 *
 * Returns: (transfer none): the one client that most commands need, made at the first call
 */
MetricsClient *
metrics_ctl_get_client (MetricsCtl *ctl)
{
  if (ctl->client == NULL)
    ctl->client = metrics_ctl_new_client (ctl);
  return ctl->client;
}

/**
 * metrics_ctl_allow_interaction:
 * @ctl: the command line's state
 *
 * To be called before a request that needs an administrator on the system bus: the user may be asked for a
 * password, and gets the time to type it, unless the command line says how long to wait.
 */
void
metrics_ctl_allow_interaction (MetricsCtl *ctl)
{
  MetricsClient *client = metrics_ctl_get_client (ctl);

  metrics_client_set_interactive (client, TRUE);
  if (ctl->timeout == NULL && metrics_address_parse_bus (metrics_ctl_get_address (ctl)) == G_BUS_TYPE_SYSTEM)
    metrics_client_set_timeout (client, INTERACTION_TIMEOUT_MSEC);
}

/* Those that end a process; not those that it was started to ignore, as nohup and shells do. */
static void
fill_signal_set (sigset_t *signals)
{
  const int numbers[] = { SIGHUP, SIGINT, SIGTERM };

  sigemptyset (signals);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      struct sigaction action;

      if (sigaction (numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset (signals, numbers[i]);
    }
}

static gpointer
wait_for_signal (gpointer user_data)
{
  MetricsCtl *ctl = user_data;
  sigset_t signals;
  int number;

  fill_signal_set (&signals);
  if (sigwait (&signals, &number) == 0)
    g_atomic_int_set (&ctl->signal_number, number);
  /* The second one ends the process at once: whoever sends it has no patience left. Before anything is
   * cancelled, for who is called by that may take its time. */
  pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
  if (g_atomic_int_get (&ctl->signal_number) != 0)
    g_cancellable_cancel (ctl->interrupt);
  /* All other threads block it: it needs this one. */
  while (pause () < 0)
    continue;
  return NULL;
}

/**
 * metrics_ctl_watch_interrupt:
 * @ctl: the command line's state
 *
 * From here on SIGINT, SIGTERM and SIGHUP cancel instead of ending the process. The command then says what it
 * has to say and returns; the process dies of the signal after that, so that the shell knows. To be called
 * before anything that starts a thread, for threads inherit the mask of signals.
 *
 * Returns: (transfer none): what is cancelled
 */
GCancellable *
metrics_ctl_watch_interrupt (MetricsCtl *ctl)
{
  sigset_t signals;

  if (ctl->interrupt != NULL)
    return ctl->interrupt;

  /* A signal handler may not touch a GCancellable, and a source for signals would need a main loop that the
   * synchronous calls do not run: a thread that waits for the signal may do all that a thread may. */
  ctl->interrupt = g_cancellable_new ();
  fill_signal_set (&signals);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  g_thread_unref (g_thread_new ("signals", wait_for_signal, ctl));
  return ctl->interrupt;
}

/**
 * metrics_ctl_warn:
 * @ctl: the command line's state
 * @format: what to say, without a line feed
 * @...: what it holds
 *
 * Writes a line to standard error, with the program's name in front. What came from a file or a server cannot
 * command the terminal: see metrics_ctl_escape().
 */
void
metrics_ctl_warn (MetricsCtl *ctl, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *escaped = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  escaped = metrics_ctl_escape (text, strlen (text), G_MAXSIZE);
  g_printerr ("metricsctl: %s\n", escaped);
}

/**
 * metrics_ctl_usage_error:
 * @ctl: the command line's state
 * @format: what is wrong with the command line, without a line feed
 * @...: what it holds
 *
 * Says on standard error what is wrong and where the help is.
 *
 * Returns: %METRICS_CTL_USAGE
 */
int
metrics_ctl_usage_error (MetricsCtl *ctl, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  metrics_ctl_warn (ctl, "%s", text);
  if (ctl->command != NULL)
    g_printerr (_ ("Try 'metricsctl %s --help'.\n"), ctl->command->name);
  else
    g_printerr ("%s", _ ("Try 'metricsctl --help'.\n"));
  return METRICS_CTL_USAGE;
}

static int
status_of_error (const GError *error)
{
  if (error->domain != METRICS_ERROR)
    return METRICS_CTL_FAILED;

  switch ((MetricsError) error->code)
    {
    case METRICS_ERROR_CONNECT:
    case METRICS_ERROR_TIMED_OUT:
    case METRICS_ERROR_CLOSED:
      return METRICS_CTL_NO_SERVER;
    case METRICS_ERROR_INVALID_ARGUMENT:
      return METRICS_CTL_USAGE;
    case METRICS_ERROR_REFUSED:
    case METRICS_ERROR_PROTOCOL:
    default:
      return METRICS_CTL_FAILED;
    }
}

/* Whoever read our output has gone: not an error, and every other program of a pipeline dies of it too. */
static void
die_of_broken_pipe (void)
{
  signal (SIGPIPE, SIG_DFL);
  raise (SIGPIPE);
}

/**
 * metrics_ctl_fail:
 * @ctl: the command line's state
 * @error: why the command cannot go on
 *
 * Says on standard error what went wrong: nothing where a signal asked for the end, and where the reader of
 * standard output has gone the process dies as quietly.
 *
 * Returns: the exit status that belongs to the error
 */
int
metrics_ctl_fail (MetricsCtl *ctl, const GError *error)
{
  if (g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_PIPE))
    die_of_broken_pipe ();
  else if (g_error_matches (error, METRICS_ERROR, METRICS_ERROR_REFUSED))
    metrics_ctl_warn (ctl, _ ("the server refused: %s"), error->message);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    metrics_ctl_warn (ctl, "%s", error->message);
  return status_of_error (error);
}
