#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The echo server on one thread: what it answers, many clients at once, its limits, its report."""

from echoing import EchoCases, threads
from example import expect_figures
from harness import TestCase, main, wait_until


class EchoTest(EchoCases, TestCase):
    name = 'echo'
    n_clients = 500
    wrong_options = ('--threads=2',)

    def test_all_clients_are_on_one_thread(self):
        server = self.start()
        echo = self.example(metrics=server)
        self.expect_echo(self.join(echo), b'first')
        expect_figures(server, 'echo', requests=1)
        # A thread that has just begun has the name of the program for a moment.
        before = wait_until(lambda: (found := threads(echo)) and list(found.values()) == ['echo'] and found, 'one thread')
        clients = [self.join(echo) for _ in range(200)]
        for client in clients:
            self.expect_echo(client, b'one more')
        self.assertEqual(threads(echo), before)


if __name__ == '__main__':
    main()
