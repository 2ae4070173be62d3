# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people see: columns, local times, questions and progress on a real terminal."""

import subprocess
import tempfile

import harness
from ctl import Terminal, TestCase


class Columns(TestCase):
    def show(self, *words):
        result = Terminal(self.ctl, *words).finish()
        self.assertEqual(result.status, 0)
        return result.out

    def test_points(self):
        self.put('room.temperature 21.5 1795179785', 'door 1 0', 'big 12345678.5 4102444800')
        self.assertEqual(self.show('get', '--all'),
                         'KEY                    VALUE  TIME\n'
                         'room.temperature        21.5  2026-11-20 14:03:05\n'
                         'door                       1  1970-01-01 01:00:00\n'
                         'big               12345678.5  2100-01-01 01:00:00\n')

    def test_form_can_be_chosen(self):
        self.put('k 1 2')
        self.assertEqual(self.show('get', 'k', '--plain'), 'k 1.0 2\n')
        self.assertEqual(self.show('get', 'k', '--json'), '[\n{"key": "k", "value": 1.0, "timestamp": 2}\n]\n')

    def test_numbers(self):
        """No digits that only a computer needs; nothing lost of whole numbers."""
        self.put('k 0.30000000000000004 1', 'k 1e300 2', 'k 9007199254740993 3', 'k -0.0 4', 'k 1e-7 5',
                 'k 123456789.123 6')
        values = [line.split()[1] for line in self.show('get', 'k').splitlines()[1:]]
        self.assertEqual(values, ['0.3', '1e+300', '9007199254740992', '-0', '1e-07', '123456789.123'])

    def test_times_that_are_none(self):
        # The last second of 9999, universal time: here it is the year 10000 already.
        self.put('k 1 9223372036854775807', 'k 1 -9223372036854775808', 'k 1 1795179785123456', 'k 1 253402300799')
        times = [line.split()[2] for line in self.show('get', 'k').splitlines()[1:]]
        self.assertEqual(times, ['-9223372036854775808', '253402300799', '1795179785123456', '9223372036854775807'])

    def test_wide_and_combining_characters(self):
        self.put('温度 1 0', 'e\u0301 2 0', 'abcd 3 0')
        self.assertEqual(self.show('last'),
                         'KEY   VALUE  TIME\n'
                         '温度      1  1970-01-01 01:00:00\n'
                         'e\u0301         2  1970-01-01 01:00:00\n'
                         'abcd      3  1970-01-01 01:00:00\n')

    def test_nothing(self):
        self.assertEqual(self.show('get', 'k'), 'KEY  VALUE  TIME\n')

    def test_later_rows_may_be_wider(self):
        with harness.Client(self.server) as client:
            client.put_many([b'put k 1 %d\n' % n for n in range(5000)] + [b'put k 1234567890 5000\n'])
        lines = self.show('get', 'k').splitlines()
        self.assertEqual(len(lines), 5002)
        self.assertEqual(lines[1], 'k        1  1970-01-01 01:00:00')
        self.assertEqual(lines[-1], 'k    1234567890  1970-01-01 02:23:20')

    def test_keys(self):
        self.put('a 1 0', 'bb 1 0', 'bb 1 60')
        self.assertEqual(self.show('keys'),
                         'KEY  POINTS  FIRST                LAST\n'
                         'a         1  1970-01-01 01:00:00  1970-01-01 01:00:00\n'
                         'bb        2  1970-01-01 01:00:00  1970-01-01 01:01:00\n')

    def test_ping(self):
        self.assertIn(' answered after ', self.show('ping'))


class Question(TestCase):
    ROWS = ['a.x 1.0 10', 'a.x 2.0 20', 'a.y 3.0 30', 'b 4.0 40']

    def setUp(self):
        self.put(*self.ROWS)

    def ask(self, answer, *words):
        terminal = Terminal(self.ctl, 'del', *words)
        terminal.expect('[y/N] ')
        terminal.type(answer)
        return terminal.finish()

    def test_yes(self):
        result = self.ask('y\n', 'a.*')
        self.assertEqual(result.status, 0)
        self.assertIn('  a.x\n  a.y\n2 keys match; points in all: 3. ', result.out)
        self.assertIn('3 points deleted', result.out)
        self.assertEqual(self.stored(), self.ROWS[3:])

    def test_span(self):
        result = self.ask('yes\n', 'a.*', '-', '15')
        self.assertEqual(result.status, 0)
        self.assertIn('1 point deleted', result.out)
        self.assertEqual(self.stored(), self.ROWS[1:])

    def test_no(self):
        # Ctrl-D is the end of input: no answer is a no.
        for answer in 'n\n', '\n', 'what\n', '\x04':
            with self.subTest(repr(answer)):
                result = self.ask(answer, '*')
                self.assertEqual(result.status, 1)
                self.assertIn('Nothing was deleted.', result.out)
        self.assertEqual(self.stored(), self.ROWS)

    def test_nothing_to_ask_about(self):
        result = Terminal(self.ctl, 'del', 'x*').finish()
        self.assertEqual((result.status, result.out), (0, '0 points deleted\n'))

    def test_not_asked(self):
        result = Terminal(self.ctl, 'del', 'b').finish()
        self.assertEqual((result.status, result.out), (0, '1 point deleted\n'))
        result = Terminal(self.ctl, 'del', '--yes', '*').finish()
        self.assertEqual((result.status, result.out), (0, '3 points deleted\n'))

    def test_somebody_must_see_the_question(self):
        for stream in 'stdin', 'stderr':
            result = Terminal(self.ctl, 'del', '*', **{stream: subprocess.DEVNULL}).finish()
            self.assertEqual(result.status, 2)
        self.assertEqual(self.stored(), self.ROWS)


class Progress(TestCase):
    def file(self, count, bad=''):
        file = self.enterContext(tempfile.NamedTemporaryFile('w'))
        file.writelines(f'k {n} {n}\n' for n in range(count))
        file.write(bad)
        file.flush()
        return file

    def test_bar(self):
        result = Terminal(self.ctl, 'import', self.file(50_000).name, columns=60).finish()
        self.assertEqual(result.status, 0)
        self.assertRegex(result.out, r'\r\[#*-*\] +\d+ %  \d+ points, \d+/s')
        for line in result.out.replace('\033[K', '').split('\r'):
            self.assertLessEqual(len(line.split('\n')[0]), 60)
        # It leaves no trace but the last line.
        self.assertRegex(result.out, r'\r\033\[Kmetricsctl: 50000 points put in .*\n\Z')

    def test_narrow_terminal_has_no_bar(self):
        result = Terminal(self.ctl, 'import', self.file(50_000).name, columns=20).finish()
        self.assertEqual(result.status, 0)
        self.assertNotIn('#', result.out)

    def test_pipe_has_no_percentage(self):
        with subprocess.Popen(['cat', self.file(50_000).name], stdout=subprocess.PIPE) as cat:
            result = Terminal(self.ctl, 'import', stdin=cat.stdout).finish()
        self.assertEqual(result.status, 0)
        self.assertRegex(result.out, r'\r\d+ points, \d+/s')
        self.assertNotIn('%', result.out)

    def test_none_into_a_file(self):
        result = self.ctl.run('import', self.file(50_000).name)
        self.assertEqual(result.status, 0)
        self.assertRegex(result.err, r'\Ametricsctl: 50000 points put in [^\r\033]*\n\Z')

    def test_bad_lines_stand_on_lines_of_their_own(self):
        # So many that the bar is shown before the bad line is read.
        result = Terminal(self.ctl, 'import', self.file(100_000, 'bad\n').name).finish()
        self.assertEqual(result.status, 1)
        self.assertRegex(result.out, r"\r\033\[Kmetricsctl: [^\r\n]*:100001: [^\r\n]*: bad\n")

    def test_lines_typed(self):
        terminal = Terminal(self.ctl, 'import')
        terminal.expect('Ctrl-D')
        terminal.type('k 1 1\n')
        with harness.Client(self.server) as client:
            harness.wait_until(lambda: client.rows(b'get k') == [b'k 1.0 1'], 'the point')
        terminal.type('k 2 2\n\x04')
        result = terminal.finish()
        self.assertEqual(result.status, 0)
        self.assertEqual(self.stored(), ['k 1.0 1', 'k 2.0 2'])


if __name__ == '__main__':
    harness.main()
