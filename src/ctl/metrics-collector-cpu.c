/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include "ctl/metrics-collector-private.h"

/* Stands for all cores together, where a core is asked for. */
#define ALL_CORES (-1)

/* A way to spend time, and where libgtop keeps its counters. The sum of all of them is the time that passed:
 * a guest's time is part of "user", and time stolen by the host does not count as ours. */
static const struct
{
  const char *name;
  gsize all;   /* offset of the counter of all cores */
  gsize cores; /* offset of the array with a counter for each */
} states[] = {
#define STATE(name, member)                                                                                  \
  {                                                                                                          \
    name, G_STRUCT_OFFSET (glibtop_cpu, member), G_STRUCT_OFFSET (glibtop_cpu, xcpu_##member)                \
  }
  STATE ("user", user),     STATE ("nice", nice), STATE ("system", sys),      STATE ("idle", idle),
  STATE ("iowait", iowait), STATE ("irq", irq),   STATE ("softirq", softirq),
#undef STATE
};

static guint64
get_counter (const glibtop_cpu *cpu, gsize state, int core)
{
  if (core == ALL_CORES)
    return G_STRUCT_MEMBER (guint64, cpu, states[state].all);
  return (&G_STRUCT_MEMBER (guint64, cpu, states[state].cores))[core];
}

static guint64
get_total (const glibtop_cpu *cpu, int core)
{
  return core == ALL_CORES ? cpu->total : cpu->xcpu_total[core];
}

static void
read_core (MetricsCollector *self, const glibtop_cpu *before, const glibtop_cpu *now, int core)
{
  guint64 spent[G_N_ELEMENTS (states)];
  guint64 sum = 0;

  /* Nothing was counted before the first reading and while a core was off. */
  if (get_total (before, core) == 0 || get_total (now, core) == 0)
    return;

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    {
      guint64 from = get_counter (before, i, core), to = get_counter (now, i, core);

      /* The kernel's idle and iowait are estimates and do run backwards (proc(5), /proc/stat). */
      spent[i] = to > from ? to - from : 0;
      sum += spent[i];
    }
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    if (core == ALL_CORES)
      metrics_collector_emit_percent (self, spent[i], sum, "cpu.%s", states[i].name);
    else
      metrics_collector_emit_percent (self, spent[i], sum, "cpu.%d.%s", core, states[i].name);
}

/**
 * metrics_collector_read_cpu:
 * @self: a collector
 *
 * Hands out what the cores did since the reading before.
 */
void
metrics_collector_read_cpu (MetricsCollector *self)
{
  g_autofree glibtop_cpu *now = g_new0 (glibtop_cpu, 1);

  glibtop_get_cpu (now);
  read_core (self, self->cpu_before, now, ALL_CORES);
  for (int core = 0; core < GLIBTOP_NCPU; core++)
    read_core (self, self->cpu_before, now, core);

  g_free (self->cpu_before);
  self->cpu_before = g_steal_pointer (&now);
}
