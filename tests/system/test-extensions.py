#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The extensions of the protocol but for buckets: ping, last, range, keys, del, stats, help, quit, and the
patterns and times that they take."""

import os
import random
import time

from harness import OK, WRONG, TestCase, main
from model import Model, compile_pattern

STATS = {
    'uptime', 'points', 'series', 'memory', 'resident', 'cpu_microseconds', 'connections', 'connections_accepted',
    'connections_refused', 'watchers', 'points_dropped', 'requests', 'errors', 'bytes_received', 'bytes_sent', 'largest_slice',
    'slice_limit', 'connection_limit', 'line_limit', 'unsent_limit', 'series_limit', 'memory_limit', 'points_expired',
    'rollup_points', 'rollup_series'}


class ExtensionTest(TestCase):
    OPTIONS = ()

    def setUp(self):
        self.server = self.start(*self.OPTIONS)
        self.sut = self.client(self.server)
        self.model = Model()

    def put(self, *points):
        """Puts (key, value, time) into the server and into the model."""
        for point in points:
            self.model.put(*point)
        self.sut.put_many([f'put {key} {value!r} {moment}\n'.encode() for key, value, moment in points])

    def assert_wrong(self, *lines):
        for line in lines:
            self.assertEqual(self.sut.ask(line), WRONG, line[:200])


class SmallCommandsTest(ExtensionTest):
    def test_ping(self):
        self.assertEqual(self.sut.ask(b'ping'), OK)
        self.assertEqual(self.sut.ask(b' ping \r'), OK)
        self.assert_wrong(b'ping x', b'pin', b'pingg', b'PING', b'ping\x00')

    def test_help(self):
        rows = self.sut.rows(b'help')
        commands = [row.split()[0] for row in rows]
        for command in (b'put', b'get', b'ping', b'last', b'range', b'keys', b'del', b'watch', b'unwatch',
                        b'stats', b'help', b'quit'):
            self.assertIn(command, commands)
        self.assert_wrong(b'help put', b'helpp')

    def test_quit(self):
        self.sut.send(b'put k 1 1\nquit\nput k 2 2\nping\n')
        self.assertEqual(self.sut.recv_exactly(2 * len(OK)), OK + OK)
        self.sut.expect_eof()
        self.assertEqual(self.client(self.server).ask(b'get k'), b'ok\nk 1.0 1\n\n')

    def test_quit_takes_no_words(self):
        self.assert_wrong(b'quit now', b'quitt', b'QUIT')
        self.assertEqual(self.sut.ask(b'ping'), OK)

    def test_quit_after_large_answers(self):
        self.put(*(('k', float(i), i) for i in range(50000)))
        self.sut.send(b'get k\nget k\nquit\n')
        want = b'ok\n' + b''.join(row + b'\n' for row in self.model.get_rows('k')) + b'\n'
        self.assertEqual(self.sut.recv_all(), want * 2 + OK)

    def test_unknown_extensions(self):
        self.assert_wrong(b'pong', b'lasts k', b'delete k', b'rang k - -', b'key *', b'stat', b'exit')


class StatsTest(ExtensionTest):
    OPTIONS = ('--connection-limit', '77', '--unsent-limit', '64K', '--series-limit', '1234', '--memory-limit', '50M',
               '--slice-limit', '999', '--line-limit', '2000')

    def test_stats_names_and_limits(self):
        stats = self.sut.stats()
        self.assertLessEqual(STATS, stats.keys())
        for name, value in (('connection_limit', 77), ('unsent_limit', 65536), ('series_limit', 1234),
                            ('memory_limit', 50 << 20), ('slice_limit', 999), ('line_limit', 2000)):
            self.assertEqual(stats[name], value, name)
        self.assert_wrong(b'stats x')

    def test_stats_count(self):
        before = self.sut.stats()
        others = [self.client(self.server) for _ in range(3)]
        for i, other in enumerate(others):
            other.put('k', i, i)
            other.put('k2', i, 0)
            self.assertEqual(other.ask(b'nonsense'), WRONG)
        others.pop().close()
        after = self.sut.stats()
        self.assertEqual(after['connections_accepted'] - before['connections_accepted'], 3)
        self.assertIn(after['connections'] - before['connections'], (2, 3))  # the end of one may be under way
        self.assertEqual((after['points'], after['series']), (4, 2))
        self.assertEqual(after['errors'] - before['errors'], 3)
        self.assertIn(after['requests'] - before['requests'], (9, 10))
        received = 3 * len('put k 0 0\nput k2 0 0\nnonsense\n') + len('stats\n')
        self.assertEqual(after['bytes_received'] - before['bytes_received'], received)
        self.assertGreater(after['bytes_sent'] - before['bytes_sent'], 3 * len(OK + OK + WRONG) - 1)
        self.assertGreater(after['memory'], 0)
        self.assertGreater(after['largest_slice'], 0)

    def test_process(self):
        """What the server says of its process is what the kernel says."""
        with open(f'/proc/{self.server.pid}/stat') as stat:
            ticks = sum(int(word) for word in stat.read().rpartition(')')[2].split()[11:13])
        stats = self.sut.stats()
        with open(f'/proc/{self.server.pid}/statm') as statm:
            resident = int(statm.read().split()[1]) * os.sysconf('SC_PAGESIZE')
        self.assertGreaterEqual(stats['cpu_microseconds'] * os.sysconf('SC_CLK_TCK'), (ticks - 1) * 1_000_000)
        self.assertTrue(resident / 2 < stats['resident'] < resident * 2, (stats['resident'], resident))


class LastTest(ExtensionTest):
    def test_last(self):
        self.put(('a', 1.0, 5), ('b', 2.0, -3), ('a', 2.0, 9), ('a', 3.0, 7), ('b', 4.0, -9), ('c', 1.0, 0))
        for pattern in ('*', 'a', '?', 'b', 'none', 'a*', '[ab]', '**'):
            self.assertEqual(self.sut.rows(f'last {pattern}'.encode()), self.model.last_rows(pattern), pattern)
        self.assert_wrong(b'last', b'last a b')

    def test_last_of_long_series(self):
        rng = random.Random(1)
        self.put(*((f'k{rng.randrange(20)}', rng.random(), rng.randrange(10 ** 6)) for _ in range(20000)))
        self.assertEqual(self.sut.rows(b'last *'), self.model.last_rows('*'))
        self.put(*((f'k{i}', 1.0, 10 ** 7 + i) for i in range(10)))
        self.assertEqual(self.sut.rows(b'last *'), self.model.last_rows('*'))


class KeysTest(ExtensionTest):
    def test_keys(self):
        self.put(('b', 1.0, 5), ('a', 1.0, -5), ('b', 1.0, -7), ('b', 2.0, 5), ('ccc', 1.0, 2 ** 63 - 1), ('ccc', 1.0, -2 ** 63))
        self.assertEqual(self.sut.rows(b'keys *'), [
            b'b 2 -7 5', b'a 1 -5 -5', b'ccc 2 -9223372036854775808 9223372036854775807'])
        for pattern in ('*', '?', 'a', 'b*', 'none', '*c'):
            self.assertEqual(self.sut.rows(f'keys {pattern}'.encode()), self.model.keys_rows(pattern), pattern)
        self.assert_wrong(b'keys', b'keys a b')


class RangeTest(ExtensionTest):
    def test_range_is_inclusive(self):
        self.put(*(('k', float(i), i) for i in range(-5, 6)))
        for start, end in ((-5, 5), (-4, 4), (0, 0), (5, 5), (6, 9), (-9, -6), (-9, -5), (5, 9), (2, 1)):
            self.assertEqual(
                self.sut.rows(f'range k {start} {end}'.encode()), self.model.range_rows('k', start, end), (start, end))

    def test_range_open_ends_and_extremes(self):
        self.put(*(('k', 1.0, moment) for moment in (-2 ** 63, -1, 0, 1, 2 ** 63 - 1)))
        everything = self.model.get_rows('k')
        for line, want in (
                (b'range k - -', everything), (b'range k - 0', everything[:3]), (b'range k 0 -', everything[2:]),
                (b'range k -9223372036854775808 9223372036854775807', everything),
                (b'range k -9223372036854775808 -9223372036854775808', everything[:1]),
                (b'range k 9223372036854775807 -', everything[4:]), (b'range k +0 -0', everything[2:3]),
                (b'range k 2 9223372036854775806', [])):
            self.assertEqual(self.sut.rows(line), want, line)

    def test_range_of_many_series(self):
        rng = random.Random(2)
        self.put(*((f'k{rng.randrange(30)}', rng.random(), rng.randrange(5000)) for _ in range(30000)))
        for _ in range(60):
            pattern = rng.choice(('*', 'k1*', 'k?', 'k7', '*3', 'none*'))
            start, end = rng.randrange(-100, 5100), rng.randrange(-100, 5100)
            self.assertEqual(
                self.sut.rows(f'range {pattern} {start} {end}'.encode()), self.model.range_rows(pattern, start, end))

    def test_range_wrong(self):
        self.assert_wrong(
            b'range', b'range k', b'range k 1', b'range k 1 2 3', b'range k 1 2 3 avg x', b'range k a 2', b'range k 1 b',
            b'range k 1.0 2', b'range k 9223372036854775808 -', b'range k - 1e3', b'range k -- -', b'range k + -', b'range k * *')


class TimeTest(ExtensionTest):
    def test_now(self):
        """Points at times between the borders, with minutes to spare on either side."""
        now = int(time.time())
        ages = {'1m': 60, '1h': 3600, '1d': 86400, '1w': 604800, '9w': 9 * 604800}
        self.put(*((name, 1.0, now - age) for name, age in ages.items()), ('ahead', 1.0, now + 3600))
        for span, seconds in (('30m', 1800), ('1800s', 1800), ('2h', 7200), ('2d', 172800), ('2w', 1209600),
                              ('100000000s', 10 ** 8), ('0005h', 18000), ('48h', 172800)):
            want = [name.encode() for name, age in ages.items() if age <= seconds]
            rows = self.sut.rows(f'range * now-{span} now'.encode())
            self.assertEqual([row.split()[0] for row in rows], want, span)
            rows = self.sut.rows(f'range * - now-{span}'.encode())
            want = [name.encode() for name, age in ages.items() if age > seconds]
            self.assertEqual([row.split()[0] for row in rows], want, span)
        self.assertEqual(self.sut.rows(b'range * now -'), [f'ahead 1.0 {now + 3600}'.encode()])
        self.assertEqual(len(self.sut.rows(b'range * now-0s -')), 1)

    def test_now_is_this_second(self):
        before = int(time.time())
        # Where the server's clock stands lies between two readings of ours.
        self.sut.put_many([f'put t 1 {before + offset}\n'.encode() for offset in range(-1000, 1001)])
        newest = int(self.sut.rows(b'range t - now')[-1].split()[2])
        oldest = int(self.sut.rows(b'range t now-1m now')[0].split()[2]) + 60
        after = int(time.time())
        self.assertTrue(before <= newest <= after and before <= oldest <= after, (before, newest, oldest, after))

    def test_wrong_times(self):
        bad = ('now-', 'now-5', 'now-s', 'now-5y', 'now-5S', 'now+5s', 'now--5s', 'now-+5s', 'now-5.5h', 'now-5 h', 'Now', 'NOW',
               'now5s', 'nov', 'now-5ms', 'now-5s5s', '-5s', '5s', 'now-99999999999999999999s', 'now-9223372036854775807w', '--', '')
        for text in bad:
            self.assert_wrong(f'range k {text} -'.encode(), f'range k - {text}'.encode(), f'del k {text} -'.encode())

    def test_now_is_no_timestamp_of_put(self):
        self.assert_wrong(b'put k 1 now', b'put k 1 -', b'put k 1 now-1m')


class DeleteTest(ExtensionTest):
    def test_delete_whole_keys(self):
        self.put(('aa', 1.0, 1), ('ab', 1.0, 1), ('b', 1.0, 1), ('aa', 1.0, 2))
        self.assertEqual(self.sut.ask(b'del none'), b'ok\n0\n\n')
        self.assertEqual(self.sut.ask(b'del a?'), b'ok\n3\n\n')
        self.assertEqual(self.sut.ask(b'get *'), b'ok\nb 1.0 1\n\n')
        self.assertEqual(self.sut.ask(b'del a?'), b'ok\n0\n\n')
        self.assertEqual(self.sut.ask(b'del *'), b'ok\n1\n\n')
        stats = self.sut.stats()
        self.assertEqual((stats['points'], stats['series']), (0, 0))

    def test_delete_spans(self):
        self.put(*((key, float(i), i) for key in 'abc' for i in range(3000)))
        for pattern, start, end in (('a', 5, 5), ('a', 0, 4), ('?', 100, 1500), ('b', 2999, 5000), ('c', -5, -1), ('*', 7, 3),
                                    ('c', 0, 2998), ('[c]', 0, 9)):
            deleted = self.model.delete(pattern, start, end)
            self.assertEqual(self.sut.ask(f'del {pattern} {start} {end}'.encode()), f'ok\n{deleted}\n\n'.encode())
            self.assertEqual(self.sut.rows(b'get *'), self.model.all_rows())
        self.assertEqual(self.sut.rows(b'get c'), [b'c 2999.0 2999'])
        self.assertEqual(self.sut.ask(b'del * - -'), b'ok\n%d\n\n' % len(self.model.all_rows()))
        self.assertEqual(self.sut.ask(b'get *'), OK)

    def test_delete_wrong(self):
        self.put(('k', 1.0, 1))
        self.assert_wrong(b'del', b'del k 1', b'del k 1 2 3', b'del k a b', b'del k 1 x', b'del \\', b'del k now-1 -')
        self.assertEqual(self.sut.rows(b'get *'), [b'k 1.0 1'])

    def test_delete_gives_memory_back(self):
        before = self.sut.stats()['memory']
        for _ in range(3):
            self.sut.put_many([f'put k{i % 300} {i * 0.37!r} {i}\n'.encode() for i in range(60000)])
            full = self.sut.stats()['memory']
            self.assertEqual(self.sut.ask(b'del *'), b'ok\n60000\n\n')
            self.assertGreater(full, before + 60000)
            self.assertLess(self.sut.stats()['memory'] - before, (full - before) // 10)


class PatternTest(ExtensionTest):
    KEYS = ('a', 'b', 'aa', 'ab', 'ba', 'abc', 'a.b', 'a.b.c', 'a*c', 'a?c', 'a\\c', '**', '?', '\\', '[ab]', 'é', 'éa', 'aé', 'ñandú',
            'ключ', '鍵', '鍵鍵', '\U0001f600', 'e\u0301', 'aaaaaaaaab', 'abababab', 'host.x.cpu.0', 'host.y.cpu.1', 'host.x.mem')

    def setUp(self):
        super().setUp()
        self.put(*((key, 1.0, 1) for key in self.KEYS))

    def assert_matches(self, pattern):
        found = [row.split()[0].decode() for row in self.sut.rows(f'last {pattern}'.encode())]
        self.assertEqual(found, self.model.keys(pattern), pattern)
        return found

    def test_patterns_by_hand(self):
        for pattern in ('*', '**', '?', '??', '*a', 'a*', '*a*', 'a?', '?b', '*.*', '*.?', 'a\\*c', 'a\\?c', 'a\\\\c', '\\*\\*', '\\?',
                        '\\\\', '[ab]', '\\[ab\\]', '\\a', '\\é', 'é', 'é?', '?é', '*é*', '??????', 'к*ч', '鍵?', '?鍵', '\U0001f600', '*ab',
                        'a*b*', '*ab*ab', '*aaaab', 'host.*.cpu.*', 'host.?.cpu.?', '*.x.*', 'host*', '*host', '?*', '*?', '?*?', '***?***'):
            self.assert_matches(pattern)
        self.assertEqual(self.assert_matches('\\*\\*'), ['**'])
        self.assertEqual(self.assert_matches('a\\?c'), ['a?c'])
        self.assertEqual(self.assert_matches('e?'), ['e\u0301'])

    def test_random_patterns(self):
        rng = random.Random(3)
        for _ in range(2500):
            pattern = ''.join(rng.choice('**?ab.cé鍵хhx') if rng.random() < .9 else '\\' + rng.choice('*?\\aé')
                              for _ in range(rng.randrange(1, 9)))
            self.assert_matches(pattern)

    def test_invalid_patterns(self):
        for command in (b'last %s', b'keys %s', b'del %s', b'range %s - -', b'range %s - - 5 avg', b'del %s 1 2'):
            for pattern in (b'\\', b'a\\', b'*\\', b'\\\\\\', b'\xff', b'a\xc3', b'*\xed\xa0\x80', b'a\x00b'):
                self.assert_wrong(command % pattern)
        self.assertEqual(len(self.sut.rows(b'get *')), len(self.KEYS))

    def test_pattern_is_whole_key(self):
        self.assertEqual(self.assert_matches('cpu'), [])
        self.assertEqual(self.assert_matches('host'), [])

    def test_every_command_takes_the_same_patterns(self):
        matches = compile_pattern('*a*').fullmatch
        want = [key for key in self.KEYS if matches(key)]
        for line in ('last *a*', 'range *a* - -', 'range *a* - - 1 count', 'keys *a*'):
            self.assertEqual([row.split()[0].decode() for row in self.sut.rows(line.encode())], want, line)
        self.assertEqual(self.sut.ask(b'del *a*'), b'ok\n%d\n\n' % len(want))


class RandomOperationsTest(ExtensionTest):
    OPTIONS = ('--slice-limit', '256')

    def operation(self, rng):
        """One request and its answer by the model."""
        kind = rng.random()
        key = f'k{rng.randrange(12)}'
        moment = rng.randrange(-300, 300) * rng.choice((1, 1, 7, 1000))
        pattern = rng.choice((key, '*', 'k?', 'k1*', '*2'))
        start = rng.randrange(-600, 600)
        end = start + rng.randrange(-10, 500)
        if kind < .8:
            value = rng.choice((rng.randrange(100) / 4, rng.random(), float(rng.randrange(10))))
            self.model.put(key, value, moment)
            return f'put {key} {value!r} {moment}', []
        if kind < .84:
            return f'get {key}', self.model.get_rows(key)
        if kind < .86:
            return f'last {pattern}', self.model.last_rows(pattern)
        if kind < .90:
            return f'range {pattern} {start} {end}', self.model.range_rows(pattern, start, end)
        if kind < .92:
            return f'keys {pattern}', self.model.keys_rows(pattern)
        if kind < .97:
            return f'del {pattern} {start} {end}', [str(self.model.delete(pattern, start, end)).encode()]
        if kind < .99:
            return f'del {key}', [str(self.model.delete(key)).encode()]
        return 'get *', self.model.all_rows()

    def test_random_operations(self):
        for seed in range(4):
            rng = random.Random(seed)
            self.model = Model()
            self.sut.ask(b'del *')
            for _ in range(40):
                steps = [self.operation(rng) for _ in range(rng.randrange(1, 200))]
                self.sut.send(''.join(line + '\n' for line, _ in steps).encode())
                replies = self.sut.recv_replies(len(steps))
                for (line, rows), reply in zip(steps, replies):
                    want = b'ok\n' + b''.join(row + b'\n' for row in rows) + b'\n'
                    self.assertEqual(reply, want, f'{line} (seed {seed})')
            stats = self.sut.stats()
            self.assertEqual(stats['series'], len(self.model.series))
            self.assertEqual(stats['points'], len(self.model.all_rows()))


if __name__ == '__main__':
    main()
