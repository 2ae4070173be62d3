#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Points over HTTP: what is asked there is answered as the line protocol answers it, to the byte, in JSON and in CSV; what
is put there is what was meant, all of it or none.

METRICSD_QUESTIONS says how many random questions are asked, METRICSD_SEED repeats them."""

import gzip
import json
import math
import os
import random
import re
import tempfile
import time
import urllib.parse

from harness import OK, SANITIZED, Client, TestCase, connect, main, wait_until
from model import FUNCTIONS, Model
from web import CSV, JSON, KEYS, LAST, POINTS, Web, rows_of_json

QUESTIONS = int(os.environ.get('METRICSD_QUESTIONS', '300' if SANITIZED else '3000'))
SEED = int(os.environ.get('METRICSD_SEED', random.SystemRandom().randrange(1 << 32)))

NAMES = ['a', 'b', 'cpu.user', 'cpu.system', 'room.1.temperature', 'room.2.temperature', 'with,comma', 'with"quote"', '"', ',',
         'back\\slash', 'star*', 'what?', 'Größe', '温度', '😀', '%41&b=c+d#e', '<b>', "it's", 'x' * 1024, '{}', 'null', '\\u0041']
VALUES = [0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e-5, 123456789012345.0, 1e22, 1e300, 5e-324, 1.7976931348623157e308, 2.0 ** -44]
FULL = 9_223_372_036_854_775_807


def as_pattern(key):
    return re.sub(r'([*?\\])', r'\\\1', key)


class HttpTest(TestCase):
    OPTIONS = ()

    def start_http(self, *options, **arguments):
        return self.start(*self.OPTIONS, *options, http=True, **arguments)

    def web(self, server):
        return self.enterContext(Web(server))

    def everything(self, server):
        with Client(server) as client:
            return client.rows(b'get *')


class QuestionsTest(HttpTest):
    """The same questions over the line protocol."""

    OPTIONS = ('--slice-limit', '100')

    def setUp(self):
        print(f'# METRICSD_SEED={SEED}')
        self.random = random.Random(SEED)

    def fill(self, client):
        lines = []
        for key in self.random.sample(NAMES, len(NAMES)):
            count = self.random.choice((1, 2, 30, 300, 1000))
            for time in self.random.sample(range(-3000, 9000), count):
                value = self.random.choice((self.random.choice(VALUES), self.random.uniform(-100, 100), float(time % 50)))
                lines.append(f'put {key} {value!r} {time}\n'.encode())
        lines += [b'put a 1.5 9223372036854775807\n', b'put a -1.5 -9223372036854775808\n']
        client.put_many(lines)

    def selectors(self):
        pattern = ('*', 'room.*', '*a*', '?', 'none*', '*"*', '*,*', as_pattern('star*'), as_pattern('back\\slash'))
        names = NAMES + ['none']
        return [('key', self.random.choice(names)) if self.random.random() < .6 else ('pattern', self.random.choice(pattern))
                for _ in range(self.random.choice((1, 1, 1, 2, 3)))]

    def lines(self, client, command, selectors, rest=''):
        """What the line protocol has of them: a series that was shown is not shown again."""
        rows, shown = [], set()
        for name, value in selectors:
            pattern = as_pattern(value) if name == 'key' else value
            found = client.rows(f'{command} {pattern}{rest}'.encode())
            rows += [row for row in found if row.split()[0] not in shown]
            shown |= {row.split()[0] for row in found}
        return rows

    def question(self):
        """A path, its parameters, and the command."""
        kind = self.random.choice(('keys', 'last', 'points', 'points', 'points', 'buckets', 'buckets'))
        selectors = self.selectors()
        if kind == 'keys':
            return KEYS, selectors, [], 'keys', ''
        if kind == 'last':
            return LAST, selectors, [], 'last', ''
        start, end = (self.random.choice(('-', self.random.randrange(-3500, 9500), '-9223372036854775808', '+007',
                                          FULL, '-', 'now')) for _ in range(2))
        if kind == 'points':
            return POINTS, selectors, [('from', start), ('to', end)], 'range', f' {start} {end}'
        step, text = self.random.choice(((1, '1s'), (7, '7'), (60, '1m'), (60, '60'), (300, '5m'), (3600, '1h'), (86400, '1d'),
                                         (604800, '1w'), (FULL, FULL)))
        function = self.random.choice(FUNCTIONS)
        return (POINTS, selectors, [('from', start), ('to', end), ('step', text), ('function', function)], 'range',
                f' {start} {end} {step} {function}')

    def test_same_answers(self):
        server = self.start_http()
        web, client = self.web(server), self.client(server)
        self.fill(client)
        for number in range(QUESTIONS):
            path, selectors, rest, command, arguments = self.question()
            expected = self.lines(client, command, selectors, arguments)
            parameters = selectors + [part for part in rest if part[1] != '-' or number % 2]
            self.random.shuffle(rest)
            for kind in (JSON, CSV):
                answer = web.get(path, *parameters, Accept=kind)
                self.assertEqual(answer.type, kind)
                self.assertEqual(answer.rows(), expected, (path, parameters, kind))

    def test_same_answers_from_rollups(self):
        """Rolled up and not: which of it is used does not show."""
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), 'metricsd.conf')
        with open(path, 'w') as config:
            config.write('[rollup]\n*=avg 1m:10000y 1h:10000y\n')
        server = self.start_http('--config', path)
        web, client = self.web(server), self.client(server)
        self.fill(client)
        wait_until(lambda: client.stats()['rollup_points'] > 1000, 'rollups')
        for _ in range(100):
            _, selectors, rest, _, _ = self.question()
            step, function = self.random.choice((60, 3600, 7200)), self.random.choice(('avg', 'sum', 'count', 'max'))
            expected = self.lines(client, 'range', selectors, f' -3600 7199 {step} {function}')
            answer = web.get(POINTS, *selectors, ('from', -3600), ('to', 7199), ('step', step), ('function', function))
            self.assertEqual(answer.rows(), expected, (selectors, step, function))

    def test_round_trip(self):
        """What GET gave, another server takes, and is the same then."""
        server = self.start_http()
        self.fill(self.client(server))
        everything = self.everything(server)
        for kind in (JSON, CSV):
            text = self.web(server).get(POINTS, ('pattern', '*'), Accept=kind).body
            other = self.start_http()
            answer = self.web(other).post(text, kind)
            self.assertEqual((answer.status, answer.json()), (200, {'stored': str(len(everything))}))
            self.assertEqual(self.everything(other), everything, kind)

    def test_random_points_put(self):
        """In all forms, among deletions, against the model."""
        server, model = self.start_http(), Model()
        web, client = self.web(server), self.client(server)
        for number in range(150):
            points = [(self.random.choice(NAMES), self.random.choice(VALUES), self.random.randrange(-50, 50))
                      for _ in range(self.random.choice((0, 1, 2, 50)))]
            for point in points:
                model.put(*point)
            answer = web.post(*self.write_down(points))
            self.assertEqual((answer.status, answer.json()), (200, {'stored': str(len(points))}), answer.body)
            if self.random.random() < .3:
                start, end = sorted((self.random.randrange(-50, 50), self.random.randrange(-50, 50)))
                pattern = self.random.choice(('*', '?', 'room.*', 'none'))
                answer = web.delete(('pattern', pattern), ('from', start), ('to', end))
                self.assertEqual(answer.json(), {'deleted': str(model.delete(pattern, start, end))})
            if number % 10 == 0:
                self.assertEqual(client.rows(b'get *'), model.all_rows())

    def write_down(self, points):
        form = self.random.randrange(3)
        if form == 0:
            entries = [{'key': key, 'value': value, 'timestamp': time} for key, value, time in points]
            for i, entry in enumerate(entries):
                entries[i] = dict(self.random.sample(list(entry.items()), 3))
            return json.dumps({'points': entries}, ensure_ascii=self.random.random() < .5, indent=self.random.choice((None, 2))), JSON
        if form == 1:
            series = [{'key': key, 'points': [[time, value]]} for key, value, time in points]
            series = [dict(reversed(entry.items())) if self.random.random() < .5 else entry for entry in series]
            return json.dumps({'series': series}), JSON
        columns = self.random.sample(['key', 'value', 'timestamp'], 3)
        lines = [','.join(columns)]
        for key, value, time in points:
            fields = {'key': '"' + key.replace('"', '""') + '"' if set(key) & set('",') else key, 'value': repr(value),
                      'timestamp': self.random.choice((str(time), f'"{time}"'))}
            lines.append(','.join(fields[column] for column in columns))
        end = self.random.choice(('\n', '\r\n'))
        return end.join(lines) + self.random.choice((end, '', end + end)), CSV


class LargeTest(HttpTest):
    POINTS = 100_000 if SANITIZED else 1_000_000
    KEYS = 10

    def fill(self, server):
        per_key = self.POINTS // self.KEYS
        with Client(server) as client:
            for key in range(self.KEYS):
                client.put_many([b'put k%d %d.5 %d\n' % (key, i * 7919 % 1009, 1_700_000_000 + i) for i in range(per_key)])

    def expected(self):
        per_key = self.POINTS // self.KEYS
        return b'{"series":[' + b','.join(
            b'{"key":"k%d","points":[%b]}' % (key, b','.join(b'[%d,%d.5]' % (1_700_000_000 + i, i * 7919 % 1009)
                                                            for i in range(per_key)))
            for key in range(self.KEYS)) + b']}'

    def begin_slowly(self, server):
        """Asks for everything, and reads no more than the head."""
        url = urllib.parse.urlsplit(server.http)
        sock = connect(url.netloc, receive_buffer=4096)
        self.addCleanup(sock.close)
        sock.sendall(f'GET {POINTS}?pattern=* HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n'.encode())
        data = b''
        while b'\r\n\r\n' not in data:
            data += sock.recv(1000)
        head, _, rest = data.partition(b'\r\n\r\n')
        self.assertRegex(head, rb'(?i)\r\ntransfer-encoding: chunked')
        self.assertTrue(head.startswith(b'HTTP/1.1 200'), head)
        return sock, rest

    def read_chunks(self, sock, data):
        """The rest of an answer."""
        parts = [data]
        while part := sock.recv(1 << 20):
            parts.append(part)
        data, at, body = b''.join(parts), 0, []
        while True:
            end = data.index(b'\r\n', at)
            size = int(data[at:end], 16)
            if size == 0:
                self.assertEqual(data[end:], b'\r\n\r\n')
                return b''.join(body)
            body.append(data[end + 2:end + 2 + size])
            self.assertEqual(data[end + 2 + size:end + 4 + size], b'\r\n')
            at = end + 4 + size

    def test_slow_reader(self):
        """An answer of many megabytes waits for its reader, and others do not wait for it."""
        server = self.start_http()
        self.fill(server)
        before = server.rss()
        slow = [self.begin_slowly(server) for _ in range(5)]
        client, web = self.client(server), self.web(server)
        for _ in range(200):
            self.assertEqual(client.ask(b'ping'), OK)
            self.assertEqual(web.get(LAST, ('key', 'k3')).status, 200)
        grown = server.rss() - before
        print(f'# five answers of {self.POINTS} points wait: {grown >> 10} KiB more')
        if not SANITIZED:
            self.assertLess(grown, 8 << 20)
        self.assertEqual(self.read_chunks(*slow[0]), self.expected())

    def test_deleted_meanwhile(self):
        """An answer has what there was when it was asked for."""
        server = self.start_http('--memory-limit', '200000000')
        self.fill(server)
        slow = self.begin_slowly(server)
        web = self.web(server)
        self.assertEqual(web.delete(('pattern', '*')).json(), {'deleted': str(self.POINTS)})
        self.assertEqual(web.get(POINTS, ('pattern', '*')).json(), {'series': []})
        self.assertEqual(self.read_chunks(*slow), self.expected())

    def test_compressed(self):
        server = self.start_http()
        self.fill(server)
        for kind in (JSON, CSV):
            plain = self.web(server).get(POINTS, ('pattern', '*'), Accept=kind)
            packed = self.web(server).get(POINTS, ('pattern', '*'), Accept=kind, Accept_Encoding='gzip')
            self.assertEqual((packed.status, packed.type, packed.headers['Content-Encoding']), (200, kind, 'gzip'))
            self.assertEqual(gzip.decompress(packed.body), plain.body)
            self.assertLess(len(packed.body), len(plain.body) // 2)

    def test_writer_leaves(self):
        """Nobody waits for the answer; the next one is served."""
        server = self.start_http()
        url, web = urllib.parse.urlsplit(server.http), self.web(server)
        body = ('key,timestamp,value\n' + ''.join(f'k,{i},1\n' for i in range(200_000))).encode()
        for size in (len(body), len(body) // 2, 0):
            with connect(url.netloc) as sock:
                sock.sendall(f'POST {POINTS} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: {CSV}\r\n'
                             f'Content-Length: {len(body)}\r\n\r\n'.encode() + body[:size])
        with connect(url.netloc) as sock:
            sock.sendall(f'DELETE {POINTS}?pattern=none* HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n'.encode())
        self.assertEqual(web.post(body, CSV).json(), {'stored': '200000'})
        self.assertEqual(web.get(KEYS, ('pattern', 'k')).json()['keys'][0]['points'], '200000')

    def test_reader_leaves(self):
        server = self.start_http()
        self.fill(server)
        for _ in range(20):
            sock, _ = self.begin_slowly(server)
            sock.close()
        web = self.web(server)
        self.assertEqual(web.get(POINTS, ('pattern', '*')).body, self.expected())

    def test_large_body(self):
        """A body of 8 MiB is put while others are served; one byte more is refused."""
        server = self.start_http('--slice-limit', '10')
        client, web, url = self.client(server), self.web(server), urllib.parse.urlsplit(server.http)
        series, n_points, size = [], 0, len('{"series":[]}')
        while True:
            points = ','.join(f'[{1_700_000_000 + i},{(i + n_points) % 97}.5]' for i in range(1000))
            text = f'{{"points":[{points}],"key":"k{len(series)}"}}'
            if size + len(text) + 1 > 8 << 20:
                break
            size += len(text) + 1
            series.append(text)
            n_points += 1000
        body = ('{"series":[' + ','.join(series) + ']}').encode()
        body += b' ' * ((8 << 20) - len(body))
        sock = connect(url.netloc)
        self.addCleanup(sock.close)
        sock.sendall(f'POST {POINTS} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: {JSON}\r\n'
                     f'Content-Length: {len(body)}\r\nConnection: close\r\n\r\n'.encode() + body)
        sock.setblocking(False)
        seen, answer = set(), b''
        while True:
            # What takes its turn beside the body, which is put in steps.
            seen.add(client.stats()['points'])
            try:
                part = sock.recv(65536)
            except BlockingIOError:
                continue
            if not part:
                break
            answer += part
        self.assertIn(b'{"stored":%d}' % n_points, answer)
        self.assertTrue(seen - {0, n_points}, 'nobody was served meanwhile')
        self.assertEqual(client.stats()['points'], n_points)
        answer = web.post(body + b' ')
        self.assertEqual(answer.error[:2], (413, 'body-too-large'))
        self.assertEqual(client.stats()['points'], n_points)

    def test_body_takes_little_memory(self):
        """Whatever is in it: a tree of objects would take a hundred times as much."""
        server = self.start_http()
        web = self.web(server)
        for text in ('{},', '[],', '[1,2],', '"a",', ' ', '[[[[[[', '1,'):
            body = '{"series":[{"points":[' + text * ((8 << 20) // len(text) - 40)
            self.assertEqual(web.post(body).status, 400, text)
        print(f'# at most {server.peak() >> 10} KiB')
        if not SANITIZED:
            self.assertLess(server.peak(), 48 << 20)


class WrongTest(HttpTest):
    """What is wrong is told with its place, and changes nothing."""

    def setUp(self):
        self.server = self.start_http()
        self.line, self.sut = self.client(self.server), self.web(self.server)
        self.line.put('a', 1.5, 5)

    def tearDown(self):
        self.assertEqual(self.line.rows(b'get *'), [b'a 1.5 5'])

    def test_parameters(self):
        for method, path, query, where in (
                ('GET', KEYS, 'patern=a', 'patern'), ('GET', KEYS, 'pattern=', 'pattern'), ('GET', KEYS, 'from=1', 'from'),
                ('GET', KEYS, 'pattern=a%5C', 'pattern'), ('GET', LAST, 'key=%20', 'key'), ('GET', LAST, 'step=1', 'step'),
                ('GET', POINTS, '', 'key'), ('GET', POINTS, 'from=1', 'key'), ('GET', POINTS, 'key=*', 'key'),
                ('GET', POINTS, 'key=' + 'x' * 1025, 'key'), ('GET', POINTS, 'pattern=' + 'x' * 1025, 'pattern'),
                ('GET', POINTS, 'key=a&key=a+b', 'key'), ('GET', POINTS, 'key', 'key'),
                ('GET', POINTS, 'key=a&from=', 'from'), ('GET', POINTS, 'key=a&from=1.0', 'from'),
                ('GET', POINTS, 'key=a&from=yesterday', 'from'), ('GET', POINTS, 'key=a&from=now%2B5m', 'from'),
                ('GET', POINTS, 'key=a&to=9223372036854775808', 'to'), ('GET', POINTS, 'key=a&to=now-5', 'to'),
                ('GET', POINTS, 'key=a&to=1&to=2', 'to'), ('GET', POINTS, 'key=a&from=1&from=1', 'from'),
                ('GET', POINTS, 'key=a&step=1m', 'function'), ('GET', POINTS, 'key=a&function=avg', 'step'),
                ('GET', POINTS, 'key=a&step=0&function=avg', 'step'), ('GET', POINTS, 'key=a&step=1.5&function=avg', 'step'),
                ('GET', POINTS, 'key=a&step=-1&function=avg', 'step'), ('GET', POINTS, 'key=a&step=1y&function=avg', 'step'),
                ('GET', POINTS, 'key=a&step=1m&function=mean', 'function'),
                ('GET', POINTS, 'key=a&step=1m&function=AVG', 'function'),
                ('GET', POINTS, 'key=a&step=1m&step=1m&function=avg', 'step'), ('GET', POINTS, 'key=a&format=csv', 'format'),
                ('DELETE', POINTS, '', 'key'), ('DELETE', POINTS, 'from=-&to=-', 'key'), ('DELETE', POINTS, 'key=a&to=x', 'to'),
                ('DELETE', POINTS, 'pattern=*&step=5', 'step'), ('DELETE', POINTS, 'key=a&key=', 'key'),
                ('POST', POINTS, 'key=a', 'key')):
            answer = self.sut.ask(method, path + ('?' + query if query else ''), body=b'' if method == 'POST' else None)
            self.assertEqual(answer.error, (400, 'bad-parameter', where), (method, path, query[:50]))

    def test_types(self):
        body = '{"points":[{"key":"b","value":1}]}'
        for kind in ('', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
                     'application/json; charset=latin1', 'application/jsonx', 'json'):
            self.assertEqual(self.sut.post(body, kind).error, (415, 'unsupported-media-type', 'Content-Type'), kind)
        answer = self.sut.post(body, JSON, Content_Encoding='gzip')
        self.assertEqual(answer.error, (415, 'unsupported-media-type', 'Content-Encoding'))
        for accept in ('text/html', 'application/xml, image/*', 'application/json;q=0, text/csv;q=0, */*'):
            for path in (KEYS, LAST, POINTS + '?key=a'):
                self.assertEqual(self.sut.get(path, Accept=accept).error, (406, 'not-acceptable', 'Accept'), accept)
        for accept, kind in (('*/*', JSON), ('text/*', CSV), ('text/csv;q=0.5, application/json;q=0.4', CSV),
                             ('text/csv;q=0.5, */*', JSON), ('text/html,*/*;q=0.8', JSON), ('text/csv, */*', CSV)):
            answer = self.sut.get(LAST, Accept=accept)
            self.assertEqual((answer.type, answer.headers['Vary']), (kind, 'Accept'), accept)

    def test_bodies(self):
        good = '{"key":"b","value":1,"timestamp":1}'
        for body, where in (
                ('', None), ('null', None), ('[]', None), ('{}', None), ('{"points":[],"series":[]}', None),
                ('{"points":[]}}', None), ('{"points":[]', None), ('{"points":null}', 'points'), ('{"series":{}}', 'series'),
                ('\ufeff{"points":[]}', None), ("{'points':[]}", None), ('{"points":[],}', None), ('{"Points":[]}', None),
                (f'{{"points":[{good},{good},{{"key":"b"}}]}}', 'points[2]'),
                (f'{{"points":[{good},{{"key":"b","value":1,"timestamp":1.5}}]}}', 'points[1].timestamp'),
                (f'{{"points":[{good},{{"key":"b","value":"1"}}]}}', 'points[1].value'),
                (f'{{"points":[{good},{{"key":"b","value":true}}]}}', 'points[1].value'),
                (f'{{"points":[{good},{{"key":"b","value":1e309}}]}}', 'points[1].value'),
                (f'{{"points":[{good},{{"key":"b","value":NaN}}]}}', 'points[1]'),
                (f'{{"points":[{good},{{"key":"b","value":1,"value":1}}]}}', 'points[1]'),
                (f'{{"points":[{good},{{"key":"b","value":1,"tags":{{}}}}]}}', 'points[1]'),
                (f'{{"points":[{good},{{"key":"b b","value":1}}]}}', 'points[1].key'),
                (f'{{"points":[{good},{{"key":"*","value":1}}]}}', 'points[1].key'),
                (f'{{"points":[{good},{{"key":"a\\u0000","value":1}}]}}', 'points[1]'),
                (f'{{"points":[{good},{{"key":"\\ud800","value":1}}]}}', 'points[1]'),
                (f'{{"points":[{good},{{"key":"{"x" * 1025}","value":1}}]}}', 'points[1]'),
                (f'{{"points":[{good},{{"key":"{"é" * 513}","value":1}}]}}', 'points[1]'),
                (f'{{"points":[{good},{{"key":"b","value":1,"timestamp":9223372036854775808}}]}}', 'points[1].timestamp'),
                (f'{{"points":[{good} {good}]}}', 'points[1]'),
                ('{"series":[{"key":"b","points":[[1,1],[2,2],[3]]}]}', 'series[0].points[2]'),
                ('{"series":[{"key":"b","points":[[1,1],[2,2],[3,3,3]]}]}', 'series[0].points[2]'),
                ('{"series":[{"key":"b","points":[[1,1],[2,null]]}]}', 'series[0].points[1][1]'),
                ('{"series":[{"key":"b","points":[[1,1],["2",2]]}]}', 'series[0].points[1][0]'),
                ('{"series":[{"key":"b","points":[]},{"points":[[1,1]]}]}', 'series[1]'),
                ('{"series":[{"points":[[1,1],[1,"x"]],"key":"b"}]}', 'series[0].points[1][1]'),
                ('{"series":[{"key":"b","points":[[1,1]]}]} x', None),
                ('[' * 100_000, None), ('{"series":[{"points":' + '[' * 100_000, 'series[0].points')):
            self.assertEqual(self.sut.post(body).error, (400, 'bad-body', where), body[:100])
        self.assertEqual(self.sut.post(b'{"points":[{"key":"\xff","value":1}]}').error, (400, 'bad-body', 'points[0]'))
        self.assertIn('line 2, column 5', self.sut.post('{"points":\n    x}').message)

    def test_csv(self):
        for body, line in (
                ('', 1), ('a,1,2\n', 1), ('key,time,value\n', 1), ('key,timestamp\na,1\n', 1), ('key,key,value\n', 1),
                ('key,timestamp,value\nb,1,2\nb,1\n', 3), ('key,timestamp,value\nb,1,2\n\nb,1,2,3\n', 4),
                ('key,timestamp,value\n"b,1,2\n', 2), ('key,timestamp,value\nb"b,1,2\n', 2),
                ('key,timestamp,value\n"b"b,1,2\n', 2), ('key,timestamp,value\nb b,1,2\n', 2), ('key,timestamp,value\n,1,2\n', 2),
                ('key,timestamp,value\nb,x,2\n', 2), ('key,timestamp,value\nb,1,nan\n', 2), ('key,timestamp,value\nb,1,0x10\n', 2),
                ('key,timestamp,value\nb,1,"1,5"\n', 2), ('key;timestamp;value\nb;1;2\n', 1), ('key,value\nb,\n', 2),
                ('key,timestamp,value\r\nb,1,2\r\n"b\nb",1,2\r\n', 3), ('key,timestamp,value\n' + 'x' * 100_000, 2)):
            self.assertEqual(self.sut.post(body, CSV).error, (400, 'bad-body', f'line {line}'), body[:100])

    def test_other_methods_and_paths(self):
        self.assertEqual(self.sut.ask('POST', KEYS).error[0], 405)
        self.assertEqual(self.sut.ask('DELETE', LAST).error[0], 405)
        self.assertEqual(self.sut.ask('PUT', POINTS).error[0], 405)
        self.assertEqual(self.sut.get('/api/v1/point').error[0], 404)
        answer = self.sut.ask('HEAD', POINTS, ('pattern', '*'), Accept=CSV)
        self.assertEqual((answer.status, answer.type, answer.body), (200, CSV, b''))

    def test_mutated_bodies(self):
        """Python's own reader agrees on what is right; where it is, the body that was put says so."""
        print(f'# METRICSD_SEED={SEED}')
        rng, server = random.Random(SEED), self.start_http()
        web, n_right = self.web(server), 0
        seeds = ['{"series":[{"key":"a","points":[[1,2.5],[-3,4e2]]},{"points":[[5,-0.0]],"key":"b"}]}',
                 '{"points":[{"key":"a\\n","value":1,"timestamp":2},{"value":1e-7,"key":"\\u00e9\\ud83d\\ude00"}]}',
                 '{"series":[],"points":[]}', ' { "points" : [ {"key":"a","value":123456789012345678901234567890} ] } ']
        for _ in range(QUESTIONS // 2):
            text = list(rng.choice(seeds))
            for _ in range(rng.choice((0, 1, 1, 1, 2))):
                at = rng.randrange(len(text))
                text[at:at + rng.choice((0, 1, 1))] = rng.choice(['', rng.choice('{}[]",:0123456789.eE+-\\ untk\n\t\x00a*é'), text[at]])
            body = ''.join(text)
            answer, points = web.post(body), judge(body)
            self.assertEqual(answer.status, 400 if points is None else 200, body)
            if points is not None:
                self.assertEqual(answer.json(), {'stored': str(len(points))}, body)
                n_right += 1
        self.assertGreater(n_right, QUESTIONS // 50)


def judge(text):
    """The points of a body as Python reads it; None where it is wrong."""
    def members(pairs):
        if len(dict(pairs)) != len(pairs):
            raise ValueError('a member is there twice')
        return dict(pairs)

    def refuse(word):
        raise ValueError(word)

    def number(text):
        value = float(text)
        if math.isinf(value):
            raise ValueError(text)
        return value

    def take(key, time, value):
        integer = isinstance(time, int) and not isinstance(time, bool)
        if not isinstance(key, str) or not key or key == '*' or len(key.encode()) > 1024 or re.search(r'[\s\x00-\x1f\x7f-\x9f]', key):
            raise ValueError(key)
        if not integer or not -FULL - 1 <= time <= FULL or isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(time)
        points.append((key, time, value))

    points = []
    try:
        body = json.loads(text, object_pairs_hook=members, parse_constant=refuse, parse_float=number)
        if not isinstance(body, dict):
            raise ValueError(body)
        ((name, entries),) = body.items()
        for entry in {'points': list, 'series': list}[name](entries if isinstance(entries, list) else None):
            if name == 'points':
                take(**{'time' if member == 'timestamp' else member: value for member, value in {'timestamp': 0, **entry}.items()})
                continue
            if set(entry) != {'key', 'points'} or not isinstance(entry['points'], list):
                raise ValueError(entry)
            take(entry['key'], 0, 0)
            points.pop()
            for pair in entry['points']:
                if not isinstance(pair, list):
                    raise ValueError(pair)
                take(entry['key'], *pair)
    except (ValueError, TypeError, KeyError, AttributeError, UnicodeError):
        return None
    return points


class PutTest(HttpTest):
    def test_now(self):
        server = self.start_http()
        web, client = self.web(server), self.client(server)
        before = int(time.time())
        web.post({'points': [{'key': 'a', 'value': 1}]})
        web.post('key,value\nb,2\n', CSV)
        web.post('c,-5,3\n', CSV + '; header=absent')
        rows = client.rows(b'get *')
        times = [int(row.split()[2]) for row in rows]
        self.assertEqual([row.split()[:2] for row in rows], [[b'a', b'1.0'], [b'b', b'2.0'], [b'c', b'3.0']])
        self.assertTrue(before <= times[0] <= times[1] <= int(time.time()), times)
        self.assertEqual(times[2], -5)

    def test_in_chunks(self):
        """However the body is cut."""
        server = self.start_http()
        web, client = self.web(server), self.client(server)
        points = [[i, i / 8] for i in range(1000)]
        body = json.dumps({'series': [{'points': points, 'key': 'a'}]}).encode()
        rng = random.Random(SEED)
        for size in (2, 7, 1000, 10_000):
            cuts = sorted(rng.sample(range(1, len(body)), len(body) // size))
            pieces = [body[start:end] for start, end in zip([0] + cuts, cuts + [len(body)])]
            self.assertEqual(web.post(iter(pieces), Transfer_Encoding='chunked').json(), {'stored': '1000'})
            self.assertEqual(client.rows(b'get a'), [f'a {value!r} {at}'.encode() for at, value in points])
            web.delete(('key', 'a'))

    def test_large_numbers(self):
        """Integers are exact; what JavaScript writes for 1e20 is a number."""
        server = self.start_http()
        web, client = self.web(server), self.client(server)
        web.post('{"points":[{"key":"a","value":100000000000000000000,"timestamp":9007199254740993},'
                 '{"key":"a","value":9007199254740993,"timestamp":-9223372036854775808},'
                 '{"key":"a","value":0.1000000000000000055511151231257827,"timestamp":9223372036854775807}]}')
        self.assertEqual(client.rows(b'get a'), [b'a 9007199254740992.0 -9223372036854775808', b'a 1e+20 9007199254740993',
                                                 b'a 0.1 9223372036854775807'])
        self.assertEqual(web.get(POINTS, ('key', 'a')).body,
                         b'{"series":[{"key":"a","points":[[-9223372036854775808,9007199254740992.0],[9007199254740993,1e+20],'
                         b'[9223372036854775807,0.1]]}]}')

    def test_store_refuses(self):
        server = self.start_http('--series-limit', '2')
        web, client = self.web(server), self.client(server)
        answer = web.post({'series': [{'key': key, 'points': [[1, 1], [2, 2]]} for key in 'abc']})
        self.assertEqual(answer.error, (507, 'limit-reached', 'series[2].points[0]'))
        self.assertTrue(answer.message.endswith('points stored before it: 4'), answer.message)
        self.assertEqual(len(client.rows(b'get *')), 4)

    def test_memory_limit(self):
        server = self.start_http('--memory-limit', '1M')
        web, client = self.web(server), self.client(server)
        body = 'key,timestamp,value\n' + ''.join(f'k{i % 7},{i},{random.random()!r}\n' for i in range(200_000))
        answer = web.post(body, CSV)
        status, code, where = answer.error
        stored = int(answer.message.rpartition(' ')[2])
        self.assertEqual((status, code, where), (507, 'limit-reached', f'line {stored + 2}'))
        self.assertEqual(client.stats()['points'], stored)

    def test_rights(self):
        server = self.start_http()
        port = urllib.parse.urlsplit(server.http).port
        self.assertEqual(server.stop(), 0)
        body = {'points': [{'key': 'a', 'value': 1}]}
        for rights, statuses in (('read', (200, 403, 403)), ('read+put', (200, 200, 403)), ('put', (403, 200, 403)),
                                 ('read+put+delete', (200, 200, 200)), ('delete', (403, 403, 200))):
            server = self.start(f'--http-listen=127.0.0.1:{port},rights={rights}')
            with Web(server) as web:
                self.assertEqual((web.get(KEYS).status, web.post(body).status, web.delete(('pattern', '*')).status), statuses,
                                 rights)
            self.assertEqual(server.stop(), 0)


if __name__ == '__main__':
    main()
