#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Retention: what is refused as too old, what goes when a server starts with other rules, what a dry run says of it
before, and which configurations are refused."""

import pathlib
import sqlite3
import subprocess
import tempfile
import time
from random import Random

from harness import Client, TestCase, binary, main, run, wait_until

TOO_OLD = b'error\nolder than retention\n\n'
DAY = 24 * 3600
HEADER = ['SERIES', 'SHORTENED', 'POINTS', 'BYTES', 'RULE']


class RetentionTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.state = self.folder / 'state'
        self.now = int(time.time())

    def configure(self, *rules, group='retention', name='metricsd.conf'):
        path = self.folder / name
        path.write_text(f'[{group}]\n' + ''.join(rule + '\n' for rule in rules))
        return path

    def start_stored(self, *options):
        return self.start('--state-dir', self.state, *options)

    def put_history(self, client, key, days, step):
        """Points from so many days ago until now."""
        times = range(self.now - days * DAY, self.now + 1, step)
        client.put_many([b'put %s %d.%d %d\n' % (key.encode(), time % 97, time % 7, time) for time in times])
        return list(times)

    def show(self, path):
        """What the dry run says: figures by rule."""
        result = subprocess.run([binary(), '--show-retention', '--config', path, '--state-dir', self.state],
                                capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(result.stderr, '')
        rows = [line.split(maxsplit=4) for line in result.stdout.splitlines()]
        self.assertEqual(rows[0], HEADER)
        return {rule: tuple(None if figure == '-' else int(figure) for figure in figures) for *figures, rule in rows[1:]}

    def times(self, client, key):
        return [int(row.split()[2]) for row in client.rows(b'get ' + key.encode())]


class RefuseTest(RetentionTest):
    def test_too_old(self):
        server = self.start('--config', self.configure('cpu.*=7d', '*.short=1h', '*=30d'))
        client = self.client(server)
        for key, keep in (('cpu.user', 7 * DAY), ('cpu.short', 7 * DAY), ('mem.short', 3600), ('other', 30 * DAY)):
            with self.subTest(key=key):
                now = int(time.time())
                self.assertEqual(client.ask(b'put %s 1 %d' % (key.encode(), now - keep - 1)), TOO_OLD)
                self.assertEqual(client.ask(b'put %s 1 -5' % key.encode()), TOO_OLD)
                self.assertEqual(client.ask(b'get ' + key.encode()), b'ok\n\n')
                client.put(key, 1, now - keep + 120)
                client.put(key, 1, now)
                client.put(key, 1, now + 1000 * DAY)
        self.assertEqual(client.stats()['series'], 4)
        self.assertEqual(client.stats()['points'], 12)

    def test_the_session_goes_on(self):
        client = self.client(self.start('--config', self.configure('a=1d')))
        client.send(b'put a 1 0\nput b 1 0\nput a 2 %d\nget *\n' % self.now)
        expected = TOO_OLD + b'ok\n\nok\n\nok\nb 1.0 0\na 2.0 %d\n\n' % self.now
        self.assertEqual(client.recv_exactly(len(expected)), expected)

    def test_none_by_default(self):
        path = self.folder / 'empty.conf'
        path.write_text('')
        for options in ((), ('--config', path)):
            client = self.client(self.start(*options))
            client.put('k', 1, -2**63)
            client.put('k', 1, 0)
            self.assertEqual(client.stats()['points_expired'], 0)


class SweepTest(RetentionTest):
    def test_other_rules_apply_to_what_is_stored(self):
        server = self.start_stored()
        with Client(server) as client:
            cpu = self.put_history(client, 'cpu.user', 10, 300)
            disk = self.put_history(client, 'disk.free', 400, 6 * 3600)
            other = self.put_history(client, 'other', 50, 3600)
            client.put_many([b'put cpu.gone 1 %d\n' % (self.now - 9 * DAY + i) for i in range(1_000)])
        self.assertEqual(server.stop(), 0)

        path = self.configure('cpu.*=7d', 'disk.*=100d')
        before = self.show(path)
        self.assertEqual(before, self.show(path))
        expected = {'cpu.*=7d': sum(time < self.now - 7 * DAY for time in cpu) + 1_000,
                    'disk.*=100d': sum(time < self.now - 100 * DAY for time in disk), '(no rule)': 0}
        expected['(all)'] = sum(expected.values())
        # Some seconds have gone by, and points become old meanwhile.
        for rule, n in expected.items():
            self.assertIn(before[rule][2] - n, range(3), rule)
        self.assertEqual({rule: figures[:2] for rule, figures in before.items()},
                         {'cpu.*=7d': (2, 2), 'disk.*=100d': (1, 1), '(no rule)': (1, 0), '(all)': (4, 3)})
        self.assertGreater(before['cpu.*=7d'][3], 0)

        server = self.start_stored('--config', path)
        client = self.client(server)
        wait_until(lambda: client.stats()['points_expired'] >= expected['(all)'], 'the sweep')
        self.assertIn(client.stats()['points_expired'] - expected['(all)'], range(3))
        self.assertEqual(client.stats()['series'], 3)
        self.assertEqual(self.times(client, 'other'), other)
        self.assertEqual(self.times(client, 'cpu.gone'), [])
        for key, times, keep in (('cpu.user', cpu, 7 * DAY), ('disk.free', disk, 100 * DAY)):
            left = self.times(client, key)
            self.assertEqual(left, times[-len(left):])
            self.assertGreaterEqual(left[0], self.now - keep)
            self.assertLess(times[-len(left) - 1], int(time.time()) - keep)
        kept = client.ask(b'get *')
        self.assertEqual(server.stop(), 0)

        # It lasts, and without rules nothing more goes.
        self.assertEqual(self.show(path)['(all)'][0], 3)
        server = self.start_stored()
        with Client(server) as client:
            self.assertEqual(client.ask(b'get *'), kept)
            client.put('cpu.user', 1, 0)
        self.assertEqual(server.stop(), 0)

    def test_a_dry_run_beside_the_server_changes_nothing(self):
        server = self.start_stored('--durability', 'always')
        client = self.client(server)
        for i in range(100):
            client.put('cpu.user', i, self.now - 8 * DAY + i)
        client.put('cpu.user', 1, self.now)
        before = client.ask(b'get *')
        shown = self.show(self.configure('cpu.*=7d', '*=1d'))
        self.assertEqual(shown['cpu.*=7d'], (1, 1, 100, None))  # in the log alone
        self.assertEqual(shown['*=1d'], (0, 0, 0, 0))
        self.assertEqual(client.ask(b'get *'), before)
        client.put('cpu.user', 2, self.now + 1)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.show(self.configure('cpu.*=7d'))['cpu.*=7d'][:3], (1, 1, 100))

    def test_a_dry_run_knows_what_the_log_says(self):
        """Beside a server: what its chunks have and its log removes or puts once more, and what the log alone has."""
        old = self.now - 10 * DAY
        server = self.start_stored()
        with Client(server) as client:
            client.put_many([b'put cpu.a 1.%d %d\n' % (i % 7, old + 10 * i) for i in range(5_000)])
            client.put_many([b'put cpu.b 1.%d %d\n' % (i % 7, old + i) for i in range(1_000)])
            client.put('cpu.b', 1, self.now)
        self.assertEqual(server.stop(), 0)
        path = self.configure('cpu.*=7d')
        self.assertEqual(self.show(path)['cpu.*=7d'][:3], (2, 2, 6_000))

        client = self.client(self.start_stored('--durability', 'always'))
        client.ask(b'del cpu.b %d %d' % (old, old + 899))
        self.assertEqual(self.show(path)['cpu.*=7d'][:3], (2, 2, 5_100))
        client.ask(b'del cpu.a %d %d' % (old + 5, old + 25_001))
        self.assertEqual(self.show(path)['cpu.*=7d'][:3], (2, 2, 2_600))
        # Once more, where there is one, where there was one, and where there never was one, twice.
        for time in (30_000, 10_000, 30_001, 30_001):
            client.put('cpu.a', 2, old + time)
        self.assertEqual(self.show(path)['cpu.*=7d'][:3], (2, 2, 2_602))
        client.put('cpu.new', 1, old)
        client.put('cpu.new', 1, old + 1)
        client.ask(b'del cpu.new %d %d' % (old, old))
        self.assertEqual(self.show(path)['cpu.*=7d'][:3], (3, 3, 2_603))
        client.ask(b'del cpu.a')
        self.assertEqual(self.show(path)['cpu.*=7d'][:3], (2, 2, 101))
        client.ask(b'del cpu.b')
        self.assertEqual(self.show(path)['cpu.*=7d'], (1, 1, 1, None))

    def test_a_dry_run_says_what_there_is(self):
        """Beside a server, whatever was put and deleted since its start, and before it."""
        path, random = self.configure('a=7d', 'b*=8d'), Random(7)
        first, keys = self.now - 9 * DAY, (b'a', b'bb', b'bc', b'c')
        for _ in range(4):
            server = self.start_stored('--durability', 'always')
            with Client(server) as client:
                for _ in range(12):
                    key, step = random.choice(keys), random.choice((1, 10, 600))
                    start = first + random.randrange(3 * DAY)
                    client.put_many([b'put %s %d %d\n' % (key, i % 9, start + i * step) for i in range(random.randrange(1_500))])
                    key, start = random.choice(keys), first + random.randrange(-DAY, 3 * DAY)
                    client.ask(b'del %s %d %d' % (key, start, start + random.randrange(DAY)))
                    if random.random() < 0.1:
                        client.ask(b'del ' + random.choice(keys))
                    self.assert_right(client, path, {'a=7d': 7, 'b*=8d': 8})
            self.assertEqual(server.stop(), 0)

    def assert_right(self, client, path, days):
        before = int(time.time())
        shown = self.show(path)
        after = int(time.time())
        rows = [row.split() for row in client.rows(b'get *')]
        for rule, n in days.items():
            mine = [(key, int(when)) for key, _, when in rows if key.decode()[0] == rule[0]]
            self.assertEqual(shown[rule][0], len({key for key, _ in mine}), rule)
            # Points become old meanwhile.
            least, most = (sum(when < now - n * DAY for _, when in mine) for now in (before, after))
            self.assertIn(shown[rule][2], range(least, most + 1), rule)

    def test_a_dry_run_after_a_sweep(self):
        server = self.start_stored()
        with Client(server) as client:
            self.put_history(client, 'cpu.user', 20, 60)
            client.put_many([b'put cpu.gone 1 %d\n' % (self.now - 9 * DAY + i) for i in range(1_000)])
            client.put_many([b'put mem.free %d %d\n' % (i, self.now - 9 * DAY + i) for i in range(1_000)])
        self.assertEqual(server.stop(), 0)
        path = self.configure('cpu.*=7d')
        expected = self.show(path)['cpu.*=7d'][2]
        self.assertGreater(expected, 19_000)
        client = self.client(self.start_stored('--durability', 'always', '--config', path))
        wait_until(lambda: client.stats()['points_expired'] >= expected, 'the sweep')
        # What is acknowledged now is on disk behind the sweep.
        client.put('cpu.user', 1, self.now)
        shown = self.show(path)
        self.assertEqual((shown['cpu.*=7d'][0], shown['(no rule)']), (1, (1, 0, 0, 0)))
        # Points become old meanwhile.
        self.assertIn(shown['cpu.*=7d'][2], range(5))

    def test_what_no_rule_matches_stays(self):
        server = self.start_stored()
        with Client(server) as client:
            client.put('ancient', 1, -2**63)
            client.put('old', 1, self.now - 100)
            client.put('new', 1, self.now)
        self.assertEqual(server.stop(), 0)
        server = self.start_stored('--config', self.configure('old=1s'))
        with Client(server) as client:
            # It visits them all, in this order.
            wait_until(lambda: client.stats()['points_expired'] == 1, 'the sweep')
            self.assertEqual(client.ask(b'get *'), b'ok\nancient 1.0 %d\nnew 1.0 %d\n\n' % (-2**63, self.now))
        self.assertEqual(server.stop(), 0)


class WrongTest(RetentionTest):
    def assert_refused(self, *options, mentions, status=1):
        result = run('--host', '127.0.0.1', '--port', '0', *options)
        self.assertEqual((result.returncode, result.stdout), (status, ''), result.stderr)
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        for text in ('metricsd: ', *mentions):
            self.assertIn(text, result.stderr)

    def test_configurations(self):
        for group, rules, mentions in (
                ('retention', ['cpu.*=soon'], ['[retention] cpu.*', "'soon'", 's, m (minutes), h, d, w, y']),
                ('retention', ['cpu.*=90M'], ['[retention] cpu.*', "'90M'", 'm (minutes)']),
                ('retention', ['*=7d', 'cpu.*=1d'], ['[retention] cpu.*', 'never hold', '* stands before']),
                ('retention', ['cpu.*=0d'], ['[retention] cpu.*', "'0d'"]),
                ('retention', ['ok=1d', 'cpu\\=7d'], ['[retention] cpu\\', 'not a pattern']),
                ('retention', ['a=7d', 'a=8d'], ['[retention] a', 'twice']),
                ('retention', [f'k{i}=1d' for i in range(257)], ['k256', '256 rules']),
                ('retention', ['no value'], ['no value']),
                ('retentoin', ['a=7d'], ['[retentoin]', 'retention'])):
            with self.subTest(mentions=mentions):
                path = self.configure(*rules, group=group)
                self.assert_refused('--config', path, mentions=[str(path), *mentions], status=2)

    def test_files(self):
        missing = self.folder / 'missing.conf'
        self.assert_refused('--config', missing, mentions=[str(missing), 'No such file'], status=2)
        self.assert_refused('--config', self.folder, mentions=[str(self.folder)], status=2)

    def test_dry_runs(self):
        path = self.configure('a=7d')
        self.assert_refused('--show-retention', '--state-dir', self.state, mentions=['--config'], status=2)
        self.assert_refused('--show-retention', '--config', path, '--memory-only', mentions=['--memory-only'], status=2)
        self.assert_refused('--show-retention', '--config', path, '--state-dir', self.state,
                            mentions=[str(self.state)])
        self.assertFalse(self.state.exists())

        server = self.start_stored()
        self.assertEqual(server.stop(), 0)
        with sqlite3.connect(self.state / 'metricsd.db') as database:
            database.execute('PRAGMA user_version = 2')
        self.assert_refused('--show-retention', '--config', path, '--state-dir', self.state,
                            mentions=[str(self.state), 'newer metricsd'])
        (self.state / 'metricsd.db').write_text('x' * 5000)
        self.assert_refused('--show-retention', '--config', path, '--state-dir', self.state,
                            mentions=[str(self.state)])


if __name__ == '__main__':
    main()
