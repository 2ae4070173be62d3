# SPDX-License-Identifier: LGPL-2.1-or-later
"""po/POTFILES.in has each file that holds texts for people, and no other; and the texts come out of them whole."""

import re

import harness
import pot

COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)
MARK = re.compile(r'(?<!\w)(?:_|N_|C_|NC_|Q_|gettext|ngettext|g_dgettext|g_dngettext|g_dpgettext2?) \(')
# In JavaScript a call has no space, and a text has one kind of quotes.
SCRIPT_MARK = re.compile(r"(?<!\w)(?:_|ngettext)\('")
# Between the texts that make up one: what xgettext knows.
BETWEEN = re.compile(r'(?<!\w)(?:_|N_|ngettext) \((?:\s*"(?:\\.|[^"\\])*"|\s*PRI[diux]64|\s*,)*\s*(?P<other>[A-Za-z_]\w*)?\s*"')
# Texts for people that are not in C; what is made of a file .in is not read.
DATA = ('*.policy.in', '*.policy', '*.metainfo.xml.in', '*.desktop.in')


def has_texts(path):
    mark = SCRIPT_MARK if path.suffix == '.js' else MARK
    return mark.search(COMMENT.sub('', path.read_text())) is not None


class PotfilesTest(harness.TestCase):
    def setUp(self):
        self.listed = pot.lines('POTFILES.in')

    def test_each_file_is_there_once(self):
        self.assertEqual(len(self.listed), len(set(self.listed)))
        self.assertEqual([name for name in self.listed if not (pot.SOURCE / name).is_file()], [])

    def test_sources(self):
        paths = [path for glob in ('*.[ch]', '*.js') for path in (pot.SOURCE / 'src').rglob(glob)]
        found = sorted(path.relative_to(pot.SOURCE).as_posix() for path in paths if has_texts(path))
        self.assertGreater(len(found), 40)
        self.assertEqual(sorted(name for name in self.listed if name.startswith('src/')), found)

    def test_data(self):
        found = {path.relative_to(pot.SOURCE).as_posix() for glob in DATA for path in (pot.SOURCE / 'data').rglob(glob)}
        skipped = set(pot.lines('POTFILES.skip'))
        self.assertEqual({name for name in self.listed if not name.startswith('src/')}, found - skipped)

    def test_texts_are_whole(self):
        """A macro that xgettext does not know ends a text in the middle."""
        for name in self.listed:
            if not name.endswith('.c'):
                continue
            for match in BETWEEN.finditer(COMMENT.sub('', (pot.SOURCE / name).read_text())):
                self.assertIsNone(match['other'], f'{name}: {match.group()}')

    def test_marks_are_found(self):
        """What the tests above look for."""
        self.assertTrue(has_texts(pot.SOURCE / 'src/daemon/metrics-daemon.c'))
        self.assertFalse(has_texts(pot.SOURCE / 'src/daemon/main.c'))
        self.assertTrue(has_texts(pot.SOURCE / 'src/dashboard/assets/js/chart.js'))
        self.assertFalse(has_texts(pot.SOURCE / 'src/dashboard/assets/js/series.js'))
        self.assertEqual(BETWEEN.search('_ ("a %" G_GUINT64_FORMAT " b")')['other'], 'G_GUINT64_FORMAT')
        self.assertIsNone(BETWEEN.search('ngettext ("a %" PRIu64 " b", "c")')['other'])


if __name__ == '__main__':
    harness.main()
