#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Things that run out: connections, file descriptors, series and memory. Each is refused by name, hurts nobody
else, and comes back."""

import resource

from harness import OK, SANITIZED, Client, TestCase, main, wait_until

TOO_MANY = b'error\ntoo many connections\n\n'
NO_SERIES = b'error\nseries limit reached\n\n'
NO_MEMORY = b'error\nmemory limit reached\n\n'
QUIET = 100  # lines: a server that logs each failed accept of a busy loop writes thousands


class ConnectionLimitTest(TestCase):
    LIMIT = 50

    def setUp(self):
        self.server = self.start('--connection-limit', self.LIMIT)

    def fill(self, count=LIMIT):
        clients = [self.client(self.server) for _ in range(count)]
        for client in clients:
            self.assertEqual(client.ask(b'ping'), OK)
        return clients

    def test_twice_the_limit_at_once(self):
        clients = [self.client(self.server) for _ in range(2 * self.LIMIT)]
        for client in clients[self.LIMIT:]:
            self.assertEqual(client.recv_reply(), TOO_MANY)
            client.expect_eof()
        for client in clients[:self.LIMIT]:
            self.assertEqual(client.ask(b'ping'), OK)
        self.assertEqual(clients[0].stats()['connections'], self.LIMIT)
        self.assertEqual(clients[0].stats()['connections_refused'], self.LIMIT)

    def test_all_at_the_same_moment(self):
        """Far more than it tells at a time that they are too many."""
        clients = self.fill()
        for request in (b'', b'ping\n', b'put k 1 1\n' * 2000):
            with self.server.paused():
                refused = [self.client(self.server) for _ in range(200)]
                for client in refused:
                    client.send(request)
            for client in refused:
                self.assertEqual(client.recv_reply(), TOO_MANY)
                client.expect_eof()
                client.close()
            self.assertEqual(clients[0].ask(b'get *'), OK)

    def test_refused_in_order_though_it_has_sent_a_request(self):
        """A close with bytes unread would be a reset, which may overtake the reason."""
        clients = self.fill()
        for i in range(100):
            refused = self.client(self.server)
            refused.send(b'put k%d 1 1\n' % i * (1 + i * 7))
            self.assertEqual(refused.recv_reply(), TOO_MANY)
            refused.expect_eof()
        self.assertEqual(clients[0].ask(b'get *'), OK)

    def test_room_again_after_some_left(self):
        clients = self.fill()
        for client in clients[:20]:
            client.close()
        wait_until(lambda: clients[20].stats()['connections'] == self.LIMIT - 20, 'the end of twenty connections')
        self.fill(20)
        refused = self.client(self.server)
        self.assertEqual(refused.recv_reply(), TOO_MANY)

    def test_refused_ones_that_stay_do_not_add_up(self):
        """They neither read nor close: their descriptors come back all the same."""
        clients = self.fill()
        for _ in range(10):
            refused = [self.client(self.server) for _ in range(self.LIMIT)]
            for client in refused:
                client.send(b'get *\n')
            self.assertEqual(clients[0].ask(b'ping'), OK)
        for client in refused:
            self.assertEqual(client.recv_reply(), TOO_MANY)
        wait_until(lambda: self.server.descriptors() < 2 * self.LIMIT, 'the end of refused connections')
        self.assertLess(len(self.server.errors().splitlines()), QUIET)

    def test_a_storm_of_connections(self):
        clients = self.fill()
        for _ in range(20):
            storm = [Client(self.server) for _ in range(100)]
            for client in storm:
                client.reset()
            self.assertEqual(clients[0].ask(b'ping'), OK)
        wait_until(lambda: clients[0].stats()['connections'] == self.LIMIT, 'calm')
        self.assertLess(len(self.server.errors().splitlines()), QUIET)


class DescriptorTest(TestCase):
    def limit_descriptors(self, server, count):
        """The server may hold that many from now on; it keeps what it has."""
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (count, hard))

    def sleeps(self, server):
        """How often it gave up the processor because it had nothing to do."""
        with open(f'/proc/{server.pid}/status') as status:
            return next(int(line.split()[1]) for line in status if line.startswith('voluntary_ctxt_switches'))

    def assert_not_spinning(self, server, client):
        """Between requests that are apart it goes to sleep again and again; one in a busy loop never does."""
        before = self.sleeps(server)
        wait_until(lambda: client.ask(b'ping') == OK and self.sleeps(server) - before >= 25, 'sleep')

    def test_started_with_few(self):
        """The limit of connections stays below that of descriptors, and over it a client is told so."""
        server = self.start(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))
        clients = [self.client(server) for _ in range(100)]
        served, refused = [], []
        for client in clients:
            try:
                reply = client.ask(b'ping')
            except (ConnectionError, EOFError):
                continue
            (served if reply == OK else refused).append(client)
            self.assertIn(reply, (OK, TOO_MANY))
        self.assertGreaterEqual(len(served), 10)
        self.assertGreaterEqual(len(refused), 10)
        self.assertLess(served[0].stats()['connection_limit'], 48)
        self.assert_not_spinning(server, served[0])
        for client in clients[1:] if served[0] is clients[0] else [one for one in clients if one is not served[0]]:
            client.close()
        wait_until(lambda: served[0].stats()['connections'] == 1, 'the end of the others')
        for _ in range(10):
            self.assertEqual(self.client(server).ask(b'ping'), OK)
        self.assertLess(len(server.errors().splitlines()), QUIET)

    def test_run_out_and_come_back(self):
        server = self.start()
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        first = self.client(server)
        first.put('k', 1, 1)
        for room in (0, 1, 4, 8, 12, 0):
            with server.paused():
                self.limit_descriptors(server, server.descriptors() + room)
                waiting = [self.client(server) for _ in range(30)]
                for client in waiting:
                    client.send(b'get k\n')
            for _ in range(50):
                self.assertEqual(first.ask(b'get k'), b'ok\nk 1.0 1\n\n')
            self.assert_not_spinning(server, first)
            self.limit_descriptors(server, hard)
            for client in waiting:
                # Either it waited for its turn, or it was told and may come again.
                reply = client.recv_reply()
                self.assertIn(reply, (b'ok\nk 1.0 1\n\n', TOO_MANY))
                client.close()
            with Client(server) as client:
                self.assertEqual(client.ask(b'get k'), b'ok\nk 1.0 1\n\n')
            wait_until(lambda: first.stats()['connections'] == 1, 'the end of the others')
        self.assertLess(len(server.errors().splitlines()), QUIET)

    def test_run_out_and_come_back_by_closing(self):
        """Nothing but the end of other connections makes room."""
        server = self.start()
        clients = [self.client(server) for _ in range(20)]
        for client in clients:
            self.assertEqual(client.ask(b'ping'), OK)
        self.limit_descriptors(server, server.descriptors())
        waiting = [self.client(server) for _ in range(10)]
        self.assert_not_spinning(server, clients[0])
        for client in clients[1:]:
            client.close()
        for client in waiting:
            client.send(b'ping\n')
            self.assertIn(client.recv_reply(), (OK, TOO_MANY))
        self.assertEqual(self.client(server).ask(b'ping'), OK)
        self.assertLess(len(server.errors().splitlines()), QUIET)

    def test_none_leak(self):
        server = self.start()
        with Client(server) as client:
            self.assertEqual(client.ask(b'ping'), OK)
        wait_until(lambda: self.client(server).stats()['connections'] >= 1)
        before = None
        for turn in range(4):
            clients = [Client(server) for _ in range(100)]
            for i, client in enumerate(clients):
                client.ask(b'ping')
                (client.reset, client.close, client.half_close)[i % 3]()
            for client in clients[2::3]:
                client.expect_eof()
                client.close()
            probe = self.client(server)
            wait_until(lambda: probe.stats()['connections'] <= turn + 2, 'the end of the others')
            probe.close()
            if before is None:
                before = server.descriptors()
        self.assertLessEqual(server.descriptors(), before + 5)


class SeriesLimitTest(TestCase):
    def test_series_limit(self):
        client = self.client(self.start('--series-limit', '100'))
        client.put_many([b'put k%d 1 1\n' % i for i in range(100)])
        for key in (b'new', b'k100'):
            self.assertEqual(client.ask(b'put ' + key + b' 1 1'), NO_SERIES)
        # What there is goes on: more points, other values, answers.
        client.put('k5', 2, 1)
        client.put('k5', 3, 2)
        self.assertEqual(client.ask(b'get k5'), b'ok\nk5 2.0 1\nk5 3.0 2\n\n')
        self.assertEqual(client.ask(b'get new'), OK)
        stats = client.stats()
        self.assertEqual((stats['series'], stats['points'], stats['series_limit']), (100, 101, 100))
        self.assertEqual(client.ask(b'del k7'), b'ok\n1\n\n')
        client.put('new', 1, 1)
        self.assertEqual(client.ask(b'put k7 1 1'), NO_SERIES)

    def test_pipelined_over_the_limit(self):
        client = self.client(self.start('--series-limit', '10'))
        client.send(b''.join(b'put k%d 1 1\n' % i for i in range(1000)) + b'get *\n')
        replies = client.recv_replies(1001)
        self.assertEqual(replies[:1000], [OK] * 10 + [NO_SERIES] * 990)
        self.assertEqual(replies[1000].count(b'\n'), 12)


def noise(i):
    """Digits that no coding makes shorter."""
    return b'0.%016d' % (i * 6364136223846793005 % 9999999999999937)


class MemoryLimitTest(TestCase):
    # What there is of memory at most is looked at in the plain build.
    LIMIT = (2 if SANITIZED else 8) << 20

    def fill(self, client, make_line):
        """Puts until it is refused; how many were taken."""
        total, block = 0, 20000
        while total < 5000000:
            client.send(b''.join(make_line(i) for i in range(total, total + block)))
            replies = client.recv_replies(block)
            good = replies.count(OK)
            self.assertEqual(set(replies[good:]), {NO_MEMORY} if good < block else set())
            total += good
            if good < block:
                return total
        self.fail('there is no limit')

    def assert_limit_holds(self, make_line, least):
        """At least so many points are taken for each byte."""
        server = self.start('--memory-limit', str(self.LIMIT))
        client = self.client(server)
        base = server.rss()
        for _ in range(2):
            taken = self.fill(client, make_line)
            self.assertGreater(taken, least * self.LIMIT)
            stats = client.stats()
            self.assertEqual(stats['points'], taken)
            self.assertLessEqual(stats['memory'], self.LIMIT)
            if not SANITIZED:
                self.assertLess(server.peak() - base, 2 * self.LIMIT)
            self.assertEqual(client.ask(b'del *'), b'ok\n%d\n\n' % taken)
            self.assertEqual(client.ask(b'get *'), OK)

    def test_points_of_one_series(self):
        self.assert_limit_holds(lambda i: b'put k %s %d\n' % (noise(i), i * 3), 1 / 40)

    def test_points_in_any_order(self):
        self.assert_limit_holds(lambda i: b'put k%d %s %d\n' % (i % 97, noise(i), i * 7919 % 10000019), 1 / 80)

    def test_keys(self):
        self.assert_limit_holds(lambda i: b'put %s%d 1 1\n' % (b'k' * 200, i), 1 / 1600)

    def test_what_is_kept_for_slow_readers_counts(self):
        """Each of them holds the store as it was when it asked; there is no more of that than of anything else.
        Where one cannot be given all of its answer it is closed in the middle: no answer is false."""
        server = self.start('--memory-limit', str(self.LIMIT))
        client = self.client(server)
        base = server.rss()
        readers, refused = [], 0
        for _ in range(12):
            client.send(b''.join(b'put k%d %s %d\n' % (i % 50, noise(i), i) for i in range(120000)))
            replies = client.recv_replies(120000)
            self.assertLessEqual(set(replies), {OK, NO_MEMORY})
            refused += replies.count(NO_MEMORY)
            want = client.ask(b'get *')
            reader = self.client(server, receive_buffer=4096)
            reader.send(b'get *\n')
            reader.wait_for(1)
            readers.append((reader, want))
            for line in (b'del * 20000 40000', b'del k1* 100 50000', b'del *'):
                self.assertTrue(client.ask(line).startswith(b'ok\n'))
                self.assertLessEqual(client.stats()['memory'], self.LIMIT)
        self.assertGreater(refused, 0)
        if not SANITIZED:
            self.assertLess(server.peak() - base, 2 * self.LIMIT)
        for reader, want in readers:
            reader.half_close()
            try:
                got = reader.recv_all()
            except ConnectionResetError:
                continue
            self.assertTrue(got == want or want.startswith(got) and not got.endswith(b'\n\n'))
        wait_until(lambda: client.stats()['connections'] == 1, 'the end of the readers')
        wait_until(lambda: client.stats()['memory'] < self.LIMIT // 10, 'the end of what was kept')
        client.put_many([b'put k%d %d.37 %d\n' % (i % 50, i, i) for i in range(60000)])

    def test_refused_put_leaves_the_old_value(self):
        client = self.client(self.start('--memory-limit', '2M'))
        client.put('first', 1, 1)
        taken = self.fill(client, lambda i: b'put k %d.37 %d\n' % (i * 7919 % 100003, i * 3))
        self.assertEqual(client.ask(b'get first'), b'ok\nfirst 1.0 1\n\n')
        # A replaced value needs no room.
        client.put('first', 2, 1)
        self.assertEqual(client.ask(b'get first'), b'ok\nfirst 2.0 1\n\n')
        self.assertEqual(len(client.rows(b'get k')), taken)
        self.assertEqual(client.ask(b'del k - 1000'), b'ok\n334\n\n')


if __name__ == '__main__':
    main()
