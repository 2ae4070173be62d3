# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of metricsd's HTTP: requests over one connection, and answers as what the line protocol would say."""

import csv
import http.client
import io
import json
import urllib.parse

from harness import WATCHDOG

JSON = 'application/json'
CSV = 'text/csv'
POINTS = '/api/v1/points'
KEYS = '/api/v1/keys'
LAST = '/api/v1/last'


def target(path, *parameters):
    """A path with parameters, pairs of a name and a value."""
    return path + ('?' + urllib.parse.urlencode(parameters) if parameters else '')


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def type(self):
        return self.headers.get('Content-Type', '').partition(';')[0]

    def json(self):
        """Numbers are told as they were written."""
        return json.loads(self.body, parse_int=str, parse_float=str, parse_constant=refuse)

    @property
    def error(self):
        """The status, the code and the place of an error."""
        error = json.loads(self.body)['error']
        if error['status'] != self.status or not error['message'] or self.type != JSON:
            raise AssertionError(f'{self.status}: {self.body!r}')
        return self.status, error['code'], error.get('where')

    @property
    def message(self):
        return json.loads(self.body)['error']['message']

    def rows(self):
        """Points or keys, as rows of the line protocol."""
        if self.status != 200:
            raise AssertionError(f'{self.status}: {self.body!r}')
        return rows_of_csv(self.body) if self.type == CSV else rows_of_json(self.json())


def refuse(word):
    raise ValueError(f'{word} is no JSON')


def rows_of_json(answer):
    if 'keys' in answer:
        rows = [(entry['key'], entry['points'], entry['first'], entry['last']) for entry in answer['keys']]
    else:
        if any(not series['points'] for series in answer['series']):
            raise AssertionError('a series without points')
        rows = [(series['key'], value, time) for series in answer['series'] for time, value in series['points']]
    return [' '.join(row).encode() for row in rows]


def rows_of_csv(body):
    if not body.endswith(b'\r\n') or body.count(b'\n') != body.count(b'\r\n'):
        raise AssertionError(f'{body[-100:]!r} does not end as lines of CSV do')
    header, *records = csv.reader(io.StringIO(body.decode(), newline=''), strict=True)
    if header == ['key', 'points', 'first', 'last']:
        return [' '.join(record).encode() for record in records]
    if header != ['key', 'timestamp', 'value']:
        raise AssertionError(f'{header} are no columns')
    return [f'{key} {value} {time}'.encode() for key, time, value in records]


class Web:
    """One connection, which is kept. `to` is a Server with `http`."""

    def __init__(self, to):
        url = urllib.parse.urlsplit(to.http)
        self.connection = http.client.HTTPConnection(url.hostname, url.port, timeout=WATCHDOG)

    def ask(self, method, path, *parameters, body=None, **headers):
        """Headers are written with `_` in place of `-`."""
        fields = {name.replace('_', '-'): value for name, value in headers.items()}
        self.connection.request(method, target(path, *parameters), body, fields,
                                encode_chunked=fields.get('Transfer-Encoding') == 'chunked')
        return Answer(self.connection.getresponse())

    def get(self, path, *parameters, **headers):
        return self.ask('GET', path, *parameters, **headers)

    def post(self, body, kind=JSON, **headers):
        """The body is bytes, a text, pieces of bytes that are sent as chunks, or what JSON is made of."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        return self.ask('POST', POINTS, body=body.encode() if isinstance(body, str) else body, Content_Type=kind, **headers)

    def delete(self, *parameters):
        return self.ask('DELETE', POINTS, *parameters)

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
