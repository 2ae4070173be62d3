#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever is installed is in one package, of Debian and of distributions with RPM. What builds these says so too, but not
in each test of the sources. Files of features that this build does not have are not looked for."""

import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from harness import TestCase, main

ROOT = pathlib.Path(os.environ['SOURCE_ROOT'])
BUILD = pathlib.Path(os.environ['BUILD'])
PREFIX = pathlib.Path(os.environ['PREFIX'])
# Where libraries of a machine are differs; here it has one name.
LIBDIR = 'usr/lib/machine'
RPM_DIRECTORIES = {
    '_bindir': 'usr/bin', '_datadir': 'usr/share', '_docdir': 'usr/share/doc', '_includedir': 'usr/include',
    '_libdir': LIBDIR, '_libexecdir': 'usr/libexec', '_mandir': 'usr/share/man', '_prefix': 'usr', '_sysconfdir': 'etc',
    '_sysusersdir': 'usr/lib/sysusers.d', '_unitdir': 'usr/lib/systemd/system', '_userunitdir': 'usr/lib/systemd/user',
}


def as_packaged(path):
    """Where it is in a package, without a slash in front, when the build has another prefix."""
    path = pathlib.Path(path)
    if not path.is_relative_to(PREFIX):
        return re.sub('^lib/', 'usr/lib/', str(path).lstrip('/'))
    path = str(path.relative_to(PREFIX))
    libdir = os.environ['LIBDIR'] + '/'
    if path.startswith(libdir):
        return f'{LIBDIR}/{path.removeprefix(libdir)}'
    return path if path.startswith('etc/') else 'usr/' + path


def matches(path, pattern):
    """Whether it is what the pattern names, or in a folder that it names."""
    pattern = pattern.strip('/')
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, pattern + '/*')


class FilesTest(TestCase):
    def setUp(self):
        installed = json.loads((BUILD / 'meson-info' / 'intro-installed.json').read_text())
        self.files = sorted(as_packaged(path) for path in installed.values())
        self.assertIn('usr/bin/metricsd', self.files)

    def assert_packaged(self, files, patterns):
        """The patterns are pairs, of which the second is the package."""
        owners = {path: {package for pattern, package in patterns if matches(path, pattern)} for path in files}
        self.assertEqual({path: packages for path, packages in owners.items() if len(packages) != 1}, {})
        # The examples are installed by nothing else, and nothing else by them.
        for path, packages in owners.items():
            ours = path.startswith(('usr/libexec/metricsd/examples', 'usr/share/doc/metricsd-examples'))
            self.assertEqual(packages in ({'metricsd-examples'}, {'examples'}), ours, path)

    def test_debian_has_them_all(self):
        patterns = [(line.split()[0], path.stem) for kind in ('install', 'manpages')
                    for path in (ROOT / 'debian').glob(f'*.{kind}')
                    for line in path.read_text().splitlines() if line and not line.startswith('#')]
        # The system's units, and what distributions give zsh, have places of their own in Debian 12.
        places = {'usr/lib/systemd/system/': 'lib/systemd/system/', 'zsh/site-functions': 'zsh/vendor-completions'}
        for usual, own in places.items():
            self.files = [path.replace(usual, own) for path in self.files]
        self.assert_packaged(self.files, patterns)

    @unittest.skipUnless(shutil.which('rpmspec'), 'no rpmspec')
    def test_rpm_has_them_all(self):
        defines = [word for name, path in RPM_DIRECTORIES.items() for word in ('--define', f'{name} /{path}')]
        result = subprocess.run(['rpmspec', *defines, '--parse', ROOT / 'rpm' / 'metricsd.spec'], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        # Before a name there can be words as %doc and %config(noreplace).
        sections = [section.split('\n\n')[0].splitlines() for section in result.stdout.split('%files')[1:]]
        patterns = [(line.split()[-1], section[0].strip()) for section in sections
                    for line in section[1:] if line and line.split()[-1].startswith('/')]
        # %find_lang finds those of languages.
        self.assert_packaged([path for path in self.files if not path.startswith('usr/share/locale/')], patterns)

    def test_examples_are_installed_with_their_sources(self):
        examples = ROOT / 'src' / 'examples'
        folder = 'usr/share/doc/metricsd-examples/examples/'
        installed = {path.removeprefix(folder) for path in self.files if path.startswith(folder)}
        programs = [path for path in self.files if path.startswith('usr/libexec/metricsd/examples/')]
        if not installed and not programs:
            self.skipTest('built without -Dexamples=true')
        # The file of meson is of no use without the whole source.
        self.assertEqual(installed, {path.name for path in examples.iterdir()} - {'meson.build'})
        # A program has a file of its name, and what is beside programs is what they read.
        names = {pathlib.Path(path).name for path in programs}
        self.assertEqual({name if '.' in name else name + '.c' for name in names} - installed, set())

    def test_installed_tests_have_what_they_import(self):
        plan = json.loads((BUILD / 'meson-info' / 'intro-install_plan.json').read_text())['data']
        installed = {pathlib.Path(path).stem: pathlib.Path(path) for path in plan if path.endswith('.py')}
        if not installed:
            self.skipTest('built without -Dinstalled_tests=true')
        own = {path.stem for path in (ROOT / 'tests').rglob('*.py')}
        for path in installed.values():
            imported = re.findall(r'(?m)^\s*(?:from|import) (\w+)', path.read_text())
            self.assertEqual(set(imported) & own - set(installed), set(), path)


if __name__ == '__main__':
    main()
