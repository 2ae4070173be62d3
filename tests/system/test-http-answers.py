#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Answers of HTTP that are made while they are taken, and who may ask for them."""

import contextlib
import gzip
import json
import signal
import unittest

from harness import OK, SANITIZED, Client, Server, TestCase, main, wait_until
from wire import Wire

POINTS = '/api/v1/points'
ALL = POINTS + '?pattern=*'
N_SERIES, N_POINTS = 20, 15_000


def fill(server):
    """Puts so much that the answer does not fit into what the kernel holds for a socket."""
    with Client(server) as client:
        for i in range(N_SERIES):
            client.put_many([b'put series.%d %d.%d %d\n' % (i, k % 7, k * k % 1009, 1_000_000 + k * 10) for k in range(N_POINTS)])


class LargeTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(http=True))
        fill(cls.server)

    def setUp(self):
        self.wire = self.enterContext(Wire(self.server))

    def test_it_is_whole(self):
        answer = self.wire.get(ALL)
        self.assertEqual((answer.status, answer.headers['transfer-encoding']), (200, 'chunked'))
        series = answer.json()['series']
        self.assertEqual([one['key'] for one in series], [f'series.{i}' for i in range(N_SERIES)])
        self.assertEqual({len(one['points']) for one in series}, {N_POINTS})
        # The connection is there for the next request.
        self.assertEqual(self.wire.get('/healthz').status, 200)

    def test_packed_is_the_same(self):
        plain, packed = self.wire.get(ALL), self.wire.get(ALL, Accept_Encoding='gzip')
        self.assertEqual((packed.headers['content-encoding'], packed.headers['vary']), ('gzip', 'Accept, Accept-Encoding'))
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        self.assertLess(len(packed.body), len(plain.body) / 2)

    def test_small_ones_are_not_packed(self):
        answer = self.wire.get(POINTS + '?key=series.0&from=1000000&to=1000010', Accept_Encoding='gzip')
        self.assertNotIn('content-encoding', answer.headers)
        self.assertEqual(int(answer.headers['content-length']), len(answer.body))

    def test_old_clients(self):
        """They see the end of the connection."""
        plain = self.wire.get(ALL)
        with Wire(self.server) as wire:
            wire.send(b'GET ' + ALL.encode() + b' HTTP/1.0\r\n\r\n')
            answer = wire.response()
            self.assertEqual((answer.status, answer.headers['connection']), (200, 'close'))
            self.assertNotIn('transfer-encoding', answer.headers)
            self.assertEqual(answer.body, plain.body)

    def test_head(self):
        answer = self.wire.ask('HEAD', ALL)
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.wire.get('/healthz').status, 200)

    def test_pipelined(self):
        for target in (ALL, '/healthz', ALL, '/nothing'):
            self.wire.request('GET', target)
        self.assertEqual([self.wire.response().status for _ in range(4)], [200, 200, 200, 404])

    @unittest.skipIf(SANITIZED, 'memory is that of the sanitizer')
    def test_who_takes_nothing(self):
        """No more is made than a little; others do not notice."""
        self.wire.get(ALL)
        before = self.server.rss()
        for accept in (None, 'gzip'):
            wires = [self.enterContext(Wire(self.server, receive_buffer=4096)) for _ in range(30)]
            for wire in wires:
                wire.request('GET', ALL, Accept_Encoding=accept)
            for wire in wires:
                self.assertEqual(wire.head()[0], 200)
            with Client(self.server) as client:
                self.assertEqual(client.ask(b'ping'), OK)
            self.assertEqual(self.wire.get('/healthz').status, 200)
        self.assertLess(self.server.rss() - before, 60 * (512 << 10))
        # And they can go on.
        self.assertEqual(wires[0].exactly(1 << 10), wires[1].exactly(1 << 10))

    def test_who_hangs_up(self):
        with Client(self.server) as client:
            there = client.stats()['http_clients']
            for how in (Client.reset, Wire.close):
                wires = [Wire(self.server, receive_buffer=4096) for _ in range(20)]
                for wire in wires:
                    wire.request('GET', ALL)
                    wire.head()
                    how(wire)
                wait_until(lambda: client.stats()['http_clients'] == there, 'their end')

    def test_others_have_their_turn(self):
        """While a large answer is made at full speed, a small one does not wait for its end."""
        with Client(self.server) as client, Wire(self.server) as other:
            for _ in range(5):
                other.request('GET', ALL)
                self.assertEqual(client.ask(b'ping'), OK)
                self.assertEqual(self.wire.get('/healthz').status, 200)
                self.assertEqual(other.response().status, 200)


class OriginTest(TestCase):
    def setUp(self):
        self.server = self.start(http=True)
        self.wire = self.enterContext(Wire(self.server))

    def test_who_is_let_in(self):
        own = self.server.http
        port = own.rpartition(':')[2]
        body = b'{"points":[{"key":"a","value":1,"timestamp":1}]}'
        table = [
            ({}, True),
            ({'Origin': own}, True),
            ({'Origin': own.upper()}, True),
            ({'Origin': own.replace('http:', 'https:')}, True),
            ({'Origin': own.replace('http:', 'app:')}, False),
            ({'Origin': own.replace('http:', 'tauri:')}, False),
            ({'Origin': 'http://127.0.0.1'}, False),
            ({'Origin': 'http://127.0.0.1:1'}, False),
            ({'Origin': f'http://localhost:{port}'}, False),
            ({'Origin': 'http://example.com'}, False),
            ({'Origin': own + '.example.com'}, False),
            ({'Origin': 'null'}, False),
            ({'Origin': ''}, False),
            ({'Origin': own.removeprefix('http://')}, False),
            ({'Sec-Fetch-Site': 'same-origin'}, True),
            ({'Sec-Fetch-Site': 'none'}, True),
            ({'Sec-Fetch-Site': 'same-site'}, False),
            ({'Sec-Fetch-Site': 'cross-site'}, False),
            ({'Sec-Fetch-Site': 'anything'}, False),
            ({'Origin': own, 'Sec-Fetch-Site': 'cross-site'}, False),
        ]
        for fields, good in table:
            for method, target, data in (('GET', '/api/v1/keys', None), ('GET', ALL, None), ('POST', POINTS, body),
                                         ('DELETE', ALL, None)):
                with self.subTest(method=method, target=target, **fields), Wire(self.server) as wire:
                    answer = wire.ask(method, target, data, Content_Type='application/json', **fields)
                    self.assertEqual(answer.status, 200 if good else 403)
                    if not good:
                        error = answer.error()
                        self.assertEqual(error['code'], 'cross-origin')
                        self.assertIn(error['where'], fields)

    def test_forms_of_others_change_nothing(self):
        """What a page can send without asking first."""
        for content_type in ('text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'):
            with self.subTest(content_type=content_type), Wire(self.server) as wire:
                answer = wire.ask('POST', POINTS, b'{"points":[{"key":"evil","value":1}]}', Content_Type=content_type,
                                  Origin='http://example.com')
                self.assertEqual(answer.status, 403)
        self.assertEqual(self.wire.get('/api/v1/keys').json(), {'keys': []})

    def test_rebinding(self):
        """A page of another name that points here reads nothing."""
        for method, target in (('GET', ALL), ('DELETE', ALL)):
            with Wire(self.server) as wire:
                answer = wire.ask(method, target, Host='evil.example', Origin='http://evil.example',
                                  Sec_Fetch_Site='same-origin')
                self.assertEqual((answer.status, answer.reason, answer.error()['code']),
                                 (421, 'Misdirected Request', 'wrong-host'))


class RightTest(TestCase):
    def test_rights(self):
        body = b'{"points":[{"key":"a","value":1,"timestamp":1}]}'
        for rights in ('read', 'put', 'read+put', 'read+put+delete'):
            server = self.start('--http-listen', f'127.0.0.1:0,rights={rights}')
            for method, target, data, right in (('GET', ALL, None, 'read'), ('HEAD', ALL, None, 'read'), ('POST', POINTS, body, 'put'),
                                                ('DELETE', ALL, None, 'delete')):
                with self.subTest(rights=rights, method=method), Wire(server) as wire:
                    answer = wire.ask(method, target, data, Content_Type='application/json' if data else None)
                    self.assertEqual(answer.status, 200 if right in rights.split('+') else 403)
                    if answer.status == 403 and method != 'HEAD':
                        self.assertEqual(answer.error()['code'], 'forbidden')
            if rights == 'read':
                self.assertIn("does not have the right 'put'", server.errors())


class StopTest(TestCase):
    def test_a_running_answer_is_completed(self):
        server = self.start(http=True)
        fill(server)
        with Wire(server, receive_buffer=65536) as wire:
            wire.request('GET', ALL)
            self.assertEqual(wire.head()[0], 200)
            server.signal(signal.SIGTERM)
            pieces = []
            while (piece := wire.chunk()[0]):
                pieces.append(piece)
            self.assertEqual(len(json.loads(b''.join(pieces))['series']), N_SERIES)
            wire.expect_eof()
        self.assertEqual(server.wait(), 0)

    def test_one_that_is_not_taken_is_cut_off_and_seen_to_be(self):
        server = self.start('--stop-timeout', '1', http=True)
        fill(server)
        with Wire(server, receive_buffer=4096) as wire:
            wire.request('GET', ALL)
            self.assertEqual(wire.head()[0], 200)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            rest = b''
            with contextlib.suppress(ConnectionResetError):
                rest = wire.rest()
            self.assertFalse(rest.endswith(b'0\r\n\r\n'))
        self.assertIn('did not take', server.errors())


if __name__ == '__main__':
    main()
