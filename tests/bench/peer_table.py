# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of what was measured, for a terminal or for Markdown."""

import collections
import os
import platform
import statistics
import time

import peer_packages

Row = collections.namedtuple('Row', 'key workload title digits more_is_better')

ROWS = [
    Row('W1', 'W1', 'W1: 2 M points pipelined, M puts/s', 2, True),
    Row('W1 cpu', 'W1', 'W1: server CPU, s a million', 3, False),
    Row('W1x50', 'W1x50', 'W1 over 50 connections, M puts/s', 2, True),
    Row('W1x50 cpu', 'W1x50', 'W1 over 50: server CPU, s a million', 3, False),
    Row('memory', 'memory', 'W1: RSS, bytes a point, at 2 M', 1, False),
    Row('margin', 'memory', 'W1: RSS, bytes a point, 2 to 10 M', 1, False),
    Row('W2', 'W2', 'W2: put and wait, 50 connections, k/s', 1, True),
    Row('W2 p99', 'W2', 'W2: 50 connections, p99, us', 0, False),
    Row('W2 one', 'W2', 'W2: one connection, one core, k/s', 1, True),
    Row('W2 one p99', 'W2', 'W2: one connection, p99, us', 0, False),
    Row('W2 idle', 'W2 idle', 'W2: 50 beside 10,000 idle, k/s', 1, True),
    Row('W2 idle ratio', 'W2 idle', 'W2: the same, to none idle', 2, True),
    Row('W3 one', 'W3', 'W3: get of 2,000 points, reads/s', 0, True),
    Row('W3 all', 'W3', 'W3: all 2 M points, s', 3, False),
    Row('W4', 'W4', 'W4: 200,000 series x 5, M puts/s', 2, True),
    Row('W4 memory', 'W4', 'W4: RSS, bytes a series', 0, False),
    Row('W5', 'W5', 'W5: W1, a tenth late, M puts/s', 2, True),
    Row('idle', 'idle', 'idle: RSS, MB', 1, False),
]


def figure(row, values):
    return f'{statistics.median(values):,.{row.digits}f}' if values else None


def ratio(row, ours, other):
    """How much better ours is: above 1 it is."""
    if not ours or not other:
        return ''
    a, b = statistics.median(ours), statistics.median(other)
    if not a or not b:
        return ''
    return f'{(a / b if row.more_is_better else b / a):.2f}'


def best(row, figures, kinds):
    """The values of the best peer. Memory that was given back meanwhile (the margin of a collected heap) is no record."""
    values = [figures[name][row.key] for name, kind in kinds.items() if kind.is_peer and figures[name].get(row.key)]
    values = [of_one for of_one in values if statistics.median(of_one) > 0]
    if not values:
        return None
    return (max if row.more_is_better else min)(values, key=statistics.median)


def make(figures, kinds, failures):
    """Header and lines of cells; and the notes that cells refer to."""
    notes = []

    def cell(row, name):
        text = figure(row, figures[name].get(row.key))
        if text is not None:
            return text
        cannot = kinds[name].cannot
        reason = failures.get((name, row.workload)) or cannot.get(row.workload) or cannot.get(row.key)
        if reason is None:
            return ''
        if reason not in notes:
            notes.append(reason)
        return f'- ({notes.index(reason) + 1})'

    header = ['', *(kind.title for kind in kinds.values()), 'to best peer', 'to ceiling']
    lines = []
    for row in ROWS:
        if not any(row.key in of_one for of_one in figures.values()):
            continue
        ours = figures.get('metricsd', {}).get(row.key)
        lines.append([row.title, *(cell(row, name) for name in kinds), ratio(row, ours, best(row, figures, kinds)),
                      ratio(row, ours, figures.get('ceiling', {}).get(row.key))])
    return header, lines, notes


def machine(config, kinds):
    """Where and when it was."""
    with open('/proc/cpuinfo') as cpuinfo:
        model = next((line.split(':')[1].strip() for line in cpuinfo if line.startswith('model name')), platform.machine())
    versions = [f'{package} {peer_packages.version(package, config.folder)}'
                for package in dict.fromkeys(package for kind in kinds.values() for package in kind.packages or [])]
    return [f'{time.strftime("%Y-%m-%d %H:%M")}, {model}, {os.cpu_count()} cores, Linux {platform.release()}, '
            f'Python {platform.python_version()}',
            f'server on core {config.server_core}, generator on core {config.client_core}; medians of {config.rounds}'
            + ('' if config.scale == 1 else f'; sizes scaled by {config.scale:g}')
            + ('; partial: it was broken off' if config.broken_off else ''),
            *([', '.join(versions)] if versions else [])]


def text(figures, kinds, failures, config):
    header, lines, notes = make(figures, kinds, failures)
    widths = [max(len(line[i]) for line in [header, *lines]) for i in range(len(header))]
    out = [*machine(config, kinds), '']
    for line in [header, *lines]:
        out.append('  '.join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]))
    out += ['', *(f'({i + 1}) {note}' for i, note in enumerate(notes))]
    return '\n'.join(out).rstrip()


def markdown(figures, kinds, failures, config):
    header, lines, notes = make(figures, kinds, failures)
    out = ['; '.join(machine(config, kinds)) + '.', '']
    for i, line in enumerate([header, *lines]):
        out.append('| ' + ' | '.join(line) + ' |')
        if i == 0:
            out.append('| --- |' + ' ---: |' * (len(line) - 1))
    if notes:
        out += ['', '; '.join(f'({i + 1}) {note}' for i, note in enumerate(notes)) + '.']
    return '\n'.join(out)
