#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The description of what can be asked for by HTTP, against what is answered."""

import http.client
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import urllib.parse

from eventstream import Stream
from harness import OK, WATCHDOG, Client, Server, TestCase, main, wait_until

try:
    import jsonschema
except ImportError:
    jsonschema = None

JSON = 'application/json'
MAX_STREAMS = 256
MAX_BODY = 8 << 20

# A value for each parameter that is documented, and one that is wrong.
GOOD = {'pattern': '*', 'key': 'a', 'from': '0', 'to': 'now', 'step': '60', 'function': 'avg'}
BAD = {'pattern': '', 'key': 'a b', 'from': 'x', 'to': '1.5', 'step': '0', 'function': 'mode'}
# What an operation cannot do without.
NEEDED = {('/api/v1/points', 'get'): 'key=a', ('/api/v1/points', 'delete'): 'key=none'}
BESIDE = {'step': '&function=avg', 'function': '&step=60'}
POINTS = json.dumps({'points': [{'key': 'a', 'value': 1, 'timestamp': 60}, {'key': 'b', 'value': 2}]}).encode()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        self.type = (headers['Content-Type'] or '').partition(';')[0]

    @property
    def error(self):
        return json.loads(self.body)['error']


def ask(server, method, target, body=None, **headers):
    url = urllib.parse.urlsplit(server.http)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=WATCHDOG)
    try:
        connection.request(method, target, body, {name.replace('_', '-'): value for name, value in headers.items()})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


class Description:
    """The document that a server has."""

    def __init__(self, server):
        self.document = json.loads(ask(server, 'GET', '/api/v1/openapi.json').body)
        self.operations = {(path, method): operation for path, item in self.document['paths'].items()
                           for method, operation in item.items()}

    def resolve(self, node):
        while '$ref' in node:
            node = self.at(node['$ref'])
        return node

    def at(self, pointer):
        node = self.document
        for name in pointer.removeprefix('#/').split('/'):
            node = node[name]
        return node

    def parameters(self, operation, place='query'):
        every = [self.resolve(parameter) for parameter in self.operations[operation].get('parameters', [])]
        return {parameter['name']: parameter for parameter in every if parameter['in'] == place}

    def validate(self, schema, value):
        """Raises where the value is not what the schema says."""
        resolver = jsonschema.RefResolver.from_schema(self.document)
        jsonschema.Draft202012Validator(schema, resolver=resolver).validate(value)

    def check(self, path, method, answer):
        """Raises where the answer is none that is documented. Returns the status as it is documented."""
        responses = self.operations[path, method]['responses']
        status = str(answer.status) if str(answer.status) in responses else 'default'
        assert status != 'default' or answer.status >= 400, f'{answer.status} of {method} {path} is not documented'
        content = self.resolve(responses[status]).get('content', {})
        if not content:
            assert answer.body == b'', answer.body
            return status
        assert answer.type in content, f'{answer.type} of {method} {path} is not documented: {answer.body[:200]}'
        if answer.type == JSON:
            self.validate(content[answer.type]['schema'], json.loads(answer.body))
        return status


def references(node):
    if isinstance(node, dict):
        if '$ref' in node:
            yield node['$ref']
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@unittest.skipIf(jsonschema is None, 'no jsonschema')
class Document(TestCase):
    def setUp(self):
        self.server = self.start(http=True)
        self.description = Description(self.server)

    def test_document(self):
        document = self.description.document
        self.assertRegex(document['openapi'], r'\A3\.1\.\d+\Z')
        self.assertEqual(document['info']['version'], json.loads(ask(self.server, 'GET', '/healthz').body)['version'])
        used = set(references(document))
        for pointer in used:
            self.description.at(pointer)
        for kind, components in document['components'].items():
            for name in components:
                self.assertIn(f'#/components/{kind}/{name}', used)
        for schema in document['components']['schemas'].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_operations(self):
        ids = set()
        for (path, method), operation in self.description.operations.items():
            with self.subTest(path=path, method=method):
                self.assertIn(method, ('get', 'post', 'delete'))
                self.assertTrue(operation['summary'])
                self.assertNotIn(operation['operationId'], ids)
                ids.add(operation['operationId'])
                for response in operation['responses'].values():
                    self.assertTrue(self.description.resolve(response)['description'])
                for name in self.description.parameters((path, method)):
                    self.assertIn(name, GOOD)

    def test_routes(self):
        """What is documented there is, and what there is is documented."""
        for path, item in self.description.document['paths'].items():
            with self.subTest(path=path):
                answer = ask(self.server, 'OPTIONS', path)
                self.assertEqual(answer.status, 204)
                methods = {method.upper() for method in item}
                expected = methods | {'OPTIONS'} | ({'HEAD'} if 'GET' in methods else set())
                self.assertEqual(set(answer.headers['Allow'].split(', ')), expected)

    @unittest.skipUnless(os.environ.get('PRINT_ROUTES'), 'no table of routes')
    def test_all_routes(self):
        routes = subprocess.run([os.environ['PRINT_ROUTES']], capture_output=True, text=True, check=True).stdout
        described = {(path, method.upper()) for path, method in self.description.operations}
        self.assertEqual({tuple(line.split()) for line in routes.splitlines()}, described)

    def test_etag(self):
        first = ask(self.server, 'GET', '/api/v1/openapi.json')
        again = ask(self.server, 'GET', '/api/v1/openapi.json', If_None_Match=first.headers['ETag'])
        self.assertEqual((again.status, again.body), (304, b''))
        self.assertEqual(self.description.check('/api/v1/openapi.json', 'get', again), '304')


@unittest.skipIf(jsonschema is None, 'no jsonschema')
class Behaviour(TestCase):
    """Each answer that is documented comes about, and is what it is said to be."""

    def setUp(self):
        self.server = self.start(http=True)
        self.description = Description(self.server)
        with Client(self.server) as writer:
            for i in range(200):
                writer.put('a', i, i)
            writer.put('b.c', 1.5, -3)
            writer.put('größe"\\', 1e300, 2 ** 63 - 1)
        self.seen = set()

    def expect(self, status, path, method, query='', body=None, server=None, **headers):
        """Asks, and checks the answer against what is documented of it."""
        if method == 'post' and body is None:
            body, headers['Content_Type'] = POINTS, JSON
        target = path + ('?' if query else '') + query
        answer = ask(server or self.server, method.upper(), target, body, **headers)
        self.assertEqual(answer.status, status, f'{method} {target}: {answer.body[:500]}')
        self.seen.add((path, method, self.description.check(path, method, answer)))
        return answer

    def stream(self, server=None, **headers):
        return self.enterContext(Stream(server or self.server, **headers))

    def test_everything(self):
        """The whole of it, in one: at the end nothing documented is left that was not seen."""
        self.succeed()
        self.refuse()
        self.stream_events()
        self.fail_by_limits()
        self.fail_by_disk()
        documented = {(path, method, status) for (path, method), operation in self.description.operations.items()
                      for status in operation['responses'] if status != 'default'}
        self.assertEqual(documented - self.seen, set())

    def succeed(self):
        for path, method in self.description.operations:
            if path == '/api/v1/stream':
                continue
            needed = NEEDED.get((path, method), '')
            self.expect(200, path, method, needed)
            for name in self.description.parameters((path, method)):
                with self.subTest(path=path, method=method, parameter=name):
                    query = f'{name}={urllib.parse.quote(GOOD[name])}{BESIDE.get(name, "")}'
                    if name not in ('key', 'pattern') and needed:
                        query += '&' + needed
                    if method != 'delete':
                        self.expect(200, path, method, query)
        for i in ('a', 'none'):
            self.expect(200, '/api/v1/points', 'delete', f'key={i}&from=5&to=6')
        self.expect(200, '/api/v1/points', 'delete', 'pattern=a&from=7&to=8')
        self.expect(200, '/api/v1/points', 'get', 'key=a', Accept='text/csv')
        self.expect(200, '/metrics', 'get', Accept='application/openmetrics-text')
        etag = self.expect(200, '/api/v1/openapi.json', 'get').headers['ETag']
        self.expect(304, '/api/v1/openapi.json', 'get', If_None_Match=etag)
        # What was read can be written as it is, in both forms.
        body = self.expect(200, '/api/v1/points', 'get', 'pattern=*').body
        self.expect(200, '/api/v1/points', 'post', body=body, Content_Type=JSON)
        body = self.expect(200, '/api/v1/points', 'get', 'pattern=*', Accept='text/csv').body
        self.expect(200, '/api/v1/points', 'post', body=body, Content_Type='text/csv')

    def refuse(self):
        for path, method in self.description.operations:
            needed = NEEDED.get((path, method), '')
            parameters = self.description.parameters((path, method))
            with self.subTest(path=path, method=method):
                for name in [*parameters, 'undocumented']:
                    bad = BAD.get(name, '1') + BESIDE.get(name, '')
                    query = '&'.join(filter(None, [f'{name}={urllib.parse.quote(bad, safe="&=")}', needed]))
                    self.assertEqual(self.expect(400, path, method, query).error['where'], name)
                for name in GOOD:
                    if name not in parameters:
                        query = '&'.join(filter(None, [f'{name}={GOOD[name]}', needed]))
                        self.assertEqual(self.expect(400, path, method, query).error['where'], name)
                self.expect(421, path, method, needed, Host='example.org')
                if path != '/healthz':
                    self.expect(403, path, method, needed, Origin='http://example.org')
                # What is said once for all operations.
                self.expect(414, path, method, 'a=' + 'a' * (64 << 10))
                self.expect(431, path, method, needed, Cookie='a' * (256 << 10))
        self.expect(400, '/api/v1/points', 'post', body=b'{', Content_Type=JSON)
        for path in ('keys', 'last', 'points'):
            self.expect(406, f'/api/v1/{path}', 'get', 'key=a', Accept='image/png')
        self.expect(413, '/api/v1/points', 'post', body=b' ' * (MAX_BODY + 1), Content_Type=JSON)
        self.expect(415, '/api/v1/points', 'post', body=b'a', Content_Type='image/png')

    def stream_events(self):
        """Each kind of event, as it is described."""
        described = self.description.operations['/api/v1/stream', 'get']['responses']['200']['content'][
            'text/event-stream']['x-events']
        seen = {}
        with Client(self.server) as writer:
            stream = self.stream(last_id='unknown')
            for _ in range(2):
                event = stream.next()
                seen[event.kind] = event
            writer.put('größe"\\', 1, 1)
            event = stream.next()
            seen[event.kind] = event
            stream.close()
            writer.put_many([f'put a {i} 1\n'.encode() for i in range(100000)])
            stream = self.stream(last_id=stream.last_id)
            for _ in range(2):
                event = stream.next()
                seen[event.kind] = event
            stream.close()
        for kind, event in seen.items():
            self.description.validate(described[kind], event.data)
        self.assertEqual(set(seen), set(described))
        self.assertEqual(stream.headers['content-type'], 'text/event-stream')
        self.seen.add(('/api/v1/stream', 'get', '200'))

    def fail_by_limits(self):
        streams = [self.stream() for _ in range(MAX_STREAMS)]
        for stream in streams:
            stream.begin()
        self.expect(503, '/api/v1/stream', 'get')
        for stream in streams:
            stream.close()
        with Server('--series-limit', '1', http=True) as server:
            self.expect(507, '/api/v1/points', 'post', server=server)

    def fail_by_disk(self):
        """What would be written to a file without a name is not acknowledged."""
        with tempfile.TemporaryDirectory() as folder:
            state = pathlib.Path(folder, 'state')
            server = self.start('--state-dir', state, '--durability', 'always', http=True)
            self.expect(200, '/api/v1/points', 'post', server=server)
            aside = state.rename(state.with_name('aside'))
            self.expect(503, '/api/v1/points', 'post', server=server)
            self.expect(503, '/healthz', 'get', server=server)
            self.expect(503, '/api/v1/points', 'delete', 'key=a', server=server)
            aside.rename(state)
            with Client(server) as client:
                wait_until(lambda: client.ask(b'put k 3 3') == OK, 'a put')
            self.assertEqual(server.stop(), 0)


if __name__ == '__main__':
    main()
