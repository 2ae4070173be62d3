#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hypotenuses over TCP: where a request ends, which numbers come back, what is wrong, and the client that asks."""

import json
import math
import os
import pty
import socket
import subprocess

from example import NO_METRICSD, NOWHERE, Example, expect_figures, program, run
from harness import WATCHDOG, TestCase, main

NO_REQUEST = b'error: a request is {"a": NUMBER, "b": NUMBER}\n'


def old_client(address, a, b):
    """A client as one writes it first: no LF, and what one recv() brings is the answer."""
    host, _, port = address.rpartition(':')
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.settimeout(WATCHDOG)
    client.connect((host, int(port)))
    client.send(json.dumps(dict(a=a, b=b)).encode())
    response_data = client.recv(1024)
    client.close()
    return float(response_data.decode())


class ServerTest(TestCase):
    def setUp(self):
        self.server = self.enterContext(Example('hypotenuse-server', '--max-connections=50'))

    def client(self):
        return self.enterContext(self.server.connect())

    def ask(self, client, request):
        client.send(request if isinstance(request, bytes) else request.encode())
        answer = b''
        while not answer.endswith(b'\n'):
            answer += client.recv_exactly(1)
        return answer.decode()

    def test_a_client_that_sends_no_line_gets_a_float(self):
        self.assertEqual(old_client(self.server.address, 3.0, 4.0), 5.0)
        self.assertEqual(old_client(self.server.address, 1.5, 2.25), math.hypot(1.5, 2.25))
        self.assertEqual(old_client(self.server.address, 10**25, 0), 1e25)

    def test_numbers_are_the_shortest_that_read_back(self):
        client = self.client()
        for a, b, answer in (('3', '4', '5'), ('1', '1', '1.4142135623730951'), ('0.1', '0', '0.1'), ('0', '-0', '0'),
                             ('5e-324', '0', '5e-324'), ('1e308', '1E308', '1.4142135623730951e+308'),
                             ('3e-200', '4e-200', '5e-200'),
                             ('9223372036854775808', '0', '9.223372036854776e+18'), ('1' + '0' * 30, '0', '1e+30'),
                             ('999999999999999999', '0', '1e+18'), ('123456', '0', '123456'), ('100000', '0', '100000'),
                             ('0.0001', '0', '0.0001'), ('1e-5', '0', '1e-05'),
                             ('1.5e1', '0', '15'), ('1e-999', '2', '2')):
            with self.subTest(a=a, b=b):
                self.assertEqual(self.ask(client, f'{{"a": {a}, "b": {b}}}'), answer + '\n')

    def test_the_closing_brace_ends_a_request(self):
        client = self.client()
        # Several at once, white space between, members in any order, escapes.
        client.send(b' \r\n{"a":3,"b":4}{"b":5,"a":12}\n\n\t{"\\u0061" :\n8,"b":15} ')
        self.assertEqual(client.recv_exactly(8), b'5\n13\n17\n')
        # Byte by byte, with braces in strings.
        request = b'{"a": "}\\"}{", "b": {"}": []}}'
        for i in range(len(request)):
            client.send(request[i:i + 1])
        self.assertEqual(client.recv_exactly(27), b'error: "a" is not a number\n')
        # More white space than a request may have is none of it.
        client.send(b' ' * 5000 + b'{"a":6,"b":8}')
        self.assertEqual(client.recv_exactly(3), b'10\n')

    def test_what_is_wrong_is_named_and_the_next_one_answered(self):
        client = self.client()
        for request, answer in (
                ('{}', '"a" is missing'), ('{"a": 3}', '"b" is missing'), ('{"b": 3}', '"a" is missing'),
                ('{"a": "3", "b": 4}', '"a" is not a number'), ('{"a": 3, "b": null}', '"b" is not a number'),
                ('{"a": true, "b": 4}', '"a" is not a number'), ('{"a": [3], "b": 4}', '"a" is not a number'),
                ('{"a": {"a": 3}, "b": 4}', '"a" is not a number'),
                ('{"a": -3, "b": 4}', '"a" is negative'), ('{"a": 3, "b": -1e-300}', '"b" is negative'),
                ('{"a": -99999999999999999999, "b": 4}', '"a" is negative'),
                ('{"a": 1e400, "b": 4}', '"a" is too large'), ('{"a": 3, "b": -1e400}', '"b" is too large'),
                ('{"a": 1.7e308, "b": 1.7e308}', 'the hypotenuse is too large'),
                ('{"a": 3, "b": 4, "c": 5}', '"c" is neither "a" nor "b"'),
                ('{"a": 3, "b": 4, "": 5}', '"" is neither "a" nor "b"'),
                ('{"a": 3, "b": 4, "\\n\\u001b\\u202e": 5}', '"\\n\\u001b\\u202e" is neither "a" nor "b"'),
                ('{"a": 3, "b": 4, "длинное имя, которое длится": 5}', '"длинное имя, которое..." is neither "a" nor "b"'),
                ('{"a": 3, "a": 5, "b": 4}', '"a" stands there twice'), ('{"a": 3, "b": 4, "b": 4}', '"b" stands there twice'),
                ('{"a": 3, "b": 4,}', 'not JSON: nothing stands behind a comma'),
                ('{"a": 3 "b": 4}', 'not JSON: a comma is missing'), ('{"a" 3, "b": 4}', 'not JSON: a colon is missing'),
                ('{"a": 3]}', 'not JSON: the syntax is wrong'), ('{"a": "\\ud800"}', 'not JSON: the syntax is wrong'),
                # What json-glib takes all the same, and some of which it takes for other numbers.
                ('{"a": NaN, "b": 4}', 'not JSON from byte 7 on: NaN, "b": 4}'),
                ('{"a": Infinity, "b": 4}', 'not JSON from byte 7 on: Infinity, "b": 4}'),
                ('{"a": 010, "b": 4}', 'not JSON from byte 7 on: 010, "b": 4}'),
                ('{"a": 0x10, "b": 4}', 'not JSON from byte 7 on: 0x10, "b": 4}'),
                ('{"a": $10, "b": 4}', 'not JSON from byte 7 on: $10, "b": 4}'),
                ('{"a": - 3, "b": 4}', 'not JSON from byte 7 on: - 3, "b": 4}'),
                ('{"a": +3, "b": 4}', 'not JSON from byte 7 on: +3, "b": 4}'),
                ('{"a": .5, "b": 4}', 'not JSON from byte 7 on: .5, "b": 4}'),
                ('{"a": 5., "b": 4}', 'not JSON from byte 7 on: 5., "b": 4}'),
                ("{'a': 3, 'b': 4}", "not JSON from byte 2 on: 'a': 3, 'b': 4}"),
                ('{"a": 3, "b": /**/ 4}', 'not JSON from byte 15 on: /**/ 4}'),
                ('{"a": "\n", "b": 4}', 'not JSON from byte 7 on: "\\n", "b": 4}'),
                ('{"a\\u0000": 3, "b": 4}', 'not JSON from byte 2 on: "a\\u0000": 3, "b": 4...'),
                ('{"a": 3, "b": 4, x}', 'not JSON from byte 18 on: x}')):
            with self.subTest(repr(request)):
                self.assertEqual(self.ask(client, request), f'error: {answer}\n')
        self.assertEqual(self.ask(client, b'{"a": "\xff"}'), 'error: not UTF-8\n')
        self.assertEqual(self.ask(client, b'{"a": \0}'), 'error: not UTF-8\n')
        self.assertEqual(self.ask(client, '{"a": ' + '[' * 900 + '}'), 'error: not JSON: the syntax is wrong\n')
        self.assertEqual(self.ask(client, '{"a": ' * 140 + '1' + '}' * 140), 'error: "a" is not a number\n')
        self.assertEqual(self.ask(client, '{"a": 3, "b": 4}'), '5\n')

    def test_what_begins_no_request_ends_the_client_alone(self):
        other = self.client()
        for wrong in (b'hello', b'[3, 4]', b'3, 4\n', b'}', b'\0', b'"{"', b'\xef\xbb\xbf{"a": 3, "b": 4}'):
            with self.subTest(wrong):
                client = self.client()
                client.send(b'{"a":3,"b":4}\n' + wrong)
                self.assertEqual(client.recv_all(), b'5\n' + NO_REQUEST)
        self.assertEqual(self.ask(other, '{"a":3,"b":4}'), '5\n')

    def test_a_request_is_bounded(self):
        client = self.client()
        self.assertEqual(self.ask(client, '{"a": 3, "b": 4' + ' ' * 1008 + '}'), '5\n')
        client.send(b'{' * 1024)
        self.assertEqual(client.recv_all(), b'error: longer than 1024 bytes\n')

    def test_the_end_may_stand_for_the_brace(self):
        client = self.client()
        client.send(b'{"a": 3, "b": 4}\n{"a": 3')
        client.sock.shutdown(socket.SHUT_WR)
        answer = client.recv_all()
        self.assertRegex(answer, rb'^5\nerror: not JSON: .*\n$')

    def test_many_clients_and_one_too_many(self):
        clients = [self.client() for _ in range(50)]
        for i, client in enumerate(clients):
            client.send(b'{"a": %d, "b": 0' % i)
        with self.server.connect() as refused:
            self.assertEqual(refused.recv_all(), b'error: too many clients\n')
        for i, client in enumerate(clients):
            self.assertEqual(self.ask(client, '}'), f'{i}\n')

    def test_a_silent_one_is_sent_away(self):
        server = self.enterContext(Example('hypotenuse-server', '--idle-timeout=1'))
        with server.connect() as client:
            client.send(b'{"a": 3,')
            self.assertEqual(client.recv_all(), b'error: nothing came for too long\n')


class FiguresTest(TestCase):
    def test_the_report_is_exact(self):
        metricsd = self.start()
        with Example('hypotenuse-server', metrics=metricsd) as server:
            with server.connect() as client:
                client.send(b'{"a": 3, "b": 4}\n{"a": 3}\n')
                self.assertEqual(client.recv_exactly(24), b'5\nerror: "b" is missing\n')
            # The LF behind the last one is no request.
            now = expect_figures(metricsd, 'hypotenuse-server', connections=0, connections_accepted=1, requests=2, errors=1,
                                 bytes_received=26, bytes_sent=24)
            self.assertIn('answer_microseconds_max', now)
            result = run('hypotenuse-client', f'--address={server.address}', '3', '4', metrics=metricsd)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, 'Hypotenuse = 5\n', ''))
        now = expect_figures(metricsd, 'hypotenuse-client', connections=0, connections_accepted=1,
                             requests=1, errors=0, bytes_received=2, bytes_sent=16)
        self.assertIn('answer_microseconds_max', now)


class ClientTest(TestCase):
    def ask(self, *arguments, input=''):
        result = run('hypotenuse-client', f'--address={self.server.address}', *arguments, input=input)
        # That nobody takes the metrics is said besides.
        errors = [line for line in result.stderr.splitlines() if ' metrics' not in line]
        return result.returncode, result.stdout, errors

    def setUp(self):
        self.server = self.enterContext(Example('hypotenuse-server'))

    def test_it_asks_with_arguments_or_a_line(self):
        self.assertEqual(self.ask('3', '4'), (0, 'Hypotenuse = 5\n', []))
        self.assertEqual(self.ask('1e308', '1e308'), (0, 'Hypotenuse = 1.4142135623730951e+308\n', []))
        self.assertEqual(self.ask(input='3, 4\n'), (0, 'Hypotenuse = 5\n', []))
        self.assertEqual(self.ask(input=' 5 ,12'), (0, 'Hypotenuse = 13\n', []))

    def test_it_says_what_is_wrong(self):
        line = ['hypotenuse-client: the legs are two numbers with a comma between, as in 3, 4']
        for text in ('3\n', '3 4\n', '3, 4, 5\n', ',\n', '3, x\n', '3, inf\n', '3, nan\n', '\n'):
            with self.subTest(repr(text)):
                self.assertEqual(self.ask(input=text), (1, '', line))
        self.assertEqual(self.ask(input=''), (1, '', ['hypotenuse-client: there are no legs']))
        self.assertEqual(self.ask(input='3' * 5000), (1, '', ['hypotenuse-client: longer than 4096 bytes']))
        for legs in (('3',), ('3', 'x'), ('3', '4', '5'), ('3', 'inf'), ('3', '0x10')):
            with self.subTest(legs):
                self.assertEqual(self.ask(*legs), (2, '', ['hypotenuse-client: the legs are two numbers, as in 3 4']))
        self.assertEqual(self.ask('--', '-3', '4'), (1, '', ['hypotenuse-client: error: "a" is negative']))
        self.server.kill()
        status, output, errors = self.ask('3', '4')
        self.assertEqual((status, output, len(errors)), (1, '', 1))
        self.assertIn('refused', errors[0])

    def test_a_server_that_says_nothing_right(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            command = [program('hypotenuse-client'), '--address=127.0.0.1:%d' % listener.getsockname()[1],
                       f'--metrics={NO_METRICSD}', '3', '4']
            for answer, status, shown in ((b'', 1, 'hung up'), (b'\x1b[2J\xff\n', 0, 'Hypotenuse = \\u001b[2J\\xff\n')):
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                           env={**os.environ, **NOWHERE})
                accepted, _ = listener.accept()
                accepted.recv(1024)
                accepted.sendall(answer)
                accepted.close()
                output, errors = process.communicate(timeout=WATCHDOG)
                self.assertEqual(process.returncode, status)
                self.assertIn(shown, output + errors)

    def test_a_terminal_is_prompted(self):
        ours, theirs = pty.openpty()
        with open(ours, 'rb+', buffering=0) as terminal:
            process = subprocess.Popen([program('hypotenuse-client'), f'--address={self.server.address}',
                                        f'--metrics={NO_METRICSD}'], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL,
                                       env={**os.environ, **NOWHERE})
            os.close(theirs)
            seen = b''
            while b'Legs of the right triangle: ' not in seen:
                seen += terminal.read(1000)
            terminal.write(b'3, 4\n')
            while b'Hypotenuse = 5' not in seen:
                seen += terminal.read(1000)
            self.assertEqual(process.wait(WATCHDOG), 0)


if __name__ == '__main__':
    main()
