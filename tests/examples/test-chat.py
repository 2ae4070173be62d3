#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The chat server: rooms, clients that send lines and clients that send none, slow readers, wrong input, its limits and its
report."""

import contextlib
import fcntl
import os
import random
import re
import signal
import socket
import string
import struct
import subprocess
import termios

from example import Example, command, expect_figures, run
from harness import NOWHERE, SANITIZED, WATCHDOG, TestCase, main, prepare_child, wait_until

PRINTABLE = [chr(code) for code in range(0x20, 0x7f)]


class Plain:
    """A client that ends nothing with LF: the room is one send, each message another, and a recv is what has come."""

    def __init__(self, chat, room):
        self.sock = chat.connect().sock
        self.sock.send(room.encode())

    def send(self, message):
        self.sock.send(message.encode())

    def recv(self):
        return self.sock.recv(1024).decode()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def state(pid, field):
    with open(f'/proc/{pid}/status') as status:
        return next(line.split()[1] for line in status if line.startswith(field))


@contextlib.contextmanager
def paused(process):
    """What is sent meanwhile is there at once when it goes on."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: state(process.pid, 'State:') == 'T', 'the pause')
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


class ChatCase(TestCase):
    def chat(self, *options, **arguments):
        return self.enterContext(Example('chat-server', *options, **arguments))

    def plain(self, chat, room):
        return self.enterContext(Plain(chat, room))

    def lines(self, chat, room, **arguments):
        """A client that sends lines, the room as well."""
        client = self.enterContext(chat.connect(**arguments))
        client.send(room.encode() + b'\n')
        return client

    def expect(self, client, data):
        self.assertEqual(client.recv_exactly(len(data)), data)

    def expect_at_the_end(self, server, chat, **expected):
        """Of what the clients have seen the effect: the last report has it."""
        self.assertEqual(chat.stop(), 0)
        expect_figures(server, 'chat-server', **expected)

    def read_line(self, client):
        while (end := client.buffer.find(b'\n')) < 0:
            client.wait_for(len(client.buffer) + 1)
        return client.recv_exactly(end + 1)

    def expect_nothing_before(self, client, data):
        """That is sent by another one now, and what comes next."""
        client.send(data)
        self.expect(client, data)


class RoomsTest(ChatCase):
    def test_a_message_goes_to_all_in_the_room(self):
        server = self.start()
        chat = self.chat(metrics=server)
        readers = [self.lines(chat, 'a') for _ in range(3)]
        writer = self.lines(chat, 'a')
        writer.send('Привет\nsecond\n'.encode())
        for client in [*readers, writer]:
            self.expect(client, 'Привет\nsecond\n'.encode())
        size = len('Привет\nsecond\n'.encode())
        writer.send(b'exit\n')
        writer.expect_eof()
        writer.close()
        readers[0].close()
        readers[1].send(b'to the rest\n')
        self.expect(readers[1], b'to the rest\n')
        self.expect(readers[2], b'to the rest\n')
        expect_figures(server, 'chat-server', connections=2, connections_accepted=4, requests=4, errors=0,
                       bytes_received=4 * 2 + size + 5 + 12, bytes_sent=4 * size + 2 * 12)

    def test_what_is_said_in_a_room_stays_there(self):
        chat = self.chat()
        clients = {room: self.lines(chat, room) for room in PRINTABLE}
        for room, client in clients.items():
            client.send(f'in {room}\n'.encode())
        for room, client in clients.items():
            self.expect(client, f'in {room}\n'.encode())
            self.expect_nothing_before(client, b'the next\n')

    def test_the_order_is_the_same_for_all(self):
        chat = self.chat()
        readers = [self.lines(chat, 'o') for _ in range(10)]
        writers = [self.lines(chat, 'o') for _ in range(8)]
        for number in range(50):
            for index, writer in enumerate(writers):
                writer.send(f'{index} {number}\n'.encode())
        heard = []
        for reader in readers:
            heard.append([self.read_line(reader) for _ in range(400)])
        for other in heard:
            self.assertEqual(other, heard[0])
        said = [tuple(map(int, line.split())) for line in heard[0]]
        for index in range(8):
            self.assertEqual([number for writer, number in said if writer == index], list(range(50)))

    def test_a_room_ends_with_its_last_client(self):
        chat = self.chat()
        with self.lines(chat, 'x') as client:
            client.send(b'nobody else hears that\nexit\n')
            self.assertEqual(client.recv_all(), b'nobody else hears that\n')
        # Who comes later finds an empty room, without what was said in it before.
        self.expect_nothing_before(self.lines(chat, 'x'), b'anew\n')

    def test_many_clients(self):
        server = self.start()
        chat = self.chat(metrics=server)
        clients = [self.lines(chat, string.digits[index % 10]) for index in range(500)]
        # Who has come is not in the room before it has been accepted.
        expect_figures(server, 'chat-server', bytes_received=500 * 2)
        for index, client in enumerate(clients[:10]):
            client.send(f'to all in {index}\n'.encode())
        for index, client in enumerate(clients):
            self.expect(client, f'to all in {index % 10}\n'.encode())
        for client in clients:
            client.close()
        expect_figures(server, 'chat-server', connections=0, connections_accepted=500, requests=10, errors=0,
                       bytes_received=500 * 2 + 10 * 12, bytes_sent=500 * 12)


class PlainTest(ChatCase):
    """Clients that never send an LF."""

    def test_a_read_is_a_message(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.plain(chat, 'a')
        writer = self.plain(chat, 'a')
        for message in ('hello', 'привет', 'a longer message, with spaces'):
            writer.send(message)
            self.assertEqual(reader.recv(), message)
            self.assertEqual(writer.recv(), message)
        writer.send('exit')
        self.assertEqual(writer.recv(), '')
        writer.close()
        size = len('helloприветa longer message, with spaces'.encode())
        expect_figures(server, 'chat-server', connections=1, requests=4, errors=0, bytes_received=2 + size + 4,
                       bytes_sent=2 * size)

    def test_a_writer_that_never_reads_leaves_in_order(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.plain(chat, 'a')
        with Plain(chat, 'a') as writer:
            writer.send('hello')
            self.assertEqual(reader.recv(), 'hello')
            writer.send('exit')
        expect_figures(server, 'chat-server', connections=1, requests=2, errors=0)

    def test_the_room_and_a_message_in_one_segment(self):
        chat = self.chat()
        reader = self.plain(chat, 'a')
        writer = self.enterContext(chat.connect())
        writer.send(b'ahello')
        self.assertEqual(reader.recv(), 'hello')
        writer.send(b'more')
        self.assertEqual(reader.recv(), 'more')

    def test_what_comes_in_one_read_is_one_message(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'a')
        writer = self.plain(chat, 'a')
        with paused(chat):
            writer.send('one')
            writer.send('two')
        self.expect(reader, b'onetwo\n')
        self.expect_at_the_end(server, chat, requests=1, errors=0)

    def test_a_read_ends_the_one_before(self):
        server = self.start()
        chat = self.chat('--hold=1000000', metrics=server)
        reader = self.plain(chat, 'a')
        writer = self.plain(chat, 'a')
        writer.send('one')
        expect_figures(server, 'chat-server', bytes_received=5, requests=0)
        writer.send('two')
        self.assertEqual(reader.recv(), 'one')
        # And so does the end.
        writer.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(reader.recv(), 'two')

    def test_the_rest_of_a_line_may_come_later(self):
        server = self.start()
        chat = self.chat('--hold=1000000', metrics=server)
        reader = self.plain(chat, 'a')
        writer = self.plain(chat, 'a')
        writer.send('hel')
        expect_figures(server, 'chat-server', bytes_received=5, requests=0)
        writer.send('lo\nsec')
        self.assertEqual(reader.recv(), 'hello\n')
        # Now it is known to send lines.
        writer.send('o')
        writer.send('nd\n')
        self.assertEqual(reader.recv(), 'second\n')
        self.expect_at_the_end(server, chat, bytes_received=2 + 13, requests=2, errors=0)

    def test_a_long_one_is_cut_between_characters(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'a')
        writer = self.enterContext(chat.connect())
        text = 'x' + 'щ' * 3000
        writer.send(b'a' + text.encode())
        pieces = []
        while sum(map(len, pieces)) < len(text):
            pieces.append(self.read_line(reader)[:-1].decode())
        self.assertEqual(''.join(pieces), text)
        self.assertLessEqual(max(len(piece.encode()) for piece in pieces), 1024)
        self.expect_at_the_end(server, chat, errors=0, bytes_received=3 + len(text.encode()))

    def test_to_each_as_it_speaks(self):
        chat = self.chat()
        plain, lines = self.plain(chat, 'a'), self.lines(chat, 'a')
        lines.send(b'with\n')
        self.assertEqual(plain.recv(), 'with\n')
        self.expect(lines, b'with\n')
        plain.send('without')
        self.assertEqual(plain.recv(), 'without')
        self.expect(lines, b'without\n')


class LinesTest(ChatCase):
    def test_a_line_is_a_message_however_it_comes(self):
        # No pause helps here: who sends its room as a line needs none.
        chat = self.chat('--hold=0')
        reader = self.lines(chat, 'l')
        writer = self.enterContext(chat.connect())
        for byte in 'l\nПривет\n\n\r\ncarriage return\r\n exit\nexits\n'.encode():
            writer.send(bytes([byte]))
        self.expect(reader, 'Привет\ncarriage return\n exit\nexits\n'.encode())

    def test_the_longest_line(self):
        chat = self.chat()
        reader = self.lines(chat, 'l')
        writer = self.lines(chat, 'l')
        writer.send(b'x' * 1023 + b'\n')
        self.expect(reader, b'x' * 1023 + b'\n')
        self.expect(writer, b'x' * 1023 + b'\n')

    def test_the_last_line_may_lack_its_end(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'l')
        writer = self.lines(chat, 'l')
        writer.send(b'first\nlast')
        writer.half_close()
        # Who says nothing more has left; what was due to it before still comes.
        self.assertEqual(writer.recv_all(), b'first\nlast\n')
        writer.close()
        self.expect(reader, b'first\nlast\n')
        self.expect_at_the_end(server, chat, requests=2, errors=0)

    def test_nothing_is_said_behind_exit(self):
        chat = self.chat()
        reader = self.lines(chat, 'l')
        writer = self.lines(chat, 'l')
        writer.send(b'before\nexit\nbehind\n')
        self.assertEqual(writer.recv_all(), b'before\n')
        self.expect(reader, b'before\n')
        self.expect_nothing_before(reader, b'mine\n')


class SlowTest(ChatCase):
    def test_a_slow_reader_delays_nobody(self):
        server = self.start()
        chat = self.chat(metrics=server)
        slow = [self.lines(chat, 's', receive_buffer=4096) for _ in range(4)]
        reader = self.lines(chat, 's')
        # Nor does a writer that never reads what it has written itself.
        writer = self.enterContext(chat.connect(receive_buffer=4096))
        writer.send(b's\n')
        self.expect_nothing_before(reader, b'everybody is there\n')
        before = int(state(chat.pid, 'VmRSS:')) * 1024
        total = (20 if SANITIZED else 60) << 20
        number = 0
        while number * 1000 < total:
            data = b''.join(b'%-999d\n' % n for n in range(number, number + 256))
            writer.send(data)
            self.expect(reader, data)
            number += 256
        peak = int(state(chat.pid, 'VmHWM:')) * 1024
        # Five do not read, and all of it is due to each of them. A sanitizer keeps what was freed.
        if not SANITIZED:
            self.assertLess(peak - before, 8 << 20)
        self.read_on(slow[0], reader, number)
        self.expect_at_the_end(server, chat, connections=0, errors=5, requests=2 + number)

    def read_on(self, client, other, number):
        """It gets all up to a point, is told how many are missing there, and then all again."""
        self.expect(client, b'everybody is there\n')
        heard = 0
        while not (line := self.read_line(client)).startswith(b'error: '):
            self.assertEqual(line, b'%-999d\n' % heard)
            heard += 1
        self.assertEqual(line, b'error: %d messages lost, read faster\n' % (number - heard))
        other.send(b'and on\n')
        self.expect(client, b'and on\n')


class WrongTest(ChatCase):
    def test_what_is_no_room(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'w')
        for name in (b'\n', b'\0', b'\x7f', b'\x80', 'щ'.encode()):
            with chat.connect() as client:
                client.send(name)
                self.assertEqual(client.recv_all(), b'error: the first byte names the room: a printable ASCII character\n')
        with chat.connect():
            pass
        self.expect_nothing_before(reader, b'nobody noticed\n')
        expect_figures(server, 'chat-server', connections=1, connections_accepted=7, errors=5)

    def test_what_is_no_text(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'w')
        writer = self.lines(chat, 'w')
        for line in (b'\xff', b'a\0b', b'\xd0', b'\xed\xa0\x80'):
            writer.send(line + b'\n')
            self.expect(writer, b'error: not UTF-8, or with a 0 in it\n')
        # Its other lines are as good as any.
        writer.send(b'good\n\xff\nas well\n')
        self.expect(reader, b'good\nas well\n')
        plain = self.plain(chat, 'w')
        plain.sock.send(b'\xff')
        self.assertEqual(plain.recv(), 'error: not UTF-8, or with a 0 in it\n')
        for wrong in (b'a\0b', b'\0' * 1024, b'\xf8\x80\x80\x80'):
            plain.sock.send(wrong)
            self.assertEqual(plain.recv(), 'error: not UTF-8, or with a 0 in it\n')
        plain.sock.send(b'ends in a character \xd0')
        plain.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(plain.recv(), 'error: not UTF-8, or with a 0 in it\n')
        self.expect_nothing_before(reader, b'mine\n')
        self.expect_at_the_end(server, chat, errors=10, requests=13)

    def test_too_long_a_line(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'w')
        for line in (b'x' * 1024 + b'\n', b'x' * 1024, b'x' * 100000):
            with self.lines(chat, 'w') as client:
                client.send(b'before\n')
                self.expect(client, b'before\n')
                client.send(line)
                self.assertEqual(client.recv_all(), b'error: a message has at most 1024 bytes, with its LF\n')
        self.expect(reader, b'before\n' * 3)
        self.expect_nothing_before(reader, b'mine\n')
        self.expect_at_the_end(server, chat, connections_accepted=4, errors=3, requests=4)

    def test_garbage(self):
        chat = self.chat()
        reader = self.lines(chat, '~')
        rand = random.Random(7)
        for _ in range(30):
            with chat.connect() as client:
                # Never into the room where it would be noticed.
                with contextlib.suppress(ConnectionError):
                    client.send(bytes([rand.randrange(0x7e)]) + rand.randbytes(rand.randrange(5000)))
        self.expect_nothing_before(reader, b'unharmed\n')

    def test_who_vanishes_is_gone(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'w')
        for _ in range(5):
            client = self.lines(chat, 'w')
            client.send(b'here\n')
            self.expect(client, b'here\n')
            client.reset()
        self.expect(reader, b'here\n' * 5)
        expect_figures(server, 'chat-server', connections=1, connections_accepted=6, errors=5)
        self.expect_nothing_before(reader, b'mine\n')


class LimitsTest(ChatCase):
    def test_too_many_clients(self):
        server = self.start()
        chat = self.chat('--max-connections=2', metrics=server)
        clients = [self.lines(chat, 'm') for _ in range(2)]
        self.expect_nothing_before(clients[1], b'full\n')
        with chat.connect() as client:
            self.assertEqual(client.recv_all(), b'error: too many clients\n')
        self.expect(clients[0], b'full\n')
        clients[0].close()
        expect_figures(server, 'chat-server', connections=1, errors=1)
        self.expect_nothing_before(self.lines(chat, 'm'), b'room again\n')

    def test_who_names_no_room_in_time(self):
        server = self.start()
        chat = self.chat('--join-timeout=1', metrics=server)
        reader = self.lines(chat, 'm')
        with chat.connect() as client:
            self.assertEqual(client.recv_all(), b'error: no room was named in time\n')
        # A reader may be silent for longer.
        self.expect_nothing_before(reader, b'still there\n')
        self.expect_at_the_end(server, chat, connections_accepted=2, errors=1)

    def test_an_idle_timeout_if_one_wants_it(self):
        chat = self.chat('--idle-timeout=1')
        reader = self.lines(chat, 'm')
        self.assertEqual(reader.recv_all(), b'error: nothing came for too long\n')

    def test_wrong_options(self):
        for option in ('--hold=-1', '--join-timeout=-1', '--hold=x'):
            result = run('chat-server', option)
            self.assertEqual((result.returncode, result.stdout), (2, ''))
            self.assertIn('--hold', result.stderr)

    def test_it_goes_on_without_metrics(self):
        chat = self.chat()
        self.expect_nothing_before(self.lines(chat, 'm'), b'hello\n')
        chat.wait_for_errors('goes on without metrics')
        self.expect_nothing_before(self.lines(chat, 'n'), b'hello\n')


class ProgramsTest(ChatCase):
    def reader(self, chat, room, **arguments):
        return self.enterContext(Example('chat-reader', f'--address={chat.address}', room, ready=f'In room {room} at .*',
                                         listens=False, **arguments))

    def test_the_reader(self):
        server = self.start()
        chat = self.chat()
        reader = self.reader(chat, 'p', metrics=server)
        writer = self.plain(chat, 'p')
        writer.send('Привет')
        reader.wait_for_output('Message: Привет')
        expect_figures(server, 'chat-reader', connections=1, requests=1, errors=0, bytes_received=13, bytes_sent=2)
        # A terminal obeys none of that.
        writer.send('\x1b[2J\x07\x7f\x9b1m\ttab \\ as it is')
        reader.wait_for_output(re.escape(r'Message: \u001b[2J\u0007\u007f\u009b1m\ttab \ as it is'))
        self.assertEqual(reader.stop(), 0)
        expect_figures(server, 'chat-reader', connections=0, requests=1, errors=0)

    def test_a_reader_whose_output_nobody_takes(self):
        chat = self.chat()
        reader = self.reader(chat, 'p')
        other, writer = self.lines(chat, 'p'), self.lines(chat, 'p')
        for _ in range(100):
            writer.send(b'x' * 999 + b'\n')
        other.recv_exactly(100 * 1000)
        pipe = reader.process.stdout.fileno()
        wait_until(lambda: struct.unpack('i', fcntl.ioctl(pipe, termios.FIONREAD, b'0000'))[0] > 50000, 'a full pipe')
        # It waits, but not so that it would be deaf.
        self.assertEqual(reader.stop(), 0)

    def test_the_writer(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'p')
        result = run('chat-writer', f'--address={chat.address}', 'p', metrics=server, input='one\n\n  \nдва\r\nthree')
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, '', ''))
        self.expect(reader, 'one\nдва\nthree\n'.encode())
        expect_figures(server, 'chat-writer', connections=0, requests=5, errors=0, bytes_sent=2 + 4 + 7 + 6 + 5,
                       bytes_received=17)
        self.expect_at_the_end(server, chat, requests=4, errors=0)

    def test_the_writer_ends_at_exit(self):
        chat = self.chat()
        reader = self.lines(chat, 'p')
        writer = self.writer(chat)
        writer.stdin.write(b'one\nexit\nbehind\n')
        writer.stdin.flush()
        self.assertEqual(writer.wait(WATCHDOG), 0)
        self.expect(reader, b'one\n')
        self.expect_nothing_before(reader, b'mine\n')

    def test_the_writer_takes_no_message_for_an_error(self):
        chat = self.chat()
        reader = self.lines(chat, 'p')
        result = run('chat-writer', f'--address={chat.address}', 'p', input='error: hi\n')
        self.assertEqual(result.returncode, 0)
        self.assertNotIn('hung up', result.stderr)
        self.expect(reader, b'error: hi\n')

    def test_the_writer_refuses_what_cannot_be_sent(self):
        server = self.start()
        chat = self.chat(metrics=server)
        reader = self.lines(chat, 'p')
        writer = self.writer(chat)
        lines = [b'x' * 1023, b'x' * 1024, b'x' * 100000, b'\xff', b'a\0b', b'last', b'x' * 1024]
        _, errors = writer.communicate(b'\n'.join(lines), WATCHDOG)
        self.assertEqual(writer.returncode, 1)
        self.assertEqual(errors.count(b'a line of more than 1023 bytes was not sent'), 3)
        self.assertEqual(errors.count(b'a line that is not UTF-8 was not sent'), 2)
        self.expect(reader, b'x' * 1023 + b'\nlast\n')
        self.expect_at_the_end(server, chat, requests=3, errors=0)

    def test_a_server_that_goes_away(self):
        chat = self.chat()
        reader = self.reader(chat, 'p')
        # Its standard input says nothing meanwhile, and is still open.
        writer = self.writer(chat)
        writer.stdin.write(b'hello\n')
        writer.stdin.flush()
        reader.wait_for_output('Message: hello')
        self.assertEqual(chat.stop(), 0)
        self.assertEqual(writer.wait(WATCHDOG), 1)
        self.assertIn(b'has hung up', writer.stderr.read())
        self.assertEqual(reader.process.wait(WATCHDOG), 1)
        self.assertIn('has hung up', reader.errors())
        reader.kill()

    def test_a_server_that_refuses(self):
        chat = self.chat('--max-connections=1')
        self.expect_nothing_before(self.lines(chat, 'p'), b'full\n')
        for program, said in (('chat-reader', 'has hung up'), ('chat-writer', 'error: too many clients')):
            result = run(program, f'--address={chat.address}', 'p')
            self.assertEqual(result.returncode, 1)
            self.assertIn(said, result.stderr)

    def test_a_server_that_is_not_there(self):
        for program in ('chat-reader', 'chat-writer'):
            result = run(program, '--address=127.0.0.1:1', 'p', input='hello\n')
            self.assertEqual((result.returncode, result.stdout), (1, ''))
            self.assertIn('refused', result.stderr)

    def test_a_room_is_needed(self):
        for program in ('chat-reader', 'chat-writer'):
            for rooms in ([], [''], ['two'], ['щ'], ['\t'], ['a', 'b']):
                result = run(program, *rooms)
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                self.assertIn('one printable ASCII character', result.stderr)

    def writer(self, chat):
        writer = self.enterContext(subprocess.Popen(
            command('chat-writer', [f'--address={chat.address}', 'p'], None), stdin=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **NOWHERE}, preexec_fn=lambda: prepare_child(None)))
        self.addCleanup(writer.kill)
        return writer


if __name__ == '__main__':
    main()
