# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl bench: that it measures what it says, checks the answers, and leaves nothing behind."""

import json
import re
import signal
import tempfile

import harness
from ctl import Ctl, TestCase
from ctlbeside import FakeServer, Process, free_port
from harness import Client, wait_until

# Small enough for a test; none of them divides another.
SMALL = ['--points', '1003', '--series', '7', '--requests', '53', '--reads', '11']
PARTS = {
    'put': {'points', 'bytes', 'seconds', 'points_per_second', 'bytes_per_second'},
    'latency': {'requests', 'seconds', 'requests_per_second'}
    | {f'{name}_microseconds' for name in ('p50', 'p90', 'p99', 'p99_9', 'max')},
    'get': {'reads', 'points', 'seconds', 'reads_per_second', 'points_per_second'},
}


class Figures(TestCase):
    def bench(self, *words):
        result = self.ctl.run('bench', *SMALL, *words)
        self.assertEqual((result.status, result.err), (0, ''))
        return result.out

    def check_figures(self, parts):
        self.assertEqual({name: set(part) for name, part in parts.items()}, PARTS)
        put, latency, get = parts['put'], parts['latency'], parts['get']
        self.assertEqual((put['points'], latency['requests'], get['reads']), (1003, 53, 11))
        # Two of the seven series have 144 points, the others 143: all once, and the first four again.
        self.assertEqual(get['points'], 1003 + 2 * 144 + 2 * 143)
        self.assertAlmostEqual(put['points_per_second'], 1003 / put['seconds'], delta=1)
        self.assertAlmostEqual(put['bytes_per_second'], put['bytes'] / put['seconds'], delta=1)
        self.assertAlmostEqual(latency['requests_per_second'], 53 / latency['seconds'], delta=1)
        self.assertAlmostEqual(get['points_per_second'], get['points'] / get['seconds'], delta=1)
        percentiles = [latency[f'{name}_microseconds'] for name in ('p50', 'p90', 'p99', 'p99_9', 'max')]
        self.assertEqual(percentiles, sorted(percentiles))
        self.assertGreater(percentiles[0], 0)
        # One after the other: together they cannot take longer than all of it.
        self.assertLessEqual(percentiles[-1], latency['seconds'] * 1e6)
        self.assertLessEqual(percentiles[0] * 53 / 2, latency['seconds'] * 1e6)

    def test_json(self):
        self.check_figures(json.loads(self.bench('--json')))
        self.assertEqual(self.stored(), [])

    def test_plain(self):
        parts = {}
        for line in self.bench('--plain').splitlines():
            name, value = line.split(' ')
            part, _, name = name.partition('.')
            parts.setdefault(part, {})[name] = float(value)
        self.check_figures(parts)

    def test_human(self):
        out = self.bench('--human')
        self.assertIn(self.server.address, out)
        for pattern in (r'1 connection\b', r'put, pipelined: +[\d,]+ points/s, [\d.]+ MB/s', r'p50 [\d.]+.* max [\d.]+',
                        r'get of a series: +[\d,]+ reads/s, [\d,]+ points/s', r'bench\.[0-9a-f]{8}\.\*'):
            self.assertRegex(out, pattern)

    def test_only(self):
        for only in ('put', 'latency', 'get', 'put,get'):
            parts = json.loads(self.bench('--json', '--only', only))
            self.assertEqual({name: set(part) for name, part in parts.items()},
                             {name: PARTS[name] for name in only.split(',')})
        self.assertEqual(self.stored(), [])

    def test_connections(self):
        before = Client(self.server).stats()['connections_accepted']
        parts = json.loads(self.bench('--json', '--connections', '3'))
        self.assertEqual((parts['put']['points'], parts['latency']['requests'], parts['get']['reads']), (1003, 53, 11))
        self.assertGreaterEqual(Client(self.server).stats()['connections_accepted'] - before, 3)
        self.assertEqual(self.stored(), [])


class Points(TestCase):
    def lines(self, *words):
        """The requests that a server gets."""
        server = self.enterContext(FakeServer())
        result = Ctl(server).run('bench', *SMALL, '--keep', *words)
        self.assertEqual((result.status, result.err), (0, ''))
        return server.all_lines()

    def test_bytes(self):
        server = self.enterContext(FakeServer())
        result = Ctl(server).run('bench', '--json', '--only', 'put', '--keep', *SMALL)
        lines = [line for line in server.all_lines() if '.series.' in line]
        self.assertEqual(json.loads(result.out)['put']['bytes'], sum(len(line) + 1 for line in lines))

    def test_points(self):
        for connections in ('1', '3'):
            series = {}
            for line in self.lines('--only', 'put', '--connections', connections):
                if match := re.fullmatch(r'put (bench\.\w{8}\.series\.\d+) (\S+) (\d+)', line):
                    series.setdefault(match[1], []).append(int(match[3]))
            self.assertEqual(sorted(len(times) for times in series.values()), [143] * 5 + [144] * 2)
            for times in series.values():
                self.assertEqual(times, list(range(times[0], times[0] + len(times))))

    def test_keep(self):
        # Of the user's own points none is touched.
        self.put('bench.mine 1 1', 'other 2 2')
        self.assertEqual(self.ctl.run('bench', *SMALL).status, 0)
        self.assertEqual(self.stored(), ['bench.mine 1.0 1', 'other 2.0 2'])

        self.assertEqual(self.ctl.run('bench', *SMALL, '--keep').status, 0)
        rows = self.stored()
        self.assertEqual(sum('.series.' in row for row in rows), 1003)
        self.assertEqual(sum('.single.' in row for row in rows), 53)


class Ends(TestCase):
    def test_interrupt(self):
        # Long enough not to be over before the signal comes; sanitizers take their time to prepare as much.
        many = '1000000' if harness.SANITIZED else '10000000'
        for words in (['--only', 'latency', '--requests', '5000000'], ['--only', 'put', '--points', many],
                      ['--only', 'get', '--points', '100000', '--reads', '1000000']):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(words=words, number=number):
                    self.interrupt(number, words)

    def interrupt(self, number, words):
        part = {'latency': '.single.', 'put': '.series.', 'get': '.series.'}[words[words.index('--only') + 1]]
        with Client(self.server) as client:
            with Process('bench', '--address', self.server.address, *words) as process:
                wait_until(lambda: client.rows(f'keys bench.*{part}*'.encode()), 'points')
                self.assertEqual(process.stop(number), -number)
            self.assertEqual(client.rows(b'keys *'), [])

    def test_no_server(self):
        result = Ctl(f'127.0.0.1:{free_port()}').run('bench')
        self.assertEqual((result.status, result.out), (3, ''))
        self.assertEqual(result.err.count('\n'), 1)

    def test_refused(self):
        server = self.start('--series-limit', '3')
        result = Ctl(server).run('bench', '--json', *SMALL)
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertIn('series limit reached', result.err)
        with Client(server) as client:
            self.assertEqual(client.rows(b'keys *'), [])

    def test_points_are_missing(self):
        def answer(connection, nth, line):
            return f'ok\n{line.removeprefix("get ")} 1.0 1\n\n'.encode() if line.startswith('get ') else b'ok\n\n'

        server = self.enterContext(FakeServer(answer))
        result = Ctl(server).run('bench', '--json', '--keep', *SMALL)
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertRegex(result.err, r"144 points of 'bench\.\w+\.series\.0' were put, and the server has 1")

    def test_server_goes(self):
        server = self.start()
        with Process('bench', '--address', server.address, '--only', 'latency', '--requests', '5000000') as process:
            with Client(server) as client:
                wait_until(lambda: client.rows(b'keys bench.*.single.*'), 'points')
            server.kill()
            self.assertEqual(process.wait(), 3)
            self.assertEqual(len(process.messages()), 2, process.messages())
            self.assertRegex(process.messages()[0], r'could not be deleted: .* \'metricsctl del "bench\.\w+\.\*"\'')

    def test_may_not_delete(self):
        with tempfile.TemporaryDirectory() as directory:
            server = self.start('--listen', f'unix:{directory}/s,rights=read+put')
            result = Ctl(server).run('bench', '--plain', *SMALL)
            self.assertEqual(result.status, 1)
            self.assertIn('put.points_per_second', result.out)
            self.assertIn('permission denied', result.err)

    def test_bad_options(self):
        ctl = Ctl('127.0.0.1:1')
        for words in (
                ['--points', '0'], ['--points', '-1'], ['--points', '10000001'], ['--points', '1e6'],
                ['--points', '99999999999999999999'], ['--series', '0'], ['--series', '100001'],
                ['--connections', '0'], ['--connections', '101'], ['--requests', '0'], ['--requests', '5000001'],
                ['--reads', '0'], ['--reads', '1000001'], ['--only', ''], ['--only', 'all'], ['--only', 'put,'],
                ['--points', '10', '--series', '11'], ['--series', '2', '--connections', '3'], ['word'], ['--fast']):
            with self.subTest(words=words):
                self.check_usage_error(ctl.run('bench', *words), '')

    def test_help(self):
        result = Ctl(None).run('bench', '--help')
        self.assertEqual((result.status, result.err), (0, ''))
        for word in ('--points', '--series', '--connections', '--requests', '--reads', '--only', '--keep', 'latency'):
            self.assertIn(word, result.out)


harness.main()
