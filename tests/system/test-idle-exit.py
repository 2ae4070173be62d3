#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that leaves when it has nothing to do, and is started again by a call: nothing is lost by it. What is waited
for is its end. METRICSD_IDLE_EXIT_SECONDS=600 goes on for so long with calls around the moment in which it leaves."""

import os
import pathlib
import random
import select
import socket
import tempfile
import threading
import time
import unittest

from bus import Bus, Caller, Refused, TestCase, Watcher, is_over, main
from harness import OK, WATCHDOG, Client, Server, binary, run, wait_until

SECONDS = float(os.environ.get('METRICSD_IDLE_EXIT_SECONDS', '10'))
N_BUSES = 20


class IdleExitTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.options = ['--session', '--state-dir', str(self.folder / 'state'), '--listen', f'unix:{self.folder}/socket',
                        '--exit-when-idle', '1']
        self.dbus = self.bus(command=[binary()] + self.options)

    def start_idle(self):
        """A server that is not started by a call."""
        return self.start(*self.options, memory_only=False, env=self.dbus.env)

    def start_kept(self, come):
        """A server, and who keeps it: what `come(server)` returns. It may leave before that one is there; then comes the
        next."""
        for _ in range(10):
            server = self.start_idle()
            try:
                return server, come(server)
            except (EOFError, OSError):
                self.assertEqual(server.wait(), 0)
        self.fail('ten servers have left before anybody came')

    def come(self, server):
        client = self.client(server)
        self.assertEqual(client.ask(b'ping'), OK)
        return client

    def wait_until_it_leaves(self, caller):
        pid = caller.find_server()
        wait_until(lambda: is_over(pid), 'the end of the server')
        return pid


class LeavingTest(IdleExitTest):
    def test_it_leaves_and_says_nothing(self):
        server = self.start_idle()
        self.assertEqual(server.wait(), 0)
        # But for the name that it had.
        self.assertEqual([line for line in server.errors().splitlines() if ' called as ' not in line], [])
        self.assertIsNone(self.caller(self.dbus).find_server())

    def test_a_call_starts_it_again_with_all_that_was_put(self):
        caller = self.caller(self.dbus)
        pids = set()
        for i in range(3):
            caller.call('Put', 'sdx', 'a', float(i), i)
            self.assertEqual(caller.call('Get', 's', 'a'), [(float(j), j) for j in range(i + 1)])
            pids.add(self.wait_until_it_leaves(caller))
        self.assertEqual(len(pids), 3)

    def check_it_stays_for(self, server, end):
        """It would be gone otherwise: then whatever is waited for here is not true any more."""
        time.sleep(2.5)
        self.assertIsNone(server.process.poll())
        end()
        self.assertEqual(server.wait(), 0)

    def test_a_client_keeps_it(self):
        server, client = self.start_kept(self.come)
        self.check_it_stays_for(server, client.close)

    def test_who_watches_keeps_it(self):
        caller = self.enterContext(Watcher(self.dbus))

        def watch(server):
            number = caller.watch('*')
            if caller.find_server() == server.pid:
                return number
            # The call has started another one.
            caller.unwatch(number)
            self.wait_until_it_leaves(caller)
            raise ConnectionError

        server, number = self.start_kept(watch)
        self.check_it_stays_for(server, lambda: caller.unwatch(number))

    def test_who_watched_and_left_the_bus_does_not(self):
        server = self.start_idle()
        caller = Watcher(self.dbus)
        caller.watch('*')
        caller.close()
        self.assertEqual(server.wait(), 0)

    def test_its_own_figures_do_not_keep_it(self):
        server = self.start(*self.options, '--self-metrics', '1', memory_only=False, env=self.dbus.env)
        self.assertEqual(server.wait(), 0)

    def test_a_disk_that_takes_nothing_keeps_it(self):
        """What was put is in memory alone: as long as there is hope it is not given up."""
        server, client = self.start_kept(self.come)
        state = self.folder / 'state'
        state.rename(self.folder / 'elsewhere')
        client.put('a', 1, 1)
        wait_until(lambda: client.stats()['storage_errors'] > 0, 'an error')
        client.close()
        self.check_it_stays_for(server, lambda: (self.folder / 'elsewhere').rename(state))
        self.assertEqual(self.caller(self.dbus).call('Get', 's', 'a'), [(1, 1)])

    def test_stop_before_it_is_idle(self):
        server = self.start_idle()
        self.assertEqual(server.stop(), 0)


class PassedTest(TestCase):
    """Sockets that the service manager passes: who comes to them while no server runs waits for the next one."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.socket = self.enterContext(socket.socket(socket.AF_UNIX))
        self.socket.bind(str(self.folder / 'socket'))
        self.socket.listen(100)
        self.address = f'unix:{self.folder}/socket'

    def start_passed(self, **arguments):
        return self.start('--state-dir', self.folder / 'state', '--exit-when-idle', '1', sockets=[('metricsd', self.socket)],
                          **arguments)

    def test_it_leaves_and_who_comes_then_waits_for_the_next(self):
        for i in range(2):
            client = self.client(self.address)
            client.send(b'put a %d %d\nget a\n' % (i, i))
            server = self.start_passed()
            self.assertEqual(client.recv_reply(), OK)
            self.assertEqual(client.recv_reply(), b'ok\n' + b''.join(b'a %d.0 %d\n' % (j, j) for j in range(i + 1)) + b'\n')
            client.close()
            self.assertEqual(server.wait(), 0)

    def show(self, *options, **arguments):
        config = self.folder / 'metricsd.conf'
        result = run('--config', config, '--show-config', *options, memory_only=False, **arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        return next(line for line in result.stdout.splitlines() if line.startswith('exit-when-idle='))

    def test_of_a_session_it_leaves_by_default(self):
        """The unit says nothing, so that the configuration can."""
        config = self.folder / 'metricsd.conf'
        passed = {'sockets': [('metricsd', self.socket)]}
        config.write_text('')
        self.assertEqual(self.show('--session', **passed), 'exit-when-idle=300')
        self.assertEqual(self.show('--session'), 'exit-when-idle=0')
        self.assertEqual(self.show(**passed), 'exit-when-idle=0')
        config.write_text('[server]\nexit-when-idle=0\n')
        self.assertEqual(self.show('--session', **passed), 'exit-when-idle=0')
        config.write_text('[server]\nexit-when-idle=7\n')
        self.assertEqual(self.show('--session', **passed), 'exit-when-idle=7')

    def test_the_service_manager_is_told_that_it_leaves(self):
        manager = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        manager.bind(str(self.folder / 'notify'))
        manager.settimeout(WATCHDOG)
        server = self.start_passed(env={'NOTIFY_SOCKET': str(self.folder / 'notify')})
        while b'STOPPING=1' not in manager.recv(65536).split(b'\n'):
            pass
        self.assertEqual(server.wait(), 0)

    def put(self, i):
        """A client that comes, puts and goes, whether a server runs or not."""
        with Client(self.address) as client:
            client.put('a', i, i)

    def be_manager(self, over, starts):
        """Starts a server whenever somebody has come and there is none."""
        while not over.is_set():
            if select.select([self.socket], [], [], 0.1)[0]:
                with Server('--state-dir', self.folder / 'state', '--exit-when-idle', '1', sockets=[('m', self.socket)]) as server:
                    starts.append(server.pid)
                    server.wait()

    def test_clients_while_it_leaves(self):
        over, starts, n, pause, n_before = threading.Event(), [], 0, 1.0, 0
        manager = threading.Thread(target=self.be_manager, args=(over, starts))
        manager.start()
        try:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                self.put(n)
                n += 1
                pause += random.random() * (0.005 if len(starts) == n_before else -0.005)
                n_before = len(starts)
                time.sleep(pause)
            with Client(self.address) as client:
                self.assertEqual(client.rows(b'get a'), [b'a %d.0 %d' % (i, i) for i in range(n)])
        finally:
            over.set()
            manager.join()


class OptionTest(TestCase):
    def assert_refused(self, *options, mentions):
        result = run('--exit-when-idle', '1', *options, memory_only=False)
        self.assertEqual(result.returncode, 2, result)
        self.assertIn(mentions, result.stderr)

    def test_who_would_not_come_back(self):
        self.assert_refused(mentions='--session')
        self.assert_refused('--system', mentions='--system')

    def test_what_would_be_lost(self):
        self.assert_refused('--session', '--memory-only', mentions='--memory-only')


class HammerTest(IdleExitTest):
    """Calls at about the moment in which it leaves: each is answered, and what one has put is there for all later ones."""

    def put(self, caller, i, method):
        if method == 'Put':
            caller.call('Put', 'sdx', 'a', float(i), i)
        elif method == 'PutMany':
            caller.call('PutMany', 'a(sdx)', [('a', float(i), i)])
        else:
            with caller.open(method) as client:
                client.put('a', i, i)

    def hammer(self, seed, end, errors, started):
        randomness = random.Random(seed)
        folder = self.folder / str(seed)
        options = ['--session', '--state-dir', str(folder), '--exit-when-idle', '1', '--durability',
                   randomness.choice(['interval', 'always', 'none'])]
        bus = Bus(command=[binary()] + options)
        caller = Caller(bus)
        n, pid = 0, None
        follows, pause = randomness.random() < 0.7, 1.02
        try:
            # However slow it is here, some servers are started again.
            while time.monotonic() < end or (len(started) <= N_BUSES and time.monotonic() < end + WATCHDOG):
                self.put(caller, n, randomness.choice(['Put', 'PutMany', 'OpenWriter']))
                n += 1
                if randomness.random() < 0.5:
                    points = caller.call('Get', 's', 'a')
                    if points != [(float(i), i) for i in range(n)]:
                        raise AssertionError(f'{len(points)} points, not {n}')
                # It leaves a second after the last call. Some come at any time around that, others find out when it is
                # that the old server just answers no more, and call then.
                before, pid = pid, caller.find_server()
                if pid is not None:
                    started.add((seed, pid))
                pause += randomness.random() * (0.003 if pid == before else -0.003)
                time.sleep(pause if follows else max(0, randomness.gauss(1.07, 0.07)))
        except (AssertionError, EOFError, OSError, Refused) as error:
            errors.append(f'{seed}: {error}')
        finally:
            caller.close()
            bus.close()

    def test_calls_while_it_leaves(self):
        errors, started = [], set()
        end = time.monotonic() + SECONDS
        seed = random.randrange(1 << 30)
        threads = [threading.Thread(target=self.hammer, args=(seed + i, end, errors, started)) for i in range(N_BUSES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f'# {len(started)} servers were started')
        self.assertEqual(errors, [])
        self.assertGreater(len(started), N_BUSES)


if __name__ == '__main__':
    main()
