#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A folder that another server has: who starts waits for it to leave, and not for ever."""

import os
import pathlib
import signal
import subprocess
import tempfile

from harness import NOWHERE, OK, START_WATCHDOG, TestCase, binary, main, prepare_child, quietly, run, wait_until


class LockTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.state = self.folder / 'state'
        self.said = self.folder / 'said'
        self.server = self.start('--state-dir', self.state, '--durability', 'always')

    def start_waiting(self):
        """A second server, which has said that it waits."""
        with open(self.said, 'w') as said:
            process = subprocess.Popen(
                [binary(), *quietly(['--state-dir', str(self.state), '--lock-timeout', '3600', '--host', '127.0.0.1', '--port', '0'])],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True,
                env={**os.environ, **NOWHERE}, preexec_fn=lambda: prepare_child(None))
        self.addCleanup(self.end, process)
        wait_until(lambda: 'waiting for another server' in self.said.read_text(), 'the message')
        self.assertIn(str(self.state), self.said.read_text())
        return process

    def end(self, process):
        process.kill()
        process.communicate()

    def check_it_goes_on(self, leave):
        """What the one has said `ok` to, the other has."""
        self.client(self.server).put('a', 1, 77)
        process = self.start_waiting()
        leave()
        lines = [process.stdout.readline() for _ in range(2)]
        self.assertEqual(lines[1], 'ready\n')
        client = self.client(lines[0].removeprefix('listening on ').strip())
        self.assertEqual(client.rows(b'get a'), [b'a 1.0 77'])
        process.terminate()
        self.assertEqual(process.wait(START_WATCHDOG), 0)

    def test_the_other_one_leaves(self):
        self.check_it_goes_on(self.server.stop)

    def test_the_other_one_crashes(self):
        self.check_it_goes_on(self.server.kill)

    def test_a_signal_ends_the_wait(self):
        process = self.start_waiting()
        process.terminate()
        self.assertEqual(process.wait(START_WATCHDOG), -signal.SIGTERM)
        self.assertEqual(self.client(self.server).ask(b'ping'), OK)

    def test_there_is_an_end_to_it(self):
        for timeout in '0', '1':
            with self.subTest(timeout):
                result = run('--state-dir', self.state, '--lock-timeout', timeout)
                self.assertEqual(result.returncode, 1)
                self.assertIn('in use by another server', result.stderr)
        self.assertEqual(self.client(self.server).ask(b'ping'), OK)


if __name__ == '__main__':
    main()
