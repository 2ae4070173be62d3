#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a connection and a request cost the three echo servers of src/examples: on one thread, with a thread a client, with
a pool of threads.

The server has the first core, the clients have the last one. The servers take turns within a round, so that what else the
machine does hits all alike; the figures are medians of the rounds. Nothing here fails for being slow."""

import argparse
import ctypes
import os
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time

SERVERS = ('echo', 'echo-threads', 'echo-pool')
IDLE = (1, 100, 1000, 10_000)
POOL_THREADS = 10
SECONDS = 0.5  # for one figure, or
LEAST = 50  # so many requests
BATCH = 500  # clients that come at once
REQUEST, ANSWER = b'hello', b'GOT:hello'


def pin(core):
    """What is to be called in a child so that it stays on one core."""
    return lambda: os.sched_setaffinity(0, {core})


class Server:
    """A server of clients who do nothing but what is asked of them."""

    def __init__(self, build, name, core):
        options = [f'--threads={POOL_THREADS}'] if name == 'echo-pool' else []
        self.name = name
        self.process = subprocess.Popen([f'{build}/src/examples/{name}', '--address=127.0.0.1:0', '--metrics=127.0.0.1:1',
                                         '--idle-timeout=0', '--max-connections=1000000', *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=pin(core))
        line = self.process.stdout.readline()
        if not line.startswith('listening on '):
            sys.exit(f'{name} did not start: {self.process.stderr.read()}')
        self.port = int(line.rpartition(':')[2])
        clock = ctypes.c_int()
        if ctypes.CDLL(None).clock_getcpuclockid(self.process.pid, ctypes.byref(clock)) != 0:
            sys.exit('the server has no processor clock')
        self.clock = clock.value
        self.clients = []

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port))

    def settle(self):
        """Until it has nothing more to do."""
        before = None
        while (now := time.clock_gettime(self.clock)) != before:
            before = now
            time.sleep(0.05)

    def fill(self, count):
        """Connects until there are so many clients, all of which are let in, and answered where they need not wait for
        that. False: it takes no more."""
        while len(self.clients) < count:
            new = [self.connect() for _ in range(min(BATCH, count - len(self.clients)))]
            # In a pool the first ones are served; of the others it is enough that they are not refused.
            n_served = max(0, POOL_THREADS - len(self.clients)) if self.name == 'echo-pool' else len(new)
            for client in new[:n_served]:
                client.sendall(REQUEST)
            let_in = [client for client in new[:n_served] if client.recv(100) == ANSWER]
            self.settle()
            let_in += [client for client in new[n_served:] if received(client) == b'']
            self.clients += let_in
            if len(let_in) < len(new):
                return False
        return True

    def memory(self):
        """Kilobytes: resident, of page tables, of the kernel's stacks (those of the whole system); threads."""
        status = open(f'/proc/{self.process.pid}/status').read()
        found = {name: int(re.search(rf'(?m)^{name}:\s+(\d+)', status).group(1)) for name in ('VmRSS', 'VmPTE', 'Threads')}
        found['KernelStack'] = int(re.search(r'KernelStack:\s+(\d+)', open('/proc/meminfo').read()).group(1))
        return found

    def cost(self, work):
        """Microseconds of the server's processor time for each of the requests that WORK makes and counts."""
        count, began, end = 0, time.clock_gettime(self.clock), time.monotonic() + SECONDS
        while count < LEAST or time.monotonic() < end:
            count += work()
        return (time.clock_gettime(self.clock) - began) * 1e6 / count

    def ask(self):
        """A request of the first client; all others are silent."""
        self.clients[0].sendall(REQUEST)
        assert self.clients[0].recv(100) == ANSWER
        return 1

    def ask_at_once(self):
        """A request of each client that is served, before the first of them looks for its answer."""
        clients = self.clients[:POOL_THREADS] if self.name == 'echo-pool' else self.clients
        for client in clients:
            client.sendall(REQUEST)
        for client in clients:
            assert client.recv(100) == ANSWER
        return len(clients)

    def come_and_go(self):
        """A client that asks once."""
        with self.connect() as client:
            client.sendall(REQUEST)
            assert client.recv(100) == ANSWER
        return 1

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate()[1]
        for client in self.clients:
            client.close()
        return said


def received(client):
    """What has come until now."""
    try:
        return client.recv(100, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b''


def measure(build, name, core):
    """The figures of one server, by what they are."""
    server = Server(build, name, core)
    figures = {'comes, asks once, goes': server.cost(server.come_and_go)}
    memory = {}
    for idle in IDLE:
        if not server.fill(idle + 1):
            break
        memory[idle] = server.memory()
        figures[f'asks beside {idle:,} idle'] = server.cost(server.ask)
        figures[f'{idle + 1:,} ask at once (1)'] = server.cost(server.ask_at_once)
    few, many = memory[IDLE[1]], memory[max(memory)]
    for key, what in (('VmRSS', 'resident'), ('VmPTE', 'page tables'), ('KernelStack', "kernel's stacks")):
        figures[f'{what}, bytes a connection'] = (many[key] - few[key]) * 1024 / (max(memory) - IDLE[1])
    figures[f'threads at {max(memory):,}'] = many['Threads']
    server.stop()
    return figures


def most(build, name, core):
    """How many clients it holds, how many of them are answered, and what it has said of its limits."""
    server = Server(build, name, core)
    try:
        server.fill(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 40)  # what this process has open besides
    except OSError as error:
        print(f'the clients of {name}: {error}')
    answered = server.ask_at_once()
    held = len(server.clients)
    return held, answered, server.stop()


def table(results):
    """Rows of markdown: the servers, and how many times as much as the first one the others need."""
    print('| | ' + ' | '.join(SERVERS) + ' | ' + ' | '.join(f'{name} to echo' for name in SERVERS[1:]) + ' |')
    print('| --- |' + ' ---: |' * (2 * len(SERVERS) - 1))
    for what in results[SERVERS[0]]:
        row = [results[name].get(what) for name in SERVERS]
        cells = ['-' if value is None else f'{value:,.1f}' if value < 100 else f'{value:,.0f}' for value in row]
        ratios = ['-' if not value or not row[0] or row[0] < 0 else f'{value / row[0]:.2g}' if value < row[0] else f'{value / row[0]:.1f}' for value in row[1:]]
        print(f'| {what} | ' + ' | '.join(cells + ratios) + ' |')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', default='_build/release-examples', help='where it was built')
    parser.add_argument('--most', action='store_true', help='find out how many connections each holds (some minutes)')
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})

    rounds = {name: [] for name in SERVERS}
    for _ in range(options.rounds):
        for name in SERVERS:
            rounds[name].append(measure(options.build, name, cores[0]))
            print(f'{name}: {rounds[name][-1]}', file=sys.stderr)
    print(f'Microseconds of processor time a request, where nothing else is said; medians of {options.rounds}; '
          f'echo-pool has {POOL_THREADS} threads.\n')
    table({name: {what: statistics.median(figures[what] for figures in rounds[name] if what in figures)
                  for what in rounds[name][0]} for name in SERVERS})
    print(f'\n(1) of the pool {POOL_THREADS} at most, for the others wait')
    for name in SERVERS if options.most else ():
        held, answered, said = most(options.build, name, cores[0])
        print(f'{name}: {held:,} connections, {answered:,} of them served at once; it said:\n{said}', flush=True)


main()
