# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl plot: pictures in pipes, compared with the data dot by dot, and live ones on a terminal of tmux."""

import calendar
import math
import os
import re
import signal
import time
import unittest
from fractions import Fraction

import harness
from ctl import Ctl, Terminal, TestCase
from plotmodel import Model, round_away
from screens import Picture, Screen, has_tmux, is_asked, width


class PlotTest(TestCase):
    def put_points(self, key, points):
        self.put(*(f'{key} {value} {time}' for time, value in points))

    def plot(self, *words, status=0, **env):
        result = Ctl(self.server, **env).run('plot', *words)
        self.assertEqual((result.status, result.err), (status, ''), result.out)
        return result.out

    def check_failure(self, *words, text):
        result = self.ctl.run('plot', *words)
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertIn(text, result.err)


class Dots(PlotTest):
    """What is drawn is what there is."""

    def check_picture(self, low, high, *runs, first=None, last=None, options=()):
        for run in runs:
            self.put_points('k', run)
        first = runs[0][0][0] if first is None else first
        last = runs[-1][-1][0] if last is None else last
        picture = Picture(self.plot('k', f'--from={first}', f'--to={last}', '--step', '1', '--width=60', '--height=20',
                                    *options))
        Model(picture, low, high, first, last).check(self, *runs)
        return picture

    def test_a_small_picture(self):
        self.put_points('k', [(0, 0), (10, 10), (20, 0)])
        self.assertEqual(self.plot('k', '--from', '0', '--to', '20', '--step', '1', '--width=24', '--height=7', '--utc'),
                         'k  1970-01-01 00:00:00 –\n'
                         '10┤        ⢀⠔⠊⠢⢄\n'
                         '  │     ⢀⠤⠊⠁    ⠑⠢⡀\n'
                         '  │  ⢀⡠⠒⠁         ⠈⠑⢄⡀\n'
                         ' 0┤⡠⠔⠁               ⠈⠢⢄\n'
                         '  └┬─────────┬─────────┬\n'
                         '   01-01 00:00:10\n')

    def test_a_rise(self):
        self.check_picture(0, 100, [(time, time) for time in range(0, 101, 10)])

    def test_up_and_down(self):
        self.check_picture(-10, 10, [(0, -10), (10, 10), (20, -7.25), (30, 3.5), (40, 0), (50, 10)])

    def test_dense(self):
        """More points than dots in a column: each of them is there."""
        points = [(1_700_000_000 + i, round(50 + 40 * math.sin(i / 7), 3)) for i in range(200)]
        self.check_picture(0, 100, points, options=('--min=0', '--max=100'))

    def test_a_gap(self):
        self.check_picture(0, 100, [(time, time) for time in range(0, 41, 5)], [(time, time) for time in range(60, 101, 5)])

    def test_one_that_is_missing_is_no_gap(self):
        self.check_picture(0, 100, [(time, time) for time in range(0, 101, 5) if time != 50])

    def test_points_far_from_one_another(self):
        """What is rare is joined; the usual distance is each series' own."""
        self.check_picture(0, 4, [(0, 0), (1000, 4), (2000, 1), (3000, 2)])

    def test_one_point(self):
        picture = self.check_picture(20, 24, [(50, 22)], first=0, last=100)
        self.assertEqual(len(picture.dots), 1)

    def test_a_constant(self):
        picture = self.check_picture(-6, -4, [(time, -5) for time in range(0, 101, 10)], options=('--min=-6', '--max=-4'))
        self.assertEqual(len({y for _, y in picture.dots}), 1)

    def test_very_large(self):
        self.check_picture(-1e308, 1e308, [(0, -1e308), (50, 1e308), (100, 0)],
                           options=('--min=-1e308', '--max=1e308'))

    def test_beyond_the_axis(self):
        self.put_points('k', [(0, 0), (100, 100)])
        picture = Picture(self.plot('k', '--from=0', '--to=100', '--step=100', '--min=40', '--max=60', '--width=60',
                                    '--height=20'))
        # Of the line what is there: its fifth in the middle.
        last = picture.columns * 2 - 1
        self.assertEqual(min(x for x, _ in picture.dots), round_away(Fraction(2, 5) * last))
        self.assertEqual(max(x for x, _ in picture.dots), round_away(Fraction(3, 5) * last))
        self.assertEqual({y for _, y in picture.dots}, set(range(picture.rows * 4)))

    def test_labels(self):
        """They stand in the line in which their value is."""
        picture = self.check_picture(0, 100, [(time, time) for time in range(0, 101, 10)])
        self.assertEqual(picture.labels[0], '100')
        self.assertEqual(picture.labels[picture.rows - 1], '0')
        for row, label in picture.labels.items():
            y = round_away((100 - Fraction(label)) / 100 * (picture.rows * 4 - 1))
            self.assertEqual(y // 4, row)


class Still(PlotTest):
    NOW = 1_795_179_785  # 2026-11-20 13:03:05 universal time

    def test_numbers_are_those_of_what_is_drawn(self):
        self.put_points('k', [(10, 1), (20, 5), (30, 3)])
        out = self.plot('k', '--from=15', '--to=40')
        self.assertRegex(out, r'\n +last +min +max +avg\nk +3 +3 +5 +4\n\Z')

    def test_numbers_that_differ_a_little(self):
        self.put_points('k', [(10, 2148000123), (20, 2148000999)])
        self.assertRegex(self.plot('k', '--from=0', '--to=40', '--step=1'),
                         r'\nk +2148000999 +2148000123 +2148000999 +2148000561\n\Z')

    def test_the_step(self):
        self.put_points('k', [(time, time % 60) for time in range(0, 3600, 10)])
        out = self.plot('k', '--from=0', '--to=3599', '--step=10m', '--function=count', '--utc')
        self.assertTrue(out.startswith('1970-01-01 00:00:00 – 1970-01-01 00:59:59  count/10m\n'), out)
        self.assertRegex(out, r'\nk +60 +60 +60 +60\n\Z')
        self.assertRegex(self.plot('k', '--from=0', '--to=3599', '-f', 'max', '-s', '1h'), r'\nk +50 +50 +50 +50\n\Z')

    def test_no_more_is_asked_for_than_can_be_seen(self):
        requests = []

        def serve(sock):
            rest = b''
            while True:
                while b'\n' not in rest:
                    data = sock.recv(65536)
                    if not data:
                        return
                    rest += data
                line, rest = rest.split(b'\n', 1)
                requests.append(line.decode().split())
                if line.startswith(b'keys'):
                    sock.sendall(b'ok\nk 100 0 1700000000\n\n')
                else:
                    sock.sendall(b'ok\nk 1.0 50\n\n')

        fake = self.fake(serve)
        for span, columns in (100, 80), (3600, 80), (86400, 40), (31_536_000, 200), (10**9, 80):
            requests.clear()
            result = Ctl(fake).run('plot', 'k', '--from=0', f'--to={span}', f'--width={columns}')
            self.assertEqual(result.status, 0, result.err)
            first, last, step = (int(word) for word in requests[-1][2:5])
            self.assertLessEqual((last - first) / step, 2 * columns * 2)
            self.assertEqual((first, last), (0, span))

    def test_sizes(self):
        self.put_points('a.long.key.of.a.room', [(time, 1000 * time) for time in range(100)])
        self.put_points('b', [(time, -time) for time in range(100)])
        for columns, lines in (16, 4), (20, 5), (17, 9), (40, 8), (80, 24), (200, 60), (1000, 500):
            for patterns in ['b'], ['*']:
                for options in [], ['--ascii']:
                    with self.subTest(columns=columns, lines=lines, patterns=patterns, options=options):
                        out = self.plot(*patterns, *options, '--from=0', '--to=99', f'--width={columns}', f'--height={lines}')
                        self.assertEqual(out.count('\n'), lines)
                        self.assertLessEqual(max(width(line) for line in out.split('\n')), columns)
                        self.assertNotRegex(out, r' \n')

    def test_no_terminal(self):
        """80 columns, 24 lines, and nothing that only a terminal understands."""
        self.put_points('a', [(time, time) for time in range(100)])
        self.put_points('b', [(time, 99 - time) for time in range(100)])
        out = self.plot('*', '--from=0', '--to=99', TERM='xterm-256color')
        self.assertNotIn('\033', out)
        self.assertEqual((out.count('\n'), max(len(line) for line in out.split('\n'))), (24, 79))

    def test_terminal(self):
        """As large as it is, with a line for the prompt, and colours."""
        self.put_points('k', [(time, time) for time in range(100)])
        shown = Terminal(self.ctl, 'plot', 'k', '--from=0', '--to=99', columns=60).finish().out
        self.assertIn('\033[94m', shown)
        plain = re.sub(r'\033\[[0-9;]*m', '', shown)
        self.assertEqual((plain.count('\n'), max(len(line) for line in plain.split('\n'))), (23, 60))

    def colors(self, *words, **env):
        shown = Terminal(Ctl(self.server, **env), 'plot', 'k', '--from=0', '--to=99', *words).finish().out
        return set(re.findall(r'\033\[([0-9;]*)m', shown))

    def test_colors(self):
        self.put_points('k', [(time, time) for time in range(100)])
        self.assertIn('38;5;33', self.colors(TERM='xterm-256color'))
        self.assertIn('38;5;33', self.colors(TERM='xterm', COLORTERM='truecolor'))
        self.assertIn('94', self.colors(TERM='xterm'))
        for env in {'TERM': 'dumb'}, {'TERM': ''}, {'NO_COLOR': '1'}:
            self.assertEqual(self.colors(**env), set(), env)
        self.assertEqual(self.colors('--color=never'), set())
        self.assertEqual(self.colors('--plain'), set())
        self.assertIn('94', self.colors('--color=always', NO_COLOR='1'))
        self.assertIn('\033[38;5;33m', self.plot('k', '--from=0', '--to=99', '--color=always', TERM='xterm-256color'))

    def test_ascii(self):
        self.put_points('k', [(0, 0), (10, 10), (20, 0)])
        span = ('--from=0', '--to=20', '--step=1', '--width=24', '--height=7', '--utc')
        expected = self.plot('k', '--ascii', *span)
        self.assertTrue(expected.isascii())
        self.assertEqual(expected, "k  1970-01-01 00:00:00 -\n"
                                   "10+        .:':.\n"
                                   "  |     ..''    ':.\n"
                                   "  |  ..''         ''..\n"
                                   " 0+.:'               ':.\n"
                                   '  ++---------+---------+\n'
                                   '   01-01 00:00:10\n')
        self.assertEqual(self.plot('k', *span, LC_ALL='C'), expected)

    def test_locale_without_utf8(self):
        self.put_points('温度', [(time, time) for time in range(100)])
        self.put_points('k', [(time, time) for time in range(100)])
        out = self.plot('*', '--from=0', '--to=99', LC_ALL='C')
        self.assertTrue(out.isascii())
        self.assertIn('\na ??', out)

    def test_letters_tell_series_apart(self):
        for number, key in enumerate('xyz'):
            self.put_points(key, [(time, 10 * number) for time in range(0, 100)])
        out = self.plot('*', '--from=0', '--to=99', '--ascii')
        rows = [line for line in out.split('\n') if re.match(r' *\d*[|+].* [abc]\Z', line)]
        self.assertEqual([row[-1] for row in rows], ['c', 'b', 'a'])
        for row in rows:
            self.assertEqual(set(row.split('+' if '+' in row else '|', 1)[1]) - {' '}, {row[-1]})
        self.assertEqual(re.findall(r'(?m)^([abc] [xyz]) ', out), ['a x', 'b y', 'c z'])

    def test_many_that_end_at_one_place(self):
        for number in range(6):
            self.put_points(f'k{number}', [(0, number), (100, 50)])
        self.assertRegex(self.plot('*', '--from=0', '--to=100'), r'(?m) [a-f][a-f]\+$')

    def test_what_is_drawn_is_named(self):
        """In a file all of it; on a terminal the picture makes room; where there is none the title has the names."""
        keys = [f'room.{number}' for number in range(12)]
        for number, key in enumerate(keys):
            self.put_points(key, [(time, number) for time in range(100)])
        span = ('--from=0', '--to=99')
        named = re.compile(r'(?m)^[a-z] (room\.\d+) ')
        self.assertEqual(named.findall(self.plot('*', *span, '--limit=12')), keys)
        out = self.plot('*', *span)
        self.assertEqual(named.findall(out), keys[:8])
        self.assertIn('\n4 more match and are not drawn (see --limit)\n', out)
        self.assertEqual(out.count('\n'), 24)
        shown = Terminal(Ctl(self.server, NO_COLOR='1'), 'plot', '*', *span, '--limit=11').finish().out
        self.assertEqual(named.findall(shown), keys[:11])
        self.assertEqual(shown.count('\n'), 23)
        for height in 5, 6, 7:
            out = self.plot('room.?', *span, '--limit=2', f'--height={height}')
            self.assertTrue(out.startswith('a room.0  b room.1  1970-01-01 '), out)
            self.assertTrue(self.plot('room.3', *span, f'--height={height}').startswith('room.3  1970-01-01 '))
        long = 'a' * 100
        self.put_points(long, [(0, 1)])
        self.assertRegex(self.plot(long, *span, '--height=5'), r'\Aa+…a+\n')

    def test_thousand_series(self):
        with harness.Client(self.server) as client:
            client.put_many([b'put k%d %d %d\n' % (key, key, time) for key in range(1000) for time in (0, 50, 100)])
        out = self.plot('*', '--from=0', '--to=100')
        self.assertIn('992 more match and are not drawn (see --limit)', out)
        out = self.plot('*', '--from=0', '--to=100', '--limit=52', '--height=200')
        self.assertIn('\nZ k51 ', out)
        self.assertIn('948 more match and are not drawn', out)

    def test_patterns(self):
        """Several, each key once, in the order in which they are asked for."""
        for key in 'abc':
            self.put_points(key, [(0, 1), (100, 2)])
        out = self.plot('c', 'b', '?', '--from=0', '--to=100')
        self.assertEqual(re.findall(r'(?m)^[a-z] ([a-z]) ', out), ['c', 'b', 'a'])

    def test_keys_like_patterns(self):
        """Only what was found is drawn, whatever a pattern of its name would match."""
        self.put_points('a*', [(0, 1), (100, 1)])
        self.put_points('ab', [(0, 9), (100, 9)])
        self.assertRegex(self.plot(r'a\*', '--from=0', '--to=100'), r'\na\* +1 +1 +1 +1\n')
        long = '*' * 1000
        self.put_points('?' + long, [(0, 3), (100, 3)])
        self.put_points('x' + long, [(0, 4), (100, 4)])
        self.assertRegex(self.plot('x*', '--from=0', '--to=100'), r'\nx\*+…\*+ +4 +4 +4 +4\n')

    def test_wide_and_combining_characters(self):
        for key in '温度温度', 'e\u0301e\u0301', 'plain':
            self.put_points(key, [(time, 1) for time in range(100)])
        legend = self.plot('*', '--from=0', '--to=99').rstrip('\n').split('\n')[-3:]
        self.assertEqual([width(line[:line.index(' 1 ')]) for line in legend], [width(legend[0][:legend[0].index(' 1 ')])] * 3)

    def test_what_commands_a_terminal(self):
        self.put_points('a\u202eb', [(0, 1), (100, 1)])
        self.assertIn('a\\xe2\\x80\\xaeb', self.plot('*', '--from=0', '--to=100'))

    def test_times(self):
        """Local ones, or universal ones."""
        self.put_points('k', [(self.NOW + minute * 60, minute) for minute in range(0, 121)])
        span = (f'--from={self.NOW}', f'--to={self.NOW + 7200}')
        local, universal = self.plot('k', *span), self.plot('k', '--utc', *span)
        self.assertIn('2026-11-20 14:03:05 – 2026-11-20 16:03:05', local)
        self.assertIn('2026-11-20 13:03:05 – 2026-11-20 15:03:05', universal)
        self.assertRegex(local, r'\n +14:\d\d +.*16:00')
        self.assertRegex(universal, r'\n +13:\d\d +.*15:00')
        self.assertEqual(self.plot('k', '--from', '2026-11-20 14:03:05', '--to', '2026-11-20T15:03:05Z'), local)
        self.assertEqual(self.plot('k', '--since=2h', '--to', str(self.NOW + 7200)), local)

    def test_default_span(self):
        now = int(time.time())
        self.put_points('old', [(100, 1), (200, 2)])
        self.put_points('new', [(100, 1), (now - 60, 2)])
        self.assertTrue(self.plot('old', '--utc').startswith('1970-01-01 00:01:40 – 1970-01-01 00:03:20  '))
        first, last = re.match(r'(\S+ \S+) – (\S+ \S+)  ', self.plot('new', '--utc')).groups()
        first, last = (time.mktime(time.strptime(text, '%Y-%m-%d %H:%M:%S')) for text in (first, last))
        self.assertEqual(last - first, 3600)
        # What began a minute ago is not an hour of nothing.
        self.put_points('young', [(now - 60, 1), (now - 1, 2)])
        first, last = re.match(r'(\S+ \S+) – (\S+ \S+)  ', self.plot('young', '--utc')).groups()
        first, last = (calendar.timegm(time.strptime(text, '%Y-%m-%d %H:%M:%S')) for text in (first, last))
        self.assertEqual(first, now - 60)
        self.assertGreaterEqual(last, now)

    def test_open_ends(self):
        self.put_points('k', [(100, 1), (200, 2), (5_000_000_000, 2)])
        self.assertTrue(self.plot('k', '--from', '-', '--to', '-', '--utc').startswith('1970-01-01 00:01:40 – 2128-06-11 '))

    def test_times_that_are_none(self):
        self.put_points('k', [(1_700_000_000_000 + i * 1000, i) for i in range(100)])
        out = self.plot('k')
        self.assertTrue(out.startswith('1700000000000 – 1700000099000  avg/1000\n'), out)
        self.assertRegex(out, r'\n +1700000000000 +')
        self.put_points('all', [(-2**63, 1), (2**63 - 1, 2), (0, 3)])
        self.assertRegex(self.plot('all'), r'\nall +2 +1 +3 +2\n')

    def test_rate(self):
        self.put_points('k', [(time, time * 1_500_000) for time in range(0, 600)])
        self.assertRegex(self.plot('k', '--from=60', '--to=599', '-f', 'rate'), r'\nk +1500000 +1500000 +1500000 +1500000\n')

    def test_nothing_to_see(self):
        self.check_failure('k', text='no key matches: k\n')
        self.put_points('k', [(100, 1), (500, 1)])
        self.check_failure('k', '--from=200', '--to=400',
                           text='no points from 1970-01-01 01:03:20 to 1970-01-01 01:06:40; '
                                'there are some from 1970-01-01 01:01:40 to 1970-01-01 01:08:20\n')
        self.check_failure('k', '--from=600', '--to=700', text='no points from ')

    def test_usage(self):
        self.put_points('k', [(100, 1)])
        for words, text in (((), 'arguments'), (('k', '--from', 'x'), "'x'"), (('k', '--since', 'x'), "'x'"),
                            (('k', '--step', '0'), "'0'"), (('k', '--function', 'mean'), "'mean'"),
                            (('k', '--min', 'x'), "'x'"), (('k', '--min', '5', '--max', '5'), '--max'),
                            (('k', '--width', '15'), '--width'), (('k', '--height', '501'), '--height'),
                            (('k', '--limit', '53'), '--limit'), (('k', '-n', '0'), '--limit'),
                            (('k', '--width', '0'), '--width'), (('k', '--since', '5x'), 'not a span of time'),
                            (('k', '-f', 'mean'), 'there are avg, '), (('x' * 2000,), 'up to 1024 bytes, not 2000'), (('k', '--color', 'red'), "'red'"),
                            (('k', '--from', '1', '--since', '1h'), '--since'), (('k', '--from', '2', '--to', '1'), 'ends'),
                            (('k', '--from', '0', '--to', '100000', '--step', '1'), '10000'),
                            (('k', '--json'), 'JSON'), (('a b',), "'a b'"), (('k', '--follow'), 'terminal'),
                            (('k', '--follow', '--to', '5'), '--follow')):
            with self.subTest(words):
                result = self.ctl.run('plot', *words)
                self.assertEqual((result.status, result.out), (2, ''), result.err)
                self.assertIn(text, result.err)
        self.assertEqual(Terminal(Ctl(self.server, TERM='dumb'), 'plot', 'k', '--follow').finish().status, 2)

    def test_no_server(self):
        for words in [], ['--follow']:
            self.assertEqual(Terminal(Ctl('127.0.0.1:1'), 'plot', 'k', *words).finish().status, 3)


@unittest.skipUnless(has_tmux(), 'there is no tmux')
class Follow(PlotTest):
    def screen(self, **arguments):
        return self.enterContext(Screen(self.ctl, **arguments))

    def put_now(self, *values, key='k'):
        now = int(time.time())
        self.put_points(key, [(now - len(values) + 1 + i, value) for i, value in enumerate(values)])

    def start_plot(self, screen, *words):
        """Between two looks at the terminal's modes; what is shown when it is drawn."""
        screen.run('stty -a > before; metricsctl plot --follow ' + ' '.join(words))
        return screen.expect(lambda text: '└' in text and '$' not in text)

    def check_restored(self, screen, status):
        screen.expect_prompt()
        self.assertTrue(screen.shows_cursor)
        screen.run('echo "status $?"; stty -a > after; cmp before after && echo same')
        screen.expect(f'\nstatus {status}\nsame\n')

    def test_a_put_appears(self):
        screen = self.screen()
        self.put_now(1, 1, 1)
        self.start_plot(screen, "'*' --step 1")
        self.assertTrue(screen.is_alternate)
        self.assertFalse(screen.shows_cursor)
        screen.expect(lambda text: re.search(r'\nk +1 +1 +1 ', text))
        self.put_now(7)
        screen.expect(lambda text: re.search(r'\nk +7 +1 +7 ', text))
        # One that is put again has its new value.
        self.put_now(1, 1, 1, 1, 1, 1)
        self.put_now(9)
        screen.expect(lambda text: re.search(r'\nk +9 +\d', text))
        # A key that was not there, too.
        self.put_now(3, key='other')
        screen.expect(lambda text: re.search(r'\nb other +3 +3 +3 ', text))
        screen.type('q')
        self.check_restored(screen, 0)

    def test_nothing_yet(self):
        screen = self.screen()
        self.start_plot(screen, 'k')
        screen.expect('no key matches yet, waiting: k\n')
        self.put_now(5)
        screen.expect(lambda text: re.search(r'\nk +5 +5 +5 ', text))
        screen.type('C-c')
        self.check_restored(screen, 130)

    def test_the_axis_moves(self):
        screen = self.screen()
        self.put_now(1)
        title = self.start_plot(screen, 'k', '--since', '1m').split('\n')[0]
        screen.expect(lambda text: '└' in text and text.split('\n')[0] != title)

    def test_many_points_at_once(self):
        screen = self.screen()
        self.start_plot(screen, 'k --function max')
        now = int(time.time())
        with harness.Client(self.server) as client:
            client.put_many([b'put k %d %d\n' % (i % 100, now - 500 + i // 200) for i in range(100_000)])
            client.put('k', 12345, now)
        screen.expect(lambda text: re.search(r'\nk +\S+ +\S+ +12345 ', text))

    def test_resize(self):
        screen = self.screen()
        self.put_now(1, 2, 3)
        self.put_now(1, 2, 3, key='other')
        self.start_plot(screen, "'*'")
        for columns, rows in (40, 12), (20, 5), (120, 40), (10, 3), (80, 24):
            screen.resize(columns, rows)
            if columns < 16:
                screen.expect(lambda text: text.startswith('too small'))
                continue
            # The axis reaches to where the margin begins, and the last line is the legend's or the axis'.
            screen.expect(lambda text: any(len(line) == columns - 3 and '└' in line for line in text.split('\n'))
                          and text.rstrip('\n').count('\n') in (rows - 1, rows - 2, rows - 3))
            self.assertLessEqual(max(width(line) for line in screen.lines), columns)
        screen.type('q')
        self.check_restored(screen, 0)

    def test_keys(self):
        screen = self.screen()
        self.put_now(*range(30))
        self.start_plot(screen, 'k', '--since', '10m', '--step', '1')

        def span():
            first, last = re.search(r'(\d\S+ \S+) – (\S+ \S+)  ', screen.text).groups()
            first, last = (time.mktime(time.strptime(text, '%Y-%m-%d %H:%M:%S')) for text in (first, last))
            return last - first, last

        def press(key, seconds):
            screen.type(key)
            harness.wait_until(lambda: span()[0] == seconds, f'{seconds} s')

        press('+', 300)
        press('Up', 150)
        press('-', 300)
        press('Down', 600)
        self.assertNotIn('paused', screen.text)
        screen.type(' ')
        screen.expect('paused')
        end = span()[1]
        self.put_now(777)
        screen.type('Left')
        harness.wait_until(lambda: span()[1] == end - 150, 'what was before')
        self.assertNotIn('777', screen.text)
        screen.type(' ')
        screen.expect(lambda text: 'paused' not in text and '777' in text)
        self.assertGreater(span()[1], end)

    def test_help(self):
        screen = self.screen()
        self.start_plot(screen, 'k')
        screen.type('?')
        screen.expect(lambda text: text.startswith('q ends'))
        screen.type('h')
        screen.expect(lambda text: re.match(r'\d{4}-', text))

    def test_stopped_and_going_on(self):
        screen = self.screen()
        self.put_now(1, 2, 3)
        self.start_plot(screen, 'k')
        screen.type('C-z')
        screen.expect(lambda text: 'Stopped' in text or 'suspended' in text.lower())
        self.assertFalse(screen.is_alternate)
        self.assertTrue(screen.shows_cursor)
        screen.run('fg')
        screen.expect(lambda text: '└' in text and 'fg' not in text)
        self.assertTrue(screen.is_alternate)
        screen.type('q')
        self.check_restored(screen, 0)

    def check_signal(self, number):
        screen = self.screen()
        self.put_now(1, 2, 3)
        screen.run("stty -a > before; sh -c 'echo $$ > pid; exec metricsctl plot --follow k'")
        screen.expect('└')
        with open(os.path.join(screen.folder, 'pid')) as file:
            os.kill(int(file.read()), number)
        self.check_restored(screen, 128 + number)

    def test_signals(self):
        for number in signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV:
            with self.subTest(number):
                self.check_signal(number)

    def test_the_server_goes_and_comes_back(self):
        server = self.start()
        self._server = server
        screen = self.screen()
        self.put_now(1, 2, 3)
        self.start_plot(screen, 'k --step 1')
        screen.expect(lambda text: re.search(r'\nk +3 ', text))
        server.kill()
        # What was drawn stays.
        screen.expect(lambda text: text.startswith('connecting again: ') and re.search(r'\nk +3 ', text))
        self._server = self.start('--port', server.port, '--host', '127.0.0.1')
        self.put_now(8)
        screen.expect(lambda text: re.match(r'\d{4}-', text) and re.search(r'\nk +8 ', text))
        self._server.kill()
        screen.expect(lambda text: not re.match(r'\d{4}-', text))
        screen.type('q')
        self.check_restored(screen, 0)

    def test_end_while_an_answer_is_awaited(self):
        screen = self.screen()
        self.put_now(1, 2, 3)
        self.start_plot(screen, 'k')
        screen.expect(lambda text: re.search(r'\nk +\d', text))
        with self.server.paused():
            screen.type('r')
            harness.wait_until(lambda: is_asked(self.server), 'the question')
            screen.type('q')
            screen.expect_prompt()
            self.assertNotIn('└', screen.text)
            self.check_restored(screen, 0)

    def test_no_color(self):
        screen = self.enterContext(Screen(Ctl(self.server, NO_COLOR='1')))
        self.put_now(1, 2, 3)
        self.start_plot(screen, 'k')
        screen.expect(lambda text: re.search(r'\nk +\d', text))
        self.assertNotRegex(screen.colored, r'\033\[(3[0-8]|9[0-7])')
        colored = self.screen()
        self.start_plot(colored, 'k')
        colored.expect(lambda text: re.search(r'\nk +\d', text))
        self.assertRegex(colored.colored, r'\033\[38;5;33m')

    def test_locale_without_utf8(self):
        screen = self.enterContext(Screen(Ctl(self.server, LC_ALL='C')))
        self.put_now(1, 2, 3)
        screen.run('metricsctl plot --follow k')
        self.assertTrue(screen.expect(lambda text: re.search(r'\nk +\d', text)).isascii())


if __name__ == '__main__':
    harness.main()
