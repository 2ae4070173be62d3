#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long a start takes with many points on disk: from the exec to the end of the first answer, beside reading all.

The file is in the system's cache, as it is when a server is started again; --cold drops it from there before each
start (as root)."""

import argparse
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

AIM = 100  # how many times longer it takes to read all
ROUNDS = 5


def drop_caches(folder):
    for path in folder.iterdir():
        with open(path, 'rb') as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def start(metricsd, folder, options):
    server = subprocess.Popen([metricsd, '--host', '127.0.0.1', '--port', '0', '--no-http', '--state-dir', folder] + options,
                              stdout=subprocess.PIPE, text=True)
    address = None
    for line in server.stdout:
        if line.startswith('listening on '):
            address = line.split()[-1]
        elif line == 'ready\n':
            host, _, port = address.rpartition(':')
            return server, socket.create_connection((host, int(port)))
    sys.exit('metricsd did not start')


def stop(server, client):
    client.close()
    server.send_signal(signal.SIGTERM)
    server.wait()


def ask(client, line):
    """How many points the answer has."""
    client.sendall(line + b'\n')
    lines, tail = 0, b''
    while tail != b'\n\n':
        data = client.recv(1 << 20)
        if not data:
            sys.exit('metricsd has closed the connection')
        lines += data.count(b'\n')
        tail = (tail + data)[-2:]
    return lines - 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', default='_build/bench', help='where it was built')
    parser.add_argument('--series', type=int, default=10_000)
    parser.add_argument('--points', type=int, default=50_000_000)
    parser.add_argument('--memory-limit', help='of the server')
    parser.add_argument('--cold', action='store_true', help='have the file read from the disk at each start')
    options = parser.parse_args()
    metricsd = f'{options.build}/src/daemon/metricsd'
    limit = ['--memory-limit', options.memory_limit] if options.memory_limit else []

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / 'state'
        began = time.monotonic()
        subprocess.run([f'{options.build}/tests/bench/bench-fill', folder, str(options.series), str(options.points)],
                       check=True)
        size = (folder / 'metricsd.db').stat().st_size
        print(f'{options.points:,} points in {options.series:,} series, {size / 1e6:,.0f} MB, written in '
              f'{time.monotonic() - began:.0f} s', flush=True)

        firsts = []
        for number in range(ROUNDS):
            if options.cold:
                drop_caches(folder)
            began = time.monotonic()
            server, client = start(metricsd, folder, limit)
            ready = time.monotonic() - began
            found = ask(client, b'get host%d.sensor%d' % (number % 10, number))
            firsts.append(time.monotonic() - began)
            print(f'ready after {1000 * ready:.1f} ms, the first {found:,} points after {1000 * firsts[-1]:.1f} ms',
                  flush=True)
            stop(server, client)

        server, client = start(metricsd, folder, limit)
        began = time.monotonic()
        found = ask(client, b'get *')
        everything = time.monotonic() - began
        stop(server, client)
    print(f'all {found:,} points in {everything:.1f} s')
    first = sorted(firsts)[ROUNDS // 2]
    print(f'{everything / first:,.0f} times as long as to the first answer (median); the aim is {AIM}')


main()
