#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""HTTP as such: who is let in, which paths and methods there are, connections that stay, files of the page, settings."""

import hashlib
import os
import pathlib
import re
import signal
import socket
import tempfile

from harness import OK, WATCHDOG, Client, Server, TestCase, has_ipv6, main, run, wait_until
from wire import Wire

FIELDS = {'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer',
          'cross-origin-resource-policy': 'same-origin'}


class WebTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server(http=True))

    def setUp(self):
        self.wire = self.enterContext(Wire(self.server))


class PathTest(WebTest):
    def test_health(self):
        answer = self.wire.get('/healthz')
        self.assertEqual((answer.status, answer.reason, answer.headers['content-type']), (200, 'OK', 'application/json'))
        self.assertEqual(answer.json()['status'], 'ok')
        self.assertRegex(answer.json()['version'], r'^\d+\.\d+\.\d+$')
        self.assertEqual(answer.headers['cache-control'], 'no-store')
        self.assertRegex(answer.headers['date'], r'^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$')

    def test_fields_of_every_answer(self):
        for method, target in (('GET', '/healthz'), ('GET', '/nothing'), ('POST', '/healthz'), ('OPTIONS', '/healthz'),
                               ('HEAD', '/healthz'), ('GET', '/')):
            with self.subTest(method=method, target=target):
                headers = self.wire.ask(method, target).headers
                self.assertEqual({name: headers.get(name) for name in FIELDS}, FIELDS)
                self.assertNotIn('access-control-allow-origin', headers)
                self.assertNotIn('server', headers)

    def test_no_such_path(self):
        for target in ('/nothing', '/healthz/', '/HEALTHZ', '//healthz', '/api/v1/', '/../etc/passwd', '/%2e%2e/x', '/index.html',
                       '/assets/', '/assets', '/assets/../index.html', '/assets/%2e%2e/index.html', '/%2f'):
            with self.subTest(target=target):
                answer = self.wire.get(target)
                self.assertEqual((answer.status, answer.error()['code']), (404, 'not-found'))

    def test_methods(self):
        for method in ('POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'get'):
            with self.subTest(method=method):
                answer = self.wire.ask(method, '/healthz')
                self.assertEqual((answer.status, answer.error()['code']), (405, 'method-not-allowed'))
                self.assertEqual(answer.headers['allow'], 'GET, HEAD, OPTIONS')
        self.assertEqual(self.wire.ask('PUT', '/nothing').status, 404)

    def test_options(self):
        answer = self.wire.ask('OPTIONS', '/healthz')
        self.assertEqual((answer.status, answer.headers['allow']), (204, 'GET, HEAD, OPTIONS'))
        self.assertNotIn('content-length', answer.headers)
        self.assertEqual(self.wire.ask('OPTIONS', '/nothing').status, 404)
        self.assertIn('GET', self.wire.ask('OPTIONS', '*').headers['allow'])

    def test_head_is_get_without_the_body(self):
        for target in ('/healthz', '/nothing', '/'):
            with self.subTest(target=target):
                full, head = self.wire.get(target), self.wire.ask('HEAD', target)
                del full.headers['date'], head.headers['date']
                self.assertEqual((head.status, head.headers), (full.status, full.headers))
        # Nothing of a body came in between.
        self.assertEqual(self.wire.get('/healthz').status, 200)


class KeptTest(WebTest):
    def test_many_requests(self):
        for _ in range(50):
            answer = self.wire.get('/healthz')
            self.assertEqual(answer.status, 200)
            self.assertNotIn('connection', answer.headers)

    def test_bodies_that_nobody_wants(self):
        self.assertEqual(self.wire.ask('GET', '/healthz', b'x' * 100_000).status, 200)
        self.assertEqual(self.wire.get('/healthz').status, 200)

    def test_pipelined(self):
        """All that is asked at once is answered in order."""
        n = 300
        self.wire.send(b''.join(b'GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n' % (b'healthz' if i % 3 else b'nothing')
                                for i in range(n)))
        self.wire.sock.shutdown(socket.SHUT_WR)
        for i in range(n):
            self.assertEqual(self.wire.response().status, 200 if i % 3 else 404, i)
        self.wire.expect_eof()

    def test_the_client_ends_it(self):
        self.assertEqual(self.wire.get('/healthz', Connection='x, Close').headers['connection'], 'close')
        self.wire.expect_eof()

    def test_old_clients(self):
        self.wire.send(b'GET /healthz HTTP/1.0\r\n\r\n')
        self.assertEqual(self.wire.response().headers['connection'], 'close')
        self.wire.expect_eof()

    def test_who_sends_no_more(self):
        self.wire.request('GET', '/healthz')
        self.wire.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(self.wire.response().status, 200)
        self.wire.expect_eof()

    def test_one_that_is_not_let_through_ends_with_its_body(self):
        """What was refused before its body was waited for: that is not taken for the next request."""
        self.wire.send(b'POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 58\r\n\r\n'
                       b'GET /nothing HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: 1234\r\n\r\n')
        answer = self.wire.response()
        self.assertEqual((answer.status, answer.headers['connection']), (405, 'close'))
        self.wire.expect_eof()

    def test_awaited(self):
        self.wire.request('GET', '/healthz', Expect='100-continue', Content_Length='5')
        self.assertEqual(self.wire.head(), (100, 'Continue', {}))
        self.wire.send(b'12345')
        self.assertEqual(self.wire.response().status, 200)
        # Who would be refused need not send it.
        self.wire.request('POST', '/healthz', Expect='100-continue', Content_Length='5')
        self.assertEqual(self.wire.response().status, 405)
        self.wire.expect_eof()


class NameTest(WebTest):
    def assert_host(self, host, good, wire=None):
        answer = (wire or self.wire).get('/healthz', Host=host)
        self.assertEqual(answer.status, 200 if good else 421, host)
        if not good:
            error = answer.error()
            self.assertEqual((error['code'], error['where']), ('wrong-host', 'Host'))
            self.assertEqual(answer.reason, 'Misdirected Request')

    def test_hosts(self):
        machine = socket.gethostname()
        port = self.server.http.rpartition(':')[2]
        for host, good in (('localhost', True), ('LOCALHOST', True), ('localhost.', True), ('localhost:' + port, True),
                           ('localhost:1', True), ('a.localhost', True), ('127.0.0.1', True), ('127.0.0.1:' + port, True),
                           ('[::1]', True), ('[::1]:' + port, True), ('192.0.2.7', True), (machine, True),
                           (machine.partition('.')[0] + '.local', True),
                           ('example.com', False), ('localhost.example.com', False), ('xlocalhost', False),
                           ('.localhost', False), ('127.0.0.1.example.com', False), ('metrics.lan', False), ('0x7f.1', False),
                           (machine + '.example.com', False)):
            with self.subTest(host=host):
                self.assert_host(host, good)

    def test_names_of_the_configuration(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        path = folder / 'metricsd.conf'
        path.write_text('[server]\nhttp-host=metrics.lan;other.lan\n')
        server = self.start('--config', path, '--http-port', '0')
        wire = self.enterContext(Wire(server))
        for host, good in (('metrics.lan', True), ('Other.lan:80', True), ('third.lan', False), ('localhost', True)):
            self.assert_host(host, good, wire)
        path.write_text('[server]\nhttp-host=third.lan\n')
        server.signal(signal.SIGHUP)
        wait_until(lambda: 'configuration reloaded' in server.errors(), 'the reload')
        self.assert_host('third.lan', True, wire)
        self.assert_host('metrics.lan', False, wire)

    def test_names_of_the_command_line(self):
        server = self.start('--http-host', 'a.lan', '--http-host', 'b.lan', http=True)
        wire = self.enterContext(Wire(server))
        for host, good in (('a.lan', True), ('b.lan', True), ('c.lan', False)):
            self.assert_host(host, good, wire)


class PageTest(WebTest):
    def setUp(self):
        super().setUp()
        self.page = self.wire.get('/')
        if self.page.status == 404:
            self.skipTest('built without the page')

    def files(self):
        return ['/'] + ['/' + name for name in sorted(set(re.findall(r'(?:src|href)="(assets/[^"]+)"', self.page.body.decode())))]

    def test_policy(self):
        policy = dict(part.strip().split(' ', 1) for part in self.page.headers['content-security-policy'].split(';'))
        self.assertEqual(policy['default-src'], "'none'")
        self.assertEqual(policy['script-src'], "'self'")
        self.assertEqual(policy['frame-ancestors'], "'none'")
        self.assertNotIn('unsafe', self.page.headers['content-security-policy'])

    def test_types(self):
        types = {'': 'text/html; charset=utf-8', 'js': 'text/javascript; charset=utf-8', 'css': 'text/css; charset=utf-8',
                 'svg': 'image/svg+xml'}
        self.assertGreater(len(self.files()), 3)
        for target in self.files():
            with self.subTest(target=target):
                answer = self.wire.get(target)
                self.assertEqual((answer.status, answer.headers['content-type']),
                                 (200, types[target.rpartition('.')[2] if '.' in target else '']))

    def test_packed_is_the_same(self):
        n_packed = 0
        for target in self.files():
            with self.subTest(target=target):
                plain, packed = self.wire.get(target), self.wire.get(target, Accept_Encoding='br, gzip')
                self.assertNotIn('content-encoding', plain.headers)
                self.assertEqual(packed.content(), plain.body)
                if 'content-encoding' in packed.headers:
                    n_packed += 1
                    self.assertLess(len(packed.raw), len(plain.raw))
                    self.assertEqual(plain.headers['vary'], 'Accept-Encoding')
                    self.assertNotEqual(packed.headers['etag'], plain.headers['etag'])
        self.assertGreater(n_packed, 0)

    def test_who_wants_it_packed(self):
        target = max(self.files(), key=lambda name: len(self.wire.get(name).body))
        for accept, packed in ((None, False), ('gzip', True), ('GZIP', True), ('x-gzip', True), ('gzip;q=0', False),
                               ('gzip;q=0.000', False), ('deflate', False), ('identity', False), ('', False),
                               ('br;q=1, gzip;q=0.5', True), ('identity, gzip;q=0.5', False), ('gzip, identity;q=0.5', True)):
            with self.subTest(accept=accept):
                answer = self.wire.get(target, Accept_Encoding=accept)
                self.assertEqual('content-encoding' in answer.headers, packed)

    def test_asked_for_again(self):
        for fields in ({}, {'Accept_Encoding': 'gzip'}):
            for target in self.files():
                with self.subTest(target=target, **fields):
                    answer = self.wire.get(target, **fields)
                    etag = answer.headers['etag']
                    self.assertRegex(etag, r'^"[^"]+"$')
                    self.assertEqual(answer.headers['cache-control'], 'no-cache')
                    for known in (etag, '*', f'"x", {etag}', f'W/{etag}'):
                        again = self.wire.get(target, If_None_Match=known, **fields)
                        self.assertEqual((again.status, again.headers['etag'], again.body), (304, etag, b''))
                        self.assertNotIn('content-encoding', again.headers)
                    self.assertEqual(self.wire.get(target, If_None_Match='"x"', **fields).status, 200)

    def test_the_large_one_comes_whole(self):
        target = max(self.files(), key=lambda name: len(self.wire.get(name).body))
        body = self.wire.get(target).body
        digest = hashlib.sha256(body).digest()
        with Wire(self.server, receive_buffer=4096) as slow:
            slow.send(b''.join(b'GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n' % target.encode() for _ in range(20)))
            for _ in range(20):
                self.assertEqual(hashlib.sha256(slow.response().body).digest(), digest)

    def test_each_has_one_path(self):
        for path in ['/index.html'] + self.files()[1:]:
            self.assertEqual(self.wire.get(path + '/').status, 404, path)

    def test_other_methods(self):
        answer = self.wire.ask('POST', '/', b'')
        self.assertEqual((answer.status, answer.headers['allow']), (405, 'GET, HEAD, OPTIONS'))

    def test_pages_of_others_may_lead_here(self):
        self.assertEqual(self.wire.get('/', Sec_Fetch_Site='cross-site', Sec_Fetch_Mode='navigate').status, 200)


class SettingTest(TestCase):
    def assert_serves(self, to):
        with Wire(to) as wire:
            self.assertEqual(wire.get('/healthz').status, 200)

    def test_what_is_said_at_the_start(self):
        server = self.start(http=True)
        self.assertEqual(len(server.addresses), 1)
        ports = {url.rstrip('/').rpartition(':')[2] for url in server.urls}
        self.assertEqual(len(ports), 1)
        hosts = ['http://127.0.0.1:', 'http://[::1]:'] if has_ipv6() else ['http://127.0.0.1:']
        self.assertEqual(server.urls, [f'{host}{port}/' for host in hosts for port in ports])
        for url in server.urls:
            self.assert_serves(url)
        self.assertIn(server.urls[0], server.log())

    def test_none(self):
        server = self.start('--no-http')
        self.assertEqual(server.urls, [])
        with Client(server) as client:
            self.assertNotIn('http_clients', client.stats())

    def test_addresses(self):
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), 'http.sock')
        server = self.start('--http-listen', '127.0.0.1:0', '--http-listen', f'unix:{path},mode=0600')
        self.assertEqual(len(server.urls), 2)
        self.assertEqual(server.urls[1], f'http+unix:{path}')
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        for url in server.urls:
            self.assert_serves(url)
        # Any name will do there.
        with Wire(server.urls[1]) as wire:
            self.assertEqual(wire.get('/healthz', Host='any.example').status, 200)

    def test_addresses_that_cannot_be(self):
        server = self.start(http=True)
        port = server.http.rpartition(':')[2]
        for options in (('--http-port', port), ('--http-listen', f'127.0.0.1:{port}')):
            with self.subTest(options=options):
                result = run('--host', '127.0.0.1', '--port', '0', *options)
                self.assertEqual((result.returncode, result.stdout), (1, ''))
                for word in (port, '--http-listen', '--http-port', '--no-http'):
                    self.assertIn(word, result.stderr)
        for options, word in ((('--http-port', '65536'), '--http-port'), (('--http-listen', '127.0.0.1:x'), '--http-listen'),
                              (('--http-listen', '127.0.0.1:0,rights=fly'), 'rights')):
            with self.subTest(options=options):
                result = run(*options)
                self.assertEqual(result.returncode, 2)
                self.assertIn(word, result.stderr)

    def test_passed_sockets(self):
        line, web = (self.enterContext(socket.create_server(('127.0.0.1', 0))) for _ in range(2))
        server = self.start('--http-host', 'x', sockets=[('metricsd', line), ('http', web)])
        self.assertEqual(server.addresses, [f'127.0.0.1:{line.getsockname()[1]}'])
        self.assertEqual(server.urls, [f'http://127.0.0.1:{web.getsockname()[1]}/'])
        self.assert_serves(server.urls[0])
        with Client(server) as client:
            self.assertEqual(client.ask(b'ping'), OK)
        result = run('--no-http', sockets=[('http', web)])
        self.assertEqual(result.returncode, 1)
        self.assertIn("'http'", result.stderr)

    def test_one_that_leaves_when_idle(self):
        """A client of HTTP is somebody to stay for."""
        web = self.enterContext(socket.create_server(('127.0.0.1', 0)))
        state = self.enterContext(tempfile.TemporaryDirectory())
        server = self.start('--exit-when-idle', '1', '--state-dir', state, '--listen', '127.0.0.1:0', '--http-host', 'x',
                            sockets=[('http', web)])
        with Wire(server) as wire, Client(server) as client:
            wire.get('/healthz')
            client.close()
            # It says so when it has looked, and found somebody, for longer than it would have stayed.
            wire.sock.settimeout(2.5)
            with self.assertRaises(TimeoutError):
                wire.rest()
            wire.sock.settimeout(WATCHDOG)
            self.assertEqual(wire.get('/healthz').status, 200)
        self.assertEqual(server.wait(), 0)
        self.assertIn('idleness', server.log())

    def test_stats(self):
        server = self.start('--self-metrics', '1', http=True)
        with Client(server) as client, Wire(server) as wire:
            wire.get('/healthz')
            wire.get('/nothing')
            stats = client.stats()
            self.assertEqual((stats['http_clients'], stats['connections']), (1, 2))
            self.assertEqual((stats['http_requests'], stats['http_client_errors'], stats['http_server_errors']), (2, 1, 0))
            self.assertGreater(stats['http_bytes_sent'], stats['http_bytes_received'])
            wait_until(lambda: client.ask(b'last metricsd.http_requests') != b'ok\n\n', 'its series')


class RightTest(TestCase):
    def test_health_needs_none(self):
        server = self.start('--http-listen', '127.0.0.1:0,rights=put')
        with Wire(server) as wire:
            self.assertEqual(wire.get('/healthz').status, 200)


if __name__ == '__main__':
    main()
