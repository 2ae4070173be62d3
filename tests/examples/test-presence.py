#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is connected: names and ages, what the server prints, who is told, those that say nothing, and the client."""

import os
import select
import socket
import subprocess

from example import NO_METRICSD, NOWHERE, Example, expect_figures, program, run
from harness import WATCHDOG, TestCase, main


class PresenceTest(TestCase):
    def example(self, *options, **arguments):
        return self.enterContext(Example('presence-server', *options, **arguments))

    def recv_line(self, client):
        line = b''
        while not line.endswith(b'\n'):
            line += client.recv_exactly(1)
        return line.decode().removesuffix('\n')

    def ask(self, client, line):
        client.send(line if isinstance(line, bytes) else f'{line}\n'.encode())
        return self.recv_line(client)

    def join(self, server, who):
        client = self.enterContext(server.connect())
        self.assertEqual(self.ask(client, who), 'ok')
        return client

    def who(self, client, request='who'):
        answer = self.ask(client, request)
        self.assertRegex(answer, r'^ok \d+$')
        return [self.recv_line(client) for _ in range(int(answer.split()[1]))]


class ServerTest(PresenceTest):
    def test_it_prints_and_tells_who_is_there(self):
        server = self.example()
        anna = self.join(server, 'Anna 30')
        server.wait_for_output(r'connected \(1\): Anna 30')
        boris = self.join(server, '  Борис  Иванович\t 41\r'.replace('\t', ' '))
        server.wait_for_output(r'connected \(2\): Anna 30, Борис  Иванович 41')
        self.assertEqual(self.who(anna), ['Anna 30', 'Борис  Иванович 41'])
        self.assertEqual(self.who(boris), ['Anna 30', 'Борис  Иванович 41'])
        anna.sock.close()
        server.wait_for_output(r'connected \(1\): Борис  Иванович 41')
        self.assertEqual(self.who(boris), ['Борис  Иванович 41'])
        boris.sock.close()
        server.wait_for_output(r'connected \(0\):')

    def test_who_may_be_asked_without_a_name(self):
        server = self.example()
        with server.connect() as client:
            self.assertEqual(self.who(client), [])
            self.join(server, 'Anna 30')
            self.assertEqual(self.who(client), ['Anna 30'])
        with server.connect() as client:
            client.send(b'who\n')
            client.sock.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv_all(), b'ok 1\nAnna 30\n')

    def test_a_line_may_end_with_the_connection(self):
        server = self.example()
        with server.connect() as client:
            client.send(b'Anna 30')
            client.sock.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv_all(), b'ok\n')
        server.wait_for_output(r'connected \(0\):')

    def test_who_watches_is_told(self):
        server = self.example()
        anna = self.join(server, 'Anna 30')
        self.assertEqual(self.who(anna, 'watch'), ['Anna 30'])
        with server.connect() as other:
            self.assertEqual(self.ask(other, 'Boris 0'), 'ok')
            self.assertEqual(self.recv_line(anna), 'joined Boris 0')
            # Nobody is told without having asked for it.
            self.join(server, 'Vera 150')
            self.assertEqual(self.recv_line(anna), 'joined Vera 150')
            self.assertEqual(self.who(other), ['Anna 30', 'Boris 0', 'Vera 150'])
        self.assertEqual(self.recv_line(anna), 'left Boris 0')
        self.assertEqual(self.who(anna), ['Anna 30', 'Vera 150'])

    def test_wrong_names_are_answered_and_may_be_said_again(self):
        server = self.example()
        anna = self.join(server, 'Anna 30')
        client = self.enterContext(server.connect())
        age, shown = 'an age is a number from 0 to 150', 'a name has a character that cannot be shown'
        for line, problem in (('Boris', 'say who you are: NAME AGE'), ('', 'say who you are: NAME AGE'),
                              (' 30', 'say who you are: NAME AGE'), ('watch', 'say who you are: NAME AGE'),
                              ('Boris 151', age), ('Boris -1', age), ('Boris +5', age), ('Boris 3.5', age), ('Boris x', age),
                              ('Boris 0x10', age), ('Boris ' + '9' * 40, age), ('Boris 30 years', age),
                              ('x' * 33 + ' 30', 'a name has 32 characters at most'),
                              ('\x1b[2J 30', shown), ('a\tb 30', shown), ('a\u202eb 30', shown), ('a\u2028b 30', shown),
                              ('a\x7f 30', shown), ('Anna 41', 'Anna is here already'), ('aNNa 41', 'aNNa is here already'),
                              (b'Bor\xffis 30\n', 'not UTF-8'), (b'Bor\0is 30\n', 'not UTF-8')):
            with self.subTest(repr(line)):
                self.assertEqual(self.ask(client, line), f'error: {problem}')
        self.assertEqual(self.ask(client, 'я' * 32 + ' 007'), 'ok')
        self.assertEqual(self.ask(client, 'Boris 30'), 'error: what can be asked is who, or watch')
        self.assertEqual(self.who(anna), ['Anna 30', 'я' * 32 + ' 7'])
        # A name is free again when its user has gone, and one letter written in two ways is one name.
        zoe = self.join(server, 'Zoë 5')
        self.assertEqual(self.ask(self.enterContext(server.connect()), 'Zoe\u0308 6'), 'error: Zoë is here already')
        zoe.sock.close()
        server.wait_for_output(r'connected \(3\):.*Zoë 5\nconnected \(2\): Anna 30, я+ 7')
        self.join(server, 'Zoë 6')

    def test_who_does_not_say_a_name_is_sent_away(self):
        server = self.example('--name-timeout=1')
        anna = self.join(server, 'Anna 30')
        with server.connect() as client, server.connect() as asking:
            asking.send(b'who\nBoris\n')
            self.assertEqual(client.recv_all(), b'error: you did not say who you are\n')
            self.assertEqual(asking.recv_all(), b'ok 1\nAnna 30\nerror: say who you are: NAME AGE\n'
                             b'error: you did not say who you are\n')
        self.assertEqual(self.who(anna), ['Anna 30'])

    def test_a_silent_user_stays_unless_it_may_not(self):
        server = self.example('--idle-timeout=1')
        anna = self.join(server, 'Anna 30')
        self.assertEqual(anna.recv_all(), b'error: nothing came for too long\n')
        server.wait_for_output(r'connected \(0\):')

    def test_a_line_is_bounded(self):
        server = self.example()
        anna = self.join(server, 'Anna 30')
        client = self.join(server, 'Boris 41')
        client.send(b'x' * 1024)
        self.assertEqual(client.recv_all(), b'error: longer than 1024 bytes\n')
        self.assertEqual(self.who(anna), ['Anna 30'])

    def test_many_users(self):
        server = self.example('--max-connections=100')
        users = [self.join(server, f'User {i} {i}') for i in range(100)]
        with server.connect() as refused:
            self.assertEqual(refused.recv_all(), b'error: too many clients\n')
        self.assertEqual(self.who(users[0]), [f'User {i} {i}' for i in range(100)])
        server.wait_for_output(r'connected \(100\): User 0 0, .*, User 19 19, \.\.\.')
        for user in users[1:]:
            user.sock.close()
        server.wait_for_output(r'connected \(100\):[\s\S]*connected \(1\): User 0 0')

    def test_who_does_not_read_is_let_go(self):
        server = self.example()
        slow = self.enterContext(server.connect(receive_buffer=2048))
        self.assertEqual(self.ask(slow, 'Slow 1'), 'ok')
        self.assertEqual(self.who(slow, 'watch'), ['Slow 1'])
        anna = self.join(server, 'Anna 30')
        self.assertEqual(self.who(anna, 'watch'), ['Slow 1', 'Anna 30'])
        # The watcher that reads is told of each; what the other one does not take is bounded.
        name = 'я' * 30
        told = ''
        while told != 'left Slow 1':
            with server.connect() as client:
                self.assertEqual(self.ask(client, f'{name} 1'), 'ok')
                told = self.recv_line(anna)
                if told != 'left Slow 1':
                    self.assertEqual(told, f'joined {name} 1')
            if told != 'left Slow 1':
                told = self.recv_line(anna)
        self.join(server, 'Slow 2')

    def test_nobody_waits_for_who_reads_what_it_prints(self):
        server = self.example()
        # More than its pipe holds, of which nothing is read meanwhile.
        anna = self.join(server, 'Anna 30')
        for _ in range(1500):
            with server.connect() as client:
                self.assertEqual(self.ask(client, 'я' * 32 + ' 1'), 'ok')
            while len(self.who(anna)) > 1:
                pass
        self.assertEqual(self.who(anna), ['Anna 30'])
        anna.sock.close()
        # What it printed last is how it is.
        server.wait_for_output(r'connected \(0\):')

    def test_it_serves_when_nobody_reads_any_more(self):
        server = self.example()
        server.process.stdout.close()
        anna = self.join(server, 'Anna 30')
        server.wait_for_errors('presence-server: cannot print who is connected')
        self.join(server, 'Boris 41')
        self.assertEqual(self.who(anna), ['Anna 30', 'Boris 41'])

    def test_the_report_is_exact(self):
        metricsd = self.start()
        server = self.example(metrics=metricsd)
        with server.connect() as client:
            self.assertEqual(self.ask(client, 'Anna 300'), 'error: an age is a number from 0 to 150')
            self.assertEqual(self.ask(client, 'Anna 30'), 'ok')
            self.assertEqual(self.who(client), ['Anna 30'])
            now = expect_figures(metricsd, 'presence-server', connections=1, connections_accepted=1, requests=3, errors=1,
                                 bytes_received=21, bytes_sent=56)
            self.assertIn('answer_microseconds_max', now)
        expect_figures(metricsd, 'presence-server', connections=0, connections_accepted=1, requests=3, errors=1)

    def test_wrong_options(self):
        result = run('presence-server', '--name-timeout=0')
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (2, '', 'presence-server: --name-timeout is 1 or more\n'))


class User:
    """A running presence-client."""

    def __init__(self, server, *who, metrics=NO_METRICSD):
        self.process = subprocess.Popen([program('presence-client'), f'--address={server.address}', f'--metrics={metrics}', *who],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env={**os.environ, **NOWHERE})
        self.output = b''

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_for(self, text):
        """Until all that it has printed and was not waited for is that."""
        while len(self.output) < len(text.encode()):
            if not select.select([self.process.stdout], [], [], WATCHDOG)[0]:
                raise AssertionError(f'{text!r} did not come, but {self.output!r}')
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f'{text!r} did not come, but {self.output!r} and the end')
            self.output += data
        if self.output.decode() != text:
            raise AssertionError(f'{self.output!r} came, not {text!r}')
        self.output = b''

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(WATCHDOG)
        rest = self.process.stdout.read()
        self.process.stdout.close()
        return status, rest

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class ClientTest(PresenceTest):
    def test_users_see_each_other(self):
        server = self.example()
        with User(server, 'Anna', '30') as anna:
            anna.wait_for('Anna 30 is here\n')
            with User(server) as boris:
                boris.type('Борис 41\n')
                boris.wait_for('Anna 30 is here\nБорис 41 is here\n')
                anna.wait_for('Борис 41 has come\n')
                server.wait_for_output(r'connected \(2\): Anna 30, Борис 41')
                anna.type('who\n')
                anna.wait_for('Anna 30 is here\nБорис 41 is here\n')
                anna.type('\nnonsense\nwho\n')
                anna.wait_for('Anna 30 is here\nБорис 41 is here\n' * 2)
                self.assertEqual(boris.end(), (0, b''))
            anna.wait_for('Борис 41 has gone\n')
            anna.process.terminate()
            self.assertEqual(anna.end(), (0, b''))
        server.wait_for_output(r'connected \(0\):')

    def test_it_says_what_is_wrong(self):
        server = self.example()
        self.join(server, 'Anna 30')
        address = f'--address={server.address}'
        for who, input, problem in ((('Anna', '30'), '', 'error: Anna is here already'),
                                    ((), 'Boris 151\n', 'error: an age is a number from 0 to 150'),
                                    (('Boris',), '', 'error: say who you are: NAME AGE'),
                                    (('Bo\nwho', '5\nwatch'), '', 'error: an age is a number from 0 to 150'),
                                    ((), 'x' * 5000, 'longer than 4096 bytes')):
            with self.subTest(repr(who)):
                result = run('presence-client', address, *who, input=input)
                self.assertEqual((result.returncode, result.stdout), (1, ''))
                self.assertIn(f'presence-client: {problem}\n', result.stderr)
        # Who says nothing is nobody.
        result = run('presence-client', address, input='')
        self.assertEqual((result.returncode, result.stdout), (0, ''))
        with User(server, 'Boris', '41') as boris:
            boris.wait_for('Anna 30 is here\nBoris 41 is here\n')
            server.kill()
            self.assertEqual(boris.process.wait(WATCHDOG), 1)
        result = run('presence-client', address, 'Boris', '41')
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn('refused', result.stderr)

    def test_its_report(self):
        metricsd = self.start()
        server = self.example()
        with User(server, 'Anna', '30', metrics=metricsd.address) as anna:
            anna.wait_for('Anna 30 is here\n')
            expect_figures(metricsd, 'presence-client', requests=2, errors=0, bytes_sent=14, bytes_received=16)
            self.assertEqual(anna.end(), (0, b''))


if __name__ == '__main__':
    main()
