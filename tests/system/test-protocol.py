#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The base of the protocol: its session byte for byte, and rules 1, 2, 3, 6 and 7."""

import random

from harness import OK, WRONG, TestCase, main

SESSION = (
    (b'get test_key\n', b'ok\n\n'),
    (b'got test_key\n', b'error\nwrong command\n\n'),
    (b'put test_key 12.0 1503319740\n', b'ok\n\n'),
    (b'put test_key 13.0 1503319739\n', b'ok\n\n'),
    (b'get test_key\n', b'ok\ntest_key 13.0 1503319739\ntest_key 12.0 1503319740\n\n'),
    (b'put another_key 10 1503319739\n', b'ok\n\n'),
    (b'get *\n', b'ok\ntest_key 13.0 1503319739\ntest_key 12.0 1503319740\nanother_key 10.0 1503319739\n\n'),
)


class ProtocolTest(TestCase):
    def setUp(self):
        self.server = self.start()
        self.sut = self.client(self.server)

    def assert_wrong(self, line):
        self.assertEqual(self.sut.ask(line), WRONG, line[:200])


class SessionTest(ProtocolTest):
    def test_byte_for_byte(self):
        for request, reply in SESSION:
            self.sut.send(request)
            self.assertEqual(self.sut.recv_exactly(len(reply)), reply, request)
        self.sut.expect_silence()

    def test_pipelined(self):
        self.sut.send(b''.join(request for request, _ in SESSION))
        replies = b''.join(reply for _, reply in SESSION)
        self.assertEqual(self.sut.recv_exactly(len(replies)), replies)
        self.sut.expect_silence()

    def test_connection_stays_open_and_is_shared_state(self):
        other = self.client(self.server)
        self.sut.put('k', 1, 1)
        self.assertEqual(other.ask(b'get k'), b'ok\nk 1.0 1\n\n')
        other.put('k', 2, 2)
        self.assertEqual(self.sut.ask(b'get k'), b'ok\nk 1.0 1\nk 2.0 2\n\n')
        other.close()
        self.assertEqual(self.sut.ask(b'get k'), b'ok\nk 1.0 1\nk 2.0 2\n\n')

    def test_answers_come_in_the_order_of_requests(self):
        requests, replies = [], []
        for i in range(2000):
            requests += [f'put k{i % 7} {i} {i % 50}\n', f'get k{i % 7}x\n', f'nonsense {i}\n']
            replies += [OK, OK, WRONG]
        self.sut.send(''.join(requests).encode())
        self.assertEqual(self.sut.recv_replies(len(replies)), replies)
        self.sut.expect_silence()

    def test_each_request_is_executed_after_the_answer_before_it(self):
        self.sut.send(b'put k 1 1\nget k\nput k 2 1\nget k\nget *\nput k 3 1\nget k\n')
        expected = [OK, b'ok\nk 1.0 1\n\n', OK, b'ok\nk 2.0 1\n\n', b'ok\nk 2.0 1\n\n', OK, b'ok\nk 3.0 1\n\n']
        self.assertEqual(self.sut.recv_replies(len(expected)), expected)


class Rule01Test(ProtocolTest):
    def test_rule_01_a_later_put_replaces(self):
        for time in (1, 2, 3):
            self.sut.put('k', time, time)
        for time in (2, 3, 1, 2):
            self.sut.put('k', time * 10, time)
        self.assertEqual(self.sut.ask(b'get k'), b'ok\nk 10.0 1\nk 20.0 2\nk 30.0 3\n\n')
        self.assertEqual(self.sut.stats()['points'], 3)

    def test_rule_01_same_point_of_two_keys(self):
        self.sut.put('a', 1, 1)
        self.sut.put('b', 2, 1)
        self.assertEqual(self.sut.ask(b'get *'), b'ok\na 1.0 1\nb 2.0 1\n\n')

    def test_rule_01_any_order_of_time(self):
        for name, times in (
                ('ascending', list(range(-2500, 2500))),
                ('descending', list(range(2500, -2500, -1))),
                ('shuffled', random.Random(1).sample(range(-10 ** 15, 10 ** 15), 5000)),
                ('twice', random.Random(2).choices(range(2000), k=8000)),
                ('late', list(range(0, 4000, 2)) + list(range(3999, 0, -2)))):
            expected = {time: i for i, time in enumerate(times)}
            self.sut.put_many([f'put {name} {i} {time}\n'.encode() for i, time in enumerate(times)])
            self.assertEqual(
                self.sut.rows(f'get {name}'.encode()),
                [f'{name} {float(expected[time])!r} {time}'.encode() for time in sorted(expected)])


class Rule02Test(ProtocolTest):
    def test_rule_02_separators(self):
        self.sut.put('k', 1, 1)
        for line in (b'get k', b' get k', b'get  k', b'get k ', b'\tget\tk\t', b' \t get \t\t k \t ', b'get k\r',
                     b'get k \r', b'\tget k\t\r'):
            self.assertEqual(self.sut.ask(line), b'ok\nk 1.0 1\n\n', line)
        for i, line in enumerate((b'put s %d 5', b'  put   s   %d   5  ', b'put\ts\t%d\t5\t', b'put s %d 5\r')):
            self.assertEqual(self.sut.ask(line % i), OK)
            self.assertEqual(self.sut.ask(b'get s'), b'ok\ns %d.0 5\n\n' % i)

    def test_rule_02_no_other_separator(self):
        for blank in ('\v', '\f', '\r', '\xa0', '\u2003', '\u3000', '\x00', ','):
            self.assert_wrong(f'put{blank}k 1 1'.encode())
            self.assert_wrong(f'put k 1{blank}1'.encode())
            self.assert_wrong(f'put k{blank}1 1'.encode())
        self.assertEqual(self.sut.ask(b'get *'), OK)

    def test_rule_02_one_carriage_return_only_at_the_end(self):
        for line in (b'\rget k', b'get k\r\r', b'get k\r ', b'get\r k', b'put k 1\r 1', b'put k 1 1\r\r'):
            self.assert_wrong(line)

    def test_rule_02_commands_are_lower_case(self):
        for line in (b'PUT k 1 1', b'Put k 1 1', b'GET k', b'Get k', b'gEt *'):
            self.assert_wrong(line)
        self.assertEqual(self.sut.ask(b'get *'), OK)


class Rule03Test(ProtocolTest):
    def test_rule_03_length(self):
        for key in ('k', 'k' * 1024, 'é' * 512, '\U0001f600' * 256, 'k' * 1022 + 'é'):
            self.sut.put(key, 1, 1)
            self.assertEqual(self.sut.ask(f'get {key}'.encode()), f'ok\n{key} 1.0 1\n\n'.encode())
        for key in ('k' * 1025, 'é' * 513, 'k' * 1023 + 'é', 'k' * 60000):
            self.assert_wrong(f'put {key} 1 1'.encode())
            self.assert_wrong(f'get {key}'.encode())

    def test_rule_03_valid(self):
        keys = ['put', 'get', '-', 'now', '**', '?', 'a*b', '\\', '"', "'", '#', '//', '{}', 'ключ', '鍵', 'e\u0301',
                '\u200b', '\u00ad', '\ufeff', '\U0010ffff', '~', '%s%n', '0', '1.5', 'HTTP/1.1']
        for i, key in enumerate(keys):
            self.sut.put(key, i, 1)
        for i, key in enumerate(keys):
            self.assertEqual(self.sut.ask(f'get {key}'.encode() + b' '), f'ok\n{key} {i}.0 1\n\n'.encode())
        self.assertEqual(self.sut.rows(b'get *'), [f'{key} {i}.0 1'.encode() for i, key in enumerate(keys)])

    def test_rule_03_white_space_and_control_characters(self):
        bad = [chr(code) for code in list(range(1, 9)) + list(range(11, 32)) + list(range(127, 161))]
        bad += ['\u1680', '\u2000', '\u200a', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000']
        for character in bad:
            for key in (character, f'a{character}', f'{character}b', f'a{character}b'):
                self.assert_wrong(f'put {key} 1 1'.encode())
                self.assert_wrong(f'get {key} '.encode())
        self.assertEqual(self.sut.ask(b'get *'), OK)

    def test_rule_03_not_utf8(self):
        for key in (b'\xff', b'\x80', b'a\xc3', b'\xc3a', b'\xc0\xaf', b'\xe2\x82', b'\xed\xa0\x80', b'\xf4\x90\x80\x80',
                    b'\xf8\x88\x80\x80\x80', b'a\xffb', b'\xe0\x80\x80', b'\xc1\xbf'):
            self.assert_wrong(b'put ' + key + b' 1 1')
            self.assert_wrong(b'get ' + key)
        self.assertEqual(self.sut.ask(b'get *'), OK)

    def test_rule_03_star_is_for_get_alone(self):
        self.assert_wrong(b'put * 1 1')
        self.assertEqual(self.sut.ask(b'get *'), OK)

    def test_rule_03_get_takes_a_key_not_a_pattern(self):
        self.sut.put('ab', 1, 1)
        for key in (b'a*', b'a?', b'**', b'\\ab', b'?b'):
            self.assertEqual(self.sut.ask(b'get ' + key), OK)

    def test_rule_03_order_is_that_of_first_puts(self):
        keys = [f'k{i}' for i in random.Random(3).sample(range(3000), 3000)]
        self.sut.put_many([f'put {key} 1 1\n'.encode() for key in keys])
        self.sut.put_many([f'put {key} 2 {time}\n'.encode() for time in (0, 1) for key in reversed(keys)])
        self.assertEqual(
            self.sut.rows(b'get *'), [f'{key} 2.0 {time}'.encode() for key in keys for time in (0, 1)])

    def test_rule_03_forgotten_and_put_again_comes_last(self):
        for key in 'abc':
            self.sut.put(key, 1, 1)
        self.assertEqual(self.sut.ask(b'del a'), b'ok\n1\n\n')
        self.assertEqual(self.sut.ask(b'get *'), b'ok\nb 1.0 1\nc 1.0 1\n\n')
        self.assertEqual(self.sut.ask(b'get a'), OK)
        self.assertEqual(self.sut.stats()['series'], 2)
        self.sut.put('a', 2, 2)
        self.assertEqual(self.sut.ask(b'get *'), b'ok\nb 1.0 1\nc 1.0 1\na 2.0 2\n\n')
        # One that keeps a point keeps its place.
        self.sut.put('b', 2, 2)
        self.assertEqual(self.sut.ask(b'del b 1 1'), b'ok\n1\n\n')
        self.assertEqual(self.sut.ask(b'get *'), b'ok\nb 2.0 2\nc 1.0 1\na 2.0 2\n\n')


class Rule06Test(ProtocolTest):
    def test_rule_06_accepted(self):
        for text, printed in (
                ('0', '0'), ('-0', '0'), ('+0', '0'), ('+5', '5'), ('007', '7'), ('-007', '-7'), ('+007', '7'),
                ('9223372036854775807', '9223372036854775807'), ('-9223372036854775808', '-9223372036854775808'),
                ('+9223372036854775807', '9223372036854775807'), ('0' * 500 + '9', '9'), ('-' + '0' * 500 + '9', '-9'),
                ('1503319740', '1503319740'), ('-1', '-1')):
            self.sut.put('k', 1, text)
            self.assertEqual(self.sut.ask(b'get k'), f'ok\nk 1.0 {printed}\n\n'.encode(), text)
            self.assertEqual(self.sut.ask(b'del k'), b'ok\n1\n\n')

    def test_rule_06_refused(self):
        for text in ('9223372036854775808', '-9223372036854775809', '18446744073709551616', '18446744073709551621',
                     '1' * 40, '1.0', '1.', '1e3', 'now', '0x5', '5-', '+-5', '--5', '++5', '+', '-', '5a', 'a5', '1_0',
                     '1,0', '٣', '５', '5\u0663', "'5'", '*', '1\x002'):
            self.assert_wrong(f'put k 1 {text}'.encode())
        self.assertEqual(self.sut.ask(b'get *'), OK)

    def test_rule_06_order_of_the_extremes(self):
        times = [-2 ** 63, -2 ** 63 + 1, -2 ** 32, -1, 0, 1, 2 ** 31, 2 ** 53 + 1, 2 ** 63 - 2, 2 ** 63 - 1]
        for time in random.Random(4).sample(times, len(times)):
            self.sut.put('k', 1, time)
        self.assertEqual(self.sut.rows(b'get k'), [f'k 1.0 {time}'.encode() for time in times])


class Rule07Test(ProtocolTest):
    LINES = (
        b'put', b'put k', b'put k 1', b'put k 1 1 1', b'put k 1 1 x', b'get', b'get a b', b'get * *', b'get a b c',
        b'p', b'pu', b'putt k 1 1', b'puts', b'ge', b'gett k', b'got k', b'*', b'1', b'ok', b'error', b'put k 1,5 1',
        b'put k nan 1', b'put k inf 1', b'put k one 1', b'put k 1 one', b'put k 1 1.5', b'put\x00k 1 1', b'put k\x00 1 1',
        b'put k 1\x00 1', b'put k 1 1\x00', b'\x00put k 1 1', b'\x00', b'get k\x00', b'put k 1 1 \x00', b'\xff\xfe\xfd',
        b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', b'"put" k 1 1', b'put k 1 1;', b'SELECT 1', b'get wrong command test',
        b'put 1 1', b'x' * 60000)

    def test_rule_07_refused_and_the_session_goes_on(self):
        self.sut.put('kept', 1, 1)
        for line in self.LINES:
            self.assert_wrong(line)
            self.assertEqual(self.sut.ask(b'get *'), b'ok\nkept 1.0 1\n\n', line[:100])
        self.assertEqual(self.sut.stats()['points'], 1)

    def test_rule_07_pipelined_among_good_ones(self):
        self.sut.send(b''.join(line + b'\nput good 1 %d\n' % i for i, line in enumerate(self.LINES)))
        self.assertEqual(self.sut.recv_replies(2 * len(self.LINES)), [WRONG, OK] * len(self.LINES))
        self.assertEqual(len(self.sut.rows(b'get *')), len(self.LINES))

    def test_rule_07_random_bytes(self):
        rng = random.Random(7)
        words = [b'put', b'get', b'k', b'1', b'-', b'*', b' ', b'\t', b'\r', b'\x00', b'\xc3', b'.', b'e', b'\xa9', b'+']
        for _ in range(3000):
            line = b''.join(rng.choice(words) + rng.choice((b'', b' ')) for _ in range(rng.randrange(1, 9)))
            if line.rstrip(b'\r').strip(b' \t'):
                self.sut.ask(line)
        self.sut.expect_silence()


if __name__ == '__main__':
    main()
