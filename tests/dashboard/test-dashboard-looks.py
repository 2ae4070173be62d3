#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The dashboard for whoever looks at it: in the dark, on a phone, in another language, without a pointer, with a reader."""

import pathlib
import re
import time

from browser import By, Keys, main
from dashboard import TestCase

PO = pathlib.Path(__file__).resolve().parents[2] / 'po'
# What people act on, and a reader has to have a name for.
ACTIVE = {'application', 'button', 'checkbox', 'combobox', 'link', 'menuitem', 'option', 'radio', 'searchbox', 'slider', 'switch',
          'tab', 'textbox', 'treeitem'}


class LooksTest(TestCase):
    VIEW = '#span=6h&chart=room.temperature,room.humidity&chart=cpu.user'

    def setUp(self):
        super().setUp()
        self.serve()
        now = int(time.time())
        for key, base in (('room.temperature', 20.25), ('room.humidity', 45.5), ('cpu.user', 3)):
            self.put(key, [(when, base + when // 600 % 7) for when in range(now - 6 * 3600, now + 1, 60)])
        self.page = self.dashboard()

    def look(self, fragment=None):
        self.page.open(self.server, self.VIEW if fragment is None else fragment)
        for chart in self.page.charts():
            chart.drawn()
        return self.page

    def brightness(self):
        """Of the page, and of its texts: 0 to 255."""
        return self.page.run(r"""
            const of = text => text.match(/[\d.]+/g).slice(0, 3).map(Number).reduce((sum, each) => sum + each) / 3;
            const style = getComputedStyle(document.body);
            return [of(style.backgroundColor), of(style.color)]""")


class ColoursTest(LooksTest):
    def test_the_system_decides(self):
        page = self.page
        for dark in (True, False):
            page.emulate(dark=dark)
            self.look()
            # The page is told of the change, and the next look at it may come before.
            page.wait(lambda: (lambda ground, text: ground < 60 and text > 180 if dark else ground > 230 and text < 80)(
                *self.brightness()), f'{self.brightness()} is not {"dark" if dark else "light"}')
            page.picture('dark' if dark else 'light')

    def test_the_reader_decides_otherwise_and_it_lasts(self):
        page = self.page
        page.emulate(dark=False)
        self.look()
        button = page.find('button', page.named('theme|colou?rs', re.I))
        for _ in range(3):
            if self.brightness()[0] < 60:
                break
            button.click()
        self.assertLess(self.brightness()[0], 60)
        page.driver.refresh()
        page.ready()
        self.assertLess(self.brightness()[0], 60)
        page.run('localStorage.clear()')


class PhoneTest(LooksTest):
    def test_a_series_is_found_and_shown(self):
        page = self.page
        page.emulate(phone=True)
        page.open(self.server)
        self.assert_fits()
        page.picture('phone')
        page.find('button', 'Series').click()
        page.picture('phone-drawer')
        page.add('cpu.user')
        page.chart().drawn()
        page.wait(lambda: not page.one('body').find_element(By.ID, 'side').is_displayed(), 'the drawer does not close')
        self.assert_fits()
        page.picture('phone-chart')
        left, top, width, height = page.chart().plot()
        self.assertGreater(width, 200)
        self.assertGreater(height, 100)

    def test_the_span_is_moved(self):
        page = self.page
        page.emulate(phone=True)
        self.look()
        _, end = page.chart().span()
        for name in ('Zoom in', 'Zoom out', 'Earlier'):
            page.find('button', name).click()
        page.chart().drawn(lambda data: float(data['to']) < end - 3600)
        text = page.one('.range-text')
        self.assertRegex(text.text, r'\d.*–.*\d')
        cut = page.run('return [arguments[0].scrollWidth - arguments[0].clientWidth, arguments[0].scrollHeight - '
                       'arguments[0].parentElement.clientHeight]', text)
        self.assertLessEqual(max(cut), 0)
        self.assert_fits()

    def assert_fits(self):
        """Nothing to scroll to the side, and nothing too small for a finger (WCAG 2.5.8)."""
        self.assertLessEqual(self.page.run('return document.documentElement.scrollWidth - innerWidth'), 0)
        small = self.page.run("""
            return [...document.querySelectorAll('button, select, input, a')].filter(each => {
              const box = each.getBoundingClientRect();
              return each.checkVisibility() && box.width > 0 && (box.width < 24 || box.height < 24);
            }).map(each => each.outerHTML)""")
        self.assertEqual(small, [])


class LanguagesTest(LooksTest):
    def translation(self, language, text):
        """The translation of a text, where there is one."""
        try:
            catalog = (PO / f'{language}.po').read_text(encoding='utf-8')
        except FileNotFoundError:
            return None
        found = re.search(rf'^msgid "{re.escape(text)}"\nmsgstr "(.+)"$', catalog, re.M)
        return found.group(1) if found else None

    def test_texts_and_numbers(self):
        for language in ('de', 'ru'):
            with self.subTest(language=language):
                page = self.page = self.dashboard()
                page.emulate(languages=f'{language},en')
                self.look()
                self.put('room.temperature', [(int(time.time()), 77.25)])
                page.leaf_shows('room.temperature', '77,25')
                page.picture(f'language-{language}')
                self.assertEqual(page.run('return document.documentElement.lang'), language)
                button = page.one('[data-testid=chart-remove]').accessible_name
                self.assertEqual(button, self.translation(language, 'Remove this chart') or 'Remove this chart')

    def test_a_language_that_nobody_translated(self):
        self.page.emulate(languages='tlh')
        self.look()
        self.assertEqual(self.page.run('return document.documentElement.lang'), 'en')


class WithoutPointerTest(LooksTest):
    def tab_to(self, condition):
        """As often as it takes; each stop has to be seen."""
        for _ in range(60):
            self.page.press(Keys.TAB)
            self.assertTrue(self.page.run("""
                const style = getComputedStyle(document.activeElement);
                return document.activeElement === document.body || style.outlineStyle !== 'none'"""),
                f'nobody sees that {self.page.focused().get_attribute("outerHTML")[:300]} has the focus')
            if self.page.run(f'return ({condition})(document.activeElement)'):
                return
        self.fail(f'{condition} is never reached')

    def test_the_whole_way(self):
        page = self.look('')
        self.tab_to('each => each.type === "search"')
        page.press('humid')
        page.wait(lambda: page.leaves() == ['room.humidity'])
        self.tab_to('each => each.getAttribute("role") === "treeitem"')
        page.press(Keys.END)
        page.press(Keys.ENTER)
        chart = page.chart()
        chart.drawn()
        self.tab_to('each => each.dataset.testid === "plot"')
        start, end = chart.span()
        page.press('+')
        chart.drawn(lambda data: float(data['to']) - float(data['from']) < (end - start) * 0.9)
        page.press(Keys.ARROW_LEFT)
        chart.drawn(lambda data: float(data['to']) < end - 60)
        page.chord(Keys.SHIFT, Keys.ARROW_LEFT)
        page.wait(chart.hovered)
        first = chart.hovered()
        page.chord(Keys.SHIFT, Keys.ARROW_LEFT)
        page.wait(lambda: int(chart.hovered()) < int(first))
        page.until('[...document.querySelectorAll("[aria-live], [role=status]")].some(each => /\\d/.test(each.textContent))')

    def test_no_key_is_a_trap(self):
        """Round and round: the focus comes to everything and leaves again."""
        page = self.look()
        seen = []
        for _ in range(80):
            page.press(Keys.TAB)
            seen.append(page.run('return document.activeElement.outerHTML.slice(0, 200)'))
        self.assertGreater(seen.count(seen[0]), 1, 'it never comes around')

    def test_what_a_reader_is_told(self):
        page = self.look()
        tree = page.tree()
        nameless = [node for node in tree if node['role'] in ACTIVE and not node['name'].strip()]
        self.assertEqual(nameless, [])
        roles = [node['role'] for node in tree]
        self.assertEqual(roles.count('main'), 1)
        self.assertIn('heading', roles)
        self.assertIn('tree', roles)
        items = [node for node in tree if node['role'] == 'treeitem']
        self.assertTrue(any('room' in node['name'] for node in items))
        plots = [node for node in tree if node.get('roledescription') == 'chart']
        self.assertEqual(len(plots), 2)
        self.assertRegex(plots[1]['name'], r'cpu\.user.*last \d.*lowest 3, highest 9')

    def test_the_values_as_a_table(self):
        page = self.look('#span=6h&chart=cpu.user')
        page.find('button', 'Values as a table').click()
        rows = page.wait(lambda: page.all('table tbody tr'))
        self.assertGreater(len(rows), 10)
        self.assertRegex(rows[0].find_element(By.CSS_SELECTOR, 'td').text, r'^\d')


if __name__ == '__main__':
    main()
