#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that mean harm, or behave as if: the server's memory stays bounded and other clients are served. Each
bound is far below what a server without limits would take, and far above what a limited one needs."""

import contextlib
import select
import threading

from harness import OK, SANITIZED, WATCHDOG, WRONG, Client, TestCase, main, wait_until

MEGABYTE = 1 << 20
TOO_LONG = b'error\nline too long\n\n'

# By how much a slice may exceed its limit, in units of work: a step that was begun with one unit left. That is a
# chunk of points or a long line; the worst pattern on the longest key is more.
ONE_STEP = 512
ONE_MATCH = 1024 * 1024 // 64


class AdversaryTest(TestCase):
    SERIES, POINTS = 50, 100000

    def begin(self, *options):
        self.server = self.start(*options)
        self.other = self.client(self.server)

    def load(self):
        """About 2.5 MB of answer to a `get *`."""
        self.other.put_many([f'put series.{i % self.SERIES} {i}.0625 {i}\n'.encode() for i in range(self.POINTS)])
        return self.other.ask(b'get *')

    @contextlib.contextmanager
    def bounded_memory(self, megabytes):
        """The server's peak does not rise by more than that, while the adversaries that begin within are at it."""
        before = self.server.peak()
        yield
        if not SANITIZED:
            self.assertLess((self.server.peak() - before) / MEGABYTE, megabytes)

    def assert_served(self):
        """Another client, and a new one, get every kind of answer."""
        for client in (self.other, Client(self.server)):
            client.put('served', 1, 1)
            self.assertEqual(client.ask(b'get served'), b'ok\nserved 1.0 1\n\n')
            self.assertEqual(client.ask(b'del served'), b'ok\n1\n\n')
            self.assertEqual(client.ask(b'ping'), OK)
        client.close()

    def assert_only_connection(self):
        """The adversaries' connections have ended; what is left is ours."""
        wait_until(lambda: self.other.stats()['connections'] == 1, 'the end of the adversaries')


def send_until_full(client, data, limit):
    """Sends a repeated request until nobody takes it any more, at most `limit` bytes; returns how many went."""
    block = data * (65536 // len(data) + 1)
    sent = 0
    while sent < limit and select.select([], [client.sock], [], 0.5)[1]:
        sent += client.sock.send(block)
    return sent


class NeverReadsTest(AdversaryTest):
    def test_asks_for_everything_and_never_reads(self):
        self.begin()
        self.load()
        clients = [self.client(self.server, receive_buffer=4096) for _ in range(30)]
        with self.bounded_memory(20):
            for client in clients:
                client.send(b'get *\n' * 1000)
                client.wait_for(1)
            for _ in range(20):
                self.assert_served()
        for client in clients:
            client.reset()
        self.assert_only_connection()

    def test_asks_for_everything_under_the_longest_keys(self):
        """A chunk of points is never so many bytes of answer as here."""
        self.begin()
        self.other.put_many([b'put %s%d %d.0625 %d\n' % (b'k' * 1020, i % 5, i, i) for i in range(10000)])
        clients = [self.client(self.server, receive_buffer=4096) for _ in range(30)]
        with self.bounded_memory(24):
            for client in clients:
                client.send(b'get *\n' * 100)
                client.wait_for(1)
            self.assert_served()

    def test_asks_without_end_and_never_reads(self):
        """The server stops reading from it: its requests stay with it, and so do the answers."""
        self.begin()
        limit = 100 * MEGABYTE
        with self.bounded_memory(16):
            for request in (b'get none\n', b'nonsense\n', b'put k 1 1\n', b'\n', b'help\n'):
                client = self.client(self.server, receive_buffer=4096)
                self.assertLess(send_until_full(client, request, limit), limit, request)
                self.assert_served()

    def test_answer_timeout_ends_it(self):
        self.begin('--answer-timeout', '1')
        self.load()
        clients = [self.client(self.server, receive_buffer=4096) for _ in range(5)]
        for client in clients:
            client.send(b'get *\n' * 10)
        self.assertEqual(self.other.ask(b'ping'), OK)
        self.assert_only_connection()

    def test_answer_timeout_spares_a_slow_reader(self):
        """What counts is that the client takes something, not how long the whole answer needs."""
        self.begin('--answer-timeout', '1')
        everything = self.load()
        never, slow = (self.client(self.server, receive_buffer=4096) for _ in range(2))
        never.send(b'get *\n' * 10)
        slow.send(b'get *\n')
        got = b''
        # It is still being answered when the one that takes nothing has been ended.
        while self.other.stats()['connections'] == 3:
            got += slow.recv_some(2000)
            self.assertLess(len(got), len(everything))
            select.select([], [], [], 0.02)
        got += slow.recv_exactly(len(everything) - len(got))
        self.assertEqual(got, everything)


class SlowWriterTest(AdversaryTest):
    def drip(self, client, data):
        """A byte now and then, until the server says something; how many bytes went."""
        for i, byte in enumerate(data):
            client.send(bytes([byte]))
            if select.select([client.sock], [], [], 0.2)[0]:
                return i + 1
        self.fail('the server has all the patience in the world')

    def test_a_byte_now_and_then(self):
        self.begin('--line-timeout', '1')
        client = self.client(self.server)
        self.drip(client, b'put k 1 1'.ljust(150))
        self.assertEqual(client.recv_reply(), b'error\nline timeout\n\n')
        client.expect_closed()
        self.assertEqual(self.other.ask(b'get *'), OK)

    def test_a_byte_now_and_then_of_a_line_too_long(self):
        self.begin('--line-timeout', '1', '--line-limit', '100')
        client = self.client(self.server)
        client.send(b'x' * 100)
        self.assertEqual(client.recv_reply(), TOO_LONG)
        self.drip(client, b'y' * 150)
        self.assertEqual(client.recv_reply(), b'error\nline timeout\n\n')
        client.expect_closed()

    def test_between_lines_there_is_no_such_limit(self):
        """One that was silent between two lines all the while that the other took for its half line."""
        self.begin('--line-timeout', '1')
        patient, blank, client = (self.client(self.server) for _ in range(3))
        self.assertEqual(patient.ask(b'ping'), OK)
        self.assertEqual(blank.ask(b'ping'), OK)
        blank.send(b'\n')
        for _ in range(2):
            client = self.client(self.server)
            self.assertEqual(client.ask(b'ping'), OK)
            client.send(b'put k 1 1')
            self.assertEqual(client.recv_reply(), b'error\nline timeout\n\n')
            client.expect_eof()
        self.assertEqual(patient.ask(b'ping'), OK)
        self.assertEqual(blank.ask(b'ping'), OK)

    def test_many_of_them(self):
        self.begin('--line-timeout', '1')
        clients = [self.client(self.server) for _ in range(100)]
        for client in clients:
            client.send(b'put k')
        self.assert_served()
        for client in clients:
            self.assertEqual(client.recv_all(), b'error\nline timeout\n\n')
        self.assert_only_connection()

    def test_partial_lines_cost_no_more_than_the_limit(self):
        self.begin('--line-timeout', '600')
        clients = [self.client(self.server) for _ in range(100)]
        with self.bounded_memory(40):
            for client in clients:
                client.send(b'x' * MEGABYTE)
            self.assert_served()
            for client in clients:
                self.assertEqual(client.recv_reply(), TOO_LONG)


class IdleTest(AdversaryTest):
    CLIENTS, IDLE_COST = 400, 8192

    def test_who_sent_and_got_much_holds_nothing_of_it(self):
        """Clients that once put a batch and got a long answer, the last of them with half a line more."""
        self.begin('--line-timeout', '600')
        batch = [b'put batch 1 1\n'] * 3000
        self.other.put_many([f'put long {i} {i}\n'.encode() for i in range(5000)])
        self.other.put_many(batch)
        self.other.ask(b'get long')
        before = self.server.rss()
        for i in range(self.CLIENTS):
            client = self.client(self.server)
            client.ask(b'get long')
            client.put_many(batch)
            if i % 2:
                client.send(b'put half')
        if not SANITIZED:
            wait_until(lambda: self.server.rss() - before < self.CLIENTS * self.IDLE_COST, 'memory to come back')
        self.assert_served()


class HalfOpenTest(AdversaryTest):
    def test_silence_after_a_partial_line(self):
        self.begin('--line-timeout', '1')
        client = self.client(self.server)
        client.send(b'ping\nput k 1 1')
        self.assertEqual(client.recv_reply(), OK)
        self.assertEqual(client.recv_reply(), b'error\nline timeout\n\n')
        client.expect_eof()
        self.assertEqual(self.other.ask(b'get *'), OK)

    def test_idle_timeout(self):
        self.begin('--idle-timeout', '1')
        client = self.client(self.server)
        self.assertEqual(client.recv_reply(), b'error\nidle timeout\n\n')
        client.expect_eof()
        client = self.client(self.server)
        self.assertEqual(client.ask(b'ping'), OK)
        self.assertEqual(client.recv_reply(), b'error\nidle timeout\n\n')
        client.expect_eof()

    def test_idle_timeout_spares_one_that_is_being_answered(self):
        self.begin('--idle-timeout', '1')
        everything = self.load()
        slow = self.client(self.server, receive_buffer=4096)
        slow.send(b'get *\n')
        slow.wait_for(100)
        got = b''
        idle = self.client(self.server)
        # While this one idles to its end the slow one goes on reading.
        while not select.select([idle.sock], [], [], 0.02)[0]:
            got += slow.recv_some(2000)
            self.assertLess(len(got), len(everything))
        self.assertEqual(idle.recv_reply(), b'error\nidle timeout\n\n')
        self.assertEqual(got + slow.recv_exactly(len(everything) - len(got)), everything)

    def test_close_with_answers_unread(self):
        self.begin()
        self.load()
        for _ in range(100):
            client = self.client(self.server, receive_buffer=4096)
            client.send(b'get *\n' * 3)
            client.close()
        self.assert_served()
        self.assert_only_connection()

    def test_end_of_input_and_never_reads(self):
        self.begin('--answer-timeout', '1')
        self.load()
        clients = [self.client(self.server, receive_buffer=4096) for _ in range(10)]
        for client in clients:
            client.send(b'get *\n' * 10)
            client.half_close()
        self.assert_served()
        self.assert_only_connection()

    def test_connect_and_leave(self):
        self.begin()
        for i in range(500):
            client = Client(self.server)
            if i % 2:
                client.reset()
            else:
                client.close()
        self.assert_served()
        self.assert_only_connection()
        self.assertEqual(len(self.server.errors().splitlines()), 0, 'comings and goings are no news')


class HundredMegabytesTest(AdversaryTest):
    def test_one_line(self):
        self.begin()
        client = self.client(self.server)
        with self.bounded_memory(8):
            for i in range(100):
                client.send(b'x' * MEGABYTE)
                if i % 20 == 0:
                    self.assert_served()
            self.assertEqual(client.recv_reply(), TOO_LONG)
            client.send(b'\n')
            client.expect_silence()
        self.assert_served()

    def test_one_line_of_zeros_and_of_spaces(self):
        self.begin()
        for byte in (b'\x00', b' ', b'\r'):
            client = self.client(self.server)
            with self.bounded_memory(8):
                for _ in range(10):
                    client.send(byte * MEGABYTE)
            client.send(b'\nping\n')
            self.assertEqual(client.recv_replies(2), [TOO_LONG, OK])


class ResetTest(AdversaryTest):
    COMMANDS = b''.join(b'put r%d %d %d\nget r%d\nget *\nnonsense\n' % (i % 7, i, i, i % 7) for i in range(2500))

    def test_ten_thousand_commands_and_a_reset_in_the_middle(self):
        self.begin()
        self.other.put_many([b'put base %d %d\n' % (i, i) for i in range(1000)])
        for taken in (0, 1, 100, 5000, 100000, 1000000):
            client = self.client(self.server)
            client.sock.setblocking(False)
            sent, got = 0, 0
            while got < taken or sent == 0:
                readable, writable, _ = select.select([client.sock], [client.sock], [], WATCHDOG)
                if writable and sent < len(self.COMMANDS):
                    sent += client.sock.send(self.COMMANDS[sent:])
                if readable:
                    data = client.sock.recv(65536)
                    self.assertTrue(data, 'the server closed')
                    got += len(data)
            client.reset()
            self.assert_served()
        self.assert_only_connection()

    def test_many_resets_at_once(self):
        self.begin()
        self.load()
        for _ in range(5):
            clients = [self.client(self.server, receive_buffer=4096) for _ in range(50)]
            for client in clients:
                client.send(b'get *\nput k 1 1\n' * 100)
            for client in clients:
                client.reset()
            self.assert_served()
        self.assert_only_connection()


class BrowserTest(AdversaryTest):
    def test_a_page_posts_commands(self):
        self.begin()
        client = self.client(self.server)
        body = b'put evil 1 1\n' * 80000
        head = b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n' % len(body)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            client.send(head + body)
        with contextlib.suppress(ConnectionResetError):
            self.assertIn(client.recv_all(), (WRONG,))
        self.assertEqual(self.other.ask(b'get *'), OK)
        self.assert_only_connection()

    def test_a_page_that_waits_for_more(self):
        """It neither closes nor reads on: the connection ends all the same."""
        self.begin()
        clients = [self.client(self.server) for _ in range(20)]
        for client in clients:
            client.send(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
            self.assertEqual(client.recv_reply(), WRONG)
            client.expect_eof()
        wait_until(lambda: self.other.stats()['connections'] == 1, 'the end of connections that the client keeps open')


class SlowReaderTest(AdversaryTest):
    def test_slow_reader_of_everything(self):
        self.begin()
        everything = self.load()
        slow = self.client(self.server, receive_buffer=4096)
        with self.bounded_memory(8):
            slow.send(b'get *\n' * 2)
            got = []
            size = 0
            while size < 2 * len(everything):
                got.append(slow.recv_some(8192))
                size += len(got[-1])
                if len(got) % 10 == 0:
                    self.assertEqual(self.other.ask(b'get none'), OK)
        self.assertEqual(b''.join(got), everything * 2)

    def test_rewriting_the_store_under_slow_readers(self):
        """What they hold of the past is one store's worth at most for each, however often it is rewritten."""
        self.begin()
        everything = self.load()
        slow = self.client(self.server, receive_buffer=4096)
        slow.send(b'get *\n')
        slow.wait_for(1000)
        with self.bounded_memory(24):
            for _ in range(15):
                self.assertEqual(self.other.ask(b'del *'), b'ok\n%d\n\n' % self.POINTS)
                self.load()
        self.assertEqual(slow.recv_reply(), everything)


class EndlessPipeTest(AdversaryTest):
    """A client that pipelines without end and takes its answers, beside one that asks one thing at a time."""

    def flood(self, client, data, end):
        """Sends and receives at full speed until the event."""
        client.sock.setblocking(False)
        block, at = data * (1000000 // len(data) + 1), 0
        while not end.is_set():
            readable, writable, _ = select.select([client.sock], [client.sock], [], WATCHDOG)
            with contextlib.suppress(BlockingIOError):
                if writable:
                    at = (at + client.sock.send(block[at:])) % len(block)
                if readable:
                    client.sock.recv(MEGABYTE)

    def assert_others_served_during(self, data, indivisible=ONE_STEP):
        end = threading.Event()
        client = self.client(self.server)
        thread = threading.Thread(target=self.flood, args=(client, data, end))
        thread.start()
        try:
            with self.bounded_memory(16):
                for i in range(100):
                    self.other.put('single', i, 1)
                    self.assertEqual(self.other.ask(b'get single'), b'ok\nsingle %d.0 1\n\n' % i)
                self.assert_served()
        finally:
            end.set()
            thread.join()
            client.close()
        stats = self.other.stats()
        self.assertLessEqual(stats['largest_slice'], stats['slice_limit'] + indivisible)
        self.assertGreater(stats['largest_slice'], 0)

    def test_puts(self):
        self.begin()
        self.assert_others_served_during(b'put k 1.5 1\nput k2 2.5 2\n')

    def test_gets_of_everything(self):
        self.begin()
        self.load()
        self.assert_others_served_during(b'get *\n')

    def test_wrong_commands_and_blank_lines(self):
        self.begin()
        self.assert_others_served_during(b'\n\n\nnonsense\n' + b'x' * 70000 + b'\n')

    def test_searches_that_find_nothing(self):
        self.begin()
        self.other.put_many([b'put %s%d 1 1\n' % (b'a' * 500, i) for i in range(2000)])
        self.assert_others_served_during(b'last *b*\nrange *zz - -\nkeys *?q\nrange * 100 200 5 avg\ndel *no*such*\n')

    def test_the_worst_patterns_on_the_longest_keys(self):
        self.begin()
        self.other.put_many([b'put %s%03d 1 1\n' % (b'a' * 1021, i) for i in range(100)])
        worst = b'*' + b'a' * 500 + b'?' * 500 + b'b'
        stars = b'*a' * 500 + b'b'
        self.assert_others_served_during(b'last %s\nkeys %s\nget k\ndel %s\n' % (worst, stars, worst), ONE_MATCH + ONE_STEP)

    def test_buckets_of_everything(self):
        self.begin()
        self.load()
        self.assert_others_served_during(b'range * - - 1000000 p99\nrange * - - 7 sum\n')

    def test_small_slices(self):
        self.begin('--slice-limit', '100')
        self.load()
        self.assert_others_served_during(b'get *\nrange * - - 1000000 median\nlast *9\nput x 1 1\ndel x\n')

    def test_deletions(self):
        self.begin()
        self.assert_others_served_during(
            b''.join(b'put d%d %d %d\n' % (i % 50, i, i) for i in range(5000)) + b'del d* 10 20\ndel d*\n')


if __name__ == '__main__':
    main()
