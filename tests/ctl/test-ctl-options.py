# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all commands share: help, global options, addresses, exit statuses, output that cannot be written."""

import json
import os
import re
import socket
import subprocess
import tempfile
import unittest

import harness
from ctl import Ctl, TestCase, binary, finish, read_lines, wait_for_close

COMMANDS = ('put', 'get', 'last', 'range', 'keys', 'del', 'ping', 'stats', 'import', 'export', 'flush',
            'watch')

# A command line of each that prints something where there is a point.
PRINTING = (['get', 'k'], ['get', '--all'], ['last'], ['range', '*'], ['range', 'k', '--step', '5'], ['keys'],
            ['del', 'k'], ['ping'], ['stats'], ['export'])

# And of each that asks the server for something.
ASKING = (*PRINTING, ['put', 'k', '1'], ['put', 'k', '1', '2'], ['del', 'k', '1', '2'])


class Help(TestCase):
    def test_list_of_commands(self):
        for option in '--help', '-h':
            result = Ctl().run(option)
            self.assertEqual((result.status, result.err), (0, ''))
            listed = re.findall(r'^  (\w+) +\w', result.out[result.out.index('Commands:'):], re.MULTILINE)
            self.assertLessEqual(set(COMMANDS), set(listed))
            for name in 'address', 'timeout', 'json', 'plain', 'human', 'version':
                self.assertIn(f'--{name}', result.out)

    def test_every_command(self):
        for command in COMMANDS:
            with self.subTest(command):
                result = Ctl().run(command, '--help')
                self.assertEqual((result.status, result.err), (0, ''))
                self.assertIn(f'metricsctl {command} [OPTION', result.out)
                for part in 'prints', f'Examples:\n  ', 'Exit status:\n', '--address', '--json':
                    self.assertIn(part, result.out)
                self.assertLessEqual(max(map(len, result.out.splitlines())), 110)

    def test_help_wins_over_missing_arguments(self):
        self.assertEqual(Ctl().run('put', 'k', '--help').status, 0)

    def test_version(self):
        for words in ['--version'], ['put', '--version']:
            result = Ctl().run(*words)
            self.assertEqual((result.status, result.err), (0, ''))
            self.assertRegex(result.out, r'\Ametricsctl \d+\.\d+\.\d+\n\Z')

    def test_bad_command_line(self):
        for words, text in (([], 'no command'), (['frobnicate'], "'frobnicate'"), (['--frob'], '--frob'),
                            (['-x', 'ping'], '-x'), (['--address'], '--address'), (['ping', '--frob'], '--frob'),
                            (['ping', 'x'], "'x'"), (['ping', '-5'], "'-5'"), (['ping', '-5x'], '-5x')):
            with self.subTest(' '.join(words)[:60]):
                self.check_usage_error(Ctl().run(*words), text)


class Address(TestCase):
    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.path = os.path.join(directory, 'socket')
        self._server = self.start('--listen', '127.0.0.1:0', '--listen', f'unix:{self.path}')
        self.put('k 1 2')

    def test_option(self):
        for words in (['--address', self.server.address, 'get', 'k'], ['get', '--address', self.server.address, 'k'],
                      ['get', 'k', f'--address={self.server.address}'], ['-a', self.server.address, 'get', 'k'],
                      ['get', 'k', '-a', f'localhost:{self.server.port}'], ['get', 'k', '-a', f'unix:{self.path}'],
                      ['get', 'k', '-a', self.path]):
            with self.subTest(' '.join(words)[:60]):
                self.check(Ctl().run(*words), 'k 1.0 2\n')

    def test_option_wins_over_environment(self):
        self.check(Ctl('127.0.0.1:1').run('get', 'k', '-a', self.server.address), 'k 1.0 2\n')

    def test_path_that_is_not_ascii(self):
        # Whatever the locale: a path is bytes. One that is no text at all is shown escaped.
        directory = os.path.dirname(os.fsencode(self.path))
        for name, shown in ('b\xfcro'.encode(), 'b\xfcro'), (b'b\xfcro', r'b\xfcro'):
            path = os.path.join(directory, name)
            os.symlink(self.path, path)
            for locale in 'C', 'C.UTF-8':
                for words in ['-a', path], ['-a', b'unix:' + path]:
                    with self.subTest(shown, locale=locale):
                        self.check(Ctl(LC_ALL=locale).run('get', 'k', *words), 'k 1.0 2\n')
                        result = Ctl(LC_ALL=locale).run('ping', '--json', *words)
                        self.assertTrue(json.loads(result.out)['address'].endswith(shown), result.out)
                self.check(Ctl(LC_ALL=locale, METRICSD_ADDRESS=path).run('get', 'k'), 'k 1.0 2\n')

    def test_path_that_is_no_text_in_messages(self):
        result = Ctl().run('ping', '-a', b'/nonexistent/b\xfcro')
        self.assertEqual((result.status, result.out), (3, ''))
        self.assertIn('/nonexistent/b', result.err)

    def test_ipv6(self):
        try:
            with socket.create_server(('::1', 0), family=socket.AF_INET6):
                pass
        except OSError:
            raise unittest.SkipTest('there is no IPv6 here')
        self.check(Ctl(self.start('--listen', '[::1]:0')).run('put', 'k', '1'))

    def test_bad_address(self):
        for address in '', 'host:port', '127.0.0.1:99999', 'unix:', 'unix:/' + 'x' * 200:
            with self.subTest(address):
                self.check_usage_error(Ctl().run('ping', '--address', address), '')
        self.check_usage_error(Ctl('host:port').run('ping'), '')


class OnTheBus(TestCase):
    """What can be said of it without one."""

    def setUp(self):
        nowhere = 'unix:path=/nonexistent'
        self.ctl_without = Ctl(DBUS_SESSION_BUS_ADDRESS=nowhere, DBUS_SYSTEM_BUS_ADDRESS=nowhere)

    def test_there_is_none(self):
        for words, bus in ((['--session'], 'session'), (['--system'], 'system'), (['-a', 'bus:session'], 'session'),
                           (['--address=bus:system'], 'system')):
            for command in (*ASKING, ['flush']):
                with self.subTest(' '.join([*words, *command])):
                    result = self.ctl_without.run(*words, *command)
                    self.assertEqual((result.status, result.out), (3, ''), result.err)
                    self.assertIn(f'cannot connect to bus:{bus}: there is no {bus} bus: ', result.err)

    def test_environment(self):
        result = Ctl('bus:session', DBUS_SESSION_BUS_ADDRESS='unix:path=/nonexistent').run('ping')
        self.assertEqual((result.status, result.out), (3, ''), result.err)
        self.assertIn('there is no session bus: ', result.err)

    def test_one_place_at_a_time(self):
        for words in ['--session', '--system'], ['--session', '-a', '/x'], ['--system', '--address', 'bus:system']:
            self.check_usage_error(Ctl().run('ping', *words), 'exclude each other')
            self.check_usage_error(Ctl().run(words[0], 'ping', *words[1:]), 'exclude each other')

    def test_bad_bus(self):
        for address in 'bus:', 'bus:other', 'bus:Session':
            self.check_usage_error(Ctl().run('ping', '-a', address), 'bus:session')

    def test_flush_of_a_socket(self):
        self.check_usage_error(Ctl().run('flush'), 'only a server on the bus')
        self.check_usage_error(Ctl().run('flush', '-a', 'unix:/nonexistent'), 'unix:/nonexistent')

    def test_bench(self):
        for words in ['--session'], ['--system'], ['-a', 'bus:session']:
            self.check_usage_error(self.ctl_without.run('bench', *words), 'bench cannot connect over the bus')


class NoServer(TestCase):
    def check_no_server(self, result, text):
        self.assertEqual((result.status, result.out), (3, ''), result.err)
        self.assertIn(text, result.err)
        self.assertRegex(result.err, r'\Ametricsctl: .*\n\Z')

    def test_nobody_listens(self):
        # A socket that is bound and does not listen refuses, and keeps the port from everybody else.
        with socket.socket() as sock:
            sock.bind(('127.0.0.1', 0))
            address = '127.0.0.1:%d' % sock.getsockname()[1]
            for words in ASKING:
                with self.subTest(' '.join(words)[:60]):
                    self.check_no_server(Ctl(address).run(*words), address)
        self.check_no_server(Ctl('unix:/nonexistent/socket').run('ping'), '/nonexistent/socket')

    def test_no_answer_in_time(self):
        fake = self.fake(wait_for_close)
        for words in ASKING:
            with self.subTest(' '.join(words)[:60]):
                self.check_no_server(Ctl(fake).run(*words, '--timeout', '0.05'), fake.address)

    def test_closed(self):
        def script(sock):
            read_lines(sock, 1)

        fake = self.fake(script)
        for words in ASKING:
            with self.subTest(' '.join(words)[:60]):
                self.check_no_server(Ctl(fake).run(*words), 'closed')

    def test_no_metrics_server(self):
        def script(sock):
            read_lines(sock, 1)
            sock.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')

        fake = self.fake(script)
        for words in ASKING:
            with self.subTest(' '.join(words)[:60]):
                result = Ctl(fake).run(*words)
                self.assertEqual((result.status, result.out), (1, ''), result.err)
                self.assertRegex(result.err, r'\Ametricsctl: .*\n\Z')

    def test_bad_timeout(self):
        for text in '-1', 'x', '', 'nan', '1e9', '5s':
            with self.subTest(text):
                self.check_usage_error(Ctl().run('ping', '--timeout', text), 'number of seconds')


class Refused(TestCase):
    def refuse(self, text):
        def script(sock):
            read_lines(sock, 1)
            sock.sendall(b'error\n' + text + b'\n\n')
            wait_for_close(sock)

        return Ctl(self.fake(script))

    def test_text_of_the_server(self):
        ctl = self.refuse(b'not today')
        for words in ASKING:
            with self.subTest(' '.join(words)):
                self.check(ctl.run(*words), status=1, err='metricsctl: the server refused: not today\n')

    def test_text_that_commands_the_terminal(self):
        result = self.refuse(b'not \x1b[31mtoday').run('ping')
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertNotIn('\x1b', result.err)


class BadOutput(TestCase):
    def setUp(self):
        self.put('k 1 2')

    def test_full_disk(self):
        for words in (*PRINTING, ['--help'], ['put', '--help'], ['--version']):
            for form in [], ['--json'], ['--human']:
                with self.subTest(' '.join(words + form)), open('/dev/full', 'wb') as full:
                    self.put('k 1 2')
                    result = self.ctl.run(*words, *form, stdout=full)
                    self.assertEqual(result.status, 1)
                    self.assertEqual(result.err, 'metricsctl: cannot write the output: No space left on device\n')

    def test_full_disk_after_many_rows(self):
        with harness.Client(self.server) as client:
            client.put_many([b'put k %d %d\n' % (n, n) for n in range(50_000)])
        for form in '--plain', '--json', '--human':
            with self.subTest(form), open('/dev/full', 'wb') as full:
                result = self.ctl.run('get', 'k', form, stdout=full)
                self.assertEqual(result.status, 1)
                self.assertEqual(result.err.count('\n'), 1)

    def test_broken_pipe_ends_quietly(self):
        with harness.Client(self.server) as client:
            client.put_many([b'put k %d %d\n' % (n, n) for n in range(200_000)])
        for words in ['get', 'k'], ['export'], ['range', '*', '--human']:
            with self.subTest(' '.join(words)[:60]):
                # As in `metricsctl export | head -1`.
                command = self.ctl.start(*words)
                head = subprocess.run(['head', '-1'], stdin=command.stdout, stdout=subprocess.PIPE)
                self.assertEqual(head.stdout.count(b'\n'), 1)
                command.stdout.close()
                command.stdin.close()
                err = command.stderr.read()
                command.stderr.close()
                self.assertEqual((command.wait(), err), (-13, b''))


class WhatIsRight(TestCase):
    def test_what_was_meant(self):
        for typed, meant in ('polt', 'plot'), ('wtach', 'watch'), ('lst', 'last'), ('expotr', 'export'):
            self.check_usage_error(self.ctl.run(typed), f"no such command: '{typed}'; did you mean '{meant}'?\n")
        for typed in 'xyzzy', 'x' * 100, 'complet':
            self.check_usage_error(self.ctl.run(typed), f"no such command: '{typed}'\n")

    def test_help_as_a_command(self):
        for words, same in (['help'], ['--help']), (['help', 'plot'], ['plot', '--help']):
            result = self.ctl.run(*words)
            self.assertEqual((result.status, result.out), (0, self.ctl.run(*same).out))
        self.check_usage_error(self.ctl.run('help', 'polt'), "did you mean 'plot'?")

    def test_words_that_are_wrong(self):
        """What would be right is said with it, and what is long is not shown as a whole."""
        for words, text in ((('put', 'k', 'warm'), 'a decimal number, for example 21.5 or 1e-3'),
                            (('put', 'k', '1', 'then'), 'for example now-5m'), (('put', 'k' * 1025, '1'), '1024 bytes, not 1025'),
                            (('range', 'k', '-f', 'mean'), 'there are avg, '), (('last', 'k' * 5000), '1024 bytes, not 5000'),
                            (('-a', 'http://localhost:8889', 'ping'), 'HOST:PORT'), (('-a', '9990', 'ping'), 'HOST:PORT')):
            with self.subTest(words):
                result = Ctl().run(*words)
                self.check_usage_error(result, text)
                self.assertLess(len(result.err), 300)

    def test_a_port_of_http(self):
        def serve(sock):
            read_lines(sock, 1)
            sock.sendall(b'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')

        result = Ctl(self.fake(serve)).run('ping')
        self.assertEqual(result.status, 1)
        self.assertIn('this port speaks HTTP, not the line protocol', result.err)


if __name__ == '__main__':
    harness.main()
