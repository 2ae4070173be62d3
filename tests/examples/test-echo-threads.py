#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The echo server with a thread a client."""

import resource

from echoing import EchoCases, threads
from example import expect_figures
from harness import SANITIZED, TestCase, main, wait_until


class EchoThreadsTest(EchoCases, TestCase):
    name = 'echo-threads'
    n_clients = 300
    wrong_options = ('--threads=2',)

    def test_each_client_has_a_thread(self):
        echo = self.example()
        with echo.connect() as client:
            self.expect_echo(client, b'first')
            clients = [self.join(echo) for _ in range(50)]
            for client in clients:
                self.expect_echo(client, b'one more')
            self.assertEqual(list(threads(echo).values()).count('client'), 51)
            for client in clients:
                client.close()
            wait_until(lambda: list(threads(echo).values()).count('client') == 1, 'the end of their threads')

    def test_without_a_thread_a_client_is_refused(self):
        if SANITIZED:
            self.skipTest('a sanitizer needs more memory than any limit')
        server = self.start()
        stack = 64 << 20
        echo = self.example(metrics=server, preexec=lambda: resource.setrlimit(resource.RLIMIT_STACK, (stack, stack)))
        first = self.join(echo)
        self.expect_echo(first, b'first')
        # No room for the stack of another thread, but for all else.
        infinite = resource.prlimit(echo.pid, resource.RLIMIT_AS)
        resource.prlimit(echo.pid, resource.RLIMIT_AS, (echo.size() + stack // 2, infinite[1]))
        for _ in range(3):
            with echo.connect() as client:
                self.assertEqual(client.recv_all(), b'error: no thread for one more client\n')
        self.expect_echo(first, b'still there')
        resource.prlimit(echo.pid, resource.RLIMIT_AS, infinite)
        self.expect_echo(self.join(echo), b'there again')
        self.assertEqual(echo.stop(), 0)
        expect_figures(server, self.name, connections=0, errors=3, requests=3)


if __name__ == '__main__':
    main()
