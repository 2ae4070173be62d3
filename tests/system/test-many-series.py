#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A memory limit that is small for the number of series: that does not wear out the disk, and the server says so."""

import pathlib
import sqlite3
import tempfile

from harness import Client, TestCase, main

LIMIT = 1 << 20
ROUNDS = 60
BATCH = 500  # lines that are sent before their replies are read
ALLOWED = 60  # bytes written a point; a checkpoint for each round would write hundreds
TIGHT = 1750  # series: memory has room for them, and for a handful of points of each
TOO_MANY = 6000  # for which it has no room
REFUSED = b'error\nmemory limit reached\n\n'
SAID = 'the memory limit is small for'


class ManySeriesTest(TestCase):
    def setUp(self):
        self.state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / 'state'
        self.server = self.start('--state-dir', self.state, '--memory-limit', LIMIT)

    def put_round(self, client, number, n_series):
        """A point of each, as who measures sends them. Returns how many were refused."""
        refused = 0
        for first in range(0, n_series, BATCH):
            keys = range(first, min(first + BATCH, n_series))
            client.send(b''.join(b'put some.host.k%d %d.%d %d\n' % (key, key * 7 % 1000, number % 10, number * 60 + key % 60)
                                 for key in keys))
            replies = client.recv_replies(len(keys))
            self.assertLessEqual(set(replies), {b'ok\n\n', REFUSED})
            refused += replies.count(REFUSED)
        return refused

    def test_little_is_written_for_a_point(self):
        with Client(self.server) as client:
            for number in range(ROUNDS):
                self.assertEqual(self.put_round(client, number, TIGHT), 0)
            written = client.stats()['bytes_written']
            self.assertEqual(client.stats()['puts_refused'], 0)
        self.assertEqual(self.server.stop(), 0)
        with sqlite3.connect(self.state / 'metricsd.db') as database:
            chunks, points = database.execute('SELECT count(*), sum(n) FROM chunk').fetchone()
        print(f'# {written / points:.1f} bytes written a point, {points / chunks:.1f} points a chunk', flush=True)
        self.assertEqual(points, ROUNDS * TIGHT)
        self.assertLess(written, ALLOWED * points)
        # The last ones are small, and those that were left for a while.
        self.assertGreaterEqual(points, 8 * chunks)

    def test_it_is_said_once(self):
        with Client(self.server) as client:
            refused = sum(self.put_round(client, number, TOO_MANY) for number in range(3))
            self.assertGreater(refused, 0)
            self.assertEqual(client.stats()['puts_refused'], refused)
        self.assertEqual(self.server.errors().count(SAID), 1)


main()
