/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "daemon/metrics-options.h"

#include "common/metrics-names.h"
#include "daemon/metrics-systemd.h"
#include "server/metrics-listener.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

/* The command line: the settings, which a file can have as well (metrics-settings-table.c), and what can only
 * be said here. */

/* Who said so. */
#define ORIGIN "command line"

typedef struct
{
  MetricsSettings *settings; /* (unowned) */
  GOptionContext *context;   /* (unowned) */
  gboolean session;
  gboolean system;
  char *backup; /* (owned) (nullable) */
  gboolean check;
  char *recover; /* (owned) (nullable) */
  gboolean check_config;
  gboolean show_config;
} Parser;

/* With its dashes, as GLib gives it. */
static gboolean
setting_cb (const char *option_name, const char *text, gpointer data, GError **error)
{
  Parser *parser = data;
  g_autoptr (MetricsListener) listener = NULL;
  MetricsSettingId id;

  if (!metrics_setting_find (option_name + strlen ("--"), &id))
    g_assert_not_reached ();
  switch (metrics_setting_get (id)->kind)
    {
    case METRICS_SETTING_LIST:
      metrics_settings_add_text (parser->settings, id, text, ORIGIN);
      if (!metrics_setting_is_address (id))
        return TRUE;
      listener = metrics_listener_new_parse (text, METRICS_DEFAULT_PORT, error);
      if (listener != NULL)
        return TRUE;
      break;
    case METRICS_SETTING_SWITCH:
      text = "true";
      G_GNUC_FALLTHROUGH;
    case METRICS_SETTING_NUMBER:
    case METRICS_SETTING_SIZE:
    case METRICS_SETTING_CHOICE:
    case METRICS_SETTING_PATH:
    default:
      if (metrics_settings_parse (parser->settings, id, text, ORIGIN, error))
        return TRUE;
      break;
    }
  g_prefix_error (error, "%s: ", option_name);
  return FALSE;
}

static GOptionGroup *
add_group (Parser *parser, const char *name, const char *title, const GOptionEntry *entries)
{
  GOptionGroup *group = g_option_group_new (name, title, "", parser, NULL);

  g_option_group_add_entries (group, entries);
  g_option_context_add_group (parser->context, group);
  return group;
}

static void
add_setting (GOptionGroup *group, MetricsSettingId id)
{
  const MetricsSetting *setting = metrics_setting_get (id);
  GOptionEntry entries[] = {
    { setting->name, 0, 0, G_OPTION_ARG_CALLBACK, setting_cb, _ (setting->description),
      setting->unit != NULL ? _ (setting->unit) : NULL },
    { NULL },
  };

  if (setting->kind == METRICS_SETTING_SWITCH)
    entries[0].flags = G_OPTION_FLAG_NO_ARG;
  /* As they are: names of files need not be UTF-8. */
  else if (setting->kind == METRICS_SETTING_PATH || metrics_setting_is_address (id))
    entries[0].flags = G_OPTION_FLAG_FILENAME;
  g_option_group_add_entries (group, entries);
}

/* Under the same titles as in metricsd(1). */
static void
add_settings (Parser *parser)
{
  const struct
  {
    const char *name;
    const char *title;
    MetricsSettingId ids[12]; /* METRICS_N_SETTINGS behind the last one */
  } sections[] = {
    { "addresses",
      _ ("Addresses:"),
      { METRICS_SETTING_HOST, METRICS_SETTING_PORT, METRICS_SETTING_LISTEN,
#if HAVE_HTTP
        METRICS_SETTING_HTTP_LISTEN, METRICS_SETTING_HTTP_PORT, METRICS_SETTING_HTTP_HOST,
        METRICS_SETTING_NO_HTTP,
#endif
        METRICS_N_SETTINGS } },
    { "stored",
      _ ("What is kept:"),
      { METRICS_SETTING_STATE_DIR, METRICS_SETTING_MEMORY_ONLY, METRICS_SETTING_DURABILITY,
        METRICS_SETTING_LOCK_TIMEOUT, METRICS_SETTING_SELF_METRICS, METRICS_N_SETTINGS } },
    { "messages",
      _ ("Messages and end:"),
      { METRICS_SETTING_LOG_LEVEL, METRICS_SETTING_EXIT_WHEN_IDLE, METRICS_N_SETTINGS } },
    { "limits",
      _ ("Limits:"),
      { METRICS_SETTING_MEMORY_LIMIT, METRICS_SETTING_SERIES_LIMIT, METRICS_SETTING_CONNECTION_LIMIT,
        METRICS_SETTING_LINE_LIMIT, METRICS_SETTING_UNSENT_LIMIT, METRICS_SETTING_SLICE_LIMIT,
        METRICS_SETTING_LINE_TIMEOUT, METRICS_SETTING_ANSWER_TIMEOUT, METRICS_SETTING_IDLE_TIMEOUT,
        METRICS_SETTING_STOP_TIMEOUT, METRICS_N_SETTINGS } },
  };
  const GOptionEntry none[] = { { NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (sections); i++)
    {
      GOptionGroup *group = add_group (parser, sections[i].name, sections[i].title, none);

      for (const MetricsSettingId *id = sections[i].ids; *id != METRICS_N_SETTINGS; id++)
        add_setting (group, *id);
    }
}

static gboolean
help_cb (const char *option_name, const char *text, gpointer data, GError **error)
{
  const Parser *parser = data;
  char *help = g_option_context_get_help (parser->context, FALSE, NULL);

  g_print ("%s", help);
  g_free (help);
  exit (EXIT_SUCCESS);
}

static void
add_tasks (MetricsOptions *self, Parser *parser)
{
  const GOptionEntry entries[] = {
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &parser->check_config,
      _ ("Say which configuration files are read and what is wrong with them, and exit"), NULL },
    { "show-config", 0, 0, G_OPTION_ARG_NONE, &parser->show_config,
      _ ("Show all settings as they are by files and command line, and where each is from, and exit"), NULL },
    { "show-retention", 0, 0, G_OPTION_ARG_NONE, &self->show_retention,
      _ ("Show what the configuration would delete of what is stored, change nothing, and exit; a server may "
         "run meanwhile"),
      NULL },
    { "backup", 0, 0, G_OPTION_ARG_FILENAME, &parser->backup,
      _ ("Copy what is stored into a new file and exit; a server may run meanwhile"), _ ("FILE") },
    { "check", 0, 0, G_OPTION_ARG_NONE, &parser->check,
      _ ("Read all that is stored, say what is damaged, and exit; a server may run meanwhile"), NULL },
    { "recover", 0, 0, G_OPTION_ARG_FILENAME, &parser->recover,
      _ ("Save what is whole of a damaged database into a new file, say what is lost, and exit"),
      _ ("FILE") },
    { "help", 'h', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, help_cb, _ ("Show this help and exit"),
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &self->show_version, _ ("Show the version and exit"), NULL },
    { NULL },
  };

  add_group (parser, "tasks", _ ("Instead of serving:"), entries);
}

/* In the order in which the help shows them: where the configuration is, the settings, what is done instead
 * of serving. */
static void
add_options (MetricsOptions *self, Parser *parser)
{
  const GOptionEntry entries[] = {
    { "session", 0, 0, G_OPTION_ARG_NONE, &parser->session,
      _ ("Be called on the session bus, and listen only where an option says so"), NULL },
    { "system", 0, 0, G_OPTION_ARG_NONE, &parser->system,
      _ ("Be called on the system bus; over TCP nobody deletes then, unless an address gives that right"),
      NULL },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &self->config,
      _ ("Configuration file, with drop-ins in FILE.d, in place of the user's or, with --system, the "
         "system's: "
         "metricsd.conf(5)"),
      _ ("FILE") },
    { NULL },
  };

  add_group (parser, "configuration", _ ("Configuration:"), entries);
  add_settings (parser);
  add_tasks (self, parser);
}

static GOptionContext *
make_context (MetricsOptions *self, Parser *parser)
{
  GOptionContext *context = g_option_context_new (NULL);

  parser->context = context;
  /* GLib would hide all groups but one. */
  g_option_context_set_help_enabled (context, FALSE);
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
  add_options (self, parser);
  return context;
}

static gboolean
is_given (const MetricsOptions *self, MetricsSettingId id)
{
  return metrics_settings_get_origin (self->settings, id) != NULL;
}

static gboolean
check_state (const MetricsOptions *self, GError **error)
{
  static const MetricsSettingId others[] = { METRICS_SETTING_STATE_DIR, METRICS_SETTING_DURABILITY };

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (is_given (self, METRICS_SETTING_MEMORY_ONLY) && is_given (self, others[i]))
      {
        g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                     _ ("--memory-only keeps nothing on disk: it cannot be given with --%s"),
                     metrics_setting_get (others[i])->name);
        return FALSE;
      }
  return TRUE;
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
  self->is_on_demand = self->bus == METRICS_BUS_SESSION && metrics_systemd_has_sockets ();
  return TRUE;
}

/* Who leaves has to be started again by a call, and may lose nothing by it. What a file says of that counts
 * where it can be so, see metrics-config.c. */
static gboolean
check_exit_when_idle (const MetricsOptions *self, GError **error)
{
  if (metrics_settings_get_number (self->settings, METRICS_SETTING_EXIT_WHEN_IDLE) == 0)
    return TRUE;
  if (is_given (self, METRICS_SETTING_MEMORY_ONLY))
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                 _ ("--memory-only keeps nothing on disk: it cannot be given with %s"), "--exit-when-idle");
  else if (self->bus == METRICS_BUS_SYSTEM)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         _ ("--exit-when-idle cannot be given with --system: that server stays"));
  else if (self->bus != METRICS_BUS_SESSION && !metrics_systemd_has_sockets ())
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                         _ ("--exit-when-idle needs --session, or sockets that the service manager passes: "
                            "nobody would start the server again"));
  else
    return TRUE;
  return FALSE;
}

/* At most one thing instead of serving; what is done to a folder wants one. */
static gboolean
take_task (MetricsOptions *self, Parser *parser, GError **error)
{
  const struct
  {
    gboolean is_given;
    const char *name;
    MetricsTask task;
    char **file;
  } tasks[] = {
    { parser->backup != NULL, "--backup", METRICS_TASK_BACKUP, &parser->backup },
    { parser->check, "--check", METRICS_TASK_CHECK, NULL },
    { parser->recover != NULL, "--recover", METRICS_TASK_RECOVER, &parser->recover },
    { self->show_retention, "--show-retention", METRICS_TASK_SERVE, NULL },
    { parser->check_config, "--check-config", METRICS_TASK_CHECK_CONFIG, NULL },
    { parser->show_config, "--show-config", METRICS_TASK_SHOW_CONFIG, NULL },
  };
  const char *name = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (tasks); i++)
    {
      if (!tasks[i].is_given)
        continue;
      if (name != NULL)
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, _ ("only one of %s and %s can be given"),
                       name, tasks[i].name);
          return FALSE;
        }
      name = tasks[i].name;
      self->task = tasks[i].task;
      if (tasks[i].file != NULL)
        self->task_file = g_steal_pointer (tasks[i].file);
    }
  if (g_strcmp0 (self->task_file, "") == 0)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("%s: the name is empty"), name);
      return FALSE;
    }
  if (name != NULL && self->task < METRICS_TASK_CHECK_CONFIG && is_given (self, METRICS_SETTING_MEMORY_ONLY))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                   _ ("--memory-only keeps nothing on disk: it cannot be given with %s"), name);
      return FALSE;
    }
  return TRUE;
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
  Parser parser = { 0 };
  gboolean good;

  self->settings = parser.settings = metrics_settings_new ();
  context = make_context (self, &parser);
  good = g_option_context_parse_strv (context, arguments, error);
  if (good && g_strv_length (*arguments) > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, _ ("unexpected argument '%s'"),
                   (*arguments)[1]);
      good = FALSE;
    }
  good = good && check_state (self, error) && take_bus (self, &parser, error)
         && check_exit_when_idle (self, error) && take_task (self, &parser, error);
  g_free (parser.backup);
  g_free (parser.recover);
  return good ? g_steal_pointer (&self) : NULL;
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
  g_clear_pointer (&self->settings, metrics_settings_free);
  g_free (self->task_file);
  g_free (self->config);
  g_free (self);
}
