# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of events, the journal's catalogs in all languages and the manual page speak of the same things."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import harness

SOURCE = pathlib.Path(os.environ['METRICSD_SOURCE'])
CATALOGS = SOURCE / 'data/systemd'
LANGUAGES = ('', '.de', '.es', '.fr', '.ja', '.pt_BR', '.ru', '.uk', '.zh_CN')
PRIORITIES = {2: 'critical', 3: 'error', 4: 'warning', 5: 'notice', 6: 'info'}
PLACEHOLDER = re.compile(r'@(\w+)@')


def make_locale(name, folder):
    """The locales of the machine are not for a test to choose. Returns whether it can be made here."""
    if shutil.which('localedef') is None:
        return False
    # It complains of what is left out of a locale, and makes it all the same.
    subprocess.run(['localedef', '-i', name, '-f', 'UTF-8', folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder.is_dir()


def read_table():
    """{MESSAGE_ID: (name, priority, fields)} of the program."""
    output = subprocess.run([os.environ['PRINT_EVENTS']], check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = [line.split() for line in output.splitlines()]
    return {row[1]: (row[0], int(row[2]), set(row[3:])) for row in rows}


def read_catalog(path):
    """{MESSAGE_ID: (headers, text)} of a file."""
    entries = {}
    text = re.sub(r'(?m)^#.*\n', '', path.read_text())
    for entry in re.split(r'(?m)^-- ', text)[1:]:
        head, _, body = entry.partition('\n\n')
        number, *headers = head.splitlines()
        if number in entries:
            raise AssertionError(f'{path.name}: {number} is there twice')
        entries[number] = (dict(header.split(': ', 1) for header in headers), body.strip())
    return entries


class CatalogTest(harness.TestCase):
    def setUp(self):
        self.table = read_table()

    def test_all_files_are_known(self):
        self.assertEqual(sorted(path.name for path in CATALOGS.glob('*.catalog')),
                         sorted(f'metricsd{language}.catalog' for language in LANGUAGES))

    def test_entries(self):
        for language in LANGUAGES:
            entries = read_catalog(CATALOGS / f'metricsd{language}.catalog')
            self.assertEqual(list(entries), list(self.table), f'metricsd{language}.catalog')
            for number, (headers, text) in entries.items():
                name, _, fields = self.table[number]
                with self.subTest(f'{name}{language}'):
                    self.assertEqual(list(headers), ['Subject', 'Defined-By', 'Documentation'])
                    self.assertNotRegex(headers['Subject'], PLACEHOLDER)
                    self.assertNotEqual(text, '')
                    known = fields | {'METRICSD_EVENT'}
                    self.assertLessEqual(set(PLACEHOLDER.findall(text)), known)

    def test_languages_say_the_same(self):
        """Who reads it in another language learns no less."""
        english = read_catalog(CATALOGS / 'metricsd.catalog')
        for language in LANGUAGES[1:]:
            for number, (headers, text) in read_catalog(CATALOGS / f'metricsd{language}.catalog').items():
                with self.subTest(f'{self.table[number][0]}{language}'):
                    self.assertNotEqual(headers['Subject'], english[number][0]['Subject'])
                    self.assertEqual(sorted(PLACEHOLDER.findall(text)), sorted(PLACEHOLDER.findall(english[number][1])))
                    # Options and settings are the same in all languages.
                    names = re.compile(r'--[a-z-]+|\b[A-Za-z]+=')
                    self.assertEqual(sorted(names.findall(text)), sorted(names.findall(english[number][1])))

    def test_each_is_said(self):
        """What the program never says is not to be explained."""
        source = ''.join(path.read_text() for path in (SOURCE / 'src').rglob('*.c') if path.name != 'metrics-event.c')
        said = set(re.findall(r'\bMETRICS_EVENT_(\w+)', source))
        self.assertEqual({name for name, *_ in self.table.values()} - {name.lower().replace('_', '-') for name in said}, set())

    def test_manual_page(self):
        paths = [path for path in (SOURCE / 'data/metricsd.1', SOURCE / 'data/man/metricsd.1.rst') if path.exists()]
        self.assertEqual(len(paths), 1)
        text = paths[0].read_text().replace('\\', '')
        for number, (name, priority, fields) in self.table.items():
            self.assertRegex(text, rf'\b{name}\W+\({PRIORITIES[priority]}\)\W+{number}')
            for field in fields:
                self.assertIn(field, text)

    @unittest.skipUnless(shutil.which('journalctl'), 'needs journalctl')
    def test_journalctl_takes_them(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            shutil.copytree(CATALOGS, root / 'usr/lib/systemd/catalog', ignore=shutil.ignore_patterns('*.service', '*.socket'))
            (root / 'var/lib/systemd/catalog').mkdir(parents=True)
            command = ['journalctl', f'--root={root}', '--no-pager']
            result = subprocess.run([*command, '--update-catalog'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual((result.returncode, result.stdout), (0, ''))
            for name, language in (('C', ''), ('ru_RU', '.ru'), ('de_DE', '.de'), ('ja_JP', '.ja'), ('zh_CN', '.zh_CN')):
                locale = f'{name}.UTF-8'
                env = {'LANGUAGE': '', 'LC_ALL': locale, 'LANG': locale}
                if language:
                    env['LOCPATH'] = folder
                    if not make_locale(name, root / locale):
                        continue
                subjects = subprocess.run([*command, '--list-catalog'], check=True, stdout=subprocess.PIPE, text=True,
                                          env={**os.environ, **env}).stdout
                entries = read_catalog(CATALOGS / f'metricsd{language}.catalog')
                self.assertEqual(sorted(subjects.splitlines()),
                                 sorted(f'{number} metricsd: {headers["Subject"]}' for number, (headers, _) in entries.items()))


if __name__ == '__main__':
    harness.main()
