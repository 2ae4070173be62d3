#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service manager gives and is told: sd_notify(3), the watchdog. The test plays the manager, none is needed."""

import contextlib
import os
import pathlib
import select
import signal
import socket
import tempfile
import threading
import unittest

from harness import OK, WATCHDOG, Client, TestCase, main, wait_until

KNOWN = os.environ['METRICSD_SYSTEMD'] == '1'

needs_systemd = unittest.skipUnless(KNOWN, 'built without systemd')


class Manager:
    """What listens at NOTIFY_SOCKET; each message as a dict."""

    def __init__(self, directory):
        self.path = os.path.join(directory, 'notify')
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        self.sock.settimeout(WATCHDOG)

    def receive(self):
        lines = self.sock.recv(65536).decode().splitlines()
        return dict(line.split('=', 1) for line in lines)

    def wait_for(self, name):
        """The next message that has it, and those that came before."""
        before = []
        while True:
            message = self.receive()
            if name in message:
                return message, before
            before.append(message)

    def close(self):
        self.sock.close()


class ManagedCase(TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.manager = self.enterContext(contextlib.closing(Manager(self.directory)))

    def start(self, *options, env=None, **arguments):
        env = {'NOTIFY_SOCKET': self.manager.path, **(env or {})}
        return super().start(*options, env=env, **arguments)


@needs_systemd
class NotifyTest(ManagedCase):
    def test_start_and_stop(self):
        server = self.start('--state-dir', self.directory / 'state')
        ready, before = self.manager.wait_for('READY')
        self.assertEqual(ready['READY'], '1')
        self.assertIn(server.address, ready['STATUS'])
        # Who loads asks for time, and is not ready yet.
        self.assertGreater(int(before[0]['EXTEND_TIMEOUT_USEC']), 0)
        self.assertIn('STATUS', before[0])

        with Client(server) as client:
            client.put('k', 1, 1)
        server.signal(signal.SIGTERM)
        stopping, before = self.manager.wait_for('STOPPING')
        self.assertEqual(stopping['STOPPING'], '1')
        self.assertEqual(before, [])
        self.assertEqual(server.wait(), 0)
        # For the clients, and for the last commit.
        self.assertGreater(int(self.manager.wait_for('EXTEND_TIMEOUT_USEC')[0]['EXTEND_TIMEOUT_USEC']), 0)
        self.assertIn('STATUS', self.manager.wait_for('EXTEND_TIMEOUT_USEC')[0])

    def test_clients_may_take_longer_than_the_manager_waits(self):
        server = self.start('--stop-timeout', '1000')
        server.stop()
        self.manager.wait_for('STOPPING')
        extension = self.manager.wait_for('EXTEND_TIMEOUT_USEC')[0]['EXTEND_TIMEOUT_USEC']
        self.assertGreater(int(extension), 1000 * 1000 * 1000)

    def test_a_start_that_fails_is_never_ready(self):
        (self.directory / 'file').write_text('')
        with self.assertRaises(AssertionError):
            self.start('--state-dir', self.directory / 'file')
        self.manager.sock.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.manager.wait_for('READY')

    def test_a_status_is_one_line_of_text(self):
        self.start('--listen', f'unix:{self.directory}/a\tREADY=0\x7f\x01')
        ready, _ = self.manager.wait_for('READY')
        self.assertEqual(ready['READY'], '1')
        self.assertIn('a?READY=0??', ready['STATUS'])

    def test_nobody_there(self):
        for path in (str(self.directory / 'none'), 'relative', ''):
            with self.subTest(path=path):
                server = self.start(env={'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '1000'})
                with Client(server) as client:
                    self.assertEqual(client.ask(b'ping'), OK)


@needs_systemd
class WatchdogTest(ManagedCase):
    def hold_busy(self, server, done):
        """Keeps it at work with lines of many points each until it is enough."""
        with Client(server) as client:
            while not done.is_set():
                client.send(b'get busy\n' * 50)
                client.recv_replies(50)

    def test_a_busy_server_is_alive(self):
        server = self.start(env={'WATCHDOG_USEC': '20000'})
        with Client(server) as client:
            client.put_many([b'put busy %d %d\n' % (i % 7, i) for i in range(5000)])
        done = threading.Event()
        threads = [threading.Thread(target=self.hold_busy, args=(server, done)) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(50):
                self.manager.wait_for('WATCHDOG')
        finally:
            done.set()
            for thread in threads:
                thread.join()

    def test_who_comes_and_goes_all_the_time_does_not_hide_it(self):
        server = self.start(env={'WATCHDOG_USEC': '20000'})
        done = threading.Event()

        def come_and_go():
            while not done.is_set():
                Client(server).close()

        threads = [threading.Thread(target=come_and_go) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(50):
                self.manager.wait_for('WATCHDOG')
        finally:
            done.set()
            for thread in threads:
                thread.join()

    def test_a_manager_that_does_not_read_keeps_no_client_waiting(self):
        server = self.start(env={'WATCHDOG_USEC': '1000'})
        self.manager.wait_for('READY')

        # Its queue is full, and whoever sends into it waits.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            probe.connect(self.manager.path)
            wait_until(lambda: not select.select([], [probe], [], 0)[1], 'a full queue')
        with Client(server) as client:
            for _ in range(1000):
                self.assertEqual(client.ask(b'ping'), OK)
        self.assertEqual(server.stop(), 0)

    def test_a_watchdog_of_another_process_is_not_ours(self):
        server = self.start(env={'WATCHDOG_USEC': '1000', 'WATCHDOG_PID': '1'})
        with Client(server) as client:
            for _ in range(1000):
                self.assertEqual(client.ask(b'ping'), OK)
        server.stop()
        _, before = self.manager.wait_for('STOPPING')
        self.assertFalse([message for message in before if 'WATCHDOG' in message])

    def test_nobody_asked_for_one(self):
        for env in ({}, {'WATCHDOG_USEC': '0'}, {'WATCHDOG_USEC': 'soon'}):
            with self.subTest(env=env):
                server = self.start(env=env)
                with Client(server) as client:
                    self.assertEqual(client.ask(b'ping'), OK)
                server.stop()
                _, before = self.manager.wait_for('STOPPING')
                self.assertFalse([message for message in before if 'WATCHDOG' in message])


if __name__ == '__main__':
    main()
