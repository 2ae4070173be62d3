# SPDX-License-Identifier: LGPL-2.1-or-later
"""Folders in which points last: what is put there, what is read from there, and what metricsd does with them besides
serving."""

import pathlib
import resource
import shutil
import signal
import tempfile

import harness
from harness import Client

DATABASE = 'metricsd.db'
WAL = DATABASE + '-wal'
PAGE = 4096
FRAME = 24 + PAGE


def changes(seed):
    """Requests of all kinds: many series, late points, points put again, spans and series that go, long keys."""
    base = seed * 1_000_000
    lines = [b'put steady.%d %d.5 %d\n' % (i % 40, i, base + i) for i in range(8_000)]
    lines += [b'put noise.%d %d.%d %d\n' % (i % 5, i * 7919 % 10_007, i * 104_729 % 1_000_003, base + 3 * i) for i in range(20_000)]
    lines += [b'put late.%d %d %d\n' % (i % 3, i, base + 9_000 - 7 * i) for i in range(600)]
    lines += [b'put again %d 77\n' % (base + i) for i in range(50)]
    lines += ['put Größe.ß✓ -0.0 -9223372036854775808\n'.encode(), b'put ' + b'k' * 1024 + b' 0.1 0\n']
    return lines


def limit_files():
    """No file may grow beyond 64 KiB: writing fails as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, resource.RLIM_INFINITY))


class FolderTest(harness.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.state = self.folder / 'state'
        self.file = self.folder / 'copies' / 'copy.db'
        self.file.parent.mkdir()

    def start_stored(self, *options, **arguments):
        return self.start('--state-dir', self.state, *options, **arguments)

    def fill(self, *seeds):
        """Stores something, and returns all that can be read of it."""
        server = self.start_stored()
        with Client(server) as client:
            for seed in seeds or (1,):
                client.put_many(changes(seed))
                client.rows(b'del steady.1* 100 %d' % (seed * 1_000_000 + 500))
                client.rows(b'del late.1')
        before = self.everything(server)
        self.assertEqual(server.stop(), 0)
        return before

    def crash(self, n_points=3_000):
        """Leaves some of what is stored in the log of the database and in the one of SQLite; says what can be read."""
        server = self.start_stored('--durability', 'always')
        with Client(server) as client:
            for start in range(0, n_points, 600):  # each is on disk, in a row of its own at least, before the next one
                client.put_many([b'put crash.%d %d %d\n' % (i % 9, i, i) for i in range(start, start + 600)])
        before = self.everything(server)
        server.kill()
        return before

    def damage_wal(self, share=0.5):
        """50 bytes of a page in SQLite's log, and what stands behind them is not read by SQLite."""
        data = bytearray((self.state / WAL).read_bytes())
        number = int(len(data) // FRAME * share)
        place = 32 + number * FRAME + 24 + 2000
        data[place:place + 50] = bytes(byte ^ 0xff for byte in data[place:place + 50])
        (self.state / WAL).write_bytes(data)
        return len(data) // FRAME - number

    def everything(self, server):
        """All that can be read: the points, in the order of their series, and what is said of the series."""
        with Client(server) as client:
            return client.ask(b'get *'), client.ask(b'keys *')

    def task(self, *options, **arguments):
        """Runs metricsd to do something else than to serve."""
        result = harness.run('--state-dir', self.state, *options, **arguments)
        self.assertNotRegex(result.stderr, harness.REPORT)
        return result

    def assert_done(self, *options, **arguments):
        result = self.task(*options, **arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ''), result.stdout)
        return result

    def assert_fails(self, *options, mentions=(), status=1, **arguments):
        """It says why in one line, and leaves no file."""
        before = sorted(self.file.parent.iterdir())
        result = self.task(*options, **arguments)
        self.assertEqual((result.returncode, result.stderr.count('\n')), (status, 1), result.stderr)
        for text in ('metricsd: ', *mentions):
            self.assertIn(str(text), result.stderr)
        self.assertEqual(sorted(self.file.parent.iterdir()), before)
        return result

    def served(self, file):
        """All that can be read where a file is the database."""
        with tempfile.TemporaryDirectory() as state:
            shutil.copy(file, pathlib.Path(state) / DATABASE)
            with harness.Server('--state-dir', state) as server:
                before = self.everything(server)
                self.assertNotIn('damaged', server.errors())
            # What it makes of it is whole as well.
            result = harness.run('--state-dir', state, '--check')
            self.assertEqual(result.returncode, 0, result.stdout)
            return before
