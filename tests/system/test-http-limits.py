#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients of HTTP can make the server hold, and for how long; and what becomes of them when it stops."""

import contextlib
import resource
import signal
import socket
import unittest

from harness import OK, SANITIZED, Client, Server, TestCase, main, wait_until
from wire import Wire

MAX_BODY = 8 << 20
HEALTH = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
BODY = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n'


def ask(server, body=None):
    """The status that somebody new gets."""
    with Wire(server) as wire:
        return wire.ask('GET', '/healthz', body).status


def is_listening(server):
    try:
        Wire(server).close()
    except ConnectionRefusedError:
        return False
    return True


def stuff(wire, client):
    """Asks until the server reads no more, for its answers are not taken."""
    wire.sock.setblocking(False)
    seen = []

    def is_stuck():
        with contextlib.suppress(BlockingIOError):
            try:
                while True:
                    wire.sock.send(HEALTH * 1000)
            except (BrokenPipeError, ConnectionResetError):
                return True  # it has lost it already
        seen.append(client.stats()['http_requests'])
        return len(seen) > 10 and seen[-1] > 0 and len(set(seen[-10:])) == 1

    wait_until(is_stuck, 'the end of its patience')


class BodyTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(http=True))

    def setUp(self):
        self.wire = self.enterContext(Wire(self.server))

    def send(self, data):
        """Until the server has had enough of it."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wire.send(data)

    def assert_refused(self, status, code):
        answer = self.wire.response()
        self.assertEqual((answer.status, answer.error()['code']), (status, code))
        self.assertEqual(answer.headers['connection'], 'close')

    def test_the_largest(self):
        self.assertEqual(self.wire.ask('GET', '/healthz', bytes(MAX_BODY)).status, 200)

    def test_larger(self):
        """Refused before any of it has come."""
        for length in (MAX_BODY + 1, 10 ** 17):
            with self.subTest(length=length), Wire(self.server) as self.wire:
                self.wire.send(BODY + b'Content-Length: %d\r\n\r\n' % length)
                self.assert_refused(413, 'body-too-large')

    def test_larger_but_awaited(self):
        self.wire.send(BODY + b'Content-Length: %d\r\nExpect: 100-continue\r\n\r\n' % (MAX_BODY + 1))
        self.assert_refused(413, 'body-too-large')
        self.wire.expect_eof()

    def test_a_chunk_that_is_larger(self):
        self.wire.send(BODY + b'Transfer-Encoding: chunked\r\n\r\n%x\r\n' % (MAX_BODY + 1))
        self.assert_refused(413, 'body-too-large')
        self.wire.expect_eof()

    def test_chunks_without_end(self):
        before = self.server.rss()
        chunk = b'10000\r\n' + bytes(0x10000) + b'\r\n'
        self.send(BODY + b'Transfer-Encoding: chunked\r\n\r\n')
        for _ in range(1000):
            self.send(chunk)
        self.assert_refused(413, 'body-too-large')
        if not SANITIZED:
            self.assertLess(self.server.rss() - before, 4 * MAX_BODY)

    def test_no_chunks(self):
        for data in (b'x', b'\r\n', b'5\n', b'g\r\n', b'-1\r\n', b'0x5\r\n', b'3\r\nabcd', b'3\r\nabc\n', b'123456789\r\n',
                     b'1;' + b'x' * 300, b'0\r\n' + b'X: y\r\n' * 2000, b'0\r\n\rx'):
            with self.subTest(data=data[:20]), Wire(self.server) as self.wire:
                self.send(BODY + b'Transfer-Encoding: chunked\r\n\r\n' + data)
                self.assert_refused(400, 'bad-body')

    def test_shorter_than_said(self):
        for fields in (b'Content-Length: 10\r\n\r\nabc', b'Transfer-Encoding: chunked\r\n\r\n5\r\nabc'):
            with self.subTest(fields=fields), Wire(self.server) as self.wire:
                self.wire.send(BODY + fields)
                self.wire.sock.shutdown(socket.SHUT_WR)
                self.assert_refused(400, 'bad-body')
                self.wire.expect_eof()

    def test_many_at_once(self):
        """Bodies have a limit together, too; it is given back."""
        part = 7 << 20
        wires = [self.enterContext(Wire(self.server)) for _ in range(8)]
        for wire in wires:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                wire.send(BODY + b'Content-Length: %d\r\n\r\n' % (part + 1) + bytes(part))
        answers = [wire.response() for wire in wires[5:]]
        self.assertIn(503, {answer.status for answer in answers})
        for wire in wires:
            wire.close()
        wait_until(lambda: ask(self.server, bytes(MAX_BODY)) == 200, 'room')

    def test_small_ones_beside_large_ones(self):
        """Who sends nearly all of some large bodies keeps nobody from putting."""
        server = self.start(http=True)
        for _ in range(4):
            self.enterContext(Wire(server)).send(BODY + b'Content-Length: %d\r\n\r\n' % MAX_BODY + bytes(MAX_BODY - 1))
        client = self.client(server)
        wait_until(lambda: client.stats()['http_bytes_received'] > 4 * (MAX_BODY - 1), 'the bodies')
        self.assertEqual(ask(server, bytes(16384)), 200)
        self.assertEqual(ask(server, bytes(16385)), 503)


class ManyTest(TestCase):
    CLIENTS = 1000
    IDLE_COST = 4096  # bytes

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < self.CLIENTS + 100:
            self.skipTest('too few file descriptors')
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, self.CLIENTS + 100), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    @unittest.skipIf(SANITIZED, 'memory is that of the sanitizer')
    def test_idle_clients(self):
        """Whoever has been answered holds next to nothing, and nobody else notices."""
        server = self.start('--connection-limit', '2000', http=True)
        with Client(server) as client, contextlib.ExitStack() as stack:
            for _ in range(20):
                with Wire(server) as wire:
                    wire.get('/healthz')
            before = server.rss()
            wires = [stack.enter_context(Wire(server)) for _ in range(self.CLIENTS)]
            for i, wire in enumerate(wires):
                if i % 2:
                    self.assertEqual(wire.get('/healthz').status, 200)
            self.assertLess(server.rss() - before, self.CLIENTS * self.IDLE_COST)
            self.assertEqual(client.ask(b'ping'), OK)
            self.assertEqual(wires[0].get('/healthz').status, 200)
            self.assertEqual(client.stats()['http_clients'], self.CLIENTS)
            stack.close()
            wait_until(lambda: client.stats()['http_clients'] == 0, 'their end')


class ConnectionTest(TestCase):
    def test_limit(self):
        """It is one for all who come, whatever they speak."""
        server = self.start('--connection-limit', '2', http=True)
        first = self.client(server)
        second = self.enterContext(Wire(server))
        self.assertEqual(second.get('/healthz').status, 200)
        for _ in range(3):
            with Wire(server) as third:
                answer = third.response()
                self.assertEqual((answer.status, answer.error()['code']), (503, 'too-many-connections'))
                self.assertEqual((answer.headers['connection'], answer.headers['retry-after']), ('close', '5'))
                third.expect_eof()
        with Wire(server) as third:
            # What has been asked meanwhile does not take the answer away.
            third.send(HEALTH)
            self.assertEqual(third.response().status, 503)
            third.expect_eof()
        with Client(server) as third:
            self.assertEqual(third.recv_all(), b'error\ntoo many connections\n\n')
        self.assertEqual(second.get('/healthz').status, 200)
        second.close()
        wait_until(lambda: first.stats()['connections'] == 1, 'the end')
        self.assertEqual(self.enterContext(Wire(server)).get('/healthz').status, 200)
        self.assertGreaterEqual(first.stats()['connections_refused'], 5)

    def test_those_who_are_refused_do_not_stay(self):
        server = self.start('--connection-limit', '1', http=True)
        client = self.client(server)
        wires = [self.enterContext(Wire(server)) for _ in range(40)]
        for wire in wires:
            self.assertEqual(wire.response().status, 503)
        wait_until(lambda: client.stats()['http_clients'] == 0, 'their end')

    def test_no_descriptors(self):
        server = self.start('--connection-limit', '100', http=True,
                            preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
        wires = [self.enterContext(Wire(server)) for _ in range(60)]
        for wire in wires:
            wire.send(HEALTH)
        good = [wire for wire in wires[:30] if wire.response().status == 200]
        self.assertGreater(len(good), 20)
        for wire in wires:
            wire.close()
        wait_until(lambda: ask(server) == 200, 'descriptors')

    def test_who_hangs_up(self):
        server = self.start(http=True)
        client = self.client(server)
        for how in ('close', 'reset'):
            wires = [Wire(server) for _ in range(50)]
            for wire in wires:
                wire.send(HEALTH * 20)
                (Client.reset if how == 'reset' else Wire.close)(wire)
            wait_until(lambda: client.stats()['http_clients'] == 0, 'their end')
        self.assertEqual(client.ask(b'ping'), OK)


class ReaderTest(TestCase):
    @unittest.skipIf(SANITIZED, 'memory is that of the sanitizer')
    def test_who_takes_nothing(self):
        """What is asked by one who takes no answers is not read, let alone answered."""
        server = self.start(http=True)
        with Wire(server) as wire:
            if wire.get('/').status == 404:
                target = b'/healthz'
            else:
                target = b'/assets/dygraph.min.js'
                wire.get(target.decode())
        request = b'GET ' + target + b' HTTP/1.1\r\nHost: localhost\r\n\r\n'
        before = server.rss()
        wires = [self.enterContext(Wire(server, receive_buffer=4096)) for _ in range(50)]
        for wire in wires:
            wire.sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    wire.sock.send(request * 1000)
        with Wire(server) as wire:
            self.assertEqual(wire.get('/healthz').status, 200)
        self.assertLess(server.rss() - before, 50 * (256 << 10))

    def test_who_takes_too_long(self):
        server = self.start('--answer-timeout', '1', http=True)
        with Client(server) as client, Wire(server, receive_buffer=4096) as wire:
            stuff(wire, client)
            wait_until(lambda: client.stats()['http_clients'] == 0, 'its end')


class SliceTest(TestCase):
    def test_a_slice_that_ends_behind_a_head(self):
        body = b'{"points":[{"key":"a","value":1,"timestamp":1}]}'
        head = b'POST /api/v1/points HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
        whole = head + b'Content-Length: %d\r\n\r\n%b' % (len(body), body)
        chunked = head + b'Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n' % (len(body), body)
        server = self.start('--slice-limit', '1', http=True)
        for request in (whole, chunked):
            with Wire(server) as wire:
                wire.send(request * 3)
                for _ in range(3):
                    self.assertEqual(wire.response().json(), {'stored': 1})
            with Wire(server) as wire:
                wire.send(request * 3)
                wire.sock.shutdown(socket.SHUT_WR)
                self.assertEqual(wire.rest().count(b'{"stored":1}'), 3)

    def test_what_was_asked_before_no_more_is_sent(self):
        server = self.start('--unsent-limit', '1024', http=True)
        client = self.client(server)
        points = ''.join(f'a,{i},{i}.5\n' for i in range(3500)).encode()
        with Wire(server) as wire:
            wire.send(b'POST /api/v1/points HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv; header=absent\r\n'
                      b'Content-Length: %d\r\n\r\n%b' % (len(points), points))
            self.assertEqual(wire.response().json(), {'stored': 3500})
        # So much that the last ones are not begun before all has been sent.
        n = 200
        with Wire(server, receive_buffer=4096) as wire:
            wire.send(b'GET /api/v1/points?key=a HTTP/1.1\r\nHost: localhost\r\n\r\n' * n)
            wire.sock.shutdown(socket.SHUT_WR)
            seen = []

            def is_stuck():
                seen.append(client.stats()['http_requests'])
                return len(seen) > 10 and seen[-1] > 0 and len(set(seen[-10:])) == 1

            wait_until(is_stuck, 'the end of its patience')
            self.assertLess(seen[-1], n)
            self.assertEqual(wire.rest().count(b'HTTP/1.1 200 OK'), n)


class StopTest(TestCase):
    def test_who_does_nothing_is_let_go(self):
        server = self.start(http=True)
        fresh, kept, begun = (self.enterContext(Wire(server)) for _ in range(3))
        self.assertEqual(kept.get('/healthz').status, 200)
        begun.send(HEALTH[:-5])
        client = self.client(server)
        wait_until(lambda: client.stats()['http_clients'] == 3, 'all three')
        server.signal(signal.SIGTERM)
        for wire in (fresh, kept, begun):
            wire.expect_eof()
        self.assertEqual(server.wait(), 0)

    def test_who_is_owed_something_gets_it(self):
        server = self.start(http=True)
        wire = self.enterContext(Wire(server))
        with server.paused():
            wire.send(HEALTH * 10)
            server.signal(signal.SIGTERM)
        rest = wire.rest()
        # The signal may come first; but no answer is cut.
        self.assertTrue(not rest or rest.endswith(b'}\n'), rest[-100:])
        self.assertEqual(rest.count(b'HTTP/1.1 200 OK'), rest.count(b'{"status":"ok"'))
        self.assertEqual(server.wait(), 0)

    def test_a_body_that_is_not_complete(self):
        server = self.start(http=True)
        wire = self.enterContext(Wire(server))
        wire.send(BODY + b'Content-Length: 10\r\n\r\nabc')
        client = self.client(server)
        wait_until(lambda: client.stats()['http_bytes_received'] > 0, 'the head')
        server.signal(signal.SIGTERM)
        answer = wire.response()
        self.assertEqual((answer.status, answer.error()['code']), (503, 'stopping'))
        wire.expect_eof()
        self.assertEqual(server.wait(), 0)

    def test_who_takes_nothing_is_cut_off(self):
        server = self.start('--stop-timeout', '1', http=True)
        wire = self.enterContext(Wire(server, receive_buffer=4096))
        stuff(wire, self.client(server))
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)
        self.assertIn('did not take', server.errors())

    def test_told_twice(self):
        server = self.start('--stop-timeout', '86400', http=True)
        wire = self.enterContext(Wire(server, receive_buffer=4096))
        stuff(wire, self.client(server))
        server.signal(signal.SIGTERM)
        wait_until(lambda: not is_listening(server), 'the beginning of the end')
        server.signal(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)


if __name__ == '__main__':
    main()
