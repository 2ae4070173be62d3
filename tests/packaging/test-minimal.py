#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""With everything optional off the project still builds, needs nothing beyond GLib, SQLite and zlib, and what it
installs is a server that works."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness
from harness import OK, Client, TestCase, main

ROOT = pathlib.Path(os.environ['SOURCE_ROOT'])
# What is no option of meson's.
NEEDED = {'glib-2.0', 'gobject-2.0', 'gio-2.0', 'gio-unix-2.0', 'sqlite3', 'threads', 'zlib', 'm'}
LIBRARIES = {'libglib-2.0', 'libgobject-2.0', 'libgio-2.0', 'libsqlite3', 'libz', 'libc', 'libm'}


def run(*command, **arguments):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **arguments)
    if result.returncode != 0:
        raise AssertionError(f'{command} fails:\n{result.stdout}{result.stderr}')
    return result.stdout


def switched_off():
    """Every option of the project that can be off, off."""
    for option in json.loads(run('meson', 'introspect', '--buildoptions', ROOT / 'meson.build')):
        if option['section'] != 'user':
            continue
        if option['type'] == 'boolean':
            yield f'-D{option["name"]}=false'
        elif 'disabled' in option.get('choices', []):
            yield f'-D{option["name"]}=disabled'


class MinimalTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.build, cls.root = cls.folder / 'build', cls.folder / 'root'
        options = list(switched_off())
        assert '-Dmetricsctl=disabled' in options and '-Dtests=false' in options, options
        run('meson', 'setup', '--prefix=/usr', '--libdir=lib', '--buildtype=plain', '-Dwerror=true', *options, cls.build, ROOT)
        run('ninja', '-C', cls.build)
        run('meson', 'install', '-C', cls.build, '--no-rebuild', '--destdir', cls.root)

    def test_it_looks_for_nothing_else(self):
        names = {dependency['name'] for dependency in json.loads(run('meson', 'introspect', '--dependencies', self.build))}
        self.assertEqual(names - NEEDED, set())

    @unittest.skipUnless(shutil.which('readelf'), 'no readelf')
    def test_it_is_linked_with_nothing_else(self):
        for program in (self.root / 'usr/bin').iterdir():
            lines = run('readelf', '--dynamic', '--wide', program, env={**os.environ, 'LC_ALL': 'C'}).splitlines()
            needed = {line.split('[')[1].split('.so')[0] for line in lines if '(NEEDED)' in line}
            self.assertIn('libglib-2.0', needed)
            # The loader of the machine, which has a name of its own on each, is no library.
            self.assertEqual({name for name in needed if not name.startswith('ld')} - LIBRARIES, set(), program)

    def test_it_installs_a_server_that_works(self):
        self.assertEqual([path.name for path in (self.root / 'usr/bin').iterdir()], ['metricsd'])
        os.environ['METRICSD'] = str(self.root / 'usr/bin/metricsd')
        state = self.folder / 'state'
        server = self.start('--state-dir', state)
        with Client(server) as client:
            self.assertEqual(client.ask(b'put room.temperature 21.5 100'), OK)
        self.assertEqual(server.stop(), 0)
        with Client(self.start('--state-dir', state)) as client:
            self.assertEqual(client.ask(b'get room.temperature'), b'ok\nroom.temperature 21.5 100\n\n')


if __name__ == '__main__':
    main()
