/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "common/metrics-number.h"
#include "common/metrics-tokens.h"
#include "ctl/metrics-collector-names.h"
#include "ctl/metrics-collector-private.h"

#include <string.h>

/* libgtop asks the kernel for all interfaces and their addresses again for each interface: 400 of them cost a
 * second of processor time a reading. The kernel's own table has all counters at once. */
#define TABLE "/proc/net/dev"

/* So many interfaces are read, and no more. */
#define INTERFACES_MAX 1000

/* A line of the table, behind the interface's name (net/core/net-procfs.c). */
enum
{
  RX_BYTES,
  RX_PACKETS,
  RX_ERRORS,
  TX_BYTES = 8,
  TX_PACKETS,
  TX_ERRORS,
  N_COLUMNS = 16,
};

static const struct
{
  const char *name;
  guint column;
} counters[] = {
  { "rx_bytes", RX_BYTES }, { "rx_packets", RX_PACKETS }, { "rx_errors", RX_ERRORS },
  { "tx_bytes", TX_BYTES }, { "tx_packets", TX_PACKETS }, { "tx_errors", TX_ERRORS },
};

/* TRUE where the line is one of an interface, which the two lines of the table's head are not. */
static gboolean
read_interface (MetricsCollector *self, char *line, GHashTable *taken)
{
  /* No name holds a colon but an alias's (`eth0:1`), which has no counters of its own. */
  char *colon = strrchr (line, ':');
  MetricsToken tokens[N_COLUMNS];
  g_autofree char *component = NULL;
  const char *claimed;

  if (colon == NULL || metrics_tokens_split (colon + 1, strlen (colon + 1), tokens, N_COLUMNS) < N_COLUMNS)
    return FALSE;
  *colon = '\0';
  component = metrics_collector_component (g_strchug (line));
  claimed = metrics_collector_claim_component (taken, component);

  for (gsize i = 0; i < G_N_ELEMENTS (counters); i++)
    {
      const MetricsToken *token = &tokens[counters[i].column];
      double value;

      if (metrics_number_parse_double (token->text, token->len, &value))
        metrics_collector_emit (self, value, "net.%s.%s", claimed, counters[i].name);
    }
  return TRUE;
}

/**
 * metrics_collector_read_network:
 * @self: a collector
 *
 * Hands out the counters of all network interfaces.
 */
void
metrics_collector_read_network (MetricsCollector *self)
{
  g_autoptr (GHashTable) taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *table = NULL;
  char *next;
  guint n = 0;

  if (!g_file_get_contents (TABLE, &table, NULL, NULL))
    return;
  for (char *line = table; line != NULL && n < INTERFACES_MAX; line = next)
    {
      next = strchr (line, '\n');
      if (next != NULL)
        *next++ = '\0';
      n += read_interface (self, line, taken);
    }
}
