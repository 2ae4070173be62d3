# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl bench: that it measures what it says, checks the answers, and leaves nothing behind."""

import itertools
import json
import re
import signal
import tempfile

import harness
from ctl import Ctl, TestCase
from ctlbeside import FakeServer, Process, free_port
from harness import Client, wait_until

# Small enough for a test; none of them divides another.
SMALL = ['--points', '1003', '--series', '7', '--requests', '53', '--reads', '11', '--warm-up', '3']
LATENCIES = [f'{name}_microseconds' for name in ('p50', 'p90', 'p99', 'p99_9', 'max')]
NAMES = {'connections', 'depth', 'series', 'broken_off', 'requests_wanted', 'requests', 'errors', 'points', 'bytes_sent', 'bytes_received', 'seconds',
         'requests_per_second', 'points_per_second', 'bytes_sent_per_second', 'bytes_received_per_second',
         'server_memory_bytes', 'server_resident_bytes', 'server_cpu_seconds', *LATENCIES}
ABOUT = ['version', 'address', 'prefix']
WORKLOADS = ['pipeline', 'request', 'read', 'read-all', 'many-series', 'late']


class Figures(TestCase):
    def bench(self, *words):
        result = self.ctl.run('bench', *SMALL, *words)
        self.assertEqual((result.status, result.err), (0, ''))
        return result.out

    def check_json(self, text, workloads, connections=1):
        document = json.loads(text)
        self.assertEqual(list(document), [*ABOUT, *workloads])
        self.check_figures({name: document[name] for name in workloads}, workloads, connections)
        return document

    def check_figures(self, parts, workloads, connections=1):
        self.assertEqual(list(parts), workloads)
        # Two of the seven series have 144 points, the others 143: all once, and the first four again.
        points = {'request': 53, 'read': 1003 + 2 * 144 + 2 * 143, 'read-all': 11 * 1003}
        requests = {'request': 53, 'read': 11, 'read-all': 11}
        for name, part in parts.items():
            with self.subTest(name):
                self.assertEqual(NAMES - set(part), set())
                self.assertEqual((part['points'], part['requests']), (points.get(name, 1003), requests.get(name, 1003)))
                self.assertEqual((part['requests_wanted'], part['broken_off']), (part['requests'], False))
                self.assertEqual((part['errors'], part['connections']), (0, connections))
                self.assertEqual(part['depth'], 1 if name.startswith('re') else 0)
                self.check_rates(part)
                self.check_latencies(part, one_by_one=name == 'request' and connections == 1)

    def check_rates(self, part):
        for name in ('requests', 'points', 'bytes_sent', 'bytes_received'):
            self.assertAlmostEqual(part[f'{name}_per_second'], part[name] / part['seconds'], delta=1)

    def check_latencies(self, part, one_by_one):
        percentiles = [part[name] for name in LATENCIES]
        self.assertEqual(percentiles, sorted(percentiles))
        self.assertGreater(percentiles[0], 0)
        self.assertLessEqual(percentiles[-1], part['seconds'] * 1e6 + 1)
        if one_by_one:
            # One after the other: together they cannot take longer than all of it; a percentile is at most 0.8 % high.
            self.assertLessEqual(percentiles[0] * part['requests'] / 2, part['seconds'] * 1e6 * 1.01)

    def test_json(self):
        document = self.check_json(self.bench('--json', *WORKLOADS), WORKLOADS)
        self.assertEqual(document['address'], self.server.address)
        self.assertEqual(f'metricsctl {document["version"]}', self.ctl.run('--version').out.splitlines()[0])
        self.assertEqual(self.stored(), [])

    def test_whole_numbers(self):
        for form in ('--json', '--plain'):
            out = self.bench(form, 'pipeline')
            self.assertRegex(out, r'\bpoints"?:? 1003\b[^.]')
            self.assertNotRegex(out.partition('prefix')[2] or out, r'\d\.0\b')
        self.assertIn('pipeline.broken_off 0\n', out)

    def test_usual_workloads(self):
        self.check_json(self.bench('--json'), ['pipeline', 'request', 'read'])

    def test_plain(self):
        parts = {}
        for line in self.bench('--plain', 'late', 'read').splitlines():
            name, value = line.split(' ')
            part, _, name = name.partition('.')
            parts.setdefault(part, {})[name] = float(value)
        self.check_figures(parts, ['late', 'read'])

    def test_human(self):
        out = self.bench('--human', 'pipeline', 'read', '--idle', '2')
        self.assertIn(self.server.address, out)
        for pattern in (r'1 connection\b', r'2 idle', r'pipeline +[\d,]+ puts/s, [\d.,]+ MB/s',
                        r'p50 [\d.]+ \w?s.* max [\d.]+ \w?s', r'server +[\d.]+ s of processor time, \d+ ns a point',
                        r'bytes of memory a point( \((?!0\.0 )[\d.]+ of its process\))?\n',
                        r'read +[\d,.]+ reads/s, [\d,]+ points/s', r'bench\.[0-9a-f]{8}\.\*'):
            self.assertRegex(out, pattern)
        self.assertNotIn('broken off', out)

    def test_connections(self):
        before = Client(self.server).stats()['connections_accepted']
        self.check_json(self.bench('--json', '--connections', '3', '--idle', '5', *WORKLOADS), WORKLOADS, connections=3)
        self.assertGreaterEqual(Client(self.server).stats()['connections_accepted'] - before, 8)
        self.assertEqual(self.stored(), [])

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as directory:
            server = self.start('--listen', f'unix:{directory}/s')
            result = Ctl(server).run('bench', '--json', *SMALL, *WORKLOADS, '--connections', '2')
            self.assertEqual((result.status, result.err), (0, ''))
            self.check_json(result.out, WORKLOADS, connections=2)

    def test_memory_and_bytes(self):
        # The server counts both too; what else it was asked is a few hundred bytes.
        with Client(self.server) as client:
            before = client.stats()
            result = self.ctl.run('bench', *SMALL, '--json', 'pipeline', '--warm-up', '0', '--keep')
            part = json.loads(result.out)['pipeline']
            after = client.stats()
        self.assertGreater(part['bytes_sent'], 1003 * len('put a 1.0 1\n'))
        self.assertEqual(part['bytes_received'], 1003 * len('ok\n\n'))
        self.assertTrue(0 <= after['bytes_received'] - before['bytes_received'] - part['bytes_sent'] < 1000)
        self.assertEqual(part['server_memory_bytes'], after['memory'] - before['memory'])


class Points(TestCase):
    def lines(self, *words, warm_up='0'):
        """The requests that a server gets: of each connection, in their order."""
        server = self.enterContext(FakeServer())
        result = Ctl(server).run('bench', *SMALL, '--warm-up', warm_up, '--keep', *words)
        self.assertEqual(result.status, 0)
        self.assertIn('the points are kept', result.err)
        return [[line for line in lines if line.startswith('put ')] for lines in server.lines]

    def test_points(self):
        for connections in (1, 3):
            series, values = {}, {}
            lines = [lines for lines in self.lines('pipeline', '--connections', str(connections)) if lines]
            self.assertEqual(len(lines), connections)
            for connection in lines:
                times = []
                for line in connection:
                    match = re.fullmatch(r'put (bench\.\w{8}\.series\.\d+) (\d+\.\d\d?) (\d+)', line)
                    self.assertTrue(match, line)
                    series.setdefault(match[1], []).append(int(match[3]))
                    values.setdefault(match[1], []).append(float(match[2]))
                    times.append(int(match[3]))
                self.assertEqual(times, sorted(times))
            self.assertEqual(sorted(len(times) for times in series.values()), [143] * 5 + [144] * 2)
            for times in series.values():
                self.assertEqual(times, list(range(times[0], times[0] + 10 * len(times), 10)))
            for walk in values.values():
                self.assertLessEqual(max(abs(a - b) for a, b in zip(walk, walk[1:])), 0.505)
                self.assertGreater(len(set(walk)), 20)

    def test_late(self):
        rows = [line.split(' ') for lines in self.lines('late', '--points', '2000', '--series', '2') for line in lines]
        times = sorted(int(row[3]) for row in rows)
        self.assertEqual(times, [times[0] + i // 2 * 10 for i in range(2000)])
        newest, late = times[0], []
        for row in rows:
            if int(row[3]) < newest:
                late.append(newest - int(row[3]))
            newest = max(newest, int(row[3]))
        self.assertTrue(100 < len(late) < 300, len(late))
        self.assertTrue(500 < max(late) <= 1000, max(late))

    def test_depth(self):
        """What a server finds at once is what was sent without waiting for answers."""
        for words, low, high in ((['request'], 1, 1), (['pipeline', '--depth', '5'], 1, 5), (['pipeline'], 32, 64)):
            with self.subTest(words=words):
                # So small a slice that the server does not look once more behind an answer.
                server = self.start('--slice-limit', '64')
                result = Ctl(server).run('bench', *SMALL, '--warm-up', '0', '--keep', *words)
                self.assertEqual(result.status, 0)
                with Client(server) as client:
                    self.assertTrue(low <= client.stats()['largest_slice'] <= high, client.stats())

    def test_warm_up(self):
        lines = sum(self.lines('pipeline', '--connections', '2', warm_up='5'), [])
        self.assertEqual(sum('.warm-pipeline.' in line for line in lines), 10)
        self.assertEqual(sum('.series.' in line for line in lines), 1003)

    def test_keep(self):
        # Of the user's own points none is touched.
        self.put('bench.mine 1 1', 'other 2 2')
        self.assertEqual(self.ctl.run('bench', *SMALL).status, 0)
        self.assertEqual(self.stored(), ['bench.mine 1.0 1', 'other 2.0 2'])

        self.assertEqual(self.ctl.run('bench', *SMALL, '--keep', '--prefix', 'mine').status, 0)
        rows = self.stored()
        self.assertEqual(sum(row.startswith('mine.series.') for row in rows), 1003)
        self.assertEqual(sum(row.startswith('mine.request.') for row in rows), 53)

        result = self.ctl.run('bench', '--json', *SMALL, '--keep')
        prefix = json.loads(result.out)['prefix']
        self.assertIn(f"'metricsctl del \"{prefix}.*\"' deletes them", result.err)
        self.assertEqual(self.ctl.run('del', '--yes', f'{prefix}.*').status, 0)
        self.assertEqual(self.stored(), rows)

        # Nor are those that are below the beginning that was asked for.
        result = self.ctl.run('bench', *SMALL, '--prefix', 'mine')
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertIn("there are keys 'mine.*' already", result.err)
        self.assertEqual(self.stored(), rows)


class Ends(TestCase):
    def test_interrupt(self):
        # Long enough not to be over before the signal comes; sanitizers take their time to prepare as much.
        many = '1000000' if harness.SANITIZED else '10000000'
        for words in (['request', '--requests', '5000000'], ['pipeline', '--points', many, '--depth', '100'],
                      ['read', '--points', '100000', '--reads', '1000000']):
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(words=words, number=number):
                    self.interrupt(number, words)

    def interrupt(self, number, words):
        part = {'request': 'request', 'pipeline': 'series', 'read': 'series'}[words[0]]
        with Client(self.server) as client, tempfile.TemporaryFile('w+') as out:
            with Process('bench', '--human', '--address', self.server.address, '--warm-up', '0', *words,
                         stdout=out) as process:
                wait_until(lambda: client.rows(f'keys bench.*.{part}.*'.encode()), 'points')
                self.assertEqual(process.stop(number), -number)
            self.assertEqual(client.rows(b'keys *'), [])
            out.seek(0)
            # What was measured until then is told, if it had begun.
            if len(lines := out.read().splitlines()) > 1:
                self.assertRegex(lines[-1], r'broken off: [\d,]+ of [\d,]+ requests were answered')

    def test_interrupt_json(self):
        with Client(self.server) as client, tempfile.TemporaryFile('w+') as out:
            with Process('bench', 'pipeline', 'request', '--json', '--address', self.server.address, '--points', '1003',
                         '--requests', '5000000', '--warm-up', '0', stdout=out) as process:
                wait_until(lambda: client.rows(b'keys bench.*.request.*'), 'points')
                self.assertEqual(process.stop(signal.SIGINT), -signal.SIGINT)
                messages = process.messages()
            out.seek(0)
            parts = json.load(out)
        self.assertEqual(parts['pipeline']['requests'], 1003)
        self.assertFalse(parts['pipeline']['broken_off'])
        self.assertLess(parts['request']['requests'], 5000000)
        self.assertEqual((parts['request']['broken_off'], parts['request']['requests_wanted']), (True, 5000000))
        self.assertRegex(messages[0], r'request was broken off: \d+ of 5000000 requests were answered')

    def test_no_server(self):
        result = Ctl(f'127.0.0.1:{free_port()}').run('bench')
        self.assertEqual((result.status, result.out), (3, ''))
        self.assertEqual(result.err.count('\n'), 1)

    def test_refused(self):
        # All are counted, and what can be done is done.
        server = self.start('--series-limit', '3')
        result = Ctl(server).run('bench', '--json', *SMALL, '--warm-up', '0', 'pipeline')
        self.assertEqual(result.status, 1)
        self.assertIn('series limit reached', result.err)
        part = json.loads(result.out)['pipeline']
        self.assertEqual((part['requests'], part['errors'], part['points']), (1003, 4 * 143, 2 * 144 + 143))
        result = Ctl(server).run('bench', '--human', *SMALL, '--warm-up', '0', 'pipeline')
        self.assertRegex(result.out, r'refused +572 requests, the first: .*series limit reached')
        with Client(server) as client:
            self.assertEqual(client.rows(b'keys *'), [])

    def test_refused_before_the_clock(self):
        server = self.start('--series-limit', '3')
        result = Ctl(server).run('bench', '--json', *SMALL, 'read')
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertIn('series limit reached', result.err)

    def test_too_many_connections(self):
        server = self.start('--connection-limit', '4')
        for words in (['--connections', '4'], ['--idle', '3']):
            result = Ctl(server).run('bench', '--json', *SMALL, *words)
            self.assertEqual((result.status, result.out), (1, ''))
            self.assertIn('too many connections', result.err)

    def wrong_answer(self, answer, *words):
        server = self.enterContext(FakeServer(answer))
        result = Ctl(server).run('bench', '--plain', '--keep', *SMALL, '--warm-up', '0', *words)
        self.assertEqual((result.status, result.out.count('broken off')), (1, 0))
        return result.err

    def test_points_are_missing(self):
        def answer(connection, nth, line):
            return f'ok\n{line.removeprefix("get ")} 1.0 1\n\n'.encode() if line.startswith('get ') else b'ok\n\n'

        self.assertRegex(self.wrong_answer(answer, 'read'),
                         r"144 points of 'bench\.\w+\.series\.0' were put, and the server has 1")

    def test_points_are_others(self):
        rows = []

        def answer(connection, nth, line):
            if line.startswith('put '):
                rows.append(line.removeprefix('put '))
            if not line.startswith('get '):
                return b'ok\n\n'
            mine = [row for row in rows if row.startswith(line.removeprefix('get ') + ' ')]
            if mine[0].split()[0].endswith('.4'):
                mine[70] += '0'  # a time that was not put
            return '\n'.join(['ok', *mine, '', '']).encode()

        self.assertRegex(self.wrong_answer(answer, 'read'), r"the points of 'bench\.\w+\.series\.4' are not those")

    def test_nonsense(self):
        """Bytes that are no answer, an answer that nobody asked for, and one that is an answer to something else."""
        for reply in (b'okay\n\n', b'ok\n\nok\n\n', b'error\n\n\n', b'HTTP/1.0 200 OK\r\n\r\n'):
            with self.subTest(reply=reply):
                err = self.wrong_answer(
                    lambda connection, nth, line: reply if line.startswith('put ') else b'ok\n\n', 'request')
                self.assertIn('no answer to what was asked', err)

    def test_answers_in_pieces(self):
        """Good and bad answers, however they are cut."""
        pieces = itertools.cycle([b'o', b'k\n', b'\nerr', b'or\nno r', b'oom\n\nok\n\n'])
        owed = []

        def answer(connection, nth, line):
            if not line.startswith('put '):
                return b'ok\n\n'
            # Three answers for five pieces, and so for each five requests two more are owed.
            owed.append(None)
            return next(pieces) if len(owed) % 5 or len(owed) > 1000 else next(pieces) + 2 * b'ok\n\n'

        server = self.enterContext(FakeServer(answer))
        result = Ctl(server).run('bench', '--json', '--keep', '--points', '1000', '--series', '7', '--warm-up', '0', 'pipeline')
        part = json.loads(result.out)['pipeline']
        self.assertEqual((result.status, part['requests'], part['errors']), (1, 1000, 200))
        self.assertIn('the server refused: no room', result.err)

    def test_server_goes(self):
        server = self.start()
        with Process('bench', '--address', server.address, 'request', '--requests', '5000000') as process:
            with Client(server) as client:
                wait_until(lambda: client.rows(b'keys bench.*.request.*'), 'points')
            server.kill()
            self.assertEqual(process.wait(), 3)
            self.assertEqual(len(process.messages()), 2, process.messages())
            # With the server the points are gone: there is nothing to say of them.
            self.assertNotIn('could not be deleted', process.errors())

    def test_server_stops_answering(self):
        with self.server.paused():
            result = self.ctl.run('bench', '--timeout', '1')
            self.assertEqual((result.status, result.out), (3, ''))
        server = self.start()
        with Client(server) as client, Process('bench', '--json', '--timeout', '1', '--address', server.address,
                                               'request', '--requests', '5000000') as process:
            wait_until(lambda: client.rows(b'keys bench.*.request.*'), 'points')
            with server.paused():
                self.assertEqual(process.wait(), 3)
            self.assertRegex(process.errors(), r'request was broken off(.|\n)*could not be deleted(.|\n)*no answer in time')

    def test_interrupt_twice(self):
        """The server is not waited for, which without a time-out would be for ever."""
        with Client(self.server) as client, Process('bench', '--timeout', '0', '--address', self.server.address,
                                                    'request', '--requests', '5000000') as process:
            wait_until(lambda: client.rows(b'keys bench.*.request.*'), 'points')
            with self.server.paused():
                process.send_signal(signal.SIGINT)
                process.wait_message(r"points are being deleted; another Ctrl-C leaves 'bench\.\w+\.\*'")
                self.assertEqual(process.stop(signal.SIGINT), -signal.SIGINT)

    def test_interrupt_before_the_clock(self):
        """While requests are made nothing is measured."""
        many = '1000000' if harness.SANITIZED else '10000000'
        for workload in ('pipeline', 'read'):
            with self.subTest(workload), FakeServer() as server, tempfile.TemporaryFile('w+') as out:
                with Process('bench', '--json', '--address', server.address, '--points', many, '--warm-up', '0', workload,
                             stdout=out) as process:
                    wait_until(lambda: len(server.all_lines()) >= 3, 'the connection that is measured')
                    self.assertEqual(process.stop(signal.SIGINT), -signal.SIGINT)
                out.seek(0)
                self.assertEqual(list(json.load(out)), ABOUT)
                self.assertFalse([line for line in server.all_lines() if line.startswith('put ')])

    def test_server_goes_later(self):
        """What was measured before is printed."""
        for form in ('--json', '--plain'):
            with self.subTest(form), tempfile.TemporaryFile('w+') as out:
                server = self.start()
                with Process('bench', form, '--address', server.address, 'pipeline', 'request', '--points', '1003',
                             '--requests', '5000000', '--warm-up', '0', stdout=out) as process:
                    with Client(server) as client:
                        wait_until(lambda: client.rows(b'keys bench.*.request.*'), 'points')
                    server.kill()
                    self.assertEqual(process.wait(), 3)
                    self.assertRegex(process.messages()[0], r'request was broken off: \d+ of 5000000 requests')
                out.seek(0)
                text = out.read()
                if form == '--json':
                    parts = json.loads(text)
                    self.assertEqual((parts['pipeline']['broken_off'], parts['request']['broken_off']), (False, True))
                else:
                    self.assertIn('pipeline.broken_off 0\n', text)
                    self.assertIn('request.broken_off 1\nrequest.requests_wanted 5000000\n', text)

    def test_may_not_delete(self):
        with tempfile.TemporaryDirectory() as directory:
            server = self.start('--listen', f'unix:{directory}/s,rights=read+put')
            result = Ctl(server).run('bench', '--plain', *SMALL)
            self.assertEqual(result.status, 1)
            self.assertIn('pipeline.points_per_second', result.out)
            self.assertIn('permission denied', result.err)

    def test_bad_options(self):
        ctl = Ctl('127.0.0.1:1')
        numbers = ('points', 'series', 'connections', 'requests', 'reads', 'depth', 'idle', 'warm-up')
        for words in (
                *([f'--{name}', '-1'] for name in numbers),
                ['--points', '0'], ['--points', '-2'], ['--points', '10000001'], ['--points', '1e6'],
                ['--points', '99999999999999999999'], ['--series', '0'], ['--series', '1000001'],
                ['--connections', '0'], ['--connections', '10001'], ['--requests', '0'], ['--requests', '5000001'],
                ['--reads', '0'], ['--reads', '1000001'], ['--depth', '1000001'], ['--depth', '-2'], ['--idle', '-2'],
                ['--idle', '100001'], ['--warm-up', '1000001'], ['--warm-up', '100001', '--connections', '100'], ['--prefix', ''], ['--prefix', 'a b'],
                ['--prefix', 'a*'], ['--prefix', 'a' * 257], ['--points', '10', '--series', '11'],
                ['--series', '2', '--connections', '3'], ['request', '--requests', '2', '--connections', '3'],
                ['read', '--reads', '2', '--connections', '3'], ['word'], [''], ['read', 'read'], ['--fast']):
            with self.subTest(words=words):
                self.check_usage_error(ctl.run('bench', *words), '')

    def test_help(self):
        result = Ctl(None).run('bench', '--help')
        self.assertEqual((result.status, result.err), (0, ''))
        for word in ('--points', '--series', '--connections', '--depth', '--requests', '--reads', '--idle', '--warm-up',
                     '--prefix', '--keep', *WORKLOADS):
            self.assertIn(word, result.out)


harness.main()
