# SPDX-License-Identifier: LGPL-2.1-or-later
"""Server-sent events of a metricsd, byte by byte.

    with Stream(server, ('pattern', 'a*')) as stream:
        assert stream.next() == ...

It reads as a browser does: what is complete counts, and the id of the last complete event is what it comes back with."""

import json
import urllib.parse

from harness import connect


class Event:
    """A complete event. `data` is parsed; `points` are all of it, as (key, timestamp, value), in their order."""

    def __init__(self, fields):
        self.kind = fields.get('event', 'message')
        self.id = fields.get('id')
        self.data = json.loads(fields['data'])

    @property
    def points(self):
        return [(series['key'], *point) for series in self.data['series'] for point in series['points']]

    def __repr__(self):
        return f'{self.kind} {self.id} {self.data}'


class Chunks:
    """The body of a chunked answer, as far as it has come. `over`: the last chunk has come."""

    def __init__(self):
        self.buffer = b''
        self.left = 0  # of a chunk, and its CRLF
        self.over = False

    def feed(self, data):
        self.buffer += data
        body = b''
        while not self.over:
            if self.left > 2:
                taken = self.buffer[:self.left - 2]
                body += taken
                self.buffer = self.buffer[len(taken):]
                self.left -= len(taken)
                if self.left > 2:
                    break
            if self.left > 0:
                if len(self.buffer) < 2:
                    break
                assert self.buffer[:2] == b'\r\n', self.buffer[:100]
                self.buffer, self.left = self.buffer[2:], 0
            line, end, rest = self.buffer.partition(b'\r\n')
            if not end:
                break
            size = int(line, 16)
            self.buffer, self.left = rest, size + 2
            if size == 0:
                self.over = self.buffer == b'\r\n'
                break
        return body


class Stream:
    """One stream. `parameters` are pairs of a name and a value; `last_id` is what it got last from an earlier one.
    `status`, `headers` and, where that is no stream, `body` are its answer; `last_id` is what to come back with."""

    def __init__(self, server, *parameters, last_id=None, receive_buffer=None, head=()):
        url = urllib.parse.urlsplit(server.http)
        query = urllib.parse.urlencode(parameters)
        lines = [f'GET /api/v1/stream{"?" if query else ""}{query} HTTP/1.1', f'Host: {url.netloc}',
                 'Accept: text/event-stream', *head]
        if last_id is not None:
            lines.append(f'Last-Event-ID: {last_id}')
        self.sock = connect(url.netloc, receive_buffer)
        self.sock.sendall('\r\n'.join(lines + ['', '']).encode())
        self.last_id = last_id
        self.n_read = 0
        self.n_comments = 0
        self.status = None
        self.headers = {}
        self._head = b''
        self._chunks = Chunks()
        self._text = b''
        self._events = []

    def read(self, size=65536):
        """Takes what has come, waits for it if need be; whether there was something."""
        data = self.sock.recv(size)
        self.n_read += len(data)
        self._feed(data)
        return bool(data)

    def _feed(self, data):
        if self.status is None:
            head, end, data = (self._head + data).partition(b'\r\n\r\n')
            self._head = head
            if not end:
                return
            lines = head.decode().split('\r\n')
            self.status = int(lines[0].split()[1])
            self.headers = dict(line.lower().split(': ', 1) for line in lines[1:])
        if self.headers.get('transfer-encoding') == 'chunked':
            data = self._chunks.feed(data)
        self._text += data
        if self.status == 200:
            self._parse()

    def _parse(self):
        *blocks, self._text = self._text.split(b'\n\n')
        for block in blocks:
            lines = block.decode().split('\n')
            self.n_comments += sum(line.startswith(':') for line in lines)
            fields = dict(line.split(': ', 1) for line in lines if line and not line.startswith(':'))
            if not fields:
                continue
            event = Event(fields)
            self.last_id = event.id or self.last_id
            self._events.append(event)

    @property
    def is_over(self):
        """Whether the answer has ended as it should."""
        return self._chunks.over

    def take(self):
        """The events that have come and were not taken."""
        events, self._events = self._events, []
        return events

    def next(self):
        """The next event. One that says only that it is alive, twice, has none."""
        end = self.n_comments + 2
        while not self._events:
            if not self.read():
                raise EOFError('the stream is over')
            if self.n_comments >= end:
                raise AssertionError(f'there is nothing behind {self.last_id}')
        return self._events.pop(0)

    def until(self, is_last):
        """All events up to the first for which that holds."""
        events = [self.next()]
        while not is_last(events[-1]):
            events.append(self.next())
        return events

    def begin(self, *kinds):
        """Takes the first events, which are of these kinds, and returns the last of them."""
        for kind in kinds or ('hello',):
            event = self.next()
            assert event.kind == kind, event
        return event

    def rest(self):
        """All events until the end of the answer."""
        while self.read():
            pass
        return self.take()

    def error(self):
        """The error with which it was answered instead."""
        while self.status is None or len(self._text) < int(self.headers['content-length']):
            if not self.read():
                raise EOFError(f'the answer is not whole: {self._text!r}')
        return json.loads(self._text)['error']

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
