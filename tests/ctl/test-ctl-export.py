# SPDX-License-Identifier: LGPL-2.1-or-later
"""export: the lines that import reads, and a file that is whole or not there."""

import os
import signal
import stat
import tempfile
import threading

import harness
from ctl import Ctl, TestCase, finish, read_lines, wait_for_close

ROWS = ['b.x 2.0 20', 'b.x 0.25 30', 'a.x 1e+16 10', 'a.y -0.0 -5', 'a.y 5e-324 6']


class Lines(TestCase):
    def setUp(self):
        self.put(*ROWS)

    def check_export(self, words, *rows):
        self.check(self.ctl.run('export', *words), ''.join(row + '\n' for row in rows))

    def test_everything(self):
        self.check_export([], *ROWS)
        self.check_export(['*'], *ROWS)
        self.check_export(['--output', '-'], *ROWS)

    def test_lines_are_the_same_in_every_form(self):
        for form in '--human', '--json', '--plain':
            self.check_export([form], *ROWS)

    def test_pattern(self):
        self.check_export(['?.x'], *ROWS[:3])
        self.check_export(['c'])

    def test_span(self):
        self.check_export(['--from', '20'], *ROWS[:2])
        self.check_export(['--to', '10'], *ROWS[2:])
        self.check_export(['--from', '-5', '--to=10', 'a.y'], *ROWS[3:])
        self.check_export(['--from', '1970-01-01 01:00:20', '--to', 'now'], *ROWS[:2])

    def test_bad_arguments(self):
        for words, text in ((['a', 'b'], "'b'"), ([''], 'pattern'), (['--from', 'x'], "time: 'x'"),
                            (['--to', '5x'], "time: '5x'"), (['--output'], '--output')):
            with self.subTest(' '.join(words)[:60]):
                self.check_usage_error(self.ctl.run('export', *words), text)


class RoundTrip(TestCase):
    def test_same_store(self):
        """Keys in their order, points, and keys that look like comments or options."""
        rows = [*ROWS, '#c 1.0 1', '#c 2.0 2', '-d 1.0 1', 'put 1.0 1', 'ü 1.7976931348623157e+308 1',
                'a.x -1.5 -9223372036854775808', 'a.x 0.1 9223372036854775807']
        self.put(*rows)
        before = self.stored()
        exported = self.ctl.run('export')
        self.assertEqual(exported.status, 0)
        other = self.start()
        result = Ctl(other).run('import', stdin=exported.out)
        self.assertEqual(result.status, 0, result.err)
        with harness.Client(other) as client:
            self.assertEqual([row.decode() for row in client.rows(b'get *')], before)

    def test_from_server_to_server(self):
        self.put(*ROWS)
        other = self.start()
        source = self.ctl.start('export')
        target = Ctl(other).run('import', stdin=source.stdout)
        self.assertEqual(target.status, 0)
        self.assertEqual(finish(source).status, 0)
        with harness.Client(other) as client:
            self.assertEqual([row.decode() for row in client.rows(b'get *')], ROWS)


class File(TestCase):
    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.path = os.path.join(self.directory, 'points.txt')

    def read(self):
        """The one file of the directory."""
        self.assertEqual(os.listdir(self.directory), ['points.txt'])
        with open(self.path) as file:
            return file.read()

    def test_new(self):
        self.put(*ROWS)
        os.umask(os.umask(0o027))
        process = self.ctl.start('export', '--output', self.path, preexec_fn=lambda: os.umask(0o027))
        with process:
            self.check(finish(process))
        self.assertEqual(self.read().splitlines(), ROWS)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o640)

    def test_in_the_current_directory(self):
        self.put(*ROWS)
        self.check(self.ctl.run('export', '-o', 'points.txt', cwd=self.directory))
        self.assertEqual(self.read().splitlines(), ROWS)

    def test_replaced(self):
        self.put(*ROWS)
        with open(self.path, 'w') as file:
            file.write('old\n' * 1000)
        os.chmod(self.path, 0o600)
        self.check(self.ctl.run('export', '--output', self.path))
        self.assertEqual(self.read().splitlines(), ROWS)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    def test_link(self):
        self.put(*ROWS)
        with open(self.path, 'w'), tempfile.TemporaryDirectory() as other:
            link = os.path.join(other, 'link')
            os.symlink(self.path, link)
            self.check(self.ctl.run('export', '--output', link))
            self.assertTrue(os.path.islink(link))
        self.assertEqual(self.read().splitlines(), ROWS)

    def test_places_that_are_none(self):
        for path in '/nonexistent/points', self.directory, '/dev/full', '':
            with self.subTest(path):
                result = self.ctl.run('export', '--output', path)
                self.assertEqual((result.status, result.out), (1, ''))
                self.assertRegex(result.err, rf'\Ametricsctl: cannot write {path}.*\n\Z')
        self.assertEqual(os.listdir(self.directory), [])

    def answer_half(self, sock):
        read_lines(sock, 1)
        sock.sendall(b'ok\n' + b''.join(b'k %d.0 %d\n' % (n, n) for n in range(50_000)))

    def test_broken_answer_leaves_nothing(self):
        result = Ctl(self.fake(self.answer_half)).run('export', '--output', self.path)
        self.assertEqual(result.status, 3, result.err)
        self.assertEqual(os.listdir(self.directory), [])

    def test_broken_answer_leaves_what_was_there(self):
        with open(self.path, 'w') as file:
            file.write('k 1 1\n')
        result = Ctl(self.fake(self.answer_half)).run('export', '--output', self.path)
        self.assertEqual(result.status, 3, result.err)
        self.assertEqual(self.read(), 'k 1 1\n')

    def test_broken_answer_on_standard_output(self):
        for form in '--plain', '--json', '--human':
            result = Ctl(self.fake(self.answer_half)).run('get', '--all', form)
            self.assertEqual(result.status, 3)
            # What came is printed, but JSON is not closed as if it were all.
            self.assertIn('49999', result.out)
            self.assertNotIn(']', result.out)

    def test_signal_leaves_nothing(self):
        for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
            seen = threading.Event()

            def script(sock):
                self.answer_half(sock)
                seen.set()
                wait_for_close(sock)

            with self.subTest(number), Ctl(self.fake(script)).start('export', '--output', self.path) as process:
                self.assertTrue(seen.wait(harness.WATCHDOG))
                self.assertEqual(len(os.listdir(self.directory)), 1)
                process.send_signal(number)
                self.assertEqual(finish(process), (-number, '', ''))
                self.assertEqual(os.listdir(self.directory), [])


if __name__ == '__main__':
    harness.main()
