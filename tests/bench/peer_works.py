# SPDX-License-Identifier: LGPL-2.1-or-later
"""The work that servers are given, and what is measured of it: each function starts a server, and returns figures by the
names of the rows of the table."""

import json
import os
import subprocess
import time

from peer_servers import prepare

MARGIN = 4  # times as many points again, to see what one more costs
SECONDS_A_STEP = 10
LOAD_SECONDS = 600  # no single measurement may take longer


class Failed(Exception):
    """A server did not do its part."""


def load(config, server, workload, *options, dialect=None, address=None, core=None):
    """Runs one workload by the generator and returns its figures."""
    command = [config.load, '--dialect', dialect or server.dialect, '--address', address or server.address,
               '--workload', workload, '--prefix', 'b', '--warm-up', '0', *(str(option) for option in options)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LOAD_SECONDS,
                            preexec_fn=prepare({config.client_core if core is None else core}))
    if result.returncode != 0:
        raise Failed(f'{server.title}: {workload}: {result.stderr.strip()}')
    return json.loads(result.stdout)[workload]


def start_of(steps):
    """A time so long ago that so many steps end about now."""
    return (int(time.time()) // SECONDS_A_STEP - steps - 10) * SECONDS_A_STEP


def settle(config):
    """Servers may do something after the last answer: what memory they have is looked at after that."""
    time.sleep(min(1, 20 * config.scale))


def put(config, server, workload, part, n_series, steps, *options, connections=1, start=None, first_step=0):
    """Puts points, and returns millions a second and seconds of the server's processor time a million."""
    start = start if start is not None else start_of(steps)
    if first_step == 0:
        server.make_series([f'b.{part}.{i}' for i in range(n_series)], start)
    points = n_series * steps
    before = server.cpu()
    figures = load(config, server, workload, '--points', points, '--series', n_series, '--connections', connections,
                   '--start', start, '--first-step', first_step, *options)
    return points / figures['seconds'] / 1e6, (server.cpu() - before) / points * 1e6


def read(config, server, start, figures, selected):
    """Reads what was put: one series after the other, and all at once."""
    n_series = config.series()
    server.before_reads()
    there = ['--there', '--points', n_series * config.steps, '--series', n_series, '--start', start]
    spoken = {'dialect': server.read_dialect or server.dialect, 'address': server.read_address}
    if 'W3' in selected:
        # The first tenth warms up.
        load(config, server, 'read', *there, '--reads', max(config.size(200), 1), **spoken)
        result = load(config, server, 'read', *there, '--reads', max(config.size(2000), 50), **spoken)
        figures['W3 one'] = result['requests_per_second']
        load(config, server, 'read-all', *there, '--reads', 1, '--depth', 0, **spoken)
        figures['W3 all'] = load(config, server, 'read-all', *there, '--reads', 1, '--depth', 0, **spoken)['seconds']


def store(config, kind, selected, first_round):
    """W1 on one connection, what it takes of memory, and W3."""
    figures = {}
    start = start_of(config.steps * (1 + MARGIN))
    n_series = config.series()
    with kind(config, 'W1') as server:
        settle(config)
        idle = server.rss()
        figures['idle'] = idle / 1e6
        if not selected & {'W1', 'memory', 'W3'}:
            return figures
        figures['W1'], figures['W1 cpu'] = put(config, server, 'pipeline', 'series', n_series, config.steps, start=start)
        settle(config)
        if 'memory' not in kind.cannot:
            figures['memory'] = (server.rss() - idle) / (n_series * config.steps)
        if 'W3' in selected and 'W3' not in kind.cannot:
            read(config, server, start, figures, selected)
        if 'memory' in selected and first_round and 'memory' not in kind.cannot:
            before = server.rss()
            put(config, server, 'pipeline', 'series', n_series, MARGIN * config.steps, start=start, first_step=config.steps)
            settle(config)
            figures['margin'] = (server.rss() - before) / (n_series * MARGIN * config.steps)
    return figures


def put_over_50(config, kind, selected, first_round):
    """W1 over 50 connections."""
    with kind(config, 'W1x50') as server:
        rate, cpu = put(config, server, 'pipeline', 'series', config.series(), config.steps, connections=50)
        return {'W1x50': rate, 'W1x50 cpu': cpu}


def request(config, server, connections, n_requests, *options, core=None):
    """Puts one by one."""
    n_requests = max(int(config.size(n_requests) * server.pace), 20 * connections)
    start = start_of(-(-n_requests // connections))
    server.make_series([f'b.request.{i}' for i in range(connections)], start)
    return load(config, server, 'request', '--requests', n_requests, '--connections', connections, '--start', start,
                *options, core=core)


def one_by_one(config, kind, selected, first_round):
    """W2: 50 connections, and one connection with both on one core."""
    figures = {}
    with kind(config, 'W2') as server:
        result = request(config, server, 50, 300_000)
        figures['W2'], figures['W2 p99'] = result['requests_per_second'] / 1e3, result['p99_microseconds']
    with kind(config, 'W2 one') as server:
        result = request(config, server, 1, 100_000, core=config.server_core)
        figures['W2 one'], figures['W2 one p99'] = result['requests_per_second'] / 1e3, result['p99_microseconds']
    return figures


def beside_idle(config, kind, selected, first_round):
    """W2 over 50 connections without and with 10,000 idle ones beside."""
    with kind(config, 'W2 idle') as server:
        without = request(config, server, 50, 200_000)['requests_per_second']
    with kind(config, 'W2 idle') as server:
        beside = request(config, server, 50, 200_000, '--idle', max(config.size(10_000), 10))['requests_per_second']
    return {'W2 idle': beside / 1e3, 'W2 idle ratio': beside / without}


def many_series(config, kind, selected, first_round):
    """W4."""
    n_series = max(config.size(200_000), 50)
    with kind(config, 'W4') as server:
        settle(config)
        idle = server.rss()
        rate, _ = put(config, server, 'many-series', 'many', n_series, 5)
        settle(config)
        figures = {'W4': rate}
        if 'memory' not in kind.cannot:
            figures['W4 memory'] = (server.rss() - idle) / n_series
        return figures


def late(config, kind, selected, first_round):
    """W5."""
    with kind(config, 'W5') as server:
        return {'W5': put(config, server, 'late', 'late', config.series(), config.steps)[0]}


# What is started together, and the workloads of which it is, as they are chosen on the command line.
WORKS = [
    (store, {'idle', 'W1', 'memory', 'W3'}),
    (put_over_50, {'W1x50'}),
    (one_by_one, {'W2'}),
    (beside_idle, {'W2 idle'}),
    (many_series, {'W4'}),
    (late, {'W5'}),
]
WORKLOADS = ['W1', 'W1x50', 'memory', 'W2', 'W2 idle', 'W3', 'W4', 'W5', 'idle']
