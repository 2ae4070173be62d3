#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program: its options, what it says when it cannot start, and how it stops."""

import os
import pathlib
import re
import signal
import socket
import tempfile

from harness import OK, REPORT, Client, TestCase, connect, main, run, wait_until

OPTIONS = ('--host', '--port', '--listen', '--line-limit', '--connection-limit', '--idle-timeout', '--line-timeout',
           '--answer-timeout', '--unsent-limit', '--series-limit', '--memory-limit', '--slice-limit', '--stop-timeout',
           '--lock-timeout', '--exit-when-idle', '--self-metrics', '--state-dir', '--durability', '--config', '--memory-only',
           '--show-retention', '--version')
OTHERS = ('--session', '--system', '--log-level', '--check-config', '--show-config')
# Of a documentation network: no machine has it.
FOREIGN = '198.51.100.1'


class DaemonTest(TestCase):
    def assert_refused(self, *options, mentions=''):
        """It does not start, says why in one line, and ends with a status of its own."""
        result = run(*options)
        self.assertGreater(result.returncode, 0, f'{options}: {result}')
        self.assertNotIn('ready', result.stdout, options)
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, f'{options}: {result.stderr}')
        self.assertRegex(lines[0], r'\w+ \w+', options)
        self.assertIsNone(REPORT.search(result.stderr))
        self.assertIn(mentions, lines[0], options)

    def directory(self):
        return pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))


class InformationTest(DaemonTest):
    def test_version(self):
        result = run('--version')
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertRegex(result.stdout, r'^metricsd \d+\.\d+\S*\n$')

    def test_help_names_every_option(self):
        result = run('--help')
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        for option in OPTIONS + OTHERS:
            self.assertRegex(result.stdout, re.escape(option) + r'\b')


class BadOptionsTest(DaemonTest):
    def test_unknown_options_and_words(self):
        for options in (('--unknown',), ('--port=0', '--frobnicate=1'), ('-z',), ('word',), ('--port=0', 'word'), ('127.0.0.1', '0')):
            self.assert_refused(*options)

    def test_missing_values(self):
        for option in OPTIONS[:-3]:
            self.assert_refused(option)

    def test_bad_ports(self):
        for port in ('x', '-1', '65536', '99999999999', '1.5', '0x50', '80 ', ''):
            self.assert_refused('--host', '127.0.0.1', f'--port={port}')

    def test_bad_numbers(self):
        for option in OPTIONS[3:-6]:
            for value in ('x', '-1', '', '1.5', '1e3', '0x10', '99999999999999999999999', '5X', '12 K', 'K', 'nan'):
                self.assert_refused('--port=0', f'{option}={value}', mentions=option)

    def test_bad_zeros(self):
        """A limit of nothing would be a server that serves nobody."""
        for option in ('--line-limit', '--connection-limit', '--unsent-limit', '--slice-limit', '--series-limit', '--memory-limit'):
            self.assert_refused('--port=0', f'{option}=0', mentions=option)

    def test_sizes_that_do_not_fit(self):
        for option in ('--line-limit', '--unsent-limit', '--memory-limit'):
            self.assert_refused('--port=0', f'{option}=99999999999999999G', mentions=option)
            self.assert_refused('--port=0', f'{option}=18446744073709551615G', mentions=option)

    def test_what_a_size_may_be(self):
        """The smallest one in the form in which it can be given."""
        self.assert_refused('--memory-limit=0', mentions="--memory-limit: '0' is not a size of at least 1M")
        self.assert_refused('--line-limit=17M', mentions="--line-limit: '17M' is not a size from 64 to 16M")
        self.assert_refused('--slice-limit=0', mentions="--slice-limit: '0' is not a number from 1 to 16777216")
        self.assertIn('at least 1M', run('--help').stdout)

    def test_bad_addresses(self):
        for address in ('', ':', '127.0.0.1:', '127.0.0.1:x', '127.0.0.1:65536', '127.0.0.1:-1', '[::1', '[::1]x',
                        'unix:', 'unix:' + '/x' * 100, '127.0.0.1:0:0', '[::1]:0:0'):
            self.assert_refused('--listen', address)

    def test_bad_settings_of_a_listener(self):
        path = self.directory() / 'socket'
        for settings in ('mode=x', 'mode=0888', 'mode=77777', 'mode=-1', 'mode=', 'owner=no-such-user-here', 'owner=root:no-such-group-here',
                         'owner=', 'rights=', 'rights=fly', 'rights=read+fly', 'rights=read++put', 'rights=read+', 'colour=red', 'mode', '', '=',
                         'mode=0600,colour=red'):
            self.assert_refused('--listen', f'unix:{path},{settings}')
            self.assertFalse(path.exists(), settings)
        for settings in ('mode=0600', 'owner=root', 'rights=fly'):
            self.assert_refused('--listen', f'127.0.0.1:0,{settings}')


    def test_bad_durability(self):
        for durability in ('', 'sometimes', 'Always', 'always ', '1', 'interval,always'):
            self.assert_refused(f'--durability={durability}', mentions='--durability')

    def test_memory_only_promises_nothing_else(self):
        path = self.directory() / 'state'
        self.assert_refused('--memory-only', '--state-dir', str(path), mentions='--state-dir')
        self.assert_refused('--memory-only', '--durability', 'always', mentions='--durability')
        self.assert_refused('--state-dir=', mentions='--state-dir')
        self.assertFalse(path.exists())


class CannotListenTest(DaemonTest):
    def test_port_in_use(self):
        with socket.create_server(('127.0.0.1', 0)) as other:
            port = str(other.getsockname()[1])
            self.assert_refused('--host', '127.0.0.1', '--port', port, mentions=port)
            self.assert_refused('--listen', f'127.0.0.1:{port}', mentions=port)

    def test_port_in_use_by_another_metricsd(self):
        server = self.start()
        self.assert_refused('--host', '127.0.0.1', '--port', str(server.port), mentions=str(server.port))
        self.assertEqual(self.client(server).ask(b'ping'), OK)

    def test_address_that_is_not_ours(self):
        self.assert_refused('--host', FOREIGN, '--port', '0', mentions=FOREIGN)
        self.assert_refused('--listen', f'{FOREIGN}:0', mentions=FOREIGN)

    def test_one_of_several_fails(self):
        path = self.directory() / 'socket'
        self.assert_refused('--listen', f'unix:{path}', '--listen', '127.0.0.1:0', '--listen', f'{FOREIGN}:0', mentions=FOREIGN)
        self.assertFalse(path.exists())

    def test_the_same_port_again_after_a_stop(self):
        """Connections that the server closed linger in the system for a minute and do not keep the port."""
        server = self.start()
        port, client = server.port, self.client(server)
        self.assertEqual(client.ask(b'quit'), OK)
        client.expect_eof()
        self.assertEqual(server.stop(), 0)
        again = self.start('--host', '127.0.0.1', '--port', port)
        self.assertEqual(again.port, port)
        self.assertEqual(self.client(again).ask(b'ping'), OK)


class StopTest(DaemonTest):
    POINTS = 60000

    def start_with_data(self, *options):
        server = self.start(*options)
        with Client(server) as client:
            client.put_many([f'put key{i % 50} {i}.125 {i}\n'.encode() for i in range(self.POINTS)])
            everything = client.ask(b'get *')
        return server, everything

    def assert_accepts_no_more(self, address):
        def refused():
            try:
                connect(address).close()
            except (ConnectionRefusedError, FileNotFoundError):
                return True
            except ConnectionResetError:
                pass
            return False
        wait_until(refused, 'the end of accepting')

    def test_idle(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.start()
            client = self.client(server)
            self.assertEqual(client.ask(b'ping'), OK)
            server.signal(number)
            client.expect_eof()
            self.assertEqual(server.wait(), 0)

    def test_finishes_what_is_owed(self):
        """Answers of a `get *` that a slow reader is in the middle of, and those to what it had sent behind."""
        for number in (signal.SIGTERM, signal.SIGINT):
            server, everything = self.start_with_data('--stop-timeout', '600')
            client = self.client(server, receive_buffer=4096)
            client.send(b'get *\n' * 3 + b'put late 1 1\nget late\n')
            client.wait_for(10)
            server.signal(number)
            self.assert_accepts_no_more(server.address)
            want = everything * 3 + OK + b'ok\nlate 1.0 1\n\n'
            got = b''
            while len(got) < len(want):
                got += client.recv_some(20000)
            self.assertEqual(got, want)
            client.expect_eof()
            self.assertEqual(server.wait(), 0)

    def test_no_new_requests_while_it_stops(self):
        """A client that goes on asking does not keep the server alive."""
        server, everything = self.start_with_data('--stop-timeout', '600')
        slow, busy = self.client(server, receive_buffer=4096), self.client(server)
        slow.send(b'get *\n')
        self.assertEqual(busy.ask(b'ping'), OK)
        slow.wait_for(10)
        server.signal(signal.SIGTERM)
        self.assert_accepts_no_more(server.address)

        def ended():
            try:
                return busy.ask(b'ping') != OK
            except (EOFError, ConnectionError):
                return True
        wait_until(ended, 'the end of an idle connection')
        self.assertEqual(slow.recv_all(), everything)
        self.assertEqual(server.wait(), 0)

    def test_a_partial_line_is_no_debt(self):
        server = self.start('--stop-timeout', '600', '--line-timeout', '600')
        client = self.client(server)
        self.assertEqual(client.ask(b'ping'), OK)
        client.send(b'put k 1')
        server.signal(signal.SIGTERM)
        client.expect_closed()
        self.assertEqual(server.wait(), 0)

    def test_deadline_ends_a_client_that_never_reads(self):
        server, _ = self.start_with_data('--stop-timeout', '1', '--answer-timeout', '3600')
        clients = [self.client(server, receive_buffer=4096) for _ in range(5)]
        for client in clients:
            client.send(b'get *\n' * 50)
            client.wait_for(1)
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)

    def test_second_signal_ends_it_at_once(self):
        path = self.directory() / 'socket'
        for first, second in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)):
            server, _ = self.start_with_data('--listen', f'unix:{path}', '--listen', '127.0.0.1:0', '--stop-timeout', '3600',
                                             '--answer-timeout', '3600')
            client = self.client(server.addresses[1], receive_buffer=4096)
            client.send(b'get *\n' * 50)
            client.wait_for(1)
            server.signal(first)
            self.assert_accepts_no_more(server.addresses[1])
            self.assertIsNone(server.process.poll())
            server.signal(second)
            server.wait()
            self.assertFalse(path.exists())
            self.assertIsNone(REPORT.search(server.errors()))
            server.kill()  # whatever its status was

    def test_stop_while_clients_come_and_ask(self):
        """Whatever arrives in these moments is answered in whole or not at all."""
        for _ in range(5):
            server, everything = self.start_with_data()
            clients = [self.client(server) for _ in range(20)]
            for client in clients:
                client.send(b'get *\n')
            server.signal(signal.SIGTERM)
            for client in clients:
                try:
                    self.assertIn(client.recv_all(), (b'', everything))
                except ConnectionResetError:
                    pass  # it had not been accepted yet
            self.assertEqual(server.wait(), 0)


class OutputTest(DaemonTest):
    def test_standard_output_is_for_programs(self):
        server = self.start()
        client = self.client(server)
        client.ask(b'nonsense')
        client.reset()
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.process.stdout.read(), b'')

    def test_translations_leave_it_alone(self):
        server = self.start(env={'LANGUAGE': 'de:fr', 'LC_ALL': 'C.UTF-8'})
        self.assertRegex(server.address, r'^127\.0\.0\.1:\d+$')
        self.assertEqual(self.client(server).ask(b'got x'), b'error\nwrong command\n\n')

    def test_no_standard_input_or_terminal_is_needed(self):
        server = self.start(preexec=os.setsid)
        self.assertEqual(self.client(server).ask(b'ping'), OK)


if __name__ == '__main__':
    main()
