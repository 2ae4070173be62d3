#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Twenty times more than memory may have: all of it can be read, changed and deleted, and the process stays small, at
every step, after a stop and after a kill.

METRICSD_COLD_LIMIT is the limit of memory in MiB; 16 takes many minutes."""

import hashlib
import os
import pathlib
import random
import shutil
import sqlite3
import tempfile

from harness import SANITIZED, Client, TestCase, main, wait_until

LIMIT = int(os.environ.get('METRICSD_COLD_LIMIT', '1')) << 20
TIMES = 2 if SANITIZED else 20  # as much as fits
POINT = 8  # bytes: these values cannot be coded in less
SERIES = 100
LENGTH = LIMIT * TIMES // POINT // SERIES  # points of a series
STEP = 10
BATCH = 20_000  # lines that are sent before their replies are read
ALLOWED = LIMIT + (32 << 20)

RANDOM = random.Random(4)
VALUES = [repr(RANDOM.uniform(0.001, 1)).encode() for _ in range(1 << 16)]


def value(series, number):
    return VALUES[(series * 40503 + number * 31) & 0xffff]


class Expected:
    """What each series has to have."""

    def __init__(self):
        self.gone = {}  # series: which numbers, from and to
        self.late = {}  # series: time -> value

    def lines(self, series):
        gone = self.gone.get(series, range(0))
        points = [(number * STEP, value(series, number)) for number in range(LENGTH) if number not in gone]
        late = self.late.get(series)
        if late:
            points = sorted({**dict(points), **late}.items())
        key = b'k%d' % series
        return [b'%b %b %d' % (key, text, time) for time, text in points]

    def digest(self):
        """How many points there are, and a hash of the reply to `get *`."""
        count, result = 0, hashlib.blake2b(b'ok\n')
        for series in range(SERIES):
            lines = self.lines(series)
            count += len(lines)
            result.update(b'\n'.join(lines) + b'\n')
        result.update(b'\n')
        return count, result.hexdigest()


class ColdTest(TestCase):
    def setUp(self):
        self.state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / 'state'
        self.expected = Expected()

    def start_stored(self):
        return self.start('--state-dir', self.state, '--memory-limit', LIMIT, '--durability', 'interval')

    def assert_small(self, server, step):
        """It is within its bounds now, and was so all the time."""
        print(f'# {step}: resident {server.rss() >> 10} KiB, at most {server.peak() >> 10} KiB, '
              f'allowed {ALLOWED >> 10} KiB', flush=True)
        if not SANITIZED:
            self.assertLess(server.peak(), ALLOWED, step)

    def fill(self, client):
        lines = []
        for number in range(LENGTH):
            lines += [b'put k%d %b %d\n' % (series, value(series, number), number * STEP) for series in range(SERIES)]
            if len(lines) >= BATCH:
                client.put_many(lines)
                lines = []
        client.put_many(lines)

    def assert_all(self, server, step):
        """The whole answer, as it comes: it is too long to be kept."""
        count, expected = self.expected.digest()
        with Client(server) as client:
            client.send(b'get *\nping\n')
            digest, lines, tail = hashlib.blake2b(), 0, b''
            while not tail.endswith(b'\n\nok\n\n'):
                data = client.recv_some(1 << 20)
                whole, tail = (tail + data)[:-6], (tail + data)[-6:]
                digest.update(whole)
                lines += whole.count(b'\n')
            digest.update(tail[:2])
        self.assertEqual(lines + tail[:2].count(b'\n') - 2, count, step)
        self.assertEqual(digest.hexdigest(), expected, step)
        self.assert_small(server, step)

    def change(self, client):
        """Late points, between others and in the place of others, and deletions, all where nothing is in memory."""
        for series in range(0, SERIES, 7):
            late = {RANDOM.randrange(LENGTH * STEP): RANDOM.choice(VALUES) for _ in range(20)}
            client.put_many([b'put k%d %b %d\n' % (series, text, time) for time, text in late.items()])
            self.expected.late[series] = late
        for series in range(1, SERIES, 7):
            first = RANDOM.randrange(LENGTH // 2)
            gone = range(first, first + LENGTH // 3)
            self.expected.gone[series] = gone
            reply = client.ask(b'del k%d %d %d' % (series, gone[0] * STEP, gone[-1] * STEP))
            self.assertEqual(reply, b'ok\n%d\n\n' % len(gone))
        # What could be wrong with a part: ask for it again.
        series = 3 * 7
        at = LENGTH // 2 * STEP
        found = client.rows(b'range k%d %d %d' % (series, at, at + 999 * STEP))
        self.assertEqual(found, [line for line in self.expected.lines(series)
                                 if at <= int(line.split()[2]) <= at + 999 * STEP])

    def assert_whole(self):
        with sqlite3.connect(self.state / 'metricsd.db') as database:
            self.assertEqual(database.execute('PRAGMA integrity_check').fetchall(), [('ok',)])
            wrong = database.execute('SELECT count(*) FROM series s JOIN (SELECT series, sum(n) AS n, min(first) AS first,'
                                     ' max(last) AS last FROM chunk GROUP BY series) c ON c.series = s.id'
                                     ' WHERE (s.n, s.first, s.last) <> (c.n, c.first, c.last)').fetchone()
            self.assertEqual(wrong, (0,))

    def test_history_is_longer_than_memory(self):
        server = self.start_stored()
        with Client(server) as client:
            self.fill(client)
            self.assert_small(server, 'filled')
            self.assert_all(server, 'read')
            self.change(client)
            self.assert_all(server, 'changed')
        self.assertEqual(server.stop(), 0)
        self.assert_whole()

        server = self.start_stored()
        self.assert_small(server, 'started')
        self.assert_all(server, 'read after a stop')
        with Client(server) as client:
            client.put_many([b'put k%d 7.5 %d\n' % (series, LENGTH * STEP) for series in range(SERIES)])
            for series in range(SERIES):
                self.expected.late.setdefault(series, {})[LENGTH * STEP] = b'7.5'
            self.wait_until_kept(client)
        server.kill()

        server = self.start_stored()
        self.assert_small(server, 'started after a kill')
        self.assert_all(server, 'read after a kill')
        with Client(server) as client:
            reply = client.ask(b'del *')
            self.assertEqual(reply, b'ok\n%d\n\n' % self.expected.digest()[0])
            self.assert_small(server, 'deleted')
        self.assertEqual(server.stop(), 0)
        self.assert_whole()

    def wait_until_kept(self, client):
        """All is written: an acknowledged point is on disk within a second."""
        def commits():
            return client.stats()['commits']

        before = commits()
        client.put('last', 1, 1)
        wait_until(lambda: commits() > before, 'a commit')
        self.assertEqual(client.rows(b'del last'), [b'1'])
        before = commits()
        wait_until(lambda: commits() > before, 'another commit')


main()
