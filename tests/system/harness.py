# SPDX-License-Identifier: LGPL-2.1-or-later
"""A metricsd of the test's own, raw sockets to it, and unittest's results as TAP.

    with Server('--line-limit', '100') as server, Client(server) as client:
        assert client.ask(b'ping') == b'ok\n\n'

Nothing here measures time: WATCHDOG only turns a hang into a failure."""

import contextlib
import ctypes
import functools
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

WATCHDOG = 30  # seconds for one operation on a socket
START_WATCHDOG = 60  # seconds until `ready`
SANITIZED = os.environ.get('METRICSD_SANITIZED') == '1'

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None)

# No test keeps points where those of whoever runs it are, is served by their configuration, or depends on the language of
# that one.
NOWHERE = {'STATE_DIRECTORY': '/dev/null/metricsd', 'XDG_CONFIG_HOME': '/dev/null/config', 'LANGUAGE': '',
           'LC_ALL': 'C.UTF-8'}

OK = b'ok\n\n'
WRONG = b'error\nwrong command\n\n'

# What each says of itself when it starts and stops.
ITSELF = re.compile(r'(?m)^metricsd: (version \S+ is ready at .*; points are kept in .*|stopped \(.*\)(; .*)?)\n')
# What a healthy server never writes.
REPORT = re.compile(r'AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|-CRITICAL \*\*')


def binary():
    """The metricsd to test."""
    return os.environ['METRICSD']


def in_memory(options, memory_only):
    """The options of a server that leaves nothing on disk, unless they say where."""
    wants_disk = any(option.split('=')[0] in ('--state-dir', '--memory-only', '--durability') for option in options)
    return options + ['--memory-only'] if memory_only and not wants_disk else options


@functools.cache
def has_http(program=None):
    """Whether the metricsd to test was built with HTTP."""
    return '--no-http' in subprocess.run([program or binary(), '--help'], stdin=subprocess.DEVNULL, capture_output=True,
                                         text=True, check=True, env={**os.environ, **NOWHERE}).stdout


def quietly(options):
    """The options of a server that has no HTTP, unless they say something of it: two servers cannot have its port."""
    said = any(str(option).startswith('--http-') or option == '--no-http' for option in options)
    return options if said or not has_http(binary()) else ['--no-http'] + options


def prepare_child(preexec):
    """A server must not outlive a test that is stopped for its time."""
    if preexec is not None:
        preexec()
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# Moves the descriptors to where sd_listen_fds(3) has them, and says so to what takes its own place.
PASS = """import fcntl, os, sys
names, numbers, command = sys.argv[1], sys.argv[2].split(','), sys.argv[3:]
for i, fd in enumerate([fcntl.fcntl(int(number), fcntl.F_DUPFD_CLOEXEC, 100) for number in numbers]):
    os.dup2(fd, 3 + i)
os.environ.setdefault('LISTEN_PID', str(os.getpid()))
os.environ.update(LISTEN_FDS=str(len(numbers)), LISTEN_FDNAMES=names)
os.execv(command[0], command)"""


def passing(sockets):
    """What stands before a command that gets sockets."""
    if not sockets:
        return []
    return [sys.executable, '-c', PASS, ':'.join(name for name, _ in sockets),
            ','.join(str(sock.fileno()) for _, sock in sockets)]


def run(*options, memory_only=True, env=None, preexec=None, sockets=()):
    """Runs metricsd to its end, for options with which it must not start to serve."""
    process = subprocess.Popen(passing(sockets) + [binary()]
                               + quietly(in_memory([str(option) for option in options], memory_only)),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **NOWHERE, **(env or {})},
                               pass_fds=[sock.fileno() for _, sock in sockets],
                               preexec_fn=lambda: prepare_child(preexec))
    with process:
        output = ''
        for line in process.stdout:
            output += line
            if line == 'ready\n':
                process.kill()
                raise AssertionError(f'metricsd starts with {options}')
        errors = process.stderr.read()
        return subprocess.CompletedProcess(options, process.wait(START_WATCHDOG), output, errors)


def wait_until(condition, what='the condition'):
    """Polls for something that has no event to wait for, such as a figure in /proc or in `stats`."""
    end = time.monotonic() + WATCHDOG
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f'{what} did not come about')
        time.sleep(0.01)


def has_ipv6():
    """Whether the loopback of this machine has it."""
    try:
        with socket.create_server(('::1', 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def effective_user(uid):
    """Within it the process acts as that user, as its connections do for ever."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


class Server:
    """A running metricsd. Where the options name no address, nor the session bus, it listens on 127.0.0.1, on a free
    port. Where they say nothing of the disk it keeps points in memory only, unless `memory_only` is false. A `plain`
    one has these options and no others: a configuration says the rest. `sockets`, pairs of a name and something with a
    fileno(), are passed as systemd passes them. There is no HTTP unless an option says so, or `http` is true: then `http`
    is its address, `http://127.0.0.1:43211`; where that is None a configuration says whether there is.

    Leaving the context stops it and fails on an exit status other than 0, on a sanitizer's report and on a
    GLib critical; what it writes to a `stderr` of the test's own is not looked at. `address` is its first address as
    text (`127.0.0.1:43210`, `[::1]:43210`, `unix:/path`), `addresses` are all, `port` is the first TCP port."""

    def __init__(self, *options, memory_only=True, env=None, preexec=None, sockets=(), stderr=None, plain=False,
                 http=False):
        options = in_memory([str(option) for option in options], memory_only and not plain)
        if not sockets and not plain and not any(option.split('=')[0] in ('--host', '--port', '--listen', '--session')
                                                 for option in options):
            options = ['--host', '127.0.0.1', '--port', '0'] + options
        if http:
            options += ['--http-port', '0']
        elif http is not None:
            options = quietly(options)
        self.addresses = []
        self.urls = []
        self._errors = tempfile.TemporaryFile()
        self._waived = False
        self.process = subprocess.Popen(
            passing(sockets) + [binary()] + options, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self._errors if stderr is None else stderr, env={**os.environ, **NOWHERE, **(env or {})},
            pass_fds=[sock.fileno() for _, sock in sockets], preexec_fn=lambda: prepare_child(preexec))
        try:
            self._read_addresses()
        except BaseException:
            self.process.kill()
            self.process.wait()
            self._show_errors()
            raise

    def _read_addresses(self):
        output = b''
        end = time.monotonic() + START_WATCHDOG
        while b'ready\n' not in output:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f'metricsd is not ready; it wrote {output!r}')
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f'metricsd did not start: {self.errors()}')
            output += data
        lines = output.decode().splitlines()
        if lines[-1] != 'ready' or not all(line.startswith(('listening on ', 'serving ')) for line in lines[:-1]):
            raise AssertionError(f'metricsd wrote {output!r}')
        self.addresses = [line.removeprefix('listening on ') for line in lines[:-1] if line.startswith('listening on ')]
        self.urls = [line.removeprefix('serving ') for line in lines[:-1] if line.startswith('serving ')]

    @property
    def address(self):
        return self.addresses[0]

    @property
    def http(self):
        return self.urls[0].rstrip('/')

    @property
    def port(self):
        tcp = next(address for address in self.addresses if not address.startswith('unix:'))
        return int(tcp.rpartition(':')[2])

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    @contextlib.contextmanager
    def paused(self):
        """It does nothing meanwhile, and then finds all at once what came in between."""
        self.signal(signal.SIGSTOP)
        wait_until(lambda: self._state() == 'T', 'the pause')
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def _state(self):
        with open(f'/proc/{self.pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0]

    def wait(self):
        """Waits for its end and returns the exit status (negative: the signal that ended it)."""
        return self.process.wait(START_WATCHDOG)

    def stop(self):
        """Stops it as a service manager does and returns the exit status."""
        if self.process.returncode is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """Ends it without warning: a crash, for its clients."""
        self._waived = True
        self.process.kill()
        self.process.wait()

    def errors(self):
        """What it wrote to stderr so far, but for that it is ready and that it has stopped."""
        return ITSELF.sub('', self.log())

    def log(self):
        """All that it wrote to stderr so far."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors='replace')

    def _memory(self, field):
        with open(f'/proc/{self.pid}/status') as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))

    def rss(self):
        """The bytes of memory that it has resident now."""
        return self._memory('VmRSS:')

    def peak(self):
        """The most bytes of memory that it ever had resident."""
        return self._memory('VmHWM:')

    def descriptors(self):
        """How many file descriptors it has open."""
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def _show_errors(self):
        errors = self.errors()
        if errors:
            print(f'stderr of metricsd {self.pid}:\n{errors[-8192:]}', file=sys.stderr, flush=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            status = self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = 'none: it did not stop at SIGTERM'
        self._show_errors()
        report = REPORT.search(self.errors())
        self.process.stdout.close()
        self._errors.close()
        if kind is None and report:
            raise AssertionError(f'metricsd reported {report.group()}: see its stderr')
        if kind is None and status != 0 and not self._waived:
            raise AssertionError(f'metricsd ended with status {status}')


def connect(address, receive_buffer=None, timeout=WATCHDOG):
    """A connected socket to an address in the form that metricsd prints."""
    if address.startswith('unix:'):
        family, target = socket.AF_UNIX, address.removeprefix('unix:')
    else:
        host, _, port = address.rpartition(':')
        host = host.strip('[]')
        family, target = socket.AF_INET6 if ':' in host else socket.AF_INET, (host, int(port))
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if family != socket.AF_UNIX:
                # Segments as large as the loopback takes them would stall behind so small a window.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(target)
    except BaseException:
        sock.close()
        raise
    return sock


class Client:
    """One connection, byte by byte. `to` is a Server or the text of an address; what arrived and was not
    asked for yet waits in `buffer`."""

    def __init__(self, to, receive_buffer=None):
        self.sock = connect(to if isinstance(to, str) else to.address, receive_buffer)
        self.buffer = b''

    def send(self, data):
        self.sock.sendall(data)

    def _more(self, size=65536):
        data = self.sock.recv(size)
        if not data:
            raise EOFError(f'the server closed; before it came {self.buffer!r}')
        self.buffer += data

    def _take(self, size):
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def wait_for(self, size):
        """Until that much has come; it stays in the buffer."""
        while len(self.buffer) < size:
            self._more()

    def recv_exactly(self, size):
        self.wait_for(size)
        return self._take(size)

    def recv_some(self, size):
        """What has come, at least a byte and at most so many."""
        if not self.buffer:
            self._more(size)
        return self._take(size)

    def recv_reply(self):
        """One reply with its blank line; it is the first one, for no row is empty."""
        start = 0
        while (at := self.buffer.find(b'\n\n', start)) < 0:
            start = max(0, len(self.buffer) - 1)
            self._more()
        return self._take(at + 2)

    def recv_replies(self, count):
        """That many replies, in linear time however many they are."""
        chunks, seen, last = [self.buffer], self.buffer.count(b'\n\n'), self.buffer
        while seen < count:
            data = self.sock.recv(1 << 20)
            if not data:
                raise EOFError(f'the server closed after {seen} of {count} replies')
            # A blank line may be cut in two; three LF in a row do not occur.
            seen += data.count(b'\n\n') + (last.endswith(b'\n') and data.startswith(b'\n'))
            chunks.append(data)
            last = data
        pieces = b''.join(chunks).split(b'\n\n')
        self.buffer = b'\n\n'.join(pieces[count:])
        return [piece + b'\n\n' for piece in pieces[:count]]

    def recv_all(self):
        """Everything until the server closes."""
        chunks = [self._take(len(self.buffer))]
        while chunk := self.sock.recv(1 << 20):
            chunks.append(chunk)
        return b''.join(chunks)

    def expect_eof(self):
        """The server closes in order and sends nothing more; a reset raises ConnectionResetError."""
        rest = self.recv_all()
        if rest:
            raise AssertionError(f'{rest[:1000]!r} came before the end')

    def expect_closed(self):
        """The server ends the connection, in order or by a reset, and sends nothing more."""
        try:
            self.expect_eof()
        except (ConnectionResetError, BrokenPipeError):
            pass

    def expect_silence(self):
        """Nothing more has been said than was taken: the answer to a `ping` is the next thing to come."""
        reply = self.ask(b'ping')
        if reply != OK:
            raise AssertionError(f'{reply!r} was left over')

    def ask(self, line):
        """The raw reply to one request (without its LF)."""
        self.send(line + b'\n')
        return self.recv_reply()

    def rows(self, line):
        """The rows of an `ok` reply, without their LF."""
        reply = self.ask(line)
        if not reply.startswith(b'ok\n'):
            raise AssertionError(f'{line!r} was answered {reply!r}')
        return reply[3:-1].splitlines()

    def put(self, key, value, time):
        """Puts a point; str or bytes, or a number."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in (key, value, time)]
        reply = self.ask(b'put ' + b' '.join(words))
        if reply != OK:
            raise AssertionError(f'put {words!r} was answered {reply!r}')

    def put_many(self, lines):
        """Sends complete request lines as one stream, all of which must be answered `ok`. The replies are
        read meanwhile, so that neither side waits for the other."""
        data = memoryview(b''.join(lines))
        want, got, sent = len(OK) * len(lines), bytearray(), 0
        while len(got) < want:
            readable, writable, _ = select.select(
                [self.sock], [self.sock] if sent < len(data) else [], [], WATCHDOG)
            if not readable and not writable:
                raise AssertionError('the server neither reads nor answers')
            if writable:
                sent += self.sock.send(data[sent:sent + 65536])
            if readable:
                chunk = self.sock.recv(1 << 20)
                if not chunk:
                    raise EOFError('the server closed')
                got += chunk
        if got != OK * len(lines):
            raise AssertionError('a put was not answered ok')

    def stats(self):
        return {name.decode(): int(value) for name, value in (row.split() for row in self.rows(b'stats'))}

    def half_close(self):
        """Says that nothing more is sent, and goes on reading."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with RST, whatever is unread or unsent."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class TestCase(unittest.TestCase):
    """A test whose servers and clients end with it."""

    maxDiff = 4096

    def start(self, *options, **arguments):
        return self.enterContext(Server(*options, **arguments))

    def client(self, to, **arguments):
        return self.enterContext(Client(to, **arguments))


def main():
    """Runs the tests of the program, or those that its arguments name, and writes TAP for meson."""
    from tap.runner import TAPTestRunner

    loader = unittest.defaultTestLoader
    module = sys.modules['__main__']
    tests = (loader.loadTestsFromNames(sys.argv[1:], module) if sys.argv[1:]
             else loader.loadTestsFromModule(module))
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup leaves it ignored, in all that is started here too
    sys.stdout.reconfigure(line_buffering=True)  # what was seen before a crash or a timeout counts
    runner = TAPTestRunner()
    runner.set_stream(True)
    sys.exit(not runner.run(tests).wasSuccessful())
