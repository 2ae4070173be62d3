#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Watching over the line protocol: who is told of which points, in which order and form, what the slow ones lose and are
told of, what a session that watches may ask, how a watch ends, and what it costs others."""

import collections
import fnmatch
import random
import re
import select
import tempfile
import threading

from harness import OK, SANITIZED, WRONG, Client, TestCase, main, wait_until
from watcher import Watcher, is_block

WATCHING = b'error\nwatching\n\n'
DENIED = b'error\npermission denied\n\n'
FULL = b'error\nlimit of watched patterns reached\n\n'
MEGABYTE = 1 << 20


class WatchTest(TestCase):
    OPTIONS = ()

    def setUp(self):
        self.server = self.start(*self.OPTIONS)
        self.writer = self.client(self.server)

    def watcher(self, *patterns, **arguments):
        watcher = self.enterContext(Watcher(self.server, **arguments))
        watcher.watch(*patterns)
        return watcher

    def n_watchers(self):
        return self.writer.stats()['watchers']

    def put(self, *keys):
        """A point each; their values and times are those of get."""
        for i, key in enumerate(keys):
            self.writer.put(key, i, i)

    def assert_told(self, watcher, *keys):
        """Those, and nothing else."""
        self.assertEqual([row.split()[0].decode() for row in watcher.tell_all()], list(keys))


class TellingTest(WatchTest):
    GATHERED = 4  # points that a block of a flood has at least, on average

    def test_the_form_of_a_block(self):
        """That of a reply to get, byte for byte."""
        watcher = self.watcher('a.*')
        for value, time in ((b'1e16', b'-5'), (b'-0', b'+007'), (b'.1', b'9223372036854775807')):
            self.writer.put('a.x', value, time)
            block = watcher.recv_reply()
            self.assertEqual(block, self.writer.ask(b'range a.x %d %d' % (int(time), int(time))))

    def test_who_asked_is_told_and_nobody_else(self):
        one, two, three = self.watcher('a.*'), self.watcher('*.x'), self.client(self.server)
        self.assertEqual(self.n_watchers(), 2)
        self.put('a.x', 'a.y', 'b.x', 'b.y', 'a.x')
        self.assert_told(one, 'a.x', 'a.y', 'a.x')
        self.assert_told(two, 'a.x', 'b.x', 'a.x')
        three.expect_silence()
        self.assertEqual(self.n_watchers(), 0)

    def test_one_put_is_told_at_once(self):
        """Nobody puts anything behind it that would bring it along."""
        watcher = self.watcher('a')
        for i in range(100):
            self.writer.put('a', i, i)
            self.assertEqual(watcher.recv_reply(), b'ok\na %d.0 %d\n\n' % (i, i))

    def test_a_flood_is_gathered(self):
        watcher = self.watcher('*')
        count = 20_000
        with self.server.paused():
            self.writer.send(b''.join(b'put k %d %d\n' % (i, i) for i in range(count // 4)))
        self.writer.recv_replies(count // 4)
        self.writer.put_many([b'put k %d %d\n' % (i, i) for i in range(count // 4, count)])
        self.assertEqual(watcher.wait_for_rows(count), [b'k %d.0 %d' % (i, i) for i in range(count)])
        self.assertLessEqual(watcher.blocks, count // self.GATHERED)

    def test_another_watch_adds_a_pattern_and_a_point_is_told_once(self):
        watcher = self.watcher('a.*')
        self.put('a.x', 'b.x')
        watcher.watch('*.x', '*', 'a.*')
        self.assertEqual(self.n_watchers(), 1)
        self.put('a.x', 'b.x', 'c')
        self.assert_told(watcher, 'a.x', 'a.x', 'b.x', 'c')

    def test_patterns(self):
        """Series that were there, that are new, and that were told of no pattern yet."""
        self.put('old.1')
        watcher = self.watcher('old.?', r'a\*', 'ä.*')
        self.put('old.1', 'old.11', 'old.2', 'a*', 'aa', 'ä.ö', 'b.ö')
        self.assert_told(watcher, 'old.1', 'old.2', 'a*', 'ä.ö')

    def test_what_was_before_is_not_told(self):
        self.put('a', 'a')
        watcher = self.watcher('a')
        self.assert_told(watcher)

    def test_series_that_go_and_come_again(self):
        watcher = self.watcher('a')
        self.put('a')
        self.writer.rows(b'del a')
        self.put('a', 'b')
        self.assert_told(watcher, 'a', 'a')

    def test_what_is_refused_is_not_told(self):
        watcher = self.watcher('*')
        self.assertEqual(self.writer.ask(b'put a nan 1'), WRONG)
        self.put('a')
        self.assert_told(watcher, 'a')

    def test_the_longest_keys(self):
        keys = ['k%d' % i + 'x' * 1000 + 'ü' * 11 for i in range(10)]
        watcher = self.watcher('k*ü')
        self.put(*keys, *keys)
        self.assert_told(watcher, *keys, *keys)


class SmallLimitsTest(TellingTest):
    """The same where nothing is done at once, and little is held."""

    OPTIONS = '--slice-limit', '1', '--unsent-limit', '1K'
    GATHERED = 1


class SessionTest(WatchTest):
    def test_what_a_session_that_watches_is_answered(self):
        watcher = self.watcher('w')
        for line in (b'get k', b'get *', b'last *', b'range * - -', b'range * - - 60 avg', b'keys *', b'del k',
                     b'del * 0 1', b'stats', b'help'):
            self.assertEqual(watcher.ask(line), WATCHING, line)
        for line in (b'nonsense', b'get', b'put k', b'watch', b'watch a b', b'watch \\', b'unwatch *', b'WATCH *'):
            self.assertEqual(watcher.ask(line), WRONG, line)
        self.assertEqual(watcher.ask(b'x' * 65536), b'error\nline too long\n\n')
        self.assertEqual(watcher.ask(b'ping'), OK)
        self.assertEqual(watcher.ask(b'put k 1 1'), OK)
        self.assertEqual(watcher.ask(b'\twatch  v \r'), OK)
        self.assertEqual(self.writer.ask(b'get k'), b'ok\nk 1.0 1\n\n')

    def test_unwatch(self):
        watcher = self.watcher('*')
        self.put('a')
        self.assertEqual(watcher.request(b'unwatch'), OK)
        self.assertEqual(len(watcher.take()), 1)
        self.put('a', 'b')
        self.assertEqual(watcher.ask(b'get b'), b'ok\nb 1.0 1\n\n')
        self.assertEqual(watcher.ask(b'unwatch'), OK)
        watcher.watch('b')
        self.put('a', 'b')
        self.assert_told(watcher, 'b')

    def test_own_requests_keep_their_order(self):
        """What the same client has put is told behind its ok; and before the end of the watch."""
        watcher = self.watcher('a')
        watcher.send(b'put a 1 1\nput b 1 1\nping\nnonsense\nput a 2 2\nget a\nunwatch\nget a\nput a 3 3\nquit\n')
        replies = []
        for unit in watcher.recv_all().split(b'\n\n')[:-1]:
            watcher.note(unit + b'\n\n')
            replies.append(unit + b'\n\n')
        self.assertEqual([reply for reply in replies if not is_block(reply)],
                         [OK, OK, OK, WRONG, OK, WATCHING, OK, OK, OK])
        blocks = [reply for reply in replies if is_block(reply)]
        self.assertEqual(blocks[-1], b'ok\na 1.0 1\na 2.0 2\n\n')
        self.assertEqual(b''.join(blocks[:-1]).replace(b'ok\n', b'').replace(b'\n\n', b'\n'), b'a 1.0 1\na 2.0 2\n')
        self.assertLess(replies.index(OK), replies.index(blocks[0]))

    def test_blocks_break_into_no_reply(self):
        """The watch begins behind a long answer, that is taken slowly while others put."""
        count = 60_000
        self.writer.put_many([b'put k%d %d %d\n' % (i % 7, i, i) for i in range(count)])
        everything = self.writer.ask(b'get *')
        watcher = self.enterContext(Watcher(self.server, receive_buffer=4096))
        watcher.send(b'get *\nwatch k?\nping\n')
        watcher.wait_for(1)
        self.writer.put_many([b'put k%d 1 %d\n' % (i % 7, i) for i in range(count)])
        got = watcher.recv_reply()
        self.assertEqual(len(got.splitlines()), len(everything.splitlines()))
        self.assertEqual(watcher.reply(), OK)
        self.writer.put_many([b'put k1 2 %d\n' % i for i in range(100)])
        self.assertEqual(watcher.reply(), OK)
        self.assertEqual(watcher.tell_all()[-100:], [b'k1 2.0 %d' % i for i in range(100)])

    def test_who_watches_and_floods(self):
        """Its own puts come back to it; blocks and replies share the way, and neither waits for the other for ever."""
        watcher = self.watcher('mine')
        count = 50_000
        data = memoryview(b''.join(b'put mine %d %d\n' % (i, i) for i in range(count)) + b'unwatch\n')
        sent, replies = 0, 0
        while replies < count + 1:
            readable, writable, _ = select.select([watcher.sock], [watcher.sock] if sent < len(data) else [], [], 30)
            self.assertTrue(readable or writable)
            if writable:
                sent += watcher.sock.send(data[sent:sent + 65536])
            if readable:
                watcher.buffer += watcher.sock.recv(1 << 20)
                *units, watcher.buffer = watcher.buffer.split(b'\n\n')
                for unit in units:
                    if not watcher.note(unit + b'\n\n'):
                        self.assertEqual(unit, b'ok')
                        replies += 1
        self.assertEqual(watcher.n_told(), count)
        self.assert_sequence(watcher.take(), [b'mine %d.0 %d' % (i, i) for i in range(count)])

    def assert_sequence(self, told, expected):
        at = 0
        for item in told:
            if isinstance(item, int):
                at += item
            else:
                self.assertEqual(item, expected[at])
                at += 1
        self.assertEqual(at, len(expected))

    def test_rights(self):
        server = self.start('--listen', '127.0.0.1:0,rights=put', '--listen', '127.0.0.1:0,rights=read')
        puts, reads = (self.enterContext(Watcher(address)) for address in server.addresses)
        self.assertEqual(puts.ask(b'watch *'), DENIED)
        self.assertEqual(puts.ask(b'unwatch'), OK)
        reads.watch('*')
        puts.put('a', 1, 1)
        self.assertEqual(reads.recv_reply(), b'ok\na 1.0 1\n\n')
        self.assertEqual(reads.request(b'put a 1 1'), DENIED)

    def test_limit_of_patterns(self):
        watcher = self.enterContext(Watcher(self.server))
        hard = b'watch ' + b'*a' * 500
        self.assertEqual(watcher.ask(hard), FULL)
        self.assertEqual(watcher.ask(b'get a'), OK)  # it watches nothing
        for i in range(1000):
            reply = watcher.request(b'watch a%d.*' % i)
            if reply != OK:
                break
        self.assertEqual(reply, FULL)
        self.assertGreater(i, 99)
        self.put(f'a{i}.x', 'a0.x', f'a{i - 1}.y')
        self.assert_told(watcher, 'a0.x', f'a{i - 1}.y')
        watcher.watch(f'a{i}.*')
        self.put(f'a{i}.x')
        self.assert_told(watcher, f'a{i}.x')

    def test_figures(self):
        watcher = self.watcher('a')
        before = self.writer.stats()
        self.assertEqual((before['watchers'], before['points_dropped']), (1, 0))
        self.put('a')
        watcher.wait_for_rows(1)
        self.assertEqual(self.writer.stats()['errors'], before['errors'])
        watcher.close()
        wait_until(lambda: self.n_watchers() == 0, 'the end of the watch')


class EndTest(WatchTest):
    def test_end_of_input(self):
        """What was put before is told; then the server closes."""
        watcher = self.watcher('*')
        with self.server.paused():
            self.writer.send(b'put a 1 1\nput a 2 2\n')
            watcher.half_close()
        self.writer.recv_replies(2)
        rest = watcher.recv_all()
        self.assertTrue(b'a 1.0 1\na 2.0 2\n\n'.endswith(rest[3:]), rest)
        wait_until(lambda: self.n_watchers() == 0, 'the end of the watch')

    def test_requests_before_the_end_of_input(self):
        watcher = self.enterContext(Watcher(self.server))
        watcher.send(b'watch a\nput a 1 1\nput b 1 1\nput a 2 2\n')
        watcher.half_close()
        units = [unit + b'\n\n' for unit in watcher.recv_all().split(b'\n\n')[:-1]]
        self.assertEqual([unit for unit in units if not is_block(unit)], [OK] * 4)
        self.assertEqual([row for unit in units if is_block(unit) for row in unit[3:-2].split(b'\n')],
                         [b'a 1.0 1', b'a 2.0 2'])

    def test_quit(self):
        watcher = self.watcher('a')
        watcher.send(b'put a 1 1\nquit\nput a 2 2\n')
        self.assertEqual(watcher.recv_all(), OK + b'ok\na 1.0 1\n\n' + OK)

    def test_reset(self):
        watcher = self.watcher('*')
        watcher.reset()
        wait_until(lambda: self.n_watchers() == 0, 'the end of the watch')
        self.put('a')

    def test_stop_of_the_server(self):
        """It tells what was put before."""
        quiet, watcher, stuck = self.watcher('none'), self.watcher('*'), self.watcher('*', receive_buffer=4096)
        self.put('a', 'b')
        self.writer.close()
        self.server.signal(15)
        self.assertEqual([row.split()[0] for unit in watcher.recv_all().split(b'\n\n')[:-1]
                          for row in unit.split(b'\n')[1:]], [b'a', b'b'])
        quiet.expect_eof()
        stuck.wait_for(10)
        self.assertEqual(self.server.wait(), 0)

    def test_stop_with_one_who_takes_nothing(self):
        server = self.start('--stop-timeout', '1')
        writer, stuck = self.client(server), self.enterContext(Watcher(server, receive_buffer=4096))
        stuck.watch('*')
        writer.put_many([b'put key%d 1.5 %d\n' % (i, i) for i in range(100_000)])
        writer.close()
        self.assertEqual(server.stop(), 0)


class TimeoutTest(TestCase):
    def test_idle_timeout_spares_who_watches(self):
        """It has asked to be told, and waits; who waits for nothing is sent away."""
        server = self.start('--idle-timeout', '1')
        watcher = self.enterContext(Watcher(server))
        watcher.watch('a')
        for _ in range(2):
            idle = self.client(server)
            self.assertEqual(idle.recv_reply(), b'error\nidle timeout\n\n')
        with Client(server) as writer:
            writer.put('a', 1, 1)
        self.assertEqual(watcher.wait_for_rows(1), [b'a 1.0 1'])
        self.assertEqual(watcher.request(b'unwatch'), OK)
        self.assertEqual(watcher.recv_reply(), b'error\nidle timeout\n\n')

    def test_answer_timeout_ends_who_takes_nothing_and_spares_who_has_nothing_to_take(self):
        server = self.start('--answer-timeout', '1')
        writer = self.client(server)
        quiet, taker, stuck = (self.enterContext(Watcher(server, receive_buffer=size)) for size in (None, None, 4096))
        quiet.watch('quiet')
        taker.watch('loud.*')
        stuck.watch('loud.*')
        count = 0
        while writer.stats()['connections'] == 4:
            writer.put_many([b'put loud.%d 1.5 %d\n' % (i, count + i) for i in range(1000)])
            count += 1000
            taker.wait_for_rows(1000)
        self.assertEqual(writer.stats()['connections'], 3)
        writer.put('quiet', 1, 1)
        self.assertEqual(quiet.wait_for_rows(1), [b'quiet 1.0 1'])
        writer.put('loud.0', 1, 1)
        self.assertEqual(taker.wait_for_rows(1), [b'loud.0 1.0 1'])


class DiskTest(TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def test_before_it_is_on_disk(self):
        """Where an ok waits for the disk, what others put is told, and the own ok stands before the own point."""
        server = self.start('--state-dir', self.folder, '--durability', 'always')
        writer = self.client(server)
        watcher = self.enterContext(Watcher(server))
        watcher.watch('*')
        for i in range(20):
            writer.put('a', i, i)
        self.assertEqual(watcher.wait_for_rows(20), [b'a %d.0 %d' % (i, i) for i in range(20)])
        watcher.send(b'put own 1 1\nput own 2 2\n')
        self.assertEqual(watcher.recv_reply(), OK)
        self.assertEqual(watcher.reply(), OK)
        self.assertEqual(watcher.wait_for_rows(2), [b'own 1.0 1', b'own 2.0 2'])

    def test_late_points_of_what_is_on_disk_alone(self):
        """Such a put waits for the disk before the store has it; blocks do not."""
        self.put_late('interval')

    def test_late_points_that_are_awaited(self):
        """And its ok once more until it is kept."""
        self.put_late('always')

    def put_late(self, durability):
        server = self.start('--state-dir', self.folder, '--memory-limit', '1M', '--durability', durability)
        writer = self.client(server)
        noise = random.Random(6)
        count = 20_000 if SANITIZED else 300_000
        for first in range(0, count, 10_000):
            writer.put_many([b'put k%d %r %d\n' % (i % 4, noise.random(), i * 10) for i in range(first, first + 10_000)])
        watcher = self.enterContext(Watcher(server))
        watcher.watch('*')
        late = [noise.randrange(count) * 10 + 1 for _ in range(50)]
        for time in late:
            writer.send(b'put k1 1 %d\nput other 1 %d\n' % (time, time))
            watcher.send(b'put k2 2 %d\nput own 2 %d\n' % (time, time))
        self.assertEqual([watcher.reply() for _ in range(100)], [OK] * 100)
        self.assertEqual(writer.recv_replies(100), [OK] * 100)
        told = collections.defaultdict(list)
        rows = watcher.tell_all()
        self.assertEqual(len(rows), 200)
        for row in rows:
            told[row.split()[0]].append(int(row.split()[2]))
        self.assertEqual(told, {key: late for key in (b'k1', b'other', b'k2', b'own')})


class RoomsTest(WatchTest):
    """Many rooms, many who watch."""

    ROOMS, WATCHERS, SLOW = 100, 200, 20
    THINGS = 'temperature', 'humidity', 'light', 'door', 'co2'
    ROUNDS = 10 if SANITIZED else 100

    def patterns(self, number):
        """Of the watcher of that number; all kinds, no two alike."""
        room, thing = number % self.ROOMS, self.THINGS[number % len(self.THINGS)]
        kinds = [[f'room{room}.*'], [f'*{room}.{thing}', f'room{room}.door'], [f'room{room}.{thing}'],
                 [f'room?{room % 10}.{thing}', f'room{room}.l*t', 'room7.*'], [f'room{room}.*', '*.door', f'*m{room}.*']]
        return kinds[number % len(kinds)] if number % 40 else ['*']

    def setUp(self):
        super().setUp()
        noise = random.Random(66)
        keys = [f'room{room}.{thing}' for room in range(self.ROOMS) for thing in self.THINGS]
        self.rounds = []
        self.points = []
        for step in range(self.ROUNDS):
            noise.shuffle(keys)
            self.rounds.append([(key, b'%s %d.5 %d' % (key.encode(), step, step * 10)) for key in keys])
            self.points += self.rounds[-1]

    def expected(self, patterns):
        match = re.compile('|'.join(fnmatch.translate(pattern) for pattern in patterns)).match
        matching = {key for key in {key for key, _ in self.rounds[0]} if match(key)}
        return [row for key, row in self.points if key in matching]

    def put_all(self):
        for points in self.rounds:
            self.writer.put_many([b'put %s\n' % row for _, row in points])
            yield

    def test_each_gets_what_it_asked_for_and_nothing_else_in_order(self):
        watchers = [self.watcher(*self.patterns(i)) for i in range(self.WATCHERS)]
        for _ in self.put_all():
            self.take_ready(watchers)
        for i, watcher in enumerate(watchers):
            self.assertEqual(watcher.tell_all(), self.expected(self.patterns(i)), self.patterns(i))
        self.assertEqual(self.writer.stats()['points_dropped'], 0)

    def take_ready(self, watchers):
        """What has come, without waiting for more of it."""
        for watcher in select.select(watchers_by_socket := {w.sock: w for w in watchers}, [], [], 0)[0]:
            watchers_by_socket[watcher].buffer += watcher.recv(1 << 20)

    def test_slow_ones_are_bounded_and_told_exactly_what_they_lost(self):
        fast = [self.watcher(*self.patterns(i)) for i in range(1, 40)]
        slow = [self.watcher('*', 'room1.*', receive_buffer=4096) for _ in range(self.SLOW)]
        before = self.server.peak()
        for _ in range(8):
            for _ in self.put_all():
                self.take_ready(fast)
        points = 8 * len(self.points)
        # A megabyte waits for each at most, and what is unsent; the points themselves take a few bytes each.
        if not SANITIZED:
            self.assertLess(self.server.peak() - before, self.SLOW * 1.25 * MEGABYTE + points * 3 + 12 * MEGABYTE)
        for i, watcher in enumerate(fast, 1):
            self.assertEqual(watcher.tell_all(), self.expected(self.patterns(i)) * 8, self.patterns(i))
        everything = [row for _, row in self.points] * 8
        dropped = self.writer.stats()['points_dropped']
        lost = 0
        for watcher in slow:
            at = 0
            for item in watcher.tell_all():
                if isinstance(item, int):
                    at += item
                    lost += item
                else:
                    self.assertEqual(item, everything[at])
                    at += 1
            self.assertEqual(at, points)
        self.assertEqual(lost, dropped)
        if not SANITIZED:
            self.assertGreater(lost, points)

    def test_memory_limit_holds_for_those_who_watch(self):
        """All of them share a part of it: they lose points, and no put is refused."""
        server = self.start('--memory-limit', '16M')
        writer = self.client(server)
        slow = [self.enterContext(Watcher(server, receive_buffer=4096)) for _ in range(30)]
        for watcher in slow:
            watcher.watch('*')
        rows = [b'k%d %d.0 %d' % (i % 10, i, i) for i in range(100_000)]
        writer.put_many([b'put %s\n' % row for row in rows])
        self.assertLess(writer.stats()['memory'], 8 * MEGABYTE)
        for watcher in slow:
            told = watcher.tell_all()
            self.assertEqual(sum(item if isinstance(item, int) else 1 for item in told), len(rows))
            self.assertEqual(told[-1], rows[-1])


class ComingAndGoingTest(WatchTest):
    VISITS = 300 if SANITIZED else 4000

    def flood(self, stop):
        with Client(self.server) as writer:
            count = 0
            while not stop.is_set():
                writer.put_many([b'put room%d.x %d %d\n' % (i % 50, count + i, count + i) for i in range(2000)])
                count += 2000
        self.count = count

    def visit(self, number):
        """Comes, watches, and leaves in one of the ways that there are."""
        watcher = Watcher(self.server, receive_buffer=4096 if number % 5 == 0 else None)
        watcher.watch(f'room{number % 50}.*', *(['room*', '*7.x'] if number % 3 == 0 else []))
        way = number % 7
        if way == 0:
            watcher.wait_for_rows(1)
        elif way == 1:
            watcher.reset()
        elif way == 2:
            watcher.tell_all()
            self.assertEqual(watcher.ask(b'ping'), OK)
        elif way == 3:
            watcher.half_close()
            watcher.recv_all()
        elif way == 4:
            watcher.send(b'quit\n')
            watcher.recv_all()
        elif way == 5:
            watcher.send(b'unwatch\nwatch *\n' * 20)
        watcher.close()

    def test_thousands_come_and_go_while_others_put(self):
        stop = threading.Event()
        writer = threading.Thread(target=self.flood, args=(stop,))
        one = self.watcher('room7.*')
        two = self.watcher('stays')
        writer.start()
        try:
            self.count = 0
            for number in range(self.VISITS):
                self.visit(number)
                if number % 50 == 0:
                    one.buffer += one.sock.recv(1 << 20)
        finally:
            stop.set()
            writer.join()
        wait_until(lambda: self.n_watchers() == 2, 'the end of all others')
        self.writer.put('stays', 1, 1)
        self.assertEqual(two.wait_for_rows(1), [b'stays 1.0 1'])
        at = 7
        for item in one.tell_all():
            if isinstance(item, int):
                at += 50 * item
            else:
                self.assertEqual(item, b'room7.x %d.0 %d' % (at, at))
                at += 50
        self.assertEqual(at, self.count + 7)
        self.assertEqual(self.n_watchers(), 1)


if __name__ == '__main__':
    main()
