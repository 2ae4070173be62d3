# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shells in which somebody types a part of a word and presses Tab.

    with Bash(env, folder) as shell:
        assert shell.complete('metricsctl get roo') == 'metricsctl get room.temperature '"""

import os
import pty
import re
import select
import shutil
import signal
import subprocess

import harness

COMPLETIONS = os.environ['COMPLETIONS']
DUMP = b'\x18d'  # Ctrl-X d


class Interactive:
    """A shell on a terminal, without anything of the user's, in a folder of the test's."""

    command = ()
    prepare = ()

    def __init__(self, env, folder):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            harness.prepare_child(None)
            os.chdir(folder)
            os.execvpe(self.command[0], self.command, {**env, 'HOME': folder, 'ZDOTDIR': folder, 'TERM': 'dumb',
                                                       'COLUMNS': '1000', 'PS1': '$ ', 'HISTFILE': ''})
        self.seen = b''
        for line in self.prepare:
            self._write(line.encode() + b'\n')
        # The mark is put together by the shell: its echo does not hold it.
        self._write(b"echo rea''dy-now\n")
        self._wait_for(rb'ready-now\r?\n')

    def _write(self, data):
        os.write(self.master, data)

    def _wait_for(self, pattern):
        while not (match := re.search(pattern, self.seen, re.DOTALL)):
            if not select.select([self.master], [], [], harness.WATCHDOG)[0]:
                raise AssertionError(f'{pattern!r} does not come, but {self.seen!r}')
            self.seen += os.read(self.master, 65536)
        self.seen = self.seen[match.end():]
        return match

    def complete(self, line):
        """What becomes of the line when Tab is pressed behind it."""
        self._write(line.encode() + b'\t' + DUMP)
        result = self._wait_for(rb'<<<(.*?)>>>')[1].decode()
        self._write(b'\x15')  # Ctrl-U: an empty line again
        return result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


class Bash(Interactive):
    command = ('bash', '--norc', '--noprofile', '-i')
    prepare = (
        f'source {COMPLETIONS}/bash/metricsctl',
        f'source {COMPLETIONS}/bash/metricsd',
        'bind "set enable-bracketed-paste off"',
        'bind "set page-completions off"',
        'bind "set completion-query-items 0"',
        '''bind -x '"\\C-xd": printf "<%s%s>>>\\n" "<<" "$READLINE_LINE"' ''',
    )


class Zsh(Interactive):
    command = ('zsh', '-f', '-i')
    prepare = (
        'unsetopt zle_bracketed_paste; unset zle_bracketed_paste; setopt no_beep no_list_ambiguous',
        'LISTMAX=10000',
        f'fpath=({COMPLETIONS}/zsh $fpath); autoload -Uz compinit; compinit -u -D',
        'dump() { print -r -- "<""<<$BUFFER>"">>" }; zle -N dump; bindkey "^Xd" dump',
        'bindkey -e; bindkey "^Xd" dump',
    )


def fish_candidates(env, folder, line):
    """What fish offers for the last word of the line, as it would be after its quotes are gone."""
    script = ''.join(f'source {COMPLETIONS}/fish/{name}.fish; ' for name in ('metricsd', 'metricsctl'))
    result = subprocess.run(['fish', '--no-config', '-c', script + 'complete -C $argv[1]', line], cwd=folder,
                            env={**env, 'HOME': folder}, capture_output=True, timeout=harness.WATCHDOG, check=True)
    assert not result.stderr, result.stderr
    return [row.split('\t')[0] for row in result.stdout.decode().splitlines()]


BASH_CANDIDATES = '''
source "$1/bash/$2"
COMP_LINE=$3 COMP_POINT=${#3}
read -ra COMP_WORDS <<<"$3"
[[ $3 != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { :; }
"_$2"
printf '%s\\n' "${COMPREPLY[@]}"
'''


def bash_candidates(env, line):
    """What bash is offered for the last word of the line; for words that it does not take apart."""
    result = subprocess.run(['bash', '-c', BASH_CANDIDATES, 'bash', COMPLETIONS, line.split()[0], line], env=env,
                            capture_output=True, timeout=harness.WATCHDOG, check=True, text=True)
    assert not result.stderr, result.stderr
    return [row for row in result.stdout.splitlines() if row]


def has(shell):
    return shutil.which(shell) is not None
