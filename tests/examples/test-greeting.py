#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Greetings in datagrams: what is answered, shown and counted, a reader who does not read, answers that get lost."""

import contextlib
import fcntl
import os
import re
import resource
import socket
import threading

from example import Example, expect_figures, figures, run
from harness import WATCHDOG, TestCase, has_ipv6, main, wait_until

# As many datagrams as a socket holds easily.
FEW = 50
# Any answer is at most so long: greeting-server.c says why.
ANSWER_LIMIT = 32
F_SETPIPE_SZ = 1031  # linux/fcntl.h


class Datagrams:
    """A socket that sends datagrams to one address and gets the answers."""

    def __init__(self, port, host='127.0.0.1'):
        self.sock = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(WATCHDOG)
        self.sock.connect((host, port))

    def ask(self, data):
        self.sock.send(data)
        return self.sock.recv(65536)

    @property
    def name(self):
        return f'127.0.0.1:{self.sock.getsockname()[1]}'

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


class Proxy(contextlib.AbstractContextManager):
    """Between a client and a server: loses the first greetings and the first answers, and says all others twice."""

    def __init__(self, server_port, lost_greetings, lost_answers):
        self.greetings = self.passed = self.answers = 0
        self._lost_greetings, self._lost_answers = lost_greetings, lost_answers
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(('127.0.0.1', 0))
        self.port = self._sock.getsockname()[1]
        self._server = ('127.0.0.1', server_port)
        self._client = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while True:
            data, sender = self._sock.recvfrom(65536)
            if data == b'end':
                return
            if sender == self._server:
                self.answers += 1
                copies, receiver = 2 * (self.answers > self._lost_answers), self._client
            else:
                self.greetings += 1
                copies, receiver, self._client = 2 * (self.greetings > self._lost_greetings), self._server, sender
                self.passed += copies
            for _ in range(copies):
                self._sock.sendto(data, receiver)

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b'end', ('127.0.0.1', self.port))
        self._thread.join()
        self._sock.close()


class GreetingTest(TestCase):
    def server(self, *options, **arguments):
        return self.enterContext(Example('greeting-server', *options, **arguments))

    def datagrams(self, server, **arguments):
        return self.enterContext(Datagrams(server.port, **arguments))

    def expect(self, metrics, server, **expected):
        """What the report says that it sends at its end."""
        server.stop()
        return expect_figures(metrics, 'greeting-server', **expected)

    def assertWrong(self, client, data):
        answer = client.ask(data)
        self.assertRegex(answer, rb'\Aerror: [ -~]+\Z')
        self.assertLessEqual(len(answer), ANSWER_LIMIT)

    def test_a_greeting_is_shown_and_answered(self):
        metrics = self.start()
        server = self.server(metrics=metrics)
        client = self.datagrams(server)
        self.assertEqual(client.ask(b'Hello server'), b'Hello client')
        server.wait_for_output(re.escape(f'{client.name}: Hello server'))
        self.assertEqual(client.ask('Привет'.encode()), b'Hello client')
        server.wait_for_output(re.escape(f'{client.name}: Привет'))
        now = self.expect(metrics, server, connections=0, connections_accepted=0, requests=2, errors=0, bytes_received=24,
                          bytes_sent=24)
        self.assertGreaterEqual(now['answer_microseconds_max'], now['answer_microseconds_avg'])

    def test_a_client_that_is_not_connected(self):
        server = self.server()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(WATCHDOG)
            client.sendto(b'Hello server', ('127.0.0.1', server.port))
            self.assertEqual(client.recvfrom(1024), (b'Hello client', ('127.0.0.1', server.port)))

    def test_wrong_datagrams_are_answered_by_what_is_wrong(self):
        metrics = self.start()
        server = self.server(metrics=metrics)
        client = self.datagrams(server)
        for data in (b'', b'x' * 1025, b'x' * 60000, b'\xff\xfe', b'Hello\0server', b'\xd0'):
            with self.subTest(data[:10]):
                self.assertWrong(client, data)
        self.assertEqual(client.ask(b'x' * 1024), b'Hello client')
        self.expect(metrics, server, requests=7, errors=6, bytes_received=1025 + 60000 + 2 + 12 + 1 + 1024)

    def test_what_is_an_answer_is_not_answered(self):
        """Else a forged address would have two servers greet each other for ever."""
        metrics = self.start()
        server = self.server(metrics=metrics)
        client = self.datagrams(server)
        client.sock.send(b'Hello client')
        client.sock.send(b'error: nothing in it')
        # The first thing to come is the answer to the third.
        self.assertWrong(client, b'')
        self.assertEqual(client.ask(b'Hello clients'), b'Hello client')
        self.expect(metrics, server, requests=4, errors=3)

    def test_what_is_shown_is_harmless(self):
        server = self.server()
        client = self.datagrams(server)
        client.ask('\x1b[2J\a\r\nback\\slash \u202e\u2028\U000e0001 é'.encode())
        server.wait_for_output(re.escape(
            client.name + ': \\u001b[2J\\u0007\\u000d\\nback\\slash \\u202e\\u2028\\U000e0001 é'))
        client.ask(b'a\xff\x80b\0')
        server.wait_for_output(re.escape(client.name + r': a\xff\x80b\x00'))
        client.ask(b'x' * 1024)
        server.wait_for_output(re.escape(f'{client.name}: {"x" * 200}...'))

    def lines(self, server, client):
        """How many lines were shown, and how many it says that it left out."""
        text = server.output.decode()
        return (text.count(f'\n{client.name}: '),
                sum(int(n) for n in re.findall(r'(?m)^\((\d+) more (?:is|are) not shown\)$', text)))

    def test_a_flood_is_answered_and_not_shown(self):
        metrics = self.start()
        server = self.server(metrics=metrics)
        client = self.datagrams(server)
        for _ in range(20):
            for _ in range(FEW):
                client.sock.send(b'Hello server')
            for _ in range(FEW):
                self.assertEqual(client.sock.recv(1024), b'Hello client')
        server.wait_for_output(r'\(\d+ more (is|are) not shown\)')
        while sum(self.lines(server, client)) < 20 * FEW:
            server.output += os.read(server.process.stdout.fileno(), 65536)
        shown, hidden = self.lines(server, client)
        self.assertEqual(shown + hidden, 20 * FEW)
        self.assertGreaterEqual(shown, 50)
        self.expect(metrics, server, requests=20 * FEW, errors=0, bytes_sent=20 * FEW * 12)

    def test_a_reader_who_does_not_read_stops_nothing(self):
        server = self.server()
        fcntl.fcntl(server.process.stdout, F_SETPIPE_SZ, 4096)
        client = self.datagrams(server)
        for _ in range(2 * FEW):
            self.assertEqual(client.ask(b'x' * 1000), b'Hello client')
        # What had room is there, and then what had none is told.
        server.wait_for_output(r'\(\d+ more (is|are) not shown\)')
        while sum(self.lines(server, client)) < 2 * FEW:
            server.output += os.read(server.process.stdout.fileno(), 65536)
        self.assertEqual(sum(self.lines(server, client)), 2 * FEW)
        self.assertEqual(client.ask(b'Hello server'), b'Hello client')

    def test_a_reader_who_has_gone_stops_nothing(self):
        server = self.server()
        with open('/dev/null', 'rb') as nothing:
            os.dup2(nothing.fileno(), server.process.stdout.fileno())
        client = self.datagrams(server)
        for _ in range(FEW):
            self.assertEqual(client.ask(b'Hello server'), b'Hello client')

    def test_both_addresses_of_localhost(self):
        if not has_ipv6():
            self.skipTest('there is no IPv6')
        server = self.server('--address=localhost:0', ready=r'listening on \S+\nlistening on (?P<address>\S+)')
        addresses = set(re.findall(r'(?m)^listening on (\S+)$', server.output.decode()))
        self.assertEqual(addresses, {f'127.0.0.1:{server.port}', f'[::1]:{server.port}'})
        for host in ('127.0.0.1', '::1'):
            self.assertEqual(self.datagrams(server, host=host).ask(b'Hello server'), b'Hello client')

    def test_an_address_that_cannot_be_had(self):
        server = self.server()
        result = run('greeting-server', f'--address={server.address}')
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertRegex(result.stderr, f'^greeting-server: cannot listen on {re.escape(server.address)}: ')
        self.assertEqual(run('greeting-server', '--max-connections=1').returncode, 2)

    def test_many_clients(self):
        metrics = self.start()
        server = self.server(metrics=metrics)
        clients = [self.datagrams(server) for _ in range(100)]
        for client in clients:
            client.sock.send(b'Hello server')
        for client in clients:
            self.assertEqual(client.sock.recv(1024), b'Hello client')
        self.expect(metrics, server, requests=100, errors=0)

    def test_few_descriptors_are_enough(self):
        server = self.server(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80)))
        self.assertEqual(self.datagrams(server).ask(b'Hello server'), b'Hello client')
        # There are no connections that could be too many.
        self.assertNotIn('clients at most', server.errors())

    def test_the_client_greets(self):
        metrics = self.start()
        server = self.server()
        result = run('greeting-client', f'--address={server.address}', '--wait=60000', metrics=metrics)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertEqual(result.stdout, f'{server.address} answers: Hello client\n')
        server.wait_for_output(r'127\.0\.0\.1:\d+: Hello server')
        expect_figures(metrics, 'greeting-client', requests=1, errors=0, bytes_sent=12, bytes_received=12)
        result = run('greeting-client', f'--address={server.address}', '--wait=60000', 'Добрый', 'день')
        self.assertEqual(result.returncode, 0)
        server.wait_for_output(r'127\.0\.0\.1:\d+: Добрый день')

    def test_the_client_says_what_the_server_finds_wrong(self):
        metrics = self.start()
        server = self.server()
        for greeting in ('', 'x' * 1025, b'\xff'):
            result = run('greeting-client', f'--address={server.address}', '--wait=60000', '--', os.fsdecode(greeting),
                         metrics=metrics)
            self.assertEqual((result.returncode, result.stdout), (1, ''))
            self.assertRegex(result.stderr, f'^greeting-client: {re.escape(server.address)} answers: error: ')
        self.assertEqual(figures(metrics, 'greeting-client')['errors'], 1)
        # More than a datagram can hold.
        result = run('greeting-client', f'--address={server.address}', 'x' * 70000)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn('nobody answers', result.stderr)

    def test_what_is_lost_is_said_again(self):
        metrics = self.start()
        server = self.server(metrics=metrics)
        with Proxy(server.port, 2, 3) as proxy:
            result = run('greeting-client', f'--address=127.0.0.1:{proxy.port}', '--wait=50', '--tries=10', metrics=metrics)
            self.assertEqual((result.returncode, result.stderr), (0, ''))
            # However often it was answered.
            self.assertEqual(result.stdout, f'127.0.0.1:{proxy.port} answers: Hello client\n')
            # Two greetings are lost, and with the third, of which two arrive, both answers: the fourth is the first.
            self.assertGreaterEqual(proxy.greetings, 4)
            self.assertGreaterEqual(figures(metrics, 'greeting-client')['requests'], 4)
            wait_until(lambda: proxy.answers == proxy.passed, 'an answer to each that arrived')
            self.expect(metrics, server, requests=proxy.passed)

    def test_nobody_listens(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(('127.0.0.1', 0))
            port = free.getsockname()[1]
        metrics = self.start()
        # That the port is closed is told at once: the wait does not pass.
        result = run('greeting-client', f'--address=127.0.0.1:{port}', '--wait=60000', metrics=metrics)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertRegex(result.stderr, fr'^greeting-client: nobody answers at 127\.0\.0\.1:{port}: .*Connection refused\n$')
        expect_figures(metrics, 'greeting-client', requests=1, errors=1)

    def test_nobody_answers(self):
        metrics = self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(('127.0.0.1', 0))
            port = silent.getsockname()[1]
            result = run('greeting-client', f'--address=127.0.0.1:{port}', '--wait=1', '--tries=3', metrics=metrics)
            self.assertEqual((result.returncode, result.stdout), (1, ''))
            self.assertEqual(result.stderr, f'greeting-client: nobody answers at 127.0.0.1:{port}: no answer came in time\n')
            silent.setblocking(False)
            self.assertEqual([silent.recv(1024) for _ in range(3)], [b'Hello server'] * 3)
            self.assertRaises(BlockingIOError, silent.recv, 1024)
        expect_figures(metrics, 'greeting-client', requests=3, errors=1, bytes_sent=36)

    def test_the_second_address_of_a_name(self):
        server = self.server()
        result = run('greeting-client', f'--address=localhost:{server.port}', '--wait=60000')
        self.assertEqual((result.returncode, result.stdout), (0, f'{server.address} answers: Hello client\n'))

    def test_wrong_options_of_the_client(self):
        for option in ('--tries=0', '--tries=11', '--wait=0', '--wait=60001', '--address=localhost:99999999'):
            with self.subTest(option):
                result = run('greeting-client', option)
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                self.assertTrue(result.stderr.startswith('greeting-client: '))

    def test_a_client_that_is_stopped(self):
        metrics = self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(('127.0.0.1', 0))
            silent.settimeout(WATCHDOG)
            address = '127.0.0.1:%d' % silent.getsockname()[1]
            with Example('greeting-client', f'--address={address}', '--wait=60000', metrics=metrics, ready='', listens=False):
                self.assertEqual(silent.recv(1024), b'Hello server')
        expect_figures(metrics, 'greeting-client', requests=1, errors=0)


if __name__ == '__main__':
    main()
