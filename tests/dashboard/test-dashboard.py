#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dashboard by clicks and keys: a series is found, shown, looked at closely, and the view is passed on."""

import csv
import math
import pathlib
import tempfile
import time
import urllib.request

from browser import By, Keys, main
from dashboard import TestCase

HOUR = 3600
DAY = 86400


class FirstLookTest(TestCase):
    def test_nothing_but_its_own_files_runs(self):
        server = self.serve()
        with urllib.request.urlopen(server.http) as answer:
            policy = dict(part.split(maxsplit=1) for part in answer.headers['Content-Security-Policy'].split('; '))
            self.assertEqual(answer.headers['X-Content-Type-Options'], 'nosniff')
        self.assertEqual(policy['default-src'], "'none'")
        self.assertEqual({policy[name] for name in ('script-src', 'connect-src')}, {"'self'"})
        self.assertEqual({policy[name] for name in ('base-uri', 'form-action', 'frame-ancestors')}, {"'none'"})
        self.assertNotIn('unsafe', str(policy))

        page = self.dashboard()
        page.open(server)
        self.assertEqual({url for _, url in page.requests('') if not url.startswith(server.http)}, set())

    def test_of_an_empty_server_it_says_how_to_put(self):
        page = self.dashboard()
        page.open(self.serve())
        self.assertIn('put', page.run('return document.body.innerText'))
        self.assertEqual(page.leaves(), [])
        page.picture('empty')
        page.mark()
        self.put('first.of.all', [(int(time.time()), 1.5)])
        page.leaf('first.of.all')
        self.assertTrue(page.marked)


class HouseTest(TestCase):
    """A server with some rooms' temperatures of the last day, a point a minute, and counters that grow."""

    ROOMS = ['attic', 'bath', 'cellar', 'kitchen']

    def setUp(self):
        super().setUp()
        self.serve()
        self.now = int(time.time())
        self.times = range(self.now - DAY + 60, self.now, 60)
        for number, room in enumerate(self.ROOMS):
            self.put(f'house.{room}.temperature', [
                (when, round(18 + number + 3 * math.sin(when / 7000 + number), 2)) for when in self.times])
        self.put('house.energy_total', [(when, when - self.now + DAY) for when in self.times])
        self.put('garden.rain', [(when, float(when % 7)) for when in self.times])
        self.page = self.dashboard()

    def look(self, fragment=''):
        self.page.open(self.server, fragment)
        return self.page

    def value(self, key, when, data):
        """What the server has of that time, or of the step that begins then."""
        step = int(data['step'])
        buckets = {'step': step, 'function': data['function']} if step else {}
        series, = self.api('api/v1/points', key=key, **{'from': when, 'to': int(when) + max(0, step - 1)}, **buckets)['series']
        return series['points'][0][1]


class FindingTest(HouseTest):
    def test_by_typing_and_a_click(self):
        page = self.look()
        page.search('kit')
        page.wait(lambda: page.leaves() == ['house.kitchen.temperature'])
        page.leaf('house.kitchen.temperature').click()
        chart = page.chart()
        chart.drawn()
        self.assertEqual(chart.keys(), ['house.kitchen.temperature'])
        self.assertIn('chart=house.kitchen.temperature', page.fragment)

    def test_words_and_patterns(self):
        page = self.look()
        for text, found in [
                ('TEMP bath', ['house.bath.temperature']),
                ('house.*.temperature', [f'house.{room}.temperature' for room in self.ROOMS]),
                ('*rai?', ['garden.rain']),
                ('[', []),
                ('', ['garden.rain', *(f'house.{room}.temperature' for room in self.ROOMS), 'house.energy_total'])]:
            with self.subTest(text=text):
                page.search(text)
                page.wait(lambda: sorted(page.leaves()) == sorted(found), f'{text!r} finds {page.leaves()}')

    def test_enter_opens_what_is_found_first(self):
        page = self.look()
        page.press('/', 'rain', Keys.ENTER)
        page.chart().drawn()
        self.assertEqual(page.chart().keys(), ['garden.rain'])
        page.search('nothing such')
        nothing = page.one('[data-testid=tree-nothing]')
        page.wait(lambda: '“nothing such”' in nothing.text)
        page.press(Keys.ENTER)
        page.search('temp attic')
        page.wait(lambda: not nothing.is_displayed())
        page.chord(Keys.SHIFT, Keys.ENTER)
        page.wait(lambda: page.chart().keys() == ['garden.rain', 'house.attic.temperature'])
        self.assertEqual(len(page.charts()), 1)

    def test_by_keys_alone(self):
        page = self.look()
        page.press('/')
        page.wait(lambda: page.focused() == page.find('searchbox', 'Search series'))
        page.press('energy')
        page.wait(lambda: page.leaves() == ['house.energy_total'])
        page.press(Keys.ARROW_DOWN)
        page.until('document.activeElement.getAttribute("role") === "treeitem"')
        page.press(Keys.ARROW_DOWN)
        page.until('document.activeElement.dataset.path === "house.energy_total"')
        page.press(Keys.ENTER)
        page.chart().drawn()
        self.assertEqual(page.chart().keys(), ['house.energy_total'])

    def test_an_empty_page_offers_charts(self):
        page = self.look()
        page.wait(lambda: [each.text.split()[0] for each in page.all('[data-testid=suggestion]')] == ['house', 'garden.rain'])
        self.put('grid.a', [(self.now, 1)])
        self.put('grid.b', [(self.now, 2)])
        page.find('button', page.named('grid.*2 series')).click()
        page.chart().drawn()
        self.assertEqual(page.chart().keys(), ['grid.a', 'grid.b'])
        self.assertEqual(page.all('[data-testid=suggestion]'), [])

    def test_groups_fold(self):
        page = self.look()
        page.leaf('garden.rain')
        house = page.find('treeitem', page.named('house,'))
        self.assertEqual(house.get_attribute('aria-expanded'), 'true')
        house.click()
        page.wait(lambda: page.leaves() == ['garden.rain'])
        page.press(Keys.ARROW_RIGHT)
        page.wait(lambda: len(page.leaves()) == 6)


class LookingTest(HouseTest):
    KEY = 'house.bath.temperature'

    def test_values_under_the_pointer_are_those_of_the_server(self):
        page = self.look(f'#from={self.now - 6 * HOUR}&to={self.now}&chart={self.KEY},house.attic.temperature')
        chart = page.chart()
        chart.drawn()
        seen = set()
        for x in (0.15, 0.4, 0.65, 0.9):
            chart.hover(x)
            page.wait(lambda: chart.hovered() not in ({None} | seen), 'the legend does not follow the pointer')
            when = chart.hovered()
            seen.add(when)
            for key in (self.KEY, 'house.attic.temperature'):
                self.assertEqual(float(chart.legend()[key]), self.value(key, when, chart.data()))

    def test_zoom_by_a_drag_and_back(self):
        page = self.look(f'#span=6h&chart={self.KEY}')
        chart = page.chart()
        start, end = chart.span()
        chart.drag(0.25, 0.5)
        chart.drawn(lambda data: float(data['to']) < end - HOUR)
        left, right = chart.span()
        self.assertAlmostEqual(left, start + (end - start) / 4, delta=HOUR / 4)
        self.assertAlmostEqual(right, start + (end - start) / 2, delta=HOUR / 4)
        self.assertRegex(page.fragment, r'from=\d+&to=\d+')
        page.driver.back()
        chart.drawn(lambda data: float(data['to']) >= end)
        self.assertIn('span=6h', page.fragment)
        page.driver.forward()
        chart.drawn(lambda data: abs(float(data['from']) - left) <= 1)

    def test_zoom_by_the_wheel_around_the_pointer(self):
        page = self.look(f'#from={self.now - 6 * HOUR}&to={self.now}&chart={self.KEY}')
        chart = page.chart()
        start, end = chart.span()
        chart.wheel(0.5, -3, Keys.CONTROL)
        chart.drawn(lambda data: float(data['to']) - float(data['from']) < (end - start) * 0.9)
        left, right = chart.span()
        self.assertAlmostEqual((left + right) / 2, (start + end) / 2, delta=HOUR / 6)
        chart.wheel(0.5, 3, Keys.CONTROL)
        chart.drawn(lambda data: float(data['to']) - float(data['from']) > right - left)

    def test_the_mark_stays_under_the_pointer_when_the_span_changes(self):
        page = self.look(f'#from={self.now - 6 * HOUR}&to={self.now}&chart={self.KEY}')
        chart = page.chart()
        chart.drawn()

        def is_marked(x):
            start, end = chart.span()
            when = chart.hovered()
            return (when and start <= int(when) <= end and abs((int(when) - start) / (end - start) - x) < 0.05
                    and chart.legend()[self.KEY] != '–')
        chart.drag(0.25, 0.6)
        chart.drawn(lambda data: float(data['to']) < self.now - HOUR)
        page.wait(lambda: is_marked(0.6), 'a drag leaves the mark elsewhere')
        chart.wheel(0.6, -3, Keys.CONTROL)
        page.wait(lambda: is_marked(0.6), 'the wheel leaves the mark elsewhere')
        chart.hover(0.3)
        page.wait(lambda: is_marked(0.3))
        page.driver.back()
        page.wait(lambda: is_marked(0.3), 'another view leaves the mark elsewhere')
        page.one('[data-testid=span-1d]').click()
        page.wait(lambda: chart.hovered() is None, 'the mark stays without a pointer')
        # What was marked by keys has a time, which another span need not have.
        chart.element.find_element(By.CSS_SELECTOR, '.plot-surface').send_keys(',')
        page.wait(chart.hovered)
        page.one('[data-testid=earlier]').send_keys(Keys.ENTER)
        page.wait(lambda: chart.hovered() is None, 'the mark stays out of sight')

    def test_pan_by_a_drag(self):
        page = self.look(f'#from={self.now - 6 * HOUR}&to={self.now}&chart={self.KEY}')
        chart = page.chart()
        start, end = chart.span()
        chart.drag(0.3, 0.7, Keys.SHIFT)
        chart.drawn(lambda data: float(data['to']) < end - HOUR)
        left, right = chart.span()
        self.assertAlmostEqual(right - left, end - start, delta=2)

    def test_the_address_is_the_view(self):
        page = self.look()
        page.add(self.KEY)
        page.chart().drawn()
        page.chart().drag(0.2, 0.6)
        page.until('/from=/.test(location.hash)')
        shown = page.chart().drawn()
        other = self.dashboard()
        other.go(page.url)
        other.ready()
        # In the address are whole seconds: a point at an edge may be in one and not in the other.
        other.chart().drawn(lambda data: data['step'] == shown['step'] and abs(int(data['points']) - int(shown['points'])) <= 2)
        self.assertEqual(other.chart().keys(), page.chart().keys())
        for one, two in zip(other.chart().span(), page.chart().span()):
            self.assertAlmostEqual(one, two, delta=1)

    def test_a_first_look_is_not_at_an_empty_hour(self):
        self.put('young', [(self.now - 60 + i, i) for i in range(60)])
        self.put('old', [(self.now - 3 * DAY + i, i) for i in range(60)])
        self.put('elsewhere', [(1700000000000 + i, i) for i in range(60)])
        for key, span in (('young', '5m'), (self.KEY, '1h'), ('old', '7d'), ('elsewhere', 'all')):
            with self.subTest(key=key):
                page = self.page = self.dashboard()
                self.look().search(key)
                page.press(Keys.ENTER)
                page.chart().drawn(lambda data: int(data['points']) > 0)
                self.assertIn(f'span={span}', page.fragment)
                self.assertEqual(page.one(f'[data-testid=span-{span}]').get_attribute('aria-pressed'), 'true')
        # Whoever chose has it so.
        page.open(self.server, '#span=30d')
        page.search('young')
        page.press(Keys.ENTER)
        page.chart().drawn()
        self.assertIn('span=30d', page.fragment)
        page = self.dashboard()
        page.open(self.server, '#chart=young')
        page.chart().drawn(lambda data: abs(float(data['to']) - float(data['from']) - 300) < 1)

    def test_spans_to_choose_from(self):
        page = self.look(f'#chart={self.KEY}')
        for name, seconds in (('1d', DAY), ('5m', 300), ('6h', 6 * HOUR)):
            button = page.one(f'[data-testid=span-{name}]')
            button.click()
            data = page.chart().drawn(lambda data: abs(float(data['to']) - float(data['from']) - seconds) < 1)
            self.assertEqual(button.get_attribute('aria-pressed'), 'true')
            self.assertIn(f'span={name}', page.fragment)
        page.one('[data-testid=span-all]').click()
        page.chart().drawn(lambda data: float(data['from']) <= self.times[0] and float(data['to']) >= self.times[-1])

    def test_from_and_to_by_the_calendar(self):
        page = self.look(f'#span=6h&chart={self.KEY}')
        page.one('[data-testid=range]').click()
        for name, when in (('from', self.now - 3 * HOUR), ('to', self.now - 2 * HOUR)):
            page.run("""arguments[0].value = new Date(arguments[1] * 1000 - new Date().getTimezoneOffset() * 60000)
                .toISOString().slice(0, 19)""", page.one(f'[data-testid=range-{name}]'), when)
        page.one('[data-testid=range-show]').click()
        page.chart().drawn(lambda data: (float(data['from']), float(data['to'])) == (self.now - 3 * HOUR, self.now - 2 * HOUR))


class ChartsTest(HouseTest):
    def test_several_series_in_one(self):
        page = self.look('#span=6h&chart=house.attic.temperature')
        page.search('bath')
        row = page.leaf('house.bath.temperature')
        row.find_element(By.CSS_SELECTOR, '.add').click()
        page.search('kitchen')
        page.leaf('house.kitchen.temperature').click()
        page.wait(lambda: len(page.charts()) == 2)
        page.search('cellar')
        page.press(Keys.ARROW_DOWN, Keys.END)
        page.chord(Keys.SHIFT, Keys.ENTER)
        page.wait(lambda: page.chart(1).keys() == ['house.kitchen.temperature', 'house.cellar.temperature'])
        self.assertEqual(page.chart(0).keys(), ['house.attic.temperature', 'house.bath.temperature'])
        for chart in page.charts():
            chart.drawn(lambda data: data['points'] != '0')
            colours = page.run("""return [...arguments[0].querySelectorAll('.legend-mark')]
                .map(each => getComputedStyle(each).borderTopColor)""", chart.element)
            self.assertEqual(len(set(colours)), 2)
        page.chart(0).row('house.bath.temperature').click()
        page.find('button', 'Remove house.bath.temperature from this chart').click()
        page.wait(lambda: page.chart(0).keys() == ['house.attic.temperature'])
        page.picture('series')

    def test_a_group_in_one_chart(self):
        page = self.look()
        page.search('temperature')
        page.find('treeitem', page.named('house,'))
        page.press(Keys.ARROW_DOWN, '+')
        page.wait(lambda: page.charts() and len(page.chart().keys()) == 4)

    def test_a_group_that_is_too_large_says_what_is_left_out(self):
        for place in range(30):
            self.put(f'grid.{place % 3}.{place}', [(self.now - 60, place)])
        page = self.look()
        page.search('grid')
        page.find('treeitem', page.named('grid, group of 30'))
        page.press(Keys.ARROW_DOWN, '+')
        page.wait(lambda: page.charts() and len(page.chart().keys()) == 24)
        self.assertRegex(page.one('[data-testid=notice]').text, '24 series.* 6 more')
        page.search('grid.0')
        page.find('treeitem', page.named('grid, group of 10'))
        page.press(Keys.ARROW_DOWN, '+')
        page.wait(lambda: len(page.charts()) == 2 and len(page.chart(1).keys()) == 10)

    def test_many_charts_move_together(self):
        fragment = '#span=6h' + ''.join(f'&chart=house.{room}.temperature' for room in self.ROOMS) + '&chart=garden.rain'
        page = self.look(fragment)
        charts = page.charts()
        self.assertEqual(len(charts), 5)
        for chart in charts:
            chart.drawn()
        charts[0].drag(0.2, 0.5)
        start, end = charts[0].span()
        self.assertLess(end - start, 3 * HOUR)
        for chart in charts:
            chart.drawn(lambda data: (float(data['from']), float(data['to'])) == (start, end))
        charts[1].hover(0.5)
        page.wait(lambda: all(chart.hovered() for chart in charts), 'the pointer shows in all')
        page.picture('many-charts')

    def test_their_order_and_their_end(self):
        page = self.look('#span=6h&chart=house.attic.temperature&chart=garden.rain')
        page.find('button', 'Move down').click()
        page.wait(lambda: [chart.keys() for chart in page.charts()] == [['garden.rain'], ['house.attic.temperature']])
        self.assertRegex(page.fragment, 'chart=garden.rain&chart=house.attic')
        page.find('button', 'Remove this chart').click()
        page.wait(lambda: [chart.keys() for chart in page.charts()] == [['house.attic.temperature']])
        page.driver.back()
        page.wait(lambda: len(page.charts()) == 2)

    def test_a_series_that_is_not_there(self):
        page = self.look('#span=bogus&chart=nothing.here')
        message = page.one('[data-testid=chart-message]')
        page.wait(lambda: message.text == 'There is no series nothing.here yet.')
        self.put('nothing.here', [(self.now, 1)])
        page.chart().shows('nothing.here', '1')
        page.wait(lambda: not message.is_displayed())
        page.open(self.server, f'#from=1000&to=2000&chart={self.ROOMS[0]}.none,house.bath.temperature')
        page.wait(lambda: 'There are no points in this span.' in page.one('[data-testid=chart-message]').text)

    def test_a_chart_is_saved_as_csv(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        page = self.look(f'#from={self.now - 600}&to={self.now}&chart=house.bath.temperature,garden.rain')
        page.chart().drawn()
        page.cdp('Page.setDownloadBehavior', behavior='allow', downloadPath=str(folder))
        page.find('button', 'Download as CSV').click()
        saved = folder / 'house.bath.temperature.csv'
        page.wait(saved.exists, 'nothing is saved')
        series = self.api('api/v1/points', key=['house.bath.temperature', 'garden.rain'],
                          **{'from': self.now - 600, 'to': self.now})['series']
        with saved.open(newline='') as lines:
            self.assertEqual([(row['key'], int(row['timestamp']), float(row['value'])) for row in csv.DictReader(lines)],
                             [(each['key'], *point) for each in series for point in each['points']])

    def test_a_series_is_hidden_and_shown_again(self):
        page = self.look(f'#from={self.now - HOUR}&to={self.now}&chart=house.bath.temperature,garden.rain')
        chart = page.chart()
        both = int(chart.drawn()['points'])
        name = page.find('button', 'garden.rain')
        for pressed in ('false', 'true'):
            name.click()
            chart.drawn(lambda data: int(data['points']) == (both // 2 if pressed == 'false' else both))
            self.assertEqual(name.get_attribute('aria-pressed'), pressed)
        self.assertEqual(chart.keys(), ['house.bath.temperature', 'garden.rain'])

    def test_functions(self):
        page = self.look('#span=1d&chart=house.energy_total')
        chart = page.chart()
        chart.drawn()
        select = chart.element.find_element(By.CSS_SELECTOR, 'select')
        for function, value in (('max', str(DAY - 60)), ('rate', '1'), ('count', None)):
            asked = len(page.points_asked())
            page.run('arguments[0].focus()', select)
            select.find_element(By.CSS_SELECTOR, f'option[value={function}]').click()
            data = chart.drawn(lambda data: data['function'] == function)
            self.assertGreater(int(data['step']), 60)
            page.wait(lambda: any(parameters.get('function') == [function] and parameters['step'] == [data['step']]
                                  for parameters, _ in page.points_asked()[asked:]), 'the server is asked for it')
            self.assertIn(f'chart={function}:house.energy_total', page.fragment)
            if function == 'rate':
                self.assertEqual(chart.legend()['house.energy_total'].split()[0], value)


class OtherTimesTest(TestCase):
    """Timestamps are integers; that they are seconds is but a custom."""

    def test_milliseconds_and_numbers(self):
        self.serve()
        for key, first, step in (('milliseconds', 1700000000000, 1000), ('numbers', 0, 1), ('before', -10 ** 9, 60),
                                 ('edges', -2 ** 63, 2 ** 59)):
            self.put(key, [(first + step * i, i) for i in range(30)])
        page = self.dashboard()
        for key in ('milliseconds', 'numbers', 'before', 'edges'):
            with self.subTest(key=key):
                page.go('about:blank')
                page.open(self.server, f'#span=all&chart={key}')
                page.chart().drawn(lambda data: int(data['points']) > 3)
                page.chart().hover(0.5)
                page.wait(page.chart().hovered)
                self.assertRegex(page.chart().legend()[key], r'^\d')
                page.picture(f'times-{key}')

if __name__ == '__main__':
    main()
