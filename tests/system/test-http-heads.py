#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Heads of HTTP requests: what is let through, what is refused and with which words, in whatever pieces it comes."""

import http.client
import pathlib
import random
import signal
import tempfile

from harness import WATCHDOG, Client, Server, TestCase, main, wait_until
from wire import Wire

MAX_TARGET = 16384
MAX_HEAD = 65536
MAX_FIELDS = 100

GOOD = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'

# What comes, the status, the code, and the place.
BAD = [
    (b'GET /healthz HTTP/1.1\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz HTTP/1.1\r\nHost: u@a\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz HTTP/1.1\r\nHost: a:1:2\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz HTTP/1.1\r\nHost:\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n', 400, 'bad-head', 'Host'),
    (b'GET /healthz\r\n', 400, 'not-http', None),
    (b'GET  /healthz HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET /health z HTTP/1.1\r\n', 400, 'bad-head', None),
    (b' GET /healthz HTTP/1.1\r\n', 400, 'not-http', None),
    (b'G@T /healthz HTTP/1.1\r\n', 400, 'not-http', None),
    (b'GET /healthz http/1.1\r\n', 400, 'not-http', None),
    (b'GET /healthz HTTP/1.1 \r\n', 400, 'not-http', None),
    (b'GET /healthz HTTP/11\r\n', 400, 'not-http', None),
    (b'GET healthz HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET * HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET ftp://localhost/ HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET http://u@localhost/ HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET /\xc3\xa4 HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET /a#b HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET /\0 HTTP/1.1\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/2.0\r\n', 505, 'version-not-supported', None),
    (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'version-not-supported', None),
    (b'GET /healthz HTTP/1.1\nHost: a\n\n', 400, 'not-http', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\rX: b\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nX\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n', 400, 'bad-head', None),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\n', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'bad-head', 'Content-Length'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'bad-head',
     'Transfer-Encoding'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n', 501, 'encoding-not-supported',
     'Transfer-Encoding'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501, 'encoding-not-supported', 'Transfer-Encoding'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n', 501, 'encoding-not-supported', 'Transfer-Encoding'),
    (b'GET /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'bad-head', 'Transfer-Encoding'),
    (b'GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n', 417, 'expectation-failed', 'Expect'),
    (b'GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad-target', None),
    (b'GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad-target', None),
    (b'GET /%ff HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad-target', None),
    (b'GET /healthz?a=%1 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad-target', None),
    (b'GET /healthz?' + b'a&' * 1024 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad-target', None),
    # Other protocols.
    (b'ping\n', 400, 'not-http', None),
    (b'put room.temperature 21.5 100\n', 400, 'not-http', None),
    (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'not-http', None),
    (b'SSH-2.0-OpenSSH_9.2\r\n', 400, 'not-http', None),
    (b'\r\n\r\n\r\n\r\nGET', 400, 'not-http', None),
]

# What comes, and the status.
FINE = [
    (GOOD, 200),
    (b'\r\n' + GOOD, 200),
    (b'GET /healthz HTTP/1.0\r\n\r\n', 200),
    (b'GET /healthz HTTP/1.7\r\nHost: localhost\r\n\r\n', 200),
    (b'GET http://localhost/healthz HTTP/1.1\r\nHost: elsewhere\r\n\r\n', 200),
    (b'GET HTTP://LOCALHOST:80/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', 200),
    (b'GET /%68ealthz HTTP/1.1\r\nhOST:localhost  \r\nX-Any: \t \r\nAccept: \xe4\r\n\r\n', 200),
    (b'GET /healthz HTTP/1.1\r\nHost: LocalHost:\r\n\r\n', 200),
    (b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc', 200),
    (b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n', 200),
    (b'BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', 405),
    (b'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n', 204),
]


class HeadTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(http=True))

    def wire(self, **arguments):
        return self.enterContext(Wire(self.server, **arguments))

    def assert_refused(self, wire, status, code, where):
        """It is told, and the connection ends in order."""
        answer = wire.response()
        error = answer.error()
        self.assertEqual((answer.status, error['code'], error.get('where')), (status, code, where), error)
        self.assertEqual(answer.headers['x-content-type-options'], 'nosniff')
        if answer.headers.get('connection') == 'close':
            wire.expect_eof()

    def assert_alive(self):
        with Wire(self.server) as wire:
            self.assertEqual(wire.get('/healthz').json()['status'], 'ok')

    def test_what_is_refused(self):
        for data, status, code, where in BAD:
            with self.subTest(data=data[:80]), Wire(self.server) as wire:
                wire.send(data)
                self.assert_refused(wire, status, code, where)

    def test_what_is_refused_byte_by_byte(self):
        for data, status, code, where in BAD:
            with self.subTest(data=data[:80]), Wire(self.server) as wire:
                try:
                    for byte in data[:300]:
                        wire.send(bytes([byte]))
                    wire.send(data[300:])
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it has been refused before its end
                self.assert_refused(wire, status, code, where)

    def test_what_is_taken(self):
        for data, status in FINE:
            with self.subTest(data=data[:80]), Wire(self.server) as wire:
                wire.send(data)
                self.assertEqual(wire.response().status, status)

    def test_in_two_pieces_at_every_cut(self):
        for data, status in FINE:
            for cut in range(1, len(data)):
                with self.subTest(data=data[:cut][-40:]), Wire(self.server) as wire:
                    wire.send(data[:cut])
                    wire.send(data[cut:])
                    self.assertEqual(wire.response().status, status)

    def test_cut_off_at_every_place(self):
        """Who goes in the middle of a head has said nothing."""
        for end in ('half', 'close', 'reset'):
            for cut in range(len(GOOD)):
                with Wire(self.server) as wire:
                    wire.send(GOOD[:cut])
                    if end == 'half':
                        wire.sock.shutdown(1)
                        wire.expect_eof()
                    elif end == 'reset':
                        Client.reset(wire)
        self.assert_alive()
        with Client(self.server) as client:
            wait_until(lambda: client.stats()['http_clients'] == 0, 'the end of the clients')

    def test_target(self):
        for length, status in ((MAX_TARGET, 404), (MAX_TARGET + 1, 414), (MAX_TARGET + 5000, 414), (1 << 20, 414)):
            with self.subTest(length=length), Wire(self.server) as wire:
                target = '/' + 'x' * (length - 1)
                try:
                    wire.request('GET', target)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                answer = wire.response()
                self.assertEqual(answer.status, status)
                if status == 414:
                    self.assertEqual(answer.error()['code'], 'target-too-long')

    def test_target_without_end(self):
        wire = self.wire()
        wire.send(b'GET /' + b'x' * (MAX_TARGET + 100))
        self.assert_refused(wire, 414, 'target-too-long', None)

    def test_number_of_fields(self):
        for count, status in ((MAX_FIELDS, 200), (MAX_FIELDS + 1, 431), (5000, 431)):
            with self.subTest(count=count), Wire(self.server) as wire:
                fields = b''.join(b'X-%d: y\r\n' % i for i in range(count - 1))
                wire.send(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n' + fields + b'\r\n')
                answer = wire.response()
                self.assertEqual(answer.status, status)
                if status == 431:
                    self.assertEqual((answer.reason, answer.error()['code']),
                                     ('Request Header Fields Too Large', 'head-too-large'))
                    wire.expect_eof()

    def test_size(self):
        for size, status in ((MAX_HEAD, 200), (MAX_HEAD + 1, 431), (1 << 20, 431)):
            with self.subTest(size=size), Wire(self.server) as wire:
                start, end = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ', b'\r\n\r\n'
                wire.send(start + b'x' * (size - len(start) - len(end)) + end)
                self.assertEqual(wire.response().status, status)

    def test_size_without_end(self):
        wire = self.wire()
        wire.send(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ' + b'x' * MAX_HEAD)
        self.assert_refused(wire, 431, 'head-too-large', None)

    def test_changed_at_random(self):
        """Whatever comes, it is answered as HTTP, and the server is there for the next one."""
        rng = random.Random(7)
        for _ in range(500):
            data = bytearray(rng.choice(FINE)[0] if rng.random() < .5 else rng.choice(BAD)[0][:500])
            for _ in range(rng.randrange(1, 4)):
                at = rng.randrange(len(data))
                data[at:at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
            with self.subTest(data=bytes(data)), Wire(self.server) as wire:
                wire.send(bytes(data))
                wire.sock.shutdown(1)
                rest = wire.rest()
                self.assertTrue(not rest or rest.startswith(b'HTTP/1.1 '), rest[:100])
        self.assert_alive()

    def test_a_client_of_others(self):
        connection = http.client.HTTPConnection(self.server.http.removeprefix('http://'), timeout=WATCHDOG)
        self.addCleanup(connection.close)
        for _ in range(3):
            connection.request('GET', '/healthz')
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()[:15]), (200, b'{"status":"ok",'))


class TimeTest(TestCase):
    def test_slow_heads(self):
        """However a byte comes now and then: the time is that of the head as a whole."""
        server = self.start('--line-timeout', '1', http=True)
        for start in (b'G', GOOD[:30], GOOD[:-1]):
            with self.subTest(start=start), Wire(server) as wire:
                wire.send(start)
                answer = wire.response()
                self.assertEqual((answer.status, answer.error()['code']), (408, 'timeout'))
                wire.expect_eof()
        with Wire(server) as wire:
            # What is there is not ended by more that comes.
            wire.send(b'GET /healthz HTTP/1.1\r\nX-Slow: ')
            wire.sock.settimeout(.05)
            while True:
                try:
                    wire.send(b'x')
                    if data := wire.sock.recv(65536):
                        break
                except TimeoutError:
                    continue
            self.assertTrue(data.startswith(b'HTTP/1.1 408 '), data)

    def test_nothing_at_all(self):
        """Who never asks is let go without a word: a browser connects ahead of what it may need."""
        server = self.start('--line-timeout', '1', http=True)
        self.enterContext(Wire(server)).expect_eof()

    def test_idle(self):
        server = self.start('--idle-timeout', '1', http=True)
        wire = self.enterContext(Wire(server))
        self.assertEqual(wire.get('/healthz').status, 200)
        wire.expect_eof()

    def test_another_time_by_a_reload(self):
        """It holds for what has begun."""
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / 'metricsd.conf'
        path.write_text('[server]\nline-timeout=86400\n')
        server = self.start('--config', path, http=True)
        wire = self.enterContext(Wire(server))
        wire.send(GOOD[:-1])
        with Client(server) as client:
            wait_until(lambda: client.stats()['http_bytes_received'] == len(GOOD) - 1, 'the beginning')
        path.write_text('[server]\nline-timeout=1\n')
        server.signal(signal.SIGHUP)
        self.assertEqual(wire.response().status, 408)
        wire.expect_eof()

    def test_slow_bodies(self):
        server = self.start('--line-timeout', '1', http=True)
        wire = self.enterContext(Wire(server))
        wire.send(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc')
        answer = wire.response()
        self.assertEqual((answer.status, answer.error()['code']), (408, 'timeout'))
        wire.expect_eof()


if __name__ == '__main__':
    main()
