# SPDX-License-Identifier: LGPL-2.1-or-later
"""wear, on a few points. Its figures are looked at for being there, not for what they are; wear itself fails where
bytes_written of stats is not what was written."""

import os
import subprocess
import tempfile
import unittest

import harness


def wear(*words):
    with tempfile.TemporaryDirectory() as folder:
        recorded = os.path.join(folder, 'recorded.zst')
        lines = ''.join(f'key.{key} {key * step}.5 {1_700_000_000 + 2 * step}\n' for step in range(40) for key in range(50))
        subprocess.run(['zstd', '-q', '-o', recorded], input=lines, text=True, check=True)
        return subprocess.run([os.environ['WEAR'], '--build', os.environ['BUILD'], '--folder', folder,
                               '--recorded', recorded, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=240)


class Wear(unittest.TestCase):
    def lines(self, *words):
        result = wear(*words)
        self.assertEqual(result.returncode, 0, result.stderr)
        return [[cell.strip() for cell in line.strip('|').split('|')] for line in result.stdout.splitlines()][2:]

    def test_an_interval_is_a_commit_a_step(self):
        (line,) = self.lines('--steps', '100', '--only', 'metricsd interval')
        self.assertEqual(line[:3], ['metricsd interval', '5,000', '1.000'])
        for cell in line[3:6]:
            self.assertRegex(cell, r'\A[\d,]+\.\d\Z')

    def test_a_checkpoint_comes_with_its_time(self):
        # It is two commits at least.
        (line,) = self.lines('--steps', '2000', '--only', 'metricsd interval')
        self.assertGreater(float(line[2]), 1.0)

    def test_sqlite(self):
        (line,) = self.lines('--steps', '10', '--only', 'SQLite, as rows come')
        self.assertEqual(line[:3], ['SQLite, as rows come', '500', '-'])
        self.assertRegex(line[5], r'\A[\d,]+\.\d\Z')

    def test_data_that_are_not_there(self):
        result = wear('--recorded', '/nowhere/node.txt.zst')
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, 'wear: the recorded data are not there: /nowhere/node.txt.zst\n')


harness.main()
