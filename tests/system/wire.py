# SPDX-License-Identifier: LGPL-2.1-or-later
"""HTTP, byte by byte.

    with Wire(server) as wire:
        assert wire.get('/healthz').status == 200

Python's own http.client would mend what is sent, and hide what comes."""

import gzip
import json
import urllib.parse

from harness import connect


class Response:
    """A whole answer: `status`, `headers` with lower-case names, and the `body` without its chunks. `raw` is the body as it
    came."""

    def __init__(self, status, reason, headers, body, raw):
        self.status, self.reason, self.headers, self.body, self.raw = status, reason, headers, body, raw

    def content(self):
        """The body, unpacked where it is gzip."""
        return gzip.decompress(self.body) if self.headers.get('content-encoding') == 'gzip' else self.body

    def json(self):
        return json.loads(self.content())

    def error(self):
        """Its error, checked for its form."""
        error = self.json()['error']
        assert error['status'] == self.status and error['code'] and error['message'], error
        assert self.headers['content-type'] == 'application/json', self.headers
        return error


class Wire:
    """A connection to an HTTP address: a Server, `http://HOST:PORT`, or `unix:/path`."""

    def __init__(self, to, receive_buffer=None):
        url = to if isinstance(to, str) else to.http
        self.address = url.removeprefix('http+') if 'unix:' in url else urllib.parse.urlsplit(url).netloc
        self.host = 'localhost' if 'unix:' in url else self.address
        self.sock = connect(self.address, receive_buffer)
        self.buffer = b''

    def send(self, data):
        self.sock.sendall(data)

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(f'the server closed; before it came {self.buffer[-1000:]!r}')
        self.buffer += data

    def until(self, end):
        """All up to and with `end`."""
        while end not in self.buffer:
            self._more()
        data, _, self.buffer = self.buffer.partition(end)
        return data + end

    def exactly(self, size):
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def rest(self):
        """All until the server closes; a reset raises ConnectionResetError."""
        while data := self.sock.recv(1 << 20):
            self.buffer += data
        data, self.buffer = self.buffer, b''
        return data

    def chunk(self):
        """One chunk of a body, b'' for the last one; and as it came."""
        line = self.until(b'\r\n')
        size = int(line, 16)
        data = self.exactly(size + 2)
        assert data.endswith(b'\r\n'), data
        return data[:-2], line + data

    def head(self):
        """The status, the reason and the header fields of the next answer."""
        line, *fields = self.until(b'\r\n\r\n').decode().removesuffix('\r\n\r\n').split('\r\n')
        version, status, reason = line.split(' ', 2)
        assert version == 'HTTP/1.1', line
        headers = {}
        for field in fields:
            name, _, value = field.partition(': ')
            assert name.lower() not in headers, fields
            headers[name.lower()] = value
        return int(status), reason, headers

    def response(self, method='GET'):
        """The next answer."""
        status, reason, headers = self.head()
        raw = body = b''
        if method == 'HEAD' or status in (204, 304) or status < 200:
            pass
        elif headers.get('transfer-encoding') == 'chunked':
            assert 'content-length' not in headers, headers
            pieces = []
            while (piece := self.chunk())[0]:
                pieces.append(piece)
            body, raw = (b''.join(part) for part in zip(*pieces)) if pieces else (b'', b'')
        elif 'content-length' in headers:
            raw = body = self.exactly(int(headers['content-length']))
        else:
            assert headers.get('connection') == 'close', headers
            raw = body = self.rest()
        return Response(status, reason, headers, body, raw)

    def request(self, method, target, body=None, **fields):
        """Sends a request: fields by their names, with _ for -; of those that are None nothing is said."""
        headers = {'Host': self.host, **{name.replace('_', '-'): value for name, value in fields.items()}}
        if body is not None:
            headers.setdefault('Content-Length', len(body))
        lines = [f'{method} {target} HTTP/1.1']
        lines += [f'{name}: {value}' for name, value in headers.items() if value is not None]
        self.send('\r\n'.join(lines + ['', '']).encode() + (body or b''))

    def ask(self, method, target, body=None, **fields):
        """Sends a request, and returns the answer."""
        self.request(method, target, body, **fields)
        return self.response(method)

    def get(self, target, **fields):
        return self.ask('GET', target, **fields)

    def expect_eof(self):
        """The server closes in order and sends nothing more."""
        rest = self.rest()
        if rest:
            raise AssertionError(f'{rest[:1000]!r} came before the end')

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
