#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Points as they are put, as server-sent events."""

import http.client
import random
import selectors
import signal
import urllib.parse

from eventstream import Stream
from harness import SANITIZED, WATCHDOG, Client, Server, TestCase, connect, main, wait_until

MAX_STREAMS = 256
MAX_LINGERING = 64
MAX_PATTERNS = 64


def points_of(events):
    return [point for event in events if event.kind == 'points' for point in event.points]


def values_of(events, start):
    """The values that a series of ascending ones has, and how many were dropped between them: what was not told is
    counted where it would have been."""
    value = start
    for event in events:
        if event.kind == 'dropped':
            value += event.data['points']
        elif event.kind == 'points':
            for _, _, seen in event.points:
                assert seen == value, f'{seen} came and not {value}: {events[:3]}'
                value += 1
    return value


def ends_with(value):
    return lambda event: event.kind == 'points' and event.points[-1][2] == value


class Streaming(TestCase):
    def setUp(self):
        self.server = self.start('--memory-limit', '1G', http=True)
        self.writer = self.client(self.server)

    def stream(self, *parameters, **arguments):
        return self.enterContext(Stream(self.server, *parameters, **arguments))

    def put_range(self, start, stop, key='a'):
        """Values that ascend, of a hundred timestamps."""
        self.writer.put_many([f'put {key} {i} {i % 100}\n'.encode() for i in range(start, stop)])


class Events(Streaming):
    def test_first_event(self):
        stream = self.stream(('pattern', '*'))
        hello = stream.begin()
        self.assertEqual(hello.data, {'resumed': False})
        self.assertRegex(hello.id, r'\A[0-9a-f]{32}-0\Z')
        self.assertEqual(stream.status, 200)
        self.assertEqual(stream.headers['content-type'], 'text/event-stream')
        self.assertEqual(stream.headers['cache-control'], 'no-store')
        self.assertNotIn('content-encoding', stream.headers)

    def test_points(self):
        stream = self.stream(('pattern', 'a.*'), ('pattern', '*.x'), ('key', 'k*"\\'))
        stream.begin()
        self.writer.put('a.x', 1.5, 10)
        self.assertEqual(stream.next().data, {'series': [{'key': 'a.x', 'points': [[10, 1.5]]}]})
        self.writer.put('b', 1, 1)
        self.writer.put('kk', 1, 1)
        self.writer.put('k*"\\', 1e300, -(2 ** 63))
        self.assertEqual(stream.next().data, {'series': [{'key': 'k*"\\', 'points': [[-(2 ** 63), 1e300]]}]})

    def test_everything_by_default(self):
        stream = self.stream()
        stream.begin()
        self.writer.put('ключ', 0, 0)
        self.assertEqual(stream.next().points, [('ключ', 0, 0)])

    def test_head(self):
        """Who asks by HEAD is told that there is a stream, and none is begun."""
        url = urllib.parse.urlsplit(self.server.http)
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=WATCHDOG)
        connection.request('HEAD', '/api/v1/stream')
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers['Content-Type'], answer.read()), (200, 'text/event-stream', b''))
        connection.close()
        self.assertEqual(self.writer.stats()['watchers'], 0)

    def test_without_chunks(self):
        """One who speaks HTTP/1.0 gets the bare events, until the connection ends."""
        url = urllib.parse.urlsplit(self.server.http)
        with connect(url.netloc) as sock, sock.makefile('rb') as lines:
            sock.sendall(f'GET /api/v1/stream HTTP/1.0\r\nHost: {url.netloc}\r\n\r\n'.encode())
            self.assertTrue(lines.readline().startswith(b'HTTP/1.1 200 '))
            while line := lines.readline().strip():
                self.assertNotIn(b'chunked', line)
            self.assertEqual(lines.readline(), b'retry: 1000\n')
            while lines.readline().strip():
                pass
            self.put_range(0, 1)
            self.assertRegex(lines.readline(), rb'\Aid: [0-9a-f]{32}-1\n')
            self.server.signal(signal.SIGTERM)
            self.assertTrue(lines.read().endswith(b'data: {"series":[{"key":"a","points":[[0,0.0]]}]}\n\n'))
        self.assertEqual(self.server.wait(), 0)

    def test_many_points_are_few_events(self):
        stream = self.stream(('pattern', 'a'))
        stream.begin()
        self.put_range(0, 20000)
        events = stream.until(ends_with(19999))
        self.assertEqual(values_of(events, 0), 20000)
        self.assertLess(len(events), 2000)

    def test_heartbeat(self):
        """What says nothing for a quarter of a minute is not taken for dead by those between."""
        stream = self.stream(('pattern', 'a'))
        stream.begin()
        while stream.n_comments == 0:
            self.assertTrue(stream.read())
        self.assertEqual(stream.take(), [])
        self.put_range(0, 1)
        self.assertEqual(stream.next().points, [('a', 0, 0)])

    def test_two_hundred(self):
        """Each gets what it asked for and nothing else, in order, once."""
        rng = random.Random(200)
        keys = [f'room{i % 10}.sensor{i // 10}' for i in range(50)]
        watched = []
        for i in range(200):
            of_room = f'room{i % 10}.*'
            of_sensor = f'*.sensor{i % 5}'
            patterns = rng.choice([[of_room], [of_sensor], [of_room, of_sensor], [rng.choice(keys)], ['*']])
            stream = self.stream(*[('pattern', pattern) for pattern in patterns], ('key', 'end'))
            watched.append((stream, patterns))
        for stream, _ in watched:
            stream.begin()
        puts = [(rng.choice(keys), i % 50, float(i)) for i in range(5000)] + [('end', 0, 0.0)]
        self.writer.put_many([f'put {key} {value} {time}\n'.encode() for key, time, value in puts])
        seen = self.read_all([stream for stream, _ in watched], lambda event: event.points[-1][0] == 'end')
        for (_, patterns), events in zip(watched, seen):
            expected = [put for put in puts if put[0] == 'end' or any(
                pattern == '*' or put[0] == pattern or put[0].startswith(pattern.partition('*')[0]) and
                put[0].endswith(pattern.partition('*')[2]) and '*' in pattern for pattern in patterns)]
            self.assertEqual(points_of(events), expected)

    def read_all(self, streams, is_last):
        """What each gets until the event for which that holds, from all at once."""
        events = {stream: [] for stream in streams}
        with selectors.DefaultSelector() as selector:
            for stream in streams:
                selector.register(stream.sock, selectors.EVENT_READ, stream)
            while selector.get_map():
                ready = selector.select(30)
                self.assertTrue(ready, 'the streams say nothing more')
                for key, _ in ready:
                    stream = key.data
                    self.assertTrue(stream.read())
                    events[stream] += stream.take()
                    if events[stream] and is_last(events[stream][-1]):
                        selector.unregister(stream.sock)
        return [events[stream] for stream in streams]


class Slow(Streaming):
    def test_dropped(self):
        """A reader that stops costs what it may, and is told how many points it has lost, where they would be."""
        stream = self.stream(('pattern', 'a'), receive_buffer=4096)
        stream.begin()
        n = 0
        while n < 400000:
            self.put_range(n, n + 20000)
            n += 20000
        events = stream.until(ends_with(n - 1))
        self.assertEqual(values_of(events, 0), n)
        self.assertTrue(any(event.kind == 'dropped' for event in events))

    def test_others_do_not_wait(self):
        slow = self.stream(('pattern', '*'), receive_buffer=4096)
        slow.begin()
        stream = self.stream(('pattern', 'b'))
        stream.begin()
        self.put_range(0, 200000)
        self.writer.put('b', 7, 1)
        self.assertEqual(stream.next().points, [('b', 1, 7)])

    def test_memory(self):
        """Whatever is put, streams that read and those that do not hold no more than before."""
        streams = [self.stream(('pattern', 'a'), receive_buffer=4096) for _ in range(20)]
        for stream in streams:
            stream.begin()
        self.put_range(0, 400000)
        resident = self.server.rss()
        for start in range(400000, 1200000, 100000):
            self.put_range(start, start + 100000)
        self.assertLess(self.writer.stats()['memory'], len(streams) * (3 << 19))
        if not SANITIZED:
            self.assertLess(self.server.rss(), resident + (20 << 20))
        for stream in streams:
            stream.close()


class Resuming(Streaming):
    def come_back(self, stream, *parameters):
        """Another connection, with what arrived last on that one."""
        stream.close()
        return self.stream(*parameters, last_id=stream.last_id)

    def test_nothing_lost(self):
        stream = self.stream(('pattern', 'a'))
        stream.begin()
        self.put_range(0, 10)
        stream.until(ends_with(9))
        stream.close()
        self.put_range(10, 20)
        stream = self.come_back(stream, ('pattern', 'a'))
        self.assertEqual(stream.begin().data, {'resumed': True})
        self.assertEqual(values_of(stream.until(ends_with(19)), 10), 20)

    def test_any_byte(self):
        """Cut at any byte and by whatever end: each point comes once, in its turn."""
        rng = random.Random(9)
        stream = self.stream(('key', 'a'))
        stream.begin()
        n, seen = 0, 0
        for _ in range(300):
            n_before, n = n, n + rng.choice([0, 1, 3, 200])
            self.put_range(n_before, n)
            limit = rng.randrange(1, rng.choice([300, 1000, 8000]))
            while seen < n and stream.n_read < limit:
                if not stream.read(limit - stream.n_read):
                    self.fail('the stream has ended')
                events = stream.take()
                self.assertFalse([event for event in events if event.kind not in ('hello', 'points')])
                seen = values_of(events, seen)
            stream = self.come_back(stream, ('key', 'a'))
        self.put_range(n, n + 1)
        events = stream.until(ends_with(n))
        self.assertEqual(values_of(events, seen), n + 1)

    def test_before_it_is_seen_to_be_gone(self):
        """Who comes back while its first connection is open still takes the stream over."""
        first = self.stream(('pattern', 'a'))
        token = first.begin().id
        self.put_range(0, 5)
        first.until(ends_with(4))
        second = self.stream(('pattern', 'a'), last_id=token)
        self.assertEqual(second.begin().data, {'resumed': True})
        self.assertEqual(values_of(second.until(ends_with(4)), 0), 5)
        self.assertEqual(first.rest(), [])
        self.put_range(5, 6)
        self.assertEqual(values_of(second.until(ends_with(5)), 5), 6)

    def test_dropped_meanwhile(self):
        """What was put in between is bounded, and what is lost of it is counted."""
        stream = self.stream(('pattern', 'a'))
        stream.begin()
        stream.close()
        wait_until(lambda: self.writer.stats()['http_clients'] == 0, 'the end of the connection')
        self.put_range(0, 200000)
        stream = self.come_back(stream, ('pattern', 'a'))
        self.assertEqual(stream.begin().data, {'resumed': True})
        events = stream.until(ends_with(199999))
        self.assertEqual(events[0].kind, 'dropped')
        self.assertEqual(values_of(events, 0), 200000)

    def test_too_far_back(self):
        """What came first is not kept for ever."""
        stream = self.stream(('pattern', 'a'))
        token = stream.begin().id
        for start in range(0, 100000, 1000):
            self.put_range(start, start + 1000)
            stream.until(ends_with(start + 999))
        stream.close()
        stream = self.stream(('pattern', 'a'), last_id=token)
        self.assertNotEqual(stream.begin('hello', 'reset').id.partition('-')[0], token.partition('-')[0])

    def assert_reset(self, last_id, *parameters):
        stream = self.stream(*parameters, last_id=last_id)
        self.assertEqual(stream.begin().data, {'resumed': False})
        self.assertEqual(stream.begin('reset').data, {})
        self.put_range(0, 1)
        self.assertEqual(stream.next().points, [('a', 0, 0)])
        return stream

    def test_unknown(self):
        known = self.stream(('pattern', 'a'))
        token = known.begin().id
        for last_id in ('x', '-', '0' * 32 + '-0', token + '9', token[:-1] + '-1', 'a' * 4000, '"', '\u00fc'):
            with self.subTest(last_id=last_id):
                self.assert_reset(last_id, ('pattern', 'a')).close()
        # Another question is another stream; that one is left as it was.
        self.assert_reset(token, ('pattern', '*')).close()
        self.put_range(5, 6)
        self.assertEqual(known.until(ends_with(5))[-1].points[-1], ('a', 5, 5))

    def test_empty_id(self):
        self.stream(('pattern', 'a'), last_id='').begin('hello')

    def test_another_server(self):
        stream = self.stream(('pattern', 'a'))
        stream.begin()
        self.server.stop()
        self.server = self.start(http=True)
        self.writer = self.client(self.server)
        self.assert_reset(stream.last_id, ('pattern', 'a'))

    def test_those_gone_longest(self):
        """Few streams wait for their clients, and the last ones to go."""
        gone = []
        for _ in range(MAX_LINGERING + 1):
            stream = self.stream(('pattern', 'a'))
            stream.begin()
            gone.append(stream.last_id)
            stream.close()
            wait_until(lambda: self.n_open() == 0, 'the end of a connection')
        self.stream(('pattern', 'a'), last_id=gone[0]).begin('hello', 'reset')
        self.assertEqual(self.stream(('pattern', 'a'), last_id=gone[-1]).begin().data, {'resumed': True})
        self.assertEqual(self.stream(('pattern', 'a'), last_id=gone[2]).begin().data, {'resumed': True})

    def n_open(self):
        """Connections other than the writer's."""
        return self.writer.stats()['connections'] - 1


class Ending(Streaming):
    def test_stop(self):
        """A server that stops tells what it has and ends the answer in order."""
        streams = [self.stream(('pattern', 'a')) for _ in range(20)]
        for stream in streams:
            stream.begin()
        self.put_range(0, 1000)
        self.server.signal(signal.SIGTERM)
        for stream in streams:
            self.assertEqual(values_of(stream.rest(), 0), 1000)
            self.assertTrue(stream.is_over)
        self.assertEqual(self.server.wait(), 0)

    def test_stop_with_who_does_not_read(self):
        stream = self.stream(('pattern', 'a'), receive_buffer=4096)
        stream.begin()
        self.put_range(0, 200000)
        self.assertEqual(self.server.stop(), 0)

    def test_client_leaves(self):
        stream = self.stream(('pattern', 'a'))
        stream.begin()
        self.assertEqual(self.writer.stats()['connections'], 2)
        stream.close()
        wait_until(lambda: self.writer.stats()['connections'] == 1, 'the end of the connection')


class Limits(Streaming):
    def refused(self, *parameters, **arguments):
        stream = self.stream(*parameters, **arguments)
        error = stream.error()
        self.assertEqual(stream.status, error['status'])
        self.assertEqual(stream.headers['content-type'], 'application/json')
        stream.close()
        return error

    def test_parameters(self):
        for parameter, value in (('pattern', ''), ('key', ''), ('pattern', 'a\\'), ('key', 'a\n'), ('pattern', 'a' * 1025),
                                 ('key', '*'), ('key', 'k' * 1025), ('from', '0'), ('patern', '*'), ('', 'a')):
            with self.subTest(parameter=parameter, value=value[:10]):
                error = self.refused((parameter, value))
                self.assertEqual((error['status'], error['where']), (400, parameter))

    def test_patterns(self):
        self.stream(*[('pattern', f'a{i}') for i in range(MAX_PATTERNS)]).begin()
        error = self.refused(*[('pattern', f'a{i}') for i in range(MAX_PATTERNS + 1)])
        self.assertEqual((error['status'], error['where']), (400, 'pattern'))

    def test_cost_of_patterns(self):
        hard = [('pattern', '*a' * 400)]
        self.assertEqual(self.refused(*hard * 1)['status'], 400)

    def test_streams(self):
        streams = [self.stream(('pattern', 'a')) for _ in range(MAX_STREAMS)]
        for stream in streams:
            stream.begin()
        error = self.refused(('pattern', 'a'))
        self.assertEqual((error['status'], error['code']), (503, 'too-many-streams'))
        # One that comes back takes no other place.
        self.stream(('pattern', 'a'), last_id=streams[0].last_id).begin()
        streams[1].close()
        wait_until(lambda: self.writer.stats()['connections'] <= MAX_STREAMS, 'the end of the connection')
        self.stream(('pattern', 'a')).begin()

    def test_all_watch_a_little(self):
        """Many streams of many keys share what there is for all who watch, and the rest is memory for points."""
        with Server('--memory-limit', '2M', http=True) as server, Client(server) as writer:
            streams = [self.enterContext(Stream(server, ('pattern', '*'), receive_buffer=4096)) for _ in range(50)]
            for stream in streams:
                stream.begin()
            for start in range(0, 100000, 10000):
                writer.put_many([f'put a {i} {i % 100}\n'.encode() for i in range(start, start + 10000)])
            self.assertLess(writer.stats()['memory'], 2 << 20)
            for stream in streams:
                stream.close()


if __name__ == '__main__':
    main()
