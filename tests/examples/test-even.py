#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls on D-Bus: what is answered, refused and counted, who is there, a bus or a service that is not."""

import os
import re
import signal
import socket
import subprocess
import tempfile

import bus
from example import Example, command, expect_figures, figures, run
from gi.repository import GLib
from harness import NOWHERE, WATCHDOG, prepare_child, wait_until

NAME = 'org.metricsd.Example.Even1'
PATH = '/org/metricsd/Example/Even1'
ERROR = 'org.freedesktop.DBus.Error.'
CALLERS = 100
SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1

POLICY = f"""<busconfig>
  <policy context="default">
    <allow own="{NAME}"/>
    <allow send_destination="{NAME}"/>
  </policy>
</busconfig>
"""


def is_even(caller, number):
    return caller.call_to(NAME, PATH, NAME, 'IsEven', GLib.Variant('(x)', (number,)))


class EvenTest(bus.TestCase):
    def service(self, the_bus, *options, **arguments):
        return self.enterContext(Example('even-service', *options, env=the_bus.env, listens=False, **arguments))

    def ask(self, the_bus, *numbers, **arguments):
        return run('even-client', *numbers, env=the_bus.env, **arguments)

    def expect(self, metrics, service, **expected):
        """What the report says that it sends at its end."""
        service.stop()
        return expect_figures(metrics, 'even-service', **expected)

    def assertFails(self, result, pattern, status=1):
        self.assertEqual((result.returncode, result.stdout), (status, ''))
        self.assertRegex(result.stderr, pattern)

    def test_calls_are_answered_and_counted(self):
        metrics, session = self.start(), self.bus()
        service = self.service(session, metrics=metrics)
        self.assertEqual(service.address, NAME)
        caller = self.caller(session)
        for number, answer in ((3, False), (100, True), (0, True), (-1, False), (-2, True), (SMALLEST, True), (LARGEST, False)):
            self.assertIs(is_even(caller, number), answer)
        now = expect_figures(metrics, 'even-service', connections=1, connections_accepted=1, requests=7, errors=0)
        # Each call and each answer is as long as the others.
        self.assertEqual((now['bytes_received'] % 7, now['bytes_sent'] % 7), (0, 0))
        self.assertGreater(now['bytes_received'], now['bytes_sent'])
        self.assertGreaterEqual(now['answer_microseconds_max'], now['answer_microseconds_avg'])

    def test_wrong_calls_get_the_errors_of_the_bus(self):
        metrics, session = self.start(), self.bus()
        service = self.service(session, metrics=metrics)
        caller = self.caller(session)
        for error, interface, method, arguments in (
                ('InvalidArgs', NAME, 'IsEven', GLib.Variant('(s)', ('3',))),
                ('InvalidArgs', NAME, 'IsEven', GLib.Variant('(i)', (3,))),
                ('InvalidArgs', NAME, 'IsEven', GLib.Variant('(xx)', (3, 4))),
                ('InvalidArgs', NAME, 'IsEven', None),
                ('UnknownMethod', NAME, 'IsOdd', GLib.Variant('(x)', (3,))),
                ('UnknownMethod', NAME + '0', 'IsEven', GLib.Variant('(x)', (3,)))):
            self.assertRefused(ERROR + error, caller.call_to, NAME, PATH, interface, method, arguments)
        self.assertRefused(ERROR + 'UnknownMethod', caller.call_to, NAME, '/', NAME, 'IsEven', GLib.Variant('(x)', (3,)))
        self.assertIs(is_even(caller, 3), False)
        self.expect(metrics, service, connections=0, connections_accepted=1, requests=8, errors=7)

    def test_what_it_says_of_itself(self):
        session = self.bus()
        self.service(session)
        xml = self.caller(session).call_to(NAME, PATH, 'org.freedesktop.DBus.Introspectable', 'Introspect')
        self.assertRegex(xml, fr'<interface name="{re.escape(NAME)}">\s*<method name="IsEven">\s*'
                              r'<arg type="x" name="number" direction="in">\s*</arg>\s*<arg type="b" name="even" direction="out">')

    def test_gdbus_calls_it(self):
        session = self.bus()
        self.service(session)
        words = ['gdbus', 'call', '--session', '--dest', NAME, '--object-path', PATH, '--method', NAME + '.IsEven']
        for argument, output in (('100', '(true,)\n'), ('3', '(false,)\n'), ('int64 -7', '(false,)\n')):
            result = subprocess.run([*words, argument], env={**os.environ, **session.env}, capture_output=True, text=True,
                                    check=True, timeout=WATCHDOG)
            self.assertEqual(result.stdout, output)

    def test_a_caller_is_there_until_it_leaves_the_bus(self):
        metrics, session = self.start(), self.bus()
        service = self.service(session, metrics=metrics)
        with bus.Caller(session) as first, bus.Caller(session) as second:
            for caller in (first, first, second):
                is_even(caller, 1)
            expect_figures(metrics, 'even-service', connections=2, connections_accepted=2)
            second.close()
            expect_figures(metrics, 'even-service', connections=1, connections_accepted=2)
        expect_figures(metrics, 'even-service', connections=0, connections_accepted=2, requests=3)
        with bus.Caller(session) as third:
            is_even(third, 1)
            self.expect(metrics, service, connections=0, connections_accepted=3)

    def test_more_callers_than_are_counted(self):
        metrics, session = self.start(), self.bus()
        service = self.service(session, metrics=metrics)
        callers = [self.caller(session) for _ in range(CALLERS + 20)]
        for caller in callers:
            self.assertIs(is_even(caller, 2), True)
        expect_figures(metrics, 'even-service', connections=CALLERS, connections_accepted=CALLERS, requests=CALLERS + 20,
                       errors=0)
        for caller in callers:
            caller.close()
        expect_figures(metrics, 'even-service', connections=0)
        self.assertIs(is_even(self.caller(session), 2), True)
        self.expect(metrics, service, connections_accepted=CALLERS + 1)

    def test_the_client_says_what_it_was_told(self):
        metrics, session = self.start(), self.bus()
        service = self.service(session, metrics=metrics)
        result = self.ask(session, 3, 100, metrics=metrics)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertEqual(result.stdout, '3 is even: False\n100 is even: True\n')
        self.assertEqual(figures(metrics, 'even-client')['requests'], 2)
        for numbers in ((-7, 8), (8, -7, -8), ('--', -7), (SMALLEST, LARGEST), (3, 3, 3)):
            result = self.ask(session, *numbers)
            self.assertEqual(result.stdout, ''.join(f'{number} is even: {number % 2 == 0}\n' for number in numbers
                                                    if number != '--'))
        # More than are asked for at a time; some answers come while others are asked for.
        result = self.ask(session, *range(1000))
        self.assertEqual(result.stdout, ''.join(f'{number} is even: {number % 2 == 0}\n' for number in range(1000)))
        self.expect(metrics, service, requests=2 + 2 + 3 + 1 + 2 + 3 + 1000, errors=0)

    def test_wrong_numbers(self):
        session = self.bus()
        for number in ('three', '', ' 3', '3 ', '0x3', '3.0', '1e3', LARGEST + 1, SMALLEST - 1, '-7a', '9' * 1000):
            with self.subTest(str(number)[:20]):
                # One wrong number, and none is asked for: there is no service.
                self.assertFails(self.ask(session, 1, number), r'^even-client: .*(not a signed number|not a number|out of bounds)',
                                 status=2)
        self.assertFails(self.ask(session), '^even-client: which number', status=2)
        self.assertEqual(run('even-service', '3', env=session.env).returncode, 2)

    def test_the_service_is_away(self):
        metrics, session = self.start(), self.bus()
        self.assertFails(self.ask(session, *range(100), metrics=metrics),
                         fr'\Aeven-client: nobody on the bus has the name {re.escape(NAME)}\n\Z')
        expect_figures(metrics, 'even-client', requests=32, errors=1)

    def test_the_service_dies_under_the_client(self):
        session = self.bus()
        service = self.service(session)
        os.kill(service.pid, signal.SIGSTOP)
        client = subprocess.Popen(command('even-client', [1, 2], None), env={**os.environ, **NOWHERE, **session.env},
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  preexec_fn=lambda: prepare_child(None))
        with bus.Caller(session) as caller, client:
            # It is on the bus: the service, this caller and the bus itself are the others.
            wait_until(lambda: self.n_clients(caller) == 3, 'the client on the bus')
            service.kill()
            output, errors = client.communicate(timeout=WATCHDOG)
        self.assertEqual((client.returncode, output), (1, ''))
        self.assertTrue(errors.startswith('even-client: '), errors)

    def n_clients(self, caller):
        names = caller.call_to('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'ListNames')
        return sum(name.startswith(':') for name in names)

    def test_another_service_has_the_name(self):
        session = self.bus()
        self.service(session)
        self.assertFails(run('even-service', env=session.env), fr'^even-service: cannot have the name {re.escape(NAME)}: ')
        self.assertIs(is_even(self.caller(session), 4), True)

    def test_there_is_no_bus(self):
        nowhere = {'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/dev/null/bus'}
        for name, words in (('even-service', ()), ('even-client', (3,))):
            self.assertFails(run(name, *words, env=nowhere), f'^{name}: cannot reach the bus: ')

    def test_a_bus_that_says_nothing(self):
        """It is waited for, and a signal ends that."""
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as silent:
            silent.settimeout(WATCHDOG)
            silent.bind(f'{folder}/bus')
            silent.listen()
            env = {'DBUS_SESSION_BUS_ADDRESS': f'unix:path={folder}/bus'}
            with Example('even-service', env=env, ready='', listens=False):
                connection = self.enterContext(silent.accept()[0])
                connection.settimeout(WATCHDOG)
                self.assertEqual(connection.recv(1), b'\0')

    def test_the_bus_goes(self):
        metrics, session = self.start(), self.bus()
        service = self.service(session, metrics=metrics)
        caller = self.caller(session)
        is_even(caller, 1)
        session.kill()
        self.assertEqual(service.process.wait(WATCHDOG), 1)
        self.assertEqual(service.errors(), 'even-service: the bus has gone\n')
        service.kill()
        expect_figures(metrics, 'even-service', connections=0, connections_accepted=1, requests=1)
        session.start()

    def test_the_system_bus(self):
        with tempfile.NamedTemporaryFile('w', suffix='.conf') as policy:
            policy.write(POLICY)
            policy.flush()
            os.chmod(policy.name, 0o644)
            system = self.bus(system=[policy.name])
            self.service(system, '--system')
            self.assertEqual(self.ask(system, '--system', 3).stdout, '3 is even: False\n')
        strict = self.bus(system=[])
        self.assertFails(run('even-service', '--system', env=strict.env), '^even-service: cannot have the name ')


if __name__ == '__main__':
    bus.main()
