#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGHUP: what changes while the server runs, what waits for a restart, and that a configuration which is wrong changes
nothing; with clients that are connected and answers that are under way."""

import os
import pathlib
import pty
import re
import signal
import subprocess
import tempfile
import threading
import time
from random import Random

from harness import NOWHERE, OK, SANITIZED, Client, TestCase, binary, main, quietly, wait_until

DAY = 24 * 3600
HOUR = 3600
BAD = 'configuration not reloaded: it stays as it was'
DONE = 'configuration reloaded from '


class ReloadTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / 'metricsd.conf'
        self.state = self.folder / 'state'
        self.now = int(time.time())

    def configure(self, *lines, rules=''):
        self.path.write_text('[server]\n' + ''.join(line + '\n' for line in lines) + rules)

    def start_with(self, *lines, rules='', options=()):
        self.configure(*lines, rules=rules)
        return self.start('--config', self.path, *options)

    def start_stored(self, *lines, rules=''):
        return self.start_with(*lines, rules=rules, options=('--state-dir', self.state))

    def reload(self, server, *lines, rules='', text=DONE):
        """Has it read the configuration again, and returns what it says of that."""
        self.configure(*lines, rules=rules)
        before = server.errors()
        server.signal(signal.SIGHUP)
        wait_until(lambda: text in server.errors()[len(before):], text)
        return server.errors()[len(before):]


class LimitsTest(ReloadTest):
    def test_limits(self):
        server = self.start_with()
        client = self.client(server)
        said = self.reload(server, 'memory-limit=3M', 'series-limit=2', 'connection-limit=9', 'line-limit=1K',
                           'unsent-limit=2K', 'slice-limit=11')
        self.assertIn('line-limit is 1K now; it was 64K', said)
        self.assertIn('configuration reloaded from 1 file\n', said)
        stats = client.stats()
        self.assertEqual({name: stats[name] for name in stats if name.endswith('_limit')},
                         {'memory_limit': 3 << 20, 'series_limit': 2, 'connection_limit': 9, 'line_limit': 1024,
                          'unsent_limit': 2048, 'slice_limit': 11})
        self.assertEqual(client.ask(b'x' * 1024), b'error\nline too long\n\n')
        client.put('a', 1, 1)
        client.put('b', 1, 1)
        self.assertEqual(client.ask(b'put c 1 1'), b'error\nseries limit reached\n\n')
        self.reload(server)
        self.assertEqual(client.ask(b'x' * 1024), b'error\nwrong command\n\n')
        client.put('c', 1, 1)
        self.assertEqual(client.stats()['connection_limit'], 1024)

    def test_a_line_that_has_begun(self):
        server = self.start_with('line-limit=1M')
        client, other = self.client(server), self.client(server)
        client.send(b'y' * 300_000)
        wait_until(lambda: other.stats()['bytes_received'] >= 300_000, 'the line')
        self.reload(server, 'line-limit=64')
        client.send(b'y')
        self.assertEqual(client.recv_reply(), b'error\nline too long\n\n')
        client.send(b'y\nping\n')
        self.assertEqual(client.recv_reply(), OK)
        self.reload(server, 'line-limit=1M')
        self.assertEqual(client.ask(b'y' * 500_000), b'error\nwrong command\n\n')

    def test_connections(self):
        server = self.start_with()
        clients = [self.client(server) for _ in range(5)]
        for client in clients:
            self.assertEqual(client.ask(b'ping'), OK)
        self.reload(server, 'connection-limit=3')
        for client in clients:
            self.assertEqual(client.ask(b'ping'), OK)
        self.assertEqual(self.client(server).recv_reply(), b'error\ntoo many connections\n\n')
        for client in clients[:3]:
            client.close()
        wait_until(lambda: clients[4].stats()['connections'] == 2, 'the end of three')
        self.assertEqual(self.client(server).ask(b'ping'), OK)
        self.reload(server, 'connection-limit=10')
        self.assertEqual(self.client(server).ask(b'ping'), OK)

    def test_time_outs(self):
        server = self.start_with()
        idle, begun = self.client(server), self.client(server)
        begun.send(b'pi')
        self.assertEqual(idle.ask(b'ping'), OK)
        self.reload(server, 'idle-timeout=2', 'line-timeout=1')
        self.assertEqual(begun.recv_reply(), b'error\nline timeout\n\n')
        self.assertEqual(idle.recv_reply(), b'error\nidle timeout\n\n')

    def test_an_answer_that_is_not_taken(self):
        server = self.start_with()
        client = self.client(server)
        client.put_many([b'put k %d %d\n' % (i, i) for i in range(50_000)])
        slow = self.client(server, receive_buffer=4096)
        slow.send(b'get *\n' * 20)
        slow.wait_for(1)
        self.assertEqual(client.stats()['connections'], 2)
        self.reload(server, 'answer-timeout=1')
        wait_until(lambda: client.stats()['connections'] == 1, 'the end of who takes nothing')

    def test_a_stop(self):
        server = self.start_with('stop-timeout=86400')
        client = self.client(server)
        client.put_many([b'put k %d %d\n' % (i, i) for i in range(50_000)])
        slow = self.client(server, receive_buffer=4096)
        slow.send(b'get *\n' * 20)
        slow.wait_for(1)
        self.reload(server, 'stop-timeout=0')
        self.assertEqual(server.stop(), 0)
        self.assertIn('1 client did not take its answers in time', server.errors())

    def test_less_memory(self):
        server = self.start_stored('memory-limit=64M')
        client = self.client(server)
        random = Random(5)
        for k in range(20):
            client.put_many([b'put k%d %f %d\n' % (k, random.uniform(0, 1e6), i) for i in range(20_000)])
        self.assertGreater(client.stats()['memory'], 2 << 20)
        expected = client.ask(b'range * - - 100 max')
        self.reload(server, 'memory-limit=1M')
        wait_until(lambda: client.stats()['memory'] <= 1 << 20, 'room')
        self.assertEqual(client.ask(b'range * - - 100 max'), expected)
        self.reload(server, 'memory-limit=64M')
        client.put_many([b'put more %d %d\n' % (i, i) for i in range(10_000)])
        self.assertEqual(client.stats()['points'], 410_000)

    def test_less_memory_that_cannot_be_had(self):
        server = self.start_with('memory-limit=64M')
        client = self.client(server)
        client.put_many([b'put k%d %d.%d %d\n' % (i % 1000, i * 7919 % 100_003, i % 97, i) for i in range(200_000)])
        self.reload(server, 'memory-limit=1M')
        self.assertEqual(client.ask(b'put k 1 1'), b'error\nmemory limit reached\n\n')
        self.assertEqual(client.stats()['points'], 200_000)
        self.reload(server)
        client.put('k', 1, 1)

    def test_own_figures(self):
        server = self.start_with()
        client = self.client(server)
        self.assertEqual(client.rows(b'keys *'), [])
        self.reload(server, 'self-metrics=1')
        wait_until(lambda: client.rows(b'keys metricsd.*'), 'figures')
        self.reload(server)
        client.ask(b'del *')
        self.assertEqual(client.rows(b'keys *'), [])

    def test_durability(self):
        for before in ('interval', 'none'):
            with self.subTest(before=before):
                server = self.start_stored(f'durability={before}')
                client = self.client(server)
                client.put_many([b'put %s %d %d\n' % (before.encode(), i, i) for i in range(1000)])
                said = self.reload(server, 'durability=always')
                self.assertIn(f'durability is always now; it was {before}', said)
                client.put(before, 1, 1000)
                server.kill()
                server = self.start_stored()
                # What is before it in the journal is kept with it.
                self.assertEqual(len(self.client(server).rows(b'get ' + before.encode())), 1001)
                self.reload(server, 'durability=none')
                self.assertEqual(server.stop(), 0)


class RulesTest(ReloadTest):
    def test_retention(self):
        server = self.start_stored()
        client = self.client(server)
        client.put_many([b'put old %d %d\n' % (i, self.now - 3 * DAY + i) for i in range(1000)])
        client.put_many([b'put other %d %d\n' % (i, self.now - 3 * DAY + i) for i in range(1000)])
        # A file that was just made: the clock is believed after the server has seen it once more.
        server.stop()
        server = self.start_stored()
        client = self.client(server)
        self.reload(server, rules='[retention]\nold=1d\n')
        self.assertEqual(client.ask(b'put old 1 %d' % (self.now - 2 * DAY)), b'error\nolder than retention\n\n')
        client.put('other', 1, self.now - 2 * DAY)
        wait_until(lambda: client.stats()['points_expired'] == 1000, 'the sweep')
        self.assertEqual([row.split()[0] for row in client.rows(b'keys *')], [b'other'])
        self.reload(server, rules='[retention]\nother=1d\n')
        client.put('old', 1, self.now - 2 * DAY)
        wait_until(lambda: client.stats()['points_expired'] == 2001, 'the next sweep')
        self.reload(server)
        client.put('other', 1, 0)

    def ranges(self, client, *steps):
        return [client.ask(f'range * - - {step} {function}'.encode())
                for step in steps for function in ('avg', 'sum', 'count', 'max')]

    def test_rollups(self):
        server = self.start_stored()
        client = self.client(server)
        end = self.now // HOUR * HOUR
        client.put_many([b'put cpu %d %d\n' % (i % 97, end - DAY + i) for i in range(0, DAY + 1, 60)])
        plain = self.ranges(client, 60, 3600, 7200)
        for rule, count in (('*=avg 1m:60d 1h:10y', 2 * (24 * 60 + 24)), ('*=max 1h:10y', 24), ('*=avg 5m:1y', 2 * 24 * 12),
                            ('cpu=sum 1m:60d', 24 * 60), ('', 0), ('*=avg 1m:60d 1h:10y', 2 * (24 * 60 + 24))):
            with self.subTest(rule=rule):
                self.reload(server, rules=f'[rollup]\n{rule}\n')
                wait_until(lambda: client.stats()['rollup_points'] == count, f'{count} points')
                self.assertEqual(self.ranges(client, 60, 3600, 7200), plain)

        # A group that is gone is no wish to lose what has become of years.
        said = self.reload(server)
        self.assertIn('there is no group [rollup] any more: its rules stay until a restart', said)
        client.put('cpu', 5, end - DAY // 2)
        # Noted, and rolled up.
        self.assertGreaterEqual(client.stats()['rollup_points'], 2 * (24 * 60 + 24))
        wait_until(lambda: client.stats()['rollup_points'] == 2 * (24 * 60 + 24), 'the late point')
        self.assertEqual(len(client.rows(b'range cpu - - 3600 max')), 25)
        self.assertEqual(server.stop(), 0)
        client = self.client(self.start_stored())
        self.assertEqual(client.stats()['rollup_points'], 2 * (24 * 60 + 24))


class FixedTest(ReloadTest):
    def test_what_waits_for_a_restart(self):
        server = self.start_with(options=('--listen', '127.0.0.1:0', '--memory-only'))
        client = self.client(server)
        said = self.reload(server, 'host=127.0.0.1', 'port=1', f'state-dir={self.state}', 'series-limit=5')
        for name in ('host', 'port', 'state-dir'):
            self.assertIn(f'{name} is changed by a restart only: it stays as it was', said)
        self.assertNotIn('series-limit is changed by', said)
        self.assertFalse(self.state.exists())
        self.assertEqual(client.stats()['series_limit'], 5)
        self.assertEqual(self.client(server).ask(b'ping'), OK)
        # It is said for as long as it is so.
        said = self.reload(server, 'port=1', 'series-limit=5')
        self.assertIn('port is changed by', said)
        self.assertNotIn('host is changed by', said)
        said = self.reload(server)
        self.assertNotIn('is changed by', said)

    def test_it_is_a_warning(self):
        """As the table of events has it: who logs warnings alone learns of it."""
        server = self.start_with(options=('--listen', '127.0.0.1:0', '--memory-only', '--log-level', 'warning'))
        said = self.reload(server, 'port=1', text='port is changed by a restart only')
        self.assertNotIn(DONE, said)

    def test_the_page_says_of_each_whether_it_waits(self):
        page = (pathlib.Path(__file__).parents[2] / 'data' / 'man' / 'metricsd.conf.5.rst').read_text()
        texts = dict(re.findall(r'(?m)^\*\*([a-z-]+)\*\*\n((?:    .*\n)+)', page))
        # What is none of these is a number.
        others = {'host': '::1', 'listen': '127.0.0.1:0', 'state-dir': '/nowhere', 'memory-only': 'true',
                  'http-listen': '127.0.0.1:0', 'http-host': 'metrics.lan;', 'no-http': 'false',
                  'durability': 'none', 'log-level': 'debug', 'memory-limit': '3M'}
        base = {'host': '127.0.0.1', 'port': '0', 'no-http': 'true', 'state-dir': self.state}
        self.configure(*(f'{key}={value}' for key, value in base.items()))
        server = self.start('--config', self.path, plain=True, http=None)
        for name, text in texts.items():
            with self.subTest(name=name):
                changed = {**base, name: others.get(name, 2000)}
                said = self.reload(server, *(f'{key}={value}' for key, value in changed.items()))
                self.assertEqual(f'{name} is changed by a restart only' in said, 'Live' not in text)
                self.assertEqual(f'{name} is {changed[name]} now' in said, 'Live' in text)
        self.assertEqual(len(texts), 24)

    def test_the_command_line_holds(self):
        server = self.start_with(options=('--series-limit', '7', '--memory-only'))
        client = self.client(server)
        said = self.reload(server, 'line-limit=1K', 'series-limit=5', 'memory-only=false')
        self.assertIn(f'{self.path}:3: [server] series-limit does not count: the command line says otherwise', said)
        self.assertIn(f'{self.path}:4: [server] memory-only does not count: the command line says otherwise', said)
        self.assertEqual((client.stats()['series_limit'], client.stats()['line_limit']), (7, 1024))


class WrongTest(ReloadTest):
    def test_nothing_changes(self):
        rules = '[retention]\nold=1d\n'
        server = self.start_with('series-limit=2', rules=rules)
        client = self.client(server)
        before = client.stats()
        said = self.reload(server, 'series-limit=5', 'line-limit=1', 'colour=red', rules='[retention]\nold=2d\nx=y\n', text=BAD)
        self.assertIn(f"{self.path}:3: [server] line-limit: '1' is not a size from 64 to 16M", said)
        self.assertIn(f'{self.path}:4: [server] colour: no such setting', said)
        self.assertIn(f"{self.path}:7: [retention] x: 'y' is not a duration", said)
        self.assertEqual({name: client.stats()[name] for name in before if name.endswith('_limit')},
                         {name: before[name] for name in before if name.endswith('_limit')})
        self.assertEqual(client.ask(b'put old 1 %d' % (self.now - DAY - 60)), b'error\nolder than retention\n\n')
        # What is gone that was named is wrong as well.
        said = server.errors()
        self.path.unlink()
        server.signal(signal.SIGHUP)
        wait_until(lambda: BAD in server.errors()[len(said):], BAD)
        self.assertIn(f'{self.path}: No such file', server.errors()[len(said):])
        self.reload(server, 'series-limit=5')
        self.assertEqual(client.stats()['series_limit'], 5)

    def test_a_terminal_that_goes_away_ends_it(self):
        leader, terminal = pty.openpty()
        process = subprocess.Popen([binary(), *quietly(['--memory-only', '--port', '0', '--host', '127.0.0.1'])], start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal,
                                   env={**os.environ, **NOWHERE})
        os.close(terminal)
        with process:
            while process.stdout.readline() != b'ready\n':
                self.assertIsNone(process.poll())
            process.send_signal(signal.SIGHUP)
            output = b''
            while DONE.encode() not in output:
                output += os.read(leader, 4096)
            os.close(leader)
            process.send_signal(signal.SIGHUP)
            self.assertEqual(process.wait(60), 0)


class LoadTest(ReloadTest):
    CONFIGURATIONS = (
        ((), '[rollup]\n*=avg 1m:60d 1h:10y\n'),
        (('line-limit=1K', 'slice-limit=64', 'unsent-limit=4K', 'memory-limit=2M'), '[rollup]\n*=max 1m:1y\n[retention]\nx=1d\n'),
        (('connection-limit=64', 'idle-timeout=60', 'durability=always'), '[rollup]\n*=sum 5m:1y\n'),
        (('durability=none', 'self-metrics=0', 'memory-limit=8M'), '[rollup]\n'),
        (('slice-limit=1', 'wrong=1'), ''),
    )

    def test_nothing_is_lost(self):
        """Clients put, read slowly and delete while it is reloaded all the time."""
        server = self.start_stored('durability=interval', rules='[rollup]\n*=avg 1m:60d 1h:10y\n')
        start = self.now // HOUR * HOUR - 3 * DAY
        n_series, n_rounds = 4, 10 if SANITIZED else 30
        stop, failures, puts = threading.Event(), [], [0] * n_series

        def guard(function, *words):
            try:
                with Client(server) as client:
                    function(client, *words)
            except BaseException as error:
                failures.append(error)

        def put(client, k):
            while not stop.is_set():
                first = puts[k]
                client.put_many([b'put k%d %d %d\n' % (k, i % 101, start + i * 7) for i in range(first, first + 500)])
                puts[k] += 500

        def read(client):
            while not stop.is_set():
                client.send(b'get k*\nrange k* - - 3600 avg\nkeys k*\n')
                for _ in range(3):
                    if not client.recv_reply().startswith(b'ok\n'):
                        raise AssertionError('a query was refused')

        def delete(client):
            while not stop.is_set():
                client.put_many([b'put gone %d %d\n' % (i, start + i * 60) for i in range(2000)])
                client.ask(b'del gone')

        threads = [threading.Thread(target=guard, args=(put, k)) for k in range(n_series)]
        threads += [threading.Thread(target=guard, args=(read,)), threading.Thread(target=guard, args=(delete,))]
        for thread in threads:
            thread.start()
        try:
            for i in range(n_rounds):
                lines, rules = self.CONFIGURATIONS[i % len(self.CONFIGURATIONS)]
                self.reload(server, *lines, rules=rules, text=BAD if 'wrong=1' in lines else DONE)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])

        self.reload(server, rules='[rollup]\n*=avg 1m:60d 1h:10y\n')
        client = self.client(server)
        plain = self.client(self.start())
        for k in range(n_series):
            rows = [b'k%d %d.0 %d' % (k, i % 101, start + i * 7) for i in range(puts[k])]
            self.assertEqual(client.rows(b'get k%d' % k), rows)
            plain.put_many([b'put ' + row + b'\n' for row in rows])
        self.assertEqual(client.rows(b'get gone'), [])
        wait_until(lambda: client.stats()['rollup_series'] >= 4 * n_series, 'the rollups')
        for step in (60, 3600):
            for function in (b'avg', b'sum', b'count'):
                line = b'range k* - - %d %s' % (step, function)
                self.assertEqual(sorted(client.rows(line)), sorted(plain.rows(line)))
        self.assertEqual(client.rows(b'range gone - - 60 avg'), [])
        self.assertEqual(server.stop(), 0)
        # And what is on disk is the same.
        client = self.client(self.start_stored(rules='[rollup]\n*=avg 1m:60d 1h:10y\n'))
        for k in range(n_series):
            self.assertEqual(len(client.rows(b'get k%d' % k)), puts[k])

    def test_many_signals(self):
        """However many come, the last configuration holds."""
        server = self.start_with()
        client = self.client(server)
        for i in range(100):
            self.configure(f'series-limit={i + 1}')
            server.signal(signal.SIGHUP)
        wait_until(lambda: client.stats()['series_limit'] == 100, 'the last one')


if __name__ == '__main__':
    main()
