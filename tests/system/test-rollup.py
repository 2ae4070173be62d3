#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rollups: what is answered from them is what the points would answer, also when these are gone; nothing else shows
them; they follow deletions, late points and other rules, over restarts and crashes."""

import pathlib
import tempfile
import time

from harness import OK, TestCase, main, run, wait_until

HOUR = 3600
DAY = 24 * HOUR
RULE = 'cpu.*=avg 1m:60d 1h:10y'


class RollupTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.state = self.folder / 'state'
        # Whole hours: what is asked for later can end at one.
        self.end = int(time.time()) // HOUR * HOUR

    def configure(self, rollup, retention=()):
        path = self.folder / 'metricsd.conf'
        path.write_text('[retention]\n' + '\n'.join(retention) + '\n[rollup]\n' + '\n'.join(rollup) + '\n')
        return path

    def start_rolling(self, *rollup, retention=(), options=()):
        server = self.start('--state-dir', self.state, '--config', self.configure(rollup, retention), *options)
        return server, self.client(server)

    def put_history(self, client, key, days, step):
        """Points from so many days ago until the last whole hour. Sums of their values are exact."""
        times = range(self.end - days * DAY, self.end + 1, step)
        client.put_many([b'put %s %d %d\n' % (key.encode(), stamp // step * 7919 % 1009, stamp) for stamp in times])

    def wait_rolled(self, client, key, count):
        """Waits until so many points are rolled up in all."""
        wait_until(lambda: client.stats()['rollup_points'] == count, f'{count} points')

    def ranges(self, client, pattern, days):
        """Answers that can be made of what RULE keeps."""
        start = self.end - (days + 1) * DAY
        return [client.rows(f'range {pattern} {first} {self.end - 1} {step} {function}'.encode())
                for function in ('avg', 'sum', 'count')
                for first, step in ((start, HOUR), (start, DAY), (start + 5 * HOUR, 2 * HOUR), ('-', 60))]


class AnswerTest(RollupTest):
    def test_hidden(self):
        server, client = self.start_rolling(RULE, options=('--series-limit', '2'))
        self.put_history(client, 'cpu.user', 1, 60)
        client.put('other', 1.0, 5)
        before = [client.ask(line) for line in (b'get *', b'get cpu.user', b'keys *', b'last *', b'range * - -')]
        self.wait_rolled(client, 'cpu.user', 2 * (24 * 60 + 24))
        self.assertEqual(before, [client.ask(line) for line in (b'get *', b'get cpu.user', b'keys *', b'last *',
                                                                b'range * - -')])
        stats = client.stats()
        self.assertEqual((stats['points'], stats['series'], stats['rollup_series']), (24 * 60 + 2, 2, 4))
        for line in (b'get cpu.user\x1fsum/60', b'put cpu.user\x1fsum/60 1 1', b'get cpu.user\x1f'):
            self.assertEqual(client.ask(line), b'error\nwrong command\n\n')
        for line in (b'last cpu.user\x1fsum/60', b'range cpu.user\x1fsum/60 - -', b'range *sum/60 - - 60 sum'):
            self.assertEqual(client.ask(line), OK)
        self.assertEqual(client.ask(b'del *\x1f*'), b'ok\n0\n\n')

    def test_same_answers(self):
        plain = self.client(self.start())
        server, client = self.start_rolling(RULE)
        for to in (plain, client):
            self.put_history(to, 'cpu.user', 3, 10)
        self.wait_rolled(client, 'cpu.user', 2 * 3 * (24 * 60 + 24))
        functions = ('avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'median', 'p95', 'rate')
        for function in functions:
            for first, last, step in (('-', '-', 60), ('-', '-', HOUR), (self.end - 2 * DAY + 7, self.end - 77, 120),
                                      (self.end - DAY, '-', 90), (self.end - 3000, self.end, 7 * HOUR)):
                line = f'range * {first} {last} {step} {function}'.encode()
                self.assertEqual(client.rows(line), plain.rows(line), line)

    def test_late_points_and_deletions(self):
        plain = self.client(self.start())
        server, client = self.start_rolling(RULE)
        for to in (plain, client):
            self.put_history(to, 'cpu.user', 1, 10)
        self.wait_rolled(client, 'cpu.user', 2 * (24 * 60 + 24))
        middle = self.end - DAY // 2
        for line in (f'put cpu.user 5000 {middle + 3}', f'put cpu.user 1 {middle}', f'put cpu.user 77 {middle - 2 * DAY}',
                     f'del cpu.user {middle - 5 * HOUR - 5} {middle - 3 * HOUR + 5}', 'del nothing'):
            self.assertEqual(client.ask(line.encode()), plain.ask(line.encode()))
            self.assertEqual(self.ranges(client, '*', 4), self.ranges(plain, '*', 4), line)
        self.assertEqual(client.ask(b'del cpu.*'), plain.ask(b'del cpu.*'))
        self.assertEqual(client.ask(b'range * - - 60 avg'), OK)
        self.assertEqual((client.stats()['rollup_points'], client.stats()['rollup_series']), (0, 0))


class LastingTest(RollupTest):
    def test_points_go_and_rollups_stay(self):
        server, client = self.start_rolling(RULE)
        for key in ('cpu.user', 'cpu.idle'):
            self.put_history(client, key, 5, 20)
        expected = self.ranges(client, '*', 5)
        one = self.ranges(client, 'cpu.idle', 5)
        count = 2 * 2 * 5 * (24 * 60 + 24)
        self.wait_rolled(client, '*', count)
        self.assertEqual(self.ranges(client, '*', 5), expected)
        server.stop()

        server, client = self.start_rolling(RULE, retention=('*=2d',))
        wait_until(lambda: client.stats()['points_expired'] > 0, 'the sweep')
        self.assertEqual(self.ranges(client, '*', 5), expected)
        self.assertEqual(self.ranges(client, 'cpu.idle', 5), one)
        oldest = int(client.rows(b'get cpu.user')[0].split()[2])
        self.assertGreater(oldest, self.end - 2 * DAY - HOUR)
        self.assertEqual(client.rows(f'range * - {oldest - 1}'.encode()), [])
        # A function that the rule does not keep has the points that are left.
        self.assertEqual(len(client.rows(b'range cpu.idle - %d 3600 max' % (oldest - 1))), 0)
        client.put('cpu.user', 1.0, self.end - 100)
        wait_until(lambda: client.stats()['bytes_unwritten'] == 0, 'the commit of what the sweep deleted')
        server.kill()

        server, client = self.start_rolling('cpu.*=sum 1h:10y', retention=('*=2d',))
        wait_until(lambda: client.stats()['rollup_series'] <= 4, 'the tier that is asked for no more')
        start = self.end - 6 * DAY
        sums = [row.split() for row in client.rows(f'range cpu.idle {start} {self.end - 1} 3600 sum'.encode())]
        self.assertEqual([row.split() for row in one[4]], sums)
        self.assertEqual(client.rows(f'range cpu.idle {start} {start + DAY} 60 sum'.encode()), [])
        # What is rolled up goes with the points, and also where none are left.
        self.assertNotEqual(client.ask(b'del cpu.user'), b'ok\n0\n\n')
        self.assertEqual(client.ask(b'range cpu.user - - 3600 sum'), OK)
        client.ask(f'del cpu.idle {oldest - DAY} -'.encode())
        self.assertEqual(client.ask(b'get *'), OK)
        rows = client.rows(b'range * - - 3600 sum')
        self.assertEqual(rows, [b' '.join(row) for row in sums if int(row[2]) < oldest - DAY])
        self.assertTrue(rows)
        client.ask(b'del *')
        self.assertEqual(client.ask(b'range * - - 3600 sum'), OK)
        self.assertEqual(client.stats()['rollup_points'], 0)

    def test_a_late_point_survives_a_crash(self):
        server, client = self.start_rolling(RULE, options=('--durability', 'always'))
        self.put_history(client, 'cpu.user', 1, 10)
        self.wait_rolled(client, 'cpu.user', 2 * (24 * 60 + 24))
        for late in range(10):
            client.put('cpu.user', 100000.0 + late, self.end - late * 5000 - 4321)
        expected = self.ranges(client, '*', 1)
        server.kill()

        server, client = self.start_rolling(RULE)
        self.assertEqual(self.ranges(client, '*', 1), expected)
        plain = self.client(self.start())
        plain.put_many([b'put ' + row + b'\n' for row in client.rows(b'get *')])
        self.assertEqual(self.ranges(plain, '*', 1), expected)

    def test_no_configuration_removes_nothing(self):
        server, client = self.start_rolling(RULE)
        self.put_history(client, 'cpu.user', 1, 60)
        count = 2 * (24 * 60 + 24)
        self.wait_rolled(client, 'cpu.user', count)
        server.stop()
        server = self.start('--state-dir', self.state)
        client = self.client(server)
        self.assertEqual(client.stats()['rollup_points'], count)
        self.assertEqual(len(client.rows(b'keys *')), 1)
        server.stop()
        server, client = self.start_rolling()
        wait_until(lambda: client.stats()['rollup_points'] == 0, 'the rollups without a rule')
        self.assertEqual(client.stats()['points'], 24 * 60 + 1)

    def test_too_old_tiers_go(self):
        rule = '*=max 1m:6h 1h:10y'
        server, client = self.start_rolling(rule)
        self.put_history(client, 'k', 2, 60)
        # Where there is no file yet, the clock is not believed, and nothing is too old.
        self.wait_rolled(client, 'k', 2 * (24 * 60 + 24))
        server.stop()

        server, client = self.start_rolling(rule)
        # Whatever the minute is now: up to six hours of minutes, and some that are to go together.
        wait_until(lambda: 48 + 4 * 60 <= client.stats()['rollup_points'] <= 48 + 6 * 60 + 12, 'the hours')
        self.assertEqual(len(client.rows(b'range k - - 60 max')), 2 * 24 * 60 + 1)


class ConfigTest(RollupTest):
    def test_wrong_rules(self):
        for rule, reason in (('a=p95 1m:1d', 'percentile'), ('a=rate 1m:1d', 'rate'), ('a=median 1m:1d', 'percentile'),
                             ('a=mean 1m:1d', "'mean': a rule begins with a function"), ('a=1m:1d', 'function'), ('a=avg', 'at least one tier'),
                             ('a=', 'at least one tier'), ('a=avg 1m', "'1m': a tier is STEP:KEEP"), ('a=avg 1m:', "'1m:': a tier is"),
                             ('a=avg 1M:60d', 'm (minutes)'), ('a=avg ' + ' '.join(f'{2**i}m:60d' for i in range(9)), "'256m:60d': at most 8 tiers"),
                             ('a=avg 0s:1d', 'STEP:KEEP'), ('a=avg 1h:1m', 'longer than its step'),
                             ('a=avg 1m:1d 90s:2d', 'multiple'), ('a=avg 1h:1d 1m:2d', 'multiple'),
                             ('a=avg 1m:2d 1h:1d', 'at least as long'), ('a=avg 1m:2m 1h:1d', 'at least')):
            with self.subTest(rule=rule):
                result = run('--config', self.configure([rule]))
                self.assertEqual(result.returncode, 2)
                self.assertIn('[rollup] a: ', result.stderr)
                self.assertIn(reason, result.stderr)


if __name__ == '__main__':
    main()
