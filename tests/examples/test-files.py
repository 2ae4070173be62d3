#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What holds for each of the examples: it is short, and its help says what it does."""

import os
import pathlib
import subprocess

from example import NOWHERE, program
from harness import TestCase, main

SOURCE = pathlib.Path(os.environ['EXAMPLES_SOURCE'])
PROGRAMS = sorted(path.name for path in pathlib.Path(os.environ['EXAMPLES']).iterdir()
                  if path.is_file() and os.access(path, os.X_OK))


class FilesTest(TestCase):
    def test_each_file_is_short(self):
        lengths = {path.name: len(path.read_text().splitlines()) for path in SOURCE.iterdir() if path.suffix in ('.c', '.h')}
        self.assertIn('echo.c', lengths)
        self.assertEqual({name: length for name, length in lengths.items() if length >= 200}, {})

    def test_each_has_help(self):
        self.assertIn('echo', PROGRAMS)
        for name in PROGRAMS:
            with self.subTest(name):
                result = subprocess.run([program(name), '--help'], capture_output=True, text=True, check=True,
                                        env={**os.environ, **NOWHERE})
                self.assertIn('--metrics', result.stdout)
                # A summary besides the usage and the options.
                self.assertRegex(result.stdout, r'(?s)\n\n.+\n\nHelp Options:')

    def test_wrong_options_are_said(self):
        for name in PROGRAMS:
            with self.subTest(name):
                result = subprocess.run([program(name), '--no-such-option'], capture_output=True, text=True, check=False,
                                        env={**os.environ, **NOWHERE})
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                self.assertIn('--no-such-option', result.stderr)


if __name__ == '__main__':
    main()
