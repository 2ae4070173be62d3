# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl beside a test, and a server that answers its lines as the test says."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from ctl import REPORT, binary
from harness import WATCHDOG, wait_until


class Process:
    """A metricsctl that runs beside the test. Leaving the context ends it and fails on a sanitizer's report."""

    def __init__(self, *arguments, stdout=subprocess.DEVNULL):
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [binary(), *(str(argument) for argument in arguments)], stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=self._errors, env={**os.environ, 'LC_ALL': 'C.UTF-8', 'G_MESSAGES_DEBUG': 'all'})

    def errors(self):
        """What it wrote to stderr so far."""
        return os.pread(self._errors.fileno(), 1 << 24, 0).decode(errors='replace')

    def messages(self):
        """The lines that it wrote for people."""
        return [line for line in self.errors().splitlines() if line.startswith('metricsctl: ')]

    def wait_message(self, pattern, count=1):
        """Waits until its stderr holds the pattern so many times; the last match."""
        return wait_until(lambda: (matches := re.findall(pattern, self.errors()))[count - 1:] and matches[-1],
                          f'{pattern!r} on stderr')

    def send_signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(WATCHDOG * 2)

    def stop(self, number=signal.SIGTERM):
        """Sends a signal and returns the exit status."""
        self.send_signal(number)
        return self.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        errors = self.errors()
        self._errors.close()
        if report := REPORT.search(errors):
            raise AssertionError(f'metricsctl reported {report.group()}: {errors}')
        if kind:
            print(f'stderr of metricsctl:\n{errors[-4096:]}', file=sys.stderr, flush=True)


# Stands at the end of an answer: the connection is closed behind it. No answer has a NUL byte of its own.
CLOSE = b'\0'


class FakeServer:
    """Answers each line with what `answer(connection, nth, line)` returns, both counted from 0. A greeting is
    sent first. `lines` has a list for each connection."""

    def __init__(self, answer=lambda connection, nth, line: b'ok\n\n', port=0, greeting=lambda connection: b''):
        self._answer, self._greeting = answer, greeting
        self.lines = []
        self._listener = socket.create_server(('127.0.0.1', port))
        self.port = self._listener.getsockname()[1]
        self.address = f'127.0.0.1:{self.port}'
        self._sockets = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            self.lines.append([])
            thread = threading.Thread(target=self._serve, args=(sock, len(self.lines) - 1), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock, connection):
        try:
            sock.sendall(self._greeting(connection))
            with sock.makefile('rb') as stream:
                for nth, line in enumerate(stream):
                    self.lines[connection].append(line.decode().rstrip('\n'))
                    reply = self._answer(connection, nth, line.decode().rstrip('\n'))
                    sock.sendall(reply.removesuffix(CLOSE))
                    if reply.endswith(CLOSE):
                        break
            # Also where the client has ended it, as a server does. In order: what is still unread would turn the close
            # into a reset, which may overtake the answers.
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(1 << 16):
                pass
        except OSError:
            pass

    def all_lines(self):
        return [line for lines in list(self.lines) for line in list(lines)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # close() alone does not wake whoever waits in accept() or recv().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join()
        for sock in self._sockets:
            sock.close()


def free_port():
    """A port on which nobody listens."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]
