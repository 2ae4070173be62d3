#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsd --recover: all that is whole in a damaged database is saved, what is lost is said, and nothing is written into
the damaged one.

METRICSD_FLIPS says how many places of a file are damaged in turn, METRICSD_SEED which."""

import collections
import os
import random
import shutil
import sqlite3

import harness
from folders import DATABASE, FRAME, PAGE, WAL, FolderTest, limit_files
from harness import SANITIZED, main

FLIPS = int(os.environ.get('METRICSD_FLIPS', '40' if SANITIZED else '80'))
SEED = int(os.environ.get('METRICSD_SEED', '4'))

Content = collections.namedtuple('Content', 'chunks logs series')


def content(path):
    """The rows of a database: the chunks with their keys, the log, and the keys, as multisets."""
    database = sqlite3.connect(f'file:{path}', uri=True)
    chunks = database.execute('SELECT key, chunk.first, chunk.last, chunk.n, checksum, data FROM chunk'
                              ' LEFT JOIN series ON series.id = chunk.series').fetchall()
    logs = database.execute('SELECT data FROM log').fetchall()
    series = database.execute('SELECT id, key FROM series').fetchall()
    database.close()
    return Content(*map(collections.Counter, (chunks, logs, series)))


class RecoverTest(FolderTest):
    def setUp(self):
        super().setUp()
        self.out = self.folder / 'out'
        self.out.mkdir()
        self.file = self.out / DATABASE

    def files(self):
        return {path.name: path.read_bytes() for path in self.state.iterdir()}

    def recover(self, **arguments):
        """Recovers, and returns the status, the figures and what is said; the damaged files are as they were, the new
        one is whole."""
        before = self.files()
        shutil.rmtree(self.out)
        self.out.mkdir()
        result = self.task('--recover', self.file, **arguments)
        self.assertEqual(self.files(), before)
        self.assertEqual((result.stderr, os.listdir(self.out)), ('', [DATABASE]))
        self.assertIn(result.returncode, (0, 3), result.stdout)
        check = harness.run('--state-dir', self.out, '--check')
        self.assertEqual(check.returncode, 0, check.stdout + result.stdout)
        lines = result.stdout.splitlines()
        figures = {name: int(value) for name, value in (line.split() for line in lines[-6:])}
        self.assertEqual(result.returncode == 3, figures['lost'] > 0, result.stdout)
        return result.returncode, figures, lines[:-6]

    def assert_fails(self, *mentions, **arguments):
        self.file.unlink(missing_ok=True)
        before = self.files() if self.state.is_dir() else {}
        super().assert_fails('--recover', self.file, mentions=mentions, **arguments)
        self.assertEqual(self.files() if self.state.is_dir() else {}, before)

    def execute(self, text, *values):
        database = sqlite3.connect(self.state / DATABASE)
        rows = database.execute(text, values).fetchall()
        database.commit()
        database.close()
        return rows

    def change(self, func, name=DATABASE):
        data = bytearray((self.state / name).read_bytes())
        func(data)
        (self.state / name).write_bytes(data)


class WholeTest(RecoverTest):
    def test_what_is_whole_is_saved_as_it_is(self):
        before = self.fill(1, 2)
        status, figures, lines = self.recover()
        self.assertEqual((status, lines), (0, []))
        self.assertEqual(content(self.file), content(self.state / DATABASE))
        self.assertEqual(figures['points'], before[0].count(b'\n') - 2)
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)
        self.assertEqual(self.served(self.file), before)

    def test_of_a_crashed_server(self):
        self.fill(1)
        before = self.crash()
        self.assertEqual(self.recover()[0], 0)
        self.assertEqual(self.served(self.file), before)
        self.assertEqual(self.everything(self.start_stored()), before)

    def test_of_nothing_stored(self):
        self.assertEqual(self.start_stored().stop(), 0)
        self.assertEqual(self.recover()[0], 0)
        self.assertEqual(self.served(self.file), (b'ok\n\n', b'ok\n\n'))

    def test_of_a_database_with_free_pages(self):
        """What was deleted does not come back."""
        server = self.start_stored()
        self.assertEqual(server.stop(), 0)
        self.fill(1, 2)
        server = self.start_stored()
        with harness.Client(server) as client:
            client.rows(b'del noise.*')
        before = self.everything(server)
        self.assertEqual(server.stop(), 0)
        self.assertGreater(self.execute('PRAGMA freelist_count')[0][0], 5)
        self.assertEqual(self.recover()[0], 0)
        self.assertEqual(self.served(self.file), before)

    def test_of_a_database_that_can_shrink(self):
        """Then some pages say where the others belong."""
        before = self.fill(1, 2)
        self.execute('PRAGMA auto_vacuum = INCREMENTAL')
        self.execute('VACUUM')
        self.execute("INSERT INTO log (checksum, data) VALUES (0, zeroblob (5000000))")
        self.execute('DELETE FROM log')
        self.execute('PRAGMA incremental_vacuum (10)')
        self.assertGreater((self.state / DATABASE).stat().st_size, 900 * PAGE)
        self.assertEqual(self.recover()[0], 0)
        self.assertEqual(self.served(self.file), before)

    def test_of_deleted_rows_that_were_not_wiped(self):
        self.fill(1)
        database = sqlite3.connect(self.state / DATABASE)
        database.execute('PRAGMA secure_delete = OFF')
        database.execute("DELETE FROM chunk WHERE series IN (SELECT id FROM series WHERE key = CAST ('noise.1' AS BLOB))")
        database.execute("DELETE FROM chunk WHERE series IN (SELECT id FROM series WHERE key = CAST ('noise.3' AS BLOB))")
        database.commit()
        database.close()
        self.assertEqual(self.recover()[0], 0)
        self.assertEqual(content(self.file).chunks, content(self.state / DATABASE).chunks)


class FlipTest(RecoverTest):
    def places(self, size, header, unit):
        """Where to damage a file: anywhere, and more often where a page says what it is."""
        generator = random.Random(SEED)
        for _ in range(FLIPS):
            start = header + generator.randrange((size - header) // unit) * unit
            reach = generator.choice((8, 24, 48, 150, unit))
            place = start + generator.randrange(reach) if generator.random() < 0.9 else generator.randrange(200)
            yield min(place, size - 1), generator.choice((1 << generator.randrange(8), generator.randrange(1, 256)))

    def flip(self, name, header, unit):
        """One byte after the other: no more is lost than one row, and what is lost is said."""
        whole = content(self.copy())
        damaged = (self.state / name).read_bytes()
        n_found = 0
        for place, bits in self.places(len(damaged), header, unit):
            with self.subTest(place=place, page=place // unit + 1, offset=place % unit, bits=bits):
                changed = bytearray(damaged)
                changed[place] ^= bits
                (self.state / name).write_bytes(changed)
                status, _, lines = self.recover()
                saved = content(self.file)
                said = '\n'.join(lines)
                lost = sum(((a - b).total() for a, b in zip(map(without_key, (whole.chunks, whole.logs)),
                                                            map(without_key, (saved.chunks, saved.logs)))), 0)
                self.assertLessEqual(lost, 1, said)
                self.assertLessEqual((whole.series - saved.series).total(), 1, said)
                if status == 0:
                    self.assertEqual(saved, whole)
                n_found += status != 0
        # Else it would not have hit anything.
        self.assertGreater(n_found, 0)

    def copy(self):
        """The database as it was, read elsewhere: who reads it may tidy it up."""
        copy = self.folder / 'whole'
        shutil.copytree(self.state, copy)
        return copy / DATABASE

    def test_a_file(self):
        self.fill(1)
        self.flip(DATABASE, 0, PAGE)

    def test_a_log(self):
        self.fill(1)
        self.crash()
        self.flip(DATABASE, 0, PAGE)

    def test_a_write_ahead_log(self):
        """Of the log of changes, and of chunks that were written again."""
        self.fill(1)
        self.crash()
        database = sqlite3.connect(self.state / DATABASE)
        database.execute('PRAGMA wal_autocheckpoint = 0')
        for number in range(12):
            columns = 'series, first, last, n, checksum, data'
            rows = database.execute(f'SELECT {columns} FROM chunk WHERE series % 12 = ?', (number,)).fetchall()
            database.execute('DELETE FROM chunk WHERE series % 12 = ?', (number,))
            database.executemany(f'INSERT INTO chunk ({columns}) VALUES (?, ?, ?, ?, ?, ?)', rows)
            database.commit()
        copy = self.folder / 'copy'
        shutil.copytree(self.state, copy)  # before it tidies up
        database.close()
        shutil.rmtree(self.state)
        copy.rename(self.state)
        self.assertGreater((self.state / WAL).stat().st_size, 30 * FRAME)
        self.flip(WAL, 32, FRAME)

    def test_a_file_with_free_pages(self):
        """What was deleted stands in them still."""
        self.fill(1, 2)
        self.crash()
        database = sqlite3.connect(self.state / DATABASE)
        database.execute('PRAGMA secure_delete = FAST')
        columns = 'checksum, data'
        for table, others in (('chunk', 'series, first, last, n, '), ('log', '')):
            (newest,), = database.execute(f'SELECT max(id) FROM {table}')
            for _ in range(3):
                database.execute(f'INSERT INTO {table} ({others}{columns}) SELECT {others}{columns} FROM {table}')
                database.commit()
                database.execute(f'DELETE FROM {table} WHERE id > ?', (newest,))
                database.commit()
        self.assertGreater(database.execute('PRAGMA freelist_count').fetchone()[0], 10)
        database.close()
        self.assertEqual(self.recover()[0], 0)
        self.flip(DATABASE, 0, PAGE)

    def test_many_places_at_once(self):
        """Whatever a file looks like, it ends, and what it writes is whole."""
        self.fill(1)
        self.crash()
        before = self.files()
        generator = random.Random(SEED)
        for number in range(FLIPS // 3):
            with self.subTest(number=number):
                for name in (DATABASE, WAL):
                    changed = bytearray(before[name])
                    for _ in range(generator.choice((3, 100, 3000))):
                        changed[generator.randrange(len(changed))] ^= generator.randrange(1, 256)
                    for _ in range(generator.randrange(4)):
                        start, size = generator.randrange(len(changed)), generator.randrange(3 * PAGE)
                        changed[start:start + size] = generator.choice((bytes(size), generator.randbytes(size)))
                    (self.state / name).write_bytes(changed)
                self.recover()


def without_key(rows):
    """Rows as they are found even where their key is not."""
    return collections.Counter(row[1:] if len(row) > 1 else row for row in rows.elements())


class DamageTest(RecoverTest):
    def assert_lost(self, lines, *mentions):
        self.assertTrue(any(all(text in line for text in mentions) for line in lines), lines)

    def test_points_that_were_changed(self):
        self.fill(1)
        row, key, first, last, data = self.execute(
            'SELECT chunk.id, key, chunk.first, chunk.last, data FROM chunk JOIN series ON series.id = series WHERE length (data) > 50')[0]
        self.execute('UPDATE chunk SET data = ? WHERE id = ?', data[:-1] + bytes([data[-1] ^ 1]), row)
        status, figures, lines = self.recover()
        self.assertEqual((status, figures['lost']), (3, 1))
        self.assert_lost(lines, "'chunk'", f'row {row}:', key.decode(), str(first), str(last))
        self.assertEqual(figures['chunks'], self.execute('SELECT count (*) - 1 FROM chunk')[0][0])

    def test_pages_that_are_gone(self):
        """Whatever page is wiped, what does not reach into it is saved."""
        self.fill(1)
        whole = content(self.state / DATABASE)
        before = (self.state / DATABASE).read_bytes()
        for page in range(len(before) // PAGE):
            with self.subTest(page=page + 1):
                self.change(lambda data: data.__setitem__(slice(page * PAGE, (page + 1) * PAGE), bytes(PAGE)))
                status, figures, lines = self.recover()
                saved = content(self.file)
                # No page has more rows than this, and none of a chunk is in another page.
                self.assertLessEqual((without_key(whole.chunks) - without_key(saved.chunks)).total(), 80, lines)
                self.assertGreater(saved.chunks.total(), 0)
                if status == 0:  # a free one, or one that only leads to others
                    self.assertEqual(saved, whole)
                (self.state / DATABASE).write_bytes(before)

    def test_keys_that_are_lost(self):
        """Where a series is neither in its table nor in the index its points are there, under a key of its number."""
        self.fill(1)
        (series, key), = self.execute("SELECT id, key FROM series WHERE key = CAST ('noise.2' AS BLOB)")
        points = self.execute('SELECT sum (n) FROM chunk WHERE series = ?', series)[0][0]
        self.execute('DELETE FROM series WHERE id = ?', series)
        status, _, lines = self.recover()
        self.assertEqual(status, 3)
        self.assert_lost(lines, "'series'", f'row {series}:', f"'lost.{series}'")
        self.assertEqual(self.served(self.file)[0].count(b'lost.%d ' % series), points)

    def test_keys_that_only_the_index_has(self):
        """A wiped page of series costs no key."""
        before = self.fill(1)
        (root,), = self.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'series'")
        self.change(lambda data: data.__setitem__(slice((root - 1) * PAGE, root * PAGE), bytes(PAGE)))
        self.assertEqual(self.recover()[0], 3)
        self.assertEqual(self.served(self.file), before)

    def test_a_file_that_is_cut_short(self):
        self.fill(1)
        before = (self.state / DATABASE).read_bytes()
        whole = content(self.state / DATABASE)
        for size in (len(before) - 1, len(before) - PAGE, len(before) // 2 + 77, 3 * PAGE):
            with self.subTest(size=size):
                (self.state / DATABASE).write_bytes(before[:size])
                status, _, lines = self.recover()
                saved = content(self.file)
                if size < len(before) - PAGE:
                    self.assertEqual(status, 3)
                    self.assert_lost(lines, 'cut short', 'pages are missing')
                    self.assertLess(saved.chunks.total(), whole.chunks.total())
                elif status == 0:
                    self.assertEqual(saved, whole)
                self.assertFalse(without_key(saved.chunks) - without_key(whole.chunks))

    def test_a_lost_write_ahead_log(self):
        """What was in it is gone; the rest is what was there before."""
        before = self.fill(1)
        self.crash()
        (self.state / WAL).unlink()
        self.recover()
        self.assertEqual(self.served(self.file), before)

    def test_a_lost_header(self):
        """The first page leads to all others, and has nothing itself."""
        before = self.fill(1)
        for wiped in (bytes(PAGE), b'?' * PAGE):
            self.change(lambda data: data.__setitem__(slice(0, PAGE), wiped))
            self.recover()
            self.assertEqual(self.served(self.file), before)

    def test_another_size_of_pages(self):
        before = self.fill(1)
        self.change(lambda data: data.__setitem__(slice(16, 18), b'\x20\x00'))
        self.recover()
        self.assertEqual(self.served(self.file), before)

    def test_rows_of_the_log(self):
        self.fill(1)
        self.crash()
        rows = self.execute('SELECT id, data FROM log ORDER BY id')
        self.assertGreater(len(rows), 1)
        middle, data = rows[len(rows) // 2]
        self.execute('UPDATE log SET data = ? WHERE id = ?', data[:-1], middle)
        status, figures, lines = self.recover()
        self.assertEqual((status, figures['log_rows']), (3, len(rows) - 1))
        self.assert_lost(lines, "'log'", f'row {middle}:')
        self.served(self.file)

    def test_columns_that_are_wrong(self):
        """A checksum covers the points, which say what their span is; whose they are the index says as well."""
        before = self.fill(1)
        row = self.execute('SELECT id FROM chunk WHERE length (data) > 50')[0][0]
        self.execute('UPDATE chunk SET last = last + 5, n = n + 1 WHERE id = ?', row)
        self.assertEqual(self.recover()[0], 0)
        self.assertEqual(self.served(self.file), before)

    def test_chunks_that_overlap(self):
        before = self.fill(1)
        row = self.execute('SELECT id FROM chunk WHERE length (data) > 50')[0][0]
        columns = 'series, first, last, n, checksum, data'
        self.execute(f'INSERT INTO chunk (id, {columns}) SELECT id + 100000, {columns} FROM chunk WHERE id = ?', row)
        self.recover()
        self.assertEqual(self.served(self.file), before)


class WalTest(RecoverTest):
    """SQLite ends its log at the damage, and says nothing."""

    def kept(self):
        return sorted(self.state.glob(WAL + '.damaged-*'))

    def test_a_start_keeps_what_it_does_not_read(self):
        before = self.fill(1)
        whole = self.crash()
        self.damage_wal()
        damaged = (self.state / WAL).read_bytes()
        server = self.start_stored('--durability', 'always')
        served = self.everything(server)
        copy, = self.kept()
        self.assertEqual((copy.read_bytes(), copy.stat().st_mode & 0o777), (damaged, 0o600))
        self.assertLess(len(served[0]), len(whole[0]))
        self.assertGreater(len(served[0]), len(before[0]))  # a batch at least stands before the damage
        with harness.Client(server) as client:
            client.put('later', 1, 1)
        server.kill()
        said = server.errors()
        self.assertEqual((said.count(str(copy)), said.count('damaged:')), (1, 1), said)
        # It stands behind nothing any more, so it is not found again.
        server = self.start_stored()
        self.assertIn(b'later 1.0 1\n', self.everything(server)[0])
        self.assertEqual(server.stop(), 0)
        self.assertNotIn('damage', server.errors())
        self.assertEqual(self.kept(), [copy])

    def test_a_log_without_a_header(self):
        before = self.fill(1)
        self.crash()
        self.change(lambda data: data.__setitem__(slice(0, 32), bytes(32)), WAL)
        server = self.start_stored()
        self.assertEqual((self.everything(server), len(self.kept())), (before, 1))
        self.assertEqual(server.stop(), 0)

    def test_what_cannot_be_kept_is_not_written_over(self):
        self.fill(1)
        self.crash(12_000)
        self.damage_wal(0.3)
        damaged = (self.state / WAL).read_bytes()
        server = self.start_stored(preexec=limit_files)
        with harness.Client(server) as client:
            self.assertIn(b'damaged', client.ask(b'put later 1 1'))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(((self.state / WAL).read_bytes(), self.kept()), (damaged, []))

    def test_a_log_that_was_moved(self):
        """Where the file has what stands behind the damage, what stands before it is older and goes with none of it."""
        self.fill(1)
        self.crash()
        copy = self.folder / 'copy'
        shutil.copytree(self.state, copy)
        database = sqlite3.connect(self.state / DATABASE)
        database.execute('PRAGMA wal_checkpoint').fetchall()
        shutil.copy(self.state / DATABASE, copy)
        database.close()
        shutil.rmtree(self.state)
        copy.rename(self.state)
        self.damage_wal()
        damaged = self.files()
        server = self.start_stored()
        self.assertEqual(server.stop(), 0)
        self.assertIn('nothing is written', server.errors())
        self.assertEqual({name: self.files()[name] for name in (DATABASE, WAL)}, {name: damaged[name] for name in (DATABASE, WAL)})

    def test_later_commits_are_never_replaced(self):
        """What was written over the damage is newer than what stands behind it still."""
        self.fill(1)
        self.crash(12_000)
        self.damage_wal(0.2)
        database = sqlite3.connect(self.state / DATABASE)
        database.execute('PRAGMA wal_autocheckpoint = 0')
        n_before = database.execute('SELECT count (*) FROM log').fetchone()[0]
        database.execute('INSERT INTO log (checksum, data) SELECT checksum, data FROM log ORDER BY id LIMIT 1')
        database.commit()
        database.execute('UPDATE series SET key = ? WHERE id = 1', (b'renamed',))
        database.commit()
        copy = self.folder / 'copy'
        shutil.copytree(self.state, copy)
        database.close()
        shutil.rmtree(self.state)
        copy.rename(self.state)
        again = self.folder / 'again'
        shutil.copytree(self.state, again)
        seen = content(again / DATABASE)
        self.assertEqual(seen.logs.total(), n_before + 1)
        status, _, lines = self.recover()
        saved = content(self.file)
        self.assertEqual(status, 3)
        self.assertTrue(any('uncertain' in line for line in lines), lines)
        self.assertFalse(seen.logs - saved.logs)
        self.assertFalse(seen.series - saved.series)
        self.assertFalse(seen.chunks - saved.chunks)
        self.assertGreater(saved.logs.total(), seen.logs.total())


class RefusedTest(RecoverTest):
    def test_beside_a_server(self):
        server = self.start_stored()
        self.assert_fails(self.state, 'in use')
        self.assertEqual(server.stop(), 0)

    def test_of_nothing(self):
        self.assert_fails(self.state / DATABASE)
        self.state.mkdir()
        self.assert_fails(self.state / DATABASE)

    def test_of_something_else(self):
        self.state.mkdir()
        for text in (b'', b'x', b'my letters\n' * 10_000, bytes(100_000), random.Random(1).randbytes(1 << 20)):
            (self.state / DATABASE).write_bytes(text)
            self.assert_fails(self.state / DATABASE, 'nothing that metricsd has written')

    def test_of_another_program(self):
        self.state.mkdir()
        self.execute('CREATE TABLE letters (id INTEGER PRIMARY KEY, text TEXT, n INTEGER)')
        self.execute("INSERT INTO letters (text, n) VALUES ('dear', 1)")
        self.assert_fails(self.state / DATABASE, 'nothing that metricsd has written')

    def test_a_name_that_is_taken(self):
        self.fill(1)
        self.file.write_text('something dear')
        super(RecoverTest, self).assert_fails('--recover', self.file, mentions=(self.file, 'exists'))
        self.assertEqual(self.file.read_text(), 'something dear')

    def test_a_full_disk(self):
        self.fill(1, 2, 3)
        self.assert_fails(self.file, preexec=limit_files)


if __name__ == '__main__':
    main()
