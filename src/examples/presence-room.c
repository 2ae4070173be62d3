/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "presence.h"

#include <string.h>

/* Tells all others who watch. */
static void
tell_others (PresenceRoom *self, const char *event, PresenceUser *user)
{
  g_autofree char *line = g_strdup_printf ("%s %s %u\n", event, user->name, user->age);

  for (guint i = 0; i < self->users->len; i++)
    {
      PresenceUser *other = self->users->pdata[i];

      if (other != user && other->watches)
        presence_user_say (other, line);
    }
  self->changed (self->user_data);
}

/* Whether nobody has that name, nor one that differs in capitals alone. */
static gboolean
is_free (PresenceRoom *self, const char *name)
{
  g_autofree char *folded = g_utf8_casefold (name, -1);

  for (guint i = 0; i < self->users->len; i++)
    {
      PresenceUser *user = self->users->pdata[i];
      g_autofree char *taken = g_utf8_casefold (user->name, -1);

      if (strcmp (folded, taken) == 0)
        return FALSE;
    }
  return TRUE;
}

/* The first thing that a client says: who it is. If that is wrong it may try again while there is time. */
static void
join (PresenceRoom *self, PresenceUser *user, const char *line, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = presence_read_name (line, length, &user->age, &error);
  g_autofree char *problem = NULL;

  if (name == NULL)
    problem = g_strdup_printf ("error: %s\n", error->message);
  else if (!is_free (self, name))
    problem = g_strdup_printf ("error: %s is here already\n", name);
  if (problem != NULL)
    {
      presence_user_say (user, problem);
      return;
    }
  g_clear_handle_id (&user->timer, g_source_remove);
  user->name = g_steal_pointer (&name);
  presence_user_say (user, "ok\n");
  g_ptr_array_add (self->users, user);
  tell_others (self, "joined", user);
}

/* Says how many there are, and then each. */
static void
say_who (PresenceRoom *self, PresenceUser *user)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text, "ok %u\n", self->users->len);
  for (guint i = 0; i < self->users->len; i++)
    {
      const PresenceUser *other = self->users->pdata[i];

      g_string_append_printf (text, "%s %u\n", other->name, other->age);
    }
  presence_user_say (user, text->str);
}

/* Answers a line of USER. */
void
presence_room_take (PresenceRoom *self, PresenceUser *user, const char *line, gsize length)
{
  if (strcmp (line, "who") == 0)
    say_who (self, user);
  else if (user->name == NULL)
    join (self, user, line, length);
  else if (strcmp (line, "watch") == 0)
    {
      /* Whoever comes behind this list is told: nobody is missed between. */
      say_who (self, user);
      user->watches = TRUE;
    }
  else
    presence_user_say (user, "error: what can be asked is who, or watch\n");
}

/* USER has gone. */
void
presence_room_leave (PresenceRoom *self, PresenceUser *user)
{
  if (g_ptr_array_remove (self->users, user))
    tell_others (self, "left", user);
}
