# SPDX-License-Identifier: LGPL-2.1-or-later
"""import: what goes in, what is said of bad lines, and how it ends when something breaks."""

import os
import re
import signal
import socket
import tempfile
import threading

import harness
from ctl import Ctl, TestCase, finish, read_lines, wait_for_close

PUT = re.compile(r'metricsctl: (\d+) points? put in [0-9.]+ s, \d+ a second')


class Lines(TestCase):
    def check_import(self, text, stored, bad=()):
        """Imports a text from standard input and from a file. `bad` are the numbers of bad lines and what is said
        of each."""
        for source in 'file', 'stdin', 'dash':
            with self.subTest(source), harness.Server() as self._server:
                data = text if isinstance(text, bytes) else text.encode()
                if source == 'file':
                    with tempfile.NamedTemporaryFile() as file:
                        file.write(data)
                        file.flush()
                        name, result = file.name, self.ctl.run('import', file.name)
                else:
                    words = ['import'] + (['-'] if source == 'dash' else [])
                    name, result = 'standard input', self.ctl.run(*words, stdin=data)
                self.assertEqual((result.status, result.out), (1 if bad else 0, ''), result.err)
                self.check_messages(result.err, name, bad)
                self.assertEqual(self.stored(), stored)

    def check_messages(self, err, name, bad):
        lines = err.splitlines()
        for number, what in bad:
            self.assertTrue(lines[0].startswith(f'metricsctl: {name}:{number}: '), lines[0])
            self.assertIn(what, lines.pop(0))
        self.assertRegex(lines.pop(0), PUT)
        if bad:
            self.assertRegex(lines.pop(0), rf'metricsctl: {len(bad)} lines? (was|were) bad')
        self.assertEqual(lines, [])

    def test_points(self):
        self.check_import('a 1 1\nb -2.5e3 -7\n  a\t3.  +2  \na 4 2\n', ['a 1.0 1', 'a 4.0 2', 'b -2500.0 -7'])

    def test_line_ends(self):
        self.check_import('a 1 1\r\na 2 2\r\n', ['a 1.0 1', 'a 2.0 2'])
        self.check_import('a 1 1\na 2 2', ['a 1.0 1', 'a 2.0 2'])

    def test_blank_lines_and_comments(self):
        self.check_import('# key value time\n\n   \n\r\na 1 1\n#b 1 1\n', ['a 1.0 1'])

    def test_key_that_begins_as_a_comment(self):
        self.check_import(' #b 1 1\n', ['#b 1.0 1'])

    def test_nothing(self):
        self.check_import('', [])
        self.check_import('\n', [])

    def test_bad_lines(self):
        self.check_import('a 1 1\nb 1\nb 1 1 1\n* 1 1\nb x 1\nb 1 1.5\nput b 1 1\nb 1 now\na 2 2\nb 1e999 1\n',
                          ['a 1.0 1', 'a 2.0 2'],
                          [(2, "key value timestamp': b 1"), (3, 'b 1 1 1'), (4, 'not a key'), (5, 'not a value'),
                           (6, 'not a timestamp'), (7, 'put b 1 1'), (8, 'not a timestamp'), (10, 'not a value')])

    def test_bytes_that_are_no_text(self):
        self.check_import(b'a\x00b 1 1\nk 1\x00 1\nk\xff 1 1\nk\xc2\xa0 1 1\n\x1b[31m\n\x00\nk 1 1\n', ['k 1.0 1'],
                          [(1, r'not a key: a\x00b 1 1'), (2, r'not a value: k 1\x00 1'), (3, r'k\xff 1 1'),
                           (4, 'not a key'), (5, r"\x1b[31m"), (6, r'\x00')])

    def test_long_lines(self):
        fits = 'k 1 ' + '0' * (65536 - len('k 1 7')) + '7'
        self.check_import(f'k 1 1\n{fits}\n{fits}0\nk 2 2\n' + 'x' * 1_000_000 + '\nk 3 3\n' + 'y' * 400_000,
                          ['k 1.0 1', 'k 2.0 2', 'k 3.0 3', 'k 1.0 7'],
                          [(3, 'too long'), (5, 'too long'), (7, 'too long')])

    def test_long_bad_line_is_shortened(self):
        result = self.ctl.run('import', stdin='x' * 60_000 + '\n')
        self.assertEqual(result.status, 1)
        self.assertLess(len(result.err.splitlines()[0]), 150)

    def test_only_the_first_bad_lines_are_shown(self):
        result = self.ctl.run('import', stdin='bad\n' * 25 + 'a 1 1\n')
        self.assertEqual(result.status, 1)
        lines = result.err.splitlines()
        self.assertEqual([line.split(':')[2] for line in lines[:10]], [str(n) for n in range(1, 11)])
        self.assertIn('only counted', lines[10])
        self.assertRegex(lines[11], PUT)
        self.assertEqual(lines[12:], ['metricsctl: 25 lines were bad'])
        self.assertEqual(self.stored(), ['a 1.0 1'])

    def test_lines_that_the_server_refuses(self):
        self._server = self.start('--series-limit', '2')
        text = ''.join(f'k{n % 5} {n} {n}\n' if n % 2 else '\n' for n in range(1, 60_000))
        result = self.ctl.run('import', stdin=text)
        self.assertEqual(result.status, 1)
        lines = result.err.splitlines()
        # k1 and k3 come first: lines 1 and 3; k0, k2 and k4 stand in lines 5, 7, 9 and so on.
        refused = [n for n in range(1, 60_000, 2) if n % 5 not in (1, 3)]
        for line, number in zip(lines, refused[:10]):
            self.assertEqual(line, f'metricsctl: standard input:{number}: series limit reached')
        self.assertEqual(PUT.match(lines[11]).group(1), str(30_000 - len(refused)))
        self.assertEqual(lines[12:], [f'metricsctl: {len(refused)} lines were refused by the server'])
        self.assertEqual(len(self.stored()), 30_000 - len(refused))

    def test_bad_and_refused_lines_are_told_apart(self):
        self._server = self.start('--series-limit', '1')
        text = 'a 1 1\n' + 'bad\n' * 7 + 'b 1 1\n' * 7 + 'c 1 1\na 2 2\n'
        result = self.ctl.run('import', stdin=text)
        self.assertEqual(result.status, 1)
        lines = result.err.splitlines()
        self.assertEqual(len([line for line in lines if 'standard input:' in line]), 10)
        self.assertEqual([line for line in lines if 'only counted' in line],
                         ['metricsctl: further lines that are bad or refused are only counted'])
        self.assertEqual(PUT.match(lines[-3]).group(1), '2')
        self.assertEqual(lines[-2:], ['metricsctl: 7 lines were bad', 'metricsctl: 8 lines were refused by the server'])

        result = self.ctl.run('import', stdin='b 1 1\n')
        self.assertEqual((result.status, result.err.splitlines()[-1]), (1, 'metricsctl: 1 line was refused by the server'))

    def test_many_pieces(self):
        """Line numbers, order and counts hold over many pieces."""
        rows = [f'k{n % 7} {n}.5 {n}' for n in range(100_000)]
        rows[70_001] = 'bad'
        result = self.ctl.run('import', stdin='\n'.join(rows))
        self.assertEqual(result.status, 1)
        self.assertIn(':70002: ', result.err)
        self.assertEqual(PUT.search(result.err).group(1), '99999')
        self.assertEqual(self.ctl.run('range', '*', '--step', '1000000', '--function', 'count').out.splitlines(),
                         [f'k{n} {sum(1 for row in rows if row.startswith(f"k{n} "))}.0 0' for n in range(7)])


class Sources(TestCase):
    def test_no_such_file(self):
        for name in '/nonexistent/points', '/proc/self/mem/x':
            result = self.ctl.run('import', name)
            self.assertEqual((result.status, result.out), (1, ''))
            self.assertRegex(result.err, rf'\Ametricsctl: cannot open {name}: .*\n\Z')

    def test_directory(self):
        result = self.ctl.run('import', '/')
        self.assertEqual(result.status, 1)
        self.assertIn('directory', result.err)

    def test_too_many_arguments(self):
        self.check_usage_error(self.ctl.run('import', 'a', 'b'), "'b'")

    def test_pipe_that_stays_open(self):
        """What was written is put, though neither a piece is full nor the input at its end."""
        with self.ctl.start('import') as process, harness.Client(self.server) as client:
            for n in range(3):
                process.stdin.write(b'k %d %d\n' % (n, n))
                process.stdin.flush()
                harness.wait_until(lambda: len(client.rows(b'get k')) == n + 1, 'the point')
            # Half a line is none yet.
            process.stdin.write(b'k 3 ')
            process.stdin.flush()
            process.stdin.write(b'3\n')
            result = finish(process)
        self.assertEqual(result.status, 0)
        self.assertEqual(len(self.stored()), 4)

    def test_memory_is_bounded(self):
        """300 MB of lines and a line of 300 MB go through a process that has far less."""
        if harness.SANITIZED:
            self.skipTest('sanitizers multiply the memory that a program needs')

        def write(stream, piece, count):
            with stream:
                for _ in range(count):
                    stream.write(piece)

        comment = b'#' + b'x' * 999 + b'\n'
        for piece in comment * 1000, b'x' * 1_000_000:
            process = self.ctl.start('import')
            writer = threading.Thread(target=write, args=(process.stdin, piece, 300))
            writer.start()
            process.stderr.read()
            writer.join()
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            process.stdout.close()
            process.stderr.close()
            self.assertLess(usage.ru_maxrss, 40_000)


class Breaks(TestCase):
    STOPPED = re.compile(r'metricsctl: stopped: (\d+) points? (was|were) acknowledged; '
                         r'all is done up to line (\d+) of ')

    def test_no_server(self):
        with socket.socket() as sock:
            sock.bind(('127.0.0.1', 0))
            result = Ctl('127.0.0.1:%d' % sock.getsockname()[1]).run('import', stdin='k 1 1\n')
        self.assertEqual((result.status, result.out), (3, ''))
        self.assertIn('metricsctl: stopped: no point of standard input was acknowledged\n', result.err)

    def run_against(self, script, lines, *words):
        with self.ctl_of(script).start('import', *words) as process:
            return finish(process, lines.encode())

    def ctl_of(self, script):
        return Ctl(self.fake(script))

    def test_connection_that_breaks(self):
        """Some lines are acknowledged, one is refused, then the server is gone."""
        def script(sock):
            replies = [b'ok\n\n'] * 20_100 + [b'error\nno\n\n'] + [b'ok\n\n'] * 100
            sent = 0
            while sent < len(replies) and (data := sock.recv(65536)):
                end = sent + data.count(b'\n')
                sock.sendall(b''.join(replies[sent:end]))
                sent = end
            # What was sent must not be lost to the reset that follows from unread input.
            sock.shutdown(socket.SHUT_WR)
            wait_for_close(sock)

        # Line 1 is a comment, so that point n stands in line n + 2. A file is always ready: other pieces wait
        # behind the one that fails, and must not go over a new connection.
        with tempfile.NamedTemporaryFile('w') as file:
            file.write('#\n')
            file.writelines(f'k {n} {n}\n' for n in range(100_000))
            file.flush()
            result = self.ctl_of(script).run('import', file.name)
        self.assertEqual((result.status, result.out), (3, ''), result.err)
        self.assertEqual(self.STOPPED.search(result.err).group(1, 3), ('20200', '20202'))
        self.assertIn(f'{file.name}:20102: no', result.err)
        self.assertIn('1 line was refused', result.err)
        self.assertNotIn('bad', result.err)

    def test_server_that_answers_no_more(self):
        def script(sock):
            read_lines(sock, 3)
            sock.sendall(b'ok\n\n' * 2)
            wait_for_close(sock)

        # In this time the two answers come.
        result = self.run_against(script, 'k 1 1\nk 2 2\nk 3 3\n', '--timeout', '2')
        self.assertEqual((result.status, result.out), (3, ''), result.err)
        self.assertEqual(self.STOPPED.search(result.err).group(1, 3), ('2', '2'))

    def test_server_that_makes_no_sense(self):
        def script(sock):
            read_lines(sock, 1)
            sock.sendall(b'220 mail.example.org ESMTP\r\n')
            wait_for_close(sock)

        result = self.run_against(script, 'k 1 1\n')
        self.assertEqual((result.status, result.out), (1, ''), result.err)

    def interrupt(self, number):
        """A signal while the input stays open: what was put is told, and the process dies of the signal."""
        with self.ctl.start('import') as process, harness.Client(self.server) as client:
            process.stdin.write(b'k 1 1\nbad\nk 2 2\n')
            process.stdin.flush()
            harness.wait_until(lambda: len(client.rows(b'get k')) == 2, 'the points')
            process.send_signal(number)
            self.assertEqual(process.wait(harness.WATCHDOG), -number)
            err = process.stderr.read().decode()
        self.assertEqual(self.STOPPED.search(err).group(1, 3), ('2', '3'))
        self.assertIn('1 line was bad', err)

    def test_interrupt(self):
        self.interrupt(signal.SIGINT)

    def test_connection_is_refused(self):
        """No line is answered for: the error is not that of the first one."""
        def script(sock):
            sock.sendall(b'error\ntoo many connections\n\n')
            sock.shutdown(socket.SHUT_WR)
            wait_for_close(sock)

        result = self.run_against(script, 'a 1 1\nb 1 1\n')
        self.assertEqual(result.status, 3, result.err)
        self.assertIn('too many connections', result.err)
        self.assertIn('metricsctl: stopped: no point of standard input was acknowledged\n', result.err)
        self.assertNotIn('line 0', result.err)
        self.assertNotIn('bad', result.err)

    def test_termination(self):
        self.interrupt(signal.SIGTERM)

    def test_ignored_signal_stays_ignored(self):
        """As after nohup."""
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        with self.ctl.start('import', preexec_fn=ignore) as process, harness.Client(self.server) as client:
            process.stdin.write(b'k 1 1\n')
            process.stdin.flush()
            harness.wait_until(lambda: len(client.rows(b'get k')) == 1, 'the point')
            process.send_signal(signal.SIGHUP)
            result = finish(process, b'k 2 2\n')
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(self.stored(), ['k 1.0 1', 'k 2.0 2'])

    def test_interrupt_while_the_server_does_not_answer(self):
        seen = threading.Event()

        def script(sock):
            read_lines(sock, 2)
            sock.sendall(b'ok\n\n')
            seen.set()
            wait_for_close(sock)

        with self.ctl_of(script).start('import') as process:
            process.stdin.write(b'k 1 1\nk 2 2\n')
            process.stdin.flush()
            self.assertTrue(seen.wait(harness.WATCHDOG))
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(harness.WATCHDOG), -signal.SIGINT)
            err = process.stderr.read().decode()
        # The first answer may or may not have been read.
        self.assertRegex(err, r'stopped: (1 point was acknowledged; .* line 1 of|no point of) ')


if __name__ == '__main__':
    harness.main()
