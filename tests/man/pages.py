# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages as they are written: what stands in which section, and what the programs say of themselves."""

import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(__file__).parents[2] / 'data' / 'man'
OPTION = re.compile(r'(?<![\w-])--[a-z][a-z0-9-]*')


def plain(text):
    """A text without its markup."""
    return re.sub(r'\\(.)', r'\1', re.sub(r'\\ ', '', re.sub(r'(?<!\\)\*', '', text)))


class Page:
    """A page, as it is written."""

    def __init__(self, name):
        self.name = name
        self.text = (SOURCE / f'{name}.rst').read_text(encoding='utf-8')
        self.lines = self.text.splitlines()

    def section(self, title):
        """The lines of a section, with those of the sections in it."""
        for begin, line in enumerate(self.lines[:-1]):
            if line == title and self.lines[begin + 1] == '=' * len(title):
                break
        else:
            raise AssertionError(f'{self.name} has no section {title}')
        end = next((i for i in range(begin + 2, len(self.lines) - 1) if re.fullmatch('=+', self.lines[i + 1])), None)
        return self.lines[begin + 2:end]

    def terms(self, title, under=None):
        """What is defined in a section, in its own list; or in the definition that begins with the word UNDER."""
        lines = self.section(title)
        if under is None:
            return [plain(line) for line in self._terms(lines, 0)]
        begin = next((i for i, line in enumerate(lines) if plain(line).split(' ')[0] == under and self._is_term(lines, i)),
                     None)
        if begin is None:
            raise AssertionError(f'{self.name}: there is no {under} in {title}')
        body = []
        for line in lines[begin + 1:]:
            if line and not line.startswith(' '):
                break
            body.append(line)
        return [plain(line.strip()) for line in self._terms(body, 4)]

    @staticmethod
    def _is_term(lines, i):
        """A line after a blank one, before one that stands further in."""
        def indent(line):
            return len(line) - len(line.lstrip())
        return (i + 1 < len(lines) and lines[i] and (i == 0 or not lines[i - 1]) and not lines[i].lstrip().startswith('- ')
                and indent(lines[i + 1]) > indent(lines[i]))

    def _terms(self, lines, indent):
        return [line for i, line in enumerate(lines)
                if self._is_term(lines, i) and re.match(' ' * indent + r'[^ |:]', line)]

    def options(self, title, under=None):
        """The options that are defined, each with its short form where it has one."""
        return {word for term in self.terms(title, under) if term.startswith('-')
                for word in re.findall(r'(?<![\w-])--?[a-z][a-z0-9-]*', term)}

    def mentioned(self):
        """All that looks like a long option, anywhere."""
        return set(OPTION.findall(plain(self.text)))


def output(program, *words):
    """What a program of the build, named by its variable of the environment, says in English."""
    result = subprocess.run([os.environ[program], *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                            env={**os.environ, 'LC_ALL': 'C.UTF-8', 'LANGUAGE': 'C'}, check=False)
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f'{program} {words}: {result.returncode}, {result.stderr}')
    return result.stdout


def helped(text, begin=None, end=None):
    """The options in the text of a help, or in a part of it, from one headline to another."""
    if begin is not None:
        if f'\n{begin}\n' not in text:
            return set()
        text = text.split(f'\n{begin}\n', 1)[1]
    if end is not None:
        text = text.split(f'\n{end}\n', 1)[0]
    return {word for line in text.splitlines() for match in [re.match(r'  (-\w, )?(--[a-z0-9-]+)', line)] if match
            for word in ((match[1] or '').rstrip(', '), match[2]) if word}
