#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rule 14: an answer that takes long to leave holds what there was when its request was executed. And rule 12:
however it is cut into slices, it is the same answer."""

import random

from harness import OK, TestCase, main


class InstantTest(TestCase):
    SERIES, POINTS = 60, 1500
    OPTIONS = ('--unsent-limit', '16K', '--slice-limit', '200')

    def setUp(self):
        self.server = self.start(*self.OPTIONS)
        self.other = self.client(self.server)
        self.keys = [f'key.{i}' for i in range(self.SERIES)]
        self.before = {key: {time: float(i) for time in range(0, 2 * self.POINTS, 2)} for i, key in enumerate(self.keys)}
        self.other.put_many([f'put {key} {value!r} {time}\n'.encode() for key in self.keys
                             for time, value in self.before[key].items()])

    def ask_slowly(self, request):
        """The request is under way: its first byte has come, and most of it cannot leave."""
        slow = self.client(self.server, receive_buffer=4096)
        slow.send(request + b'\n')
        slow.wait_for(1)
        return slow

    def series_of(self, reply):
        """{key: {time: value}}; each key's rows stand together and ascend, and no key comes twice."""
        self.assertTrue(reply.startswith(b'ok\n') and reply.endswith(b'\n\n'))
        found, current, newest = {}, None, None
        for line in reply[3:-2].decode().split('\n'):
            key, value, time = line.split(' ')
            if key != current:
                self.assertNotIn(key, found)
                found[key] = {}
                current, newest = key, None
            self.assertTrue(newest is None or int(time) > newest, line)
            newest = int(time)
            found[key][newest] = float(value)
        return found

    def was_in_state(self, key, found, steps):
        """Whether the series was so at some instant from the execution of the request on, and before a point went
        that was there then."""
        state = dict(self.before[key])
        if state == found:
            return True
        for kind, time, value in steps:
            if kind == 'put':
                state[time] = value
            elif any(time <= moment <= value for moment in self.before[key]):
                return False
            else:
                for gone in [moment for moment in state if time <= moment <= value]:
                    del state[gone]
            if state == found:
                return True
        return False

    def apply(self, changes):
        """Sends [(key, kind, time, value)] in this order; each is acknowledged."""
        lines = [f'put {key} {value!r} {time}\n' if kind == 'put' else f'del {key} {time} {value}\n'
                 for key, kind, time, value in changes]
        for at in range(0, len(lines), 1000):
            block = lines[at:at + 1000]
            self.other.send(''.join(block).encode())
            for line, reply in zip(block, self.other.recv_replies(len(block))):
                self.assertTrue(reply.startswith(b'ok\n'), (line, reply))

    def assert_one_instant(self, found, changes):
        """Every series that was there is there, in a state that it had and that lacks no acknowledged point."""
        order = [key for key in found if key in self.before]
        self.assertEqual(order, self.keys)
        steps = {key: [] for key in self.keys}
        for key, *step in changes:
            steps[key].append(step)
        for key in self.keys:
            self.assertTrue(self.was_in_state(key, found[key], steps[key]), f'{key} never was so')

    def test_rule_14_replaced_while_it_leaves(self):
        slow = self.ask_slowly(b'get *')
        changes = [(key, 'put', time, -1.0 - turn) for turn in range(2) for time in range(0, 2 * self.POINTS, 50)
                   for key in self.keys]
        self.apply(changes)
        self.assert_one_instant(self.series_of(slow.recv_reply()), changes)

    def test_rule_14_deleted_while_it_leaves(self):
        slow = self.ask_slowly(b'get *')
        changes = [(key, 'del', 0, 10 ** 6) if i % 2 else (key, 'del', 100, 2000) for i, key in enumerate(self.keys)]
        self.apply(changes)
        self.assert_one_instant(self.series_of(slow.recv_reply()), changes)
        self.assertEqual(len(self.other.rows(b'keys *')), self.SERIES // 2)

    def test_rule_14_everything_deleted_while_it_leaves(self):
        slow = self.ask_slowly(b'get *')
        self.assertEqual(self.other.ask(b'del *'), b'ok\n%d\n\n' % (self.SERIES * self.POINTS))
        self.assertEqual(self.series_of(slow.recv_reply()), self.before)
        self.assertEqual(self.other.ask(b'get *'), OK)

    def test_rule_14_deleted_and_put_again_while_it_leaves(self):
        slow = self.ask_slowly(b'get *')
        self.assertEqual(self.other.ask(b'del *'), b'ok\n%d\n\n' % (self.SERIES * self.POINTS))
        for key in reversed(self.keys):
            self.other.put(key, -5, 1)
        found = self.series_of(slow.recv_reply())
        self.assertEqual(found, self.before)
        self.assertEqual(self.other.rows(b'get *'), [f'{key} -5.0 1'.encode() for key in reversed(self.keys)])

    def test_rule_14_late_points_while_it_leaves(self):
        slow = self.ask_slowly(b'get *')
        changes = [(key, 'put', time, 9.0) for time in list(range(1, 200, 2)) + [10 ** 6, -5] for key in self.keys]
        self.apply(changes)
        self.assert_one_instant(self.series_of(slow.recv_reply()), changes)

    def test_rule_14_of_one_series(self):
        key = 'key.7'
        self.other.put_many([f'put {key} 7.0 {time}\n'.encode() for time in range(10 ** 6, 10 ** 6 + 60000)])
        before = self.other.ask(b'get key.7')
        slow = self.ask_slowly(b'get key.7')
        self.other.put_many([f'put {key} 8.0 {time}\n'.encode() for time in range(10 ** 6, 10 ** 6 + 60000, 10)])
        self.assertEqual(self.other.ask(b'del key.7'), b'ok\n%d\n\n' % (60000 + self.POINTS))
        self.assertEqual(slow.recv_reply(), before)

    def test_rule_14_everything_at_once(self):
        rng = random.Random(14)
        for _ in range(3):
            slow = [self.ask_slowly(b'get *') for _ in range(3)]
            changes = []
            for _ in range(3000):
                key = rng.choice(self.keys)
                if rng.random() < .9:
                    changes.append((key, 'put', rng.randrange(-10, 2 * self.POINTS + 10), float(rng.randrange(1000, 9999))))
                else:
                    start = rng.randrange(0, 2 * self.POINTS)
                    changes.append((key, 'del', start, start + rng.choice((0, 10, 1000))))
            self.apply(changes)
            for client in slow:
                self.assert_one_instant(self.series_of(client.recv_reply()), changes)
            # All of it is there as well, in whole, for the next turn.
            self.other.ask(b'del *')
            self.other.put_many([f'put {key} {value!r} {time}\n'.encode() for key in self.keys
                                 for time, value in self.before[key].items()])

    def test_rule_14_holds_every_point_acknowledged_before(self):
        """Points that one client has just put are in the answer that another asks for next."""
        for i in range(50):
            self.other.put(f'fresh.{i}', i, i)
            reader = self.client(self.server)
            self.assertEqual(reader.ask(f'get fresh.{i}'.encode()), f'ok\nfresh.{i} {i}.0 {i}\n\n'.encode())
        slow = self.ask_slowly(b'get *')
        found = self.series_of(slow.recv_reply())
        self.assertEqual([key for key in found if key.startswith('fresh')], [f'fresh.{i}' for i in range(50)])

    def test_own_requests_behind_it_are_executed_later(self):
        client = self.client(self.server)
        client.send(b'get *\nput key.0 -7 0\nget key.0\ndel *\nget *\n')
        everything = self.series_of(client.recv_reply())
        self.assertEqual(everything, self.before)
        self.assertEqual(client.recv_reply(), OK)
        self.assertEqual(self.series_of(client.recv_reply())['key.0'][0], -7.0)
        self.assertEqual(client.recv_replies(2), [b'ok\n%d\n\n' % (self.SERIES * self.POINTS), OK])

    def test_other_answers_of_one_instant(self):
        for request in (b'range * - -', b'range * 100 2500', b'range * - - 2 sum'):
            want = self.other.ask(request)
            slow = self.ask_slowly(request)
            self.other.put_many([f'put {key} -1 {time}\n'.encode() for key in self.keys for time in (0, 500, 2900)])
            found, old = self.series_of(slow.recv_reply()), self.series_of(want)
            self.assertEqual(list(found), self.keys)
            for key in self.keys:
                new = {time: -1.0 if time in (0, 500, 2900) else value for time, value in old[key].items()}
                allowed = [old[key]] + [{**old[key], **{time: new[time] for time in (0, 500, 2900)[:count] if time in new}}
                                        for count in (1, 2, 3)]
                self.assertIn(found[key], allowed, (request, key))
            self.other.put_many([f'put {key} {self.before[key][time]!r} {time}\n'.encode() for key in self.keys
                                 for time in (0, 500, 2900)])


class SlicesTest(TestCase):
    def test_rule_12_the_same_answers_with_any_slices(self):
        requests = [b'get *', b'get k3', b'last *', b'last k?', b'keys *', b'range * 100 2000', b'range * - - 50 avg',
                    b'range k1* - - 100000 p95', b'range * - - 7 rate', b'range none* - -', b'del k1* 50 90', b'get *', b'del k2',
                    b'keys *', b'get *']
        lines = [f'put k{i % 25} {i % 91}.5 {i * 7 % 4001}\n'.encode() for i in range(20000)]
        answers = []
        for limit in (1, 7, 100, 10 ** 6):
            client = self.client(self.start('--slice-limit', limit))
            client.put_many(lines)
            client.send(b''.join(request + b'\n' for request in requests))
            answers.append(client.recv_replies(len(requests)))
            self.assertEqual(answers[-1], answers[0], limit)


if __name__ == '__main__':
    main()
