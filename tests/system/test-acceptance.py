#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The acceptance of the original task: what its checking script asks of a server, spoken by two clients as they
exist: one that reads until a blank line, and one that takes a single recv(1024) for an answer. Both write one LF
too many where the key that they are given ends in one (rule 8)."""

import socket

from harness import WATCHDOG, TestCase, main


class RefusedError(Exception):
    """The server answered `error`."""


class BlankLineClient:
    """Collects bytes until there is a blank line."""

    def __init__(self, host, port):
        self.connection = socket.create_connection((host, port), WATCHDOG)

    def read(self):
        data = b''
        while not data.endswith(b'\n\n'):
            chunk = self.connection.recv(1024)
            if not chunk:
                raise ConnectionError('closed')
            data += chunk
        return data

    def request(self, text):
        self.connection.sendall(text.encode())
        status, _, payload = self.read().decode().partition('\n')
        if status == 'error':
            raise RefusedError(payload.strip())
        if status != 'ok':
            raise ConnectionError(f'status {status!r}')
        return payload.strip()

    def put(self, key, value, timestamp):
        self.request(f'put {key} {value} {timestamp}\n')

    def get(self, key):
        """{key: [(timestamp, value), ...]}, each list in order of time."""
        metrics = {}
        payload = self.request(f'get {key}\n')
        for line in payload.split('\n') if payload else ():
            name, value, timestamp = line.split()
            metrics.setdefault(name, []).append((int(timestamp), float(value)))
        return metrics

    def close(self):
        self.connection.close()


class SingleReceiveClient(BlankLineClient):
    """Takes what one recv(1024) gives for the answer."""

    def read(self):
        data = self.connection.recv(1024)
        if not data.endswith(b'\n\n'):
            raise ConnectionError(f'half an answer: {data!r}')
        return data


class AcceptanceTests:
    """The steps, for the client class that a test names."""

    CLIENT = None

    def setUp(self):
        server = self.start()
        self.first = self.CLIENT('127.0.0.1', server.port)
        self.addCleanup(self.first.close)
        self.second = self.CLIENT('127.0.0.1', server.port)
        self.addCleanup(self.second.close)

    def test_wrong_command_is_refused_and_the_next_answer_is_its_own(self):
        with self.assertRaisesRegex(RefusedError, '^wrong command$'):
            self.first.get('wrong command test\n')
        # The answers have not slipped by one.
        self.assertEqual(self.first.get('some_key'), {})
        self.assertEqual(self.first.get('some_key'), {})

    def test_connection_stays_open_between_requests(self):
        for _ in range(3):
            self.assertEqual(self.first.get('some_key'), {})
            with self.assertRaises(RefusedError):
                self.first.request('got some_key\n')

    def test_several_clients(self):
        self.assertEqual(self.first.get('some_key'), {})
        self.assertEqual(self.second.get('some_key'), {})
        self.first.close()
        self.assertEqual(self.second.get('some_key'), {})

    def test_the_whole_script(self):
        with self.assertRaises(RefusedError):
            self.first.get('wrong command test\n')
        for client in (self.first, self.first, self.second):
            self.assertEqual(client.get('some_key'), {})
        for client, key, value, timestamp in (
                (self.first, 'k1', 0.25, 1), (self.second, 'k1', 2.156, 2), (self.first, 'k1', 0.35, 3),
                (self.second, 'k2', 30, 4), (self.first, 'k2', 40, 5), (self.first, 'k2', 41, 5)):
            client.put(key, value, timestamp)
        everything = {'k1': [(1, 0.25), (2, 2.156), (3, 0.35)], 'k2': [(4, 30.0), (5, 41.0)]}
        for client in (self.first, self.second):
            self.assertEqual(client.get('*'), everything)
            self.assertEqual(client.get('k2'), {'k2': everything['k2']})
            self.assertEqual(client.get('k1'), {'k1': everything['k1']})
            self.assertEqual(client.get('k3'), {})

    def test_the_data_part_again_and_again(self):
        for _ in range(200):
            self.first.put('k', 1.5, 1)
            self.assertEqual(self.second.get('k'), {'k': [(1, 1.5)]})
            with self.assertRaises(RefusedError):
                self.second.get('wrong command test\n')

    def test_key_with_a_line_feed_behind(self):
        self.first.put('k', 1, 1)
        for _ in range(20):
            self.assertEqual(self.first.get('k\n'), {'k': [(1, 1.0)]})


class BlankLineClientTest(AcceptanceTests, TestCase):
    CLIENT = BlankLineClient


class SingleReceiveClientTest(AcceptanceTests, TestCase):
    CLIENT = SingleReceiveClient

    def test_answers_up_to_1024_bytes(self):
        for i in range(60):
            self.first.put('key', i / 4, 1000000000 + i)
            want = [(1000000000 + j, j / 4) for j in range(i + 1)]
            if sum(len(f'key {value!r} {time}\n') for time, value in want) + 4 <= 1024:
                self.assertEqual(self.first.get('key'), {'key': want})
                self.assertEqual(self.second.get('*'), {'key': want})


if __name__ == '__main__':
    main()
