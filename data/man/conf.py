# SPDX-License-Identifier: LGPL-2.1-or-later
"""How Sphinx makes the manual pages. make-pages runs it, and says the version and where translations are."""

import os
import pathlib

from sphinx.writers.manpage import ManualPageTranslator

project = 'metricsd'
release = os.environ['METRICSD_VERSION']
author = copyright = ''

# What stands below a page: the version, and no date, which would be that of the build.
version = f'{project} {release}'
today = ' '

# A page is NAME.SECTION.rst. It has its NAME itself, so that this is translated as all else is.
root_doc = 'metricsd.1'
exclude_patterns = ['README.md']
man_pages = []
for page in sorted(pathlib.Path(__file__).parent.glob('*.rst')):
    name, section = page.stem.rsplit('.', 1)
    man_pages.append((page.stem, name, '', [], section))

# Two hyphens stand for themselves.
smartquotes = False

# The texts of all pages are one catalogue. make-pages compiles it, outside of the source.
gettext_compact = 'metricsd-man'
gettext_auto_build = False
gettext_location = False
locale_dirs = [path for path in [os.environ.get('METRICSD_LOCALES')] if path]


class Translator(ManualPageTranslator):
    def header(self):
        """Words are not hyphenated, nor lines spread: what is to be typed has to stay as it is."""
        return super().header() + '.nh\n.ad l\n'


def setup(app):
    app.set_translator('man', Translator)
    # Pages stand beside each other, in no table of contents.
    app.connect('doctree-read', lambda app, doctree: app.env.metadata[app.env.docname].setdefault('orphan', ''))
