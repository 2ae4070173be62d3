#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Words in cipher, deciphered by a dictionary: lists in order, words that are not known, dictionary files, the client."""

import pathlib
import socket
import tempfile

from example import Example, expect_figures, run
from harness import WATCHDOG, TestCase, main


def recv_line(client):
    line = b''
    while not line.endswith(b'\n'):
        line += client.recv_exactly(1)
    return line.decode()


def ask(client, request):
    client.send(request if isinstance(request, bytes) else request.encode())
    return recv_line(client)


class DictionaryTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def file(self, content):
        path = self.folder / 'dictionary'
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return f'--dictionary={path}'

    def example(self, *options, **arguments):
        return self.enterContext(Example('dictionary-server', *options, **arguments))


class ServerTest(DictionaryTest):
    def test_a_list_is_answered_with_a_list(self):
        with self.example().connect() as client:
            self.assertEqual(ask(client, 'uryyb jbeyq\n'), 'hello world\n')
            self.assertEqual(ask(client, ' тулезх \t плу  uryyb\r\n'), 'привет мир hello\n')
            # Several lists at once, and one byte by byte.
            client.send(b'uryyb\njbeyq\n')
            self.assertEqual((recv_line(client), recv_line(client)), ('hello\n', 'world\n'))
            for byte in 'плу'.encode():
                client.send(bytes([byte]))
            self.assertEqual(ask(client, '\n'), 'мир\n')

    def test_a_client_that_sends_no_line_closes_its_side(self):
        host, _, port = self.example().address.rpartition(':')
        with socket.create_connection((host, int(port)), timeout=WATCHDOG) as client:
            client.send('тулезх плу'.encode())
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv(1024).decode().split(), ['привет', 'мир'])

    def test_what_is_not_known_loses_nothing(self):
        with self.example().connect() as client:
            self.assertEqual(ask(client, 'uryyb nothing jbeyq ?\n'), 'hello ?nothing world ??\n')
            # The same letter, written in one way and in two; capitals are others.
            self.assertEqual(ask(client, 'Uryyb\n'), '?Uryyb\n')
            self.assertEqual(ask(client, 'a\x1b[2Jb\u202ec uryyb\n'), '?a\\u001b[2Jb\\u202ec hello\n')
            self.assertEqual(ask(client, 'x' * 100 + ' uryyb\n'), '?' + 'x' * 64 + '... hello\n')
            self.assertEqual(ask(client, 'uryyb ' * 600 + '\n'), ' '.join(['hello'] * 600) + '\n')

    def test_wrong_lists_are_answered(self):
        with self.example().connect() as client:
            for wrong, answer in ((b'\n', 'there are no words'), (b' \t \n', 'there are no words'),
                                  (b'uryyb \xff\n', 'not UTF-8'), (b'uryyb \0jbeyq\n', 'not UTF-8')):
                with self.subTest(repr(wrong)):
                    self.assertEqual(ask(client, wrong), f'error: {answer}\n')
            self.assertEqual(ask(client, 'uryyb\n'), 'hello\n')
            self.assertEqual(ask(client, b'x' * 4095 + b'\n'), '?' + 'x' * 64 + '...\n')
            client.send(b'x' * 4096)
            self.assertEqual(client.recv_all(), b'error: longer than 4096 bytes\n')

    def test_many_clients(self):
        server = self.example('--max-connections=30')
        clients = [self.enterContext(server.connect()) for _ in range(30)]
        for client in clients:
            client.send(b'uryyb ')
        with server.connect() as refused:
            self.assertEqual(refused.recv_all(), b'error: too many clients\n')
        for client in clients:
            self.assertEqual(ask(client, 'jbeyq\n'), 'hello world\n')

    def test_the_report_is_exact(self):
        metricsd = self.start()
        with Example('dictionary-server', metrics=metricsd) as server:
            with server.connect() as client:
                self.assertEqual(ask(client, 'uryyb x y\n'), 'hello ?x ?y\n')
                self.assertEqual(ask(client, '\n'), 'error: there are no words\n')
            expect_figures(metricsd, 'dictionary-server', connections=0, connections_accepted=1, requests=2, errors=3,
                           bytes_received=11, bytes_sent=38)
            run('dictionary-client', f'--address={server.address}', 'uryyb', 'x', metrics=metricsd)
        expect_figures(metricsd, 'dictionary-client', connections=0, connections_accepted=1,
                       requests=1, errors=1, bytes_sent=8, bytes_received=9)


class FileTest(DictionaryTest):
    def test_a_file_says_what_words_mean(self):
        text = '\ufeff# Ours\n\nfoo  bar\r\n\tкод\tслово  \n  \nfoo! ?bar!\nlast one'.replace('?', 'x')
        with self.example(self.file(text)).connect() as client:
            self.assertEqual(ask(client, 'foo код foo! last uryyb\n'), 'bar слово xbar! one ?uryyb\n')
        # Both ways to write one letter are the same word.
        with self.example(self.file('cafe\u0301 tea\n')).connect() as client:
            self.assertEqual(ask(client, 'caf\u00e9 cafe\u0301\n'), 'tea tea\n')
        with self.example(self.file('')).connect() as client:
            self.assertEqual(ask(client, 'uryyb\n'), '?uryyb\n')

    def test_a_wrong_file_is_said(self):
        for content, problem in ((b'a b\nc\n', 'line 2: a line is a word in cipher, a blank and what it means'),
                                 (b'a b\n\na b c', 'line 3: a line is a word in cipher, a blank and what it means'),
                                 (b'a b\na c\n', 'line 2: the word in cipher has stood there before'),
                                 ('é b\ne\u0301 c\n'.encode(), 'line 2: the word in cipher has stood there before'),
                                 (b'a \xff\n', 'line 1: it is not UTF-8'), (b'a b\0c\n', 'line 1: it is not UTF-8'),
                                 (b'a \x1b[2J\n', 'line 1: a word has a character that cannot be shown'),
                                 ('a\u2028b c'.encode(), 'line 1: a word has a character that cannot be shown'),
                                 (b'a ' + b'b' * 65, 'line 1: a word is longer than 64 bytes'),
                                 (b'a ?b', 'line 1: no word means error:, or something that begins with a question mark'),
                                 (b'a error:', 'line 1: no word means error:, or something that begins with a question mark'),
                                 (b'# \n' * 400000, 'it has more than 1 MiB')):
            with self.subTest(repr(content[:50])):
                option = self.file(content)
                result = run('dictionary-server', '--address=127.0.0.1:0', option)
                self.assertEqual((result.returncode, result.stdout, result.stderr),
                                 (1, '', f'dictionary-server: cannot use the dictionary {option[13:]}: {problem}\n'))
        for path, problem in ((self.folder / 'none', 'No such file'), (self.folder, 'directory'), ('/dev/zero', 'more than 1 MiB')):
            result = run('dictionary-server', '--address=127.0.0.1:0', f'--dictionary={path}')
            self.assertEqual((result.returncode, result.stdout), (1, ''))
            self.assertIn(problem, result.stderr)


class ClientTest(DictionaryTest):
    def decipher(self, server, *words, input=''):
        result = run('dictionary-client', f'--address={server.address}', *words, input=input)
        # That nobody takes the metrics is said besides.
        errors = [line for line in result.stderr.splitlines() if ' metrics' not in line]
        return result.returncode, result.stdout, errors

    def test_it_prints_the_list(self):
        server = self.example()
        self.assertEqual(self.decipher(server, 'тулезх', 'плу'), (0, 'привет\nмир\n', []))
        self.assertEqual(self.decipher(server, 'uryyb\njbeyq', ' плу'), (0, 'hello\nworld\nмир\n', []))
        self.assertEqual(self.decipher(server, input='uryyb jbeyq\n\n  \nтулезх'), (0, 'hello\nworld\nпривет\n', []))
        self.assertEqual(self.decipher(server, input=''), (0, '', []))

    def test_it_says_what_is_wrong(self):
        server = self.example()
        self.assertEqual(self.decipher(server, 'uryyb', 'x', 'jbeyq'),
                         (1, 'hello\n?x\nworld\n', ['dictionary-client: the dictionary does not have x']))
        self.assertEqual(self.decipher(server, input='x\nuryyb\n'),
                         (1, '?x\nhello\n', ['dictionary-client: the dictionary does not have x']))
        self.assertEqual(self.decipher(server, ' '), (1, '', ['dictionary-client: error: there are no words']))
        self.assertEqual(self.decipher(server, 'x' * 5000), (1, '', ['dictionary-client: error: longer than 4096 bytes']))
        self.assertEqual(self.decipher(server, input='x' * 5000), (1, '', ['dictionary-client: longer than 4096 bytes']))
        server.kill()
        status, output, errors = self.decipher(server, 'uryyb')
        self.assertEqual((status, output, len(errors)), (1, '', 1))
        self.assertIn('refused', errors[0])


if __name__ == '__main__':
    main()
