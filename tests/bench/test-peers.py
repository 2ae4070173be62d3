# SPDX-License-Identifier: LGPL-2.1-or-later
"""peers, on tiny work and without packages: metricsd and the server in Python. Its figures are looked at for being there,
not for what they are."""

import glob
import os
import re
import signal
import subprocess
import tempfile
import unittest

import harness

ROWS = {
    'W1': ['W1: 2 M points', 'W1: server CPU'],
    'W1x50': ['W1 over 50 connections', 'W1 over 50: server CPU'],
    'memory': ['W1: RSS, bytes a point, at 2 M', 'W1: RSS, bytes a point, 2 to 10 M'],
    'W2': ['W2: put and wait', 'W2: 50 connections', 'W2: one connection, one core', 'W2: one connection, p99'],
    'W2 idle': ['W2: 50 beside', 'W2: the same'],
    'W3': ['W3: get', 'W3: all'],
    'W4': ['W4: 200,000', 'W4: RSS'],
    'W5': ['W5:'],
    'idle': ['idle:'],
}


def peers(*words, build=None):
    command = [os.environ['PEERS'], '--build', build or os.environ['BUILD'], '--rounds', '1', '--scale', '0.0005', *words]
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**os.environ, 'TMPDIR': folder}, timeout=240)
        result.left = glob.glob(f'{folder}/*')
    return result


class Peers(unittest.TestCase):
    def check(self, result, status=0):
        self.assertEqual((result.returncode, result.left), (status, []), result.stderr)

    def table(self, result):
        """The cells of a Markdown table, by the titles of its lines."""
        lines = [[cell.strip() for cell in line.strip('|').split('|')]
                 for line in result.stdout.splitlines() if line.startswith('|')]
        return lines[0], {line[0]: line[1:] for line in lines[2:]}

    def test_all(self):
        result = peers('--peer', 'metricsd', '--peer', 'asyncio', '--peer', 'ceiling', '--markdown')
        self.check(result)
        header, table = self.table(result)
        self.assertEqual(header, ['', 'metricsd', 'asyncio', 'ceiling', 'to best peer', 'to ceiling'])
        titles = sum(ROWS.values(), [])
        self.assertEqual(len(table), len(titles))
        for line, title in zip(table.items(), titles):
            with self.subTest(title):
                self.assertTrue(line[0].startswith(title), line)
                for cell in line[1][:2]:
                    self.assertRegex(cell, r'\A-?[\d,.]+\Z')

    def test_selection(self):
        for workload, titles in ROWS.items():
            with self.subTest(workload):
                result = peers('--peer', 'metricsd', '--workload', workload, '--markdown')
                self.check(result)
                header, table = self.table(result)
                self.assertEqual(header[:2], ['', 'metricsd'])
                self.assertTrue(len(table) == len(titles) and all(map(str.startswith, table, titles)), table)

    def test_text(self):
        result = peers('--peer', 'metricsd', '--workload', 'W5')
        self.check(result)
        self.assertRegex(result.stdout, r'\n +metricsd +to best peer +to ceiling\nW5: .* M puts/s +[\d.]+')
        self.assertIn('sizes scaled by 0.0005', result.stdout)

    def test_failure(self):
        """Where a server fails the others are still measured, and the table says so."""
        with tempfile.TemporaryDirectory() as build:
            for path in ('src/daemon', 'tests/bench'):
                os.makedirs(os.path.join(build, path))
            os.symlink('/bin/false', f'{build}/src/daemon/metricsd')
            for name in ('bench-load', 'bench-baseline'):
                os.symlink(os.path.join(os.environ['BUILD'], 'tests/bench', name), f'{build}/tests/bench/{name}')
            result = peers('--peer', 'metricsd', '--peer', 'asyncio', '--workload', 'W5', build=build)
        self.check(result, 1)
        self.assertIn('metricsd did not start', result.stderr)
        self.assertRegex(result.stdout, r'W5: .* - \(1\) +[\d.]+')
        self.assertTrue(re.search(r'^\(1\) failed$', result.stdout, re.M))

    def test_broken_off(self):
        command = [os.environ['PEERS'], '--build', os.environ['BUILD'], '--rounds', '100000', '--scale', '0.0005',
                   '--peer', 'metricsd', '--workload', 'W5']
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       text=True, env={**os.environ, 'TMPDIR': folder})
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.assertTrue(process.stderr.readline().startswith('round 1, metricsd:'))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=120)
            self.assertEqual((process.returncode, os.listdir(folder)), (130, []), err)
        self.assertIn('broken off', err)
        self.assertIn('partial: it was broken off', out)
        self.assertRegex(out, r'\nW5: .* M puts/s +[\d.]+')

    def test_bad_options(self):
        for words in (['--peer', 'nothing'], ['--workload', 'W9'], ['--scale', '0'], ['--scale', '2'], ['--rounds', '0'],
                      ['word']):
            with self.subTest(words=words):
                result = peers(*words)
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                self.assertIn('usage:', result.stderr)


harness.main()
