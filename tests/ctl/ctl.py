# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs metricsctl, into pipes or on a terminal, and servers that misbehave for it.

    result = Ctl(server).run('get', 'room.temperature')
    assert (result.status, result.out) == (0, 'room.temperature 21.5 100\\n')"""

import collections
import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import harness

Result = collections.namedtuple('Result', 'status out err')

# What a healthy program never writes.
REPORT = re.compile(r'(AddressSanitizer|LeakSanitizer|runtime error:|-(CRITICAL|WARNING) \*\*)')

# An hour east of Greenwich, so that local times differ from universal ones; nothing needs to be installed for it.
ZONE = 'TST-1'


def binary():
    """The metricsctl to test."""
    return os.environ['METRICSCTL']


class Ctl:
    """The command line for one server: a harness.Server, a Fake, the text of an address, or None for none."""

    def __init__(self, to=None, **env):
        self.env = {**os.environ, 'LC_ALL': 'C.UTF-8', 'TZ': ZONE, 'TERM': 'xterm'}
        self.env.pop('METRICSD_ADDRESS', None)
        if to is not None:
            self.env['METRICSD_ADDRESS'] = to if isinstance(to, str) else to.address
        self.env.update(env)

    def start(self, *words, **arguments):
        """The process, with pipes."""
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return subprocess.Popen([binary(), *words], env=self.env, **{**pipes, **arguments})

    def run(self, *words, stdin=b'', **arguments):
        """Runs it to its end; `stdin` is what it reads, or a file."""
        if isinstance(stdin, str):
            stdin = stdin.encode()
        if not isinstance(stdin, bytes):
            arguments['stdin'], stdin = stdin, None
        with self.start(*words, **arguments) as process:
            return finish(process, stdin)


def finish(process, stdin=None):
    """Waits for the end of a process and checks that it was a healthy one."""
    try:
        out, err = process.communicate(stdin, timeout=harness.START_WATCHDOG * 3)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    err = (err or b'').decode()
    if REPORT.search(err):
        raise AssertionError(err)
    return Result(process.returncode, (out or b'').decode(), err)


class Terminal:
    """metricsctl on a terminal of its own: all three streams, but for those that arguments say otherwise."""

    def __init__(self, ctl, *words, columns=80, **arguments):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        streams = {name: slave for name in ('stdin', 'stdout', 'stderr')}
        try:
            self.process = ctl.start(*words, start_new_session=True, **{**streams, **arguments})
        finally:
            os.close(slave)
        self.shown = ''

    def _read(self):
        if not select.select([self.master], [], [], harness.WATCHDOG)[0]:
            raise AssertionError(f'nothing more is shown after {self.shown!r}')
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the last process that had it open has ended
            return False
        self.shown += data.decode()
        return bool(data)

    def expect(self, text):
        """Reads until a text is shown."""
        while text not in self.shown:
            if not self._read():
                raise AssertionError(f'{text!r} was not shown but {self.shown!r}')

    def type(self, text):
        os.write(self.master, text.encode())

    def finish(self):
        """Reads to the end; the exit status and all that was shown, with plain line feeds."""
        while self._read():
            pass
        os.close(self.master)
        status = self.process.wait(harness.WATCHDOG)
        if REPORT.search(self.shown):
            raise AssertionError(self.shown)
        return Result(status, self.shown.replace('\r\n', '\n'), '')


class Fake:
    """A server that does what a test says: `script` is called with the connected socket, in a thread."""

    def __init__(self, script):
        self._listener = socket.create_server(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(script,), daemon=True)
        self._thread.start()

    def _serve(self, script):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(harness.WATCHDOG)
                try:
                    script(sock)
                except (ConnectionError, socket.timeout):
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Wakes the thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(harness.WATCHDOG)


def read_lines(sock, count):
    """Reads that many lines and returns what came behind them."""
    data = b''
    while data.count(b'\n') < count:
        chunk = sock.recv(65536)
        if not chunk:
            raise EOFError(data[:100])
        data += chunk
    return data.split(b'\n', count)[count]


def wait_for_close(sock):
    while sock.recv(65536):
        pass


class TestCase(harness.TestCase):
    """A test with servers and command lines for them; `self.server` and `self.ctl` come when first asked for."""

    _server = None

    @property
    def server(self):
        if self._server is None:
            self._server = self.start()
        return self._server

    @property
    def ctl(self):
        return Ctl(self.server)

    def fake(self, script):
        return self.enterContext(Fake(script))

    def put(self, *rows):
        with harness.Client(self.server) as client:
            for row in rows:
                client.put(*row.split())

    def stored(self):
        """All rows of the server."""
        with harness.Client(self.server) as client:
            return [row.decode() for row in client.rows(b'get *')]

    def check(self, result, out='', status=0, err=None):
        """Compares a result; where it is a success, standard error is to be empty, or `err`."""
        self.assertEqual((result.status, result.out), (status, out), result.err)
        if err is not None or status == 0:
            self.assertEqual(result.err, err or '')

    def check_usage_error(self, result, text):
        """A bad command line: nothing on standard output, what is bad and where the help is on standard error."""
        self.assertEqual((result.status, result.out), (2, ''))
        self.assertIn(text, result.err)
        self.assertRegex(result.err, r"\ATry|\nTry 'metricsctl.* --help'\.\n\Z")
