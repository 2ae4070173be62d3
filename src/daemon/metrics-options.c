/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-options.h"

#include "common/metrics-log-writer.h"
#include "common/metrics-names.h"
#include "daemon/metrics-activation.h"
#include "daemon/metrics-cgroup.h"
#include "server/metrics-listener.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* A number among the options: where it goes, and between what it has to lie. */
typedef struct
{
  const char *name;
  const char *description;
  const char *unit;
  guint64 min;
  guint64 max;
  guint64 value;
  gboolean is_size; /* bytes: K, M and G are understood */
} Number;

enum
{
  PORT,
  LINE_LIMIT,
  CONNECTION_LIMIT,
  UNSENT_LIMIT,
  SLICE_LIMIT,
  SERIES_LIMIT,
  MEMORY_LIMIT,
  LINE_TIMEOUT,
  ANSWER_TIMEOUT,
  IDLE_TIMEOUT,
  STOP_TIMEOUT,
  LOCK_TIMEOUT,
  EXIT_WHEN_IDLE,
  SELF_METRICS,
  N_NUMBERS,
};

/* A day: longer times than that are meant to be none. */
#define MAX_SECONDS (24 * 60 * 60)

static const Number number_defaults[N_NUMBERS] = {
  [LINE_LIMIT]
  = { "line-limit", N_ ("Longest line of a request (65536)"), N_ ("BYTES"), 64, 16 << 20, 65536, TRUE },
  [CONNECTION_LIMIT] = { "connection-limit", N_ ("Most clients at once (1024)"), N_ ("N"), 1, 1 << 20, 1024 },
  [UNSENT_LIMIT]
  = { "unsent-limit", N_ ("Most that is held of answers for a client that does not take them (128K)"),
      N_ ("BYTES"), 1024, 1 << 30, 131072, TRUE },
  [SLICE_LIMIT]
  = { "slice-limit", N_ ("Most points or lines for a client before it is another one's turn (4096)"),
      N_ ("N"), 1, 1 << 24, 4096 },
  [SERIES_LIMIT] = { "series-limit", N_ ("Most keys (1000000)"), N_ ("N"), 1, G_MAXINT64, 1000000 },
  [MEMORY_LIMIT]
  = { "memory-limit",
      N_ ("Most memory for points (a quarter of the machine's or of its control group's); at least 1M"),
      N_ ("BYTES"), 1 << 20, G_MAXINT64, 0, TRUE },
  [LINE_TIMEOUT] = { "line-timeout", N_ ("Time in which a line has to be complete (60)"), N_ ("SECONDS"), 1,
                     MAX_SECONDS, 60 },
  [ANSWER_TIMEOUT] = { "answer-timeout", N_ ("Time in which a client has to take what is ready for it (60)"),
                       N_ ("SECONDS"), 1, MAX_SECONDS, 60 },
  [IDLE_TIMEOUT] = { "idle-timeout", N_ ("Time after which an idle client is sent away (0: never)"),
                     N_ ("SECONDS"), 0, MAX_SECONDS, 0 },
  [STOP_TIMEOUT] = { "stop-timeout", N_ ("Time for clients to take their answers when the server stops (5)"),
                     N_ ("SECONDS"), 0, MAX_SECONDS, 5 },
  [LOCK_TIMEOUT] = { "lock-timeout", N_ ("Time to wait for another server to leave the folder (10)"),
                     N_ ("SECONDS"), 0, MAX_SECONDS, 10 },
  [EXIT_WHEN_IDLE] = { "exit-when-idle",
                       N_ ("Time after which a server leaves that has nothing to do, to be started again by "
                           "the next call (0: never)"),
                       N_ ("SECONDS"), 0, MAX_SECONDS, 0 },
  [SELF_METRICS]
  = { "self-metrics", N_ ("How often to keep the server's own figures as series metricsd.* (0: never)"),
      N_ ("SECONDS"), 0, MAX_SECONDS, 0 },
  [PORT] = { "port", N_ ("TCP port (8888); 0 takes any that is free"), N_ ("PORT"), 0, G_MAXUINT16,
             METRICS_DEFAULT_PORT },
};

typedef struct
{
  Number numbers[N_NUMBERS];
  gboolean port_given;
  gboolean session;
  gboolean system;
  GStrv hosts;     /* (owned) (nullable) */
  GStrv addresses; /* (owned) (nullable) */
  char *state_dir; /* (owned) (nullable) */
  gboolean memory_only;
  gboolean durability_given;
  MetricsDurability durability;
  MetricsPriority log_level;
  char *backup; /* (owned) (nullable) */
  gboolean check;
  char *config; /* (owned) (nullable) */
  gboolean show_retention;
  char *recover; /* (owned) (nullable) */
  gboolean show_version;
} Parser;

/* Reads a number; a size can have one of the suffixes K, M and G, for which it is multiplied by a power of
 * 1024. */
static gboolean
parse_number (const char *text, gboolean is_size, guint64 *value)
{
  char *end;
  guint shift = 0;

  if (!g_ascii_isdigit (text[0]))
    return FALSE;
  *value = g_ascii_strtoull (text, &end, 10);
  switch (*end)
    {
    case 'K':
      shift = 10;
      break;
    case 'M':
      shift = 20;
      break;
    case 'G':
      shift = 30;
      break;
    default:
      break;
    }
  if (shift > 0 && is_size)
    end++;
  /* What g_ascii_strtoull() could not hold is G_MAXUINT64, over every maximum. */
  if (*end != '\0' || *value > G_MAXUINT64 >> shift)
    return FALSE;
  *value <<= shift;
  return TRUE;
}

/* As it can be written: 1M and not 1048576. */
static char *
format_number (const Number *number, guint64 value)
{
  static const char suffixes[] = "KMG";
  guint i = 0;

  while (number->is_size && i < strlen (suffixes) && value > 0 && value % 1024 == 0)
    {
      value /= 1024;
      i++;
    }
  return i > 0 ? g_strdup_printf ("%" PRIu64 "%c", value, suffixes[i - 1])
               : g_strdup_printf ("%" PRIu64, value);
}

static void
refuse_number (const Number *number, const char *option_name, const char *text, GError **error)
{
  g_autofree char *min = format_number (number, number->min);
  g_autofree char *max = format_number (number, number->max);

  if (!number->is_size)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 _ ("%s: '%s' is not a number from %s to %s"), option_name, text, min, max);
  else if (number->max == G_MAXINT64)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 _ ("%s: '%s' is not a size of at least %s: a number of bytes, behind which K, M or G may "
                    "stand"),
                 option_name, text, min);
  else
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 _ ("%s: '%s' is not a size from %s to %s: a number of bytes, behind which K, M or G may "
                    "stand"),
                 option_name, text, min, max);
}

static gboolean
number_cb (const char *option_name, const char *text, gpointer data, GError **error)
{
  Parser *parser = data;

  for (guint i = 0; i < N_NUMBERS; i++)
    {
      Number *number = &parser->numbers[i];
      guint64 value;

      /* The name comes with its dashes. */
      if (!g_str_has_suffix (option_name, number->name))
        continue;
      if (!parse_number (text, number->is_size, &value) || value < number->min || value > number->max)
        {
          refuse_number (number, option_name, text, error);
          return FALSE;
        }
      number->value = value;
      parser->port_given = parser->port_given || i == PORT;
      return TRUE;
    }
  g_assert_not_reached ();
}

static gboolean
durability_cb (const char *option_name, const char *text, gpointer data, GError **error)
{
  static const char *const names[] = {
    [METRICS_DURABILITY_NONE] = "none",
    [METRICS_DURABILITY_INTERVAL] = "interval",
    [METRICS_DURABILITY_ALWAYS] = "always",
  };
  Parser *parser = data;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (text, names[i]) == 0)
      {
        parser->durability = i;
        parser->durability_given = TRUE;
        return TRUE;
      }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               _ ("%s: '%s' is not interval, always or none"), option_name, text);
  return FALSE;
}

static gboolean
log_level_cb (const char *option_name, const char *text, gpointer data, GError **error)
{
  Parser *parser = data;

  if (metrics_log_level_parse (text, &parser->log_level))
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               _ ("%s: '%s' is not error, warning, notice, info or debug"), option_name, text);
  return FALSE;
}

/* In the order in which the help shows them: serving, where points are kept, limits, what is done instead. */
static void
add_options (GOptionGroup *group, Parser *parser)
{
#define NUMBER(i)                                                                                            \
  {                                                                                                          \
    parser->numbers[i].name, 0, 0, G_OPTION_ARG_CALLBACK, number_cb, _ (parser->numbers[i].description),     \
        _ (parser->numbers[i].unit)                                                                          \
  }
  const GOptionEntry entries[] = {
    { "host", 0, 0, G_OPTION_ARG_STRING_ARRAY, &parser->hosts,
      _ ("Host to listen on (127.0.0.1 and ::1); can be given several times"), _ ("HOST") },
    NUMBER (PORT),
    { "listen", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &parser->addresses,
      _ ("Address to listen on; can be given several times"), _ ("ADDRESS[,OPTION...]") },
    { "session", 0, 0, G_OPTION_ARG_NONE, &parser->session,
      _ ("Be called on the session bus, and listen only where an option says so"), NULL },
    { "system", 0, 0, G_OPTION_ARG_NONE, &parser->system,
      _ ("Be called on the system bus; clients of the default addresses cannot delete then"), NULL },
    NUMBER (EXIT_WHEN_IDLE),
    NUMBER (SELF_METRICS),
    { "log-level", 0, 0, G_OPTION_ARG_CALLBACK, log_level_cb,
      _ ("What is logged: error, warning, notice, info (the default) or debug, and what is graver"),
      _ ("LEVEL") },

    { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &parser->state_dir,
      _ ("Folder in which points last ($STATE_DIRECTORY, else $XDG_STATE_HOME/metricsd)"), _ ("DIR") },
    NUMBER (LOCK_TIMEOUT),
    { "memory-only", 0, 0, G_OPTION_ARG_NONE, &parser->memory_only,
      _ ("Keep points in memory only: they are gone when the server stops"), NULL },
    { "durability", 0, 0, G_OPTION_ARG_CALLBACK, durability_cb,
      _ ("When points are on disk: within a second (interval, the default), before their 'ok' (always), or "
         "written every ten seconds and not waited for (none)"),
      _ ("WHEN") },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &parser->config,
      _ ("File that says how long points are kept, and what in their place (none): metricsd(1), "
         "metricsd.conf.example"),
      _ ("FILE") },

    NUMBER (MEMORY_LIMIT),
    NUMBER (SERIES_LIMIT),
    NUMBER (CONNECTION_LIMIT),
    NUMBER (LINE_LIMIT),
    NUMBER (UNSENT_LIMIT),
    NUMBER (SLICE_LIMIT),
    NUMBER (LINE_TIMEOUT),
    NUMBER (ANSWER_TIMEOUT),
    NUMBER (IDLE_TIMEOUT),
    NUMBER (STOP_TIMEOUT),

    { "backup", 0, 0, G_OPTION_ARG_FILENAME, &parser->backup,
      _ ("Copy what is stored into a new file and exit; a server may run meanwhile"), _ ("FILE") },
    { "check", 0, 0, G_OPTION_ARG_NONE, &parser->check,
      _ ("Read all that is stored, say what is damaged, and exit; a server may run meanwhile"), NULL },
    { "recover", 0, 0, G_OPTION_ARG_FILENAME, &parser->recover,
      _ ("Save what is whole of a damaged database into a new file, say what is lost, and exit"),
      _ ("FILE") },
    { "show-retention", 0, 0, G_OPTION_ARG_NONE, &parser->show_retention,
      _ ("Show what --config would delete of what is stored, change nothing, and exit; a server may run "
         "meanwhile"),
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &parser->show_version, _ ("Show the version and exit"), NULL },
    { NULL },
  };
#undef NUMBER

  g_option_group_add_entries (group, entries);
}

static GOptionContext *
make_context (Parser *parser)
{
  GOptionContext *context = g_option_context_new (NULL);
  GOptionGroup *group = g_option_group_new ("metricsd", NULL, NULL, parser, NULL);

  g_option_context_set_summary (context, _ ("Metrics server: takes points over a line protocol and answers "
                                            "for them."));
  g_option_context_set_description (context,
                                    _ ("ADDRESS is HOST:PORT, [IPV6]:PORT, unix:PATH, or fd:NAME for the "
                                       "sockets "
                                       "of that name that systemd\n"
                                       "passes. OPTION is rights=read+put+delete (or fewer), and for a unix "
                                       "socket mode=0660 or\n"
                                       "owner=USER:GROUP. Without rights, a unix socket lets the superuser "
                                       "and "
                                       "who runs the server delete,\n"
                                       "and everybody else read and put. Sizes take a suffix K, M or G.\n\n"
                                       "Points are kept in the folder --state-dir, which one server has at a "
                                       "time; without "
                                       "the variables\n"
                                       "it is ~/.local/state/metricsd. With --durability always, 'ok' "
                                       "means that a point is on disk.\n\n"
                                       "For each address it prints 'listening on ADDRESS', and "
                                       "'ready' when it takes clients.\n\n"
                                       "Example:\n"
                                       "  metricsd --host 127.0.0.1 --port 8888 --listen "
                                       "unix:/run/user/1000/metricsd.sock,mode=0600"));
  add_options (group, parser);
  g_option_context_set_main_group (context, group);
  return context;
}

static gboolean
take_bus (MetricsOptions *self, const Parser *parser, GError **error)
{
  if (parser->session && parser->system)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                           _ ("only one of --session and --system can be given"));
      return FALSE;
    }
  self->bus = parser->session ? METRICS_BUS_SESSION : parser->system ? METRICS_BUS_SYSTEM : METRICS_BUS_NONE;
  return TRUE;
}

/* Who leaves has to be started again by a call, and may lose nothing by it. */
static gboolean
take_exit_when_idle (MetricsOptions *self, const Parser *parser, GError **error)
{
  self->exit_when_idle = parser->numbers[EXIT_WHEN_IDLE].value;
  if (self->exit_when_idle == 0)
    return TRUE;
  if (self->state_dir == NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                 _ ("--memory-only keeps nothing on disk: it cannot be given with %s"), "--exit-when-idle");
  else if (self->bus == METRICS_BUS_SYSTEM)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         _ ("--exit-when-idle cannot be given with --system: that server stays"));
  else if (self->bus != METRICS_BUS_SESSION && !metrics_activation_has_sockets ())
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         _ ("--exit-when-idle needs --session, or sockets that the service manager passes: "
                            "nobody would start the server again"));
  else
    return TRUE;
  return FALSE;
}

/* Everybody of a machine reaches these. */
static MetricsListener *
make_default_listener (const MetricsOptions *self, guint16 port)
{
  MetricsListener *listener = metrics_listener_new_loopback (port);

  if (self->bus == METRICS_BUS_SYSTEM)
    metrics_listener_set_rights (listener, METRICS_RIGHTS_READ | METRICS_RIGHTS_PUT);
  return listener;
}

static gboolean
make_listeners (MetricsOptions *self, const Parser *parser, GError **error)
{
  guint16 port = parser->numbers[PORT].value;
  gboolean wants_default = parser->addresses == NULL && self->bus != METRICS_BUS_SESSION;

  self->listeners = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; parser->hosts != NULL && parser->hosts[i] != NULL; i++)
    g_ptr_array_add (self->listeners, metrics_listener_new_tcp (parser->hosts[i], port));
  if (parser->hosts == NULL && (wants_default || parser->port_given))
    g_ptr_array_add (self->listeners, make_default_listener (self, port));
  self->listeners_are_defaults = parser->hosts == NULL && parser->addresses == NULL && !parser->port_given;

  for (guint i = 0; parser->addresses != NULL && parser->addresses[i] != NULL; i++)
    {
      MetricsListener *listener = metrics_listener_new_parse (parser->addresses[i], error);

      if (listener == NULL)
        {
          g_prefix_error (error, "--listen: ");
          return FALSE;
        }
      g_ptr_array_add (self->listeners, listener);
    }
  return TRUE;
}

/* What the service manager gives, else what the desktop's rules say. */
static char *
get_default_state_dir (void)
{
  const char *given = g_getenv ("STATE_DIRECTORY");

  /* There may be several, see systemd.exec(5): the first one is for this. */
  if (given != NULL && given[0] != '\0' && given[0] != ':')
    return g_strndup (given, strcspn (given, ":"));
  /* The rules say that a path which is relative does not count. */
  if (!g_path_is_absolute (g_get_user_state_dir ()))
    return g_build_filename (g_get_home_dir (), ".local", "state", "metricsd", NULL);
  return g_build_filename (g_get_user_state_dir (), "metricsd", NULL);
}

static gboolean
take_state (MetricsOptions *self, const Parser *parser, GError **error)
{
  if (parser->memory_only && (parser->state_dir != NULL || parser->durability_given))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                   _ ("--memory-only keeps nothing on disk: it cannot be given with %s"),
                   parser->state_dir != NULL ? "--state-dir" : "--durability");
      return FALSE;
    }
  if (parser->state_dir != NULL && parser->state_dir[0] == '\0')
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("--state-dir: the name is empty"));
      return FALSE;
    }
  if (!parser->memory_only)
    self->state_dir = parser->state_dir != NULL ? g_strdup (parser->state_dir) : get_default_state_dir ();
  self->durability = parser->durability;
  return TRUE;
}

/* At most one thing instead of serving, and for a folder. */
static gboolean
take_task (MetricsOptions *self, const Parser *parser, GError **error)
{
  const char *file = parser->backup != NULL ? parser->backup : parser->recover;
  const char *name = parser->backup != NULL ? "--backup" : parser->check ? "--check" : "--recover";

  if (file == NULL && !parser->check)
    return TRUE;
  if ((parser->backup != NULL) + parser->check + (parser->recover != NULL) > 1)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                           _ ("only one of --backup, --check and --recover can be given"));
      return FALSE;
    }
  if (parser->memory_only)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                   _ ("--memory-only keeps nothing on disk: it cannot be given with %s"), name);
      return FALSE;
    }
  if (g_strcmp0 (file, "") == 0)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("%s: the name is empty"), name);
      return FALSE;
    }
  self->task = parser->check            ? METRICS_TASK_CHECK
               : parser->backup != NULL ? METRICS_TASK_BACKUP
                                        : METRICS_TASK_RECOVER;
  self->task_file = g_strdup (file);
  return TRUE;
}

static gboolean
take_config (MetricsOptions *self, const Parser *parser, GError **error)
{
  self->config = g_strdup (parser->config);
  self->show_retention = parser->show_retention;
  if (!self->show_retention || (self->config != NULL && self->state_dir != NULL))
    return TRUE;
  if (self->config == NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         _ ("--show-retention needs --config: it shows what that file does"));
  else
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         _ ("--memory-only keeps nothing on disk: it cannot be given with --show-retention"));
  return FALSE;
}

/* A quarter of what the machine or the control group has, whichever is less. */
static guint64
get_default_memory_limit (void)
{
  long n_pages = sysconf (_SC_PHYS_PAGES);
  long page_size = sysconf (_SC_PAGESIZE);
  guint64 machine = n_pages > 0 && page_size > 0 ? (guint64) n_pages * page_size : 1 << 30;
  guint64 group = metrics_cgroup_get_memory_limit ("/");

  return MAX (MIN (machine, group) / 4, number_defaults[MEMORY_LIMIT].min);
}

/**
 * metrics_options_parse:
 * @arguments: (inout): the command line; what was understood is taken out
 * @error: return location for a #GError
 *
 * Reads the command line. `--help` prints the help and ends the program.
 *
 * Returns: (transfer full): the options, or %NULL where something is wrong with them
 */
MetricsOptions *
metrics_options_parse (GStrv *arguments, GError **error)
{
  g_autoptr (MetricsOptions) self = g_new0 (MetricsOptions, 1);
  g_autoptr (GOptionContext) context = NULL;
  g_auto (GStrv) hosts = NULL;
  g_auto (GStrv) addresses = NULL;
  g_autofree char *state_dir = NULL;
  g_autofree char *backup = NULL;
  g_autofree char *config = NULL;
  g_autofree char *recover = NULL;
  Parser parser = { .durability = METRICS_DURABILITY_INTERVAL, .log_level = METRICS_PRIORITY_INFO };
  gboolean parsed;

  memcpy (parser.numbers, number_defaults, sizeof parser.numbers);
  parser.numbers[MEMORY_LIMIT].value = get_default_memory_limit ();
  context = make_context (&parser);
  parsed = g_option_context_parse_strv (context, arguments, error);
  hosts = parser.hosts;
  addresses = parser.addresses;
  state_dir = parser.state_dir;
  backup = parser.backup;
  config = parser.config;
  recover = parser.recover;
  if (!parsed)
    return NULL;
  if (g_strv_length (*arguments) > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, _ ("unexpected argument '%s'"),
                   (*arguments)[1]);
      return NULL;
    }

  self->limits = (MetricsLimits){
    .line = parser.numbers[LINE_LIMIT].value,
    .connections = parser.numbers[CONNECTION_LIMIT].value,
    .unsent = parser.numbers[UNSENT_LIMIT].value,
    .slice = parser.numbers[SLICE_LIMIT].value,
    .line_timeout = parser.numbers[LINE_TIMEOUT].value,
    .answer_timeout = parser.numbers[ANSWER_TIMEOUT].value,
    .idle_timeout = parser.numbers[IDLE_TIMEOUT].value,
  };
  self->series_limit = parser.numbers[SERIES_LIMIT].value;
  self->memory_limit = parser.numbers[MEMORY_LIMIT].value;
  self->stop_timeout = parser.numbers[STOP_TIMEOUT].value;
  self->log_level = parser.log_level;
  self->lock_timeout = parser.numbers[LOCK_TIMEOUT].value;
  self->self_metrics = parser.numbers[SELF_METRICS].value;
  self->show_version = parser.show_version;
  if (!take_state (self, &parser, error) || !take_task (self, &parser, error)
      || !take_config (self, &parser, error) || !take_bus (self, &parser, error)
      || !take_exit_when_idle (self, &parser, error) || !make_listeners (self, &parser, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * metrics_options_free:
 * @self: (transfer full) (nullable): options
 */
void
metrics_options_free (MetricsOptions *self)
{
  if (self == NULL)
    return;
  g_clear_pointer (&self->listeners, g_ptr_array_unref);
  g_free (self->state_dir);
  g_free (self->task_file);
  g_free (self->config);
  g_free (self);
}
