#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""With everything optional off the project still builds, needs nothing beyond GLib, SQLite and zlib, and what it
installs is a server that works. The examples add nothing but themselves, and can be built from what they install."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness
import readme
from example import Example, expect_figures
from harness import OK, Client, TestCase, main

ROOT = pathlib.Path(os.environ['SOURCE_ROOT'])
# What is no option of meson's.
NEEDED = {'glib-2.0', 'gobject-2.0', 'gio-2.0', 'gio-unix-2.0', 'sqlite3', 'threads', 'zlib', 'm'}
LIBRARIES = {'libglib-2.0', 'libgobject-2.0', 'libgio-2.0', 'libsqlite3', 'libz', 'libc', 'libm'}

EXAMPLES_NEED = ('json-glib-1.0', 'libsoup-3.0')


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


def installed_files(root):
    return {str(path.relative_to(root)) for path in root.rglob('*') if not path.is_dir()}


def setUpModule():
    """Builds once what both classes install."""
    global FOLDER, BUILD, MINIMAL, DEPENDENCIES
    FOLDER = pathlib.Path(unittest.enterModuleContext(tempfile.TemporaryDirectory()))
    BUILD, MINIMAL = FOLDER / 'build', FOLDER / 'root'
    options = list(switched_off())
    assert '-Dmetricsctl=disabled' in options and '-Dtests=false' in options, options
    run('meson', 'setup', '--prefix=/usr', '--libdir=lib', '--buildtype=plain', '-Dwerror=true', *options, BUILD, ROOT)
    run('ninja', '-C', BUILD)
    run('meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', MINIMAL)
    DEPENDENCIES = {dependency['name'] for dependency in json.loads(run('meson', 'introspect', '--dependencies', BUILD))}
    os.environ['METRICSD'] = str(MINIMAL / 'usr/bin/metricsd')


class MinimalTest(TestCase):
    def test_it_looks_for_nothing_else(self):
        self.assertEqual(DEPENDENCIES - NEEDED, set())

    @unittest.skipUnless(shutil.which('readelf'), 'no readelf')
    def test_it_is_linked_with_nothing_else(self):
        for program in (MINIMAL / 'usr/bin').iterdir():
            lines = run('readelf', '--dynamic', '--wide', program, env={**os.environ, 'LC_ALL': 'C'}).splitlines()
            needed = {line.split('[')[1].split('.so')[0] for line in lines if '(NEEDED)' in line}
            self.assertIn('libglib-2.0', needed)
            # The loader of the machine, which has a name of its own on each, is no library.
            self.assertEqual({name for name in needed if not name.startswith('ld')} - LIBRARIES, set(), program)

    def test_it_installs_a_server_that_works(self):
        self.assertEqual([path.name for path in (MINIMAL / 'usr/bin').iterdir()], ['metricsd'])
        state = FOLDER / 'state'
        server = self.start('--state-dir', state)
        with Client(server) as client:
            self.assertEqual(client.ask(b'put room.temperature 21.5 100'), OK)
        self.assertEqual(server.stop(), 0)
        with Client(self.start('--state-dir', state)) as client:
            self.assertEqual(client.ask(b'get room.temperature'), b'ok\nroom.temperature 21.5 100\n\n')


@unittest.skipUnless(shutil.which('pkg-config') and subprocess.run(['pkg-config', '--exists', *EXAMPLES_NEED]).returncode == 0,
                     'no ' + ' or '.join(EXAMPLES_NEED))
class WithExamplesTest(TestCase):
    """The same with the examples, and somebody who has nothing but what was installed."""

    @classmethod
    def setUpClass(cls):
        cls.root, cls.sources = FOLDER / 'with-examples', FOLDER / 'sources'
        run('meson', 'configure', BUILD, '-Dexamples=true')
        run('ninja', '-C', BUILD)
        run('meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', cls.root)
        shutil.copytree(cls.root / 'usr/share/doc/metricsd-examples/examples', cls.sources)
        # The library as if it were installed where it is.
        description = FOLDER / 'metrics-glib-1.0.pc'
        description.write_text((cls.root / 'usr/lib/pkgconfig/metrics-glib-1.0.pc').read_text().replace(
            'prefix=/usr\n', f'prefix={cls.root}/usr\n'))
        cls.env = {'LD_LIBRARY_PATH': str(cls.root / 'usr/lib'), 'PKG_CONFIG_PATH': str(FOLDER)}

    def shell(self, command):
        return run('sh', '-e', '-c', command, cwd=self.sources, env={**os.environ, **self.env, 'CFLAGS': '-Wall -Werror'})

    def programs(self):
        return {path.name for path in (self.root / 'usr/libexec/metricsd/examples').iterdir() if os.access(path, os.X_OK)}

    def check_echo(self):
        os.environ['EXAMPLES'] = str(self.sources)
        server = self.start()
        with Example('echo', metrics=server, env=self.env) as echo, echo.connect() as client:
            client.send(b'hello')
            self.assertEqual(client.recv_exactly(9), b'GOT:hello')
            expect_figures(server, 'echo', requests=1, bytes_sent=9)

    def test_nothing_else_is_added(self):
        added = installed_files(self.root) - installed_files(MINIMAL)
        self.assertIn('usr/libexec/metricsd/examples/echo', added)
        self.assertEqual({path for path in added if not path.startswith(('usr/libexec/metricsd/examples/',
                                                                         'usr/share/doc/metricsd-examples/'))}, set())

    def test_make_builds_them_all(self):
        self.shell('make -j2')
        made = {path.name for path in self.sources.iterdir() if os.access(path, os.X_OK)}
        self.assertEqual(made, self.programs())
        self.check_echo()
        self.shell('make clean')
        self.assertEqual({path.name for path in self.sources.iterdir()} & self.programs(), set())

    def test_one_command_builds_one(self):
        text = (self.sources / 'README.md').read_text()
        commands = [command.text for command in readme.parse_commands(text) if command.has('cc')]
        self.assertEqual(len(commands), 1, commands)
        self.shell(commands[0])
        self.check_echo()
        self.shell('make clean')

    def check_words(self, folder, source, metrics, **expected):
        """That server, made there, counts words and what it does, and has the figures that are expected besides."""
        (folder / 'words-server.c').write_text(source)
        run('make', 'words-server', cwd=folder, env={**os.environ, **self.env, 'CFLAGS': '-Wall -Werror'})
        os.environ['EXAMPLES'] = str(folder)
        with Example('words-server', metrics=metrics, env={**self.env, 'METRICSD_ADDRESS': metrics.address}) as words:
            with words.connect() as client:
                client.send(b'to be or not to be\n\nthat is the question\n')
                self.assertEqual(client.recv_exactly(30), b'6\nerror: there are no words\n4\n')
                expect_figures(metrics, 'words-server', connections=1, requests=3, errors=1, bytes_sent=30, **expected)

    def test_a_server_of_ones_own_needs_no_more_than_the_text_says(self):
        _, sections = readme.parse_sections((self.sources / 'README.md').read_text())
        program, functions, lines = readme.parse_programs(
            next(section.text for section in sections if section.title == 'A server of your own'))
        folder = FOLDER / 'own'
        folder.mkdir()
        for path in [self.sources / 'Makefile', *self.sources.glob('example*.[ch]')]:
            shutil.copy(path, folder)
        self.check_words(folder, program, self.start())
        # With the figure of its own, as the text says.
        created, _, rest = lines.partition('\n\n')
        for place, added in ((r'\ntypedef struct', '#include <metrics-glib/metrics-glib.h>\n'),
                             (r'} Server;', '  MetricsClient *metrics;\n'), (r'int\nmain ', functions),
                             (r'  g_autoptr \(Example\)', f'{created}\n'), (r'  g_signal_connect', rest)):
            program, n = re.subn(f'(?m)^(?={place})', lambda _, added=added: added, program)
            self.assertEqual(n, 1, place)
        self.check_words(folder, program, self.start(), words=10)


if __name__ == '__main__':
    main()
