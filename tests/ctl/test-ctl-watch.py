# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl watch."""

import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time

import harness
import ondemand
from ctl import Ctl, TestCase, Terminal, wait_for_close
from ctlbeside import Process

LINE = re.compile(r'(\S+) (\S+) (\S+)\n\Z')


class Watching(Process):
    """A `metricsctl watch` whose output goes into a pipe."""

    def __init__(self, server, *words, **arguments):
        address = server if isinstance(server, str) else server.address
        super().__init__('watch', '--address', address, *words, stdout=subprocess.PIPE, **arguments)

    def line(self):
        return self.process.stdout.readline().decode()

    def lines(self, count):
        return [self.line() for _ in range(count)]

    def rest(self):
        return self.process.stdout.read().decode()


class WatchTestCase(TestCase):
    def n_watchers(self, server):
        """How many are told of points, which the server says in no other way than by telling them."""
        with harness.Client(server) as client:
            return client.stats()['watchers']

    def watch(self, *words, server=None, n_before=0, **arguments):
        server = server or self.server
        process = self.enterContext(Watching(server, *words, **arguments))
        harness.wait_until(lambda: self.n_watchers(server) > n_before, 'the watch')
        return process


class Output(WatchTestCase):
    def test_each_point_is_written_at_once(self):
        self.put('a.old 1 1')
        process = self.watch('a.*', '?b', 'a.b')
        for key, value, time_ in (('a.b', 1, 10), ('a.c', 0.1, -5), ('xb', 1e300, 7), ('a.b', 2, 10), ('a.b', 2, 10)):
            self.put('no 1 1', f'{key} {value} {time_}', 'nob 1 1')
            self.assertEqual(process.line(), f'{key} {float(value)!r} {time_}\n')
        self.assertEqual(process.stop(signal.SIGTERM), -signal.SIGTERM)
        self.assertEqual((process.rest(), process.messages()), ('', []))

    def test_all_keys(self):
        process = self.watch()
        self.put('a 1 1', 'b 2 2')
        self.assertEqual(process.lines(2), ['a 1.0 1\n', 'b 2.0 2\n'])

    def test_many_points_in_order(self):
        process = self.watch('k*')
        with harness.Client(self.server) as client:
            client.put_many([b'put k%d %d %d\n' % (i % 7, i, i) for i in range(20000)])
            self.assertEqual(process.lines(20000), [f'k{i % 7} {i}.0 {i}\n' for i in range(20000)])
        self.assertEqual(process.messages(), [])

    def test_many_patterns(self):
        process = self.watch(*(f'k{i}' for i in range(100)), 'begin')
        # The last one may be watched a little later than the first.
        harness.wait_until(lambda: (self.put('begin 1 1'), select.select([process.process.stdout], [], [], 0)[0])[1])
        self.put('end 1 1', *(f'k{i} {i} {i}' for i in range(120)))
        lines = process.lines(100)
        while 'begin' in lines[0]:
            lines = lines[1:] + process.lines(1)
        self.assertEqual(lines, [f'k{i} {i}.0 {i}\n' for i in range(100)])

    def test_json(self):
        process = self.watch('--json', '*')
        self.put('k"\\ 0.5 -1', 'l 1 2')
        self.assertEqual([json.loads(line) for line in process.lines(2)],
                         [{'key': 'k"\\', 'value': 0.5, 'timestamp': -1}, {'key': 'l', 'value': 1, 'timestamp': 2}])

    def test_count(self):
        process = self.watch('--count', '3', 'k')
        with harness.Client(self.server) as client:
            client.put_many([b'put k %d %d\n' % (i, i) for i in range(1000)])
            self.assertEqual((process.rest(), process.wait()), ('k 0.0 0\nk 1.0 1\nk 2.0 2\n', 0))
        self.assertEqual(process.messages(), [])
        harness.wait_until(lambda: self.n_watchers(self.server) == 0, 'the end of the watch')

    def test_terminal(self):
        terminal = Terminal(self.ctl, 'watch', '-n', '3', 'k*')
        harness.wait_until(lambda: self.n_watchers(self.server) == 1, 'the watch')
        self.put('k 1234.5 0')
        terminal.expect('1970-01-01')
        self.put('k.longer 1 3600', 'k 2 7200')
        result = terminal.finish()
        self.assertEqual(result.status, 0)
        rows = [line.split() for line in result.out.splitlines()]
        self.assertEqual(rows, [['KEY', 'VALUE', 'TIME'], ['k', '1234.5', '1970-01-01', '01:00:00'],
                                ['k.longer', '1', '1970-01-01', '02:00:00'], ['k', '2', '1970-01-01', '03:00:00']])


class Failures(WatchTestCase):
    def test_bad_command_line(self):
        for words, text in ((['a b'], "'a b'"), (['k', ''], "''"), (['a\\'], 'not a pattern'),
                            (['--count', '0'], "'0'"), (['-n', '-1'], "'-1'"), (['--count=x'], "'x'"),
                            (['-n', '1.5'], "'1.5'")):
            with self.subTest(' '.join(words)):
                self.check_usage_error(Ctl('127.0.0.1:1').run('watch', *words), text)

    def test_no_server(self):
        result = Ctl('unix:/nonexistent/socket').run('watch')
        self.assertEqual((result.status, result.out), (3, ''))
        self.assertRegex(result.err, r'\Ametricsctl: cannot connect to unix:/nonexistent/socket: .*\n\Z')
        result = Ctl(self.fake(wait_for_close)).run('watch', '--timeout', '0.1')
        self.assertEqual((result.status, result.out), (3, ''))

    def test_refused(self):
        path = self.enterContext(tempfile.TemporaryDirectory()) + '/socket'
        self.start('--listen', f'unix:{path},rights=put')
        self.check(Ctl(path).run('watch'), status=1, err='metricsctl: the server refused: permission denied\n')
        result = self.ctl.run('watch', *(f'*{i}*a*b*c*d*e*f' for i in range(2000)))
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertRegex(result.err, r'\Ametricsctl: the server refused: .*\n\Z')

    def test_output_that_cannot_be_written(self):
        with open('/dev/full', 'wb') as full, self.ctl.start('watch', stdout=full) as process:
            harness.wait_until(lambda: self.n_watchers(self.server) == 1, 'the watch')
            self.put('k 1 1')
            self.assertEqual(process.communicate(timeout=harness.WATCHDOG)[1],
                             b'metricsctl: cannot write the output: No space left on device\n')
            self.assertEqual(process.returncode, 1)


class Ends(WatchTestCase):
    def test_signals(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            process = self.watch()
            self.put('k 1 1')
            self.assertEqual(process.line(), 'k 1.0 1\n')
            self.assertEqual((process.stop(number), process.rest(), process.messages()), (-number, '', []))
            harness.wait_until(lambda: self.n_watchers(self.server) == 0, 'the end of the watch')

    def test_signal_while_nobody_reads(self):
        process = self.watch()
        self.flood(20000)
        self.assertEqual(process.stop(signal.SIGINT), -signal.SIGINT)

    def test_reader_leaves(self):
        # As in `metricsctl watch | head -1`, while nothing more is put.
        process = self.watch()
        self.put('k 1 1')
        self.assertEqual(process.line(), 'k 1.0 1\n')
        process.process.stdout.close()
        self.assertEqual(process.wait(), -signal.SIGPIPE)
        self.assertEqual(process.messages(), [])

    def flood(self, count):
        with harness.Client(self.server) as client:
            client.put_many([b'put some.key.%d %d %d\n' % (i % 10, i, i) for i in range(count)])


class Breaks(WatchTestCase):
    def test_server_restarts(self):
        path = self.enterContext(tempfile.TemporaryDirectory()) + '/socket'
        process = None
        for i in range(3):
            with harness.Server('--listen', 'unix:' + path) as server:
                if process is None:
                    process = self.watch('k', server=server)
                harness.wait_until(lambda: self.n_watchers(server) == 1, 'the watch')
                with harness.Client(server) as client:
                    client.put('k', i, i)
                self.assertEqual(process.line(), f'k {i}.0 {i}\n')
            process.wait_message('connecting again', i + 1)
        self.assertEqual(process.stop(), -signal.SIGTERM)
        lost = f'metricsctl: unix:{path} closed the connection; connecting again'
        again = 'metricsctl: connected again; points that were put meanwhile are not shown'
        self.assertEqual(process.messages(), [lost, again, lost, again, lost])

    def test_slow_reader(self):
        process = self.watch()
        n_points = 200000
        with harness.Client(self.server) as client:
            for start in range(0, n_points, 5000):
                client.put_many([b'put %s.%d 1 %d\n' % (b'k' * 900, i % 10, i) for i in range(start, start + 5000)])
            client.put('end', 1, 1)
        # 65536 points of 900 bytes wait at most, and not all that there were.
        if not harness.SANITIZED:
            self.assertLess(self.memory(process), 120 << 20)
        times = []
        while not (line := process.line()).startswith('end '):
            times.append(int(LINE.match(line)[3]))
        self.assertEqual(sorted(times), times)
        self.assertLess(len(times), n_points)
        # That is said once a second at most.
        harness.wait_until(lambda: len(times) + self.n_dropped(process) == n_points, 'the word of all that is missing')
        self.assertEqual(process.stop(), -signal.SIGTERM)

    def memory(self, process):
        with open(f'/proc/{process.process.pid}/status') as status:
            return int(re.search(r'VmRSS:\s+(\d+)', status.read())[1]) << 10

    def n_dropped(self, process):
        return sum(map(int, re.findall(r'(\d+) points? w\w+ dropped', process.errors())))


class Bus(WatchTestCase):
    def test_session(self):
        if not ondemand.is_possible():
            self.skipTest('there is no dbus-daemon')
        bus = self.enterContext(ondemand.OnDemand('session'))
        ctl = Ctl(**bus.env)
        with ctl.start('watch', '--session', '--count', '2', 'k', stderr=subprocess.PIPE) as process:
            self.put_until(ctl, process, 1)
            bus.stop_server()
            self.assertIn(b'connecting again', process.stderr.readline())
            self.put_until(ctl, process, 2)
            self.assertEqual(process.wait(harness.WATCHDOG), 0)

    def put_until(self, ctl, process, value):
        """Puts until it is shown: the watch may come to the server later than the put."""
        os.set_blocking(process.stdout.fileno(), False)
        while not (line := process.stdout.readline()):
            self.check(ctl.run('--session', 'put', 'k', str(value), str(value)))
            time.sleep(0.05)
        self.assertEqual(line.decode(), f'k {value}.0 {value}\n')


if __name__ == '__main__':
    harness.main()
