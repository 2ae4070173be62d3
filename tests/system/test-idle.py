#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a server costs that has nothing to do, what one more connection costs it, and what a request costs the
kernel. METRICSD_IDLE_SECONDS=60 waits as long as the promise says; a few seconds are enough for every day."""

import os
import resource
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import OK, SANITIZED, WATCHDOG, TestCase, has_http, main, wait_until
from wire import Wire

SPAN = float(os.environ.get('METRICSD_IDLE_SECONDS', '3'))
KIB = 1024
MB = 1000000


def threads(pid):
    """Of each thread its name, whether it sleeps, and how often it was given a processor and taken it again."""
    found = {}
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/status') as status:
            fields = dict(line.rstrip('\n').split(':\t', 1) for line in status if ':\t' in line)
        switches = int(fields['voluntary_ctxt_switches']) + int(fields['nonvoluntary_ctxt_switches'])
        found[thread] = fields['Name'], fields['State'][0] == 'S', switches
    return found


def memory(pid, field):
    """Bytes; exact, unlike those in /proc/PID/status, which threads bring up to date now and then."""
    with open(f'/proc/{pid}/smaps_rollup') as rollup:
        return next(int(line.split()[1]) * KIB for line in rollup if line.startswith(field + ':'))


class SleepTest(TestCase):
    """Nothing wakes a server that nobody asks. A thread that sleeps can make no system call before it was given
    a processor, and is counted when it goes to sleep again: so where all sleep, and the counts stand still,
    there was none."""

    def assert_sleeps(self, server, settled=0.2):
        """Once nothing has happened for a moment, nothing happens for long."""
        def is_asleep():
            before = threads(server.pid)
            time.sleep(settled)
            return before if before == threads(server.pid) and all(sleeps for _, sleeps, _ in before.values()) else None

        before = wait_until(is_asleep, 'sleep')
        time.sleep(SPAN)
        self.assertEqual(threads(server.pid), before)

    def connect(self, server, count):
        clients = [self.client(server) for _ in range(count)]
        for i, client in enumerate(clients):
            client.put('idle', 1, i)
        return clients

    def test_nobody_has_come(self):
        self.assert_sleeps(self.start(http=has_http()))

    def test_everybody_has_gone(self):
        server = self.start()
        for client in self.connect(server, 50):
            client.close()
        self.assert_sleeps(server)

    def test_idle_connections(self):
        """One of them could not wake up unseen: the one that does is seen."""
        server = self.start()
        clients = self.connect(server, 50)
        self.assert_sleeps(server)
        before = threads(server.pid)
        self.assertEqual(clients[0].ask(b'ping'), OK)
        self.assertNotEqual(threads(server.pid), before)

    def test_idle_connections_of_http(self):
        """They wait in the same epoll set."""
        if not has_http():
            self.skipTest('there is no HTTP')
        server = self.start(http=True)
        wires = [self.enterContext(Wire(server)) for _ in range(50)]
        for wire in wires[10:]:
            self.assertEqual(wire.get('/healthz').status, 200)
        self.assert_sleeps(server)
        before = threads(server.pid)
        self.assertEqual(wires[-1].get('/healthz').status, 200)
        self.assertNotEqual(threads(server.pid), before)

    def test_deadlines_that_were_met(self):
        """Each line was begun and ended in time, each answer taken: what would have ended the connection wakes
        nobody again and again."""
        server = self.start('--line-timeout', '1', '--answer-timeout', '1')
        for client in self.connect(server, 5):
            client.put_many([b'put idle %d %d\n' % (i, i) for i in range(5000)])
            client.send(b'get id')
            client.send(b'le\n')
            client.recv_reply()
        self.assert_sleeps(server, settled=1.5)


@unittest.skipIf(SANITIZED, 'sanitizers need memory of their own')
class MemoryTest(TestCase):
    # Many enough for what malloc takes at a time not to matter.
    COUNT = 2000
    FIRST = 100

    def setUp(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < self.COUNT + self.FIRST + 100:
            self.skipTest(f'only {hard} file descriptors')
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        # meson has malloc fill what it gives, and so touch what nobody uses.
        self.server = self.start('--connection-limit', 2 * self.COUNT, env={'MALLOC_PERTURB_': '0'},
                                 http=has_http())

    def growth(self, use):
        """Bytes of memory a connection, after each was used and fell idle."""
        def connect(first, last):
            for i in range(first, last):
                client = self.client(self.server)
                use(client, i)
            return memory(self.server.pid, 'Rss')

        # What is there once, code and tables, is there after the first ones.
        before = connect(0, self.FIRST)
        return (connect(self.FIRST, self.FIRST + self.COUNT) - before) / self.COUNT

    def test_server(self):
        client = self.client(self.server)
        client.put('idle', 1, 1)
        self.assertEqual(client.ask(b'get idle'), b'ok\nidle 1.0 1\n\n')
        self.assertLessEqual(memory(self.server.pid, 'Rss'), 8 * MB)
        self.assertLessEqual(memory(self.server.pid, 'Anonymous'), 1.5 * MB)

    def test_connection_after_a_put(self):
        self.assertLessEqual(self.growth(lambda client, i: client.put('idle', 1, i)), 4 * KIB)

    def test_connection_after_much(self):
        """Buffers are there only while something is in them."""
        points = [b'put idle %d.5 %d\n' % (i, i) for i in range(2000)]

        def use(client, i):
            if i % 20 == 0:
                client.send(b''.join(points))
                self.assertEqual(client.recv_replies(len(points)), [OK] * len(points))
                self.assertEqual(len(client.rows(b'get idle')), len(points))
            else:
                client.put('idle', 1, i % len(points))

        self.assertLessEqual(self.growth(use), 4 * KIB)


@unittest.skipIf(SANITIZED, 'sanitizers make system calls of their own')
@unittest.skipIf(shutil.which('strace') is None, 'there is no strace')
class SystemCallTest(TestCase):
    COUNT = 100

    def trace(self, server, use):
        """The lines of strace while something is done."""
        with tempfile.NamedTemporaryFile('r') as log:
            tracer = subprocess.Popen(['strace', '-f', '-o', log.name, '-p', str(server.pid)], stdin=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True)
            try:
                line = tracer.stderr.readline()
                if 'attached' not in line:
                    self.skipTest(f'strace: {line.strip()}')
                use()
            finally:
                tracer.terminate()
                tracer.communicate(timeout=WATCHDOG)
            return log.read().splitlines()

    def test_request(self):
        """Somebody asks: sleep ends, one receive, one send, and it sleeps again."""
        server = self.start(http=has_http())
        client = self.client(server)
        client.put('first', 1, 1)
        # Nobody pays for another one who waits, whatever he speaks.
        for wire in [self.enterContext(Wire(server)) for _ in range(5 if has_http() else 0)]:
            wire.get('/healthz')

        def use():
            for i in range(self.COUNT + 1):
                client.put('traced', 1, i)

        calls = [line for line in self.trace(server, use) if 'resumed>' not in line]
        # From the first of these receives up to the last one.
        first, last = (next(i for i, line in enumerate(calls) if f'"put traced 1 {n}\\n"' in line) for n in (0, self.COUNT))
        # Now and then a byte comes before the server has fallen asleep, or it wakes for a deadline.
        self.assertLessEqual(last - first, 3 * self.COUNT + self.COUNT // 10, '\n'.join(calls[first:first + 20]))


if __name__ == '__main__':
    main()
