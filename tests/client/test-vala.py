#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Vala program that was compiled against the library's binding, with the real server."""

import os
import subprocess

from harness import WATCHDOG, TestCase, main


class ValaTest(TestCase):
    def test_program(self):
        program = subprocess.run([os.environ['VALA_CLIENT'], self.start().address], timeout=WATCHDOG,
                                 capture_output=True, text=True)
        self.assertEqual((program.returncode, program.stderr), (0, ''))

    def test_its_errors(self):
        program = subprocess.run([os.environ['VALA_CLIENT'], '127.0.0.1:0'], timeout=WATCHDOG,
                                 capture_output=True, text=True)
        self.assertEqual(program.returncode, 1)
        self.assertIn('127.0.0.1:0', program.stderr)


if __name__ == '__main__':
    main()
