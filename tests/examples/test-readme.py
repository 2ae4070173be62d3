#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README of the examples: it names them all, and what it has typed prints what it says. How it is read: readme.py."""

import functools
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

import ondemand
from example import NOWHERE, program
from harness import WATCHDOG, TestCase, has_ipv6, main
from readme import Shell, matches, parse_sections

TEXT = (pathlib.Path(os.environ['EXAMPLES_SOURCE']) / 'README.md').read_text()
INTRODUCTION, SECTIONS = parse_sections(TEXT)
PROGRAMS = sorted(path.name for path in pathlib.Path(os.environ['EXAMPLES']).iterdir()
                  if path.is_file() and os.access(path, os.X_OK))
TOOLS = ('bash', 'curl', 'gdbus', 'nc')
# Of GLib, in the English help.
DEFAULT_PORT = re.compile(r'\(default: \S+:(\d+)\)')


@functools.cache
def help_of(*command):
    return subprocess.run([*command, '--help'], capture_output=True, text=True, check=True, env={**os.environ, **NOWHERE}).stdout


class Ports:
    """Free ports in place of the usual ones. None of them is one that the system gives to whoever asks for any; of this
    test's, no two run with the same, for each is held by a name."""

    def __init__(self, usual):
        self._names = []
        self.map = {}
        candidates = iter(range(20000 + os.getpid() * 8 % 12000, 32768))
        for port in usual:
            self.map[port] = str(next(port for port in candidates if self._take(port)))

    def _take(self, port):
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
                    if family == socket.AF_INET or has_ipv6():
                        with socket.socket(family, kind) as sock:
                            sock.bind((host, port))
            name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._names.append(name)
            name.bind(f'\0metricsd-test-readme-{port}')
        except OSError:
            return False
        return True

    def apply(self, text):
        return re.sub(r'\b\d{4,5}\b', lambda match: self.map.get(match.group(), match.group()), text)

    def close(self):
        for name in self._names:
            name.close()


class NamesTest(TestCase):
    def test_it_has_a_heading_for_each_example(self):
        self.assertEqual(sorted(name for section in SECTIONS for name in section.programs), PROGRAMS)

    def test_each_example_is_tried_and_plotted(self):
        for section in filter(lambda section: section.programs, SECTIONS):
            text = '\n'.join(command.text for command in section.commands)
            for name in section.programs:
                self.assertIn(f'./{name}', text)
            self.assertIn('metricsctl plot', text)

    def test_its_options_are_there(self):
        commands = [[os.environ['METRICSD']], *[[program(name)] for name in PROGRAMS]]
        if 'METRICSCTL' in os.environ:
            commands += [[os.environ['METRICSCTL'], name] for name in ('last', 'plot', 'range')]
            known = {option for command in commands for option in re.findall(r'--[a-z-]+', help_of(*command))}
            named = re.findall(r'(?<![\w-])--[a-z][a-z-]*', re.sub(r'\$\(pkg-config .*?\)', '', TEXT))
            self.assertIn('--metrics', named)
            self.assertEqual(set(named) - known, set())

    def test_its_lines_are_short(self):
        # But for tables, which cannot go on in the next line.
        self.assertEqual([line for line in TEXT.splitlines() if len(line) > 128 and not line.startswith('|')], [])


class CommandsTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.server = self.start()
        usual = sorted({port for name in PROGRAMS for port in DEFAULT_PORT.findall(help_of(program(name)))})
        self.ports = Ports(usual)
        self.addCleanup(self.ports.close)
        self.ports.map['8888'] = str(self.server.port)
        for name in PROGRAMS:
            self.write_program(name)

    def write_program(self, name):
        """The example with another port than usual, that ends when the shell is gone."""
        words = [program(name)]
        if match := re.search(r'\(default: (\S+:\d+)\)', help_of(program(name))):
            words.append(f'--address={self.ports.apply(match.group(1))}')
        if shutil.which('setpriv'):
            words[:0] = ['setpriv', '--pdeathsig', 'KILL', '--']
        path = self.folder / name
        path.write_text('#!/bin/sh\nexec ' + ' '.join(f"'{word}'" for word in words) + ' "$@"\n')
        path.chmod(0o755)

    def environment(self, section):
        """That of a shell of somebody who has metricsctl, and a bus where the heading speaks of it."""
        env = {**os.environ, **NOWHERE, 'METRICSD_ADDRESS': self.server.address}
        if 'METRICSCTL' in os.environ:
            env['PATH'] = f'{pathlib.Path(os.environ["METRICSCTL"]).parent}:{env["PATH"]}'
        if 'D-Bus' in section.title:
            if not ondemand.is_possible():
                self.skipTest('no dbus-daemon')
            env |= self.enterContext(ondemand.OnDemand('session')).env
        return env

    def type(self, shell, command):
        """Types a command, and compares what it prints; returns whether it is right, and what was said."""
        expected = [self.ports.apply(line) for line in command.printed if has_ipv6() or '[::1]' not in line]
        asks, plots = command.has('metricsctl'), command.has('metricsctl plot')
        end = time.monotonic() + WATCHDOG
        while True:
            status, lines = shell.type(self.ports.apply(command.text), None if asks else expected)
            right = bool(lines) and status == 0 if plots else matches(expected, lines)
            # A report takes a second to be there, and whoever asks for it changes nothing.
            if right or not asks or time.monotonic() > end:
                return right, f'$ {command.text}\nwas to print {expected}, and did print {lines}, status {status}'
            time.sleep(0.1)

    def check(self, section):
        commands = section.commands
        for tool in TOOLS:
            if any(command.has(tool) for command in commands) and not shutil.which(tool):
                self.skipTest(f'no {tool}')
        with Shell(self.folder, self.environment(section)) as shell:
            for command in commands:
                if command.has('metricsctl') and 'METRICSCTL' not in os.environ:
                    continue
                right, words = self.type(shell, command)
                self.assertTrue(right, words)


for _section in filter(lambda section: section.programs, SECTIONS):
    setattr(CommandsTest, 'test_' + re.sub(r'\W+', '_', _section.title.partition(':')[0].lower()),
            lambda self, section=_section: self.check(section))


if __name__ == '__main__':
    main()
