#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsd --backup: a copy as of one moment, beside a server or without one, complete or not there at all."""

import ctypes
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading

import harness
from folders import DATABASE, WAL, FolderTest, changes, limit_files
from harness import Client, main, wait_until

PR_CAPBSET_DROP = 24  # linux/prctl.h
CAP_DAC_OVERRIDE = 1  # linux/capability.h
CAP_DAC_READ_SEARCH = 2
LIBC = ctypes.CDLL(None)


def obey_permissions():
    """Takes from the superuser the right to write everywhere; for everybody else these calls fail and change nothing."""
    LIBC.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
    LIBC.prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0)


class CopyTest(FolderTest):
    def test_of_a_stopped_server(self):
        before = self.fill(1, 2)
        content = (self.state / DATABASE).read_bytes()
        result = self.assert_done('--backup', self.file)
        self.assertEqual(result.stdout, f'bytes {self.file.stat().st_size}\n')
        self.assertEqual(self.served(self.file), before)
        self.assertEqual((self.state / DATABASE).read_bytes(), content)
        self.assertEqual([path.name for path in self.file.parent.iterdir()], [self.file.name])
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(self.everything(self.start_stored()), before)

    def test_of_a_crashed_server(self):
        self.fill(1)
        before = self.crash()
        self.assert_done('--backup', self.file)
        self.assertEqual(self.served(self.file), before)
        self.assertEqual(self.everything(self.start_stored()), before)

    def test_of_a_damaged_write_ahead_log(self):
        """What can be read is copied, and that it is not all is said."""
        self.fill(1)
        self.crash()
        self.damage_wal()
        result = self.task('--backup', self.file)
        self.assertEqual((result.returncode, result.stderr.count('\n')), (3, 1), result.stderr)
        self.assertRegex(result.stdout, r'^bytes \d+\n$')
        self.assertIn(WAL, result.stderr)
        copy = self.served(self.file)
        self.assertEqual(copy, self.everything(self.start_stored()))

    def test_beside_a_server(self):
        server = self.start_stored('--durability', 'always')
        with Client(server) as client:
            for number in range(3):
                client.put_many(changes(number))
                client.rows(b'del late.2')
                before = self.everything(server)
                file = self.file.with_suffix(f'.{number}')
                self.assert_done('--backup', file)
                self.assertEqual(self.served(file), before)
        self.assertEqual(server.stop(), 0)

    def test_of_a_folder_that_cannot_be_written(self):
        before = self.fill(1)
        os.chmod(self.state, 0o500)
        try:
            self.assert_done('--backup', self.file, preexec=obey_permissions)
        finally:
            os.chmod(self.state, 0o700)
        self.assertEqual(self.served(self.file), before)

    def test_the_name_of_a_file_is_any(self):
        before = self.fill(1)
        file = self.file.with_name("it's 100% ü?&mode=memory #1")
        self.assert_done('--backup', file)
        self.assertEqual(self.served(file), before)
        self.file = self.file.parent / 'relative'
        self.assert_done('--backup', 'relative', preexec=lambda: os.chdir(self.file.parent))
        self.assertEqual(self.served(self.file), before)


class BusyTest(FolderTest):
    N_WRITERS = 3

    def write(self, number, address, acknowledged, over):
        with Client(address) as client:
            sent = 0
            while not over.is_set():
                client.put_many([b'put writer.%d %d.25 %d\n' % (number, i, i) for i in range(sent, sent + 50)])
                sent += 50
                acknowledged[number] = sent

    def test_a_busy_server(self):
        """Copies end while others write all the time; each is one moment: of each writer a beginning, not shorter than
        what was acknowledged to it before."""
        self.fill(*range(6))
        server = self.start_stored('--durability', 'always')
        acknowledged, over = [0] * self.N_WRITERS, threading.Event()
        threads = [threading.Thread(target=self.write, args=(number, server.address, acknowledged, over))
                   for number in range(self.N_WRITERS)]
        copies = []
        for thread in threads:
            thread.start()
        try:
            for number in range(3):
                wait_until(lambda: min(acknowledged) > 300 * number, 'load')
                copies.append((self.file.with_suffix(f'.{number}'), list(acknowledged)))
                self.assert_done('--backup', copies[-1][0])
        finally:
            over.set()
            for thread in threads:
                thread.join()
        for file, least in copies:
            rows = self.served(file)[0].splitlines()
            for number in range(self.N_WRITERS):
                mine = [row for row in rows if row.startswith(b'writer.%d ' % number)]
                self.assertEqual(mine, [b'writer.%d %d.25 %d' % (number, i, i) for i in range(len(mine))])
                self.assertGreaterEqual(len(mine), least[number])
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.task('--check').returncode, 0)


class EndTest(FolderTest):
    def start_backup(self):
        """A backup that was seen to have begun."""
        process = subprocess.Popen([harness.binary(), '--state-dir', self.state, '--backup', self.file],
                                   stderr=subprocess.PIPE, text=True, preexec_fn=lambda: harness.prepare_child(None))
        while process.poll() is None and not any(path.stat().st_size for path in self.file.parent.glob('*.part-*')):
            pass
        return process

    def end_in_the_middle(self, number):
        """Sends a signal to backups until one is hit before it is complete."""
        for _ in range(1000):
            process = self.start_backup()
            process.send_signal(number)
            errors = process.communicate()[1]
            if process.returncode != 0:
                return process.returncode, errors
            self.file.unlink()  # it was faster
        raise AssertionError('no backup could be hit')

    def setUp(self):
        super().setUp()
        self.before = self.fill(1)
        database = sqlite3.connect(self.state / DATABASE)
        # So much that it takes a while; these rows are of no series, and do not count.
        database.executemany('INSERT INTO chunk (series, first, last, n, checksum, data) VALUES (999, ?, ?, 1, 0, ?)',
                             [(i, i, os.urandom(100_000)) for i in range(300)])
        database.commit()
        database.close()

    def test_killed(self):
        status, _ = self.end_in_the_middle(signal.SIGKILL)
        self.assertEqual(status, -signal.SIGKILL)
        self.assertFalse(self.file.exists())
        self.assert_done('--backup', self.file)  # what is left of the other one is not in its way
        shutil.copy(self.file, self.state / DATABASE)
        self.assertEqual(self.everything(self.start_stored()), self.before)

    def test_interrupted(self):
        status, errors = self.end_in_the_middle(signal.SIGTERM)
        self.assertEqual((status, errors), (1, 'metricsd: interrupted: nothing is written\n'))
        self.assertEqual(list(self.file.parent.iterdir()), [])

    def test_a_full_disk(self):
        self.assert_fails('--backup', self.file, mentions=(self.file,), preexec=limit_files)


class TerminalTest(FolderTest):
    def test_how_far_it_is(self):
        """Only who looks at a terminal sees it, and the line is gone at the end."""
        self.fill(1)
        master, slave = os.openpty()
        process = subprocess.Popen([harness.binary(), '--state-dir', self.state, '--backup', self.file], stderr=slave,
                                   stdout=slave, env={**os.environ, 'TERM': 'xterm'})
        os.close(slave)
        output = b''
        try:
            while data := os.read(master, 65536):
                output += data
        except OSError:  # EIO: the other side is closed
            pass
        self.assertEqual(process.wait(harness.WATCHDOG), 0)
        self.assertRegex(output, rb'^(\r *\d+ %\x1b\[K)+\r\x1b\[Kbytes \d+\r\n$')
        os.close(master)


class RefusedTest(FolderTest):
    def test_a_name_that_is_taken(self):
        self.fill(1)
        self.file.write_text('something dear')
        self.assert_fails('--backup', self.file, mentions=(self.file, 'exists'))
        self.assertEqual(self.file.read_text(), 'something dear')
        self.file.unlink()
        self.file.symlink_to('/nowhere')
        self.assert_fails('--backup', self.file, mentions=(self.file, 'exists'))
        self.assert_fails('--backup', self.state / DATABASE, mentions=(self.state / DATABASE, 'exists'))

    def test_where_nothing_can_be_written(self):
        self.fill(1)
        for name in (self.folder / 'nowhere' / 'file', '/proc/file'):
            self.assert_fails('--backup', name, mentions=(name,))

    def test_of_nothing(self):
        self.assert_fails('--backup', self.file, mentions=(self.state / DATABASE,))
        self.assertFalse(self.state.exists())
        self.state.mkdir()
        for content in (b'', b'my letters\n' * 1000, b'SQLite format 3\0' + bytes(4080)):
            (self.state / DATABASE).write_bytes(content)
            self.assert_fails('--backup', self.file, mentions=(self.state / DATABASE, 'not a file of metricsd'))

    def test_of_a_newer_version(self):
        self.fill(1)
        database = sqlite3.connect(self.state / DATABASE)
        database.execute('PRAGMA user_version = 99')
        database.close()
        self.assert_fails('--backup', self.file, mentions=(self.state / DATABASE, 'newer', '99'))

    def test_options_that_do_not_go_together(self):
        for options in (('--backup', self.file, '--check'), ('--backup', ''), ('--backup',)):
            self.assert_fails(*options, status=2)
        for options in (('--backup', self.file), ('--check',)):
            result = harness.run('--memory-only', *options)
            self.assertEqual((result.returncode, result.stderr.count('\n')), (2, 1), result.stderr)


if __name__ == '__main__':
    main()
