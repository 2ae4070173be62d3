# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsd on the session bus: its methods, their errors, and its life there."""

import errno
import math
import os
import socket
import subprocess
import tempfile

from bus import NAME, OPEN, PATH, WATCHDOG_MS, Bus, Caller, Gio, GLib, TestCase, main, parameters
from harness import NOWHERE, WATCHDOG, Client, Server, binary, prepare_child, run, wait_until


class Called(TestCase):
    """A server on a bus of its own, and somebody who calls it."""

    options = ()

    def setUp(self):
        self.dbus = self.bus()
        self.server = self.start('--session', *self.options, env=self.dbus.env)
        self.who = self.caller(self.dbus)


class Methods(Called):

    def test_point_is_put_and_got(self):
        self.who.put('room.temperature', 21.5, 1700000000)
        self.who.put('room.temperature', -0.1, -5)
        self.assertEqual([(-0.1, -5), (21.5, 1700000000)], self.who.call('Get', 's', 'room.temperature'))

    def test_later_value_takes_the_place(self):
        self.who.put('a', 1, 1)
        self.who.put('a', 2, 1)
        self.assertEqual([(2.0, 1)], self.who.call('Get', 's', 'a'))

    def test_unknown_key_has_no_points(self):
        self.assertEqual([], self.who.call('Get', 's', 'a'))

    def test_key_is_no_pattern(self):
        self.who.put('a*', 1, 1)
        self.who.put('ab', 2, 2)
        self.assertEqual([(1.0, 1)], self.who.call('Get', 's', 'a*'))

    def test_now_is_the_time_of_the_server(self):
        before = int(GLib.get_real_time() // 1000000)
        self.who.call('Put', 'sdx', 'a', 1, 0, options={'now': GLib.Variant('b', True)})
        self.who.call('PutMany', 'a(sdx)', [('b', 1, 0), ('c', 1, 7)], options={'now': GLib.Variant('b', True)})
        self.who.call('Put', 'sdx', 'd', 1, 3, options={'now': GLib.Variant('b', False)})
        after = int(GLib.get_real_time() // 1000000)
        times = {key: time for key, _, time in self.who.call('Last', 's', '*')}
        for key in 'abc':
            self.assertTrue(before <= times[key] <= after, times)
        self.assertEqual(3, times['d'])

    def test_many(self):
        points = [(f'k{i % 7}', i / 8, i) for i in range(10000)]
        self.assertIsNone(self.who.call('PutMany', 'a(sdx)', points))
        self.assertEqual([(value, time) for key, value, time in points if key == 'k3'],
                         self.who.call('Get', 's', 'k3'))
        self.assertIsNone(self.who.call('PutMany', 'a(sdx)', []))

    def test_range(self):
        self.who.call('PutMany', 'a(sdx)', [('a', 1, 1), ('a', 2, 2), ('a', 4, 3), ('b', 8, 2), ('c', 9, 9)])
        self.assertEqual([('a', [(2.0, 2), (4.0, 3)]), ('b', [(8.0, 2)])],
                         self.who.call('Range', 'sxxxs', '*', 2, 3, 0, ''))
        self.assertEqual([('a', [(1.0, 0), (3.0, 2)])], self.who.call('Range', 'sxxxs', 'a', *OPEN, 2, 'avg'))
        self.assertEqual([('a', [(3.0, 0)])], self.who.call('Range', 'sxxxs', '?', 0, 3, 10, 'count')[:1])
        self.assertEqual([], self.who.call('Range', 'sxxxs', '*', 3, 2, 0, ''))

    def test_last_and_keys(self):
        self.who.call('PutMany', 'a(sdx)', [('b', 1, 1), ('b', 2, 5), ('a', 4, 3), ('z', 4, 3)])
        self.assertEqual([('b', 2.0, 5), ('a', 4.0, 3), ('z', 4.0, 3)], self.who.call('Last', 's', '*'))
        self.assertEqual([('a', 4.0, 3)], self.who.call('Last', 's', 'a'))
        self.assertEqual([('b', 2, 1, 5), ('a', 1, 3, 3), ('z', 1, 3, 3)], self.who.call('Keys', 's', '*'))

    def test_delete(self):
        self.who.call('PutMany', 'a(sdx)', [('a', i, i) for i in range(10)] + [('b', 1, 1)])
        self.assertEqual(4, self.who.call('Delete', 'sxx', 'a', 2, 5))
        self.assertEqual(7, self.who.call('Delete', 'sxx', '*', *OPEN))
        self.assertEqual(0, self.who.call('Delete', 'sxx', '*', *OPEN))

    def test_stats_are_those_of_the_line_protocol(self):
        self.who.put('a', 1, 1)
        figures = self.who.stats()
        with self.who.open('OpenReader') as client:
            names = set(client.stats())
        self.assertEqual(names | {'bus_calls', 'bus_calls_in_progress'}, set(figures))
        self.assertEqual((1, 1, 0), (figures['points'], figures['series'], figures['bus_calls_in_progress']))
        self.assertGreater(self.who.stats()['bus_calls'], figures['bus_calls'])

    def test_flush_without_a_disk(self):
        self.assertIsNone(self.who.call('Flush'))

    def test_description(self):
        xml = self.who.call_to(NAME, PATH, 'org.freedesktop.DBus.Introspectable', 'Introspect')
        for method in ('Put', 'PutMany', 'Get', 'Range', 'Last', 'Keys', 'Delete', 'Stats', 'Flush', 'OpenReader',
                       'OpenWriter', 'Watch', 'Unwatch'):
            self.assertIn(f'<method name="{method}">', xml)


class Errors(Called):

    options = ('--series-limit', '3')

    def test_keys(self):
        for key in ('', '*', 'a b', 'a\tb', 'x' * 1025):
            self.assertRefused('InvalidKey', self.who.put, key, 1, 1)
            self.assertRefused('InvalidKey', self.who.call, 'Get', 's', key)
            self.assertRefused('InvalidKey', self.who.call, 'PutMany', 'a(sdx)', [(key, 1, 1)])
        self.assertEqual([], self.who.call('Keys', 's', '*'))

    def test_values(self):
        for value in (math.inf, -math.inf, math.nan):
            self.assertRefused('InvalidValue', self.who.put, 'a', value, 1)
        self.assertEqual([], self.who.call('Get', 's', 'a'))

    def test_patterns(self):
        for pattern in ('', 'a\\', 'x' * 1025):
            for call in (('Last', 's', pattern), ('Keys', 's', pattern), ('Delete', 'sxx', pattern, *OPEN),
                         ('Range', 'sxxxs', pattern, *OPEN, 0, '')):
                self.assertRefused('InvalidPattern', self.who.call, *call)

    def test_buckets(self):
        for step, function in ((-1, 'avg'), (-1, ''), (0, 'avg'), (1, ''), (1, 'mean'), (1, 'AVG')):
            self.assertRefused('InvalidArgument', self.who.call, 'Range', 'sxxxs', '*', *OPEN, step, function)

    def test_options(self):
        calls = [('Put', 'sdx', 'a', 1, 1), ('PutMany', 'a(sdx)', [('a', 1, 1)]), ('Get', 's', 'a'),
                 ('Range', 'sxxxs', '*', *OPEN, 0, ''), ('Last', 's', '*'), ('Keys', 's', '*'),
                 ('Delete', 'sxx', '*', *OPEN), ('Stats',), ('Flush',), ('OpenReader',), ('OpenWriter',)]
        for call in calls:
            message = self.assertRefused('InvalidArgument', self.who.call, *call,
                                         options={'later': GLib.Variant('b', True)})
            self.assertIn("'later'", message)
        message = self.assertRefused('InvalidArgument', self.who.call, 'Put', 'sdx', 'a', 1, 1,
                                     options={'now': GLib.Variant('s', 'yes')})
        self.assertIn("'now'", message)
        self.assertEqual([], self.who.call('Keys', 's', '*'))

    def test_types_are_the_bus_library_s(self):
        self.assertRefused('org.freedesktop.DBus.Error.InvalidArgs', self.who.call, 'Put', 'sds', 'a', 1, 'now')
        self.assertRefused('org.freedesktop.DBus.Error.UnknownMethod', self.who.call, 'Drop')

    def test_many_are_put_or_none(self):
        for wrong, name in ((('a b', 1, 1), 'InvalidKey'), (('a', math.nan, 1), 'InvalidValue')):
            points = [('a', i, i) for i in range(20000)]
            points[17001] = wrong
            message = self.assertRefused(name, self.who.call, 'PutMany', 'a(sdx)', points)
            self.assertTrue(message.startswith('points[17001]: '), message)
            self.assertEqual([], self.who.call('Keys', 's', '*'))

    def test_series_limit(self):
        points = [(key, 1, 1) for key in 'abcdef']
        message = self.assertRefused('LimitReached', self.who.call, 'PutMany', 'a(sdx)', points)
        self.assertTrue(message.startswith('points[3]: '), message)
        self.assertEqual(['a', 'b', 'c'], [row[0] for row in self.who.call('Keys', 's', '*')])
        self.assertRefused('LimitReached', self.who.put, 'd', 1, 1)
        self.assertRegex(self.server.errors(), r'a point of client :[0-9.]+ is refused: the limit of 3 series is reached')

    def test_too_many_points(self):
        points = [('a', 1, 1)] * 100001
        self.assertRefused('LimitReached', self.who.call, 'PutMany', 'a(sdx)', points)
        self.assertEqual([], self.who.call('Keys', 's', '*'))
        self.assertIsNone(self.who.call('PutMany', 'a(sdx)', points[1:]))


class Retention(TestCase):

    def test_old_points(self):
        bus = self.bus()
        with tempfile.NamedTemporaryFile('w', suffix='.conf') as config:
            config.write('[retention]\nold.*=1d\n')
            config.flush()
            self.start('--session', '--config', config.name, env=bus.env)
            caller = self.caller(bus)
            caller.put('new.a', 1, 1)
            self.assertRefused('TooOld', caller.put, 'old.a', 1, 1)
            message = self.assertRefused('TooOld', caller.call, 'PutMany', 'a(sdx)', [('new.b', 1, 1), ('old.a', 1, 1)])
            self.assertTrue(message.startswith('points[1]: '), message)
            self.assertEqual(['new.a'], [row[0] for row in caller.call('Keys', 's', '*')])


class Large(Called):

    options = ('--memory-limit', '256M')

    def count(self, start, end):
        """The number of points of a large answer, which takes seconds to unpack."""
        reply = self.who.connection.call_sync(NAME, PATH, NAME, 'Range', parameters('sxxxs', ('a', start, end, 0, ''), None), None,
                                              Gio.DBusCallFlags.NONE, WATCHDOG_MS, None)
        return reply.get_child_value(0).get_child_value(0).get_child_value(1).n_children()

    def test_large_answers(self):
        n = 1100000  # over 16 MiB at 16 bytes each
        with self.who.open('OpenWriter') as client:
            client.put_many([b'put a %d %d\n' % (i % 1000, i) for i in range(n)])
        pending = self.who.begin('Get', 's', 'a')
        self.who.put('b', 1, 1)
        self.assertRefused('LimitReached', pending.result)
        half = self.who.call('Range', 'sxxxs', 'a', 0, n // 2 - 1, 0, '')
        self.assertEqual([('a', [(i % 1000, i) for i in range(n // 2)])], half)
        # Nothing is counted of those that are gone.
        for _ in range(5):
            self.assertEqual(n // 2, self.count(n // 2, n - 1))
        with self.who.open('OpenReader') as client:
            self.assertEqual(n, len(client.rows(b'get a')))

    def test_many_series(self):
        keys = [f'series.{i}' for i in range(20000)]
        self.who.call('PutMany', 'a(sdx)', [(key, 1, i) for i, key in enumerate(keys)])
        self.assertEqual([(key, 1.0, i) for i, key in enumerate(keys)], self.who.call('Last', 's', '*'))
        self.assertEqual([(key, 1, i, i) for i, key in enumerate(keys)], self.who.call('Keys', 's', '*'))
        self.assertEqual([(key, [(1.0, i)]) for i, key in enumerate(keys)],
                         self.who.call('Range', 'sxxxs', '*', *OPEN, 0, ''))


class Leaving(Called):

    # A slice is a thousandth of what is asked for.
    options = ('--slice-limit', '64')

    def test_calls_of_who_leaves_are_given_up(self):
        """They stand between two slices when the bus says that their caller is gone."""
        n = 100000
        with self.who.open('OpenWriter') as client:
            client.put_many([b'put a %d %d\n' % (i, i) for i in range(n)])
        with Caller(self.dbus) as other:
            with self.server.paused():
                for method, *arguments in (('Get', 's', 'a'), ('Range', 'sxxxs', '*', *OPEN, 100, 'p99'),
                                           ('Delete', 'sxx', 'a', 0, n // 2),
                                           ('PutMany', 'a(sdx)', [('b', i, i) for i in range(n)])):
                    other.begin(method, *arguments)
                other.connection.flush_sync(None)
                # What comes behind these comes to the bus when it has passed them on.
                other.owner()
                other.close()
        wait_until(lambda: self.who.stats()['bus_calls_in_progress'] == 0, 'the end of the calls')
        self.assertEqual([], self.who.call('Get', 's', 'b'))


class Sockets(Called):

    options = ('--connection-limit', '3')

    def test_reader_reads(self):
        self.who.put('a', 1, 1)
        with self.who.open('OpenReader') as client:
            self.assertFalse(client.was_blocking)
            self.assertEqual([b'a 1.0 1'], client.rows(b'get a'))
            for line in (b'put a 2 2', b'del a'):
                self.assertEqual(b'error\npermission denied\n\n', client.ask(line))
        self.assertEqual([(1.0, 1)], self.who.call('Get', 's', 'a'))
        # The log names who asked for the socket.
        name = self.who.connection.get_unique_name()
        self.assertIn(f"client {name} is refused: it does not have the right 'put'", self.server.errors())

    def test_writer_puts_and_on_the_session_bus_deletes(self):
        with self.who.open('OpenWriter') as client:
            client.put('a', 1, 1)
            self.assertEqual([(1.0, 1)], self.who.call('Get', 's', 'a'))
            self.assertEqual([b'1'], client.rows(b'del a'))

    def test_socket_outlives_its_caller(self):
        with Caller(self.dbus) as other:
            client = other.open('OpenWriter')
        with client:
            client.put('a', 1, 1)

    def test_they_are_clients_as_others(self):
        clients = [self.enterContext(self.who.open('OpenReader')) for _ in range(3)]
        self.assertEqual(3, self.who.stats()['connections'])
        with self.assertRaises(GLib.Error) as caught:
            self.who.open('OpenReader')
        self.assertIn('LimitReached: too many connections', caught.exception.message)
        self.assertIn('is refused: the limit of 3 connections is reached', self.server.errors())
        clients[0].close()
        wait_until(lambda: self.who.stats()['connections'] == 2, 'the end of a client')
        self.who.open('OpenReader').close()

    def test_they_end_with_the_server(self):
        client = self.enterContext(self.who.open('OpenReader'))
        self.assertEqual(0, self.server.stop())
        client.expect_eof()


class Properties(TestCase):

    def test_session_has_no_tcp(self):
        bus = self.bus()
        server = self.start('--session', env=bus.env)
        self.assertEqual([], server.addresses)
        self.assertEqual([], self.caller(bus).property('Addresses'))

    def test_addresses(self):
        bus = self.bus()
        with tempfile.TemporaryDirectory() as folder:
            server = self.start('--session', '--port', '0', '--listen', f'unix:{folder}/socket', env=bus.env)
            caller = self.caller(bus)
            self.assertEqual(3, len(server.addresses))
            self.assertEqual(server.addresses, caller.property('Addresses'))
            with Client(server.addresses[-1]) as client:
                client.put('a', 1, 1)
                client.put('a', 1, 2)
            self.assertEqual((1, 2), (caller.property('SeriesCount'), caller.property('PointCount')))
            version = run('--version').stdout.split()[1]
            self.assertEqual(version, caller.property('Version'))


class Life(TestCase):

    def folder(self):
        return self.enterContext(tempfile.TemporaryDirectory())

    def test_without_a_bus(self):
        result = run('--session', env={'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'})
        self.assertEqual(1, result.returncode)
        self.assertIn('metricsd: session bus: ', result.stderr)
        result = run('--system', '--port', '0', env={'DBUS_SYSTEM_BUS_ADDRESS': 'unix:path=/nonexistent'})
        self.assertEqual(1, result.returncode)
        self.assertIn('metricsd: system bus: ', result.stderr)

    def test_a_bus_that_says_nothing(self):
        """It takes connections, and a server that starts does not wait for ever."""
        path = os.path.join(self.folder(), 'bus')
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen()
            result = run('--session', env={'DBUS_SESSION_BUS_ADDRESS': f'unix:path={path}'})
        self.assertEqual(1, result.returncode)
        self.assertIn(f'metricsd: session bus: {os.strerror(errno.ETIMEDOUT)}\n', result.stderr)

    def test_one_bus_only(self):
        self.assertEqual(2, run('--session', '--system').returncode)

    def test_two_on_a_bus(self):
        bus = self.bus()
        self.start('--session', env=bus.env)
        result = run('--session', env=bus.env)
        self.assertEqual(1, result.returncode)
        self.assertIn('another server has the name org.metricsd.Metrics1', result.stderr)
        self.caller(bus).put('a', 1, 1)

    def test_two_on_two_buses(self):
        callers = []
        for _ in range(2):
            bus = self.bus()
            self.start('--session', env=bus.env)
            callers.append(self.caller(bus))
        callers[0].put('a', 1, 1)
        self.assertEqual(([(1.0, 1)], []), tuple(caller.call('Get', 's', 'a') for caller in callers))

    def test_points_last(self):
        bus, folder = self.bus(), self.folder()
        caller = self.caller(bus)
        with Server('--session', '--state-dir', folder, env=bus.env):
            caller.put('a', 1, 1)
        with Server('--session', '--state-dir', folder, env=bus.env):
            self.assertEqual([(1.0, 1)], caller.call('Get', 's', 'a'))

    def test_always_is_on_disk_when_it_is_answered(self):
        bus, folder = self.bus(), self.folder()
        caller = self.caller(bus)
        with Server('--session', '--state-dir', folder, '--durability', 'always', env=bus.env) as server:
            # With the one behind them as many as may be in progress, however slow the disk is.
            pending = [caller.begin('Put', 'sdx', 'a', i, i) for i in range(15)]
            caller.call('PutMany', 'a(sdx)', [('b', i, i) for i in range(1000)])
            for call in pending:
                call.result()
            server.kill()
        with Server('--session', '--state-dir', folder, env=bus.env):
            self.assertEqual((15, 1000), tuple(len(caller.call('Get', 's', key)) for key in 'ab'))

    def test_flush_brings_it_to_the_disk(self):
        bus, folder = self.bus(), self.folder()
        caller = self.caller(bus)
        with Server('--session', '--state-dir', folder, '--durability', 'none', env=bus.env) as server:
            caller.put('a', 1, 1)
            caller.call('Flush')
            caller.call('Flush')
            server.kill()
        with Server('--session', '--state-dir', folder, env=bus.env):
            self.assertEqual([(1.0, 1)], caller.call('Get', 's', 'a'))

    def test_what_is_answered_at_a_stop_is_there(self):
        bus, folder = self.bus(), self.folder()
        callers = [self.caller(bus) for _ in range(20)]
        with Server('--session', '--state-dir', folder, env=bus.env) as server:
            with server.paused():
                pending = [caller.begin('Put', 'sdx', f'k{i}', k, k) for i, caller in enumerate(callers)
                           for k in range(10)]
                # What the bus has confirmed after these has passed it on to the server.
                for caller in callers:
                    caller.owner()
                server.process.terminate()
            for call in pending:
                call.result()
            self.assertEqual(0, server.wait())
            self.assertIsNone(callers[0].owner())
        with Server('--session', '--state-dir', folder, env=bus.env):
            self.assertEqual([10] * 20, [row[1] for row in callers[0].call('Keys', 's', '*')])

    def test_a_stop_in_the_moment_in_which_it_has_the_name(self):
        """Calls may be there already, and are answered."""
        bus = self.bus()
        caller = self.caller(bus)
        for _ in range(20):
            process = subprocess.Popen([binary(), '--session', '--memory-only'], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                       env={**os.environ, **NOWHERE, **bus.env},
                                       preexec_fn=lambda: prepare_child(None))
            with process:
                while caller.owner() is None:  # wait_until() would sleep that moment away
                    self.assertIsNone(process.poll())
                process.terminate()
                errors = process.communicate(timeout=WATCHDOG)[1]
            self.assertEqual(0, process.returncode, errors)

    def test_end_of_the_session(self):
        folder = self.folder()
        with Bus() as bus, Server('--session', '--state-dir', folder, env=bus.env) as server:
            with Caller(bus) as caller:
                caller.put('a', 1, 1)
                bus.process.kill()
                self.assertEqual(0, server.wait())
        with Bus() as bus, Server('--session', '--state-dir', folder, env=bus.env), Caller(bus) as caller:
            self.assertEqual([(1.0, 1)], caller.call('Get', 's', 'a'))

    def test_commits_fail(self):
        """Where nothing can be written, who waits for the disk is told."""
        bus, folder = self.bus(), self.folder()
        caller = self.caller(bus)
        with Server('--session', '--state-dir', folder, '--durability', 'always', env=bus.env) as server:
            caller.put('a', 1, 1)
            os.rename(folder, folder + '.away')
            try:
                self.assertRefused('StorageFailed', caller.put, 'a', 2, 2)
                self.assertRefused('StorageFailed', caller.call, 'Flush')
                self.assertEqual([(1.0, 1), (2.0, 2)], caller.call('Get', 's', 'a'))
            finally:
                os.rename(folder + '.away', folder)
            wait_until(lambda: server.errors().count('works again'), 'that writing works again')
            caller.put('a', 3, 3)


if __name__ == '__main__':
    main()
