# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README of the examples as what it is: headings, commands, and what these print. It is typed into a shell.

A block of commands is indented and begins with `$ `. A command goes on behind a backslash at the end of a line; a remark in
parentheses may stand two spaces behind it. What follows, up to an empty line or the next command, is what is printed by it
and, meanwhile, by what goes on in the background: in any order, for they are several programs. `...` is anything, in a line
or for lines. Blocks that do not begin with `$ ` are not commands."""

import dataclasses
import os
import re
import select
import signal
import subprocess
import textwrap
import time

from harness import WATCHDOG, prepare_child

# Takes commands from descriptor 9, which none of them has, and says when each has ended.
LOOP = '''while IFS= read -r -d '' -u 9 command; do
  eval "$command" 9<&-
  printf '%s%s\\n' "$MARK" "$?"
done'''
MARK = '<the command has ended with status> '


@dataclasses.dataclass
class Command:
    text: str
    printed: list  # lines

    def has(self, word):
        """Whether it runs a program of that name."""
        return re.search(rf'(?m)(^|[|;&] *|\bdo )({re.escape(word)})(?!\S)', self.text) is not None


@dataclasses.dataclass
class Section:
    title: str
    text: str

    @property
    def programs(self):
        """The examples that its heading names."""
        return re.findall('`([^`]+)`', self.title)

    @property
    def commands(self):
        return parse_commands(self.text)


def parse_commands(text):
    return [command for block in re.findall(r'(?m)(?:^    \$ .*\n(?:^    .+\n)*(?:\n(?=    \$ ))?)+', text)
            for command in parse_block(block)]


def parse_programs(text):
    """The blocks in C, each with its end of line."""
    blocks = re.findall(r'(?m)(?:^    .+\n(?:\n+(?=    \S| {6}))?)+', text)
    return [textwrap.dedent(block) for block in blocks if block.endswith((';\n', '}\n'))]


def parse_sections(text):
    """What is before the first heading of the second level, and then each with its heading."""
    parts = re.split(r'(?m)^## (.*)\n', text)
    return parts[0], [Section(title, body) for title, body in zip(parts[1::2], parts[2::2])]


def parse_block(block):
    commands = []
    open_line = printing = False
    for line in block.splitlines():
        line = line.removeprefix('    ')
        if open_line:
            commands[-1].text += '\n' + line
        elif line.startswith('$ '):
            commands.append(Command(re.sub(r' {2,}\([^()]*\)$', '', line.removeprefix('$ ')), []))
            printing = True
        elif not line:
            printing = False
        elif printing:
            commands[-1].printed.append(line.rstrip())
        open_line = commands[-1].text.endswith('\\') and not commands[-1].printed
    return commands


def matches(expected, lines):
    """Whether the lines are what is expected: in that order, or each of them in any order."""
    patterns = ['.*'.join(map(re.escape, line.split('...'))) for line in expected]
    whole = '\n'.join('(?s:.*?)' if line == '...' else pattern for line, pattern in zip(expected, patterns))
    if re.fullmatch(whole, '\n'.join(lines)):
        return True
    lines = list(lines)
    # What is exact first: it can stand for nothing else.
    for pattern in sorted((pattern for pattern, line in zip(patterns, expected) if line != '...'), key=lambda p: '.*' in p):
        found = next((line for line in lines if re.fullmatch(pattern, line)), None)
        if found is None:
            return False
        lines.remove(found)
    return not lines or '...' in expected


class Shell:
    """A shell into which commands are typed. Leaving the context ends what it has started."""

    def __init__(self, folder, env):
        numbers, self._typed = os.pipe()
        os.set_inheritable(numbers, True)
        self.unseen = ''
        self._process = subprocess.Popen(
            ['bash', '--norc', '--noprofile', '-c', f'exec 9<&{numbers} {numbers}<&-\n{LOOP}'], cwd=folder,
            env={**env, 'MARK': MARK}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=[numbers], start_new_session=True, preexec_fn=lambda: prepare_child(None))
        os.close(numbers)

    def _read(self, end):
        """Some more of what is printed. Returns whether anything came before that time and before the end."""
        if not select.select([self._process.stdout], [], [], max(0, end - time.monotonic()))[0]:
            return False
        data = os.read(self._process.stdout.fileno(), 65536)
        self.unseen += data.decode(errors='replace')
        return bool(data)

    def _lines(self):
        """What was printed, without the mark, which stands behind a line that may have no end, and without empty lines."""
        text = re.sub(re.escape(MARK) + r'\d+\n', '\n', self.unseen)
        return [line.rstrip() for line in text.splitlines() if line.strip()]

    def type(self, text, expected):
        """Has a command run, and waits until that was printed, unless it is None. Returns its status and the lines that
        were printed."""
        end = time.monotonic() + WATCHDOG
        os.write(self._typed, text.encode() + b'\0')
        while not (mark := re.search(re.escape(MARK) + r'(\d+)\n', self.unseen)) or not (
                expected is None or matches(expected, self._lines())):
            if not self._read(end):
                break
        lines, self.unseen = self._lines(), ''
        return int(mark.group(1)) if mark else None, lines

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        said = self.type('kill $(jobs -p) 2>/dev/null; wait', None)[1] if kind is None else []
        os.close(self._typed)
        os.killpg(self._process.pid, signal.SIGTERM)
        end = time.monotonic() + WATCHDOG
        while self._read(end):
            pass
        ended = time.monotonic() < end
        if not ended:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()
        if kind is None and (said or not ended):
            raise AssertionError('what was started there ' + (f'said {said}' if ended else 'did not end'))
