#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What programs in Python, JavaScript and Vala are told by a watch, with the real server."""

import os
import shutil
import subprocess
import tempfile
import unittest.mock

import gi
import ondemand
from harness import WATCHDOG, Server, TestCase, main

gi.require_version('Metrics', '1.0')
from gi.repository import GLib, Metrics  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


class Listener:
    """What the signals of a watch say, in order."""

    def __init__(self, watch):
        self.watch, self.events, self.samples = watch, [], []
        watch.connect('points', self._on_points)
        watch.connect('dropped', lambda _, n: self.events.append(('dropped', n)))
        watch.connect('connected', lambda _, gap: self.events.append(('connected', gap)))
        watch.connect('disconnected', lambda _, error: self.events.append(('disconnected', error.code)))
        watch.connect('failed', lambda _, error: self.events.append(('failed', error.code)))

    def _on_points(self, _, samples):
        self.samples += samples

    def wait(self, condition):
        context = GLib.MainContext.default()
        while not condition():
            context.iteration(True)

    def points(self):
        return [(sample.key, sample.value, sample.timestamp) for sample in self.samples]


class PythonTest(TestCase):
    def test_signals(self):
        client = Metrics.Client.new(self.start().address)
        client.put('a.before', 1, 1, None)
        watch = Metrics.Watch.new(client, ['a.*', '?b', 'a.b'])
        listener = Listener(watch)
        self.assertEqual((watch.props.patterns, watch.props.client), (['a.*', '?b', 'a.b'], client))
        listener.wait(lambda: listener.events)
        self.assertEqual((listener.events, watch.props.online), ([('connected', False)], True))
        batch = Metrics.Batch.new()
        for i in range(5000):
            batch.add('a.b', i, i)
            batch.add('c', i, i)
        client.put_batch(batch, None)
        client.put('xb', 0.5, -7, None)
        listener.wait(lambda: len(listener.samples) > 5000)
        # Samples that are kept stay what they were.
        self.assertEqual(listener.points(), [('a.b', i, i) for i in range(5000)] + [('xb', 0.5, -7)])
        self.assertEqual(listener.events, [('connected', False)])

    def test_next(self):
        client = Metrics.Client.new(self.start().address)
        watch = Metrics.Watch(client=client, patterns=['k'], reconnect=False)
        listener = Listener(watch)
        listener.wait(lambda: listener.events)
        for i in range(3):
            client.put('k', i, i, None)
            samples, n_dropped, gap = watch.next(None)
            self.assertEqual([(s.key, s.value, s.timestamp) for s in samples], [('k', i, i)])
            self.assertEqual((n_dropped, gap), (0, False))
        results = []
        watch.next_async(None, lambda _, result: results.append(watch.next_finish(result)))
        client.put('k', 9, 9, None)
        listener.wait(lambda: results)
        self.assertEqual([s.value for s in results[0][0]], [9])
        watch.close()
        with self.assertRaises(GLib.Error) as caught:
            watch.next(None)
        self.assertTrue(caught.exception.matches(Metrics.error_quark(), Metrics.Error.CLOSED))

    def test_server_goes_and_comes(self):
        path = self.enterContext(tempfile.TemporaryDirectory()) + '/socket'
        watch = Metrics.Watch.new(Metrics.Client.new(path), ['*'])
        listener = Listener(watch)
        listener.wait(lambda: listener.events)
        expected = [('disconnected', Metrics.Error.CONNECT)]
        for i in range(3):
            with Server('--listen', 'unix:' + path):
                expected.append(('connected', i > 0))
                listener.wait(lambda: len(listener.events) == len(expected))
                Metrics.Client.new(path).put('k', i, i, None)
                listener.wait(lambda: len(listener.samples) == i + 1)
            expected.append(('disconnected', Metrics.Error.CLOSED))
            listener.wait(lambda: len(listener.events) == len(expected))
        self.assertEqual(listener.events, expected)
        self.assertEqual(listener.points(), [('k', i, i) for i in range(3)])

    def test_refused(self):
        path = self.enterContext(tempfile.TemporaryDirectory()) + '/socket'
        self.start('--listen', f'unix:{path},rights=put')
        listener = Listener(Metrics.Watch.new(Metrics.Client.new(path), ['*']))
        listener.wait(lambda: listener.events)
        self.assertEqual(listener.events, [('failed', Metrics.Error.REFUSED)])

    def test_too_many_patterns(self):
        address = self.start().address
        patterns = [f'*a*b*c*d*{i}' for i in range(10000)]
        listener = Listener(Metrics.Watch.new(Metrics.Client.new(address), patterns))
        listener.wait(lambda: listener.events)
        self.assertEqual(listener.events, [('failed', Metrics.Error.REFUSED)])


@unittest.skipUnless(ondemand.is_possible(), 'there is no dbus-daemon')
class BusTest(TestCase):
    def watch(self, kind):
        bus = self.enterContext(ondemand.OnDemand(kind))
        self.enterContext(unittest.mock.patch.dict(os.environ, bus.env))
        client = Metrics.Client.new('bus:' + kind)
        listener = Listener(Metrics.Watch.new(client, ['k']))
        listener.wait(lambda: listener.events)
        client.put('k', 1, 1, None)
        listener.wait(lambda: listener.samples)
        bus.stop_server()
        listener.wait(lambda: len(listener.events) == 3)
        client.put('k', 2, 2, None)
        listener.wait(lambda: len(listener.samples) == 2)
        self.assertEqual(listener.events, [('connected', False), ('disconnected', Metrics.Error.CLOSED),
                                           ('connected', True)])
        self.assertEqual(listener.points(), [('k', 1, 1), ('k', 2, 2)])
        listener.watch.close()

    def test_session(self):
        self.watch('session')

    def test_system(self):
        self.watch('system')


class ProgramTest(TestCase):
    def run_program(self, *command):
        program = subprocess.run([*command, self.start().address], timeout=WATCHDOG, capture_output=True, text=True)
        self.assertEqual((program.returncode, program.stderr), (0, ''))
        return program.stdout.splitlines()

    @unittest.skipUnless(shutil.which('gjs'), 'there is no gjs')
    def test_javascript(self):
        self.assertEqual(self.run_program('gjs', '-m', os.path.join(HERE, 'watch-client.js')), [
            'gap false true', 'points js.a1=1.5@10 js.b=2@10 js.a2=3@10', 'next js.next=0@0 0 false',
            'next js.next=1@1 0 false', 'next js.next=2@2 0 false', 'closed true', 'failed true'])

    @unittest.skipUnless('VALA_WATCH' in os.environ, 'there is no Vala')
    def test_vala(self):
        self.assertEqual(self.run_program(os.environ['VALA_WATCH']), [
            'gap false true', 'vala.a1=1.5@10', 'vala.b=2@10', 'next 1 0 false', 'next 2 0 false', 'closed'])


if __name__ == '__main__':
    main()
