# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bus of the test's own, which starts servers when they are called where it is told how, and callers on it."""

import os
import pathlib
import subprocess
import tempfile

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

from harness import WATCHDOG  # noqa: E402

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
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


class Bus:
    """A running dbus-daemon. `command` is what it starts when the server is called that is not there."""

    def __init__(self, command=None, env=None):
        self._folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._folder.name)
        services = folder / 'services'
        services.mkdir()
        (folder / 'bus.conf').write_text(CONFIG.format(folder=folder, services=services))
        if command is not None:
            words = ' '.join(f'"{word}"' for word in command)
            (services / f'{NAME}.service').write_text(f'[D-BUS Service]\nName={NAME}\nExec={words}\n')
        self._daemon = subprocess.Popen(
            ['dbus-daemon', f'--config-file={folder / "bus.conf"}', '--nofork', '--print-address'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.address = self._daemon.stdout.readline().strip()
        self.env = {'DBUS_SESSION_BUS_ADDRESS': self.address}

    def close(self):
        self._daemon.terminate()
        self._daemon.wait()
        self._daemon.stdout.close()
        self._folder.cleanup()


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


def error_name(error):
    """The last word of the name of an error of the server's own."""
    name = Gio.DBusError.get_remote_error(error) or ''
    return name.removeprefix(ERROR)
