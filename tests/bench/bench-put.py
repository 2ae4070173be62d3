# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many pipelined puts a second the server takes on one connection, beside a server that does nothing.

The server has one core to itself and metricsctl another, where there are two. Both servers are measured in turn,
in the same run, so that the ratio says something on any machine. The rate in processor time is that of the server's
own: other programs that want the core do not lower it. Nothing here asserts anything about time."""

import ctypes
import json
import os
import signal
import statistics
import subprocess
import sys
import time

POINTS = 1_000_000
ROUNDS = 3


def pin(core):
    """What is to be called in a child so that it stays on one core."""
    return lambda: os.sched_setaffinity(0, {core})


def start(command, core):
    """Starts a server and returns it with its address."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pin(core))
    address = None
    for line in server.stdout:
        if line.startswith('listening on '):
            address = address or line.split()[-1]
        elif line == 'ready\n':
            return server, address
    sys.exit(f'{command[0]} did not start')


def processor_seconds(server):
    """How long the server has used the processor, in all threads."""
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(server.pid, ctypes.byref(clock)) != 0:
        sys.exit('the server has no processor clock')
    return time.clock_gettime(clock.value)


def measure(server, address, core):
    """Points and bytes a second, and points a second of the server's processor time, of one run."""
    # Without --keep the time to delete would be in it. What is put before the clock starts is, one part in a hundred.
    command = [os.environ['METRICSCTL'], 'bench', 'pipeline', '--json', '--keep', '--address', address,
               '--points', str(POINTS)]
    before = processor_seconds(server)
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, preexec_fn=pin(core)).stdout
    used = processor_seconds(server) - before
    put = json.loads(output)['pipeline']
    return put['points_per_second'], put['bytes_sent_per_second'], POINTS / used


def main():
    cores = sorted(os.sched_getaffinity(0))
    server_core, client_core = cores[0], cores[-1]
    servers = {
        'metricsd': [os.environ['METRICSD'], '--memory-only', '--host', '127.0.0.1', '--port', '0', '--no-http'],
        'baseline': [os.environ['BASELINE']],
    }
    rates = {}
    print(f'{POINTS:,} points, one connection, server on core {server_core}, client on core {client_core}, '
          f'median of {ROUNDS}')
    for name, command in servers.items():
        server, address = start(command, server_core)
        try:
            results = zip(*[measure(server, address, client_core) for _ in range(ROUNDS)])
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        rates[name], n_bytes, processor = (statistics.median(column) for column in results)
        print(f'{name}: {rates[name]:,.0f} points/s, {n_bytes / 1e6:.1f} MB/s; '
              f'{processor:,.0f} points/s of processor time')
    print(f'ratio to the baseline: {rates["metricsd"] / rates["baseline"]:.2f}')


main()
