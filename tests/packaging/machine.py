# SPDX-License-Identifier: LGPL-2.1-or-later
"""A minimal Debian of its own: made by mmdebstrap, booted with its real systemd in systemd-nspawn.

    root = make_root(folder, packages=['dbus', 'polkitd'])
    with Machine(root) as machine:
        machine.run('systemctl', 'is-active', 'dbus.service')

It has a network of its own, in which there is a loopback alone. Needs root."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

SUITE = 'bookworm'
WATCHDOG = 120  # seconds for whatever is waited for
ENVIRONMENT = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'LANG': 'C.UTF-8'}


def missing_tools():
    """What this cannot do without and is not here."""
    tools = ['mmdebstrap', 'nsenter', 'systemd-nspawn']
    return [tool for tool in tools if shutil.which(tool) is None] + ([] if os.geteuid() == 0 else ['root'])


def make_root(folder, packages):
    """A folder with a fresh Debian that has these packages besides the required ones. What was fetched is kept as a
    tarball beside it, so that the next time takes seconds."""
    folder = pathlib.Path(folder)
    wanted = ' '.join(sorted(packages))
    tarball, note, root = folder / 'base.tar', folder / 'base.packages', folder / 'root'
    folder.mkdir(parents=True, exist_ok=True)
    if not tarball.exists() or not note.exists() or note.read_text() != wanted:
        note.unlink(missing_ok=True)
        subprocess.run(['mmdebstrap', '--variant=minbase', '--include=' + ','.join(sorted(packages)), SUITE, tarball],
                       check=True, stdin=subprocess.DEVNULL)
        note.write_text(wanted)
    if root.exists():
        subprocess.run(['rm', '-rf', '--one-file-system', root], check=True)
    root.mkdir()
    subprocess.run(['tar', '-C', root, '--numeric-owner', '--xattrs', '-xf', tarball], check=True)
    return root


class Machine:
    """A booted root. Leaving the context powers it off."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self._nspawn = None
        self._init = None

    def __enter__(self):
        self._nspawn = subprocess.Popen(
            ['systemd-nspawn', '--quiet', '-D', self.root, '--register=no', '--keep-unit', '--private-network', '--boot',
             '--console=pipe'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._init = self.wait_for(self._find_init, 'init of the machine')
            self.wait_for(self._has_booted, 'the end of its boot')
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    def _find_init(self):
        if self._nspawn.poll() is not None:
            raise AssertionError(f'systemd-nspawn ended with status {self._nspawn.returncode}')
        children = pathlib.Path(f'/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children').read_text().split()
        # Before it is systemd it is nspawn's own stub, in which nothing can be run yet.
        for child in children:
            try:
                name = pathlib.Path(f'/proc/{child}/comm').read_text().strip()
            except OSError:
                continue
            if name == 'systemd':
                return int(child)
        return None

    def _has_booted(self):
        state = self.run('systemctl', 'is-system-running', check=False).stdout.strip()
        return state if state in ('running', 'degraded') else None

    def _end(self):
        if self._init is not None and self._nspawn.poll() is None:
            # What systemd takes as `halt`, see systemd(1).
            os.kill(self._init, signal.SIGRTMIN + 4)
        try:
            self._nspawn.wait(WATCHDOG if self._init is not None else 1)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()

    def run(self, *command, user=None, env=None, check=True, given=None, timeout=WATCHDOG):
        """Runs a command in the machine, as its superuser unless it says who. Its output is text."""
        words = ['nsenter', '--target', str(self._init), '--all', '--']
        if user is not None:
            words += ['setpriv', '--reuid', user, '--regid', user, '--init-groups', '--']
        result = subprocess.run(words + [str(word) for word in command], input=given or '', capture_output=True, text=True,
                                env={**ENVIRONMENT, **(env or {})}, timeout=timeout, errors='replace')
        if check and result.returncode != 0:
            raise AssertionError(f'{" ".join(map(str, command))}: status {result.returncode}\n{result.stdout}{result.stderr}')
        return result

    def shell(self, text, **options):
        """As run(), by a shell."""
        return self.run('sh', '-c', text, **options)

    def output(self, *command, **options):
        """What a command writes to its standard output, without the white space around it."""
        return self.run(*command, **options).stdout.strip()

    def property(self, unit, name):
        """A property of a unit."""
        return self.output('systemctl', 'show', '--property', name, '--value', unit)

    def wait_for(self, condition, what):
        """Polls for what no event tells."""
        end = time.monotonic() + WATCHDOG
        while True:
            result = condition()
            if result:
                return result
            if time.monotonic() > end:
                raise AssertionError(f'{what} did not come about')
            time.sleep(0.1)
