#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What lasts: where it is kept, what is there again after a stop and after a crash, and which folders and files are
refused."""

import ctypes
import os
import pathlib
import random
import resource
import shutil
import signal
import sqlite3
import stat
import tempfile

from harness import OK, Client, TestCase, main, run, wait_until
from model import Model

DURABILITIES = ('interval', 'always', 'none')
DATABASE = 'metricsd.db'

PR_CAPBSET_DROP = 24  # linux/prctl.h
CAP_DAC_OVERRIDE = 1  # linux/capability.h
CAP_DAC_READ_SEARCH = 2
MNT_DETACH = 2  # sys/mount.h
LIBC = ctypes.CDLL(None)


def obey_permissions():
    """Takes from the superuser the right to write everywhere; for everybody else these calls fail and change nothing."""
    LIBC.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
    LIBC.prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0)


def changes(round_number):
    """Requests that touch all that a store can hold: many series, late points, points put again, gone spans and series."""
    base = round_number * 1_000_000
    lines = [b'put steady.%d %d.5 %d\n' % (i % 40, i, base + i) for i in range(12_000)]
    lines += [b'put late.%d %d %d\n' % (i % 3, i, base + 9_000 - 7 * i) for i in range(1_000)]
    lines += [b'put again %d 77\n' % (base + i) for i in range(300)]
    lines += [b'put round.%d.%d 1e-300 %d\n' % (round_number, i, i - 50) for i in range(100)]
    lines += ['put Größe.ß✓ -0.0 -9223372036854775808\n'.encode(), b'put extreme 1.7976931348623157e308 9223372036854775807\n',
              b'put extreme 5e-324 -9223372036854775808\n', b'put ' + b'k' * 1024 + b' 0.1 0\n']
    return lines


class LastingTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.state = self.folder / 'state'

    def start_stored(self, *options, **arguments):
        return self.start('--state-dir', self.state, *options, **arguments)

    def everything(self, server):
        """All that can be read: the points, in the order of their series, and what is said of the series."""
        with Client(server) as client:
            return client.ask(b'get *'), client.ask(b'keys *')

    def assert_refused(self, *mentions, status=1, **arguments):
        """It does not start with this folder, and says why in one line."""
        result = run('--host', '127.0.0.1', '--port', '0', '--state-dir', self.state, '--lock-timeout', '0', **arguments)
        self.assertEqual((result.returncode, result.stdout), (status, ''), result.stderr)
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        for text in ('metricsd: ', *mentions):
            self.assertIn(text, result.stderr)

    def assert_whole(self):
        """The database is in order; seen in a copy, for who opens it may tidy it up."""
        with tempfile.TemporaryDirectory() as copy:
            for path in self.state.glob(DATABASE + '*'):
                shutil.copy(path, copy)
            with sqlite3.connect(pathlib.Path(copy) / DATABASE) as database:
                self.assertEqual(database.execute('PRAGMA integrity_check').fetchall(), [('ok',)])


class RestartTest(LastingTest):
    def test_a_stop_loses_nothing(self):
        for durability in DURABILITIES:
            with self.subTest(durability=durability):
                before = (b'ok\n\n', b'ok\n\n')
                for number in range(2):
                    server = self.start_stored('--durability', durability)
                    self.assertEqual(self.everything(server), before)
                    with Client(server) as client:
                        client.put_many(changes(number))
                        client.rows(b'del steady.1* 100 %d' % (500 * number))
                        client.rows(b'del round.%d.*' % (number - 1))
                        client.rows(b'del late.1')
                        client.put('late.1', number, 5)
                    before = self.everything(server)
                    self.assertGreater(len(before[0]), 100_000)
                    self.assertEqual(server.stop(), 0)
                    self.assert_whole()
                shutil.rmtree(self.state)

    def test_what_is_deleted_stays_deleted(self):
        server = self.start_stored()
        with Client(server) as client:
            client.put_many(changes(1))
            client.rows(b'del *')
        self.assertEqual(server.stop(), 0)
        server = self.start_stored()
        self.assertEqual(self.everything(server), (OK, OK))
        with Client(server) as client:
            client.put('steady.1', 3, 4)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.everything(self.start_stored())[0], b'ok\nsteady.1 3.0 4\n\n')

    def test_nothing_put_nothing_there(self):
        for _ in range(3):
            server = self.start_stored()
            self.assertEqual(self.everything(server), (OK, OK))
            self.assertEqual(server.stop(), 0)
            self.assert_whole()

    def test_durability_may_change(self):
        before = (OK, OK)
        for number, durability in enumerate(DURABILITIES * 2):
            server = self.start_stored('--durability', durability)
            self.assertEqual(self.everything(server), before)
            with Client(server) as client:
                client.put(f'key.{number}', number, 1)
            before = self.everything(server)
            self.assertEqual(server.stop(), 0)

    def test_who_is_connected_loses_nothing_at_a_stop(self):
        """Each `ok` that a client got before the end counts, whenever that was."""
        server = self.start_stored()
        client = self.client(server)
        client.send(b''.join(b'put k %d %d\n' % (i, i) for i in range(50_000)))
        client.wait_for(len(OK))
        server.stop()
        try:
            replies = client.recv_all()
        except ConnectionResetError:
            replies = client.buffer
        n_kept = replies.count(OK)
        rows = self.everything(self.start_stored())[0].splitlines()[1:-1]
        self.assertGreaterEqual(len(rows), n_kept)
        self.assertEqual(rows, [b'k %d.0 %d' % (i, i) for i in range(len(rows))])


class CrashTest(LastingTest):
    def test_always_means_always(self):
        """What was acknowledged before the crash is there after it, to the last point."""
        before = (OK, OK)
        for number in range(2):
            server = self.start_stored('--durability', 'always')
            self.assertEqual(self.everything(server), before)
            with Client(server) as client:
                client.put_many(changes(number))
                client.rows(b'del late.*')
                client.put('the.last', number, number)
            before = self.everything(server)
            server.kill()
            self.assert_whole()

    def test_what_is_left_is_a_beginning(self):
        """Where nothing waits for the disk a crash may take the newest changes, never some from between."""
        for durability in ('interval', 'none'):
            with self.subTest(durability=durability):
                server = self.start_stored('--durability', durability)
                with Client(server) as client:
                    client.put_many([b'put key.%d 1 %d\n' % (i % 7, i) for i in range(30_000)])
                server.kill()
                self.assert_whole()
                server = self.start_stored()
                times = sorted(int(row.split()[2]) for row in self.everything(server)[0].splitlines()[1:-1])
                self.assertEqual(times, list(range(len(times))))
                self.assertEqual(server.stop(), 0)
                shutil.rmtree(self.state)

    def test_a_crash_right_after_a_start(self):
        server = self.start_stored('--durability', 'always')
        with Client(server) as client:
            client.put_many(changes(0))
        before = self.everything(server)
        for _ in range(4):
            server.kill()
            server = self.start_stored('--durability', 'always')
        self.assertEqual(self.everything(server), before)


def limit_files():
    """No file may grow beyond 256 KiB: writing fails as on a full disk, until lift_limit()."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, resource.RLIM_INFINITY))


def lift_limit(server):
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class FullDiskTest(LastingTest):
    def put_until_refused(self, client):
        """Puts points that hardly compress, one after the other; says which were acknowledged, and the other answer."""
        generator, rows = random.Random(1), []
        while True:
            lines = [b'put full %s %d\n' % (repr(generator.random()).encode(), len(rows) + i) for i in range(2_000)]
            client.send(b''.join(lines))
            replies = client.recv_replies(len(lines))
            rows += [line[4:-1] for line, reply in zip(lines, replies) if reply == OK]
            refused = [reply for reply in replies if reply != OK]
            if refused:
                return rows, refused

    def test_always_refuses_and_recovers(self):
        server = self.start_stored('--durability', 'always', preexec=limit_files)
        client = self.client(server)
        rows, refused = self.put_until_refused(client)
        for reply in refused:
            self.assertRegex(reply, rb'^error\nstorage: [^\n]+\n\n$')
        self.assertGreater(len(rows), 0)
        self.assertGreater(client.stats()['storage_errors'], 0)
        self.assertLess(server.errors().count('\n'), 10)
        lift_limit(server)
        wait_until(lambda: client.ask(b'put after 1 1') == OK, 'an end of the refusals')
        server.kill()
        self.assert_whole()
        after = self.start_stored()
        self.assertLessEqual(set(rows), set(self.client(after).rows(b'get full')))
        self.assertEqual(self.client(after).ask(b'get after'), b'ok\nafter 1.0 1\n\n')

    def test_interval_goes_on_and_catches_up(self):
        """While the server lives nothing is lost: it writes all of it once it can."""
        server = self.start_stored('--durability', 'interval', preexec=limit_files)
        client = self.client(server)
        generator = random.Random(2)
        client.put_many([b'put full %s %d\n' % (repr(generator.random()).encode(), i) for i in range(100_000)])
        wait_until(lambda: client.stats()['storage_errors'] > 0, 'an error')
        before = self.everything(server)
        lift_limit(server)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.everything(self.start_stored()), before)

    def test_a_folder_that_is_taken_away(self):
        """What would be written to a file without a name is not acknowledged; it goes on when the folder is there again."""
        server = self.start_stored('--durability', 'always')
        client = self.client(server)
        client.put('k', 1, 1)
        aside = self.folder / 'aside'
        self.state.rename(aside)
        self.assertEqual(client.ask(b'put k 2 2'), b'error\nstorage: the file was moved or deleted\n\n')
        aside.rename(self.state)
        wait_until(lambda: client.ask(b'put k 3 3') == OK, 'a put')
        before = self.everything(server)
        server.kill()
        self.assertEqual(self.everything(self.start_stored()), before)

    def test_a_stop_says_what_it_could_not_keep(self):
        server = self.start_stored('--durability', 'interval', preexec=limit_files)
        client = self.client(server)
        generator = random.Random(3)
        client.put_many([b'put full %s %d\n' % (repr(generator.random()).encode(), i) for i in range(100_000)])
        wait_until(lambda: client.stats()['storage_errors'] > 0, 'an error')
        self.assertEqual(server.stop(), 1)
        self.assertRegex(server.errors(), r'(?m)^metricsd: the newest points are lost: \w+')
        server.kill()  # its status is as it should be
        self.assert_whole()


class SmallDiskTest(LastingTest):
    """A file system of its own that really is full: what is deleted makes room."""

    SIZE = 28 << 20

    def setUp(self):
        super().setUp()
        self.state.mkdir()
        options = f'size={self.SIZE},mode=0700'.encode()
        if LIBC.mount(b'tmpfs', os.fsencode(self.state), b'tmpfs', 0, options) != 0:
            self.skipTest('it is not permitted to mount a file system')
        self.addCleanup(LIBC.umount2, os.fsencode(self.state), MNT_DETACH)

    def put_round(self, client, model, key, times, generator):
        """Puts points; of those that were acknowledged it takes note. Says whether that were all."""
        values = [generator.random() for _ in times]
        client.send(b''.join(b'put %s %s %d\n' % (key.encode(), repr(value).encode(), time) for time, value in zip(times, values)))
        replies = client.recv_replies(len(times))
        for time, value, reply in zip(times, values, replies):
            if reply == OK:
                model.put(key, value, time)
            else:
                self.assertRegex(reply, rb'^error\nstorage: [^\n]+\n\n$')
        return replies == [OK] * len(times)

    def fill(self, client, model, generator, number):
        """Puts until points are refused. Returns the keys."""
        keys = []
        while True:
            keys.append(f'round.{number}.{len(keys)}')
            if not self.put_round(client, model, keys[-1], range(10_000), generator):
                return keys

    def assert_has(self, server, model):
        """What was acknowledged is there; and nothing that was deleted."""
        rows = set(self.client(server).rows(b'get *'))
        self.assertLessEqual(set(model.all_rows()), rows)
        self.assertLessEqual({row.split()[0].decode() for row in rows}, set(model.series))

    def test_what_is_deleted_makes_room(self):
        generator, model = random.Random(5), Model()
        server = self.start_stored('--durability', 'always')
        client = self.client(server)
        for number in range(2):
            keys = self.fill(client, model, generator, number)
            # The last one may have points that were refused and kept later.
            model.series.setdefault(keys[-1], {})
            gone = keys[:len(keys) * 3 // 4] if number == 0 else keys
            for key in gone:
                self.assertRegex(client.ask(f'del {key}'.encode()), rb'^ok\n')
                model.delete(key)
            model.series = {key: points for key, points in model.series.items() if key not in gone}
            wait_until(lambda: self.put_round(client, model, 'after', [number], generator), 'an end of the refusals')
            if number == 1:
                server.kill()
                server = self.start_stored('--durability', 'always')
                client = self.client(server)
                self.assert_whole()
            self.assert_has(server, model)
        self.assertEqual(server.stop(), 0)
        self.assert_has(self.start_stored(), model)
        self.assert_whole()


class FiguresTest(LastingTest):
    NAMES = ('commits', 'commit_time', 'bytes_written', 'bytes_unwritten', 'bytes_on_disk', 'storage_errors',
             'rows_damaged')

    def test_commits_are_counted(self):
        server = self.start_stored('--durability', 'always')
        client = self.client(server)
        before = client.stats()
        client.put('k', 1, 1)
        after = client.stats()
        self.assertGreater(after['commits'], before['commits'])
        self.assertGreater(after['bytes_written'], before['bytes_written'])
        self.assertEqual(after['bytes_unwritten'], 0)
        files = [self.state / DATABASE, self.state / (DATABASE + '-wal')]
        self.assertEqual(after['bytes_on_disk'], sum(file.stat().st_size for file in files))
        self.assertEqual((after['storage_errors'], after['rows_damaged']), (0, 0))
        self.assertLessEqual(set(self.NAMES), after.keys())

    def test_damaged_rows_are_counted(self):
        """Of the log and of series at the start, of chunks when they are read."""
        server = self.start_stored()
        with Client(server) as client:
            client.put_many([b'put k.%d %d %d\n' % (i % 4, i, i) for i in range(3_000)])
        self.assertEqual(server.stop(), 0)
        with sqlite3.connect(self.state / DATABASE) as database:
            database.execute('UPDATE chunk SET checksum = checksum + 1 WHERE series = (SELECT min (series) FROM chunk)')
            database.execute("INSERT INTO log (checksum, data) VALUES (1, x'00'), (2, x'00')")
            (n_chunks,), = database.execute('SELECT count (*) FROM chunk WHERE series = (SELECT min (series) FROM chunk)')
        database.close()
        client = self.client(self.start_stored())
        self.assertEqual(client.stats()['rows_damaged'], 2)
        client.ask(b'get *')
        self.assertEqual(client.stats()['rows_damaged'], 2 + n_chunks)

    def test_of_memory_alone_there_are_none(self):
        stats = self.client(self.start()).stats()
        for name in self.NAMES:
            self.assertNotIn(name, stats)


class FolderTest(LastingTest):
    def assert_stores_in(self, state, **env):
        """A server with these variables and no option keeps its points there, where nobody else can read them."""
        env = {'STATE_DIRECTORY': '', 'XDG_STATE_HOME': '', 'HOME': str(self.folder / 'nobody'), **env}
        server = self.start(memory_only=False, env=env)
        self.client(server).put('k', 1, 1)
        self.assertEqual(server.stop(), 0)
        self.assertTrue((state / DATABASE).is_file())
        self.assertEqual(stat.S_IMODE(state.stat().st_mode), 0o700)
        server = self.start(memory_only=False, env=env)
        self.assertEqual(self.client(server).ask(b'get k'), b'ok\nk 1.0 1\n\n')
        self.assertEqual(server.stop(), 0)

    def test_of_a_service(self):
        self.assert_stores_in(self.folder / 'a', STATE_DIRECTORY=str(self.folder / 'a'), XDG_STATE_HOME=str(self.folder / 'x'))
        self.assert_stores_in(self.folder / 'b', STATE_DIRECTORY=f'{self.folder}/b:{self.folder}/c')
        self.assertEqual(sorted(os.listdir(self.folder)), ['a', 'b'])

    def test_of_a_user(self):
        self.assert_stores_in(self.folder / 'x/metricsd', XDG_STATE_HOME=str(self.folder / 'x'))
        self.assert_stores_in(self.folder / 'home/.local/state/metricsd', HOME=str(self.folder / 'home'))

    def test_of_a_user_is_never_relative(self):
        self.assert_stores_in(self.folder / 'home/.local/state/metricsd', XDG_STATE_HOME='here', HOME=str(self.folder / 'home'))

    def test_the_option_goes_first(self):
        server = self.start_stored(env={'STATE_DIRECTORY': str(self.folder / 'a'), 'XDG_STATE_HOME': str(self.folder / 'x')})
        self.assertEqual(server.stop(), 0)
        self.assertEqual(os.listdir(self.folder), ['state'])

    def test_memory_only_leaves_nothing(self):
        server = self.start('--memory-only', env={'STATE_DIRECTORY': str(self.folder / 'a'), 'XDG_STATE_HOME': str(self.folder / 'x')})
        self.client(server).put('k', 1, 1)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(os.listdir(self.folder), [])


class RefusedTest(LastingTest):
    def make_database(self):
        server = self.start_stored()
        self.client(server).put('k', 1, 1)
        self.assertEqual(server.stop(), 0)

    def assert_refused_untouched(self, *mentions):
        path = self.state / DATABASE
        before = path.read_bytes()
        self.assert_refused(str(path), *mentions)
        self.assertEqual(path.read_bytes(), before)

    def test_a_second_server(self):
        first = self.start_stored()
        self.client(first).put('k', 1, 1)
        self.assert_refused(str(self.state))
        self.client(first).put('k', 2, 2)
        self.assertEqual(first.stop(), 0)
        self.assertEqual(self.everything(self.start_stored())[0], b'ok\nk 1.0 1\nk 2.0 2\n\n')

    def test_the_lock_of_a_crashed_server_is_none(self):
        first = self.start_stored()
        first.kill()
        self.assertEqual(self.client(self.start_stored()).ask(b'ping'), OK)

    def test_a_file_that_is_no_database(self):
        self.state.mkdir()
        for content in (b'my letters\n' * 1000, b'SQLite format 3\0' + bytes(4080), b'xy'):
            (self.state / DATABASE).write_bytes(content)
            self.assert_refused_untouched()

    def test_what_is_damaged_says_what_saves_it(self):
        """At a start, and where it is only read; and it does so."""
        server = self.start_stored()
        with Client(server) as client:
            client.put_many([b'put k.%d %d %d\n' % (i % 40, i, i) for i in range(20_000)])
        before = self.everything(server)
        self.assertEqual(server.stop(), 0)
        path = self.state / DATABASE
        whole = path.read_bytes()
        for name, damaged in (('header', bytes(byte ^ 0x5a for byte in whole[:100]) + whole[100:]),
                              ('schema', whole[:100] + bytes(8) + whole[108:]), ('page', whole[:4096])):
            with self.subTest(name):
                path.write_bytes(damaged)
                self.assert_refused_untouched("'metricsd --recover FILE' saves what is whole")
        path.write_bytes(bytes(100) + whole[100:])
        result = run('--state-dir', self.state, '--check')
        self.assertEqual(result.returncode, 1)
        self.assertIn("'metricsd --recover FILE' saves what is whole", result.stderr)
        saved = self.folder / DATABASE
        self.assertIn(run('--state-dir', self.state, '--recover', saved).returncode, (0, 3))
        shutil.copy(saved, path)
        self.assertEqual(self.everything(self.start_stored()), before)

    def test_half_a_file(self):
        """It is served as far as it goes, or not; either way it is said what saves it."""
        server = self.start_stored()
        with Client(server) as client:
            client.put_many([b'put k.%d %d %d\n' % (i % 40, i * 7919 % 10_007, i) for i in range(20_000)])
        self.assertEqual(server.stop(), 0)
        path = self.state / DATABASE
        whole = path.read_bytes()
        path.write_bytes(whole[:len(whole) // 2])
        result = run('--state-dir', self.state, '--check')
        self.assertEqual(result.returncode, 1)
        self.assertIn("'metricsd --recover FILE' saves what is whole", result.stderr)
        server = self.start_stored()
        self.assertEqual(server.stop(), 0)
        self.assertIn("'metricsd --recover FILE' saves what is whole", server.errors())

    def test_a_database_of_another_program(self):
        self.state.mkdir()
        with sqlite3.connect(self.state / DATABASE) as database:
            database.execute('CREATE TABLE series (name TEXT)')
        database.close()
        self.assert_refused_untouched()
        with sqlite3.connect(self.state / DATABASE) as database:
            database.execute('PRAGMA application_id = 1')
        database.close()
        self.assert_refused_untouched()

    def test_a_newer_version(self):
        self.make_database()
        with sqlite3.connect(self.state / DATABASE) as database:
            self.assertEqual(database.execute('PRAGMA application_id').fetchone(), (0x4d545244,))
            self.assertEqual(database.execute('PRAGMA user_version').fetchone(), (1,))
            database.execute('PRAGMA user_version = 2')
        database.close()
        self.assert_refused_untouched()

    def test_no_folder_can_be_made(self):
        (self.folder / 'file').write_text('')
        for path in (self.folder / 'file', self.folder / 'file/state', pathlib.Path('/proc/metricsd')):
            self.state = path
            self.assert_refused(str(path))

    def test_a_folder_without_rights(self):
        self.state.mkdir(mode=0o500)
        self.assert_refused(str(self.state), preexec=obey_permissions)
        self.assertEqual(os.listdir(self.state), [])

    def test_files_without_rights(self):
        self.make_database()
        for path in self.state.iterdir():
            path.chmod(0o400)
        self.state.chmod(0o500)
        self.assert_refused(str(self.state), preexec=obey_permissions)
        self.state.chmod(0o700)


if __name__ == '__main__':
    main()
