# SPDX-License-Identifier: LGPL-2.1-or-later
"""A message bus of the test's own, and those who call metricsd there.

    with Bus() as bus, Server('--session', env=bus.env) as server, Caller(bus) as caller:
        caller.put('a', 1.5, 100)"""

import contextlib
import os
import select
import shutil
import subprocess
import tempfile
import unittest

import gi

gi.require_version('Gio', '2.0')

from gi.repository import Gio, GLib  # noqa: E402

import harness  # noqa: E402

NAME = 'org.metricsd.Metrics1'
PATH = '/org/metricsd/Metrics1'
ERROR = 'org.metricsd.Metrics1.Error.'
OPEN = (-(1 << 63), (1 << 63) - 1)
WATCHDOG_MS = harness.WATCHDOG * 1000
NOBODY = 65534

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>{kind}</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
{policy}
</busconfig>
"""
SESSION_POLICY = """
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
"""
# As the system's, but for polkit, which is of the test's own.
SYSTEM_POLICY = """
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow own="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
"""


class Bus:
    """A dbus-daemon. `system` are policy files that a bus like the system's includes; none makes it like a session's.
    Its address stays the same if it is started again. `command` is what it starts when metricsd is called and is not
    there; the end of the context is that of such a server, and fails on what no healthy one writes."""

    def __init__(self, system=None, command=None):
        self._folder = tempfile.mkdtemp(prefix='bus-')
        os.chmod(self._folder, 0o755)
        self.path = os.path.join(self._folder, 'socket')
        self.address = f'unix:path={self.path}'
        self.env = {'DBUS_SYSTEM_BUS_ADDRESS' if system is not None else 'DBUS_SESSION_BUS_ADDRESS': self.address}
        self._kind = 'session' if system is None else 'system'
        self._policy = SESSION_POLICY if system is None else SYSTEM_POLICY + ''.join(
            f'<include>{file}</include>' for file in system)
        if system is not None and os.getuid() != 0:
            # The shipped policy knows root and metricsd, not who runs the test.
            self._policy += (f'<policy user="{os.getuid()}"><allow own="{NAME}"/>'
                             f'<allow send_destination="{NAME}"/></policy>')
        self._services = os.path.join(self._folder, 'services')
        os.mkdir(self._services)
        if command is not None:
            words = ' '.join(f'"{word}"' for word in command)
            with open(os.path.join(self._services, f'{NAME}.service'), 'w') as file:
                file.write(f'[D-BUS Service]\nName={NAME}\nExec={words}\n')
        self._errors = tempfile.TemporaryFile()
        self.process = None
        self.start()

    def start(self):
        config = os.path.join(self._folder, 'config')
        with open(config, 'w') as file:
            file.write(CONFIG.format(kind=self._kind, path=self.path, policy=self._policy, services=self._services))
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(['dbus-daemon', f'--config-file={config}', '--nofork', '--print-address=1'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors,
                                        preexec_fn=lambda: harness.prepare_child(None))
        if not select.select([self.process.stdout], [], [], harness.WATCHDOG)[0]:
            raise AssertionError('dbus-daemon does not start')
        if not self.process.stdout.readline():
            raise AssertionError('dbus-daemon did not start')

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def errors(self):
        """What it wrote to stderr so far, and the servers that it started."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors='replace')

    def close(self):
        pid = None
        with contextlib.suppress(GLib.Error), Caller(self) as caller:
            pid = caller.find_server()
        self.kill()
        harness.wait_until(lambda: pid is None or is_over(pid), 'the end of the server')
        shutil.rmtree(self._folder)
        errors = self.errors()
        self._errors.close()
        if harness.REPORT.search(errors):
            raise AssertionError(f'a server that the bus started wrote {errors}')

    def __exit__(self, *_):
        self.close()


def is_over(pid):
    """Whether a process is there no more, or only for whoever would know its status."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


class Refused(Exception):
    """A call was answered with an error: its name, and what it says."""

    def __init__(self, name, message):
        super().__init__(f'{name}: {message}')
        self.name = name
        self.message = message


class Pending:
    """A call that is not answered yet."""

    def __init__(self):
        self.is_done = False
        self._reply = None
        self._error = None

    def take(self, connection, result, _data=None):
        try:
            self._reply = connection.call_finish(result)
        except GLib.Error as error:
            self._error = error
        self.is_done = True

    def result(self):
        watchdog = GLib.timeout_add(WATCHDOG_MS, GLib.MainContext.wakeup, GLib.MainContext.default())
        while not self.is_done:
            GLib.MainContext.default().iteration(True)
        GLib.source_remove(watchdog)
        if self._error is not None:
            raise refusal(self._error)
        return unpack(self._reply)


def refusal(error):
    name = Gio.DBusError.get_remote_error(error)
    if name is None:
        return error
    return Refused(name, error.message.removeprefix(f'GDBus.Error:{name}: '))


def unpack(reply):
    values = reply.unpack()
    return values[0] if len(values) == 1 else values or None


class Caller:
    """Someone on the bus."""

    def __init__(self, bus):
        self.connection = Gio.DBusConnection.new_for_address_sync(
            bus if isinstance(bus, str) else bus.address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.connection.set_exit_on_close(False)

    def call_to(self, name, path, interface, method, parameters=None, timeout=WATCHDOG_MS):
        try:
            return unpack(self.connection.call_sync(name, path, interface, method, parameters, None,
                                                    Gio.DBusCallFlags.NONE, timeout, None))
        except GLib.Error as error:
            raise refusal(error) from None

    def call(self, method, signature='', *arguments, options=None):
        """Calls a method with its arguments, and options behind them."""
        return self.call_to(NAME, PATH, NAME, method, parameters(signature, arguments, options))

    def begin(self, method, signature='', *arguments, options=None):
        pending = Pending()
        self.connection.call(NAME, PATH, NAME, method, parameters(signature, arguments, options), None,
                             Gio.DBusCallFlags.NONE, WATCHDOG_MS, None, pending.take)
        return pending

    def property(self, name):
        return self.call_to(NAME, PATH, 'org.freedesktop.DBus.Properties', 'Get',
                            GLib.Variant('(ss)', (NAME, name)))

    def put(self, key, value, time):
        return self.call('Put', 'sdx', key, value, time)

    def stats(self):
        return self.call('Stats')

    def owner(self):
        """The unique name of the server; None where there is none."""
        try:
            return self.call_to('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                                'GetNameOwner', GLib.Variant('(s)', (NAME,)))
        except Refused:
            return None

    def find_server(self):
        """The process that has the name, or None."""
        try:
            return self.call_to('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
                                'GetConnectionUnixProcessID', GLib.Variant('(s)', (NAME,)))
        except Refused:
            return None

    def open(self, method):
        """A client of the line protocol, through a socket that is handed over."""
        reply, fds = self.connection.call_with_unix_fd_list_sync(
            NAME, PATH, NAME, method, parameters('', (), None), None, Gio.DBusCallFlags.NONE, WATCHDOG_MS, None, None)
        return Handed(fds.get(reply.unpack()[0]))

    def close(self):
        if not self.connection.is_closed():
            self.connection.close_sync(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Handed(harness.Client):
    """A client whose socket came over the bus."""

    def __init__(self, fd):
        import socket

        self.was_blocking = os.get_blocking(fd)
        self.sock = socket.socket(fileno=fd)
        self.sock.settimeout(harness.WATCHDOG)
        self.buffer = b''


class Watcher(Caller):
    """Someone who is told of points: what signals said is in `told`, as (id, points, dropped)."""

    def __init__(self, bus):
        super().__init__(bus)
        self.told = []
        # Whatever comes is wanted, also what is none of its own.
        self.connection.signal_subscribe(None, NAME, 'Points', None, None, Gio.DBusSignalFlags.NONE, self._points)

    def _points(self, _connection, _sender, _path, _interface, _signal, arguments):
        self.told.append(arguments.unpack())

    def watch(self, pattern, interval=100):
        return self.call('Watch', 'su', pattern, interval)

    def unwatch(self, number):
        return self.call('Unwatch', 't', number)

    def drain(self):
        """Whatever was sent to it before now."""
        self.owner()
        while GLib.MainContext.default().iteration(False):
            pass

    def wait_for_points(self, count):
        """All that it was told of, once that are so many or were dropped."""
        timed_out = []
        source = GLib.timeout_add(WATCHDOG_MS, lambda: timed_out.append(True) or GLib.SOURCE_CONTINUE)
        while sum(len(points) + dropped for _, points, dropped in self.told) < count:
            if timed_out:
                raise AssertionError(f'{count} points did not come')
            GLib.MainContext.default().iteration(True)
        GLib.source_remove(source)
        return [point for _, points, _ in self.told for point in points]


def parameters(signature, arguments, options):
    return GLib.Variant(f'({signature}a{{sv}})', (*arguments, options or {}))


def as_nobody(bus, *words, interactive=False):
    """`gdbus call` by somebody who is nobody; a process of which nothing is waited for."""
    command = ['gdbus', 'call', '--address', bus.address, '--dest', NAME, '--object-path', PATH,
               '--timeout', str(harness.WATCHDOG), *(['--interactive'] if interactive else []),
               '--method', *words]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, user=NOBODY, group=NOBODY, extra_groups=[])


def ask_as_nobody(bus, *words, interactive=False):
    """What that prints; an error is raised."""
    with as_nobody(bus, *words, interactive=interactive) as process:
        output, errors = process.communicate(timeout=harness.WATCHDOG * 2)
    if process.returncode == 0:
        return output.strip()
    name, _, message = errors.strip().removeprefix('Error: GDBus.Error:').partition(': ')
    raise Refused(name, message)


class TestCase(harness.TestCase):
    """A test whose buses and callers end with it."""

    def bus(self, **arguments):
        return self.enterContext(Bus(**arguments))

    def caller(self, bus):
        return self.enterContext(Caller(bus))

    def assertRefused(self, name, function, *arguments, **options):
        """The call is refused with that error; what it says is returned."""
        with self.assertRaises(Refused) as caught:
            function(*arguments, **options)
        self.assertEqual(name if '.' in name else ERROR + name, caught.exception.name)
        return caught.exception.message


def main():
    if shutil.which('dbus-daemon') is None:
        print('1..0 # SKIP there is no dbus-daemon')
    else:
        harness.main()


needs_root = unittest.skipUnless(os.getuid() == 0, 'only root can be somebody else')
