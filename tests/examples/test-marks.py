#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The marks of students over HTTP: what is answered, what is wrong with a request, all limits at their edges."""

import base64
import hashlib
import http.client
import json
import pathlib
import re
import select
import socket
import tempfile
import urllib.parse

from example import Example, expect_figures, run
from harness import TestCase, main, wait_until
from wire import Wire

LINE = 64 * 1024  # bytes of a line, with its end
HEAD = 256 * 1024  # bytes of all lines
TARGET = 16 * 1024
BODY = 4 * 1024
SHORT = '2'  # seconds for a client that is too slow; all others have done their part before
FORM = 'application/x-www-form-urlencoded'
GET = b'GET /subjects/1 HTTP/1.1\r\n'
HOST = b'Host: localhost\r\n'
EMPTY = {'student': 1, 'subjects': [], 'average': None}


def subject(name, marks, average):
    return {'subject': name, 'marks': marks, 'average': average}


class MarksTest(TestCase):
    def example(self, *options, **arguments):
        return self.enterContext(Example('marks-server', *options, **arguments))

    def setUp(self):
        self.marks = None

    def wire(self, **arguments):
        """A connection to the server of the test, which then is one without metricsd unless there is another one."""
        if self.marks is None:
            self.marks = self.example()
        return self.enterContext(Wire(f'http://{self.marks.address}', **arguments))

    def finish(self, wire, method='GET'):
        """The answer, behind which the server closes."""
        response = wire.response(method)
        self.assertEqual(response.headers['connection'], 'close')
        self.assertIn('date', response.headers)
        wire.expect_eof()
        wire.close()
        return response

    def ask(self, method, target, body=None, **fields):
        wire = self.wire()
        wire.request(method, target, body, **fields)
        return self.finish(wire, method)

    def send(self, data):
        wire = self.wire()
        wire.send(data)
        return self.finish(wire)

    def get(self, target='/subjects/1'):
        response = self.ask('GET', target)
        self.assertEqual((response.status, response.headers['content-type']), (200, 'application/json'), response.body)
        return response.json()

    def post(self, name, mark, student=1):
        query = urllib.parse.urlencode({'subject': name, 'mark': mark})
        return self.ask('POST', f'/subjects/{student}?{query}')

    def expect_error(self, response, status, code, where=None):
        error = response.error()
        self.assertEqual((response.status, error['code'], error.get('where')), (status, code, where), error)

    def expect_refusal(self, data, status, reason):
        """That of a request which the head alone shows to be wrong: the status line says why."""
        response = self.send(data)
        self.assertEqual((response.status, response.reason, response.error()['message']), (status, reason, reason), data[:100])

    # The page

    def test_the_page_is_html(self):
        response = self.ask('GET', '/')
        self.assertEqual((response.status, response.reason), (200, 'OK'))
        self.assertEqual(response.headers['content-type'], 'text/html; charset=utf-8')
        page = response.body.decode()
        for words in ('<title>Marks</title>', 'Student', 'Subject', 'Average of all marks', 'Add the mark'):
            self.assertIn(words, page)
        head = self.ask('HEAD', '/')
        self.assertEqual((head.status, head.body, head.headers['content-length']), (200, b'', str(len(response.body))))

    def test_the_page_runs_its_own_script_alone(self):
        response = self.ask('GET', '/')
        policy = dict(part.split(' ', 1) for part in response.headers['content-security-policy'].split('; '))
        for directive, tag in (('script-src', 'script'), ('style-src', 'style')):
            texts = re.findall(f'(?s)<{tag}>(.*?)</{tag}>', response.body.decode())
            self.assertEqual(len(texts), 1)
            digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
            self.assertEqual(policy[directive], f"'sha256-{digest}'")
        self.assertEqual((policy['default-src'], policy['connect-src']), ("'none'", "'self'"))
        self.assertEqual(response.headers['x-content-type-options'], 'nosniff')
        # Names are text, never elements; nor has anything a handler of its own.
        self.assertNotRegex(response.body.decode(), r'innerHTML|insertAdjacentHTML|document\.write|\son\w+=|eval')

    def test_a_page_that_cannot_be_read_is_an_error_until_it_can(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        page = folder / 'page.html'
        self.marks = self.example('--page', page)
        for make in (lambda: None, page.mkdir, lambda: (page.rmdir(), page.write_bytes(b'x' * ((1 << 20) + 1)))):
            make()
            response = self.ask('GET', '/')
            self.expect_error(response, 500, 'page')
            self.assertNotIn(str(folder), response.body.decode())
            # Whoever runs it can see which file that is, and the marks are there all the same.
            self.marks.wait_for_errors(str(page))
            self.assertEqual(self.get(), EMPTY)
        for size in (0, 1, 1 << 20):
            page.write_bytes(b'y' * size)
            response = self.ask('GET', '/')
            self.assertEqual((response.status, response.body), (200, b'y' * size))

    # Subjects and marks

    def test_marks_are_kept(self):
        self.assertEqual(self.get(), EMPTY)
        response = self.ask('POST', '/subjects/1?subject=Math&mark=5')
        self.assertEqual((response.status, response.reason), (201, 'Created'))
        self.assertEqual(response.json(), {'student': 1, 'subjects': [subject('Math', [5], 5)], 'average': 5})
        self.post('Math', 4)
        self.post('Math', 5)
        self.assertEqual(self.post('History', 3).json()['subjects'], [subject('History', [3], 3)])
        self.post('Math', 2, student=2)
        both = [subject('Math', [5, 4, 5], 4.667), subject('History', [3], 3)]
        self.assertEqual(self.get(), {'student': 1, 'subjects': both, 'average': 4.25})
        self.assertEqual(self.get('/subjects/1?subject=History'), {'student': 1, 'subjects': both[1:], 'average': 3})
        self.assertEqual(self.get('/subjects/1?subject=Art'), EMPTY)
        self.assertEqual(self.get('/subjects/2')['subjects'], [subject('Math', [2], 2)])
        # The number counts, however it is written.
        self.assertEqual(self.get('/subjects/0001'), self.get())
        self.assertEqual(self.ask('HEAD', '/subjects/1').body, b'')

    def test_a_form_may_be_in_the_body(self):
        for target, body in (('/subjects/1', b'subject=Math&mark=5'), ('/subjects/1?subject=Math', b'mark=4')):
            self.assertEqual(self.ask('POST', target, body, Content_Type=FORM).status, 201)
        self.assertEqual(self.get()['subjects'], [subject('Math', [5, 4], 4.5)])
        self.assertEqual(self.ask('POST', '/subjects/1', b'subject=Math&mark=3', Content_Type=f'{FORM}; charset=utf-8').status,
                         201)
        for kind in (None, 'application/json', 'text/plain'):
            response = self.ask('POST', '/subjects/1', b'subject=Math&mark=5', Content_Type=kind)
            self.expect_error(response, 415, 'unsupported-media-type', 'Content-Type')
        twice = self.ask('POST', '/subjects/1?mark=5', b'mark=4&subject=Math', Content_Type=FORM)
        self.expect_error(twice, 400, 'bad-parameter', 'mark')
        self.expect_error(self.ask('POST', '/subjects/1?mark=5', b'subject=a\0b', Content_Type=FORM), 400, 'bad-parameter',
                          'body')
        self.assertEqual(self.get()['subjects'], [subject('Math', [5, 4, 3], 4)])

    def test_any_name_comes_back_as_it_was(self):
        names = ['Математика', 'C++ & "C"', "<script>alert('1')</script>", '100 % \\ / ?', '数学 🎓', 'a=b;c', 'x' * 64, 'ж' * 64]
        for name in names:
            self.assertEqual(self.post(name, 5).status, 201)
            self.assertEqual(self.get('/subjects/1?' + urllib.parse.urlencode({'subject': name}))['subjects'],
                             [subject(name, [5], 5)])
        response = self.ask('GET', '/subjects/1')
        self.assertEqual([each['subject'] for each in response.json()['subjects']], names)
        # Even pasted into a page it would be no element.
        for character in b"<>&'":
            self.assertNotIn(character, response.body)
        # As curl sends what somebody typed: the bytes themselves; a + is a blank.
        self.assertEqual(self.ask('POST', '/subjects/2?subject=Высшая+алгебра&mark=4').status, 201)
        self.assertEqual(self.get('/subjects/2')['subjects'], [subject('Высшая алгебра', [4], 4)])

    def test_wrong_parameters_are_named(self):
        wrong = [
            ('mark=5', 'subject'), ('subject=Math', 'mark'), ('', 'subject'), ('subject=&mark=5', 'subject'),
            ('subject=%20+&mark=5', 'subject'), (f'subject={"x" * 65}&mark=5', 'subject'), ('subject=a%0Ab&mark=5', 'subject'),
            ('subject=a%C2%85b&mark=5', 'subject'), ('subject=Math&mark=101', 'mark'), ('subject=Math&mark=-1', 'mark'),
            ('subject=Math&mark=4.5', 'mark'), ('subject=Math&mark=five', 'mark'), ('subject=Math&mark=', 'mark'),
            ('subject=Math&mark=+5', 'mark'), ('subject=Math&mark=99999999999999999999', 'mark'),
            ('subject=Math&mark=5&mark=5', 'mark'), ('subject=a&subject=b&mark=5', 'subject'),
            ('subject=Math&mark=5&grade=1', 'grade'), ('Subject=Math&mark=5', 'Subject'), ('subject=Math&mark', 'parameters'),
            ('subject=%FF&mark=5', 'parameters'), ('subject=a%00b&mark=5', 'parameters'),
        ]
        for query, where in wrong:
            with self.subTest(query):
                self.expect_error(self.ask('POST', f'/subjects/1?{query}'), 400, 'bad-parameter', where)
        for query, where in (('mark=5', 'mark'), ('subject=', 'subject'), ('grade=5', 'grade'),
                             ('subject=a&subject=b', 'subject')):
            with self.subTest(query):
                self.expect_error(self.ask('GET', f'/subjects/1?{query}'), 400, 'bad-parameter', where)
        for student in ('2147483648', '9' * 1000):
            self.expect_error(self.ask('GET', f'/subjects/{student}'), 400, 'bad-parameter', 'student')
        self.assertEqual(self.get(), EMPTY)
        for mark in (0, 100):
            self.assertEqual(self.post('Math', mark, 2147483647).status, 201)

    # Paths and methods

    def test_other_paths_are_not_found(self):
        for path in ('/subjects', '/subjects/', '/subjects/x', '/subjects/1/', '/subjects/-1', '/subjects/1x', '/subjects/1/2',
                     '//', '/index.html', '/subjects/../x', '/favicon.ico', '/subjects/%D9%A1', '/?', '/SUBJECTS/1'):
            with self.subTest(path):
                response = self.ask('GET', path)
                if path == '/?':
                    self.assertEqual(response.status, 200)
                else:
                    self.expect_error(response, 404, 'not-found')
        # The path first, then the method.
        self.expect_error(self.ask('PUT', '/other'), 404, 'not-found')

    def test_other_methods_are_not_allowed(self):
        for path, methods, allowed in (('/', ('POST', 'PUT', 'OPTIONS'), 'GET, HEAD'),
                                       ('/subjects/1', ('PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'MARK', 'get'),
                                        'GET, HEAD, POST')):
            for method in methods:
                with self.subTest(f'{method} {path}'):
                    response = self.ask(method, path)
                    self.expect_error(response, 405, 'method-not-allowed')
                    self.assertEqual(response.headers['allow'], allowed)

    def test_one_request_a_connection(self):
        # Said in each answer; what comes behind the first request is not read.
        self.assertEqual(self.send(GET + HOST + b'\r\n' + GET + HOST + b'\r\n').json(), EMPTY)
        self.assertEqual(self.send(GET + HOST + b'Connection: keep-alive\r\n\r\n').json(), EMPTY)

    def test_old_clients_and_those_of_a_library_are_understood(self):
        self.post('Math', 5)
        for request in (b'GET /subjects/1?subject=Math HTTP/1.0\r\n\r\n', b'GET /subjects/1?subject=Math HTTP/1.0\n\n',
                        b'GET http://localhost/subjects/1?subject=Math HTTP/1.1\r\nHost: localhost\r\n\r\n'):
            wire = self.wire()
            wire.send(request)
            version, _, rest = wire.rest().partition(b' ')
            self.assertIn(version, (b'HTTP/1.0', b'HTTP/1.1'))
            self.assertTrue(rest.startswith(b'200 OK\r\n'), rest)
            self.assertEqual(json.loads(rest.partition(b'\r\n\r\n')[2])['subjects'], [subject('Math', [5], 5)])
        connection = http.client.HTTPConnection('127.0.0.1', self.marks.port, timeout=30)
        for name, status in (('Physics', 201), ('', 400)):
            connection.request('POST', '/subjects/1?' + urllib.parse.urlencode({'subject': name, 'mark': 4}))
            response = connection.getresponse()
            self.assertEqual((response.status, response.getheader('Connection')), (status, 'close'))
            response.read()
        connection.close()

    # What is wrong with a head

    def test_malformed_request_lines(self):
        line = 'Malformed request line'
        for first in (b'', b'GET', b'GET /', b'GET / HTTP/1.1 x', b'GET  / HTTP/1.1', b' GET / HTTP/1.1', b'GET / HTTP',
                      b'GET / HTTP/1.1 ', b'GET / HTTP/11', b'GET / FTP/1.1', b'GET /a b HTTP/1.1', b'G(T / HTTP/1.1',
                      b'GET /\0 HTTP/1.1', b'GET\t/ HTTP/1.1', b'GET / HTTP/1.1\r', b'\x16\x03\x01 hello'):
            with self.subTest(first):
                self.expect_refusal(first + b'\r\n' + HOST + b'\r\n', 400, line)
        for target in (b'subjects/1', b'*', b'/%zz', b'/%', b'ftp://a/', b'http://', b'http:///a', b'http:/a', b'http:a',
                       b'https://a/'):
            with self.subTest(target):
                self.expect_refusal(b'GET ' + target + b' HTTP/1.1\r\n' + HOST + b'\r\n', 400, 'Malformed target')
        self.expect_refusal(b'GET / HTTP/2.0\r\n\r\n', 505, 'Only HTTP/1.1 and HTTP/1.0 are spoken here')
        self.expect_refusal(b'CONNECT localhost:80 HTTP/1.1\r\n' + HOST + b'\r\n', 501, 'This is no proxy')

    def test_malformed_headers(self):
        for field in (b'no colon', b': no name', b'A : blank', b' folded: line', b'A\0: b', b'A: b\0', b'A: b\rc', b'A: \x7f',
                      b'A(: b'):
            with self.subTest(field):
                self.expect_refusal(GET + HOST + field + b'\r\n\r\n', 400, 'Malformed header line')
        host = 'Malformed or missing Host'
        for fields in (b'', HOST + HOST, b'Host:\r\n', b'Host: a b\r\n', b'Host: a/b\r\n', b'Host: a@b\r\n', b'Host: [::1\r\n',
                       b'Host: a:b\r\n', b'Host: ' + b'a' * 301 + b'\r\n'):
            with self.subTest(fields):
                self.expect_refusal(GET + fields + b'\r\n', 400, host)
        self.expect_refusal(GET + HOST + b'Content-Type: a/b\r\n' * 2 + b'\r\n', 400, 'Malformed header line')
        for host_field in (b'Host: 127.0.0.1:8000', b'host:[::1]:8000', b'HOST: LocalHost '):
            self.assertEqual(self.send(GET + host_field + b'\r\nX: \xff\t\r\nEmpty:\r\n\r\n').json(), EMPTY)

    def test_pages_of_others_may_not_ask(self):
        self.ask('GET', '/')
        own = f'http://{self.marks.address}'
        self.assertEqual(self.ask('POST', '/subjects/1?subject=Math&mark=5', Origin=own).status, 201)
        for origin in ('http://example.org', 'null', own.replace('http', 'https'), own + '0'):
            for method in ('GET', 'POST'):
                response = self.ask(method, '/subjects/1?subject=Math&mark=4', Origin=origin)
                self.expect_error(response, 403, 'cross-origin')
        self.assertEqual(self.get()['subjects'], [subject('Math', [5], 5)])

    def test_names_of_others_are_not_served(self):
        for host in ('example.org', 'localhost.example.org:8000', '127.0.0.1.example.org'):
            for method in ('GET', 'POST'):
                with self.subTest((host, method)):
                    response = self.send(f'{method} /subjects/1?subject=Math&mark=4 HTTP/1.1\r\nHost: {host}\r\n'
                                         f'Origin: http://{host}\r\n\r\n'.encode())
                    self.expect_error(response, 421, 'misdirected')
        self.assertEqual(self.get(), EMPTY)
        for host in ('localhost', '127.0.0.1:1', '[::1]:8000', socket.gethostname()):
            self.assertEqual(self.send(GET + f'Host: {host}\r\n\r\n'.encode()).json(), EMPTY)

    def test_bodies_have_one_length(self):
        post = b'POST /subjects/1?subject=Math&mark=5 HTTP/1.1\r\n' + HOST
        for length in (b'', b'-1', b'+1', b'1 1', b'1, 1', b'0x1', b'1\r\nContent-Length: 1'):
            with self.subTest(length):
                self.expect_refusal(post + b'Content-Length: ' + length + b'\r\n\r\nx', 400, 'Malformed Content-Length')
        self.expect_refusal(post + b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 411, 'A body needs a Content-Length')
        self.expect_refusal(post + b'Expect: 100-continue\r\nContent-Length: 1\r\n\r\n', 417, 'Expectations are not met here')
        self.assertEqual(self.get(), EMPTY)

    def test_the_longest_request_line(self):
        path = b'GET /subjects/1?subject='
        end = b' HTTP/1.1\r\n'
        line = path + b'x' * (LINE - len(path) - len(end)) + end
        self.assertEqual(len(line), LINE)
        self.expect_refusal(line + HOST + b'\r\n', 414, 'Too long target')
        target = '/subjects/1?subject='
        for size in (TARGET - 1, TARGET):
            self.expect_error(self.ask('GET', target + 'x' * (size - len(target))), 400, 'bad-parameter', 'subject')
        self.expect_refusal(f'GET /{"x" * TARGET} HTTP/1.1\r\n'.encode() + HOST + b'\r\n', 414, 'Too long target')
        line = path + b'x' * (LINE + 1 - len(path) - len(end)) + end
        self.expect_refusal(line + HOST + b'\r\n', 431, 'Too long request line')
        # Nor has it to come to its end, or to be a request at all.
        self.expect_refusal(b'x' * (LINE + 1), 431, 'Too long request line')
        self.expect_refusal(b'GET /' + b'x' * (1 << 20), 431, 'Too long request line')

    def test_the_longest_header_line(self):
        for size in (LINE - 1, LINE):
            line = b'X: ' + b'y' * (size - 5) + b'\r\n'
            self.assertEqual(len(line), size)
            self.assertEqual(self.send(GET + HOST + line + b'\r\n').json(), EMPTY)
        self.expect_refusal(GET + HOST + b'X: ' + b'y' * (LINE - 4) + b'\r\n\r\n', 431, 'Too long header line')
        self.expect_refusal(GET + HOST + b'y' * (LINE + 1), 431, 'Too long header line')

    def test_the_longest_head(self):
        for size, status in ((HEAD, 200), (HEAD + 1, 431)):
            data = GET + HOST + (b'X: ' + b'y' * (HEAD // 5) + b'\r\n') * 4 + b'X: '
            data += b'y' * (size - len(data) - 4) + b'\r\n\r\n'
            self.assertEqual(len(data), size)
            response = self.send(data)
            self.assertEqual(response.status, status)
        self.assertEqual(response.reason, 'Too long headers')

    def test_the_most_headers(self):
        self.assertEqual(self.send(GET + HOST + b'X: y\r\n' * 99 + b'\r\n').json(), EMPTY)
        self.expect_refusal(GET + HOST + b'X: y\r\n' * 100 + b'\r\n', 431, 'Too many headers')
        self.expect_refusal(GET + b''.join(b'X%d: y\r\n' % i for i in range(101)), 431, 'Too many headers')

    def test_the_largest_body(self):
        body = b'mark=5&subject=' + b'%61' * 64
        body += b'&' + b'x' * (BODY - len(body) - 2) + b'='
        self.assertEqual(len(body), BODY)
        # It has been read, for it says what is wrong with it.
        self.assertIn('x' * 3000, self.ask('POST', '/subjects/1', body, Content_Type=FORM).error()['where'])
        for size in (BODY + 1, 1 << 32, 10 ** 30):
            self.expect_refusal(b'POST /subjects/1 HTTP/1.1\r\n' + HOST + b'Content-Length: %d\r\n\r\n' % size, 413,
                                'Too long body')

    # What is full

    def test_a_full_book_says_so_and_loses_nothing(self):
        self.marks = self.example('--max-students', '2')
        for i in range(100):
            self.assertEqual(self.post('Math', i % 6).status, 201)
        for i in range(99):
            self.assertEqual(self.post(f'Subject {i}', 5).status, 201)
        self.assertEqual(self.post('Math', 5, student=2).status, 201)
        before = self.get()
        self.assertEqual((len(before['subjects']), len(before['subjects'][0]['marks'])), (100, 100))
        for name, student in (('Math', 1), ('One more', 1), ('Math', 3)):
            self.expect_error(self.post(name, 5, student), 507, 'book-full')
        self.assertEqual(self.get(), before)
        self.assertEqual(self.get('/subjects/3')['subjects'], [])
        self.assertEqual(self.post('Subject 1', 5).status, 201)

    def test_a_book_without_room_is_refused(self):
        for number in ('0', '-1'):
            result = run('marks-server', '--max-students', number)
            self.assertEqual((result.returncode, result.stdout), (2, ''))
            self.assertIn('--max-students is 1 or more', result.stderr)

    def test_one_client_too_many(self):
        server = self.start()
        self.marks = self.example('--max-connections', '1', metrics=server)
        first = self.wire()
        expect_figures(server, 'marks-server', connections=1)
        refused = self.wire()
        response = refused.response()
        self.assertEqual((response.status, response.headers['connection']), (503, 'close'))
        first.request('GET', '/subjects/1')
        self.assertEqual(self.finish(first).json(), EMPTY)
        expect_figures(server, 'marks-server', connections=0, connections_accepted=1, errors=1)
        self.assertEqual(self.get(), EMPTY)

    # Who is slow

    def test_a_request_has_its_time(self):
        server = self.start()
        self.marks = self.example('--idle-timeout', SHORT, metrics=server)
        wires = []
        for request in (b'G', GET, GET + HOST, b'POST /subjects/1 HTTP/1.1\r\n' + HOST + b'Content-Length: 2\r\n\r\nx', b''):
            wires.append(self.wire())
            wires[-1].send(request)
        for wire in wires[:4]:
            response = self.finish(wire)
            self.assertEqual((response.status, response.reason), (408, 'The request took too long'))
        # Who asks for nothing has done nothing wrong.
        wires[4].expect_eof()
        wires[4].close()
        expect_figures(server, 'marks-server', connections=0, connections_accepted=5, requests=4, errors=4)

    def test_who_sends_a_byte_now_and_then_gains_nothing(self):
        self.marks = self.example('--idle-timeout', SHORT)
        wire = self.wire()
        wire.send(GET + b'X: ')
        # Each byte comes before the client would have been silent for too long.
        while not select.select([wire.sock], [], [], 0.1)[0]:
            wire.send(b'y')
        response = wire.response()
        self.assertEqual((response.status, response.reason), (408, 'The request took too long'))

    def test_who_does_not_take_an_answer_is_let_go(self):
        page = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / 'page.html'
        page.write_bytes(b'z' * (1 << 20))
        server = self.start()
        self.marks = self.example('--idle-timeout', SHORT, '--page', page, metrics=server)
        wire = self.wire(receive_buffer=4096)
        wire.request('GET', '/')
        expect_figures(server, 'marks-server', connections_accepted=1, errors=1)
        self.assertEqual(self.get(), EMPTY)

    def test_a_request_that_ends_too_soon(self):
        for request in (b'GET / HTTP/1.1\r\n', GET + HOST, b'POST / HTTP/1.1\r\n' + HOST + b'Content-Length: 2\r\n\r\nx'):
            wire = self.wire()
            wire.send(request)
            wire.sock.shutdown(1)
            response = self.finish(wire)
            self.assertEqual((response.status, response.reason), (400, 'Incomplete request'))

    def test_many_clients_at_once(self):
        server = self.start()
        self.marks = self.example(metrics=server)
        wires = [self.wire() for _ in range(100)]
        for i, wire in enumerate(wires):
            wire.send(b'POST /subjects/1?subject=%d&mark=5 HTTP/1.1\r\nHo' % (i % 10))
        expect_figures(server, 'marks-server', connections=100)
        # Nobody waits for those who are still on their way.
        self.assertEqual(self.get(), EMPTY)
        for wire in reversed(wires):
            wire.send(b'st: localhost\r\n\r\n')
        for wire in wires:
            self.assertEqual(self.finish(wire).status, 201)
        answer = self.get()
        self.assertEqual([each['marks'] for each in answer['subjects']], [[5] * 10] * 10)
        expect_figures(server, 'marks-server', connections=0, requests=102, errors=0)

    # The report, and the end

    def test_the_report_is_exact(self):
        server = self.start()
        self.marks = self.example(metrics=server)
        requests = [GET + HOST + b'\r\n', b'GET / HTTP/1.1\r\n' + HOST + b'\r\n', b'GET /no HTTP/1.0\r\n\r\n', b'GARBAGE\r\n\r\n',
                    b'POST /subjects/1 HTTP/1.1\r\n' + HOST + b'Content-Length: 18\r\nContent-Type: ' + FORM.encode()
                    + b'\r\n\r\nsubject=Art&mark=5', b'PUT / HTTP/1.1\r\n' + HOST + b'\r\n']
        n_received = 0
        for request in requests:
            wire = self.wire()
            wire.send(request)
            n_received += len(wire.rest())
            wire.close()
        now = expect_figures(server, 'marks-server', connections=0, connections_accepted=6, requests=6, errors=3,
                             bytes_received=sum(map(len, requests)), bytes_sent=n_received)
        self.assertLessEqual(now['answer_microseconds_avg'], now['answer_microseconds_max'])

    def test_it_ends_while_clients_are_there(self):
        self.marks = self.example()
        for request in (b'', GET, GET + HOST + b'Content-Length: 5\r\n\r\n'):
            self.wire().send(request)
        self.get()
        self.assertEqual(self.marks.stop(), 0)
        wait_until(lambda: self.marks.process.returncode == 0)


if __name__ == '__main__':
    main()
