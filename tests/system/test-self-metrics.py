#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The server's own figures as series, metricsd.*: only where they are asked for."""

import time
import unittest

from harness import Client, TestCase, main, wait_until


class SelfMetricsTest(TestCase):
    def keys(self, server):
        with Client(server) as client:
            lines = client.ask(b'keys *').decode().splitlines()[1:-1]
        return {name: (int(n), int(first), int(last)) for name, n, first, last in (line.split() for line in lines)}

    def test_off_by_default(self):
        server = self.start()
        with Client(server) as client:
            client.put('k', 1, 1)
        self.assertEqual(list(self.keys(server)), ['k'])

    def test_each_figure_is_a_series(self):
        """From the start on, at times that are multiples of the interval, and no limit among them."""
        server = self.start('--self-metrics', '60')
        now = int(time.time())
        with Client(server) as client:
            stats = client.stats()
        limits = {name for name in stats if name.endswith('_limit')}
        keys = self.keys(server)
        self.assertEqual(set(keys), {f'metricsd.{name}' for name in stats if name not in limits})
        for n, first, last in keys.values():
            # The minute may have come to its end meanwhile.
            self.assertEqual((first % 60, last), (0, first + (n - 1) * 60))
            self.assertLessEqual(abs(now - first), 120)

    def test_goes_on(self):
        server = self.start('--self-metrics', '1')
        wait_until(lambda: self.keys(server)['metricsd.requests'][0] >= 3, 'three points')
        with Client(server) as client:
            requests = [float(line.split()[1]) for line in client.ask(b'get metricsd.requests').decode().splitlines()[1:-1]]
        self.assertEqual(requests, sorted(requests))
        self.assertGreater(requests[-1], requests[0])

    def test_a_client_that_deletes_them_has_new_ones(self):
        server = self.start('--self-metrics', '1')
        with Client(server) as client:
            client.ask(b'del metricsd.*')
        wait_until(lambda: 'metricsd.points' in self.keys(server), 'a point')


if __name__ == '__main__':
    main()
