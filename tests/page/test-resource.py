# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page as it is built: all of its files are in the resource, its texts have their translations, and nothing in it needs
more than the Content-Security-Policy allows."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import harness

SOURCE = pathlib.Path(os.environ['METRICSD_SOURCE']) / 'src/dashboard'
RESOURCE = pathlib.Path(os.environ['DASHBOARD_RESOURCE'])
# What makes elements or code out of text, or styles that the policy refuses.
FORBIDDEN = re.compile(r'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setAttribute\(\'style|cssText')
PO = '''msgid ""
msgstr ""
"Language: xx\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

#: src/ctl/metrics-ctl.c:1
msgid "of another"
msgstr "чужой"

#: src/dashboard/assets/js/app.js:1
msgid "ours"
msgstr "наш"

#: src/dashboard/assets/js/app.js:2
msgid "not yet"
msgstr ""

#: src/ctl/metrics-ctl.c:2 src/dashboard/assets/js/table.js:3
msgid "{n} time"
msgid_plural "{n} times"
msgstr[0] "{n} раз"
msgstr[1] "{n} раза"
msgstr[2] "{n} раз."
'''


class ResourceTest(harness.TestCase):
    def aliases(self):
        tree = xml.etree.ElementTree.parse(RESOURCE)
        return {entry.get('alias', entry.text) for entry in tree.iter('file')}

    def sources(self):
        return [path for path in SOURCE.rglob('*') if path.suffix in ('.css', '.html', '.js', '.svg')]

    def test_all_files_are_there(self):
        found = {path.relative_to(SOURCE).as_posix() for path in self.sources()}
        self.assertGreater(len(found), 20)
        self.assertEqual(found - self.aliases(), set())
        self.assertIn('assets/dygraph.min.js', self.aliases())

    def test_what_is_imported_is_there(self):
        for path in self.sources():
            text = path.read_text()
            for name in re.findall(r"(?:from|import\()\s*'\./([^']*)'", text):
                with self.subTest(path.name, name=name):
                    self.assertTrue((path.parent / name).is_file())
        for name in re.findall(r'(?:src|href)="([^"]*)"', (SOURCE / 'index.html').read_text()):
            self.assertIn(name, self.aliases())

    def test_nothing_is_forbidden(self):
        for path in self.sources():
            with self.subTest(path.name):
                text = path.read_text()
                self.assertIsNone(FORBIDDEN.search(text))
                self.assertNotRegex(text, r'https?://(?!www\.w3\.org/2000/svg)')
                self.assertLess(len(text.splitlines()), 600)
        self.assertNotRegex((SOURCE / 'index.html').read_text(), r'<style|\sstyle=|\son\w+=|<script>')
        self.assertIsNotNone(FORBIDDEN.search("element.innerHTML = 'x'"))

    def test_languages(self):
        languages = (SOURCE.parent.parent / 'po/LINGUAS').read_text().split()
        self.assertEqual(json.loads((RESOURCE.parent / 'languages.json').read_text()), languages)
        self.assertLessEqual({f'assets/texts/{language}.json' for language in languages}, self.aliases())

    def make(self, po):
        with tempfile.TemporaryDirectory() as folder:
            source, output = pathlib.Path(folder) / 'xx.po', pathlib.Path(folder) / 'xx.json'
            source.write_text(po)
            result = subprocess.run([sys.executable, SOURCE / 'catalogs.py', source, output], stderr=subprocess.PIPE, text=True,
                                    timeout=60)
            return result, json.loads(output.read_text()) if result.returncode == 0 else None

    def test_a_catalog(self):
        _, catalog = self.make(PO)
        self.assertEqual(catalog['messages'], {'ours': ['наш'], '{n} time': ['{n} раз', '{n} раза', '{n} раз.']})
        forms = [int(form) for form in catalog['plurals']]
        self.assertEqual([forms[number] for number in (0, 1, 2, 5, 11, 21, 22, 101, 111, 112, 121)], [2, 0, 1, 2, 2, 0, 1, 0, 2, 2, 0])

    def test_plurals_that_do_not_repeat(self):
        rule = re.search(r'plural=\(.*\);', PO).group()
        result, _ = self.make(PO.replace(rule, 'plural=n==1000 ? 1 : n==1 ? 0 : 2;'))
        self.assertIn('do not repeat at 1000', result.stderr)


if __name__ == '__main__':
    harness.main()
