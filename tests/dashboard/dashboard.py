# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests know of the dashboard's page: where things are and how somebody gets at them."""

import contextlib
import json
import urllib.parse
import urllib.request

import browser
from browser import By, Keys, Page


class Chart:
    """One of the page's charts, by its place among them."""

    def __init__(self, page, place):
        self.page, self.place = page, place

    @property
    def element(self):
        return self.page.wait(lambda: self.page.all('.chart')[self.place:self.place + 1],
                              f'there is no chart {self.place}')[0]

    def data(self):
        """What it says of itself: where it begins and ends, how many points it shows, of which step and function."""
        return self.page.run("""
            const step = arguments[0].querySelector('.chart-step');
            return {...arguments[0].dataset, ...step.dataset, busy: arguments[0].getAttribute('aria-busy')}""", self.element)

    def drawn(self, condition=lambda data: True, what=''):
        """Waits until nothing is asked for any more and its picture is so; what it says then."""
        def look():
            data = self.data()
            return data if data['busy'] == 'false' and data.get('points') and condition(data) else None
        return self.page.wait(look, f'chart {self.place} was not drawn {what}')

    def span(self):
        data = self.drawn()
        return float(data['from']), float(data['to'])

    def keys(self):
        return [row.get_attribute('data-key') for row in self.element.find_elements(By.CSS_SELECTOR, '[data-key]')]

    def row(self, key):
        """The row of a key in the legend."""
        return next(row for row in self.element.find_elements(By.CSS_SELECTOR, '[data-key]')
                    if row.get_attribute('data-key') == key)

    def legend(self):
        """key -> text of the value that the legend shows."""
        return dict(self.page.run("""return [...arguments[0].querySelectorAll('[data-key]')]
            .map(row => [row.dataset.key, row.querySelector('.legend-value').textContent])""", self.element))

    def hovered(self):
        """The time whose values the legend shows, or None while these are the newest."""
        return self.page.run("return arguments[0].querySelector('.legend-time').dataset.time || null", self.element)

    def shows(self, key, value):
        """Waits for a value in the legend."""
        self.page.wait(lambda: self.legend().get(key) == value, f'the legend shows {self.legend()}, not {value}')

    def plot(self):
        """(left, top, width, height) of the area that shows points, in the window."""
        return self.page.run('''
            arguments[0].scrollIntoView({block: 'nearest'});
            const box = arguments[0].querySelector('.plot-surface').getBoundingClientRect();
            return [box.left, box.top, box.width, box.height]''', self.element)

    def _at(self, x, y=0.5):
        left, top, width, height = self.plot()
        return int(left + width * x), int(top + height * y)

    def hover(self, x, y=0.5):
        pointer = self.page.actions()
        pointer.w3c_actions.pointer_action.move_to_location(*self._at(x, y))
        pointer.perform()

    @contextlib.contextmanager
    def _holding(self, modifier):
        if modifier:
            self.page.actions().key_down(modifier).perform()
        yield
        if modifier:
            self.page.actions().key_up(modifier).perform()

    def drag(self, start, end, modifier=None):
        actions = self.page.actions()
        pointer = actions.w3c_actions.pointer_action
        pointer.move_to_location(*self._at(start))
        pointer.pointer_down()
        for step in range(1, 6):
            pointer.move_to_location(*self._at(start + (end - start) * step / 5))
        pointer.pointer_up()
        with self._holding(modifier):
            actions.perform()

    def wheel(self, x, ticks, modifier=None):
        """Up where `ticks` is negative."""
        actions = self.page.actions()
        actions.w3c_actions.wheel_action.scroll(*self._at(x), 0, 100 * ticks, 0)
        with self._holding(modifier):
            actions.perform()

    def double_click(self, x=0.5):
        actions = self.page.actions()
        pointer = actions.w3c_actions.pointer_action
        pointer.move_to_location(*self._at(x))
        pointer.click()
        pointer.click()
        actions.perform()


class Dashboard(Page):
    def open(self, server, fragment=''):
        """Goes there, and waits until the keys are there."""
        self.go(f'{server.http}/{fragment}')
        self.ready()

    def ready(self):
        """Waits until the page knows which keys there are."""
        self.until("document.querySelector('[role=tree]')?.getAttribute('aria-busy') === 'false'")

    def search(self, text):
        """Types it into the search, in the place of what stands there, until the tree has what is found."""
        self.one('input[type=search]').click()
        self.actions().key_down(Keys.CONTROL).send_keys('a').key_up(Keys.CONTROL).send_keys(text or Keys.DELETE).perform()
        # The page waits 80 ms for another letter, lays out in the next frame and draws in the one behind. A timer and frames
        # that are asked for later come later: before, rows of what was found for the first letters could go at any time.
        self.driver.execute_async_script("""
            const done = arguments[0];
            setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(() => done()))), 80);
        """)

    def leaves(self):
        """The keys whose rows are there, in order."""
        return self.run("""
            return [...document.querySelectorAll('[role=treeitem][data-kind=key]')].map(row => row.dataset.path)""")

    def leaf(self, key):
        return self.wait(lambda: self.run("""return [...document.querySelectorAll('[role=treeitem][data-kind=key]')]
            .find(row => row.dataset.path === arguments[0])""", key), f'{key!r} is not in the tree')

    def leaf_shows(self, key, value):
        """Waits for the last value of a key in the tree."""
        self.wait(lambda: self.leaf_value(key) == value, f'the tree does not show {value} for {key!r}')

    def leaf_value(self, key):
        return self.run('return arguments[0].querySelector(".value").textContent', self.leaf(key))

    def banner(self):
        """What the page says of a server that is not there, or None."""
        return next((found for found in self.all('[data-testid=banner]') if found.is_displayed()), None)

    def add(self, key):
        """Opens a key as somebody does who finds it with the mouse."""
        self.search(key)
        self.leaf(key).click()

    def charts(self):
        return [Chart(self, place) for place in range(len(self.all('.chart')))]

    def chart(self, place=0):
        return Chart(self, place)

    def points_asked(self):
        """(parameters, series that were answered) of each request for points so far that has its answer."""
        done = {event['requestId'] for method, event in self.network() if method == 'loadingFinished'}
        return [(urllib.parse.parse_qs(urllib.parse.urlsplit(url).query), json.loads(self.body(number))['series'])
                for number, url in self.requests('/api/v1/points?') if number in done]

    def mark(self):
        """A page that is loaded again loses its mark."""
        self.run('window.markedByTest = true')

    @property
    def marked(self):
        return self.run('return window.markedByTest === true')


class TestCase(browser.TestCase):
    """A test of the dashboard: a server with HTTP, a client that puts, a window."""

    def serve(self, *options, **arguments):
        self.server = self.start(*options, http='--http-port' not in options, **arguments)
        self.writer = self.client(self.server)
        return self.server

    def dashboard(self):
        page = Dashboard(TestCase.browser)
        self._pages.append(page)
        return page

    def put(self, key, points):
        """(time, value) each."""
        self.writer.put_many([f'put {key} {value!r} {time}\n'.encode() for time, value in points])

    def api(self, path, **parameters):
        """What the server answers to a GET, as JSON."""
        with urllib.request.urlopen(f'{self.server.http}/{path}?{urllib.parse.urlencode(parameters, doseq=True)}') as answer:
            return json.load(answer)
