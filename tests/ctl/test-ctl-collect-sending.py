# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl collect: when it reads, and that it loses nothing on the way to the server."""

import re
import signal
import subprocess
import time

import harness
from ctl import Ctl
from ctlbeside import CLOSE, FakeServer, Process, free_port
from harness import Client, Server, wait_until
from readings import by_time, parse, reading


class Once(harness.TestCase):
    def test_puts(self):
        server = self.start()
        result = Ctl(server).run('collect', '--once', '--prefix', 'p')
        self.assertEqual((result.status, result.out, result.err), (0, '', ''))
        points = parse('\n'.join(row.decode() for row in self.client(server).rows(b'get *')))
        self.assertEqual(len({point.time for point in points}), 1)
        self.assertEqual({point.key.removeprefix('p.') for point in points}, set(reading()))

    def test_without_a_server(self):
        result = Ctl(f'127.0.0.1:{free_port()}').run('collect', '--once')
        self.assertEqual(result.status, 3)
        self.assertRegex(result.err, r'^metricsctl: .+\nmetricsctl: \d+ points were not sent\n$')

    def test_refused(self):
        server = self.enterContext(FakeServer(lambda connection, nth, line: b'error\nno thanks\n\n'))
        result = Ctl(server).run('collect', '--once')
        self.assertEqual(result.status, 1)
        self.assertIn('no thanks', result.err)
        self.assertIn(f'refused {len(server.all_lines())} points', result.err)


class Grid(harness.TestCase):
    def collect(self, *arguments, **options):
        return self.enterContext(Process('collect', *arguments, **options))

    def test_print(self):
        process = self.collect('--print', '--interval', 2, stdout=subprocess.PIPE)
        process.wait_message(r'read at (\d+)', 3)
        self.assertEqual(process.stop(signal.SIGINT), 0)
        times = by_time(parse(process.process.stdout.read().decode()))
        self.assertEqual([str(when) for when in times], re.findall(r'read at (\d+)', process.errors()))
        self.assertEqual(sorted(times), list(times))
        for when, values in times.items():
            self.assertEqual(when % 2, 0)
            self.assertEqual(set(values), set(times[min(times)]))
        if 'too late' not in process.errors():
            self.assertEqual(list(times), list(range(min(times), max(times) + 1, 2)))

    def test_missed_readings_are_left_out(self):
        process = self.collect('--print', '--interval', 1, stdout=subprocess.PIPE)
        process.wait_message(r'read at (\d+)', 1)
        process.send_signal(signal.SIGSTOP)
        stopped = int(time.time())
        wait_until(lambda: time.time() >= stopped + 4, 'the time')
        continued = int(time.time())
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: int(process.wait_message(r'read at (\d+)')) > continued, 'a reading')
        self.assertEqual(process.stop(), 0)
        times = list(by_time(parse(process.process.stdout.read().decode())))
        self.assertEqual(sorted(times), times)
        self.assertEqual([when for when in times if stopped < when < continued], [])
        self.assertGreater(times[-1], continued)

    def test_reader_that_goes(self):
        process = self.collect('--print', '--interval', 1, stdout=subprocess.PIPE)
        process.process.stdout.close()
        self.assertEqual(process.wait(), -signal.SIGPIPE)


class Sending(harness.TestCase):
    def collect(self, address, *arguments):
        return self.enterContext(Process('collect', '--address', address, '--interval', 1, *arguments))

    def stored(self, server):
        with Client(server) as client:
            return parse('\n'.join(row.decode() for row in client.rows(b'get *')))

    def has_reading(self, server, after):
        with Client(server) as client:
            rows = client.rows(b'last *.uptime_seconds')
        return rows and int(rows[0].split()[2]) > after

    def restart(self, end):
        """A server that is ended in the way of `end`, and started again on its port two readings later."""
        with Server() as server:
            port = server.port
            process = self.collect(server.address)
            process.wait_message('read at', 2)
            wait_until(lambda: self.has_reading(server, 0), 'a reading')
            # Nothing more is accepted from here on, so that what is acknowledged is what is seen.
            process.send_signal(signal.SIGSTOP)
            before = self.stored(server)
            end(server)
        process.send_signal(signal.SIGCONT)
        process.wait_message('is kept until it can be sent')
        missed = process.wait_message(r'read at (\d+)', len(re.findall('read at', process.errors())) + 2)

        with Server('--host', '127.0.0.1', '--port', port) as server:
            process.wait_message(f'sending to {server.address} again')
            wait_until(lambda: self.has_reading(server, int(missed)), 'a reading')
            self.assertEqual(process.stop(), 0)
            after = self.stored(server)
        self.assertEqual(len(process.messages()), 2, process.messages())

        times = by_time(before) | by_time(after)
        self.assertEqual(sorted(times), [int(when) for when in re.findall(r'read at (\d+)', process.errors())])
        keys = set(times[min(times)])
        self.assertTrue(all(set(values) == keys for values in times.values()))

    def test_server_is_restarted(self):
        self.restart(lambda server: server.stop())

    def test_server_crashes(self):
        self.restart(lambda server: server.kill())

    def test_starts_before_the_server(self):
        port = free_port()
        process = self.collect(f'127.0.0.1:{port}')
        process.wait_message('is kept until it can be sent')
        with Server('--host', '127.0.0.1', '--port', port) as server:
            process.wait_message('again')
            first = re.search(r'read at (\d+)', process.errors()).group(1)
            self.assertEqual(min(point.time for point in self.stored(server)), int(first))
            self.assertEqual(process.stop(), 0)
        self.assertEqual(len(process.messages()), 2, process.messages())

    def broken_off(self, last_word):
        """The first connection ends within a reading; the points from there on come on the next one."""
        acknowledged = len(reading()) + 7

        def answer(connection, nth, line):
            return b'ok\n\n' if connection > 0 or nth < acknowledged else last_word

        server = self.enterContext(FakeServer(answer))
        process = self.collect(server.address)
        wait_until(lambda: len(server.lines) > 1, 'the second connection')
        process.wait_message('read at', 2)
        self.assertEqual(process.stop(), 0)
        # The server was there all the time.
        self.assertEqual(process.messages(), [])
        first, second = server.lines
        self.assertEqual(second[0], first[acknowledged])
        self.check_whole(process, first[:acknowledged] + second)

    def check_whole(self, process, lines):
        times = by_time(parse('\n'.join(lines), 'put '))
        self.assertEqual([str(when) for when in times], re.findall(r'read at (\d+)', process.errors()))
        self.assertTrue(all(set(values) == set(times[min(times)]) for values in times.values()))

    def test_part_of_a_batch_was_acknowledged(self):
        self.broken_off(CLOSE)

    def test_last_word_is_no_answer(self):
        self.broken_off(b'error\nidle timeout\n\n' + CLOSE)

    def test_too_many_connections(self):
        refused = b'error\ntoo many connections\n\n'
        server = self.enterContext(FakeServer(
            lambda connection, nth, line: CLOSE if connection < 2 else b'ok\n\n',
            greeting=lambda connection: refused if connection < 2 else b''))
        process = self.collect(server.address)
        process.wait_message('is kept until it can be sent')
        process.wait_message('again')
        self.assertEqual(process.stop(), 0)
        self.check_whole(process, server.lines[2])
        self.assertEqual(len(process.messages()), 2, process.messages())

    def test_refused_points(self):
        def answer(connection, nth, line):
            return b'error\nseries limit reached\n\n' if '.fs.' in line else b'ok\n\n'

        server = self.enterContext(FakeServer(answer))
        process = self.collect(server.address)
        process.wait_message('read at', 3)
        self.assertEqual(process.stop(), 0)
        self.check_whole(process, server.all_lines())
        refused = [line for line in server.all_lines() if '.fs.' in line]
        self.assertEqual(len(process.messages()), 2, process.messages())
        self.assertIn('series limit reached', process.messages()[0])
        self.assertIn(f'refused {len(refused)} points in all', process.messages()[1])

    def test_points_are_taken_again(self):
        refusing = [True]
        server = self.enterContext(FakeServer(
            lambda connection, nth, line: b'error\nmemory limit reached\n\n' if refusing[0] else b'ok\n\n'))
        process = self.collect(server.address)
        process.wait_message('memory limit reached')
        process.wait_message('read at', 2)
        refusing[0] = False
        process.wait_message(r'refused \d+ points in all')
        self.assertEqual(process.stop(), 0)
        self.assertEqual(len(process.messages()), 2, process.messages())

    def test_buffer(self):
        size = len(reading())
        port = free_port()
        process = self.collect(f'127.0.0.1:{port}', '--buffer', size + 10)
        process.wait_message('is kept until it can be sent')
        process.wait_message('read at', 4)
        with FakeServer(port=port) as server:
            dropped = int(process.wait_message(r'(\d+) points were dropped'))
            self.assertEqual(process.stop(), 0)
            lines = server.all_lines()
        readings = len(re.findall('read at', process.errors()))
        self.assertGreater(dropped, 0)
        self.assertEqual(len(lines) + dropped, readings * size)
        # The oldest went: what came first is the end of a reading, and from there on all is whole.
        times = [point.time for point in parse('\n'.join(lines), 'put ')]
        self.assertEqual(times, sorted(times))
        counts = [times.count(when) for when in sorted(set(times))]
        self.assertEqual(counts, [10] + [size] * (len(counts) - 1))
        self.assertEqual(sum('dropped' in message for message in process.messages()), 1, process.messages())


class Stopping(harness.TestCase):
    collect = Sending.collect

    def test_sends_what_is_queued(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            port = free_port()
            process = self.collect(f'127.0.0.1:{port}')
            process.wait_message('read at', 2)
            with FakeServer(port=port) as server:
                self.assertEqual(process.stop(number), 0)
                Sending.check_whole(self, process, server.all_lines())

    def test_without_a_server(self):
        process = self.collect(f'127.0.0.1:{free_port()}')
        process.wait_message('is kept until it can be sent')
        self.assertEqual(process.stop(), 0)
        self.assertRegex(process.messages()[-1], r'\d+ points were not sent$')

    def test_server_that_does_not_answer(self):
        server = self.enterContext(FakeServer(lambda connection, nth, line: b''))
        process = self.collect(server.address)
        wait_until(server.all_lines, 'points')
        # At the latest when the time for the last attempt is over.
        self.assertEqual(process.stop(), 0)
        self.assertRegex(process.messages()[-1], r'\d+ points were not sent$')

    def test_second_signal(self):
        server = self.enterContext(FakeServer(lambda connection, nth, line: b''))
        process = self.collect(server.address, '--timeout', 0)
        wait_until(server.all_lines, 'points')
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.stop(), 0)


harness.main()
