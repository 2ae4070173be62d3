#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dashboard as points arrive, and while there is no server to bring them."""

import tempfile
import time

from browser import main
from dashboard import TestCase


class LiveTest(TestCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.now = int(time.time()) // 20 * 20
        self.put('room.temperature', [(self.now - 200 + 20 * i, 20 + i) for i in range(10)])
        self.page = self.dashboard()

    def look(self, fragment):
        self.page.open(self.server, fragment)
        self.chart = self.page.chart()
        self.chart.drawn(lambda data: data['points'] == '10')
        self.page.mark()

    def test_a_put_appears(self):
        self.look('#span=5m&chart=room.temperature')
        asked = len(self.page.requests('/api/v1/points'))
        self.put('room.temperature', [(self.now, 77.25)])
        self.chart.drawn(lambda data: data['points'] == '11', 'with one point more')
        self.chart.shows('room.temperature', '77.25')
        self.page.leaf_shows('room.temperature', '77.25')
        self.assertTrue(self.page.marked)
        again = [url for _, url in self.page.requests('/api/v1/points')[asked:] if 'step=' not in url]
        self.assertEqual(again, [], 'it was pushed, not asked for')

    def test_a_put_appears_among_averages(self):
        self.put('room.temperature', [(self.now - 86400, 1), (self.now - 7200, 3)])
        self.page.open(self.server, '#span=7d&chart=avg:room.temperature')
        chart = self.page.chart()
        step = int(chart.drawn(lambda data: int(data['step']) > 60)['step'])
        self.page.mark()
        self.put('room.temperature', [(self.now, 1000)])
        begin = self.now // step * step
        series, = self.api('api/v1/points', key='room.temperature', step=step, function='avg',
                           **{'from': begin, 'to': begin + step - 1})['series']
        chart.shows('room.temperature', f'{series["points"][-1][1]:.5g}')
        self.assertTrue(self.page.marked)

    def test_a_value_that_is_put_again_replaces(self):
        self.look('#span=5m&chart=room.temperature')
        self.put('room.temperature', [(self.now - 20, 55.5)])
        self.chart.shows('room.temperature', '55.5')
        self.assertEqual(self.chart.data()['points'], '10')

    def test_a_late_point_finds_its_place(self):
        self.look('#span=5m&chart=room.temperature')
        self.put('room.temperature', [(self.now - 110, 55.5)])
        self.chart.drawn(lambda data: data['points'] == '11')
        self.chart.shows('room.temperature', '29')

    def test_a_new_key_appears_in_the_tree(self):
        self.look('#span=5m&chart=room.temperature')
        self.put('room.humidity', [(self.now, 40)])
        self.page.leaf_shows('room.humidity', '40')
        self.assertTrue(self.page.marked)

    def test_a_view_of_the_past_stays_where_it_is(self):
        self.look(f'#from={self.now - 250}&to={self.now - 10}&chart=room.temperature')
        before = self.chart.drawn()
        self.put('room.temperature', [(self.now, 77.25)])
        self.page.leaf_shows('room.temperature', '77.25')
        self.assertEqual(self.chart.drawn(), before)

    def test_who_moves_back_stops_and_starts_the_following(self):
        self.look('#span=5m&chart=room.temperature')
        live = self.page.find('button', 'Live')
        self.assertEqual(live.get_attribute('aria-pressed'), 'true')
        self.page.find('button', 'Earlier').click()
        self.page.wait(lambda: live.get_attribute('aria-pressed') == 'false')
        _, end = self.chart.span()
        live.click()
        self.chart.drawn(lambda data: float(data['to']) > end + 60)
        self.assertIn('span=5m', self.page.fragment)


class WindowsTest(TestCase):
    def test_each_of_many_shows_what_is_put(self):
        # A browser has six connections to a server: windows that each held one would leave none for the rest.
        self.serve()
        self.put('a', [(int(time.time()) - 60, 1)])
        pages = [self.dashboard() for _ in range(8)]
        for page in pages:
            page.open(self.server, '#span=5m&chart=a')
            page.chart().drawn(lambda data: data['points'] == '1')
        self.put('a', [(int(time.time()), 2)])
        for page in pages:
            page.chart().shows('a', '2')


class LostTest(TestCase):
    def test_the_server_goes_and_comes_back(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.serve('--state-dir', folder)
        now = int(time.time())
        self.put('a', [(now - 100 + i, i) for i in range(50)])
        page = self.dashboard()
        page.allow(r'/api/v1/.* Failed to load resource')
        page.open(self.server, '#span=5m&chart=a')
        page.chart().drawn(lambda data: data['points'] == '50')
        page.mark()
        self.assertIsNone(page.banner())

        port = self.server.http.rpartition(':')[2]
        self.server.stop()
        page.wait(page.banner, 'the page does not say that the server is gone')
        self.assertEqual(page.chart().data()['points'], '50', 'what was drawn stays')

        self.serve('--state-dir', folder, '--http-port', port)
        page.wait(lambda: page.banner() is None, 'the page does not find the server again')
        self.put('a', [(now, 1.5)])
        page.chart().drawn(lambda data: data['points'] == '51', 'each point once')
        page.chart().shows('a', '1.5')
        self.assertTrue(page.marked)
        series, = self.api('api/v1/points', key='a')['series']
        self.assertEqual(len(series['points']), 51)


if __name__ == '__main__':
    main()
