#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The echo server with so many threads and no more: who comes when all have a client waits for its turn."""

import select

from echoing import EchoCases, threads
from example import Example, expect_figures
from harness import TestCase, main, wait_until


class EchoPoolTest(EchoCases, TestCase):
    name = 'echo-pool'
    options = ('--threads=20',)
    n_clients = 20
    wrong_options = ('--threads=0', '--threads=-1', '--threads=10001', '--threads=x')

    def small(self, *options, **arguments):
        return self.enterContext(Example('echo-pool', '--threads=2', *options, **arguments))

    def expect_nothing(self, *clients):
        """Nothing has come for them, though others are served again and again."""
        self.assertEqual(select.select([client.sock for client in clients], [], [], 0)[0], [])

    def test_others_wait_for_their_turn(self):
        server = self.start()
        echo = self.small(metrics=server)
        first, second = echo.connect(), self.join(echo)
        self.expect_echo(first, b'first')
        self.expect_echo(second, b'second')
        third = self.join(echo)
        third.send(b'third')
        fourth = self.join(echo)
        fourth.send(b'fourth')
        # They are clients as all others, but nobody reads what they have sent.
        expect_figures(server, 'echo-pool', connections=4, connections_accepted=4, requests=2, bytes_received=11)
        for _ in range(50):
            self.expect_echo(first, b'again')
            self.expect_echo(second, b'and again')
        self.expect_nothing(third, fourth)
        first.close()
        self.assertEqual(third.recv_exactly(9), b'GOT:third')
        # In the order in which they came.
        for _ in range(50):
            self.expect_echo(third, b'now')
        self.expect_nothing(fourth)
        third.close()
        self.assertEqual(fourth.recv_exactly(10), b'GOT:fourth')
        expect_figures(server, 'echo-pool', connections=2, requests=154, errors=0)

    def test_who_waits_may_leave(self):
        server = self.start()
        echo = self.small(metrics=server)
        first, second = echo.connect(), self.join(echo)
        self.expect_echo(first, b'first')
        self.expect_echo(second, b'second')
        for _ in range(10):
            with echo.connect() as client:
                client.send(b'never mind')
        with echo.connect() as client:
            client.reset()
        last = self.join(echo)
        last.send(b'last')
        # That they have left shows when a thread looks at them.
        expect_figures(server, 'echo-pool', connections=14, requests=2)
        first.close()
        self.assertEqual(last.recv_exactly(8), b'GOT:last')
        expect_figures(server, 'echo-pool', connections=2, connections_accepted=14)

    def test_a_silent_client_makes_room(self):
        echo = self.small('--idle-timeout=1')
        silent = [self.join(echo) for _ in range(2)]
        waiting = self.join(echo)
        self.expect_echo(waiting, b'at last')
        for client in silent:
            client.expect_eof()

    def test_it_stops_while_clients_wait(self):
        echo = self.small()
        clients = [self.join(echo) for _ in range(10)]
        for client in clients:
            client.send(b'hello')
        self.assertEqual(clients[0].recv_exactly(9), b'GOT:hello')
        self.assertEqual(echo.stop(), 0)

    def test_it_has_as_many_threads_as_it_was_told(self):
        server = self.start()
        echo = self.small(metrics=server)
        first = self.join(echo)
        self.expect_echo(first, b'first')
        expect_figures(server, 'echo-pool', requests=1)
        before = wait_until(lambda: len(found := threads(echo)) == 3 and found, 'three threads')
        for client in [self.join(echo) for _ in range(50)]:
            client.send(b'hello')
        self.expect_echo(first, b'and again')
        self.assertEqual(threads(echo).keys(), before.keys())


if __name__ == '__main__':
    main()
