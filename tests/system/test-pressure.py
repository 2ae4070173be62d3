#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A system that is short of memory says so on its bus: what is on disk leaves the server's memory, and comes back when it
is asked for. The bus is a real one of the test's own; what speaks on it stands in for low-memory-monitor."""

import random
import shutil
import subprocess
import tempfile
import unittest

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

from harness import TestCase, main, wait_until  # noqa: E402

NAME = 'org.freedesktop.LowMemoryMonitor'
PATH = '/org/freedesktop/LowMemoryMonitor'
LOW, MEDIUM, CRITICAL = 50, 100, 255
N_SERIES = 50
N_POINTS = 2000


class Bus:
    """A bus, and who warns on it."""

    def __init__(self):
        self.daemon = subprocess.Popen(['dbus-daemon', '--session', '--nofork', '--print-address'], stdout=subprocess.PIPE,
                                       text=True)
        self.address = self.daemon.stdout.readline().strip()
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
        self.connection = Gio.DBusConnection.new_for_address_sync(self.address, flags, None, None)
        self.call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName', GLib.Variant('(su)', (NAME, 0)))

    def call(self, *arguments):
        return self.connection.call_sync(*arguments, None, Gio.DBusCallFlags.NONE, 10_000, None)

    def warn(self, level):
        self.connection.emit_signal(None, PATH, NAME, 'LowMemoryWarning', GLib.Variant('(y)', (level,)))
        self.connection.flush_sync(None)

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()

    def close(self):
        self.kill()
        self.daemon.stdout.close()


@unittest.skipUnless(shutil.which('dbus-daemon'), 'no dbus-daemon')
class PressureTest(TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.bus = Bus()
        self.addCleanup(self.bus.close)

    def start_filled(self):
        server = self.start(memory_only=False, env={'DBUS_SYSTEM_BUS_ADDRESS': self.bus.address, 'STATE_DIRECTORY': self.folder})
        client = self.client(server)
        generator = random.Random(4)
        client.put_many([b'put k%d %s %d\n' % (k, repr(generator.random()).encode(), i) for i in range(N_POINTS) for k in range(N_SERIES)])
        return server, client

    def warn_until(self, level, condition, what):
        """Again and again, as low-memory-monitor does: the server may have begun to listen only after the first."""
        wait_until(lambda: self.bus.warn(level) or condition(), what)

    def test_what_is_on_disk_leaves_and_comes_back(self):
        server, client = self.start_filled()
        everything = client.ask(b'get *')
        points = client.stats()['points']
        before = client.stats()['memory']
        self.warn_until(CRITICAL, lambda: client.stats()['memory'] < before / 4, 'memory to be given back')
        self.assertEqual(client.stats()['points'], points)
        self.assertEqual(client.ask(b'get *'), everything)
        client.put('k0', 1, -1)
        self.assertTrue(client.ask(b'get k0').startswith(b'ok\nk0 1.0 -1\nk0 '))
        self.assertEqual(server.stop(), 0)

    def test_end_of_the_bus_is_not_that_of_the_server(self):
        """GLib listens by a connection whose end ends the process, if nobody says otherwise."""
        _, client = self.start_filled()
        before = client.stats()['memory']
        self.warn_until(CRITICAL, lambda: client.stats()['memory'] < before / 4, 'memory to be given back')
        self.bus.kill()
        # A process that would end now has done so before its next commits.
        for i in range(3):
            commits = client.stats()['commits']
            client.put('k0', 1, i)
            wait_until(lambda before=commits: client.stats()['commits'] > before, 'a commit')


if __name__ == '__main__':
    main()
