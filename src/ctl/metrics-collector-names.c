/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-collector-names.h"

#include <string.h>

/* Room for `_` and the digits of a guint. */
#define NUMBER_MAX 11

/* What may not stand in a component: what no key may hold, the dot that parts components, the slash that
 * programs may want to make paths of keys with, and what a pattern would take for its own. */
static gboolean
is_allowed (gunichar c)
{
  return !g_unichar_isspace (c) && !g_unichar_iscntrl (c)
         && (c >= 0x80 || strchr ("./*?\\", (int) c) == NULL);
}

/**
 * metrics_collector_component:
 * @name: (type filename): a name from outside: of a host, of a network interface; any bytes
 *
 * Makes one component of a key of it: what may not stand there becomes `_`, and a long name is cut.
 *
 * Returns: (transfer full): 1 to %METRICS_COLLECTOR_COMPONENT_MAX bytes of UTF-8, with room for the number
 * that metrics_collector_claim_component() may add
 */
char *
metrics_collector_component (const char *name)
{
  GString *component = g_string_new (NULL);
  const char *p = name;

  while (*p != '\0')
    {
      gunichar c = g_utf8_get_char_validated (p, -1);
      /* (gunichar) -1 is no UTF-8, (gunichar) -2 the beginning of a character. */
      gboolean valid = c < (gunichar) -2;
      gsize len = valid ? (gsize) (g_utf8_next_char (p) - p) : 1;

      if (component->len + len > METRICS_COLLECTOR_COMPONENT_MAX - NUMBER_MAX)
        break;
      if (valid && is_allowed (c))
        g_string_append_len (component, p, (gssize) len);
      else
        g_string_append_c (component, '_');
      p += len;
    }
  if (component->len == 0)
    g_string_append_c (component, '_');
  return g_string_free (component, FALSE);
}

/**
 * metrics_collector_mount_component:
 * @path: (type filename): where a file system is mounted: an absolute path
 *
 * Makes a component of it: `root` of `/`, `var_lib` of `/var/lib`.
 *
 * Returns: (transfer full): as metrics_collector_component()
 */
char *
metrics_collector_mount_component (const char *path)
{
  while (*path == '/')
    path++;
  return metrics_collector_component (*path != '\0' ? path : "root");
}

/**
 * metrics_collector_claim_component:
 * @taken: (element-type utf8): the components that a reading has used, a set that owns them
 * @component: another one
 *
 * Two names may be mapped to one component (`eth0.1` and `eth0_1`, `/` and `/root`): the later one gets a
 * number, so that their figures are not taken for one series.
 *
 * Returns: (transfer none): the component to use, which is in @taken now
 */
char *
metrics_collector_claim_component (GHashTable *taken, const char *component)
{
  char *claimed = g_strdup (component);

  for (guint n = 2; g_hash_table_contains (taken, claimed); n++)
    {
      g_free (claimed);
      claimed = g_strdup_printf ("%s_%u", component, n);
    }
  g_hash_table_add (taken, claimed);
  return claimed;
}
