#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the library exports is what its headers declare, no more and no less: test-symbols.py LIBRARY HEADER..."""

import pathlib
import re
import subprocess
import sys
import unittest

from harness import main

LIBRARY, *HEADERS = sys.argv[1:]
del sys.argv[1:]

FUNCTION = re.compile(r'^(?!\s*(?:#|\*|/\*|typedef)).*?\b(metrics_[a-z0-9_]+) \(', re.MULTILINE)
# What G_DECLARE_FINAL_TYPE() declares.
TYPE = re.compile(r'^G_DECLARE_FINAL_TYPE \(\w+, (\w+),', re.MULTILINE)


def read_exports():
    listing = subprocess.run(['nm', '--dynamic', '--defined-only', '--format=posix', LIBRARY],
                             capture_output=True, text=True, check=True).stdout
    symbols = {line.split()[0] for line in listing.splitlines()}
    # The version that all of them belong to is listed as well.
    return {re.sub('@.*', '', symbol) for symbol in symbols if not symbol.startswith('LIBMETRICS_GLIB_')}


def read_declarations():
    symbols = set()
    for header in HEADERS:
        text = pathlib.Path(header).read_text()
        symbols.update(FUNCTION.findall(text))
        symbols.update(name + '_get_type' for name in TYPE.findall(text))
    return symbols


class SymbolsTest(unittest.TestCase):
    def test_exports(self):
        exports, declarations = read_exports(), read_declarations()
        self.assertGreater(len(declarations), 50)
        self.assertEqual(exports - declarations, set(), 'exported and not declared')
        self.assertEqual(declarations - exports, set(), 'declared and not exported')


if __name__ == '__main__':
    main()
