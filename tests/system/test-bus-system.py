# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsd on the system bus: who may do what there, by the policy that is shipped and by polkit; and a bus that goes
and comes back."""

import contextlib
import os
import select
import signal
import subprocess
import sys

from bus import (NAME, OPEN, PATH, WATCHDOG_MS, Caller, Gio, GLib, TestCase, as_nobody, ask_as_nobody, main, needs_root,
                 parameters)
from harness import SANITIZED, WATCHDOG, Client, prepare_child, wait_until

DENIED = 'org.freedesktop.DBus.Error.AccessDenied'
POLICY = os.environ['METRICSD_BUS_POLICY']
EVERYONE = os.environ['METRICSD_BUS_EVERYONE']
DELETE = (f'{NAME}.Delete', 'a', '0', '100', '{}')
FLUSH = (f'{NAME}.Flush', '{}')
PUT = (f'{NAME}.Put', 'a', '1', '1', '{}')


class Polkit:
    """A polkit of the test's own."""

    def __init__(self, bus, answer):
        self._process = subprocess.Popen(
            [sys.executable, os.path.join(os.path.dirname(__file__), 'fakepolkit.py'), bus.address, answer],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0, preexec_fn=lambda: prepare_child(None))
        self.expect('ready')

    def expect(self, word):
        """The words of the next line, of which that is the first one."""
        if not select.select([self._process.stdout], [], [], WATCHDOG)[0]:
            raise AssertionError(f'polkit was not asked to {word}')
        words = self._process.stdout.readline().decode().split()
        if words[:1] != [word]:
            raise AssertionError(f'polkit was asked {words}, not to {word}')
        return words

    def expect_any(self):
        """The words of the next line."""
        if not select.select([self._process.stdout], [], [], WATCHDOG)[0]:
            raise AssertionError('polkit was not asked')
        return self._process.stdout.readline().decode().split()

    def was_asked(self):
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class System(TestCase):

    policy = (POLICY,)

    def setUp(self):
        self.dbus = self.bus(system=self.policy)
        self.server = self.start('--system', '--port', '0', env=self.dbus.env)
        self.who = self.caller(self.dbus)
        self.who.call('PutMany', 'a(sdx)', [('a', i, i) for i in range(1, 4)])

    def polkit(self, answer):
        return self.enterContext(Polkit(self.dbus, answer))

    def left(self):
        return len(self.who.call('Get', 's', 'a'))


class Policy(System):

    @needs_root
    def test_everybody_reads(self):
        self.assertIn('1.0', ask_as_nobody(self.dbus, f'{NAME}.Get', 'a', '{}'))
        self.assertIn("'a'", ask_as_nobody(self.dbus, f'{NAME}.Last', '*', '{}'))
        self.assertIn('points', ask_as_nobody(self.dbus, f'{NAME}.Stats', '{}'))
        self.assertIn('handle', ask_as_nobody(self.dbus, f'{NAME}.OpenReader', '{}'))
        self.assertIn('Version', ask_as_nobody(self.dbus, 'org.freedesktop.DBus.Properties.GetAll', NAME))

    @needs_root
    def test_not_everybody_puts(self):
        for call in (PUT, (f'{NAME}.PutMany', '[("a", 1, 1)]', '{}'), (f'{NAME}.OpenWriter', '{}')):
            self.assertRefused(DENIED, ask_as_nobody, self.dbus, *call)
        self.assertEqual(3, self.left())

    def test_who_runs_it_does_everything(self):
        with self.polkit('no') as polkit:
            self.assertIsNone(self.who.call('Flush'))
            self.assertEqual(1, self.who.call('Delete', 'sxx', 'a', 1, 1))
            with self.who.open('OpenWriter') as client:
                self.assertEqual([b'2'], client.rows(b'del a'))
            self.assertFalse(polkit.was_asked())


class Everyone(System):

    policy = (POLICY, EVERYONE)

    @needs_root
    def test_everybody_puts(self):
        self.assertEqual('()', ask_as_nobody(self.dbus, f'{NAME}.Put', 'a', '9', '9', '{}'))
        self.assertEqual(4, self.left())

    @needs_root
    def test_socket_of_nobody_cannot_delete(self):
        # The caller leaves, and its socket with it: so it is asked for by a program that stays.
        program = ('import sys, bus\n'
                   'with bus.Caller(sys.argv[1]) as caller, caller.open("OpenWriter") as client:\n'
                   '    print(client.ask(b"put a 9 9"), client.ask(b"del a"))\n')
        result = subprocess.run([sys.executable, '-c', program, self.dbus.address], user=65534, group=65534,
                                extra_groups=[], stdout=subprocess.PIPE, text=True, timeout=WATCHDOG,
                                env={**os.environ, 'PYTHONPATH': os.path.dirname(__file__)}, check=True)
        self.assertEqual(r"b'ok\n\n' b'error\npermission denied\n\n'", result.stdout.strip())
        self.assertEqual(4, self.left())


class Asked(System):
    """What nobody may do, polkit decides."""

    @needs_root
    def test_yes(self):
        with self.polkit('yes') as polkit:
            self.assertEqual('(uint64 3,)', ask_as_nobody(self.dbus, *DELETE))
            words = polkit.expect('check')
            self.assertEqual(('org.metricsd.Metrics1.delete', ':', '0'), (words[1], words[2][0], words[3]))
            self.assertEqual('()', ask_as_nobody(self.dbus, *FLUSH))
            self.assertEqual('org.metricsd.Metrics1.flush', polkit.expect('check')[1])
        self.assertEqual(0, self.left())

    @needs_root
    def test_a_human_is_asked_where_the_caller_says_so(self):
        with self.polkit('yes') as polkit:
            ask_as_nobody(self.dbus, *DELETE, interactive=True)
            self.assertEqual('1', polkit.expect('check')[3])

    @needs_root
    def test_everything_else_is_no(self):
        for answer in ('no', 'challenge', 'error'):
            with self.polkit(answer):
                for call in (DELETE, FLUSH):
                    self.assertRefused('PermissionDenied', ask_as_nobody, self.dbus, *call)
        self.assertEqual(3, self.left())

    @needs_root
    def test_absent(self):
        for call in (DELETE, FLUSH):
            self.assertRefused('PermissionDenied', ask_as_nobody, self.dbus, *call)
        self.assertEqual(3, self.left())

    @needs_root
    def test_wrong_arguments_are_not_asked_about(self):
        with self.polkit('yes') as polkit:
            self.assertRefused('InvalidPattern', ask_as_nobody, self.dbus, f'{NAME}.Delete', '', '0', '1', '{}')
            self.assertFalse(polkit.was_asked())

    @needs_root
    def test_no_answer_is_no(self):
        with self.polkit('never') as polkit:
            with as_nobody(self.dbus, *DELETE) as process:
                check_id = polkit.expect('check')[4]
                # Others are not kept waiting.
                self.assertEqual(3, self.left())
                errors = process.communicate(timeout=WATCHDOG * 2)[1]
            self.assertIn('Error.PermissionDenied', errors)
            self.assertEqual(['cancel', check_id], polkit.expect('cancel'))
        self.assertEqual(3, self.left())

    @needs_root
    def test_who_leaves_is_not_asked_about_any_more(self):
        with self.polkit('never') as polkit:
            with as_nobody(self.dbus, *DELETE, interactive=True) as process:
                check_id = polkit.expect('check')[4]
                self.assertEqual(1, self.who.stats()['bus_calls_in_progress'])
                process.kill()
            self.assertEqual(['cancel', check_id], polkit.expect('cancel'))
            self.assertEqual(0, self.who.stats()['bus_calls_in_progress'])
        self.assertEqual(3, self.left())

    @needs_root
    def test_who_waits_for_polkit_when_the_server_stops_is_told(self):
        with self.polkit('never') as polkit:
            with as_nobody(self.dbus, *DELETE) as process:
                polkit.expect('check')
                self.server.signal(signal.SIGTERM)
                wait_until(lambda: self.who.owner() is None, 'the end of the name')
                # So that it does not wait for as long as it may.
                self.server.signal(signal.SIGTERM)
                errors = process.communicate(timeout=WATCHDOG * 2)[1]
            self.assertIn('Error.Stopping', errors)
        self.assertEqual(0, self.server.wait())

    @needs_root
    def test_calls_in_progress_are_limited(self):
        program = ('import sys, bus\n'
                   'with bus.Caller(sys.argv[1]) as caller:\n'
                   '    pending = [caller.begin("Delete", "sxx", "a", 0, 9) for _ in range(17)]\n'
                   '    try:\n'
                   '        pending[16].result()\n'
                   '    except bus.Refused as error:\n'
                   '        print(error.name)\n'
                   '    print(sum(call.is_done for call in pending))\n')
        with self.polkit('never'):
            result = subprocess.run([sys.executable, '-c', program, self.dbus.address], user=65534, group=65534,
                                    extra_groups=[], stdout=subprocess.PIPE, text=True, timeout=WATCHDOG,
                                    env={**os.environ, 'PYTHONPATH': os.path.dirname(__file__)}, check=True)
        self.assertEqual(['org.metricsd.Metrics1.Error.LimitReached', '1'], result.stdout.split())

    @needs_root
    def test_descriptors_that_come_with_calls_are_not_kept(self):
        program = ('import sys, bus\n'
                   'with bus.Caller(sys.argv[1]) as caller:\n'
                   '    for _ in range(16):\n'
                   '        fds = bus.Gio.UnixFDList.new()\n'
                   '        for _ in range(16):\n'
                   '            fds.append(0)\n'
                   '        call = bus.Gio.DBusMessage.new_method_call(bus.NAME, bus.PATH, bus.NAME, "Delete")\n'
                   '        call.set_body(bus.GLib.Variant("(sxxa{sv})", ("a", 0, 9, {})))\n'
                   '        call.set_unix_fd_list(fds)\n'
                   '        caller.connection.send_message(call, bus.Gio.DBusSendMessageFlags.NONE)\n'
                   '    print(caller.stats()["bus_calls_in_progress"], flush=True)\n'
                   '    sys.stdin.read()\n')
        with self.polkit('never'):
            before = self.server.descriptors()
            with subprocess.Popen([sys.executable, '-c', program, self.dbus.address], user=65534, group=65534,
                                  extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, 'PYTHONPATH': os.path.dirname(__file__)}) as process:
                self.assertEqual('16\n', process.stdout.readline())
                self.assertEqual(before, self.server.descriptors())
                process.stdin.close()
        self.assertEqual(3, self.left())

    @needs_root
    def test_who_answers_no_ping_keeps_nobody_from_polkit(self):
        # The bus keeps 128 places for answers that are owed to the server.
        program = ('import sys, bus\n'
                   'pings = []\n'
                   'def swallow(connection, message, incoming, *_):\n'
                   '    if incoming and message.get_member() == "Ping":\n'
                   '        pings.append(message)\n'
                   '        return None\n'
                   '    return message\n'
                   'with bus.Caller(sys.argv[1]) as caller:\n'
                   '    caller.connection.add_filter(swallow)\n'
                   '    for i in range(140):\n'
                   '        number = caller.call("Watch", "su", "*", 100)\n'
                   '        print("put", flush=True)\n'
                   '        sys.stdin.readline()\n'
                   '        if i == 0:\n'
                   '            bus.harness.wait_until(lambda: pings, "a Ping")\n'
                   '        caller.call("Unwatch", "t", number)\n'
                   '    print(len(pings), flush=True)\n'
                   '    sys.stdin.read()\n')
        with self.polkit('yes'), \
                subprocess.Popen([sys.executable, '-c', program, self.dbus.address], user=65534, group=65534,
                                 extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 env={**os.environ, 'PYTHONPATH': os.path.dirname(__file__)}) as process:
            for i in range(140):
                self.assertEqual('put\n', process.stdout.readline())
                self.who.put('b', i, i)
                # A round of the server's loop, in which it would say so.
                self.who.stats()
                process.stdin.write('\n')
                process.stdin.flush()
            self.assertEqual('1\n', process.stdout.readline())
            self.assertEqual('(uint64 3,)', ask_as_nobody(self.dbus, *DELETE))
            process.stdin.close()

    @needs_root
    def test_calls_that_wait_for_polkit_are_limited(self):
        program = ('import sys, bus\n'
                   'with bus.Caller(sys.argv[1]) as caller:\n'
                   '    for _ in range(16):\n'
                   '        caller.connection.call(\n'
                   '            bus.NAME, bus.PATH, bus.NAME, "Delete", bus.parameters("sxx", ("a", 0, 9), None), None,\n'
                   '            bus.Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, -1, None, None)\n'
                   '    caller.stats()\n'
                   '    print("begun", flush=True)\n'
                   '    sys.stdin.read()\n')
        with self.polkit('never') as polkit, contextlib.ExitStack() as stack:
            for _ in range(2):
                process = stack.enter_context(
                    subprocess.Popen([sys.executable, '-c', program, self.dbus.address], user=65534, group=65534,
                                     extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     env={**os.environ, 'PYTHONPATH': os.path.dirname(__file__)}))
                self.assertEqual('begun\n', process.stdout.readline())
            for _ in range(32):
                polkit.expect('check')
            self.assertRefused('LimitReached', ask_as_nobody, self.dbus, *DELETE)
            # Who leaves makes room.
            process.kill()
            polkit.expect('cancel')
            with as_nobody(self.dbus, *DELETE) as another:
                while polkit.expect_any()[0] != 'check':
                    pass
                another.kill()


class Stopped(System):
    """Who does not read its answers."""

    CALLERS = 6
    PROGRAM = ('import sys, threading, bus\n'
               'def stop(connection, message, incoming, *_):\n'
               '    if incoming and message.get_message_type() == bus.Gio.DBusMessageType.METHOD_RETURN:\n'
               '        print("stopped", flush=True)\n'
               '        threading.Event().wait()\n'
               '    return message\n'
               'with bus.Caller(sys.argv[1]) as caller:\n'
               '    caller.connection.add_filter(stop)\n'
               '    for _ in range(8):\n'
               '        caller.begin("Get", "s", "big")\n'
               '    caller.connection.flush_sync(None)\n'
               '    print("sent", flush=True)\n'
               '    sys.stdin.read()\n')

    def big(self):
        """The number of points of the large answer, which takes seconds to unpack; None where it is refused."""
        try:
            reply = self.who.connection.call_sync(NAME, PATH, NAME, 'Get', parameters('s', ('big',), None), None,
                                                  Gio.DBusCallFlags.NONE, WATCHDOG_MS, None)
        except GLib.Error as error:
            self.assertIn('Error.LimitReached', error.message)
            return None
        return reply.get_child_value(0).n_children()

    @needs_root
    def test_it_keeps_the_bus_from_nobody(self):
        for i in range(5):
            self.who.call('PutMany', 'a(sdx)', [('big', i, i * 100_000 + j) for j in range(100_000)])
        self.assertEqual(500_000, self.big())
        before = self.server.rss()
        processes = []
        for _ in range(self.CALLERS):
            process = subprocess.Popen([sys.executable, '-c', self.PROGRAM, self.dbus.address], user=65534, group=65534,
                                       extra_groups=[], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       env={**os.environ, 'PYTHONPATH': os.path.dirname(__file__)})
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            processes.append(process)
            self.assertIn(process.stdout.readline(), ('sent\n', 'stopped\n'))
            # That is answered in any case, and small answers come, too.
            self.assertEqual(3, self.left())
        wait_until(lambda: self.who.stats()['bus_calls_in_progress'] == 0, 'the end of the calls')
        self.assertIn('1.0', ask_as_nobody(self.dbus, f'{NAME}.Get', 'a', '{}'))
        # The answers that are allowed, as they are built, sent and freed: malloc keeps some of it.
        if not SANITIZED:
            self.assertLess(self.server.rss() - before, 256 << 20)
        self.assertIsNone(self.big())
        for process in processes:
            process.kill()
        wait_until(lambda: self.big() == 500_000, 'the room that they leave')

    @needs_root
    def test_who_reads_has_as_much_as_it_likes(self):
        self.who.call('PutMany', 'a(sdx)', [('big', j, j) for j in range(100_000)])
        self.assertEqual({100_000}, {self.big() for _ in range(60)})


class Listeners(System):

    def test_default_addresses_cannot_delete(self):
        with Client(self.server) as client:
            client.put('b', 1, 1)
            self.assertEqual([b'b 1.0 1'], client.rows(b'get b'))
            self.assertEqual(b'error\npermission denied\n\n', client.ask(b'del b'))


    def test_other_addresses_cannot_delete_unless_they_are_given_that(self):
        bus = self.bus(system=(POLICY,))
        server = self.start('--system', '--host', '127.0.0.1', '--port', '0', '--listen', '127.0.0.1:0',
                            '--listen', '127.0.0.1:0,rights=read+put+delete', env=bus.env)
        for address, answer in zip(server.addresses, (b'error\npermission denied\n\n', b'error\npermission denied\n\n',
                                                      b'ok\n0\n\n'), strict=True):
            with Client(address) as client:
                self.assertEqual(answer, client.ask(b'del b'))


class Restart(TestCase):

    def test_bus_comes_back(self):
        bus = self.bus(system=(POLICY,))
        server = self.start('--system', '--port', '0', env=bus.env)
        client = self.client(server)
        with Caller(bus) as caller:
            caller.put('a', 1, 1)
            handed = self.enterContext(caller.open('OpenReader'))
            bus.kill()
        wait_until(lambda: 'the system bus is gone' in server.errors(), 'a word of the end of the bus')
        # Who came by another way stays.
        client.put('a', 2, 2)
        self.assertEqual([b'a 1.0 1', b'a 2.0 2'], handed.rows(b'get a'))
        bus.start()
        wait_until(lambda: 'on the system bus again' in server.errors(), 'the return')
        with Caller(bus) as caller:
            self.assertEqual([(1.0, 1), (2.0, 2)], caller.call('Get', 's', 'a'))
            self.assertEqual(2, caller.call('Delete', 'sxx', '*', *OPEN))

    def test_stop_without_the_bus(self):
        bus = self.bus(system=(POLICY,))
        server = self.start('--system', '--port', '0', env=bus.env)
        bus.kill()
        wait_until(lambda: 'the system bus is gone' in server.errors(), 'a word of the end of the bus')
        self.assertEqual(0, server.stop())
        bus.start()


if __name__ == '__main__':
    main()
