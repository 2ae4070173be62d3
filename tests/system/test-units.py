#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units as systemd sees them: nothing is written wrong, and what the service is left with is little."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import START_WATCHDOG, TestCase, binary, main

UNITS = pathlib.Path(os.environ['METRICSD_UNITS'])
EXAMPLES = pathlib.Path(os.environ['METRICSD_UNIT_EXAMPLES'])

# In tenths: what `systemd-analyze security` may find at most.
EXPOSURE, EXPOSURE_WITHOUT_NETWORK = 11, 5


def has_analyze():
    """It has to know --offline, which came with systemd 250, and it wants a folder that only root can make for it."""
    if os.geteuid() != 0 and not os.path.isdir('/run/systemd'):
        return False
    program = shutil.which('systemd-analyze')
    return program is not None and int(re.search(
        r'systemd (\d+)', subprocess.run([program, '--version'], capture_output=True, text=True).stdout)[1]) >= 250


@unittest.skipUnless((UNITS / 'system').is_dir(), 'built without systemd')
@unittest.skipUnless(has_analyze(), 'no systemd-analyze of systemd 250 or later, or it cannot work here')
class UnitTest(TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def copy(self, kind):
        """The units of a kind, of the programs that were built and not of those that will be installed."""
        target = self.directory / kind
        target.mkdir()
        programs = {'metricsd': binary(), 'metricsctl': os.environ.get('METRICSCTL')}
        for unit in (UNITS / kind).glob('metricsd*'):
            text = re.sub(r'(?m)^(ExecStart=)\S*/(metricsd|metricsctl) ', lambda match: f'{match[1]}{programs[match[2]]} ',
                          unit.read_text())
            (target / unit.name).write_text(text)
        return target

    def analyze(self, *arguments, directory):
        """Runs it without a manager; nothing of this machine's is changed."""
        return subprocess.run(['systemd-analyze', *arguments], cwd=directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=START_WATCHDOG,
                              env={**os.environ, 'XDG_RUNTIME_DIR': str(self.directory)})

    def verify(self, kind, *arguments):
        directory = self.copy(kind)
        units = sorted(f'./{unit.name}' for unit in directory.iterdir())
        self.assertIn('./metricsd.service', units)
        result = self.analyze(*arguments, 'verify', '--man=no', *units, directory=directory)
        self.assertEqual(result.stdout, '')
        self.assertEqual(result.returncode, 0)

    def test_units_of_the_system(self):
        self.verify('system')

    def test_units_of_users(self):
        self.verify('user', '--user')

    def test_what_is_wrong_would_be_seen(self):
        directory = self.copy('system')
        with open(directory / 'metricsd.service', 'a') as unit:
            unit.write('[Service]\nProtectEverything=yes\n')
        self.assertIn('ProtectEverything', self.analyze('verify', '--man=no', './metricsd.service', directory=directory).stdout)

    def assert_exposed(self, directory, unit, most):
        result = self.analyze('security', '--offline=true', f'--threshold={most}', f'./{unit}', directory=directory)
        self.assertIn('Overall exposure level', result.stdout)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_exposure(self):
        self.assert_exposed(self.copy('system'), 'metricsd.service', EXPOSURE)

    def test_exposure_without_network(self):
        directory = self.copy('system')
        dropins = directory / 'metricsd.service.d'
        dropins.mkdir()
        shutil.copy(EXAMPLES / 'no-network.conf', dropins)
        self.assert_exposed(directory, 'metricsd.service', EXPOSURE_WITHOUT_NETWORK)

    @unittest.skipUnless((UNITS / 'system' / 'metricsd-collect.service').exists(), 'built without the collector')
    def test_exposure_of_the_collector(self):
        self.assert_exposed(self.copy('system'), 'metricsd-collect.service', EXPOSURE)


@unittest.skipUnless((UNITS / 'system').is_dir(), 'built without systemd')
class FilesTest(unittest.TestCase):
    def test_nothing_is_left_to_be_filled_in(self):
        for kind in ('system', 'user'):
            units = list((UNITS / kind).glob('metricsd*'))
            self.assertGreater(len(units), 2)
            for unit in units:
                with self.subTest(unit=unit.name):
                    self.assertNotRegex(unit.read_text(), r'@\w+@')

    def test_sockets_and_service_belong_together(self):
        for kind in ('system', 'user'):
            service = (UNITS / kind / 'metricsd.service').read_text()
            for name, passed in {'metricsd': 'metricsd', 'metricsd-tcp': 'metricsd-tcp', 'metricsd-http': 'http'}.items():
                self.assertRegex(service, rf'(?m)^After=.*\b{name}\.socket\b')
                unit = UNITS / kind / f'{name}.socket'
                if name == 'metricsd-http' and not unit.exists():
                    continue  # built without HTTP
                text = unit.read_text()
                self.assertIn(f'FileDescriptorName={passed}\n', text)
                if name != 'metricsd':
                    self.assertIn('Service=metricsd.service\n', text)
                    self.assertEqual(re.findall(r'(?m)^ListenStream=(.*):\d+$', text), ['127.0.0.1', '[::1]'])


if __name__ == '__main__':
    main()
