# SPDX-License-Identifier: LGPL-2.1-or-later
"""A message bus of the test's own that starts metricsd when it is first called, and again when it has ended.

    with OnDemand('session') as bus:
        ...                     # with bus.env, or what it holds in os.environ
        bus.stop_server()       # the next call starts another one"""

import os
import select
import shutil
import signal
import subprocess
import tempfile

import harness

NAME = 'org.metricsd.Metrics1'

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/socket</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{folder}</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    {policy}
  </policy>
</busconfig>
"""

# Where the process that is started says who it is.
SERVICE = """[D-BUS Service]
Name={name}
Exec=/bin/sh -c 'echo $$ >"{folder}/started" && mv "{folder}/started" "{folder}/pid" && exec "{program}" {options}'
"""


def is_possible():
    return shutil.which('dbus-daemon') is not None


class OnDemand:
    """`kind` is 'session' or 'system': which bus it is for those who look for one, and what metricsd is told. `policy`
    is added to a policy that allows everything."""

    def __init__(self, kind, *options, policy=''):
        self._folder = tempfile.TemporaryDirectory(prefix='bus-')
        self.folder = self._folder.name
        # Whoever else is asked to call there has to get to the socket.
        os.chmod(self.folder, 0o755)
        address = f'unix:path={self.folder}/socket'
        self.env = {f'DBUS_{kind.upper()}_BUS_ADDRESS': address}
        words = harness.quietly([f'--{kind}', f'--state-dir={self.folder}/state', *options])
        self._write('config', CONFIG.format(folder=self.folder, policy=policy))
        self._write(f'{NAME}.service', SERVICE.format(name=NAME, folder=self.folder, program=harness.binary(),
                                                      options=' '.join(words)))
        self.process = subprocess.Popen(
            ['dbus-daemon', f'--config-file={self.folder}/config', '--nofork', '--print-address=1'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **self.env, **harness.NOWHERE, 'XDG_CONFIG_HOME': self.folder},
            preexec_fn=lambda: harness.prepare_child(None))
        if not select.select([self.process.stdout], [], [], harness.WATCHDOG)[0] or not self.process.stdout.readline():
            raise AssertionError('dbus-daemon does not start')

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), 'w') as file:
            file.write(text)

    def pid(self):
        """The process that was started last; None where none was."""
        try:
            with open(os.path.join(self.folder, 'pid')) as file:
                return int(file.read())
        except FileNotFoundError:
            return None

    def _is_running(self, pid):
        try:
            with open(f'/proc/{pid}/stat') as stat:
                return stat.read().rpartition(')')[2].split()[0] != 'Z'
        except FileNotFoundError:
            return False

    def stop_server(self, number=signal.SIGTERM):
        """Ends the server that runs, and waits until it is gone."""
        pid = self.pid()
        if pid is not None and self._is_running(pid):
            os.kill(pid, number)
            harness.wait_until(lambda: not self._is_running(pid), 'the end of the server')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_server()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self._folder.cleanup()
