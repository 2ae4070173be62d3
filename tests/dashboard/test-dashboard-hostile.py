#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dashboard where others chose the names, the values, the times and the address."""

import time
import urllib.parse

from browser import main
from dashboard import TestCase

# Each is a key that anybody may put. None of it may become anything but text.
KEYS = [
    '<img/src=x/onerror=window.hacked=1>',
    '<script>window.hacked=1</script>',
    '"><svg/onload=window.hacked=1>',
    "'-window.hacked=1-'",
    '${window.hacked=1}',
    '{{window.hacked=1}}',
    'javascript:window.hacked=1',
    '&lt;b&gt;&amp;&#60;',
    '%3Cimg%20src=x%3E',
    'a&key=b#c?d+e%zz',
    '../../../etc/passwd',
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString.valueOf',
    '..',
    '.',
    '.lead.and.trail.',
    'a..b',
    'x[*]?\\{y}',
    '\\',
    'имя.датчика',
    'שלום.עולם',
    '\u202egnp.exe',
    'e\u0301.\u00e9',
    '👩‍🔬.🌡️',
    'zero\u200bwidth',
    'long.' + 'n' * 300,
    ','.join('abc'),
    'a;b|c',
]

# What may stand behind the page's address.
FRAGMENTS = [
    '#', '#?&&&=%', '#%00%ff%fe\u202e', '#__proto__=1&constructor.prototype.x=1', '#from=abc&to=def&span=-1&step=0',
    '#from=-9223372036854775809&to=1e999', '#from=9&to=1&chart=%', '#span=99999999999y&chart=,,,:,::', '#chart=evil:a,a,a&chart=max:',
    '#chart=<img src=x onerror=window.hacked=1>&<script>window.hacked=1</script>', '#{"charts":[null,1,"x",{"keys":{}}]}',
    '#javascript:window.hacked=1', '#' + 'a' * 60000, '#' + '&chart=a' * 5000, '#chart=' + ','.join(f'k{n}' for n in range(5000)),
]


class NamesTest(TestCase):
    def setUp(self):
        super().setUp()
        self.serve()
        self.now = int(time.time())
        for key in KEYS:
            self.put(key, [(self.now - 60, 1.5), (self.now - 30, 2.5)])
        self.page = self.dashboard()
        self.page.open(self.server)

    def assert_unhurt(self):
        self.assertFalse(self.page.run('return "hacked" in window || "x" in {}'))
        self.assertEqual(self.page.run('return document.querySelectorAll("body img, body script:not([src]), body b").length'), 0)

    def test_each_is_found_and_shown_as_it_is(self):
        for key in KEYS:
            with self.subTest(key=key[:60]):
                self.page.search(key)
                row = self.page.leaf(key)
                self.assertEqual(self.page.run('return arguments[0].title.split("\\n")[0]', row), key)
                name = self.page.run('return arguments[0].querySelector(".name").textContent', row)
                self.assertEqual(name, key.rpartition('.')[2] or '(empty)')
                self.assert_unhurt()

    def test_each_can_be_charted_and_shared(self):
        clicked, rest = KEYS[::6], [key for key in KEYS if key not in KEYS[::6]]
        one, two = rest[::2], rest[1::2]
        self.page.go('about:blank')
        self.page.open(self.server, '#span=1h' + ''.join(
            f'&chart={",".join(urllib.parse.quote(key, safe="") for key in keys)}' for keys in (one, two)))
        for key in clicked:
            self.page.add(key)
        for page in (self.page, self.dashboard()):
            page.go(self.page.url)
            page.ready()
            page.wait(lambda: [chart.keys() for chart in page.charts()] == [one, two, *([key] for key in clicked)])
            for chart in page.charts():
                chart.drawn(lambda data: int(data['points']) == 2 * len(chart.keys()))
            self.assert_unhurt()


class AddressTest(TestCase):
    def test_whatever_stands_in_it_the_page_is_there(self):
        server = self.serve()
        self.put('a', [(int(time.time()), 1.0)])
        page = self.dashboard()
        for fragment in FRAGMENTS:
            with self.subTest(fragment=fragment[:60]):
                page.go('about:blank')
                page.go(server.http + '/' + urllib.parse.quote(fragment, safe='#%&=?[]{}:"<>'))
                page.ready()
                page.leaf('a')
                for chart in page.charts()[:1]:
                    chart.drawn()
                self.assertFalse(page.run('return "hacked" in window || "x" in {}'))
                self.assertEqual(page.complaints(), [])


if __name__ == '__main__':
    main()
