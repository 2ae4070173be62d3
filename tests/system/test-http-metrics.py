#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a Prometheus collects, collected by one."""

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

from harness import START_WATCHDOG, WATCHDOG, Client, TestCase, main, prepare_child, wait_until

TEXT = 'text/plain; version=0.0.4; charset=utf-8'
OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
# Keys that a name of a metric could not be, and one that its label has to escape.
ODD = ['cpu.0{user}', 'größe/öl', '数', 'a"b\\c', '\\', '"', 'le', '__name__', 'x' * 1024]

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([a-z]+)="((?:[^"\\]|\\["\\n])*)"\})? (\S+)\Z')


def get(server, path, **headers):
    """The status, the headers and the body of an answer."""
    url = urllib.parse.urlsplit(server.http)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=WATCHDOG)
    try:
        connection.request('GET', path, headers={name.replace('_', '-'): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def metrics(server, query='', **headers):
    status, answer, body = get(server, '/metrics' + query, **headers)
    assert status == 200, body
    assert answer['Content-Type'] == (OPENMETRICS if 'openmetrics' in headers.get('Accept', '') else TEXT), answer
    return body.decode()


def parse(text):
    """{family: (type, unit, [(name, label, value)])}; families are whole, and begin with what they are."""
    families, name = {}, None
    for line in text.splitlines():
        if line == '# EOF':
            continue
        kind, _, rest = line.removeprefix('# ').partition(' ')
        if kind == 'HELP':
            name, _, text = rest.partition(' ')
            assert name not in families and text, line
            families[name] = [None, None, []]
        elif kind == 'TYPE':
            families[name][0] = rest.removeprefix(name + ' ')
        elif kind == 'UNIT':
            families[name][1] = rest.removeprefix(name + ' ')
        else:
            sample, label, text, value = SAMPLE.match(line).groups()
            assert sample in (name, name + '_total'), line
            if text is not None:
                text = re.sub(r'\\(.)', r'\1', text)
            families[name][2].append((sample, (label, text), float(value)))
    return families


def of_keys(families, name):
    return {text: value for _, (label, text), value in families[name][2] if label == 'key'}


class Prometheus:
    """One of the test's own, that scrapes a server and keeps what it got in a folder of the test's."""

    def __init__(self, server, folder, parameters=''):
        target = urllib.parse.urlsplit(server.http).netloc
        config = os.path.join(folder, 'prometheus.yml')
        with open(config, 'w') as file:
            file.write('global: {scrape_interval: 1s, scrape_timeout: 1s}\n'
                       'scrape_configs:\n'
                       f'- {{job_name: test, static_configs: [{{targets: ["{target}"]}}], params: {{{parameters}}}}}\n')
        self.process = subprocess.Popen(
            ['prometheus', f'--config.file={config}', f'--storage.tsdb.path={folder}/data', '--log.level=debug',
             '--web.listen-address=127.0.0.1:0'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: prepare_child(None))
        self.log = []
        self.address = None
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if not self._is_ready.wait(START_WATCHDOG) or self.address is None:
            self.stop()
            raise AssertionError('prometheus does not start: ' + ''.join(self.log))

    def _read(self):
        is_ready = False
        for line in self.process.stderr:
            self.log.append(line)
            found = re.search(r'msg="Listening on" address=(\S+)', line)
            if found:
                self.address = found[1]
            is_ready = is_ready or 'Server is ready to receive web requests.' in line
            # The two come in either order.
            if is_ready and self.address is not None:
                self._is_ready.set()
        self._is_ready.set()

    def ask(self, query):
        """The answer of a query: pairs of labels and a value."""
        url = f'http://{self.address}/api/v1/query?' + urllib.parse.urlencode({'query': query})
        with urllib.request.urlopen(url, timeout=WATCHDOG) as answer:
            return [(sample['metric'], float(sample['value'][1])) for sample in json.load(answer)['data']['result']]

    def wait(self, query):
        """The answer, when there is one."""
        return wait_until(lambda: self.ask(query), query)

    def complaints(self):
        """What it says of scrapes."""
        return [line for line in self.log if 'scrape' in line and ('level=warn' in line or 'level=error' in line)]

    def stop(self):
        self.process.terminate()
        self.process.wait(START_WATCHDOG)
        self._reader.join()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Text(TestCase):
    def setUp(self):
        self.server = self.start(http=True)
        self.writer = self.client(self.server)

    def test_own_figures(self):
        """Each figure of `stats` is told, and described."""
        self.writer.put('a', 1, 1)
        stats = self.writer.stats()
        families = parse(metrics(self.server))
        for kind, _, samples in families.values():
            self.assertIn(kind, ('gauge', 'counter'))
            self.assertTrue(samples)
        text = metrics(self.server)
        self.assertNotIn('A figure of the server', text)
        for name, figure in (('points', 'metricsd_points'), ('series', 'metricsd_series'),
                             ('memory_limit', 'metricsd_memory_limit_bytes'), ('series_limit', 'metricsd_series_limit')):
            self.assertEqual(families[figure][2][0][2], float(stats[name]))
        own = {family for family in families if not family.startswith('metricsd_last_')}
        self.assertEqual(len(own - {'metricsd_build_info', 'metricsd_http_streams'}), len(stats))
        self.assertRegex(families['metricsd_build_info'][2][0][1][1], r'\A\d+\.\d+')

    def test_counters_grow(self):
        name = 'metricsd_requests_total'
        before = parse(metrics(self.server))[name]
        self.assertEqual(before[0], 'counter')
        for _ in range(10):
            self.writer.ask(b'ping')
        self.assertEqual(parse(metrics(self.server))[name][2][0][2], before[2][0][2] + 10)

    def test_keys(self):
        for i, key in enumerate(ODD):
            self.writer.put(key, i + 0.5, i)
            self.writer.put(key, -1, i - 100)
        families = parse(metrics(self.server))
        self.assertEqual(of_keys(families, 'metricsd_last_value'), {key: i + 0.5 for i, key in enumerate(ODD)})
        self.assertEqual(of_keys(families, 'metricsd_last_timestamp_seconds'), {key: i for i, key in enumerate(ODD)})

    def test_extremes(self):
        self.writer.put('a', '-1.7976931348623157e308', 2 ** 63 - 1)
        self.writer.put('b', '5e-324', -(2 ** 63))
        text = metrics(self.server)
        self.assertIn('metricsd_last_value{key="a"} -1.7976931348623157e+308\n', text)
        self.assertIn('metricsd_last_value{key="b"} 5e-324\n', text)
        self.assertIn('metricsd_last_timestamp_seconds{key="a"} 9223372036854775807\n', text)
        self.assertIn('metricsd_last_timestamp_seconds{key="b"} -9223372036854775808\n', text)

    def test_patterns(self):
        for key in ('a.x', 'a.y', 'b.x', 'b.y', 'c'):
            self.writer.put(key, 1, 1)
        for query, expected in (('?pattern=a.*', ['a.x', 'a.y']), ('?pattern=*.x&pattern=a.*', ['a.x', 'b.x', 'a.y']),
                                ('?pattern=none', []), ('?key=c&key=a.x', ['c', 'a.x']), ('?pattern=c&pattern=c&pattern=*', ['c', 'a.x', 'a.y', 'b.x', 'b.y'])):
            with self.subTest(query=query):
                families = parse(metrics(self.server, query))
                for family in ('metricsd_last_value', 'metricsd_last_timestamp_seconds'):
                    # No key twice: that is an error to Prometheus.
                    self.assertEqual([text for _, (_, text), _ in families[family][2]], expected)
                self.assertIn('metricsd_points', families)

    def test_wrong_parameters(self):
        for query, where in (('?pattern=', 'pattern'), ('?pattern=%5C', 'pattern'), ('?key=a%20b', 'key'),
                             ('?from=0', 'from'), ('?match[]=a', 'match[]')):
            with self.subTest(query=query[:20]):
                status, _, body = get(self.server, '/metrics' + query)
                self.assertEqual((status, json.loads(body)['error']['where']), (400, where))

    def test_openmetrics(self):
        self.writer.put('a', 1, 1)
        text = metrics(self.server, Accept='application/openmetrics-text')
        self.assertTrue(text.endswith('\n# EOF\n'))
        families = parse(text)
        for name, (kind, unit, samples) in families.items():
            self.assertFalse(name.endswith('_total'))
            self.assertTrue(unit is None or name.endswith('_' + unit), name)
            for sample, _, _ in samples:
                self.assertEqual(sample, name + '_total' if kind == 'counter' else name)
        self.assertEqual(of_keys(families, 'metricsd_last_value'), {'a': 1})

    def test_accept(self):
        for accept, expected in (('*/*', TEXT), ('text/html, */*;q=0.1', TEXT), ('text/plain', TEXT), ('image/png', TEXT),
                                 ('application/openmetrics-text;q=0.4, text/plain;q=0.5', TEXT),
                                 ('application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;'
                                  'q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', OPENMETRICS)):
            with self.subTest(accept=accept):
                self.assertEqual(get(self.server, '/metrics', Accept=accept)[1]['Content-Type'], expected)

    def test_many_keys(self):
        """Fifty thousand keys, of which nobody waits for."""
        keys = [f'host{i % 100}.key{i}' for i in range(50000)]
        self.writer.put_many([f'put {key} {i} {i}\n'.encode() for i, key in enumerate(keys)])
        slices = []
        done = threading.Event()

        def ask():
            with Client(self.server) as client:
                while not done.is_set():
                    client.ask(b'ping')
                    slices.append(1)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            text = metrics(self.server)
        finally:
            done.set()
            thread.join()
        families = parse(text)
        self.assertEqual(of_keys(families, 'metricsd_last_value'), {key: i for i, key in enumerate(keys)})
        self.assertEqual(len(of_keys(families, 'metricsd_last_timestamp_seconds')), 50000)
        self.assertLess(self.writer.stats()['largest_slice'], 50000)
        self.assertGreater(len(slices), 1)


@unittest.skipUnless(shutil.which('promtool'), 'no promtool')
class Promtool(TestCase):
    def check(self, text):
        return subprocess.run(['promtool', 'check', 'metrics'], input=text, capture_output=True, text=True,
                              timeout=START_WATCHDOG)

    def test_check(self):
        with tempfile.TemporaryDirectory() as folder:
            server = self.start('--state-dir', folder, http=True)
            with Client(server) as writer:
                for i, key in enumerate(ODD):
                    writer.put(key, i, i)
            result = self.check(metrics(server))
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, '', ''))
            # It does look at it.
            self.assertNotEqual(self.check(metrics(server) + 'metricsd_last_value{key="a\n').returncode, 0)
            self.client(server).ask(b'quit')
            server.stop()


@unittest.skipUnless(shutil.which('prometheus'), 'no prometheus')
class Scraped(TestCase):
    def setUp(self):
        self.server = self.start(http=True)
        self.writer = self.client(self.server)
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def prometheus(self, **arguments):
        return self.enterContext(Prometheus(self.server, self.folder, **arguments))

    def test_everything(self):
        """Whatever the keys and the timestamps are: each value is there, and nothing was complained of."""
        now = int(time.time())
        times = [0, -5, 1503319740, now, now * 1000, now + 10 ** 6, 2 ** 63 - 1, -(2 ** 63), now - 7200]
        for i, (key, timestamp) in enumerate(zip(ODD, times)):
            self.writer.put(key, i + 0.25, timestamp)
        prometheus = self.prometheus()
        self.assertEqual(prometheus.wait('up == 1')[0][1], 1)
        found = {labels['key']: value for labels, value in prometheus.wait('metricsd_last_value')}
        self.assertEqual(found, {key: i + 0.25 for i, key in enumerate(ODD)})
        found = {labels['key']: value for labels, value in prometheus.wait('metricsd_last_timestamp_seconds')}
        self.assertEqual(found, {key: float(timestamp) for key, timestamp in zip(ODD, times)})
        self.assertEqual(prometheus.wait('metricsd_series')[0][1], len(ODD))
        self.assertTrue(prometheus.wait('process_cpu_seconds_total'))
        types = self.metadata(prometheus)
        self.assertEqual(types['metricsd_last_value']['type'], 'gauge')
        self.assertIn('counter', [entry['type'] for name, entry in types.items() if name.startswith('metricsd_requests')])
        self.assertEqual(prometheus.complaints(), [])

    def metadata(self, prometheus):
        with urllib.request.urlopen(f'http://{prometheus.address}/api/v1/metadata', timeout=WATCHDOG) as answer:
            return {name: entries[0] for name, entries in json.load(answer)['data'].items()}

    def test_changes(self):
        """A value that takes the place of another one of the same time is seen, and a key that is deleted is gone."""
        self.writer.put('a', 1, 100)
        self.writer.put('b', 1, 100)
        prometheus = self.prometheus()
        prometheus.wait('metricsd_last_value{key="a"} == 1')
        self.writer.put('a', 2, 100)
        prometheus.wait('metricsd_last_value{key="a"} == 2')
        self.writer.ask(b'del a')
        wait_until(lambda: not prometheus.ask('metricsd_last_value{key="a"}'), 'the end of the key')
        self.assertTrue(prometheus.ask('metricsd_last_value{key="b"}'))
        self.assertEqual(prometheus.complaints(), [])

    def test_pattern(self):
        self.writer.put('a.x', 1, 1)
        self.writer.put('b.x', 2, 1)
        self.writer.put('c', 3, 1)
        prometheus = self.prometheus(parameters='pattern: ["a.*", "*.x"]')
        found = {labels['key']: value for labels, value in prometheus.wait('metricsd_last_value')}
        self.assertEqual(found, {'a.x': 1, 'b.x': 2})
        self.assertEqual(prometheus.complaints(), [])


if __name__ == '__main__':
    main()
