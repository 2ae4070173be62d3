#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The echo server on one thread: what it answers, many clients at once, its limits, its report."""

from example import Example, expect_figures
from harness import TestCase, main


class EchoTest(TestCase):
    def example(self, *options, **arguments):
        return self.enterContext(Example('echo', *options, **arguments))

    def test_it_answers_what_it_got(self):
        server = self.start()
        echo = self.example(metrics=server)
        with echo.connect() as client:
            client.send(b'Hello\n')
            self.assertEqual(client.recv_exactly(10), b'GOT:Hello\n')
            client.send(b'World\n')
            self.assertEqual(client.recv_exactly(10), b'GOT:World\n')
        expect_figures(server, 'echo', connections=0, connections_accepted=1, requests=2, errors=0, bytes_received=12,
                       bytes_sent=20)


if __name__ == '__main__':
    main()
