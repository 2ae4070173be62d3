# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a real machine recorded goes in through import and comes out through export, and sums agree with sums that
are computed here.

The data is the file that METRICSD_RECORDED_DATA names, else one beside the source tree; where there is none the
tests are skipped."""

import collections
import math
import os
import pathlib
import shutil
import subprocess
import unittest

import harness
from ctl import Ctl, TestCase

# With sanitizers a part must do.
MAX_LINES = 100_000 if harness.SANITIZED else None

BESIDE = pathlib.Path(__file__).resolve().parents[3] / 'shared/data/node.txt.zst'


def read_lines():
    path = os.environ.get('METRICSD_RECORDED_DATA') or BESIDE
    if not os.path.exists(path):
        raise unittest.SkipTest(f'there is no {path}')
    if shutil.which('zstd') is None:
        raise unittest.SkipTest('there is no zstd')
    data = subprocess.run(['zstd', '-dc', path], stdout=subprocess.PIPE, check=True).stdout
    return data.decode().splitlines()[:MAX_LINES]


def as_points(lines):
    """Of a key and a timestamp, the value that came last."""
    points = {}
    for line in lines:
        key, value, timestamp = line.split()
        points[key, int(timestamp)] = float(value)
    return points


class Recorded(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lines = read_lines()
        cls.points = as_points(cls.lines)
        cls._server = cls.enterClassContext(harness.Server())
        result = Ctl(cls._server).run('import', stdin='\n'.join(cls.lines) + '\n')
        if result.status != 0:
            raise AssertionError(result)
        print('#', result.err.strip())

    def test_same_points(self):
        result = self.ctl.run('export')
        self.assertEqual(result.status, 0, result.err)
        lines = result.out.splitlines()
        self.assertEqual(len(lines), len(self.points))
        # As a set, for a store brings the points into the order of their keys and times.
        self.assertTrue(as_points(lines) == self.points)

    def test_order_of_keys(self):
        first_put = list(dict.fromkeys(line.split()[0] for line in self.lines))
        keys = [line.split()[0] for line in self.ctl.run('keys').out.splitlines()]
        self.assertEqual(keys, first_put)

    def test_export_of_an_import_of_an_export(self):
        first = self.ctl.run('export').out
        other = Ctl(self.start())
        self.assertEqual(other.run('import', stdin=first).status, 0)
        self.assertTrue(other.run('export').out == first)

    def compute(self, function):
        """For each key and bucket of ten minutes, and of all time: what `function` makes of the values."""
        for step in 600, 10**12:
            values = collections.defaultdict(list)
            for (key, timestamp), value in self.points.items():
                values[key, timestamp // step * step].append(value)
            yield step, {bucket: function(numbers) for bucket, numbers in values.items()}, values

    def test_sums(self):
        for step, sums, values in self.compute(math.fsum):
            rows = self.ctl.run('range', '*', '--step', str(step), '--function', 'sum').out.splitlines()
            shown = as_points(rows)
            self.assertEqual(shown.keys(), sums.keys())
            for bucket, total in sums.items():
                bound = 1e-12 * math.fsum(map(abs, values[bucket]))
                self.assertLessEqual(abs(shown[bucket] - total), bound, bucket)

    def test_counts_and_extremes(self):
        for name, function in ('count', len), ('min', min), ('max', max):
            for step, wanted, _ in self.compute(function):
                rows = self.ctl.run('range', '*', '--step', str(step), '--function', name).out.splitlines()
                self.assertTrue(as_points(rows) == wanted, name)


if __name__ == '__main__':
    harness.main()
