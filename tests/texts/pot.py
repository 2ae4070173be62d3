# SPDX-License-Identifier: LGPL-2.1-or-later
"""The texts of the sources as they are now, for what compares translations with them."""

import os
import pathlib
import subprocess

SOURCE = pathlib.Path(os.environ['METRICSD_SOURCE'])
PO = SOURCE / 'po'

# As meson's preset for GLib says it; the target metricsd-pot writes into the sources, which a test must not.
KEYWORDS = ['_', 'N_', 'C_:1c,2', 'NC_:1c,2', 'g_dcgettext:2', 'g_dngettext:2,3', 'g_dpgettext2:2c,3']
FLAGS = ['N_:1:pass-c-format', 'C_:2:pass-c-format', 'NC_:2:pass-c-format', 'g_dngettext:2:pass-c-format',
         'g_strdup_printf:1:c-format', 'g_set_error:4:c-format', 'g_prefix_error:2:c-format']


def run(*command, **arguments):
    """What a program of gettext writes; its messages are English."""
    env = {**os.environ, 'LC_ALL': 'C.UTF-8', 'GETTEXTDATADIRS': str(SOURCE / 'data' / 'gettext')}
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True, timeout=60,
                          env=env, **arguments).stdout


def lines(name):
    """The lines of a list in po/, without comments and blanks."""
    path = PO / name
    text = path.read_text() if path.exists() else ''
    return [line for line in text.splitlines() if line.strip() and not line.startswith('#')]


def languages():
    """Those that are installed."""
    return ' '.join(lines('LINGUAS')).split()


def make():
    """All texts, as a template for translations."""
    text = run('xgettext', '--files-from', '-', '--output', '-', '--from-code=UTF-8', '--add-comments',
               '--package-name=metricsd', *(f'--keyword={keyword}' for keyword in KEYWORDS),
               *(f'--flag={flag}' for flag in FLAGS), cwd=SOURCE, input='\n'.join(lines('POTFILES.in')))
    return text.replace('charset=CHARSET', 'charset=UTF-8')
