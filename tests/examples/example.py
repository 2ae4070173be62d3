# SPDX-License-Identifier: LGPL-2.1-or-later
"""The examples as their users run them.

    with Server() as server, Example('echo', metrics=server) as echo, echo.connect() as client:
        client.send(b'hello')
        assert client.recv_exactly(9) == b'GOT:hello'
        expect_figures(server, 'echo', requests=1)"""

import contextlib
import os
import pathlib
import re
import select
import signal
import subprocess
import tempfile
import time

from harness import NOWHERE, REPORT, START_WATCHDOG, WATCHDOG, Client, prepare_child, wait_until

# Where nobody listens: what an example does without metricsd.
NO_METRICSD = '127.0.0.1:1'


def program(name):
    """The example of that name."""
    return str(pathlib.Path(os.environ['EXAMPLES']) / name)


def command(name, options, metrics):
    """Its command line. `metrics` is a Server or an address, never what listens on this machine besides; False: the
    environment says it."""
    if metrics is False:
        return [program(name), *[str(option) for option in options]]
    address = NO_METRICSD if metrics is None else getattr(metrics, 'address', metrics)
    return [program(name), f'--metrics={address}', *[str(option) for option in options]]


def run(name, *options, metrics=None, input='', env=None):
    """Runs an example that ends by itself, and returns its CompletedProcess (with text)."""
    result = subprocess.run(command(name, options, metrics), input=input, capture_output=True, text=True, check=False,
                            timeout=WATCHDOG, env={**os.environ, **NOWHERE, **(env or {})},
                            preexec_fn=lambda: prepare_child(None))
    check_errors(name, result.stderr)
    return result


def check_errors(name, errors):
    report = REPORT.search(errors)
    if report:
        raise AssertionError(f'{name} reported {report.group()}:\n{errors[-8192:]}')


class Example:
    """A running example that serves. Without an option that says where, it listens on 127.0.0.1, on a free port; `ready` is
    the pattern of the last line that it writes when it starts. Leaving the context stops it, and fails on an exit status
    other than 0 and on a sanitizer's report."""

    def __init__(self, name, *options, metrics=None, env=None, preexec=None, ready=r'listening on (?P<address>\S+)', listens=True):
        self.name = name
        if listens and not any(str(option).startswith('--address') for option in options):
            options = ('--address=127.0.0.1:0', *options)
        self._errors = tempfile.TemporaryFile()
        self._waived = False
        self.output = b''
        self.process = subprocess.Popen(command(name, options, metrics), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self._errors, env={**os.environ, **NOWHERE, **(env or {})},
                                        preexec_fn=lambda: prepare_child(preexec))
        try:
            self.match = self.wait_for_output(ready)
        except BaseException:
            self.kill()
            raise
        self.address = self.match.groupdict().get('address')

    @property
    def port(self):
        return int(self.address.rpartition(':')[2])

    @property
    def pid(self):
        return self.process.pid

    def wait_for_output(self, pattern):
        """Until what it has written to standard output has a line that is as the pattern; returns the match."""
        end = time.monotonic() + START_WATCHDOG
        pattern = re.compile(f'(?m)^{pattern}$')
        while not (match := pattern.search(self.output.decode(errors='replace'))):
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f'{self.name} did not write {pattern.pattern!r} but {self.output!r}')
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f'{self.name} has ended; it wrote {self.output!r} and {self.errors()!r}')
            self.output += data
        return match

    def wait_for_errors(self, text):
        """Until it has written that to standard error."""
        wait_until(lambda: text in self.errors(), f'{text!r} of {self.name}')

    def connect(self, receive_buffer=None):
        """A new client, which sends and receives bytes."""
        return Client(self.address, receive_buffer)

    def errors(self):
        """What it has written to standard error so far."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors='replace')

    @contextlib.contextmanager
    def paused(self):
        """It does nothing meanwhile, and then finds all at once what came in between."""
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: self._status('State')[0] == 'T', 'the pause')
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def _status(self, field):
        status = pathlib.Path(f'/proc/{self.pid}/status').read_text()
        return re.search(f'(?m)^{field}:\\s+(.*)$', status).group(1)

    def rss(self):
        """The bytes of memory that it has resident now."""
        return int(self._status('VmRSS').split()[0]) * 1024

    def size(self):
        """The bytes of memory that it has mapped."""
        return int(self._status('VmSize').split()[0]) * 1024

    def n_descriptors(self):
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def kill(self):
        self._waived = True
        self.process.kill()
        self.process.wait()

    def stop(self, number=signal.SIGTERM):
        """Stops it as a person or a service manager does, and returns the exit status."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return self.process.wait(START_WATCHDOG)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            status = self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = 'none: it did not stop at SIGTERM'
        errors = self.errors()
        self.process.stdout.close()
        self._errors.close()
        if kind is not None:
            print(f'stderr of {self.name}:\n{errors[-8192:]}', flush=True)
            return
        check_errors(self.name, errors)
        if status != 0 and not self._waived:
            raise AssertionError(f'{self.name} ended with status {status}: {errors}')


def figures(server, name):
    """The last values of an example's series, by their names."""
    prefix = f'examples.{name}.'
    with Client(server) as client:
        rows = [row.decode().split() for row in client.rows(f'last {prefix}*'.encode())]
    return {key.removeprefix(prefix): float(value) for key, value, _ in rows}


def expect_figures(server, name, **expected):
    """Until the report has these values, and returns all: the numbers are exact, for they are totals."""
    def reported():
        now = figures(server, name)
        return now if {key: now.get(key) for key in expected} == expected else None
    try:
        return wait_until(reported)
    except AssertionError:
        raise AssertionError(f'examples.{name} has {figures(server, name)}, not {expected}') from None
