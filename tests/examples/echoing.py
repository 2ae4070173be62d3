# SPDX-License-Identifier: LGPL-2.1-or-later
"""What holds for each of the echo servers, however it waits for its clients."""

import pathlib
import re
import resource
import socket

from example import Example, expect_figures, run
from harness import SANITIZED, WATCHDOG, TestCase, has_ipv6, wait_until

TEXT = bytes(range(256)) * 40  # in which GOT: does not occur


def pieces(answers):
    """What was answered at once, each without the prefix."""
    first, *rest = answers.split(b'GOT:')
    assert first == b'', first
    return rest


def receive_text(client, size):
    """Answers until they have so many bytes without the prefixes."""
    while len(client.buffer.replace(b'GOT:', b'')) < size:
        client.wait_for(len(client.buffer) + 1)
    data, client.buffer = client.buffer, b''
    return data


class EchoCases:
    """Tests for a class that is a TestCase besides; `name` is that of the server, `options` are its own."""

    name = None
    options = ()

    def example(self, *options, **arguments):
        return self.enterContext(Example(self.name, *self.options, *options, **arguments))

    def join(self, echo, **arguments):
        return self.enterContext(echo.connect(**arguments))

    def expect_echo(self, client, text):
        client.send(text)
        self.assertEqual(client.recv_exactly(4 + len(text)), b'GOT:' + text)

    def expect_in_the_end(self, server, echo, **expected):
        """What the last report says, which comes when it is stopped."""
        self.assertEqual(echo.stop(), 0)
        expect_figures(server, self.name, connections=0, **expected)

    def test_it_answers_what_it_got(self):
        server = self.start()
        echo = self.example(metrics=server)
        with echo.connect() as client:
            self.expect_echo(client, b'Hello\n')
            self.expect_echo(client, b'World\n')
            # It need not be a line, nor text.
            self.expect_echo(client, b'x')
            self.expect_echo(client, bytes(range(256)))
            self.expect_echo(client, b'GOT:')
        self.expect_in_the_end(server, echo, connections_accepted=1, requests=5, errors=0, bytes_received=273, bytes_sent=293)

    def test_a_client_that_asks_once(self):
        """The clients of textbooks: no LF, one recv, a close."""
        echo = self.example()
        for number in range(3):
            with socket.create_connection(('127.0.0.1', echo.port)) as sock:
                sock.send(f'Python client {number}'.encode())
                self.assertEqual(sock.recv(1024), f'GOT:Python client {number}'.encode())

    def test_a_read_has_a_thousand_bytes_at_most(self):
        server = self.start()
        echo = self.example(metrics=server)
        client = self.join(echo)
        self.expect_echo(client, b'first')
        with echo.paused():
            client.send(TEXT[:2500])
        self.assertEqual(pieces(receive_text(client, 2500)), [TEXT[:1000], TEXT[1000:2000], TEXT[2000:2500]])
        self.expect_in_the_end(server, echo, requests=4, bytes_received=2505, bytes_sent=2521)

    def test_a_long_text_comes_back_whole(self):
        client = self.join(self.example())
        received = b''
        for _ in range(20):
            client.send(TEXT)
            received += receive_text(client, len(TEXT))
        self.assertEqual(b''.join(pieces(received)), TEXT * 20)
        self.assertLessEqual(max(len(piece) for piece in pieces(received)), 1000)

    def fill(self, client, other):
        """Sends without reading until the server does not read either, while the other one is served; returns how much."""
        sent = rounds = 0
        client.sock.setblocking(False)
        while rounds < 100:
            try:
                sent += client.sock.send(TEXT)
                rounds = 0
            except BlockingIOError:
                self.expect_echo(other, b'still there')
                rounds += 1
            self.assertLess(sent, 1 << 28)
        client.sock.settimeout(WATCHDOG)
        return sent

    def test_who_does_not_read_holds_nobody_up(self):
        server = self.start()
        echo = self.example(metrics=server)
        slow, other = self.join(echo, receive_buffer=4096), self.join(echo)
        expect_figures(server, self.name, connections=2)
        before = echo.rss()
        sent = self.fill(slow, other)
        if not SANITIZED:
            # It keeps one answer; the rest waits in the sockets of the two.
            self.assertLess(echo.rss() - before, 1 << 20)
        slow.half_close()
        self.assertEqual(len(b''.join(pieces(slow.recv_all()))), sent)

    def test_a_client_that_sends_no_more_gets_all_answers(self):
        server = self.start()
        echo = self.example(metrics=server)
        with echo.connect() as client:
            client.send(TEXT[:3000])
            client.half_close()
            self.assertEqual(b''.join(pieces(client.recv_all())), TEXT[:3000])
        self.expect_in_the_end(server, echo, bytes_received=3000, errors=0)

    def test_a_reset_ends_that_client_alone(self):
        server = self.start()
        echo = self.example(metrics=server)
        other = self.join(echo)
        for _ in range(3):
            client = echo.connect()
            self.expect_echo(client, b'soon gone')
            client.reset()
        self.expect_echo(other, b'still there')
        expect_figures(server, self.name, connections=1, connections_accepted=4, errors=3)

    def test_who_comes_and_goes_leaves_nothing(self):
        server = self.start()
        echo = self.example(metrics=server)
        with echo.connect() as client:
            self.expect_echo(client, b'first')
        expect_figures(server, self.name, connections=0, connections_accepted=1)
        before = echo.n_descriptors()
        for _ in range(100):
            with echo.connect() as client:
                self.expect_echo(client, b'again')
        expect_figures(server, self.name, connections=0, connections_accepted=101, requests=101)
        wait_until(lambda: echo.n_descriptors() <= before, 'the descriptors of before')

    def expect_refused(self, echo):
        with echo.connect() as client:
            self.assertEqual(client.recv_all(), b'error: too many clients\n')

    def test_no_more_clients_than_may_be_there(self):
        server = self.start()
        echo = self.example('--max-connections=2', metrics=server)
        first, second = echo.connect(), self.join(echo)
        for client in first, second:
            self.expect_echo(client, b'there')
        for _ in range(3):
            self.expect_refused(echo)
        expect_figures(server, self.name, connections=2, connections_accepted=2, errors=3)
        first.close()
        expect_figures(server, self.name, connections=1)
        self.expect_echo(self.join(echo), b'in its place')

    def test_a_refusal_is_read_also_by_who_has_sent_something(self):
        echo = self.example('--max-connections=1')
        self.expect_echo(self.join(echo), b'there')
        with echo.paused():
            client = self.join(echo)
            client.send(TEXT)
        self.assertEqual(client.recv_exactly(24), b'error: too many clients\n')
        client.send(b'and more')
        client.expect_eof()

    def test_a_silent_client_is_sent_away(self):
        server = self.start()
        echo = self.example('--idle-timeout=1', metrics=server)
        silent, talking = self.join(echo), self.join(echo)
        self.expect_echo(talking, b'both')
        silent.expect_eof()
        talking.expect_eof()
        self.expect_in_the_end(server, echo, connections_accepted=2, errors=0)

    def test_descriptors_are_not_exhausted(self):
        """The limit of clients is lowered to what there are descriptors for."""
        limit = 80
        echo = self.example(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        self.assertIn(f'{limit - 64} clients at most', echo.errors())
        clients = [self.join(echo) for _ in range(limit - 64)]
        for client in clients[:2]:
            self.expect_echo(client, b'there')
        # More at once than have room, none of which closes.
        crowd = [self.join(echo) for _ in range(100)]
        for client in crowd:
            self.assertEqual(client.recv_all(), b'error: too many clients\n')
        self.expect_echo(clients[0], b'still there')

    def test_many_clients_at_once(self):
        server = self.start()
        echo = self.example('--max-connections=2000', metrics=server)
        clients = [self.join(echo) for _ in range(self.n_clients)]
        for turn in range(3):
            for number, client in enumerate(clients):
                client.send(b'%d of %d' % (turn, number))
            for number, client in reversed(list(enumerate(clients))):
                answer = b'GOT:%d of %d' % (turn, number)
                self.assertEqual(client.recv_exactly(len(answer)), answer)
        self.expect_in_the_end(server, echo, connections_accepted=len(clients), requests=3 * len(clients), errors=0)

    def test_it_stops_while_clients_are_there(self):
        server = self.start()
        echo = self.example(metrics=server)
        silent, slow, talking = self.join(echo), self.join(echo, receive_buffer=4096), self.join(echo)
        self.fill(slow, talking)
        self.expect_echo(silent, b'once')
        # The last report says that nobody is there any more.
        self.expect_in_the_end(server, echo, connections_accepted=3, errors=0)
        silent.expect_closed()
        talking.expect_closed()

    def test_it_stops_as_soon_as_it_listens(self):
        for _ in range(20):
            self.assertEqual(self.example().stop(), 0)

    def test_both_addresses_of_localhost(self):
        if not has_ipv6():
            self.skipTest('there is no ::1')
        echo = self.example('--address=localhost:0', ready=r'listening on .*\nlistening on (?P<address>\S+)')
        with echo.paused():
            clients = [socket.create_connection((host, echo.port)) for host in ('127.0.0.1', '::1') * 3]
        for sock in clients:
            sock.settimeout(30)
            sock.sendall(b'here')
            self.assertEqual(sock.recv(100), b'GOT:here')
            sock.close()

    def test_wrong_addresses(self):
        taken = self.example().address
        for address in (taken, 'no.such.host.invalid:1', '192.0.2.1:0', '127.0.0.1:99999', '127.0.0.1:http:1', '[::1',
                        '127.0.0.1:x', ''):
            with self.subTest(address):
                result = run(self.name, f'--address={address}')
                self.assertEqual((result.returncode, result.stdout), (1, ''))
                self.assertRegex(result.stderr, f'^{self.name}: cannot listen on {re.escape(address)}: .+\n$')

    def test_an_address_without_a_port_has_the_usual_one(self):
        result = run(self.name, '--address=192.0.2.1')
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertRegex(result.stderr, f'^{self.name}: cannot listen on 192.0.2.1:2500[012]: .+\n$')

    def test_wrong_options(self):
        for option in ('--max-connections=0', '--max-connections=-1', '--max-connections=many', '--idle-timeout=-1',
                       '--idle-timeout=', '--name=', '--name=two words', '--name=é', '--name=' + 65 * 'n', 'word', *self.wrong_options):
            with self.subTest(option):
                result = run(self.name, option)
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                self.assertRegex(result.stderr, f'^{self.name}: .+\n$')


def threads(echo):
    """The threads of a server, by their numbers and names, without those that the libraries have of their own: GLib for
    signals and to start others, ours to tell metricsd."""
    found = {}
    for task in pathlib.Path(f'/proc/{echo.pid}/task').iterdir():
        try:
            name = (task / 'comm').read_text().strip()
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        if name not in ('gmain', 'pool-spawner', 'metrics-glib'):
            found[task.name] = name
    return found
