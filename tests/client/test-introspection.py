#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The client library as Python sees it, through introspection, with the real server."""

import os
import socket
import tempfile
import threading
import unittest.mock

import gi
import ondemand
from harness import Server, TestCase, main

gi.require_version('Metrics', '1.0')
from gi.repository import Gio, GLib, Metrics  # noqa: E402


class IntrospectionTest(TestCase):
    def setUp(self):
        self.server = self.start('--series-limit', '3')
        self.sut = Metrics.Client.new(self.server.address)

    def assert_fails(self, code, function, *arguments):
        with self.assertRaises(GLib.Error) as caught:
            function(*arguments)
        self.assertTrue(caught.exception.matches(Metrics.error_quark(), code), caught.exception)
        return caught.exception

    def points(self, samples):
        return [(sample.key, sample.value, sample.timestamp) for sample in samples]

    def finish(self, start, finish, *arguments):
        """Makes an asynchronous request and runs the main loop until it is done."""
        loop = GLib.MainLoop()
        results = []

        def on_done(source, result):
            results.append(result)
            loop.quit()

        start(*arguments, None, on_done)
        loop.run()
        return finish(results[0])


class RequestTest(IntrospectionTest):
    def test_put_and_get(self):
        self.assertTrue(self.sut.ping(None))
        self.assertTrue(self.sut.put('caf\N{LATIN SMALL LETTER E WITH ACUTE}', 0.1, -5, None))
        self.assertTrue(self.sut.put_now('now', 1, None))
        key = 'caf\N{LATIN SMALL LETTER E WITH ACUTE}'
        self.assertEqual(self.points(self.sut.get(key, None)), [(key, 0.1, -5)])
        self.assertEqual(len(self.sut.get_all(None)), 2)
        self.assertEqual(self.sut.get('unknown', None), [])

    def test_batch(self):
        batch = Metrics.Batch.new()
        for i in range(1000):
            self.assertTrue(batch.add('k', i / 4, i))
        self.assertTrue(self.sut.put_batch(batch, None))
        self.assertEqual(batch.get_n_accepted(), 1000)
        self.assertEqual(self.points(self.sut.range('k', 10, 11, None)), [('k', 2.5, 10), ('k', 2.75, 11)])
        self.assertEqual(self.points(self.sut.last('*', None)), [('k', 249.75, 999)])
        self.assertEqual(
            self.points(self.sut.range_buckets('k', 0, 199, 100, Metrics.Function.COUNT, None)),
            [('k', 100, 0), ('k', 100, 100)])
        info, = self.sut.keys('*', None)
        self.assertEqual((info.key, info.n_points, info.first, info.last), ('k', 1000, 0, 999))
        self.assertEqual(self.sut.delete_range('k', Metrics.TIME_MIN, 99, None), (True, 100))
        self.assertEqual(self.sut.delete('*', None), (True, 900))
        self.assertEqual(self.sut.stats(None)['points'], '0')

    def test_foreach(self):
        for i in range(10):
            self.sut.put('k', i, i, None)
        seen = []

        def take(sample, wanted):
            seen.append(sample.copy())
            return len(seen) < wanted

        self.assertTrue(self.sut.foreach('*', Metrics.TIME_MIN, Metrics.TIME_MAX, take, 5, None))
        self.assertEqual(self.points(seen), [('k', i, i) for i in range(5)])

    def test_async(self):
        self.assertTrue(self.finish(self.sut.put_async, self.sut.put_finish, 'k', 1.5, 7))
        self.assertEqual(self.points(self.finish(self.sut.get_async, self.sut.get_finish, 'k')), [('k', 1.5, 7)])
        self.assertEqual(self.finish(self.sut.delete_async, self.sut.delete_finish, 'k'), (True, 1))
        with self.assertRaises(GLib.Error):
            self.finish(self.sut.put_async, self.sut.put_finish, 'a b', 1, 1)

    def test_threads(self):
        def run(number):
            for i in range(50):
                self.sut.put(f'k{number}', i, i, None)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(self.sut.get_all(None)), 150)

    def test_properties(self):
        self.assertEqual(self.sut.props.address, self.server.address)
        self.assertEqual(self.sut.props.timeout, 30000)
        self.sut.props.timeout = 5
        self.assertEqual(self.sut.get_timeout(), 5)
        self.assertEqual(Metrics.Function.P95.value_nick, 'p95')


class ErrorTest(IntrospectionTest):
    def test_refused(self):
        for key in 'abc':
            self.sut.put(key, 1, 1, None)
        error = self.assert_fails(Metrics.Error.REFUSED, self.sut.put, 'd', 1, 1, None)
        self.assertEqual(error.message, 'series limit reached')

        batch = Metrics.Batch.new()
        for key in 'adbec':
            batch.add(key, 2, 2)
        self.assert_fails(Metrics.Error.REFUSED, self.sut.put_batch, batch, None)
        self.assertEqual((batch.get_n_accepted(), batch.get_n_refused()), (3, 2))
        self.assertEqual(batch.get_refusal(0), ('series limit reached', 1))
        self.assertEqual(batch.get_refusal(1), ('series limit reached', 3))
        self.assertEqual(batch.get_refusal(2)[0], None)

    def test_no_server(self):
        with socket.socket() as unused:
            unused.bind(('127.0.0.1', 0))
            client = Metrics.Client.new('127.0.0.1:%d' % unused.getsockname()[1])
            error = self.assert_fails(Metrics.Error.CONNECT, client.ping, None)
            self.assertIn(client.get_address(), error.message)

    def test_server_goes_and_comes(self):
        path = self.enterContext(tempfile.TemporaryDirectory()) + '/socket'
        with Server('--listen', 'unix:' + path):
            client = Metrics.Client.new('unix:' + path)
            self.assertTrue(client.ping(None))
        self.assert_fails(Metrics.Error.CONNECT, client.ping, None)
        with Server('--listen', 'unix:' + path):
            self.assertTrue(client.ping(None))

    def test_invalid_argument(self):
        self.assert_fails(Metrics.Error.INVALID_ARGUMENT, self.sut.put, 'a b', 1, 1, None)
        self.assert_fails(Metrics.Error.INVALID_ARGUMENT, self.sut.put, 'k', float('nan'), 1, None)
        self.assert_fails(Metrics.Error.INVALID_ARGUMENT, self.sut.get, '*', None)
        self.assert_fails(Metrics.Error.INVALID_ARGUMENT, Metrics.Client.new('').ping, None)

    def test_cancelled(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        with self.assertRaises(GLib.Error) as caught:
            self.sut.ping(cancellable)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    def test_not_a_metrics_server(self):
        with socket.create_server(('127.0.0.1', 0)) as listener:
            def answer():
                peer = listener.accept()[0]
                with peer:
                    peer.recv(1000)
                    peer.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')

            thread = threading.Thread(target=answer)
            thread.start()
            client = Metrics.Client.new('127.0.0.1:%d' % listener.getsockname()[1])
            self.assert_fails(Metrics.Error.PROTOCOL, client.ping, None)
            thread.join()


@unittest.skipUnless(ondemand.is_possible(), 'there is no dbus-daemon')
class BusTest(TestCase):
    """The server that the bus starts."""

    def start_bus(self, kind):
        bus = self.enterContext(ondemand.OnDemand(kind))
        self.enterContext(unittest.mock.patch.dict(os.environ, bus.env))
        return bus

    def points(self, samples):
        return [(sample.key, sample.value, sample.timestamp) for sample in samples]

    def test_session(self):
        bus = self.start_bus('session')
        client = Metrics.Client.new('bus:session')
        self.assertTrue(client.put('k', 1, 2, None))
        # Who keeps a client does not notice that the server has ended and another one was started.
        bus.stop_server()
        self.assertEqual(self.points(client.get('k', None)), [('k', 1, 2)])
        self.assertTrue(client.flush(None))
        self.assertEqual(client.delete('k', None), (True, 1))

    def test_system(self):
        self.start_bus('system')
        client = Metrics.Client.new_for_bus(Gio.BusType.SYSTEM)
        self.assertEqual((client.props.address, client.props.interactive), ('bus:system', False))
        client.props.interactive = True
        self.assertTrue(client.put('k', 1, 2, None))
        self.assertEqual(client.delete_range('k', 0, 5, None), (True, 1))
        self.assertEqual(client.get_all(None), [])


if __name__ == '__main__':
    main()
