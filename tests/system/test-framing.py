#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bytes into lines and replies into bytes: rules 8, 9, 10, 11 and 13, and input cut into segments anyhow."""

import select
import socket
import struct

from harness import OK, WATCHDOG, WRONG, TestCase, main

TOO_LONG = b'error\nline too long\n\n'


class FramingTest(TestCase):
    OPTIONS = ()

    def setUp(self):
        self.server = self.start(*self.OPTIONS)
        self.other = self.client(self.server)

    def converse(self, *segments):
        """Everything that a new connection answers to bytes that the server takes in as these segments."""
        with self.client(self.server) as client:
            client.send(segments[0])
            for segment in segments[1:]:
                # The server looks at the connections that are readable in the order in which they became so.
                self.assertEqual(self.other.ask(b'ping'), OK)
                client.send(segment)
            client.half_close()
            return client.recv_all()


class SegmentsTest(FramingTest):
    SCRIPT = (b'put \xc3\xa9 1.5 10\n\nput \xc3\xa9 2 9 \r\nget \xc3\xa9\nbad\n\n\n \nlast ? x\nget *\r\n\r\ndel \xc3\xa9\nget *\n')
    REPLIES = (OK, OK, 'ok\né 2.0 9\né 1.5 10\n\n'.encode(), WRONG, WRONG, WRONG, WRONG,
               'ok\né 2.0 9\né 1.5 10\n\n'.encode(), b'ok\n2\n\n', OK)

    def test_in_one_piece(self):
        self.assertEqual(self.converse(self.SCRIPT), b''.join(self.REPLIES))

    def test_cut_at_every_position(self):
        for at in range(1, len(self.SCRIPT)):
            got = self.converse(self.SCRIPT[:at], self.SCRIPT[at:])
            self.assertEqual(got, b''.join(self.REPLIES), f'cut at {at}')

    def test_one_byte_at_a_time(self):
        got = self.converse(*(self.SCRIPT[at:at + 1] for at in range(len(self.SCRIPT))))
        self.assertEqual(got, b''.join(self.REPLIES))

    def test_two_cuts(self):
        size = len(self.SCRIPT)
        for first in range(1, size, 7):
            for second in range(first + 1, size, 11):
                got = self.converse(self.SCRIPT[:first], self.SCRIPT[first:second], self.SCRIPT[second:])
                self.assertEqual(got, b''.join(self.REPLIES), f'cut at {first} and {second}')

    def test_many_commands_in_odd_pieces(self):
        lines = [f'put key{i % 13} {i}.25 {i}\n'.encode() for i in range(5000)]
        data = b''.join(lines)
        with self.client(self.server) as client:
            for at in range(0, len(data), 997):
                client.send(data[at:at + 997])
            self.assertEqual(client.recv_replies(5000), [OK] * 5000)
        self.assertEqual(self.other.stats()['points'], 5000)


class Rule08Test(FramingTest):
    TABLE = (
        (b'get k\n', [OK]),
        (b'get k\n\n', [OK]),
        (b'get k\n\n\n', [OK, WRONG]),
        (b'get k\n\n\n\n', [OK, WRONG, WRONG]),
        (b'get k\n\n\n\n\n', [OK, WRONG, WRONG, WRONG]),
        (b'\n', [WRONG]),
        (b'\n\n', [WRONG, WRONG]),
        (b'\n\nget k\n\n', [WRONG, WRONG, OK]),
        (b'get k\n\nget k\n\n', [OK, OK]),
        (b'get k\n\nget k\n\n\nget k\n', [OK, OK, WRONG, OK]),
        (b'get wrong command test\n\n', [WRONG]),
        (b'get wrong command test\n\n\n', [WRONG, WRONG]),
        (b'wrong command test\n\nget k\n\n', [WRONG, OK]),
        (b'get k\r\n\r\n', [OK]),
        (b'get k\n\r\n', [OK]),
        (b'get k\r\n\r\n\r\n', [OK, WRONG]),
        (b'get k\n \t\n', [OK]),
        (b'get k\n  \r\n \n', [OK, WRONG]),
        (b'   \n', [WRONG]),
        (b'\r\n\r\n', [WRONG, WRONG]),
        (b'\x00\n\n', [WRONG]),
        (b'*\n\n', [WRONG]),
    )

    def test_rule_08_table(self):
        for data, replies in self.TABLE:
            self.assertEqual(self.converse(data), b''.join(replies), data)

    def test_rule_08_table_in_two_segments(self):
        for data, replies in self.TABLE:
            for at in range(1, len(data)):
                got = self.converse(data[:at], data[at:])
                self.assertEqual(got, b''.join(replies), (data[:at], data[at:]))

    def test_rule_08_after_the_reply_was_read(self):
        with self.client(self.server) as client:
            for line in (b'get k', b'get wrong command test', b'put k2 1 1'):
                reply = client.ask(line)
                client.send(b'\n')
                client.expect_silence()
                self.assertIn(reply, (OK, WRONG))
                # The blank line was used up: the ping above is the request line of the next one.
                client.send(b'\n\n')
                self.assertEqual(client.recv_reply(), WRONG)
                client.expect_silence()

    def test_rule_08_after_quit(self):
        self.assertEqual(self.converse(b'quit\n\n'), OK)


class Rule09Test(FramingTest):
    LIMIT = 65536

    def pad(self, line, size):
        return line + b' ' * (size - len(line))

    def test_rule_09_the_longest_line(self):
        for size in (self.LIMIT - 2, self.LIMIT - 1):
            self.assertEqual(self.other.ask(self.pad(b'put k %d 5' % size, size)), OK)
            self.assertEqual(self.other.ask(b'get k'), b'ok\nk %d.0 5\n\n' % size)
        # The CR counts, for it is one of the bytes that are not LF.
        self.assertEqual(self.other.ask(self.pad(b'put k 1 5', self.LIMIT - 2) + b'\r'), OK)

    def test_rule_09_said_before_the_line_ends(self):
        self.other.send(self.pad(b'put k 1 5', self.LIMIT))
        self.assertEqual(self.other.recv_reply(), TOO_LONG)
        self.other.send(b'\n')
        self.other.expect_silence()
        self.assertEqual(self.other.ask(b'get *'), OK)

    def test_rule_09_not_said_too_early(self):
        with self.client(self.server) as client:
            client.send(self.pad(b'put k 1 5', self.LIMIT - 1))
            self.assertEqual(self.other.ask(b'ping'), OK)
            self.assertEqual(self.other.ask(b'get k'), OK)
            client.send(b'\n')
            self.assertEqual(client.recv_reply(), OK)
            client.expect_silence()

    def test_rule_09_once_and_the_session_goes_on(self):
        for size in (self.LIMIT, self.LIMIT + 1, self.LIMIT * 2 - 1, self.LIMIT * 2, 1000003):
            got = self.converse(b'ping\n' + b'x' * size + b'\nping\n' + b'y' * size + b'\nput k 1 1\n')
            self.assertEqual(got, OK + TOO_LONG + OK + TOO_LONG + OK, size)

    def test_rule_09_the_rest_is_no_request(self):
        got = self.converse(b'x' * self.LIMIT + b'put evil 1 1\nput good 1 1\n')
        self.assertEqual(got, TOO_LONG + OK)
        self.assertEqual(self.other.ask(b'get *'), b'ok\ngood 1.0 1\n\n')

    def test_rule_09_in_segments(self):
        long = b'x' * (self.LIMIT - 1)
        for segments in ((long, b'x', b'\n', b'ping\n'), (long, b'xx\nping\n'), (long, b'\nping\n'), (long + b'x', b'\nping\n'),
                         (long, b'x' * 5, b'y' * 70000, b'z\nping\n'), (b'x', long, b'\n', b'ping\n')):
            first = WRONG if b''.join(segments).index(b'\n') < self.LIMIT else TOO_LONG
            self.assertEqual(self.converse(*segments), first + OK, [len(segment) for segment in segments])

    def test_rule_09_blank_line_after_it(self):
        long = b'x' * self.LIMIT
        self.assertEqual(self.converse(long + b'\n\n'), TOO_LONG)
        self.assertEqual(self.converse(long + b'\n\n\nping\n'), TOO_LONG + WRONG + OK)
        self.assertEqual(self.converse(long + b'yyy', b'\n', b'\n', b'ping\n'), TOO_LONG + OK)

    def test_rule_09_end_of_input_within_it(self):
        self.assertEqual(self.converse(b'ping\n' + b'x' * 200000), OK + TOO_LONG)

    def test_rule_09_counts_from_the_start_of_the_line(self):
        longest = self.pad(b'put k 1 5', self.LIMIT - 1) + b'\n'
        for before in (1, 7, 13000, 13107, 13108, 30000):
            got = self.converse(b'ping\n' * before + longest * 3 + b'ping\n')
            self.assertEqual(got, OK * (before + 4), before)


class Rule09OptionTest(FramingTest):
    OPTIONS = ('--line-limit', '100')

    def test_rule_09_limit_as_an_option(self):
        self.assertEqual(self.converse(b'put k 1 1'.ljust(99) + b'\n'), OK)
        self.assertEqual(self.converse(b'put k 1 1'.ljust(100) + b'\nping\n'), TOO_LONG + OK)
        self.assertEqual(self.other.stats()['line_limit'], 100)
        self.assertEqual(self.other.stats()['points'], 1)


class Rule10Test(FramingTest):
    OPTIONS = ('--slice-limit', '64')

    def data_segments(self, client):
        """How many segments with data the socket has received (struct tcp_info, linux/tcp.h)."""
        info = client.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
        return struct.unpack_from('I', info, 152)[0]

    def assert_one_segment(self, client, request, expected=None):
        """One recv(1024) is the whole answer, and it came as one segment."""
        before = self.data_segments(client)
        client.send(request)
        self.assertTrue(select.select([client.sock], [], [], WATCHDOG)[0])
        reply = client.sock.recv(1024)
        self.assertTrue(reply.endswith(b'\n\n'), reply)
        self.assertEqual(reply.count(b'\n\n'), 1, reply)
        self.assertEqual(self.data_segments(client), before + 1, request)
        if expected is not None:
            self.assertEqual(reply, expected)
        return reply

    def test_rule_10_every_kind_of_small_reply(self):
        for i in range(20):
            self.other.put('k', i, i)
        for line in (b'get k', b'get none', b'get *', b'put k 1 1', b'nonsense', b'ping', b'last *', b'range k - -',
                     b'range * - - 5 avg', b'keys *', b'stats', b'del none', b'range k 100 -'):
            for _ in range(20):
                reply = self.assert_one_segment(self.other, line + b'\n')
                self.assertLessEqual(len(reply), 1024)

    def test_rule_10_exact_sizes(self):
        for size in (1000, 1022, 1023, 1024):
            key = b'k' * (size - len(b'ok\n 1.0 5\n\n'))
            self.other.put(key, 1, 5)
            for _ in range(20):
                self.assert_one_segment(self.other, b'get ' + key + b'\n', b'ok\n' + key + b' 1.0 5\n\n')

    def test_rule_10_many_rows(self):
        for i in range(101):
            self.other.put('k', 1, 100 + i)
        rows = b''.join(b'k 1.0 %d\n' % (100 + i) for i in range(101))
        self.assertLessEqual(len(rows) + 4, 1024)
        for _ in range(50):
            self.assert_one_segment(self.other, b'get k\n', b'ok\n' + rows + b'\n')

    def test_rule_10_replies_that_take_many_slices(self):
        self.other.put_many([b'put series.%d %d %d\n' % (i, i, time) for i in range(5000) for time in (1, 2)])
        self.other.put_many([b'put long 1 %d\n' % i for i in range(20000)])
        pattern = b'series.?999'
        found = [b'series.%d' % i for i in (1999, 2999, 3999, 4999)]
        points = b''.join(b'%s %s.0 %d\n' % (key, key[7:], time) for key in found for time in (1, 2))
        newest = b''.join(b'%s %s.0 2\n' % (key, key[7:]) for key in found)
        for _ in range(20):
            self.assert_one_segment(self.other, b'range %s - -\n' % pattern, b'ok\n' + points + b'\n')
            self.assert_one_segment(self.other, b'last %s\n' % pattern, b'ok\n' + newest + b'\n')
            self.assert_one_segment(self.other, b'range long - - 100000 count\n', b'ok\nlong 20000.0 0\n\n')
            self.assert_one_segment(self.other, b'range long - - 10000 p99\n',
                                    b'ok\nlong 1.0 0\nlong 1.0 10000\n\n')
        self.assert_one_segment(self.other, b'del series.*\n', b'ok\n10000\n\n')

    def test_rule_10_request_in_pieces(self):
        self.other.put('k', 1, 1)
        with self.client(self.server) as client:
            for _ in range(50):
                before = self.data_segments(client)
                for piece in (b'g', b'et', b' k', b'\n'):
                    client.send(piece)
                    self.assertEqual(self.other.ask(b'ping'), OK)
                self.assertEqual(client.sock.recv(1024), b'ok\nk 1.0 1\n\n')
                self.assertEqual(self.data_segments(client), before + 1)


class Rule11Test(FramingTest):
    def test_rule_11_last_line_without_lf(self):
        self.assertEqual(self.converse(b'put k 1 1'), b'')
        self.assertEqual(self.converse(b'ping\nput k 1 1'), OK)
        self.assertEqual(self.converse(b'ping\nput k 1 1\r'), OK)
        self.assertEqual(self.converse(b'put k 1 1', b''), b'')
        self.assertEqual(self.other.ask(b'get *'), OK)

    def test_rule_11_nothing_at_all(self):
        self.assertEqual(self.converse(b''), b'')

    def test_rule_11_replies_owed_are_sent(self):
        self.other.put_many([f'put key{i % 10} {i} {i}\n'.encode() for i in range(20000)])
        everything = self.other.ask(b'get *')
        got = self.converse(b'get *\n' * 20 + b'put k 1 1\n' + b'get k\n' + b'put lost 1 1')
        self.assertEqual(got, everything * 20 + OK + b'ok\nk 1.0 1\n\n')
        self.assertEqual(self.other.ask(b'get lost'), OK)

    def test_rule_11_half_closed_slow_reader(self):
        self.other.put_many([f'put key{i % 10} {i} {i}\n'.encode() for i in range(20000)])
        everything = self.other.ask(b'get *')
        with self.client(self.server, receive_buffer=4096) as client:
            client.send(b'get *\n' * 3)
            client.half_close()
            got = b''
            while data := client.sock.recv(3000):
                got += data
            self.assertEqual(got, everything * 3)

    def test_rule_11_reset_loses_nothing_that_was_acknowledged(self):
        for i in range(20):
            client = self.client(self.server)
            client.put('r', i, i)
            client.send(b'put r 2')
            client.reset()
        self.assertEqual(self.other.rows(b'get r'), [b'r %d.0 %d' % (i, i) for i in range(20)])


class Rule13Test(FramingTest):
    REQUEST = b'POST / HTTP/1.1\r\nHost: localhost:8888\r\nContent-Length: 12\r\n\r\nput evil 1 1\nput evil 2 2\n'

    def tearDown(self):
        # Only what was sent on purpose has been stored.
        self.assertEqual(self.other.ask(b'range evil* - -'), OK)

    def test_rule_13_first_line(self):
        for line in (b'GET / HTTP/1.1\r\n', b'GET / HTTP/1.0\r\n', b'GET / HTTP/1.1\n', b'POST /a%20b HTTP/1.0\n',
                     b'OPTIONS * HTTP/1.1\r\n', b'put evil 1 1 HTTP/1.1\r\n', b'anything HTTP/1.1\n', b'get HTTP/1.1\n'):
            self.assertEqual(self.converse(line + b'put evil 1 1\n' * 3), WRONG, line)

    def test_rule_13_closed_by_the_server(self):
        with self.client(self.server) as client:
            client.send(self.REQUEST)
            self.assertEqual(client.recv_reply(), WRONG)
            client.expect_eof()

    def test_rule_13_cut_at_every_position(self):
        for at in range(1, len(self.REQUEST)):
            with self.client(self.server) as client:
                client.send(self.REQUEST[:at])
                self.assertEqual(self.other.ask(b'ping'), OK)
                try:
                    client.send(self.REQUEST[at:])
                except (BrokenPipeError, ConnectionResetError):
                    self.assertGreater(at, self.REQUEST.index(b'\n'))
                self.assertEqual(client.recv_reply(), WRONG, at)

    def test_rule_13_a_body_does_not_lose_the_answer(self):
        for _ in range(10):
            self.assertEqual(self.converse(self.REQUEST + b'put evil 1 1\n' * 2000), WRONG)

    def test_rule_13_longer_than_a_line(self):
        for size in (65536, 65537, 200000):
            got = self.converse(b'GET /'.ljust(size, b'a') + b' HTTP/1.1\r\n' + b'put evil 1 1\n' * 3)
            self.assertIn(got, (TOO_LONG, TOO_LONG + WRONG, WRONG), size)
            # The end of the line comes alone.
            got = self.converse(b'GET /'.ljust(size, b'a') + b' HTT', b'P/1.1', b'\r\nput evil 1 1\n')
            self.assertIn(got, (TOO_LONG, TOO_LONG + WRONG, WRONG), size)
            got = self.converse(b'GET /'.ljust(size, b'a'), *(b' HTTP/1.0'[i:i + 1] for i in range(9)), b'\nput evil 1 1\n')
            self.assertIn(got, (TOO_LONG, TOO_LONG + WRONG, WRONG), size)

    def test_rule_13_longer_than_a_line_but_no_http(self):
        for end in (b' HTTP/1.2', b'HTTP/1.1', b' HTTP/1.1x', b' HTTP/1.'):
            self.assertEqual(self.converse(b'GET /'.ljust(70000, b'a') + end + b'\nping\n'), TOO_LONG + OK, end)

    def test_rule_13_the_first_line_only(self):
        got = self.converse(b'ping\nGET / HTTP/1.1\r\nping\nput k 1 1 HTTP/1.0\nping\n')
        self.assertEqual(got, OK + WRONG + OK + WRONG + OK)

    def test_rule_13_what_is_no_such_line(self):
        for line in (b'GET / HTTP/2.0', b'GET / http/1.1', b'GET /HTTP/1.1', b'HTTP/1.1', b'GET / HTTP/1.1 x',
                     b'GET / HTTP/1.11', b'GET / HTTP/1.'):
            self.assertEqual(self.converse(line + b'\nping\n'), WRONG + OK, line)


if __name__ == '__main__':
    main()
