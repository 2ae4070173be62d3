# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the server logs: what an administrator looks for, once; nothing that a client can make it say without end, or make look
like something else; and it does not wait for who reads it."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
from harness import Client, TestCase

FLOOD = 3000  # requests that are refused
BURST = 10
MAX_LINES = 2 * BURST  # of a flood, for it may last longer than the minute after which one more may be said
MAX_BYTES = MAX_LINES * 200
SUPPRESSED = re.compile(r"(?m)^metricsd: (\d+) more messages? '([a-z-]+)' (?:was|were) suppressed$")
MESSAGE_ID = re.compile(r'[0-9a-f]{32}')


class LogTest(TestCase):
    def said(self, server, text):
        """How often something was said, and how often it was not."""
        lines = [line for line in server.errors().splitlines() if text in line]
        suppressed = sum(int(count) for count, _ in SUPPRESSED.findall(server.errors()))
        return len(lines), suppressed

    def assert_bounded(self, server, text, total):
        """All is accounted for, in little space."""
        server.stop()
        said, suppressed = self.said(server, text)
        self.assertEqual(said + suppressed, total)
        self.assertGreaterEqual(said, BURST)
        self.assertLess(len(server.errors().splitlines()), MAX_LINES)
        self.assertLess(len(server.errors()), MAX_BYTES)


class EventsTest(LogTest):
    def test_start_and_stop(self):
        server = self.start()
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.log(), rf'^metricsd: version \S+ is ready at {server.address}; points are kept in memory only\n'
                                       r'metricsd: stopped \(SIGTERM\)\n$')

    def test_what_was_written(self):
        state = self.enterContext(tempfile.TemporaryDirectory())
        server = self.start('--state-dir', state)
        with Client(server) as client:
            client.put('a', 1, 1)
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.log(), rf"points are kept in '{state}'\nmetricsd: stopped \(SIGTERM\); written to disk since the start: "
                                       r'[1-9][0-9.]*\s\w+\n$')

    def test_client_is_named(self):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / 'socket'
        server = self.start('--host', '127.0.0.1', '--port', '0', '--listen', f'unix:{path},rights=read')
        with Client(server.addresses[-1]) as client:
            self.assertIn(b'permission denied', client.ask(b'put a 1 1'))
        self.assertIn(f"client pid={os.getpid()},uid={os.getuid()} is refused: it does not have the right 'put'", server.errors())
        with Client(server) as client:
            address = '{}:{}'.format(*client.sock.getsockname())
            client.send(b'GET / HTTP/1.1\r\n\r\n')
            client.recv_all()
        self.assertIn(f'client {address} is refused: it speaks HTTP', server.errors())

    def test_limits(self):
        server = self.start('--line-limit', 100, '--series-limit', 1, '--memory-only')
        with Client(server) as client:
            client.ask(b'x' * 200)
            client.put('a', 1, 1)
            self.assertIn(b'error', client.ask(b'put b 1 1'))
        self.assertRegex(server.errors(), r'its line is longer than 100 bytes\n'
                                          r'metricsd: a point of client \S+ is refused: the limit of 1 series is reached\n$')

    def test_levels(self):
        for level, lines in (('error', 0), ('warning', 1), ('notice', 3), ('info', 3)):
            server = self.start('--log-level', level, '--listen', '127.0.0.1:0,rights=read')
            with Client(server) as client:
                client.ask(b'del *')
            self.assertEqual(server.stop(), 0)
            self.assertEqual(len(server.log().splitlines()), lines, server.log())
        server = self.start('--log-level', 'debug', '--connection-limit', 2)
        with Client(server) as client:
            client.ask(b'ping')
            client.reset()
        harness.wait_until(lambda: 'client gone' in server.log(), 'the message for programmers')


class FloodTest(LogTest):
    def test_connections_over_the_limit(self):
        server = self.start('--connection-limit', 1)
        with Client(server) as first:
            first.ask(b'ping')
            for _ in range(FLOOD):
                with Client(server) as client:
                    self.assertIn(b'too many connections', client.recv_all())
            refused = first.stats()['connections_refused']
        self.assertEqual(refused, FLOOD)
        self.assert_bounded(server, 'the limit of 1 connection is reached', FLOOD)

    def test_rights(self):
        server = self.start('--listen', '127.0.0.1:0,rights=read+put')
        with Client(server) as client:
            client.send(b'del *\n' * FLOOD)
            self.assertEqual(set(client.recv_replies(FLOOD)), {b'error\npermission denied\n\n'})
        self.assert_bounded(server, "it does not have the right 'delete'", FLOOD)

    def test_long_lines(self):
        server = self.start('--line-limit', 64)
        with Client(server) as client:
            for _ in range(FLOOD // 100):
                client.send((b'x' * 70 + b'\n') * 100)
                client.recv_replies(100)
        self.assert_bounded(server, 'its line is longer than 64 bytes', FLOOD)

    def test_full_memory(self):
        server = self.start('--series-limit', 1)
        with Client(server) as client:
            client.put('a', 1, 1)
            client.send(b''.join(b'put key%d 1 1\n' % i for i in range(FLOOD)))
            self.assertEqual(len(client.recv_replies(FLOOD)), FLOOD)
        self.assert_bounded(server, 'the limit of 1 series is reached', FLOOD)


class ForgeryTest(LogTest):
    def test_a_name_with_all_in_it(self):
        """A line, a terminal's commands, and no UTF-8."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        name = os.fsencode(folder) + b'/a\nmetricsd: stopped by SIGTERM\x1b[2J\xff'
        result = harness.run('--listen', f'unix:{os.fsdecode(name)}/socket', '--memory-only')
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count('\n'), 1)
        self.assertIn(r'/a\x0ametricsd: stopped by SIGTERM\x1b[2J\xff/socket', result.stderr)

    def test_a_long_name(self):
        result = harness.run('--listen', '127.0.0.1:0,' + 'x' * 100_000)
        self.assertEqual((result.returncode, len(result.stderr)), (2, 4096))
        # What the terminal's charset does not have is written longer.
        result = harness.run('--listen', 'x:' + 'é' * 1900, env={'LC_ALL': 'C'})
        self.assertEqual(result.returncode, 2)
        self.assertIn('\\u00e9', result.stderr)
        self.assertLessEqual(len(result.stderr), 4096)
        self.assertTrue(result.stderr.endswith('...\n'), result.stderr[-20:])


class PipeTest(LogTest):
    def test_nobody_reads_it(self):
        """Standard error is a pipe that is full: the server serves on."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        server = self.start('--listen', '127.0.0.1:0,rights=read+put', stderr=writer)
        try:
            while os.write(writer, bytes(4096)):
                pass
        except BlockingIOError:
            pass
        # It is not to be non-blocking for the server, which would hide that it waits.
        os.set_blocking(writer, True)
        with Client(server) as client:
            for _ in range(100):
                self.assertIn(b'permission denied', client.ask(b'del *'))
        os.close(writer)
        # What it says at its end is read.
        drained = []
        os.set_blocking(reader, False)
        try:
            while data := os.read(reader, 65536):
                drained.append(data)
        except BlockingIOError:
            pass
        self.assertEqual(server.stop(), 0)
        text = os.read(reader, 65536).decode()
        os.close(reader)
        self.assertIn('stopped (SIGTERM)', text)


class JournalTest(LogTest):
    def journal(self, *options):
        """The entries of a server that was started and stopped, and by which a client was refused."""
        command = ['unshare', '--user', '--map-root-user', '--mount']
        if not shutil.which('unshare') or subprocess.run([*command, 'mount', '-t', 'tmpfs', 'tmpfs', '/run'],
                                                         stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest('needs namespaces')
        result = subprocess.run([*command, sys.executable, pathlib.Path(__file__).with_name('journal.py'), *options], check=True,
                                stdout=subprocess.PIPE, text=True, timeout=harness.START_WATCHDOG, env={**os.environ, **harness.NOWHERE})
        return [json.loads(line) for line in result.stdout.splitlines()]

    @unittest.skipIf(harness.SANITIZED, 'a sanitizer wants what is not in the namespace')
    def test_fields(self):
        started, denied, stopped = self.journal('--listen', '127.0.0.1:0,rights=read', '--memory-only')
        for entry in (started, denied, stopped):
            self.assertRegex(entry['MESSAGE_ID'], MESSAGE_ID)
            self.assertEqual(entry['SYSLOG_IDENTIFIER'], 'metricsd')
            self.assertRegex(entry['CODE_FILE'], r'\.c$')
        self.assertEqual((started['METRICSD_EVENT'], started['PRIORITY']), ('started', '5'))
        self.assertRegex(started['METRICSD_ADDRESS'], r'^127\.0\.0\.1:\d+$')
        self.assertEqual((denied['METRICSD_EVENT'], denied['PRIORITY'], denied['METRICSD_RIGHT']), ('client-denied', '4', 'delete'))
        self.assertRegex(denied['METRICSD_CLIENT'], r'^127\.0\.0\.1:\d+$')
        self.assertIn(denied['METRICSD_CLIENT'], denied['MESSAGE'])
        self.assertEqual((stopped['METRICSD_EVENT'], stopped['METRICSD_REASON'], stopped['METRICSD_WRITTEN']), ('stopped', 'SIGTERM', '0'))

    @unittest.skipIf(harness.SANITIZED, 'a sanitizer wants what is not in the namespace')
    def test_forgery(self):
        name = '/nowhere/a\nMESSAGE_ID=0\nPRIORITY=0\nb'
        entry, = self.journal('--listen', f'unix:{name}/socket', '--memory-only')
        self.assertEqual((entry['METRICSD_EVENT'], entry['PRIORITY']), ('start-failed', '3'))
        self.assertIn(r'a\x0aMESSAGE_ID=0\x0aPRIORITY=0\x0ab', entry['METRICSD_REASON'])


if __name__ == '__main__':
    harness.main()
