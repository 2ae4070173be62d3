#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dashboard where there is much: keys, points, puts, charts. What it holds and asks for follows the size of the screen,
not that of the server."""

import itertools
import os
import threading
import time

from browser import Keys, main
from dashboard import TestCase
from harness import SANITIZED, Client

N_KEYS = 5000 if SANITIZED else 50000
# A year of one-second points on demand: it takes a minute to put them.
N_POINTS = 365 * 86400 if os.environ.get('DASHBOARD_YEAR') else 200000 if SANITIZED else 2000000
LOT = 100000


class ManyKeysTest(TestCase):
    def setUp(self):
        super().setUp()
        self.serve()
        now = int(time.time())
        self.keys = [f'host{n // 50}.disk{n // 2 % 25}.{"read" if n % 2 else "written"}' for n in range(N_KEYS)]
        self.writer.put_many([b'put %s %d %d\n' % (key.encode(), n, now) for n, key in enumerate(self.keys)])
        self.page = self.dashboard()
        self.page.open(self.server)

    def assert_small(self):
        """However many keys there are, those in view alone are elements."""
        self.page.wait(lambda: self.page.all('[role=treeitem]'))
        self.assertLess(self.page.run('return document.querySelectorAll("*").length'), 1500)
        self.assertLess(len(self.page.all('[role=treeitem]')), 100)

    def test_they_are_found_and_scrolled_through(self):
        page = self.page
        self.assert_small()
        page.picture('many-keys')
        key = self.keys[-1]
        page.search(' '.join(reversed(key.split('.'))))
        page.wait(lambda: key in page.leaves(), f'{key} is not found')
        page.leaf_shows(key, '50\u00a0k' if N_KEYS == 50000 else f'{N_KEYS - 1:,}')
        self.assert_small()
        page.picture('many-keys-searched')

        page.search('written')
        page.wait(lambda: page.leaves() or page.all('[role=treeitem]'))
        self.assert_small()
        page.search('')
        self.assert_small()
        page.find('tree').click()
        for pressed in (Keys.END, Keys.HOME, Keys.PAGE_DOWN, Keys.END, Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
            page.press(pressed)
            page.until('document.activeElement.getAttribute("role") === "treeitem"')
        self.assert_small()

    def test_a_leaf_deep_in_a_thousand_is_opened(self):
        key = self.keys[N_KEYS // 2]
        self.page.add(key)
        self.page.chart().drawn()
        self.assertEqual(self.page.chart().keys(), [key])


class ManyPointsTest(TestCase):
    def test_what_is_asked_for_fits_the_screen(self):
        server = self.serve('--memory-limit', '1G')
        self.end = int(time.time())
        for first in range(self.end - N_POINTS, self.end, LOT):
            times = range(first, min(first + LOT, self.end))
            self.writer.put_many([b'put year %d %d\n' % (when % 1000, when) for when in times])
        page = self.dashboard()
        page.open(server, f'#from={self.end - N_POINTS}&to={self.end}&chart=year')
        chart = page.chart()
        before = 0
        for zoom in itertools.count():
            data = chart.drawn()
            page.picture(f'many-points-{zoom}')
            asked = page.points_asked()
            self.assert_fit(chart, asked[before:])
            before = len(asked)
            start, end = chart.span()
            if data['step'] == '0':
                break
            chart.drag(0.45, 0.5)
            chart.drawn(lambda data: float(data['to']) - float(data['from']) < (end - start) / 10)
        self.assertGreater(zoom, 2)
        self.assertGreater(int(data['points']), 10)

    def assert_fit(self, chart, asked):
        width = chart.plot()[2]
        shown = max((points for parameters, series in asked for points in [len(one['points']) for one in series]), default=0)
        self.assertLess(shown, 2 * width)
        self.assertGreater(shown, width / 8, 'a line that nobody would call one')


class FloodTest(TestCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.over = threading.Event()
        self.put_count = 0
        self.last = {}

    def flood(self):
        """Puts as fast as the server takes them, and says at last what the newest values are."""
        with Client(self.server) as client:
            while not self.over.is_set():
                lines = []
                for n in range(500):
                    key = f'flood.{n % 100}'
                    self.last[key] = (int(time.time()), (self.put_count + n) % 9973)
                    lines.append(f'put {key} {self.last[key][1]} {self.last[key][0]}\n'.encode())
                client.put_many(lines)
                self.put_count += len(lines)
                self.over.wait(0.02)

    def test_the_page_keeps_up_and_ends_with_what_is_true(self):
        page = self.dashboard()
        self.put('calm', [(int(time.time()) - 10, 1.5)])
        writer = threading.Thread(target=self.flood)
        writer.start()
        try:
            page.open(self.server, '#span=5m&chart=flood.1,flood.2,flood.3&chart=flood.4')
            page.chart(1).drawn()
            page.search('calm')
            page.wait(lambda: page.leaves() == ['calm'])
            page.leaf_shows('calm', '1.5')
            page.search('flood.77')
            for _ in range(4):
                text = page.leaf_value('flood.77')
                page.wait(lambda: page.leaf_value('flood.77') != text, 'the value does not move')
            self.assertLess(page.run('return document.querySelectorAll("*").length'), 1500)
        finally:
            self.over.set()
            writer.join()
        for key in ('flood.1', 'flood.2', 'flood.3'):
            page.chart().shows(key, f'{self.last[key][1]:,}')


if __name__ == '__main__':
    main()
