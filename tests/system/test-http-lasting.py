#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Points over HTTP and the disk: what is on disk alone is read and changed as what is in memory; with durability always
nothing that was acknowledged is lost by a kill; what cannot be kept is not acknowledged.

METRICSD_KILLS says how often the server is killed, METRICSD_SEED repeats a run as far as the moments are alike."""

import http.client
import os
import pathlib
import random
import tempfile
import threading
import time

from folders import limit_files
from harness import SANITIZED, Client, TestCase, main
from web import CSV, JSON, POINTS, Web

KILLS = int(os.environ.get('METRICSD_KILLS', '3' if SANITIZED else '8'))
SEED = int(os.environ.get('METRICSD_SEED', random.SystemRandom().randrange(1 << 32)))


class LastingTest(TestCase):
    def setUp(self):
        print(f'# METRICSD_SEED={SEED}')
        self.random = random.Random(SEED)
        self.state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / 'state'

    def start_stored(self, *options, **arguments):
        return self.start('--state-dir', self.state, *options, http=True, **arguments)

    def web(self, server):
        return self.enterContext(Web(server))


class ColdTest(LastingTest):
    """Ten times more than memory may have."""

    SERIES = 50
    LENGTH = 2_000 if SANITIZED else 26_000  # points of a series, of eight bytes each

    def test_cold(self):
        server = self.start_stored('--memory-limit', '1M', '--durability', 'interval')
        web, client = self.web(server), self.client(server)
        values = [repr(self.random.uniform(.001, 1)) for _ in range(4096)]
        expected = {f'k{series}': {} for series in range(self.SERIES)}
        for start in range(0, self.LENGTH, 500):
            lines = ['key,timestamp,value']
            for key, points in expected.items():
                for i in range(start, start + 500):
                    points[i * 10] = values[hash((key, i)) & 4095]
                    lines.append(f'{key},{i * 10},{points[i * 10]}')
            answer = web.post('\n'.join(lines), CSV)
            self.assertEqual(answer.json(), {'stored': str(len(lines) - 1)}, answer.body)
        # Late points and deletions, where nothing is in memory.
        late = {key: [[self.random.randrange(self.LENGTH * 10), self.random.random()] for _ in range(20)]
                for key in list(expected)[::7]}
        answer = web.post({'series': [{'points': points, 'key': key} for key, points in late.items()]})
        self.assertEqual(answer.json(), {'stored': str(20 * len(late))})
        for key, points in late.items():
            expected[key].update((at, repr(value)) for at, value in points)
        for key in list(expected)[1::7]:
            start, end = sorted(self.random.randrange(self.LENGTH * 10) for _ in range(2))
            gone = [at for at in expected[key] if start <= at <= end]
            self.assertEqual(web.delete(('key', key), ('from', start), ('to', end)).json(), {'deleted': str(len(gone))})
            for at in gone:
                del expected[key][at]
        rows = [f'{key} {value} {at}'.encode() for key, points in expected.items() for at, value in sorted(points.items())]
        for kind in (JSON, CSV):
            self.assertEqual(web.get(POINTS, ('pattern', '*'), Accept=kind).rows(), rows, kind)
        parameters = (('pattern', 'k1*'), ('key', 'k7'), ('from', 995), ('to', self.LENGTH * 9), ('step', '1h'))
        for function in ('avg', 'count', 'p95', 'rate'):
            buckets = [row for pattern in ('k1*', 'k7')
                       for row in client.rows(f'range {pattern} 995 {self.LENGTH * 9} 3600 {function}'.encode())]
            self.assertEqual(web.get(POINTS, *parameters, ('function', function)).rows(), buckets, function)
        print(f'# at most {server.peak() >> 10} KiB resident')
        if not SANITIZED:
            self.assertLess(server.peak(), 64 << 20)


class KillsTest(LastingTest):
    """Writers with keys of their own, of which each knows what was acknowledged."""

    def write(self, number, server, acknowledged, count):
        generator = random.Random(SEED + number)
        try:
            with Web(server) as web:
                while True:
                    batch = len(acknowledged[number])
                    size = generator.choice((1, 5, 300))
                    points = [[batch * 1000 + i, batch + i / 8] for i in range(size)]
                    answer = web.post({'series': [{'key': f'w{number}', 'points': points}]})
                    if answer.status == 503 and answer.error[1] == 'stopping':
                        break
                    if answer.status != 200:
                        raise AssertionError(answer.body)
                    acknowledged[number].append(points)
                    count()
        except (OSError, http.client.HTTPException):
            pass

    def test_nothing_acknowledged_is_lost(self):
        acknowledged, failures = [[] for _ in range(4)], []
        for _ in range(KILLS):
            left = [self.random.randrange(20, 200)]
            over, lock = threading.Event(), threading.Lock()

            def count():
                with lock:
                    left[0] -= 1
                    if left[0] == 0:
                        over.set()

            def run(number, to, told=count):
                try:
                    self.write(number, to, acknowledged, told)
                except BaseException as error:
                    failures.append(error)
                    over.set()

            server = self.start_stored('--durability', 'always')
            threads = [threading.Thread(target=run, args=(number, server)) for number in range(4)]
            for thread in threads:
                thread.start()
            self.assertTrue(over.wait(120), 'too few requests were answered')
            # Whatever it is that it does at this moment.
            time.sleep(self.random.random() * .01)
            if self.random.random() < .7:
                server.kill()
            else:
                self.assertEqual(server.stop(), 0)
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])
            server = self.start_stored('--durability', 'always')
            with Web(server) as web:
                for number, batches in enumerate(acknowledged):
                    rows = set(web.get(POINTS, ('key', f'w{number}')).rows())
                    wanted = {f'w{number} {value!r} {at}'.encode() for points in batches for at, value in points}
                    self.assertLessEqual(wanted, rows)
            self.assertEqual(server.stop(), 0)
        print(f'# {sum(len(batches) for batches in acknowledged)} requests were acknowledged over {KILLS} kills')


class DiskTest(LastingTest):
    def test_disk_that_cannot_be_written(self):
        """Files may not grow: what is put cannot be kept, and that is said."""
        server = self.start_stored('--durability', 'always', preexec=limit_files)
        web, statuses = self.web(server), []
        while not statuses or statuses[-1] == 200:
            points = [[len(statuses) * 10_000 + i, self.random.random()] for i in range(2000)]
            answer = web.post({'series': [{'key': 'a', 'points': points}]})
            statuses.append(answer.status)
        self.assertEqual(answer.error[:2], (503, 'storage'))
        self.assertIn('storage: ', answer.message)
        self.assertEqual(web.get('/healthz').status, 503)
        self.assertEqual(web.get('/api/v1/keys').status, 200)
        answer = web.delete(('pattern', '*'))
        self.assertEqual(answer.error[:2], (503, 'storage'))
        self.assertIn('deleted in memory', answer.message)
        self.assertEqual(web.get(POINTS, ('key', 'a')).rows(), [])
        server.kill()

    def test_older_than_retention(self):
        """That is seen before any point of the body is put."""
        path = self.state.parent / 'metricsd.conf'
        path.write_text('[retention]\n*=1d\n')
        server = self.start_stored('--config', path)
        web, now = self.web(server), int(time.time())
        answer = web.post({'series': [{'key': 'a', 'points': [[now, 1], [now - 90_000, 2]]}]})
        self.assertEqual(answer.error, (400, 'too-old', 'series[0].points[1][0]'))
        answer = web.post(f'key,timestamp,value\na,{now},1\na,{now - 90_000},2\n', CSV)
        self.assertEqual(answer.error, (400, 'too-old', 'line 3'))
        with Client(server) as client:
            self.assertEqual(client.rows(b'get *'), [])


if __name__ == '__main__':
    main()
