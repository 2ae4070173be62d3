# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bus of the test's own, which starts servers when they are called where it is told how, and callers on it."""

import os
import pathlib
import socket
import subprocess
import tempfile

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

from harness import REPORT, WATCHDOG, prepare_child, wait_until  # noqa: E402

NAME = 'org.metricsd.Metrics1'
PATH = '/org/metricsd/Metrics1'
ERROR = NAME + '.Error.'

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{services}</servicedir>
  <policy context="default">
    {policy}
  </policy>
</busconfig>
"""
# As the session's, and as the system's: there only what is allowed can be called.
OPEN = '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>'
STRICT = """<allow user="*"/><deny own="*"/><deny send_type="method_call"/><allow own="{name}"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
    <allow receive_type="signal"/><allow send_destination="org.freedesktop.DBus"/><allow send_destination="{name}"/>""".format(name=NAME)


class Bus:
    """A running dbus-daemon. `command` is what it starts when the server is called that is not there. Closing it waits
    for the end of the one that runs then, and fails on what no healthy server writes."""

    def __init__(self, command=None, policy=OPEN):
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        services = folder / 'services'
        services.mkdir()
        (folder / 'bus.conf').write_text(CONFIG.format(folder=folder, services=services, policy=policy))
        if command is not None:
            words = ' '.join(f'"{word}"' for word in command)
            (services / f'{NAME}.service').write_text(f'[D-BUS Service]\nName={NAME}\nExec={words}\n')
        self._errors = tempfile.TemporaryFile()
        self._daemon = subprocess.Popen(
            ['dbus-daemon', f'--config-file={folder / "bus.conf"}', '--nofork', '--print-address'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            preexec_fn=lambda: prepare_child(None))
        self.address = self._daemon.stdout.readline().strip()
        self.env = {'DBUS_SESSION_BUS_ADDRESS': self.address}

    def errors(self):
        """What it wrote to stderr so far, and the servers that it started."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors='replace')

    def close(self):
        caller = Caller(self)
        pid = caller.find_server()
        caller.close()
        self._daemon.terminate()
        self._daemon.wait()
        self._daemon.stdout.close()
        wait_until(lambda: pid is None or is_over(pid), 'the end of the server')
        errors = self.errors()
        self._errors.close()
        self._folder.cleanup()
        if REPORT.search(errors):
            raise AssertionError(f'a server that the bus started wrote {errors}')


class Caller:
    """Someone on a bus. What it is told by signals is in `told`, as (id, points, dropped)."""

    def __init__(self, bus):
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.connection = Gio.DBusConnection.new_for_address_sync(bus.address, flags, None, None)
        self.told = []
        # Whatever comes is wanted, also what is none of its own.
        self.connection.signal_subscribe(None, NAME, 'Points', None, None, Gio.DBusSignalFlags.NONE, self._points)

    def _points(self, _connection, _sender, _path, _interface, _signal, arguments):
        self.told.append(arguments.unpack())

    def call(self, method, types='', *arguments, to=NAME, options=None):
        """What a method returns: nothing, one value, or a tuple of several."""
        values = GLib.Variant(f'({types}a{{sv}})', (*arguments, options or {}))
        reply = self.connection.call_sync(to, PATH, NAME, method, values, None, Gio.DBusCallFlags.NONE,
                                          WATCHDOG * 1000, None).unpack()
        return reply[0] if len(reply) == 1 else reply or None

    def ask_bus(self, method, types=None, *arguments):
        """What the bus itself returns."""
        return self.connection.call_sync(
            'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', method,
            GLib.Variant(types, arguments) if types else None, None, Gio.DBusCallFlags.NONE, WATCHDOG * 1000, None).unpack()[0]

    def open(self, method):
        """The socket that a method returns."""
        _, descriptors = self.connection.call_with_unix_fd_list_sync(
            NAME, PATH, NAME, method, GLib.Variant('(a{sv})', ({},)), None, Gio.DBusCallFlags.NONE, WATCHDOG * 1000, None,
            None)
        return socket.socket(fileno=descriptors.get(0))

    def find_server(self):
        """The process that has the name, or None."""
        try:
            return self.ask_bus('GetConnectionUnixProcessID', '(s)', NAME)
        except GLib.Error:
            return None

    def watch(self, pattern, interval=100):
        return self.call('Watch', 'su', pattern, interval)

    def unwatch(self, number):
        return self.call('Unwatch', 't', number)

    def wait_until(self, condition, what):
        """Lets signals come until something is so."""
        timed_out = []
        source = GLib.timeout_add_seconds(WATCHDOG, lambda: timed_out.append(True) or GLib.SOURCE_CONTINUE)
        try:
            while not condition():
                if timed_out:
                    raise AssertionError(f'{what} did not come about')
                GLib.MainContext.default().iteration(True)
        finally:
            GLib.source_remove(source)

    def wait_for_points(self, count):
        """All that it was told of, once that are so many or were dropped."""
        self.wait_until(lambda: self.count() >= count, f'{count} points')
        return [point for _, points, _ in self.told for point in points]

    def count(self):
        return sum(len(points) + dropped for _, points, dropped in self.told)

    def close(self):
        self.connection.close_sync(None)


def is_over(pid):
    """Whether a process is there no more, or only for whoever would know its status."""
    try:
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] == 'Z'
    except FileNotFoundError:
        return True


def error_name(error):
    """The last word of the name of an error of the server's own."""
    name = Gio.DBusError.get_remote_error(error) or ''
    return name.removeprefix(ERROR)
