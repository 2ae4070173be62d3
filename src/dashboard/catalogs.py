# SPDX-License-Identifier: LGPL-2.1-or-later
"""catalogs.py LANGUAGE.po OUTPUT: the translations of the page's texts, as JSON for i18n.js.

The page must not make a function of an expression (its Content-Security-Policy), so plural forms are looked up: for each
number below 200 the form that it takes. Above, the last hundred repeats, which is seen to here.
"""

import gettext
import io
import json
import pathlib
import subprocess
import sys

PLURALS = 200
# Where a language's rule goes on differently, as French does at a million, no table of this size has it.
LOOKED_AT = 20000


def read(path):
    """The translations of texts that are in src/dashboard, and the function that finds plural forms."""
    ours = subprocess.run(['msggrep', '--force-po', '--location=src/dashboard/assets/js/*', path], check=True,
                          stdout=subprocess.PIPE).stdout
    binary = subprocess.run(['msgfmt', '--output-file=-', '-'], input=ours, check=True, stdout=subprocess.PIPE).stdout
    translations = gettext.GNUTranslations(io.BytesIO(binary))
    messages = {}
    for name, text in translations._catalog.items():  # There is no other way to list them.
        if name == '':
            continue
        name, form = name if isinstance(name, tuple) else (name, 0)
        forms = messages.setdefault(name, [])
        forms.extend([''] * (form + 1 - len(forms)))
        forms[form] = text
    return messages, translations.plural


def plural_table(plural):
    """The form of each number, a digit each."""
    table = [plural(number) for number in range(PLURALS)]
    for number in range(PLURALS, LOOKED_AT):
        if table[PLURALS - 100 + number % 100] != plural(number):
            raise SystemExit(f'catalogs.py: the plural forms do not repeat at {number}')
    return ''.join(str(form) for form in table)


def main():
    messages, plural = read(sys.argv[1])
    catalog = {'messages': messages, 'plurals': plural_table(plural)}
    text = json.dumps(catalog, ensure_ascii=False, indent=0, sort_keys=True)
    pathlib.Path(sys.argv[2]).write_text(text + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
