#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the service manager gives and is told: sd_notify(3), the watchdog. The test plays the manager, none is needed."""

import contextlib
import fcntl
import os
import pathlib
import select
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest

from harness import (OK, START_WATCHDOG, WATCHDOG, Client, TestCase, binary, effective_user, has_ipv6, main, run,
                     wait_until)

DENIED = b'error\npermission denied\n\n'
STRANGER = 54321


needs_root = unittest.skipUnless(os.geteuid() == 0, 'only root can be somebody else')


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

    def test_a_socket_without_a_file(self):
        name = f'metricsd-test-{os.getpid()}'
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.bind(f'\0{name}')
            self.manager.sock, sock = sock.dup(), self.manager.sock
            self.manager.sock.settimeout(WATCHDOG)
            sock.close()
            self.start(env={'NOTIFY_SOCKET': f'@{name}'})
            self.assertEqual(self.manager.wait_for('READY')[0]['READY'], '1')

    def test_nobody_there(self):
        for path in (str(self.directory / 'none'), 'relative', '', '@', '/' + 'x' * 200):
            with self.subTest(path=path):
                server = self.start(env={'NOTIFY_SOCKET': path, 'WATCHDOG_USEC': '1000'})
                with Client(server) as client:
                    self.assertEqual(client.ask(b'ping'), OK)


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

    def test_who_was_nearly_too_late_says_so(self):
        server = self.start(env={'WATCHDOG_USEC': '1000000'})
        self.manager.wait_for('WATCHDOG')
        with server.paused():
            time.sleep(1.5)
        wait_until(lambda: 'the watchdog allows 1.0 s' in server.log(), 'a word of it')
        self.assertRegex(server.log(), r'metricsd: nobody was served for \d+\.\d s; ')

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


class ActivationTest(TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.directory.chmod(0o755)

    def unix(self, name='socket', kind=socket.SOCK_STREAM, listening=True):
        sock = self.enterContext(socket.socket(socket.AF_UNIX, kind))
        sock.bind(name if name.startswith('\0') else str(self.directory / name))
        if listening:
            sock.listen()
        return sock

    def tcp(self, host='127.0.0.1'):
        family = socket.AF_INET6 if ':' in host else socket.AF_INET
        return self.enterContext(socket.create_server((host, 0), family=family))

    def address(self, sock):
        host, port = sock.getsockname()[:2]
        return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'

    def may_delete(self, address):
        with Client(address) as client:
            client.put('k', 1, 1)
            self.assertTrue(client.rows(b'get k'))
            reply = client.ask(b'del k')
        self.assertIn(reply, (b'ok\n1\n\n', DENIED))
        return reply != DENIED

    def test_each_is_listened_on(self):
        unix, first = self.unix(), self.tcp()
        passed = [('metricsd', unix), ('metricsd-tcp', first)]
        want = [f'unix:{unix.getsockname()}', self.address(first)]
        if has_ipv6():
            second = self.tcp('::1')
            passed.append(('metricsd-tcp', second))
            want.append(self.address(second))
        server = self.start(sockets=passed)
        # And on nothing else: the port that it has by default is not opened besides.
        self.assertEqual(server.addresses, want)
        self.assertTrue(self.may_delete(want[0]))
        for address in want[1:]:
            self.assertFalse(self.may_delete(address))

    def test_who_came_before_the_server_is_served(self):
        unix = self.unix()
        client = self.client(f'unix:{unix.getsockname()}')
        client.send(b'put k 1 1\nget k\n')
        self.start(sockets=[('metricsd', unix)])
        self.assertEqual(client.recv_reply(), OK)
        self.assertEqual(client.recv_reply(), b'ok\nk 1.0 1\n\n')

    def test_who_comes_after_its_end_waits_for_the_next(self):
        unix, state = self.unix(), self.directory / 'state'
        address = f'unix:{unix.getsockname()}'
        for i in range(3):
            client = self.client(address)
            server = self.start('--state-dir', state, sockets=[('metricsd', unix)])
            client.put('k', i, i)
            self.assertEqual(len(client.rows(b'get k')), i + 1)
            self.assertEqual(server.stop(), 0)
            self.assertTrue(stat.S_ISSOCK(os.stat(unix.getsockname()).st_mode))

    def test_rights_by_name(self):
        unix, first, second = self.unix(), self.tcp(), self.tcp()
        options = ('--listen', 'fd:unix,rights=read+put', '--listen', 'fd:admin,rights=read+put+delete')
        server = self.start(*options, sockets=[('unix', unix), ('other', second), ('admin', first)])
        self.assertEqual(sorted(server.addresses),
                         sorted([f'unix:{unix.getsockname()}', self.address(first), self.address(second)]))
        self.assertFalse(self.may_delete(f'unix:{unix.getsockname()}'))
        self.assertTrue(self.may_delete(self.address(first)))
        self.assertFalse(self.may_delete(self.address(second)))

    def test_a_name_of_several(self):
        sockets = [('tcp', self.tcp()) for _ in range(3)]
        server = self.start('--listen', 'fd:tcp,rights=read', sockets=sockets)
        self.assertEqual(server.addresses, [self.address(sock) for _, sock in sockets])
        for address in server.addresses:
            with Client(address) as client:
                self.assertEqual(client.ask(b'put k 1 1'), DENIED)

    @needs_root
    def test_at_a_unix_socket_the_peer_counts(self):
        unix = self.unix()
        os.chmod(unix.getsockname(), 0o666)
        address = f'unix:{unix.getsockname()}'
        self.start(sockets=[('metricsd', unix)])
        self.assertTrue(self.may_delete(address))
        with effective_user(STRANGER):
            self.assertFalse(self.may_delete(address))

    def test_what_is_asked_for_is_opened_besides(self):
        own = self.directory / 'own'
        for options in (('--host', '127.0.0.1', '--port', '0'), ('--listen', f'unix:{own}'), ('--port', '0')):
            with self.subTest(options=options):
                unix = self.unix(f'passed{options[0]}')
                server = self.start(*options, sockets=[('metricsd', unix)])
                self.assertIn(f'unix:{unix.getsockname()}', server.addresses)
                self.assertGreater(len(server.addresses), 1)
                self.assertEqual(server.stop(), 0)
                self.assertTrue(os.path.exists(unix.getsockname()))
        self.assertFalse(own.exists())

    def test_a_socket_in_no_file(self):
        name = f'metricsd-{os.getpid()}'
        unix = self.unix('\0' + name)
        server = self.start(sockets=[('metricsd', unix)])
        self.assertEqual(server.addresses, [f'unix:@{name}'])
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect('\0' + name)
            sock.sendall(b'ping\n')
            self.assertEqual(sock.recv(100), OK)

    def test_a_socket_that_blocks_does_not_stop_the_server(self):
        unix = self.unix()
        unix.setblocking(True)
        server = self.start(sockets=[('metricsd', unix)])
        # The descriptors are two of one open file.
        self.assertTrue(fcntl.fcntl(unix, fcntl.F_GETFL) & os.O_NONBLOCK)
        self.assertTrue(self.may_delete(server.address))

    def test_clients_that_are_gone_are_noticed(self):
        tcp = self.tcp()
        self.start(sockets=[('metricsd-tcp', tcp)])
        self.assertEqual(tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1)
        self.assertEqual(tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 60)
        self.assertEqual(tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), 1)

    def test_the_descriptors_are_for_nobody_else(self):
        unix = self.unix()
        server = self.start(sockets=[('metricsd', unix)])
        with open(f'/proc/{server.pid}/fdinfo/3') as info:
            flags = next(int(line.split()[1], 8) for line in info if line.startswith('flags:'))
        self.assertTrue(flags & os.O_CLOEXEC)

    def test_nothing_is_taken_that_is_meant_for_another_process(self):
        unix = self.unix()
        server = self.start('--port', '0', '--host', '127.0.0.1', sockets=[('metricsd', unix)], env={'LISTEN_PID': '1'})
        self.assertNotIn(f'unix:{unix.getsockname()}', server.addresses)

    def assert_refused(self, sockets, *texts, options=()):
        result = run(*options, sockets=sockets)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)

    def test_what_is_no_listening_stream_socket_is_refused(self):
        good = ('metricsd', self.unix('good'))
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        pipe = self.enterContext(os.fdopen(reader, 'rb'))
        udp = self.enterContext(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        pair = socket.socketpair()
        for sock in pair:
            self.enterContext(sock)
        wrong = {
            'datagrams': self.unix('datagrams', socket.SOCK_DGRAM, listening=False),
            'packets': self.unix('packets', socket.SOCK_SEQPACKET),
            'udp': udp,
            'pipe': pipe,
            'quiet': self.unix('quiet', listening=False),
            'connected': pair[0],
        }
        for name, sock in wrong.items():
            with self.subTest(name=name):
                self.assert_refused([good, (name, sock)], f"'{name}'", 'descriptor 4')

    def test_variables_that_make_no_sense(self):
        # Two names for one, and a descriptor that is not open: the server must not listen elsewhere in their place.
        self.assert_refused([('a:b', self.unix())], 'service manager')
        result = subprocess.run(['sh', '-c', 'LISTEN_PID=$$ LISTEN_FDS=5 exec "$0" --memory-only --port 0', binary()],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                timeout=START_WATCHDOG)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, '')
        self.assertIn('service manager', result.stderr)

    def test_a_name_that_was_not_passed(self):
        self.assert_refused([('metricsd', self.unix())], 'missing', options=('--listen', 'fd:missing'))
        self.assert_refused([], 'fd:metricsd'[3:], options=('--listen', 'fd:metricsd'))

    def test_options_that_make_no_sense(self):
        for option in ('fd:', 'fd:a,mode=0600', 'fd:a,owner=root', 'fd:a,rights=all', 'fd:a,b'):
            with self.subTest(option=option):
                result = run('--listen', option)
                self.assertEqual(result.returncode, 2)
                self.assertIn('--listen', result.stderr)


if __name__ == '__main__':
    main()
