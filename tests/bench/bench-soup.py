# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsd's HTTP beside SoupServer (soup-server.c): what src/http/README.md says of both.

Counts where there are any: instructions are those of callgrind, in all threads. Processor time is that of the server, and
each figure of it stands beside others of the same run. Nothing here asserts anything."""

import contextlib
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time

from harness import NOWHERE

WATCHDOG = 30  # seconds
IDLE = 1000
REQUESTS = 5000
FEW, MANY = 50, 250  # requests below callgrind
BODY = 64 << 20

SERVERS = {
    'SoupServer': [os.environ['SOUP_SERVER']],
    'SoupServer, listening': [os.environ['SOUP_SERVER'], 'own'],
    'metricsd': [os.environ['METRICSD'], '--memory-only', '--listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0',
                 '--connection-limit', str(3 * IDLE), '--line-timeout', '2'],
}
HANDED, LISTENING, OURS = SERVERS
# What each has in the place of a thing.
POST = {OURS: b'/api/v1/points'}
CHUNKED = {OURS: b'/api/v1/points?pattern=*'}
STREAM = {OURS: b'/api/v1/stream?pattern=*'}


class Program:
    def __init__(self, name, *wrapper):
        self.name = name
        self.errors = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen([*wrapper, *SERVERS[name]], stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env={**os.environ, **NOWHERE})
        output = self.process.stdout.readline()
        while name == OURS and not output.endswith('ready\n'):
            output += self.process.stdout.readline() or 'ready\n'
        if name == OURS:
            self.line, self.http = (int(re.search(before + r'127\.0\.0\.1:(\d+)', output)[1])
                                    for before in ('listening on ', 'serving http://'))
        else:
            self.http, self.line = (int(port) for port in output.split())
        self.proc = f'/proc/{self.process.pid}'

    def connect(self, port=None):
        return socket.create_connection(('127.0.0.1', port or self.http), timeout=WATCHDOG)

    def processor_time(self):
        """Microseconds, of all threads."""
        total = 0
        for thread in os.listdir(self.proc + '/task'):
            with open(f'{self.proc}/task/{thread}/schedstat') as schedstat:
                total += int(schedstat.read().split()[0]) / 1000
        return total

    def memory(self):
        with open(self.proc + '/smaps_rollup') as rollup:
            return int(re.search(r'Rss:\s+(\d+)', rollup.read())[1]) << 10

    def report(self):
        self.errors.seek(0)
        return self.errors.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(WATCHDOG)


def receive(sock, end):
    """Up to an end, or to that of the connection."""
    data = b''
    while not end(data):
        piece = sock.recv(65536)
        if not piece:
            break
        data += piece
    return data


def is_answer(data):
    head, found, body = data.partition(b'\r\n\r\n')
    length = re.search(rb'(?i)content-length: *(\d+)', head)
    return bool(found) and (len(body) >= int(length[1]) if length else body.endswith(b'0\r\n\r\n'))


def ask(sock, path=b'/healthz', end=is_answer):
    sock.sendall(b'GET ' + path + b' HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return receive(sock, end)


def ask_often(program, count, keeps):
    """Requests one by one; on one connection, or on one each."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(program.connect()) if keeps else None
        for _ in range(count):
            if keeps:
                ask(sock)
            else:
                with program.connect() as other:
                    ask(other)


def ping_often(program, count):
    with program.connect(program.line) as sock:
        for _ in range(count):
            sock.sendall(b'ping\n')
            receive(sock, lambda data: data.endswith(b'\n\n'))


def count_kept(name):
    """Requests that one connection lets one ask, of 50."""
    count = 0
    with Program(name) as program, program.connect() as sock, contextlib.suppress(ConnectionError):
        while count < 50 and ask(sock):
            count += 1
    return count


def count_instructions(name, keeps):
    def run(count):
        with Program(name, 'valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null') as program:
            ask_often(program, count, keeps)
        return int(re.search(r'Collected : (\d+)', program.report())[1])
    return (run(MANY) - run(FEW)) / (MANY - FEW)


def measure_request(name, keeps):
    with Program(name) as program:
        ask_often(program, FEW, keeps)
        before = program.processor_time()
        ask_often(program, REQUESTS, keeps)
        return (program.processor_time() - before) / REQUESTS


def measure_idle(name, count):
    """Microseconds of a line beside so many idle connections of HTTP, and the bytes that each of those holds. Where a
    connection is kept it has asked once."""
    with Program(name) as program, contextlib.ExitStack() as stack:
        ask_often(program, FEW, False)
        before = program.memory()
        for _ in range(count):
            sock = stack.enter_context(program.connect())
            if name != HANDED:
                ask(sock)
        if name == HANDED:
            ask_often(program, FEW, False)
        bytes_each = (program.memory() - before) / max(count, 1)
        ping_often(program, FEW)
        before = program.processor_time()
        ping_often(program, REQUESTS)
        return (program.processor_time() - before) / REQUESTS, bytes_each


def name_threads(name):
    with Program(name) as program:
        for _ in range(50):
            with program.connect() as sock:
                ask(sock, CHUNKED.get(name, b'/chunked'))
        names = []
        for thread in os.listdir(program.proc + '/task'):
            with open(f'{program.proc}/task/{thread}/comm') as comm:
                names.append(comm.read().strip())
        return ' '.join(sorted(names))


def watch_hanging_up(name):
    """Whether it is seen that the client of a silent stream has gone: its descriptor is closed."""
    with Program(name) as program:
        with program.connect() as sock:
            # With its first chunk, behind which nothing is to be written.
            ask(sock, STREAM.get(name, b'/stream'), lambda data: b'\n\r\n' in data.partition(b'\r\n\r\n')[2])
            time.sleep(0.2)
            held = len(os.listdir(program.proc + '/fd'))
        time.sleep(2)
        if len(os.listdir(program.proc + '/fd')) < held:
            return 'seen'
        if name == OURS:
            return 'not seen within 2 seconds'
        with program.connect() as sock:
            ask(sock, b'/say')
        time.sleep(1)
        return 'not seen' + (' before the next write' if 'finished' in program.report() else '')


def send_endless(name):
    """What becomes of a body in chunks that does not end before 64 MiB."""
    piece = b'10000\r\n' + b' ' * 65536 + b'\r\n'
    with Program(name) as program, program.connect() as sock:
        before = program.memory()
        with contextlib.suppress(ConnectionError):
            sock.sendall(b'POST ' + POST.get(name, b'/post') + b' HTTP/1.1\r\nHost: localhost\r\n'
                         b'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
            for _ in range(BODY // 65536):
                sock.sendall(piece)
        sock.settimeout(1)
        status = 'no answer'
        with contextlib.suppress(OSError):
            status = receive(sock, lambda data: b'\r\n' in data).split(b'\r\n')[0].decode() or 'no answer'
        return f'{status}, {(program.memory() - before) >> 20} MiB held'


def send(name, request):
    """What is answered to a request, until the end of the connection or for 4 seconds."""
    with Program(name) as program, program.connect() as sock:
        sock.settimeout(4)
        try:
            sock.sendall(request)
            data = receive(sock, is_answer)
        except ConnectionError:
            return 'reset'
        except TimeoutError:
            return 'nothing'
        return data.split(b'\r\n')[0].decode().partition(' ')[2] or 'closed'


START = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n'
BAD = {
    'head of 101 KiB': START + b'A: ' + b'x' * (101 << 10) + b'\r\n\r\n',
    'half a head': START,
    'no version': b'GET /healthz\r\n\r\n',
    'line without a colon': START + b'nonsense\r\n\r\n',
    'blank before the colon': START + b'A : b\r\n\r\n',
    'folded line': START + b'A: a\r\n b\r\n\r\n',
    'LF without CR': START.replace(b'\r', b'') + b'\n',
    'NUL in a field': START + b'A: a\0b\r\n\r\n',
    'two lengths': START + b'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'length beside chunks': START + b'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
}


def show(what, name, figure):
    print(f'{what + ":":42} {name + ":":24} {figure}', flush=True)


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    for name in SERVERS:
        show('requests of one connection, of 50', name, count_kept(name))
    for keeps in (False, True):
        what = 'a request on a kept connection' if keeps else 'a connection and a request'
        for name in SERVERS:
            # The one keeps none; the other is there to show what keeping brings.
            if name == (HANDED if keeps else LISTENING):
                continue
            if shutil.which('valgrind'):
                show(what, name, f'{count_instructions(name, keeps):.0f} instructions')
            show(what, name, f'{measure_request(name, keeps):.1f} µs')
    for name in SERVERS:
        for count in (0, IDLE):
            time_each, bytes_each = measure_idle(name, count)
            show(f'a line beside {count} idle', name, f'{time_each:.1f} µs')
        show('memory of an idle connection', name, f'{bytes_each / 1024:.1f} KiB')
    for name in (HANDED, OURS):
        show('threads after 50 answers in chunks', name, name_threads(name))
        show('the client of a silent stream hangs up', name, watch_hanging_up(name))
        show('body without end', name, send_endless(name))
    for what, request in BAD.items():
        for name in (HANDED, OURS):
            show(what, name, send(name, request))


if __name__ == '__main__':
    main()
