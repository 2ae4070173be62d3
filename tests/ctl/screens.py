# SPDX-License-Identifier: LGPL-2.1-or-later
"""A terminal with a shell on it, in a tmux server of the test's own: somebody types, and what is shown can be read.

    with Screen(ctl, columns=80, rows=24) as screen:
        screen.run('metricsctl plot --follow room.temperature')
        screen.expect('room.temperature')

And what is drawn there: the dots of Braille, and how many cells a text takes."""

import os
import shlex
import shutil
import subprocess
import tempfile
import unicodedata

import harness
from ctl import binary

BRAILLE = 0x2800
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def has_tmux():
    return shutil.which('tmux') is not None


class Screen:
    """`text` is what is shown, `folder` where the shell is: an empty folder of its own."""

    def __init__(self, ctl, columns=80, rows=24, term='screen-256color'):
        self._folder = tempfile.TemporaryDirectory()
        self.env = {**ctl.env, 'TMUX_TMPDIR': self._folder.name, 'TERM': 'xterm', 'HOME': self._folder.name}
        self.env.pop('TMUX', None)
        self.folder = self._folder.name
        self._tmux('-f', '/dev/null', 'new-session', '-d', '-x', str(columns), '-y', str(rows), '-c', self.folder,
                   f'exec env TERM={term} METRICSCTL={shlex.quote(binary())} sh -i')
        try:
            self.expect(str.strip)
            self.write("PS1='$ '; clear")
            self.type('Enter')
            self.expect(lambda text: text.strip() == '$')
        except BaseException:
            self.close()
            raise

    def _tmux(self, *words):
        return subprocess.run(['tmux', '-u', '-L', 'test', *words], env=self.env, capture_output=True, check=True,
                              timeout=harness.WATCHDOG).stdout.decode()

    @property
    def text(self):
        return self._tmux('capture-pane', '-p')

    @property
    def lines(self):
        return self.text.split('\n')

    @property
    def colored(self):
        """What is shown, with escape sequences for how it looks."""
        return self._tmux('capture-pane', '-p', '-e')

    @property
    def is_alternate(self):
        """Whether a program has taken the screen."""
        return self._tmux('display-message', '-p', '#{alternate_on}') == '1\n'

    @property
    def shows_cursor(self):
        return self._tmux('display-message', '-p', '#{cursor_flag}') == '1\n'

    def type(self, *keys):
        """Presses keys, by their names in tmux: `q`, `Up`, `C-c`."""
        self._tmux('send-keys', *keys)

    def write(self, text):
        self._tmux('send-keys', '-l', text)

    def run(self, command):
        """Has the shell run a command; `metricsctl` is the one to test."""
        self.write(command.replace('metricsctl', '"$METRICSCTL"'))
        self.type('Enter')

    def expect_prompt(self):
        """Waits until the shell has the terminal again."""
        return self.expect(lambda text: not self.is_alternate and text.rstrip('\n').split('\n')[-1] == '$')

    def resize(self, columns, rows):
        self._tmux('resize-window', '-x', str(columns), '-y', str(rows))

    def expect(self, what):
        """Waits until a text is shown, or until what is shown is as a function wants it; returns what is shown."""
        wanted = what if callable(what) else lambda text: what in text
        shown = None

        def is_there():
            nonlocal shown
            shown = self.text
            return wanted(shown)

        try:
            harness.wait_until(is_there, f'{what!r}')
        except AssertionError as error:
            raise AssertionError(f'{error}; what is shown is:\n{shown}') from None
        return shown

    def close(self):
        self._tmux('kill-server')
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_asked(server):
    """Whether a server that is paused has a request in front of it, on an address of IPv4."""
    with open('/proc/net/tcp') as table:
        rows = [line.split() for line in table][1:]
    return any(int(row[1].split(':')[1], 16) == server.port and row[3] == '01' and int(row[4].split(':')[1], 16) > 0
               for row in rows)


def width(text):
    """How many cells it takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


class Picture:
    """A chart without a margin, read back: its dots, with its values' axis."""

    def __init__(self, text):
        self.lines = [line for line in text.split('\n') if '┤' in line or '│' in line]
        axis = next(line for line in text.split('\n') if '└' in line)
        self.label_width = axis.index('└')
        self.columns = len(axis) - self.label_width - 1
        self.rows = len(self.lines)
        self.labels = {row: line[:self.label_width].strip() for row, line in enumerate(self.lines) if '┤' in line}
        self.dots = set()
        for row, line in enumerate(self.lines):
            for column, c in enumerate(line[self.label_width + 1:]):
                if c != ' ':
                    self.dots.update((column * 2 + x, row * 4 + y) for y in range(4) for x in range(2)
                                     if ord(c) - BRAILLE & BITS[y][x])

    def __str__(self):
        return '\n'.join(''.join('#' if (x, y) in self.dots else '.' for x in range(self.columns * 2))
                         for y in range(self.rows * 4))
