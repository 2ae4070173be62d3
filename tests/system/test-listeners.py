#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the server listens: IPv4, IPv6, unix sockets, several at once; and what a client may do there."""

import contextlib
import os
import pathlib
import pwd
import signal
import socket
import stat
import subprocess
import tempfile
import unittest

from harness import OK, START_WATCHDOG, WRONG, Client, Server, TestCase, binary, effective_user, has_ipv6, main, quietly, run

DENIED = b'error\npermission denied\n\n'
NOBODY = 65534
STRANGER = 54321


needs_ipv6 = unittest.skipUnless(has_ipv6(), 'no IPv6 here')
needs_root = unittest.skipUnless(os.geteuid() == 0, 'only root can be somebody else')


class ListenerTest(TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.directory.chmod(0o755)
        self.path = self.directory / 'socket'

    def assert_serves(self, *addresses):
        """All of them are the same store."""
        for i, address in enumerate(addresses):
            with Client(address) as client:
                client.put('k', 1, i)
        for address in addresses:
            with Client(address) as client:
                self.assertEqual(len(client.rows(b'get k')), len(addresses))

    def assert_does_not_start(self, *options):
        result = run(*options)
        self.assertGreater(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(str(self.path), result.stderr)


class InternetTest(ListenerTest):
    def test_ipv4(self):
        server = self.start('--listen', '127.0.0.1:0')
        self.assertRegex(server.address, r'^127\.0\.0\.1:[1-9]\d*$')
        self.assertEqual(len(server.addresses), 1)
        self.assert_serves(server.address)

    @needs_ipv6
    def test_ipv6(self):
        for options in (('--listen', '[::1]:0'), ('--host', '::1', '--port', '0')):
            server = self.start(*options)
            self.assertRegex(server.address, r'^\[::1\]:[1-9]\d*$')
            self.assertEqual(len(server.addresses), 1)
            self.assert_serves(server.address)

    @needs_ipv6
    def test_the_two_families_do_not_take_each_others_port(self):
        first = self.start('--listen', '127.0.0.1:0')
        second = self.start('--listen', f'[::1]:{first.port}')
        self.assertEqual(first.port, second.port)
        self.assert_serves(first.address)
        self.assert_serves(second.address)

    def test_host_and_port(self):
        with socket.create_server(('127.0.0.1', 0)) as probe:
            port = probe.getsockname()[1]
        server = self.start('--host', '127.0.0.1', '--port', port)
        self.assertEqual(server.addresses, [f'127.0.0.1:{port}'])
        self.assert_serves(server.address)

    def test_default_hosts(self):
        server = self.start('--port', '0')
        hosts = [address.rpartition(':')[0] for address in server.addresses]
        self.assertEqual(hosts, ['127.0.0.1', '[::1]'] if has_ipv6() else ['127.0.0.1'])
        self.assert_serves(*server.addresses)

    def test_default_hosts_without_ipv6(self):
        script = ('ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6'
                  ' && echo isolated && exec "$0" --memory-only --port 0 ' + ' '.join(quietly([])))
        process = subprocess.Popen(['unshare', '--net', 'sh', '-c', script, binary()], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        if process.stdout.readline() != 'isolated\n':
            self.skipTest('no network namespace to be had')
        lines = [process.stdout.readline(), process.stdout.readline()]
        process.send_signal(signal.SIGTERM)
        self.assertRegex(lines[0], r'^listening on 127\.0\.0\.1:\d+$')
        self.assertEqual(lines[1], 'ready\n')
        self.assertEqual(process.wait(START_WATCHDOG), 0)

    def test_every_address_of_a_name(self):
        # As RFC 6761 has it, whatever /etc/hosts says.
        found = {'127.0.0.1', '::1'} if has_ipv6() else {'127.0.0.1'}
        for options in (('--host', 'localhost', '--port', '0'), ('--listen', 'localhost:0')):
            server = self.start(*options)
            hosts = {address.rpartition(':')[0].strip('[]') for address in server.addresses}
            self.assertEqual(hosts, found)
            self.assert_serves(*server.addresses)

    def test_several_at_once(self):
        addresses = ['127.0.0.1:0', '127.0.0.2:0', '127.0.0.1:0', f'unix:{self.path}'] + ['[::1]:0'] * has_ipv6()
        server = self.start(*(word for address in addresses for word in ('--listen', address)))
        self.assertEqual([address.rpartition(':')[0] for address in server.addresses],
                         [address.rpartition(':')[0] for address in addresses])
        self.assertEqual(len(set(server.addresses)), len(addresses))
        self.assert_serves(*server.addresses)

    def test_clients_of_several_at_the_same_moment(self):
        server = self.start(*['--listen', '127.0.0.1:0'] * 5, '--listen', f'unix:{self.path}')
        for _ in range(10):
            with server.paused():
                clients = [Client(address) for address in server.addresses * 3]
                for client in clients:
                    client.send(b'ping\n')
            for client in clients:
                self.assertEqual(client.recv_reply(), OK)
                client.close()

    def test_clients_at_the_moment_of_its_start(self):
        for _ in range(20):
            with Server(*['--listen', '127.0.0.1:0'] * 3) as server:
                for address in server.addresses:
                    with Client(address) as client:
                        self.assertEqual(client.ask(b'ping'), OK)

    def test_all_interfaces(self):
        server = self.start('--listen', '0.0.0.0:0')
        self.assert_serves(f'127.0.0.1:{server.port}', f'127.0.0.3:{server.port}')


class UnixSocketTest(ListenerTest):
    def listen(self, settings='', **arguments):
        return self.start('--listen', f'unix:{self.path}{settings}', **arguments)

    def test_serves_and_is_removed(self):
        server = self.listen()
        self.assertEqual(server.addresses, [f'unix:{self.path}'])
        self.assertTrue(stat.S_ISSOCK(self.path.lstat().st_mode))
        self.assert_serves(server.address)
        self.assertEqual(server.stop(), 0)
        self.assertFalse(self.path.exists())

    def test_mode(self):
        for mode in (0o600, 0o660, 0o666, 0o640, 0o777):
            for mask in (0o022, 0o077, 0o000):
                server = self.listen(f',mode={mode:04o}', preexec=lambda mask=mask: os.umask(mask))
                self.assertEqual(stat.S_IMODE(self.path.lstat().st_mode), mode)
                server.stop()

    @needs_root
    def test_owner(self):
        nobody = pwd.getpwuid(NOBODY)
        for owner, uid, gid in ((nobody.pw_name, NOBODY, None), (f'{nobody.pw_name}:root', NOBODY, 0), ('root:daemon', 0, 1)):
            server = self.listen(f',mode=0640,owner={owner}')
            status = self.path.lstat()
            self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (uid, 0o640))
            if gid is not None:
                self.assertEqual(status.st_gid, gid)
            server.stop()

    @needs_root
    def test_mode_is_obeyed(self):
        self.listen(',mode=0600')
        with effective_user(NOBODY), self.assertRaises(PermissionError):
            Client(f'unix:{self.path}')

    def test_stale_socket_is_replaced(self):
        server = self.listen()
        server.kill()
        self.assertTrue(self.path.exists())
        self.assert_serves(self.listen().address)

    def test_socket_of_a_living_server_is_not(self):
        server = self.listen()
        client = self.client(server)
        inode = self.path.lstat().st_ino
        self.assert_does_not_start('--listen', f'unix:{self.path}')
        self.assertEqual(self.path.lstat().st_ino, inode)
        self.assertEqual(client.ask(b'ping'), OK)
        self.assert_serves(server.address)

    def test_socket_of_a_living_server_that_is_busy_is_not(self):
        """Its queue of connections is full: that is no sign of death."""
        with socket.socket(socket.AF_UNIX) as other, contextlib.ExitStack() as stack:
            other.bind(str(self.path))
            other.listen(0)
            for _ in range(3):
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    waiting.connect(str(self.path))
            inode = self.path.lstat().st_ino
            self.assert_does_not_start('--listen', f'unix:{self.path}')
            self.assertEqual(self.path.lstat().st_ino, inode)

    def test_datagram_socket_of_another_is_not(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(str(self.path))
            self.assert_does_not_start('--listen', f'unix:{self.path}')
            self.assertTrue(self.path.exists())

    def test_other_files_are_never_removed(self):
        target = self.directory / 'target'
        target.write_text('kept')
        for make, check in (
                (lambda: self.path.write_text('kept'), lambda: self.path.read_text() == 'kept'),
                (self.path.mkdir, self.path.is_dir),
                (lambda: os.mkfifo(self.path), self.path.is_fifo),
                (lambda: self.path.symlink_to(target), lambda: self.path.is_symlink() and target.read_text() == 'kept'),
                (lambda: self.path.symlink_to(self.directory / 'none'), self.path.is_symlink)):
            make()
            self.assert_does_not_start('--listen', f'unix:{self.path}')
            self.assertTrue(check())
            self.path.rmdir() if self.path.is_dir() else self.path.unlink()

    def test_what_replaced_it_is_not_removed_on_stop(self):
        server = self.listen()
        self.path.unlink()
        self.path.write_text('kept')
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.path.read_text(), 'kept')

    def test_socket_of_a_successor_is_not_removed_on_stop(self):
        server = self.listen()
        self.path.unlink()
        successor = self.listen()
        self.assertEqual(server.stop(), 0)
        self.assert_serves(successor.address)

    def test_no_such_directory(self):
        self.path = self.directory / 'none' / 'socket'
        self.assert_does_not_start('--listen', f'unix:{self.path}')

    def test_longest_path(self):
        self.path = self.directory / ('s' * (107 - len(str(self.directory)) - 1))
        self.assert_serves(self.listen().address)


class RightsTest(ListenerTest):
    REQUESTS = {
        'read': (b'get k', b'get *', b'get none', b'last *', b'range k - -', b'range * - - 5 avg', b'keys *'),
        'put': (b'put k 1 1',),
        'delete': (b'del none', b'del k', b'del * 5 6'),
    }

    def assert_rights(self, client, *rights):
        for right, lines in self.REQUESTS.items():
            for line in lines:
                reply = client.ask(line)
                if right in rights:
                    self.assertTrue(reply.startswith(b'ok\n'), (rights, line, reply))
                else:
                    self.assertEqual(reply, DENIED, (rights, line))
        for line, reply in ((b'ping', OK), (b'nonsense', WRONG), (b'put', WRONG), (b'del', WRONG)):
            self.assertEqual(client.ask(line), reply)

    def test_rights_of_a_tcp_listener(self):
        every = ('read', 'put', 'delete')
        sets = [rights for mask in range(1, 8) if (rights := [right for i, right in enumerate(every) if mask >> i & 1])]
        server = self.start(*(word for rights in sets for word in ('--listen', '127.0.0.1:0,rights=' + '+'.join(rights))))
        for address, rights in zip(server.addresses, sets):
            self.assert_rights(self.client(address), *rights)

    def test_default_is_everything_on_tcp(self):
        self.assert_rights(self.client(self.start()), 'read', 'put', 'delete')

    def test_what_is_denied_changes_nothing(self):
        server = self.start('--listen', '127.0.0.1:0', '--listen', '127.0.0.1:0,rights=read')
        full, reader = (self.client(address) for address in server.addresses)
        full.put('k', 1, 1)
        reader.send(b'put k 2 1\nput k 1 2\nput other 1 1\ndel k\ndel *\nget *\n')
        self.assertEqual(reader.recv_replies(6), [DENIED] * 5 + [b'ok\nk 1.0 1\n\n'])

    def test_named_rights_of_a_unix_socket(self):
        server = self.start('--listen', f'unix:{self.path},rights=read')
        self.assert_rights(self.client(server), 'read')

    def test_own_user_may_delete(self):
        self.assert_rights(self.client(self.start('--listen', f'unix:{self.path}')), 'read', 'put', 'delete')

    @needs_root
    def test_credentials_of_the_peer(self):
        server = self.start('--listen', f'unix:{self.path},mode=0666')
        with effective_user(NOBODY):
            stranger = self.client(server)
        self.assert_rights(stranger, 'read', 'put')
        self.assert_rights(self.client(server), 'read', 'put', 'delete')
        self.assert_rights(stranger, 'read', 'put')

    @needs_root
    def test_named_rights_stand_above_credentials(self):
        server = self.start('--listen', f'unix:{self.path},mode=0666,rights=read+delete')
        with effective_user(NOBODY):
            stranger = self.client(server)
        self.assert_rights(stranger, 'read', 'delete')
        self.assert_rights(self.client(server), 'read', 'delete')

    @needs_root
    def test_credentials_where_the_server_is_not_root(self):
        def become_nobody():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

        os.chown(self.directory, NOBODY, NOBODY)
        try:
            server = self.enterContext(Server('--listen', f'unix:{self.path},mode=0666', preexec=become_nobody))
        except PermissionError:
            self.skipTest('the binary is out of reach for other users')
        for uid, rights in ((NOBODY, ('read', 'put', 'delete')), (STRANGER, ('read', 'put')), (0, ('read', 'put', 'delete'))):
            with effective_user(uid):
                client = self.client(server)
            self.assert_rights(client, *rights)


if __name__ == '__main__':
    main()
