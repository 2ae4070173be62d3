# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl top: the table printed for programs, and the one that changes on a terminal of tmux."""

import json
import re
import time
import unittest

import harness
from ctl import Ctl, Terminal, TestCase
from screens import Screen, has_tmux, is_asked, width


class TopTest(TestCase):
    def put_now(self, key, *values, ago=0):
        """The last of them so many seconds ago, a second between."""
        now = int(time.time()) - ago
        self.put(*(f'{key} {value} {now - len(values) + 1 + i}' for i, value in enumerate(values)))


class Once(TopTest):
    def top(self, *words, **env):
        result = Ctl(self.server, **env).run('top', *words)
        self.assertEqual((result.status, result.err), (0, ''))
        return result.out

    def test_plain(self):
        self.put_now('b', 4, 1, 7)
        self.put('a 5 100')
        lines = [line.split() for line in self.top().splitlines()]
        self.assertEqual([line[:6] for line in lines],
                         [['a', '5.0', '-', '-', '-', '0'], ['b', '7.0', '1.0', '7.0', '4.0', '3']])
        self.assertEqual(lines[0][6], '100')
        self.assertAlmostEqual(int(lines[1][6]), time.time(), delta=harness.WATCHDOG)

    def test_json(self):
        self.put_now('b', 4, 1, 7)
        self.put('a 5 100')
        first, second = json.loads(self.top('--json'))
        self.assertEqual(first, {'key': 'a', 'last': 5, 'min': None, 'max': None, 'avg': None, 'points': 0, 'timestamp': 100})
        self.assertEqual({**second, 'timestamp': 0},
                         {'key': 'b', 'last': 7, 'min': 1, 'max': 7, 'avg': 4, 'points': 3, 'timestamp': 0})
        self.assertEqual(json.loads(self.top('--json', 'none')), [])

    def test_against_range(self):
        """What is said of the window is what the server says of all its points."""
        now = int(time.time())
        points = [(now - 900 + i * 3, (i * 7919) % 1000 / 8) for i in range(301)]
        self.put(*(f'k {value} {at}' for at, value in points))
        row = json.loads(self.top('--json', '--window', '10m'))[0]
        # Its first step, of 30 seconds, may not be over: the points of that are in it or not, as a whole.
        windows = [[value for at, value in points if at >= start] for start in range(now - 601, now - 500)]
        self.assertIn((row['points'], row['min'], row['max']), [(len(values), min(values), max(values)) for values in windows])
        mean = next(sum(values) / len(values) for values in windows if len(values) == row['points'])
        self.assertAlmostEqual(row['avg'], mean, places=9)

    def test_order(self):
        self.put_now('a', 1, 9, 3, ago=30)
        self.put_now('b', 4, 4, ago=20)
        self.put_now('c', 0, 5, ago=10)
        self.put('d 100 100')
        for sort, keys in (('key', 'abcd'), ('last', 'dcba'), ('min', 'bacd'), ('max', 'acbd'), ('avg', 'abcd'),
                           ('points', 'abcd'), ('age', 'cbad')):
            with self.subTest(sort):
                self.assertEqual([line[0] for line in self.top('--sort', sort).splitlines()], list(keys))
        self.assertEqual([line[0] for line in self.top('--sort=last', '--reverse').splitlines()], list('abcd'))
        self.assertEqual([line[0] for line in self.top('-s', 'age', '-n', '2').splitlines()], list('cb'))
        self.assertEqual([line[0] for line in self.top('?').splitlines()], list('abcd'))
        self.assertEqual(self.top('x*'), '')
        self.assertEqual(self.top('--human', 'x*').splitlines()[1:], ['no key matches: x*'])

    def test_patterns(self):
        """Several, each key once."""
        self.put_now('a.b', 4, 1, 7)
        self.put_now('a.c', 2, 3)
        self.put_now('other', 1)
        rows = json.loads(self.top('--json', 'a.*', '*.b', 'none'))
        self.assertEqual([(row['key'], row['points'], row['min'], row['max']) for row in rows],
                         [('a.b', 3, 1, 7), ('a.c', 2, 2, 3)])
        self.check_usage_error(self.ctl.run('top', 'a', 'b c'), "'b c'")

    def test_for_people(self):
        now = int(time.time())
        self.put(*(f'rise {i} {now - 600 + i}' for i in range(601)))
        self.put('old 5 100', '温度.e\u0301 1 100')
        out = self.top('--human')
        self.assertNotIn('\033', out)
        header, *rows = out.splitlines()
        self.assertRegex(header, r'\AKEY▴ +LAST +MIN +MAX +AVG +AGE -10m\Z')
        self.assertRegex(rows[0], r'\Aold +5 +- +- +- +\d\dy\Z')
        self.assertRegex(rows[1], r'\Arise +600 +\d+ +600 +[\d.]+ +\ds (▁+▂*▃+▄*▅+▆*▇*█+)\Z')
        self.assertEqual(width(rows[2][:rows[2].index(' 1 ')]), rows[0].index(' 5 '))
        self.assertLessEqual(max(width(line) for line in out.splitlines()), 80)
        plain = self.top('--human', '--ascii', 'rise')
        self.assertTrue(plain.isascii())
        self.assertRegex(plain, r's _+\.*,+-*~+=*\**#+\n\Z')
        self.assertTrue(self.top('--human', LC_ALL='C').isascii())

    def test_what_does_not_change_is_low(self):
        now = int(time.time())
        self.put(*(f'{key} {value} {now - 600 + i}' for key, value in (('five', 5), ('null', 0)) for i in range(601)))
        for row in self.top('--human').splitlines()[1:]:
            self.assertRegex(row, r's ▁+\Z')

    def test_terminal(self):
        """Once, with colours, as wide as it is."""
        self.put_now('k', 1, 2, 3)
        shown = Terminal(self.ctl, 'top', '--once', columns=100).finish()
        self.assertEqual(shown.status, 0)
        self.assertIn('POINTS', shown.out)
        self.assertIn('\033[94m', shown.out)
        for words, env in (['--color=never'], {}), ([], {'NO_COLOR': '1'}), ([], {'TERM': 'dumb'}):
            shown = Terminal(Ctl(self.server, **env), 'top', '--once', *words).finish()
            self.assertNotIn('\033[94m', shown.out)
        # What cannot be drawn on is printed on.
        self.assertNotIn('\033', Terminal(Ctl(self.server, TERM='dumb'), 'top').finish().out)

    def test_usage(self):
        for words, text in ((('--window', 'x'), "'x'"), (('--window', '0'), "'0'"), (('--sort', 'size'), "'size'"),
                            (('--lines', '-1'), '-1'), (('--color', 'red'), "'red'"), (('a',) * 65, 'argument'),
                            (('a b',), "'a b'")):
            with self.subTest(words):
                self.check_usage_error(self.ctl.run('top', *words), text)

    def test_no_server(self):
        self.assertEqual(Ctl('127.0.0.1:1').run('top').status, 3)
        self.assertEqual(Terminal(Ctl('127.0.0.1:1'), 'top').finish().status, 3)


@unittest.skipUnless(has_tmux(), 'there is no tmux')
class Live(TopTest):
    def start_top(self, *words, ctl=None, **arguments):
        screen = self.enterContext(Screen(ctl or self.ctl, **arguments))
        screen.run('stty -a > before; metricsctl top ' + ' '.join(words))
        screen.expect(lambda text: 'KEY' in text and '$' not in text)
        return screen

    def check_restored(self, screen, status):
        screen.expect_prompt()
        self.assertTrue(screen.shows_cursor)
        screen.run('echo "status $?"; stty -a > after; cmp before after && echo same')
        screen.expect(f'\nstatus {status}\nsame\n')

    def rows(self, screen):
        """The keys that can be seen."""
        return [line.split()[0] for line in screen.lines[2:] if line.strip()]

    def expect_rows(self, screen, *keys):
        screen.expect(lambda text: self.rows(screen) == list(keys))

    def selected(self, screen):
        """The keys in rows that are reverse, but for the header."""
        reverse, keys = False, []
        for line in screen.colored.split('\n'):
            for word in re.split(r'(\033\[[0-9;]*m)', line):
                if word.startswith('\033'):
                    # What is not said again holds on, also from line to line.
                    parts = word[2:-1].split(';')
                    reverse = '7' in parts or reverse and not {'', '0', '27'} & set(parts)
                elif reverse and word.strip():
                    keys.append(word.split()[0])
                    break
        return keys[1:]

    def test_a_put_appears(self):
        self.put_now('k', 1, 2, 3)
        screen = self.start_top()
        screen.expect(lambda text: re.search(r'\nk +3 +1 +3 +2 +\ds ', text))
        self.put_now('k', 11)
        screen.expect(lambda text: re.search(r'\nk +11 +1 +11 +\S+ +\ds ', text))
        self.put_now('a.new.one', 5)
        screen.expect(lambda text: re.search(r'\na.new.one +5 +5 +5 +5 +\ds ', text))
        self.assertIn('keys: 2', screen.lines[0])
        screen.type('q')
        self.check_restored(screen, 0)

    def test_nothing_yet(self):
        screen = self.start_top("'k*'")
        screen.expect('keys: 0')
        screen.expect('\nno key matches yet, waiting: k*\n')
        self.put_now('other', 1)
        self.put_now('key', 1)
        self.expect_rows(screen, 'key')
        screen.type('C-c')
        self.check_restored(screen, 130)

    def test_patterns(self):
        self.put_now('a', 1)
        self.put_now('b', 1)
        self.put_now('c', 1)
        screen = self.start_top('a c d')
        self.expect_rows(screen, 'a', 'c')
        self.put_now('b', 2)
        self.put_now('d', 2)
        self.expect_rows(screen, 'a', 'c', 'd')

    def test_sort(self):
        self.put_now('a', 1, 9, 3, ago=30)
        self.put_now('b', 4, 4, ago=20)
        self.put_now('c', 0, 5, ago=10)
        screen = self.start_top()
        self.expect_rows(screen, 'a', 'b', 'c')
        for key, title, keys in (('s', 'LAST▾', 'cba'), ('>', 'MIN▾', 'bac'), ('s', 'MAX▾', 'acb'), ('s', 'AVG▾', 'abc'),
                                 ('s', 'POINTS', 'abc'), ('s', 'AGE▾', 'cba'), ('s', 'KEY▴', 'abc'), ('S', 'AGE▾', 'cba'),
                                 ('r', 'AGE▴', 'abc'), ('<', 'KEY', 'abc')):
            with self.subTest(title):
                screen.type(key)
                if title not in ('POINTS', 'KEY'):
                    screen.expect(title)
                    self.expect_rows(screen, *keys)

    def test_filter(self):
        self.put_now('room.Kitchen', 1)
        self.put_now('room.bath', 2)
        self.put_now('door', 3)
        screen = self.start_top()
        self.expect_rows(screen, 'door', 'room.Kitchen', 'room.bath')
        screen.type('/')
        screen.write('kitx')
        screen.expect(lambda text: '\n/kitx' in text)
        self.assertIn("\nno key has 'kitx' in it\n", screen.text)
        screen.type('BSpace', 'Enter')
        self.expect_rows(screen, 'room.Kitchen')
        self.assertIn('keys: 1 of 3 (/kit)', screen.lines[0])
        # What is put to others changes nothing.
        self.put_now('door', 4)
        self.put_now('kitten', 4)
        self.expect_rows(screen, 'kitten', 'room.Kitchen')
        screen.type('Escape')
        self.expect_rows(screen, 'door', 'kitten', 'room.Kitchen', 'room.bath')
        # Letters are no commands while they are typed.
        screen.type('/')
        screen.write('q')
        screen.expect('\n/q')
        screen.type('Escape')
        self.expect_rows(screen, 'door', 'kitten', 'room.Kitchen', 'room.bath')

    def test_scroll_and_select(self):
        with harness.Client(self.server) as client:
            client.put_many([b'put k%03d %d %d\n' % (i, i, int(time.time())) for i in range(100)])
        screen = self.start_top(rows=12)
        screen.expect(lambda text: self.rows(screen) == [f'k{i:03}' for i in range(10)])
        self.assertEqual(self.selected(screen), [])
        screen.type('Down')
        screen.expect(lambda text: self.selected(screen) == ['k000'])
        screen.type('PageDown')
        screen.expect(lambda text: self.selected(screen) == ['k010'])
        self.assertEqual(self.rows(screen)[-1], 'k010')
        screen.type('End')
        screen.expect(lambda text: self.selected(screen) == ['k099'])
        self.assertEqual(self.rows(screen), [f'k{i:03}' for i in range(90, 100)])
        # Each that can be seen was read.
        screen.expect(lambda text: all(re.match(r'k0(\d\d) +(\d+) +\2 +\2 +\2 ', line) for line in screen.lines[2:12]))
        screen.type('Up', 'Up', 'Home')
        screen.expect(lambda text: self.selected(screen) == ['k000'])
        # The row is chosen, not its place.
        screen.type('Down', 'r')
        screen.expect(lambda text: self.selected(screen) == ['k001'] and self.rows(screen)[-1] in ('k001', 'k000'))

    def test_help(self):
        screen = self.start_top()
        screen.type('?')
        screen.expect(lambda text: text.startswith('q ends'))
        screen.type('h')
        screen.expect(lambda text: text.startswith(self.server.address))

    def test_enter_draws(self):
        self.put_now('a', 1, 2, 3)
        self.put_now('b*', 4, 5, 6)
        screen = self.start_top()
        self.expect_rows(screen, 'a', 'b*')
        screen.type('End', 'Enter')
        screen.expect(lambda text: '└' in text and re.search(r'\nb\* +[456]', text))
        self.assertTrue(screen.is_alternate)
        self.put_now('a', 77)
        screen.type('q')
        screen.expect(lambda text: 'KEY' in text and re.search(r'\na +77 +1 +77 ', text))
        screen.type('q')
        self.check_restored(screen, 0)

    def test_sizes(self):
        for key in 'a', 'a.long.key.with.many.words.in.it', '温度':
            self.put_now(key, 1, 2, 3)
        screen = self.start_top()
        for columns, rows in (40, 10), (20, 5), (20, 3), (150, 40), (10, 2), (80, 24):
            screen.resize(columns, rows)
            if columns < 20:
                screen.expect(lambda text: text.startswith('too small'))
                continue
            # The header is as wide as the table is.
            screen.expect(lambda text: 'KEY' in screen.lines[1] and len(screen.lines[1]) <= columns
                          and ('POINTS' in text) == (columns == 150))
            self.assertLessEqual(max(width(line) for line in screen.lines), columns)
        screen.type('q')
        self.check_restored(screen, 0)

    def test_stopped_and_going_on(self):
        self.put_now('k', 1, 2, 3)
        screen = self.start_top()
        screen.type('C-z')
        screen.expect_prompt()
        self.put_now('k', 44)
        screen.run('fg')
        screen.expect(lambda text: 'KEY' in text and re.search(r'\nk +44 ', text))
        screen.type('q')
        self.check_restored(screen, 0)

    def test_the_server_goes_and_comes_back(self):
        server = self._server = self.start()
        self.put_now('k', 1, 2, 3)
        screen = self.start_top()
        screen.expect(lambda text: re.search(r'\nk +3 ', text))
        server.kill()
        # What was shown stays.
        screen.expect(lambda text: text.startswith('connecting again: ') and re.search(r'\nk +3 ', text))
        self.assertEqual(screen.lines[0].count(server.address), 1)
        self._server = self.start('--port', server.port, '--host', '127.0.0.1')
        self.put_now('k', 8)
        screen.expect(lambda text: text.startswith(server.address + '  keys: 1') and re.search(r'\nk +8 +8 +8 ', text))
        screen.type('q')
        self.check_restored(screen, 0)

    def test_many_keys(self):
        """50,000 of them; what is read are those that can be seen."""
        now = int(time.time())
        with harness.Client(self.server) as client:
            client.put_many([b'put key.%05d %d %d\n' % (i, i, now) for i in range(50_000)])
            before = int(client.stats()['requests'])
        screen = self.start_top()
        screen.expect('keys: 50000')
        screen.expect(lambda text: all(re.match(r'key\.\d+ +(\d+) +\1 +\1 +\1 ', line) for line in screen.lines[2:24]))
        with harness.Client(self.server) as client:
            asked = int(client.stats()['requests']) - before
        self.assertLess(asked, 2000)
        self.put_now('key.00003', 777)
        screen.expect(lambda text: re.search(r'\nkey\.00003 +777 +3 +777 ', text)
                      or re.search(r'\nkey\.00003 +777 +777 +777 ', text))
        screen.type('s')
        screen.expect(lambda text: self.rows(screen)[:2] == ['key.49999', 'key.49998'])
        screen.type('s')
        screen.expect(lambda text: 'MIN▾' in text and self.rows(screen)[:2] == ['key.49999', 'key.49998'])

    def test_end_while_an_answer_is_awaited(self):
        self.put_now('k', 1, 2, 3)
        screen = self.start_top()
        screen.expect(lambda text: re.search(r'\nk +3 +1 ', text))
        with self.server.paused():
            # Another window is asked for.
            screen.type('+')
            harness.wait_until(lambda: is_asked(self.server), 'the question')
            screen.type('q')
            screen.expect_prompt()
            self.assertNotIn('KEY', screen.text)
            self.check_restored(screen, 0)

    def test_no_color(self):
        self.put_now('k', 1, 2, 3)
        screen = self.start_top(ctl=Ctl(self.server, NO_COLOR='1'))
        screen.expect(lambda text: re.search(r'\nk +3 +1 ', text))
        self.assertNotRegex(screen.colored, r'\033\[(3[0-8]|9[0-7])')

    def test_locale_without_utf8(self):
        self.put_now('k', 1, 2, 3)
        screen = self.start_top(ctl=Ctl(self.server, LC_ALL='C'))
        self.assertTrue(screen.expect(lambda text: re.search(r'\nk +3 +1 ', text)).isascii())


if __name__ == '__main__':
    harness.main()
