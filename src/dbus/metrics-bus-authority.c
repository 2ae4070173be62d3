/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "dbus/metrics-bus-authority.h"

#include <unistd.h>

/* Who may do what. On the session bus there is one user, who may do everything. On the system bus it is asked
 * to whom the caller belongs, and where that is neither the superuser nor who runs the server, polkit
 * decides. Where it does not say yes, for whatever reason, it is no.
 *
 * A caller's name on the bus belongs to one connection for ever, so asking about a name is asking about who
 * has called, whatever became of its process. */

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_USER_INTERACTION 1

/* How long the bus and polkit may take, in milliseconds; and a human who has to type a password. */
#define PATIENCE 10000
#define PATIENCE_WITH_HUMANS 120000

/* A check in polkit that is under way. */
typedef struct
{
  MetricsBusCall *call;        /* (unowned): valid while it was not cancelled */
  MetricsBusObject *object;    /* (owned): which counts it */
  GDBusConnection *connection; /* (owned) */
  char *id;                    /* (owned): to call it off */
} Check;

static void
check_free (Check *check)
{
  check->object->n_checks--;
  g_object_unref (check->object);
  g_object_unref (check->connection);
  g_free (check->id);
  g_free (check);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Check, check_free)

/* Whether the call is there no more. An error that somebody sent can decode to the same. */
static gboolean
is_cancelled (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) && !g_dbus_error_is_remote_error (error);
}

/**
 * metrics_bus_authority_is_trusted:
 * @call: a call whose caller was identified
 *
 * Returns: whether its caller may do everything without anybody's leave
 */
gboolean
metrics_bus_authority_is_trusted (MetricsBusCall *call)
{
  return call->object->kind == METRICS_BUS_SESSION
         || (call->caller->has_uid && (call->caller->uid == 0 || call->caller->uid == geteuid ()));
}

static void
identified_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source_object), result, &error);
  MetricsBusCall *call = user_data;
  guint32 uid;

  if (is_cancelled (error))
    return;
  if (reply == NULL)
    {
      metrics_bus_call_fail (call, METRICS_BUS_ERROR_PERMISSION_DENIED,
                             "permission denied: the bus does not say who calls");
      return;
    }
  g_variant_get (reply, "(u)", &uid);
  call->caller->uid = uid;
  call->caller->has_uid = TRUE;
  call->next (call);
}

/**
 * metrics_bus_authority_identify:
 * @call: (transfer full): a call
 * @next: what to do with it when it is known to whom its caller belongs
 *
 * Asks the bus, once for each caller. Where that fails the call is refused.
 */
void
metrics_bus_authority_identify (MetricsBusCall *call, MetricsBusNextFunc next)
{
  if (call->object->kind == METRICS_BUS_SESSION || call->caller->has_uid)
    {
      next (call);
      return;
    }
  call->next = next;
  g_dbus_connection_call (g_dbus_method_invocation_get_connection (call->invocation), "org.freedesktop.DBus",
                          "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixUser",
                          g_variant_new ("(s)", call->caller->name), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, PATIENCE, call->cancellable, identified_cb, call);
}

/* Who has left, or waited for too long, is not to be asked for a password any more. */
static void
call_off (const Check *check)
{
  g_dbus_connection_call (check->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                          "CancelCheckAuthorization", g_variant_new ("(s)", check->id), NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, PATIENCE, NULL, NULL, NULL);
}

static void
checked_cb (GObject *source_object, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Check) check = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source_object), result, &error);
  gboolean is_authorized = FALSE;
  gboolean is_challenge = FALSE;

  if (is_cancelled (error) || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    call_off (check);
  if (is_cancelled (error))
    return;
  if (reply == NULL)
    {
      /* What went wrong there is for the administrator, and not for who was refused. */
      g_debug ("polkit: %s", error->message);
      metrics_bus_call_fail (check->call, METRICS_BUS_ERROR_PERMISSION_DENIED,
                             "permission denied: polkit does not answer");
      return;
    }
  g_variant_get (reply, "((bba{ss}))", &is_authorized, &is_challenge, NULL);
  if (is_authorized)
    check->call->allowed (check->call);
  else if (is_challenge)
    metrics_bus_call_fail (check->call, METRICS_BUS_ERROR_PERMISSION_DENIED,
                           "permission denied: interactive authorization is needed");
  else
    metrics_bus_call_fail (check->call, METRICS_BUS_ERROR_PERMISSION_DENIED, "permission denied");
}

static GVariant *
describe_check (const Check *check, const char *action, gboolean is_interactive)
{
  GVariantBuilder subject, details;

  g_variant_builder_init (&subject, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (check->call->caller->name));
  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  return g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject, action, &details,
                        is_interactive ? POLKIT_ALLOW_USER_INTERACTION : 0, check->id);
}

static void
ask_polkit (MetricsBusCall *call, const char *action)
{
  static guint64 last_check;
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);
  gboolean is_interactive
      = (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
  Check *check;

  if (call->object->n_checks >= METRICS_BUS_MAX_CHECKS)
    {
      metrics_bus_call_fail (call, METRICS_BUS_ERROR_LIMIT_REACHED, "too many calls wait for polkit");
      return;
    }
  check = g_new0 (Check, 1);
  check->call = call;
  check->object = g_object_ref (call->object);
  check->object->n_checks++;
  check->connection = g_object_ref (g_dbus_method_invocation_get_connection (call->invocation));
  check->id = g_strdup_printf ("metricsd-%" G_GUINT64_FORMAT, ++last_check);
  g_dbus_connection_call (check->connection, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE, "CheckAuthorization",
                          describe_check (check, action, is_interactive), G_VARIANT_TYPE ("((bba{ss}))"),
                          G_DBUS_CALL_FLAGS_NONE, is_interactive ? PATIENCE_WITH_HUMANS : PATIENCE,
                          call->cancellable, checked_cb, check);
}

static void
decide (MetricsBusCall *call)
{
  if (metrics_bus_authority_is_trusted (call))
    call->allowed (call);
  else
    ask_polkit (call, call->action);
}

/**
 * metrics_bus_authority_check:
 * @call: (transfer full): a call
 * @action: the name of a polkit action, static
 * @allowed: what to do with it when its caller may
 *
 * Asks whoever has to be asked. Where the answer is no the call is refused.
 */
void
metrics_bus_authority_check (MetricsBusCall *call, const char *action, MetricsBusNextFunc allowed)
{
  call->action = action;
  call->allowed = allowed;
  metrics_bus_authority_identify (call, decide);
}
