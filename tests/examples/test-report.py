#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What an example tells metricsd, and that it needs none: shown by the echo server, the code is that of all."""

import contextlib
import pathlib
import signal
import socket
import tempfile

from example import NO_METRICSD, Example, expect_figures
from harness import START_WATCHDOG, TestCase, main, wait_until


def waits_for_reading(server):
    """Whether something has come to a server on 127.0.0.1 that it has not read."""
    lines = [line.split() for line in pathlib.Path('/proc/net/tcp').read_text().splitlines()[1:]]
    local = f'0100007F:{server.port:04X}'
    # The queue of one that listens counts those who were not accepted.
    return any(fields[1] == local and fields[3] == '01' and int(fields[4].split(':')[1], 16) > 0 for fields in lines)


class ReportTest(TestCase):
    def setUp(self):
        self.address = f'unix:{self.enterContext(tempfile.TemporaryDirectory())}/metricsd'
        self.n_requests = 0

    def start_at_address(self):
        return self.start('--listen', self.address)

    def example(self, metrics, **arguments):
        return self.enterContext(Example('echo', metrics=metrics, **arguments))

    def ask(self, echo, n_requests):
        """Asks so often over one connection, and is answered."""
        with echo.connect() as client:
            for _ in range(n_requests):
                client.send(b'hello')
                self.assertEqual(client.recv_exactly(9), b'GOT:hello')
        self.n_requests += n_requests

    def expect_exact(self, server, **expected):
        """Whatever could not be reported meanwhile is in the totals."""
        expect_figures(server, 'echo', requests=self.n_requests, bytes_received=5 * self.n_requests,
                       bytes_sent=9 * self.n_requests, errors=0, **expected)

    def test_metricsd_comes_later(self):
        echo = self.example(self.address)
        self.ask(echo, 10)
        echo.wait_for_errors('echo: goes on without metrics: ')
        self.ask(echo, 10)
        server = self.start_at_address()
        echo.wait_for_errors('echo: metrics arrive\n')
        self.expect_exact(server, connections_accepted=2)
        # It was said once.
        self.assertEqual(echo.errors().count('\n'), 2)

    def test_metricsd_goes_and_comes_back(self):
        server = self.start_at_address()
        echo = self.example(self.address)
        self.ask(echo, 10)
        self.expect_exact(server)
        server.kill()
        self.ask(echo, 10)
        echo.wait_for_errors('echo: goes on without metrics: ')
        server = self.start_at_address()
        echo.wait_for_errors('echo: metrics arrive\n')
        self.ask(echo, 10)
        self.expect_exact(server)
        self.assertEqual(echo.errors().count('\n'), 2)

    def test_metricsd_stands_still(self):
        server = self.start()
        echo = self.example(server)
        self.ask(echo, 10)
        self.expect_exact(server)
        with server.paused():
            wait_until(lambda: waits_for_reading(server), 'a report')
            for _ in range(20):
                self.ask(echo, 10)
        self.expect_exact(server, connections_accepted=21)

    def test_metricsd_stands_still_for_long(self):
        server = self.start()
        echo = self.example(server)
        with server.paused():
            echo.wait_for_errors('echo: goes on without metrics: ')
            self.ask(echo, 10)
        echo.wait_for_errors('echo: metrics arrive\n')
        self.expect_exact(server)

    def test_metricsd_does_not_take_them(self):
        server = self.start('--listen', '127.0.0.1:0,rights=read', '--listen', self.address)
        echo = self.example(server.address)
        echo.wait_for_errors('echo: goes on without metrics: ')
        self.ask(echo, 20)
        self.assertEqual(echo.stop(), 0)
        self.assertEqual(echo.errors().count('\n'), 1)

    def test_the_last_figures_arrive_at_the_end(self):
        server = self.start()
        for _ in range(3):
            self.n_requests = 0
            with Example('echo', metrics=server) as echo:
                self.ask(echo, 3)
                self.assertEqual(echo.stop(), 0)
            self.expect_exact(server, connections=0, connections_accepted=1)

    def test_the_end_does_not_wait_for_ever(self):
        server = self.start()
        echo = self.example(server)
        self.ask(echo, 10)
        self.expect_exact(server)
        with server.paused():
            # Both with a report under way and without an answer to the last one.
            wait_until(lambda: waits_for_reading(server), 'a report')
            self.assertEqual(echo.stop(), 0)
        self.assertIn('echo: the last metrics did not arrive: ', echo.errors())

    def test_clients_that_come_at_the_end(self):
        """A report is under way, whose end is waited for, and whoever asks then finds all that is needed for an answer."""
        requests = {'marks-server': b'GET /subjects/1 HTTP/1.0\r\n\r\n', 'hypotenuse-server': b'{"a": 3, "b": 4}',
                    'dictionary-server': b'uryyb\n', 'presence-server': b'Anna 30\n', 'chat-server': b'a\nHello\n',
                    'echo': b'hello', 'echo-threads': b'hello', 'echo-pool': b'hello'}
        metricsd = self.enterContext(socket.create_server(('127.0.0.1', 0)))
        metrics = f'127.0.0.1:{metricsd.getsockname()[1]}'
        for name, request in requests.items():
            with self.subTest(name), contextlib.ExitStack() as stack:
                example = stack.enter_context(Example(name, metrics=metrics))
                clients = [stack.enter_context(example.connect()) for _ in range(20)]
                reports = stack.enter_context(metricsd.accept()[0])
                self.assertNotEqual(reports.recv(1), b'')
                with example.paused():
                    for client in clients:
                        client.send(request)
                    clients += [stack.enter_context(example.connect()) for _ in range(40)]
                    for client in clients[20:]:
                        client.send(request)
                    example.process.send_signal(signal.SIGTERM)
                self.assertEqual(example.process.wait(START_WATCHDOG), 0)

    def test_two_of_a_kind_have_two_names(self):
        server = self.start()
        for name, n_requests in (('one', 1), ('two', 2)):
            self.n_requests = 0
            echo = self.enterContext(Example('echo', f'--name={name}', metrics=server))
            self.ask(echo, n_requests)
        expect_figures(server, 'one', requests=1)
        expect_figures(server, 'two', requests=2)

    def test_nothing_is_said_of_what_nobody_has_asked(self):
        server = self.start()
        with Example('echo', metrics=server) as echo:
            self.assertEqual(echo.stop(), 0)
        with server.paused(), Example('echo', metrics=server) as echo:
            self.assertEqual((echo.stop(), echo.errors()), (0, ''))

    def test_the_environment_says_where(self):
        server, other = self.start(), self.start()
        echo = self.example(False, env={'METRICSD_ADDRESS': server.address})
        self.ask(echo, 5)
        self.assertEqual(echo.stop(), 0)
        self.expect_exact(server)
        # The option is stronger.
        echo = self.example(other, env={'METRICSD_ADDRESS': NO_METRICSD})
        self.n_requests = 0
        self.ask(echo, 7)
        self.assertEqual(echo.stop(), 0)
        self.expect_exact(other)

    def test_a_wrong_address_of_metricsd(self):
        addresses = 'nowhere', '127.0.0.1:99999', 'unix:', 'no.such.host.invalid:1'
        examples = {address: self.example(address) for address in addresses}
        for address, echo in examples.items():
            with self.subTest(address):
                echo.wait_for_errors('echo: goes on without metrics: ')
                self.ask(echo, 3)


if __name__ == '__main__':
    main()
