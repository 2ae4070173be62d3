#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Watching over the bus: who is told of which points, when it ends, and what it costs the server where nobody listens."""

import os
import signal
import subprocess
import sys
import tempfile

from bus import GLib, Refused, TestCase, Watcher, main, needs_root
from harness import SANITIZED, prepare_child, wait_until

# In signals of so many points and fewer it is told; see src/dbus/metrics-bus-watch.c.
MAX_POINTS = 2000
MAX_WATCHES = 16


class WatchTest(TestCase):
    SYSTEM = None  # the files of the bus's policy, where it is one like the system's

    def setUp(self):
        self.dbus = self.bus(system=self.SYSTEM)
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.server = self.start('--session' if self.SYSTEM is None else '--system', '--listen', f'unix:{self.folder}/socket',
                                 env=self.dbus.env)
        self.writer = self.client(self.server)

    def caller(self):
        return self.enterContext(Watcher(self.dbus))

    def put(self, *points):
        """All of them at once, so that the server gets to nothing else in between."""
        with self.server.paused():
            self.writer.send(b''.join(b'put %s %g %d\n' % (key.encode(), value, time) for key, value, time in points))
        for _ in points:
            self.assertEqual(self.writer.recv_reply(), b'ok\n\n')

    def n_watchers(self):
        return self.writer.stats()['watchers']


class TellingTest(WatchTest):
    def test_who_asked_is_told_and_nobody_else(self):
        one, two, three = self.caller(), self.caller(), self.caller()
        numbers = one.watch('a.*'), two.watch('*.x')
        self.assertEqual(self.n_watchers(), 2)
        self.put(('a.x', 1, 10), ('a.y', 2, 20), ('b.x', 3, 30), ('b.y', 4, 40), ('a.x', 5, 10))
        self.assertEqual(one.wait_for_points(3), [('a.x', 1, 10), ('a.y', 2, 20), ('a.x', 5, 10)])
        self.assertEqual(two.wait_for_points(3), [('a.x', 1, 10), ('b.x', 3, 30), ('a.x', 5, 10)])
        self.assertEqual([{number for number, _, _ in caller.told} for caller in (one, two)], [{numbers[0]}, {numbers[1]}])
        three.drain()
        self.assertEqual(three.told, [])

    def test_whichever_way_points_come(self):
        one, two = self.caller(), self.caller()
        one.watch('*')
        two.call('Put', 'sdx', 'b', 1.5, 1)
        self.writer.put('l', 2, 2)
        two.call('PutMany', 'a(sdx)', [('m', 3.0, 3), ('m', 4.0, 4)])
        one.call('Put', 'sdx', 'own', 5.0, 5)
        self.assertEqual(one.wait_for_points(5), [('b', 1.5, 1), ('l', 2, 2), ('m', 3, 3), ('m', 4, 4), ('own', 5, 5)])

    def test_what_is_refused_is_not_told(self):
        one = self.caller()
        one.watch('*')
        self.assertTrue(self.writer.ask(b'put a nan 1').startswith(b'error'))
        self.writer.put('a', 1, 2)
        self.assertEqual(one.wait_for_points(1), [('a', 1, 2)])

    def test_series_that_are_yet_to_come_and_that_come_again(self):
        one = self.caller()
        one.watch('new.*')
        self.put(('new.a', 1, 1))
        self.writer.rows(b'del new.a')
        self.put(('new.a', 2, 2), ('new.b', 3, 3))
        self.assertEqual(one.wait_for_points(3), [('new.a', 1, 1), ('new.a', 2, 2), ('new.b', 3, 3)])

    def test_what_comes_within_an_interval_comes_at_once(self):
        one = self.caller()
        one.watch('*', 3000)
        self.put(('a', 1, 1), ('a', 2, 2))
        one.wait_for_points(2)
        self.put(('a', 3, 3))
        self.put(('a', 4, 4), ('b', 5, 5))
        one.wait_for_points(5)
        self.assertEqual([len(points) for _, points, _ in one.told], [2, 3])

    def test_much_comes_in_parts_and_in_order(self):
        one = self.caller()
        one.watch('*')
        many = [('k' * 40, float(i), i) for i in range(2 * MAX_POINTS + 10)]
        self.caller().call('PutMany', 'a(sdx)', many)
        self.assertEqual(one.wait_for_points(len(many)), many)
        self.assertTrue(all(0 < len(points) <= MAX_POINTS and dropped == 0 for _, points, dropped in one.told))

    def test_two_watches_of_one_caller_have_a_signal_each(self):
        one = self.caller()
        first, second = one.watch('a'), one.watch('*')
        self.put(('a', 1, 1), ('b', 2, 2))
        one.wait_for_points(3)
        self.assertEqual(sorted(one.told), [(first, [('a', 1, 1)], 0), (second, [('a', 1, 1), ('b', 2, 2)], 0)])


class EndTest(WatchTest):
    def test_unwatch(self):
        one = self.caller()
        first, second = one.watch('*'), one.watch('b')
        one.unwatch(first)
        self.put(('a', 1, 1), ('b', 2, 2))
        one.wait_for_points(1)
        self.assertEqual(one.told, [(second, [('b', 2, 2)], 0)])
        self.assertRefused('NotFound', one.unwatch, first)
        self.assertRefused('NotFound', self.caller().unwatch, second)
        one.unwatch(second)
        self.assertEqual(self.n_watchers(), 0)

    def test_who_leaves_the_bus(self):
        one, two = Watcher(self.dbus), self.caller()
        one.watch('*')
        one.watch('a')
        two.watch('a')
        one.close()
        wait_until(lambda: self.n_watchers() == 1, 'the end of the watches')
        self.put(('a', 1, 1))
        self.assertEqual(two.wait_for_points(1), [('a', 1, 1)])

    def test_stop_with_watchers(self):
        one = self.caller()
        one.watch('*')
        self.put(('a', 1, 1))
        self.assertEqual(self.server.stop(), 0)


class LimitTest(WatchTest):
    def test_wrong_arguments(self):
        one = self.caller()
        for pattern in '', 'k' * 1025, 'a\\':
            self.assertRefused('InvalidPattern', one.watch, pattern)
        for interval in 0, 99, 3_600_001, 0xffffffff:
            self.assertRefused('InvalidArgument', one.watch, 'a', interval)
        with self.assertRaises(Refused):
            one.call('Watch', 'su', 'a', 100, options={'what': GLib.Variant('b', True)})
        self.assertEqual(self.n_watchers(), 0)

    def test_number_of_watches(self):
        one = self.caller()
        numbers = [one.watch(f'k{i}') for i in range(MAX_WATCHES)]
        self.assertEqual(len(set(numbers)), MAX_WATCHES)
        self.assertRefused('LimitReached', one.watch, 'a')
        self.caller().watch('a')
        one.unwatch(numbers[3])
        one.watch('a')

    def test_patterns_that_are_hard_to_match(self):
        one = self.caller()
        self.assertRefused('LimitReached', one.watch, '*a' * 500)
        one.watch('*a' * 30)
        self.writer.put('a' * 1000, 1, 1)
        self.assertEqual(one.wait_for_points(1), [('a' * 1000, 1, 1)])


NO_PING = """<busconfig><policy context="default"><allow own="org.metricsd.Metrics1"/>
<allow send_destination="org.metricsd.Metrics1"/></policy></busconfig>"""


class NoPingTest(WatchTest):
    """Where the bus does not let the server ask whether a signal was taken, signals come all the same."""

    def setUp(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.SYSTEM = [os.path.join(folder, 'policy')]
        with open(self.SYSTEM[0], 'w') as file:
            file.write(NO_PING)
        super().setUp()

    def test_signals_come_without(self):
        one = self.caller()
        one.watch('*')
        for i in range(3):
            self.put(('a', i, i))
            self.assertEqual(len(one.wait_for_points(i + 1)), i + 1)
        self.assertEqual(len(one.told), 3)


# Watches, and says of each signal how many points it had, how many were dropped, and the last value.
READER = """
import sys
sys.path.insert(0, {path!r})
from bus import GLib, Watcher

caller = Watcher({address!r})
print('watch', caller.watch('*'), flush=True)
while True:
    GLib.MainContext.default().iteration(True)
    for _, points, dropped in caller.told:
        print(len(points), dropped, points[-1][1] if points else -1, flush=True)
    caller.told.clear()
"""


class StoppedReaderTest(WatchTest):
    N = 60_000
    ROUNDS = 5

    def is_stopped(self, pid):
        with open(f'/proc/{pid}/stat') as stat:
            return stat.read().rpartition(')')[2].split()[0] == 'T'

    def test_it_costs_little_and_is_told_what_it_lost(self):
        reader = subprocess.Popen(
            [sys.executable, '-c', READER.format(path=os.path.dirname(os.path.abspath(__file__)), address=self.dbus.address)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: prepare_child(None))
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        self.addCleanup(reader.stdout.close)
        self.assertTrue(reader.stdout.readline().startswith('watch'))

        reader.send_signal(signal.SIGSTOP)
        wait_until(lambda: self.is_stopped(reader.pid), 'the stop')
        lines = [b'put key.%d %d 1\n' % (i % 10, i) for i in range(self.N)]
        before = self.server.rss()
        other = self.caller()
        other.watch('other')
        for i in range(self.ROUNDS):
            self.writer.put_many(lines)
            # Who reads is told meanwhile; and of so many signals to it the stopped one would have had as many.
            self.writer.put('other', i, 1)
            other.wait_for_points(i + 1)
        if not SANITIZED:
            self.assertLess(self.server.rss() - before, 4 << 20)

        reader.send_signal(signal.SIGCONT)
        told, dropped = [], []
        n_put = self.ROUNDS * (self.N + 1)
        while sum(told) + sum(dropped) < n_put:
            words = reader.stdout.readline().split()
            told.append(int(words[0]))
            dropped.append(int(words[1]))
        self.assertEqual((sum(told) + sum(dropped), float(words[2])), (n_put, self.ROUNDS - 1))
        # One signal waited for it on the bus; behind that one it gets the newest, and hears of the others.
        self.assertEqual([count > 0 for count in dropped], [False, True] + [False] * (len(dropped) - 2))
        self.assertGreater(sum(told), 2 * MAX_POINTS)


@needs_root
class StoppedReaderOfTheSystemTest(StoppedReaderTest):
    """The policy that is shipped lets the server ask."""

    SYSTEM = [os.environ.get('METRICSD_BUS_POLICY')]


if __name__ == '__main__':
    main()
