/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-address.h"
#include "common/metrics-names.h"
#include "common/metrics-number.h"
#include "ctl/metrics-ctl-output.h"
#include "ctl/metrics-ctl-private.h"

#include <glib/gi18n.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Put in front of a word so that GOption does not take it for an option. It cannot stand there otherwise: no
 * key, number or time begins with a control character. */
#define MARK '\001'

/* Two entries in each of the two places where the global options may stand, and GOption keeps pointers to
 * what they set. */
static void
fill_global_entries (MetricsCtl *ctl, GOptionEntry *entries)
{
  const GOptionEntry global[] = {
    { "address", 'a', 0, G_OPTION_ARG_FILENAME, &ctl->address,
      N_ ("Where the server is (default: $METRICSD_ADDRESS, else 127.0.0.1:8888)"), N_ ("ADDRESS") },
    { "session", 0, 0, G_OPTION_ARG_NONE, &ctl->session,
      N_ ("Your own server, on the session bus, which starts it when needed"), NULL },
    { "system", 0, 0, G_OPTION_ARG_NONE, &ctl->system,
      N_ ("The machine's server, on the system bus, which starts it when needed"), NULL },
    { "timeout", 0, 0, G_OPTION_ARG_STRING, &ctl->timeout,
      N_ ("How long to wait for an answer; 0 is for ever (default: 30)"), N_ ("SECONDS") },
    { "human", 0, 0, G_OPTION_ARG_NONE, &ctl->human,
      N_ ("Write for people: columns, local times (default on a terminal)"), NULL },
    { "plain", 0, 0, G_OPTION_ARG_NONE, &ctl->plain,
      N_ ("Write the protocol's rows: words and a space between them (default elsewhere)"), NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &ctl->json, N_ ("Write one JSON document"), NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &ctl->help, N_ ("Show this help"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &ctl->version, N_ ("Show the version"), NULL },
    { NULL },
  };

  memcpy (entries, global, sizeof global);
}

#define N_GLOBAL_ENTRIES 10

static gboolean
parse_timeout (MetricsCtl *ctl)
{
  double seconds;

  if (ctl->timeout == NULL)
    return TRUE;
  if (!metrics_number_parse_double (ctl->timeout, strlen (ctl->timeout), &seconds) || seconds < 0
      || seconds > G_MAXUINT / 1000)
    return FALSE;
  /* What is not zero must not become "for ever". */
  ctl->timeout_msec = (guint) ceil (seconds * 1000);
  return TRUE;
}

/* Returns the exit status; METRICS_CTL_DONE where the global options are well. */
static int
check_globals (MetricsCtl *ctl)
{
  const char *address = metrics_ctl_get_address (ctl);
  g_autoptr (GSocketConnectable) connectable = NULL;
  g_autoptr (GError) error = NULL;

  if ((ctl->address != NULL) + ctl->session + ctl->system > 1)
    return metrics_ctl_usage_error (ctl, "%s", _ ("--address, --session and --system exclude each other"));
  if (metrics_address_parse_bus (address) == G_BUS_TYPE_NONE
      && (connectable = metrics_address_parse (address, METRICS_DEFAULT_PORT, &error)) == NULL)
    return metrics_ctl_usage_error (ctl, "%s", error->message);
  if (!parse_timeout (ctl))
    return metrics_ctl_usage_error (ctl, _ ("not a number of seconds: '%s'"), ctl->timeout);
  if (ctl->human + ctl->plain + ctl->json > 1)
    return metrics_ctl_usage_error (ctl, "%s", _ ("--human, --plain and --json exclude each other"));
  return METRICS_CTL_DONE;
}

/* Whether the word is an option that takes the word behind it as its value. */
static gboolean
takes_value (const char *word, const GOptionEntry *entries)
{
  for (; entries != NULL && entries->long_name != NULL; entries++)
    {
      const char short_option[] = { '-', entries->short_name, '\0' };

      if (entries->arg == G_OPTION_ARG_NONE)
        continue;
      if (g_str_has_prefix (word, "--") && strcmp (word + 2, entries->long_name) == 0)
        return TRUE;
      if (entries->short_name != '\0' && strcmp (word, short_option) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_negative_number (const char *word)
{
  return word[0] == '-' && (g_ascii_isdigit (word[1]) || (word[1] == '.' && g_ascii_isdigit (word[2])));
}

/* The words of the command line, with a mark in front of those that begin with '-' and are no options:
 * negative numbers, and all that stands behind a `--`, which is left out. */
static GStrv
mark_words (int argc, char **argv, const GOptionEntry *entries, const GOptionEntry *global)
{
  GStrv marked = g_new0 (char *, argc + 1);
  gboolean options = TRUE;
  guint n = 0;

  for (int i = 0; i < argc; i++)
    {
      gboolean value
          = options && i > 0 && (takes_value (argv[i - 1], entries) || takes_value (argv[i - 1], global));

      if (options && !value && strcmp (argv[i], "--") == 0)
        options = FALSE;
      else if (options ? !value && is_negative_number (argv[i]) : argv[i][0] == '-')
        marked[n++] = g_strdup_printf ("%c%s", MARK, argv[i]);
      else
        marked[n++] = g_strdup (argv[i]);
    }
  return marked;
}

/* What is left of the words: without the program's name and the marks. */
static GStrv
unmark_words (const GStrv words)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();

  for (guint i = 1; words[0] != NULL && words[i] != NULL; i++)
    {
      gboolean marked = words[i][0] == MARK && words[i][1] == '-';

      g_ptr_array_add (arguments, g_strdup (words[i] + (marked ? 1 : 0)));
    }
  g_ptr_array_add (arguments, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&arguments), FALSE);
}

static GOptionContext *
new_context (const char *arguments, const char *summary, const char *description)
{
  GOptionContext *context = g_option_context_new (arguments);

  /* Ours goes through the checked way of writing. */
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  return context;
}

static void
add_group (GOptionContext *context, const char *name, const char *title, const GOptionEntry *entries)
{
  GOptionGroup *group = g_option_group_new (name, title, "", NULL, NULL);

  g_option_group_add_entries (group, entries);
  g_option_group_set_translation_domain (group, GETTEXT_PACKAGE);
  g_option_context_add_group (context, group);
}

static GOptionContext *
new_command_context (const MetricsCtlUsage *usage, const GOptionEntry *entries, const GOptionEntry *global)
{
  const char *arguments = usage->arguments != NULL ? _ (usage->arguments) : NULL;
  g_autofree char *description = NULL;
  GOptionContext *context;

  description
      = g_strconcat (_ (usage->description), "\n\n",
                     _ ("Exit status:\n"
                        "  0  done\n"
                        "  1  the server refused, or something was bad in the data or could not be written\n"
                        "  2  the command line is wrong; nothing was done\n"
                        "  3  no connection, or it broke, or no answer in time\n"),
                     NULL);
  context = new_context (arguments, _ (usage->summary), description);
  if (entries != NULL)
    add_group (context, "command", _ ("Options:"), entries);
  add_group (context, "global", _ ("Options of all commands:"), global);
  return context;
}

static int
print_text (MetricsCtl *ctl, const char *text)
{
  g_autoptr (MetricsCtlOutput) output = metrics_ctl_output_new (STDOUT_FILENO);
  g_autofree char *converted = NULL;
  const char *charset;
  g_autoptr (GError) error = NULL;

  /* For people alone, so in what their terminal shows. */
  if (!g_get_charset (&charset))
    converted = g_convert_with_fallback (text, -1, charset, "UTF-8", "?", NULL, NULL, NULL);
  if (converted != NULL)
    text = converted;
  metrics_ctl_output_append (output, text, strlen (text));
  if (!metrics_ctl_output_flush (output, &error))
    return metrics_ctl_fail (ctl, error);
  return METRICS_CTL_DONE;
}

static int
print_context_help (MetricsCtl *ctl, GOptionContext *context)
{
  g_autofree char *help = g_option_context_get_help (context, FALSE, NULL);

  return print_text (ctl, help);
}

static int
print_version (MetricsCtl *ctl)
{
  return print_text (ctl, "metricsctl " PACKAGE_VERSION "\n");
}

static gboolean
check_arguments (MetricsCtl *ctl, const MetricsCtlUsage *usage, const GStrv arguments, int *status)
{
  guint n = g_strv_length (arguments);

  if (n < usage->min_arguments)
    *status = metrics_ctl_usage_error (ctl, "%s", _ ("too few arguments"));
  else if (n > usage->max_arguments)
    *status
        = metrics_ctl_usage_error (ctl, _ ("one argument too many: '%s'"), arguments[usage->max_arguments]);
  else
    return TRUE;
  return FALSE;
}

/**
 * metrics_ctl_parse:
 * @ctl: the command line's state
 * @usage: what the command takes, and its help
 * @entries: (nullable): the command's own options, %NULL-terminated
 * @argc: how many words there are
 * @argv: (array length=argc): the command's name and what stands behind it
 * @status: (out): the exit status, where there is nothing more to do
 *
 * Reads a subcommand's command line, global options among its own; negative numbers are no options. Answers
 * `--help` and complains of what is wrong.
 *
 * Returns: (transfer full) (nullable): the words that are no options, as many as @usage asks for; %NULL where
 *   the command is to return @status
 */
GStrv
metrics_ctl_parse (MetricsCtl *ctl,
                   const MetricsCtlUsage *usage,
                   const GOptionEntry *entries,
                   int argc,
                   char **argv,
                   int *status)
{
  GOptionEntry global[N_GLOBAL_ENTRIES];
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  g_auto (GStrv) arguments = NULL;
  g_autofree char *name = g_strdup_printf ("metricsctl %s", ctl->command->name);

  fill_global_entries (ctl, global);
  g_set_prgname (name);
  context = new_command_context (usage, entries, global);
  words = mark_words (argc, argv, entries, global);
  if (!g_option_context_parse_strv (context, &words, &error))
    {
      *status = metrics_ctl_usage_error (ctl, "%s", error->message);
      return NULL;
    }
  if (ctl->help || ctl->version)
    {
      *status = ctl->help ? print_context_help (ctl, context) : print_version (ctl);
      return NULL;
    }

  *status = check_globals (ctl);
  arguments = unmark_words (words);
  if (*status != METRICS_CTL_DONE || !check_arguments (ctl, usage, arguments, status))
    return NULL;
  return g_steal_pointer (&arguments);
}

static char *
describe_commands (const MetricsCtlCommand *commands, guint n_commands)
{
  GString *text = g_string_new (_ ("Commands:\n"));

  for (guint i = 0; i < n_commands; i++)
    if (commands[i].summary != NULL)
      g_string_append_printf (text, "  %-8s  %s\n", commands[i].name, _ (commands[i].summary));
  g_string_append (text, "\n");
  g_string_append (text, _ ("'metricsctl COMMAND --help' tells more of each.\n"
                            "An ADDRESS is HOST, HOST:PORT, [IPV6]:PORT, unix:PATH, an absolute path, or "
                            "bus:session or\n"
                            "bus:system, for which --session and --system stand."));
  return g_string_free (text, FALSE);
}

static const MetricsCtlCommand *
find_command (const MetricsCtlCommand *commands, guint n_commands, const char *name)
{
  for (guint i = 0; i < n_commands; i++)
    if (strcmp (commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

/* How many letters have to be added, left out, changed or swapped with their neighbour to make one word of
 * another: the distance of Damerau ("A technique for computer detection and correction of spelling errors",
 * 1964), as far as a command's name can be meant. */
static guint
get_distance (const char *a, const char *b)
{
  enum
  {
    LONGEST = 16
  };
  guint d[LONGEST + 1][LONGEST + 1];
  gsize n = strlen (a), m = strlen (b);

  if (n > LONGEST || m > LONGEST)
    return G_MAXUINT;
  for (gsize i = 0; i <= n; i++)
    for (gsize j = 0; j <= m; j++)
      if (i == 0 || j == 0)
        d[i][j] = (guint) (i + j);
      else
        {
          d[i][j] = MIN (d[i - 1][j - 1] + (a[i - 1] != b[j - 1]), MIN (d[i - 1][j], d[i][j - 1]) + 1);
          if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
            d[i][j] = MIN (d[i][j], d[i - 2][j - 2] + 1);
        }
  return d[n][m];
}

/* The command whose name is nearest to what was typed, where one is near: a letter of a short word, two of a
 * longer one. */
static const char *
find_similar (const MetricsCtlCommand *commands, guint n_commands, const char *typed)
{
  guint nearest = strlen (typed) <= 3 ? 2 : 3;
  const char *name = NULL;

  for (guint i = 0; i < n_commands; i++)
    {
      guint distance = commands[i].summary != NULL ? get_distance (typed, commands[i].name) : G_MAXUINT;

      if (distance < nearest)
        {
          nearest = distance;
          name = commands[i].name;
        }
    }
  return name;
}

static int
fail_without_command (MetricsCtl *ctl, const MetricsCtlCommand *commands, guint n_commands, const char *typed)
{
  const char *similar = find_similar (commands, n_commands, typed);

  if (similar == NULL)
    return metrics_ctl_usage_error (ctl, _ ("no such command: '%s'"), typed);
  return metrics_ctl_usage_error (ctl, _ ("no such command: '%s'; did you mean '%s'?"), typed, similar);
}

/* `help COMMAND` is `COMMAND --help`. */
static int
help_with (MetricsCtl *ctl, const MetricsCtlCommand *commands, guint n_commands, const char *name)
{
  char *words[] = { (char *) name, (char *) "--help", NULL };

  ctl->command = find_command (commands, n_commands, name);
  if (ctl->command == NULL)
    return fail_without_command (ctl, commands, n_commands, name);
  return ctl->command->run (ctl, 2, words);
}

/* The words from the command's name on are @words[1] and what follows. */
static int
run_command (MetricsCtl *ctl, const MetricsCtlCommand *commands, guint n_commands, GStrv words)
{
  if (words[0] == NULL || words[1] == NULL)
    return metrics_ctl_usage_error (ctl, "%s", _ ("no command given"));
  if (strcmp (words[1], "help") == 0 && words[2] != NULL)
    return help_with (ctl, commands, n_commands, words[2]);
  ctl->command = find_command (commands, n_commands, words[1]);
  if (ctl->command == NULL)
    return fail_without_command (ctl, commands, n_commands, words[1]);
  return ctl->command->run (ctl, (int) g_strv_length (words) - 1, words + 1);
}

static int
parse_and_run (MetricsCtl *ctl, const MetricsCtlCommand *commands, guint n_commands, GStrv words)
{
  GOptionEntry global[N_GLOBAL_ENTRIES];
  g_autofree char *list = describe_commands (commands, n_commands);
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) rest = g_strdupv (words);

  fill_global_entries (ctl, global);
  context = new_context (_ ("COMMAND ..."), _ ("Talks to metricsd, a metrics server."), list);
  g_option_context_add_main_entries (context, global, GETTEXT_PACKAGE);
  /* Up to the command's name: what follows is the command's. */
  g_option_context_set_strict_posix (context, TRUE);
  if (!g_option_context_parse_strv (context, &rest, &error))
    return metrics_ctl_usage_error (ctl, "%s", error->message);
  if (ctl->help || (g_strv_length (rest) == 2 && strcmp (rest[1], "help") == 0))
    return print_context_help (ctl, context);
  if (ctl->version)
    return print_version (ctl);
  return run_command (ctl, commands, n_commands, rest);
}

/* So that the shell, or whoever started us, can tell an end by a signal from any other. */
static void
die_of_signal (int number)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, number);
  pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
  signal (number, SIG_DFL);
  raise (number);
}

/**
 * metrics_ctl_main:
 * @commands: (array length=n_commands): the subcommands, as `--help` lists them
 * @n_commands: how many
 * @argc: how many words the command line has
 * @argv: (array length=argc): these words
 *
 * Runs metricsctl. Where a command watched for signals (metrics_ctl_watch_interrupt()) and one came, this
 * does not return.
 *
 * Returns: the exit status
 */
int
metrics_ctl_main (const MetricsCtlCommand *commands, guint n_commands, int argc, char **argv)
{
  /* Static, for the thread that waits for signals goes on while the process ends. */
  static MetricsCtl ctl;
  g_auto (GStrv) words = g_new0 (char *, argc + 1);
  int status, signal_number;

  for (int i = 0; i < argc; i++)
    words[i] = g_strdup (argv[i]);
  g_set_prgname ("metricsctl");
  status = parse_and_run (&ctl, commands, n_commands, words);

  signal_number = g_atomic_int_get (&ctl.signal_number);
  if (signal_number != 0)
    die_of_signal (signal_number);
  g_clear_object (&ctl.client);
  g_free (ctl.address);
  g_free (ctl.timeout);
  return status;
}
