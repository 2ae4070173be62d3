#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsd --check: whether all that is stored can be read, beside a server or without one."""

import sqlite3
import zlib

from folders import DATABASE, WAL, FolderTest, changes
from harness import Client, main


class CheckTest(FolderTest):
    def check(self, **arguments):
        """The exit status, the figures, and what else it says."""
        result = self.task('--check', **arguments)
        self.assertEqual(result.stderr, '')
        lines = result.stdout.splitlines()
        return result.returncode, {name: int(value) for name, value in (line.split() for line in lines[-7:])}, lines[:-7]

    def execute(self, text, *values):
        database = sqlite3.connect(self.state / DATABASE)
        rows = database.execute(text, values).fetchall()
        database.commit()
        database.close()
        return rows

    def assert_found(self, *mentions):
        """Something is wrong, and of the lines that say so one says all of this."""
        status, figures, found = self.check()
        self.assertEqual((status, figures['findings']), (1, len(found)))
        self.assertTrue(any(all(text in line for text in mentions) for line in found), found)

    def test_of_a_stopped_server(self):
        n_points = self.fill(1, 2)[0].count(b'\n') - 2
        status, figures, found = self.check()
        self.assertEqual((status, found), (0, []))
        self.assertEqual(figures, {'series': self.execute('SELECT count (*) FROM series')[0][0],
                                   'chunks': self.execute('SELECT count (*) FROM chunk')[0][0],
                                   'points': n_points, 'rollup_series': 0, 'log_rows': 0, 'changes': 0, 'findings': 0})
        self.assertGreater(figures['chunks'], 50)

    def test_of_a_crashed_server(self):
        self.fill(1)
        self.crash()
        status, figures, found = self.check()
        self.assertEqual((status, found), (0, []))
        self.assertEqual(figures['changes'], 3_000 + 9)  # puts, and beginnings of series

    def test_rollups_are_counted_apart(self):
        self.fill(1)
        before = self.check()[1]
        self.execute('INSERT INTO series (key, n) VALUES (?, 0)', b'steady.1\x1favg_60')
        self.assertEqual(self.check(), (0, before | {'rollup_series': 1}, []))

    def test_a_write_ahead_log(self):
        """Where SQLite ends in silence it is said, and how much that is."""
        self.fill(1)
        self.crash()
        self.assertEqual(self.check()[0], 0)
        n_frames = self.damage_wal()
        self.assertGreater(n_frames, 3)
        self.assert_found(str(self.state / WAL), 'damaged', "'metricsd --recover FILE'")
        self.assertLessEqual(int(self.check()[2][0].split(' frames')[0].split()[-1]), n_frames + 5)
        # A server keeps it elsewhere, and goes on without it.
        server = self.start_stored()
        self.assertEqual(self.check()[0], 0)
        server.kill()
        self.assertEqual(self.check()[0], 0)

    def test_beside_a_server(self):
        server = self.start_stored('--durability', 'always')
        with Client(server) as client:
            for number in range(3):
                client.put_many(changes(number))
                self.assertEqual(self.check()[0], 0)
                client.rows(b'del late.1')

    def test_of_nothing(self):
        self.assert_fails('--check', mentions=(self.state / DATABASE,))

    def test_points_that_were_changed(self):
        self.fill(1)
        (row, data), = self.execute('SELECT id, data FROM chunk WHERE length (data) > 20 LIMIT 1')
        self.execute('UPDATE chunk SET data = ? WHERE id = ?', data[:-1] + bytes([data[-1] ^ 1]), row)
        self.assert_found("'chunk'", f'row {row}:', 'checksum')

    def test_points_that_are_none(self):
        self.fill(1)
        data = b'\x03no points'
        self.execute('UPDATE chunk SET data = ?, checksum = ? WHERE id = 7', data, zlib.crc32(data))
        self.assert_found("'chunk'", 'row 7:', 'points')

    def test_columns_that_are_wrong(self):
        self.fill(1)
        for column in ('first = first - 1', 'last = last + 1', 'n = n + 1', 'series = 4711'):
            before = self.execute('SELECT * FROM chunk WHERE id = 7')[0]
            self.execute(f'UPDATE chunk SET {column} WHERE id = 7')
            self.assert_found("'chunk'", 'row 7:')
            self.execute('UPDATE chunk SET series = ?, first = ?, last = ?, n = ? WHERE id = 7', *before[1:5])
        self.assertEqual(self.check()[0], 0)

    def test_chunks_that_overlap(self):
        self.fill(1)
        columns = 'series, first, last, n, checksum, data'
        self.execute(f'INSERT INTO chunk (id, {columns}) SELECT 70000, {columns} FROM chunk WHERE id = 7')
        self.assert_found("'chunk'", 'overlaps')

    def test_keys_that_are_none(self):
        self.fill(1)
        self.execute("UPDATE series SET key = CAST ('two words' AS BLOB) WHERE id = 3")
        self.assert_found("'series'", 'row 3:')

    def test_log_rows(self):
        self.fill(1)
        self.crash()
        (row, data), = self.execute('SELECT id, data FROM log LIMIT 1')
        self.execute('UPDATE log SET data = ? WHERE id = ?', data[:-1], row)
        self.assert_found("'log'", f'row {row}:', 'checksum')
        self.execute('UPDATE log SET checksum = ? WHERE id = ?', zlib.crc32(data[:-1]), row)
        self.assert_found("'log'", f'row {row}:', 'changes')

    def test_an_index_that_is_wrong(self):
        self.fill(1)
        path = self.state / DATABASE
        content = bytearray(path.read_bytes())
        (root,), = self.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'chunk_series'")
        content[(root - 1) * 4096] = 0
        path.write_bytes(content)
        status, figures, found = self.check()
        self.assertEqual((status, figures['chunks'] > 50), (1, True))
        self.assertGreater(len(found), 0)


if __name__ == '__main__':
    main()
