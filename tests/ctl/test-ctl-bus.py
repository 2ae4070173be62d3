# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl over a bus that starts metricsd."""

import json
import os
import signal
import subprocess
import unittest

import harness
import ondemand
import shells
from ctl import Ctl, TestCase, binary

NOBODY = 65534


class BusTestCase(TestCase):
    def start_bus(self, kind, *options, **arguments):
        bus = self.enterContext(ondemand.OnDemand(kind, *options, **arguments))
        return bus, Ctl(**bus.env)


class Session(BusTestCase):
    def setUp(self):
        self.bus, self.on_bus = self.start_bus('session')

    def run_there(self, *words, **arguments):
        return self.on_bus.run('--session', *words, **arguments)

    def test_put_and_read(self):
        self.check(self.run_there('put', 'a.b', '1.5', '10'))
        self.assertIsNotNone(self.bus.pid())
        self.check(self.run_there('get', 'a.b'), 'a.b 1.5 10\n')
        self.assertEqual(self.run_there('import', stdin='a.b 2.5 20\na.c 3 30\n').status, 0)
        self.check(self.run_there('last'), 'a.b 2.5 20\na.c 3.0 30\n')
        self.check(self.run_there('range', 'a.b', '0', '100', '--step', '100', '--function', 'sum'), 'a.b 4.0 0\n')
        self.check(self.run_there('keys'), 'a.b 2 10 20\na.c 1 30 30\n')
        self.check(self.run_there('export'), 'a.b 1.5 10\na.b 2.5 20\na.c 3.0 30\n')
        self.check(self.run_there('del', 'a.b', '0', '15'), '1\n')
        self.check(self.run_there('del', '--yes', '*'), '2\n')
        self.check(self.run_there('get', '--all'))
        self.assertIn('points 0\n', self.run_there('stats').out)
        self.assertEqual(json.loads(self.run_there('ping', '--json').out)['address'], 'bus:session')

    def test_collect(self):
        result = self.run_there('collect', '--once', '--prefix', 'here')
        if 'libgtop' in result.err:
            self.skipTest('there is no collector')
        self.assertEqual((result.status, result.err), (0, ''))
        self.assertIn('here.', self.run_there('keys').out)

    def test_environment(self):
        ctl = Ctl('bus:session', **self.bus.env)
        self.check(ctl.run('put', 'k', '1', '2'))
        self.check(ctl.run('get', 'k'), 'k 1.0 2\n')

    def test_a_server_that_has_ended_is_started_again(self):
        self.check(self.run_there('put', 'k', '1', '2'))
        first = self.bus.pid()
        self.bus.stop_server()
        self.check(self.run_there('get', 'k'), 'k 1.0 2\n')
        self.assertNotEqual(self.bus.pid(), first)

    @unittest.skipUnless(shells.has('bash'), 'there is no bash')
    def test_completion(self):
        self.check(self.run_there('put', 'room.temperature', '1', '2'))
        path = os.path.dirname(binary()) + ':' + os.environ['PATH']
        env = {**self.on_bus.env, 'PATH': path}
        self.assertEqual(shells.bash_candidates(env, 'metricsctl --session get roo'), ['room.temperature'])
        self.assertEqual(shells.bash_candidates(env, 'metricsctl get --session roo'), ['room.temperature'])
        self.assertEqual(shells.bash_candidates({**env, 'METRICSD_ADDRESS': '127.0.0.1:1'}, 'metricsctl get roo'), [])


class Flush(BusTestCase):
    def test_flushed_points_outlive_a_crash(self):
        bus, ctl = self.start_bus('session', '--durability=none')
        self.check(ctl.run('--session', 'put', 'k', '1', '2'))
        self.check(ctl.run('--session', 'flush'))
        bus.stop_server(signal.SIGKILL)
        self.check(ctl.run('--session', 'get', 'k'), 'k 1.0 2\n')


class System(BusTestCase):
    def test_administrator(self):
        # Who runs the server may do all.
        _, ctl = self.start_bus('system')
        self.check(ctl.run('--system', 'put', 'k', '1', '2'))
        self.check(ctl.run('--system', 'put', 'k', '3', '4'))
        self.check(ctl.run('--system', 'del', 'k', '-', '2'), '1\n')
        self.check(ctl.run('--system', 'get', 'k'), 'k 3.0 4\n')
        self.check(ctl.run('--system', 'flush'))
        self.check(ctl.run('--system', 'del', '--yes', '*', '--json'), '{"points": 1}\n')

    def test_who_must_not_put_may_read(self):
        policy = (f'<deny send_destination="{ondemand.NAME}" send_interface="{ondemand.NAME}" '
                  'send_member="OpenWriter"/>')
        _, ctl = self.start_bus('system', policy=policy)
        self.check(ctl.run('--system', 'get', '--all'))
        result = ctl.run('--system', 'put', 'k', '1', '2')
        self.assertEqual((result.status, result.out), (1, ''))
        self.assertIn('permission denied', result.err)

    @unittest.skipUnless(os.getuid() == 0, 'only root can be somebody else')
    def test_somebody_else_must_not_delete(self):
        _, ctl = self.start_bus('system')
        self.check(ctl.run('--system', 'put', 'k', '1', '2'))
        try:
            subprocess.run([binary(), '--version'], env=ctl.env, user=NOBODY, check=True, capture_output=True)
        except (PermissionError, subprocess.CalledProcessError):
            self.skipTest('nobody can get at the build')
        for words in ['del', 'k'], ['flush']:
            result = ctl.run('--system', *words, user=NOBODY, group=NOBODY, extra_groups=[])
            self.assertEqual((result.status, result.out), (1, ''), result.err)
            self.assertIn('the server refused', result.err)
        self.check(ctl.run('--system', 'get', 'k', user=NOBODY, group=NOBODY, extra_groups=[]), 'k 1.0 2\n')


if __name__ == '__main__':
    if ondemand.is_possible():
        harness.main()
    else:
        print('1..0 # SKIP there is no dbus-daemon')
