# SPDX-License-Identifier: LGPL-2.1-or-later
"""The translations are right, and those that are installed are complete: they have all texts of the sources."""

import pathlib
import re
import subprocess
import tempfile

import harness
import pot

EMPTY = re.compile(r'^msgstr(?:\[\d\])? ""\n(?!")', re.MULTILINE)


def entries(text):
    """The entries of a translation, each as its lines; the header is the first one."""
    return text.strip().split('\n\n')


class PoTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / 'metricsd.pot'
        cls.template.write_text(pot.make())

    def incomplete(self, path):
        """The entries that are fuzzy, or not translated in all their forms, of all texts that there are now."""
        merged = pot.run('msgmerge', '--quiet', '--no-fuzzy-matching', '--no-wrap', '--output-file=-', path, self.template)
        return [entry for entry in entries(merged)[1:] if not entry.startswith('#~')
                and ('\n#, fuzzy' in f'\n{entry}' or EMPTY.search(entry + '\n'))]

    def test_all_are_right(self):
        for path in sorted(pot.PO.glob('*.po')):
            with self.subTest(path.name):
                result = subprocess.run(['msgfmt', '--check', '--output-file=/dev/null', path], stderr=subprocess.PIPE, text=True,
                                        timeout=60)
                self.assertEqual((result.returncode, result.stderr), (0, ''))
                header = entries(path.read_text())[0]
                self.assertIn(f'"Language: {path.stem}\\n"', header)
                self.assertIn('charset=UTF-8', header)
                self.assertIn('"Plural-Forms: nplurals=', header)

    def test_each_is_installed(self):
        self.assertEqual(sorted(pot.languages()), sorted(path.stem for path in pot.PO.glob('*.po')))

    def test_all_are_complete(self):
        for language in pot.languages():
            with self.subTest(language):
                self.assertEqual(self.incomplete(pot.PO / f'{language}.po')[:5], [])

    def test_the_template(self):
        text = self.template.read_text()
        self.assertGreater(len(entries(text)), 300)
        # A text that was cut off at a macro.
        self.assertNotRegex(text, r'%"\nmsgstr')

    def test_what_is_missing_is_found(self):
        """What the tests above look for."""
        text = self.template.read_text().replace('nplurals=INTEGER; plural=EXPRESSION', 'nplurals=2; plural=n != 1')
        path = self.template.with_name('xx.po')
        path.write_text(text)
        self.assertEqual(len(self.incomplete(path)), len(entries(text)) - 1)
        complete = pot.run('msgen', path)
        path.write_text(complete)
        self.assertEqual(self.incomplete(path), [])
        self.assertIn('msgstr[1] "%u points were not sent"', complete)
        path.write_text(complete.replace('msgstr[1] "%u points were not sent"', 'msgstr[1] ""'))
        self.assertEqual(len(self.incomplete(path)), 1)
        path.write_text(complete.replace('#, c-format\nmsgid "client %s is lost', '#, fuzzy, c-format\nmsgid "client %s is lost'))
        self.assertEqual(len(self.incomplete(path)), 1)


if __name__ == '__main__':
    harness.main()
