#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`range` with a step and a function, against the naive implementation of model.py."""

import functools
import math
import operator
import random

from harness import OK, WRONG, TestCase, main
from model import FUNCTIONS, HIGHEST, LOWEST, Model, is_close


class BucketTest(TestCase):
    OPTIONS = ()

    def setUp(self):
        self.sut = self.client(self.start(*self.OPTIONS))
        self.model = Model()

    def put(self, key, points):
        for time, value in points:
            self.model.put(key, value, time)
        self.sut.put_many([f'put {key} {value!r} {time}\n'.encode() for time, value in points])

    def assert_buckets(self, pattern, start, end, step, functions=FUNCTIONS):
        """`start` and `end` may be None: open."""
        low, high = LOWEST if start is None else start, HIGHEST if end is None else end
        for function in functions:
            line = f'range {pattern} {"-" if start is None else start} {"-" if end is None else end} {step} {function}'
            want = [(key, *bucket) for key in self.model.keys(pattern)
                    for bucket in self.model.buckets(key, low, high, step, function)]
            rows = [row.split() for row in self.sut.rows(line.encode())]
            self.assertEqual([(key.decode(), int(time)) for key, _, time in rows],
                             [(key, bucket) for key, bucket, _, _ in want], line)
            for (_, got, _), (key, bucket, value, points) in zip(rows, want):
                self.assertTrue(is_close(function, float(got), value, points),
                                f'{line}: {key} at {bucket} is {got.decode()}, not {float(value)!r}')
                self.assertEqual(repr(float(got)).encode(), got, line)

    def assert_rows(self, line, *rows):
        self.assertEqual(self.sut.rows(line), list(rows), line)


class ExamplesTest(BucketTest):
    """Each function on numbers that one can follow by hand."""

    def test_each_function(self):
        self.put('k', [(0, 4.0), (3, 1.0), (5, 3.0), (9, 2.0), (10, 7.0), (30, 5.0), (39, -5.0)])
        for function, values in (
                ('avg', (2.5, 7.0, 0.0)), ('min', (1.0, 7.0, -5.0)), ('max', (4.0, 7.0, 5.0)), ('sum', (10.0, 7.0, 0.0)),
                ('count', (4.0, 1.0, 2.0)), ('first', (4.0, 7.0, 5.0)), ('last', (2.0, 7.0, -5.0)),
                ('median', (2.0, 7.0, -5.0)), ('p95', (4.0, 7.0, 5.0)), ('p99', (4.0, 7.0, 5.0))):
            self.assert_rows(f'range k - - 10 {function}'.encode(),
                             *(f'k {value!r} {bucket}'.encode() for value, bucket in zip(values, (0, 10, 30))))

    def test_percentiles_by_nearest_rank(self):
        for count, median, p95, p99 in ((1, 1, 1, 1), (2, 1, 2, 2), (3, 2, 3, 3), (19, 10, 19, 19), (20, 10, 19, 20),
                                        (21, 11, 20, 21), (99, 50, 95, 99), (100, 50, 95, 99), (101, 51, 96, 100),
                                        (200, 100, 190, 198), (1000, 500, 950, 990)):
            order = random.Random(count).sample(range(count), count)
            self.put(f'n{count}', [(time, float(value + 1)) for time, value in enumerate(order)])
            for function, rank in (('median', median), ('p95', p95), ('p99', p99)):
                self.assert_rows(f'range n{count} - - 5000 {function}'.encode(), f'n{count} {rank}.0 0'.encode())

    def test_rate_of_a_counter(self):
        self.put('c', [(0, 100.0), (10, 150.0), (20, 170.0), (60, 570.0)])
        self.assert_rows(b'range c - - 10 rate', b'c 5.0 10', b'c 2.0 20', b'c 10.0 60')
        self.assert_rows(b'range c - - 30 rate', b'c 3.5 0', b'c 10.0 60')
        # The point before the bucket counts although it is outside of the span.
        self.assert_rows(b'range c 20 - 10 rate', b'c 2.0 20', b'c 10.0 60')
        self.assert_rows(b'range c 0 0 10 rate')

    def test_rate_handles_resets(self):
        self.put('c', [(0, 100.0), (10, 30.0), (20, 50.0), (30, 0.0), (40, 8.0)])
        self.assert_rows(b'range c - - 100 rate', b'c 1.45 0')
        self.assert_rows(b'range c - - 10 rate', b'c 3.0 10', b'c 2.0 20', b'c 0.0 30', b'c 0.8 40')

    def test_rate_needs_two_points(self):
        self.put('c', [(5, 1.0)])
        self.assert_rows(b'range c - - 10 rate')
        self.put('c', [(15, 1.0)])
        self.assert_rows(b'range c - - 10 rate', b'c 0.0 10')

    def test_floor_before_1970(self):
        self.put('k', [(-11, 1.0), (-10, 2.0), (-1, 3.0), (0, 4.0), (9, 5.0)])
        self.assert_rows(b'range k - - 10 sum', b'k 1.0 -20', b'k 5.0 -10', b'k 9.0 0')
        self.assert_rows(b'range k -1 0 10 first', b'k 3.0 -10', b'k 4.0 0')

    def test_span_cuts_buckets(self):
        self.put('k', [(time, 1.0) for time in range(100)])
        self.assert_rows(b'range k 5 24 10 count', b'k 5.0 0', b'k 10.0 10', b'k 5.0 20')
        self.assert_rows(b'range k 24 5 10 count')

    def test_sum_is_compensated(self):
        """A plain sum loses each of the ones, and with them five times what the protocol allows."""
        points = [(0, 2.0 ** 53)] + [(time, 1.0) for time in range(1, 50001)]
        plain = functools.reduce(operator.add, (value for _, value in points))
        self.assertFalse(is_close('sum', plain, math.fsum(value for _, value in points), points))
        self.put('k', points)
        self.assert_buckets('k', None, None, 10 ** 6, ('sum', 'avg'))
        self.put('cancels', [(0, 1e16), (1, 1.0), (2, -1e16), (3, 0.25)])
        self.assert_buckets('cancels', None, None, 10, ('sum', 'avg'))

    def test_wrong_steps_and_functions(self):
        self.put('k', [(1, 1.0)])
        for step in ('0', '-1', '-10', '1.5', 'x', '10s', '-', 'now', '9223372036854775808', '1e3', ''):
            self.assertEqual(self.sut.ask(f'range k - - {step} avg'.encode()), WRONG, step)
        for function in ('mean', 'AVG', 'avgg', 'av', 'p50', 'p999', 'percentile', '*', '1', 'none', 'rate()', ''):
            self.assertEqual(self.sut.ask(f'range k - - 10 {function}'.encode()), WRONG, function)
        self.assertEqual(self.sut.ask(b'range none - - 10 avg'), OK)

    def test_extremes_of_time(self):
        self.put('k', [(LOWEST, 1.0), (LOWEST + 1, 2.0), (-1, 3.0), (0, 4.0), (HIGHEST - 1, 5.0), (HIGHEST, 6.0)])
        for step in (1, 2, 2 ** 62, HIGHEST):
            # A bucket that starts below the least timestamp has no stamp of its own; the others are exact.
            start = None if LOWEST % step == 0 else -(2 ** 63 // step) * step
            self.assert_buckets('k', start, None, step, ('sum', 'count', 'first', 'last'))
            self.assertEqual(self.sut.ask(b'ping'), OK)
        self.sut.rows(f'range k - - {HIGHEST} sum'.encode())
        self.sut.rows(b'range k - - 3 rate')

    def test_extremes_of_value(self):
        self.put('k', [(0, 1.7e308), (1, 1.7e308), (2, -1.7e308), (3, -1.7e308), (10, 5e-324), (11, 5e-324)])
        self.assert_buckets('k', None, None, 10, ('min', 'max', 'first', 'last', 'median', 'count'))
        for function in ('sum', 'avg', 'rate'):
            for row in self.sut.rows(f'range k - - 2 {function}'.encode()):
                float(row.split()[1])


class RandomTest(BucketTest):
    OPTIONS = ('--slice-limit', '300')

    def series(self, rng, count, counter):
        time, value, points = rng.randrange(-3000, 1000), 0.0, []
        for _ in range(count):
            time += rng.choice((1, 2, 2, 2, 10, rng.randrange(1, 200)))
            if counter:
                value = 0.0 if rng.random() < .03 else value + rng.randrange(50) / 4
            else:
                value = rng.choice((rng.uniform(-100, 100), rng.uniform(-1, 1) * 10 ** rng.randrange(-8, 9), float(rng.randrange(9))))
            points.append((time, value))
        rng.shuffle(points)
        return points

    def test_random_series(self):
        rng = random.Random(11)
        for i, count in enumerate((1, 2, 10, 255, 256, 257, 1000, 3000)):
            self.put(f's{i}', self.series(rng, count, False))
        for _ in range(25):
            start, end = sorted((rng.randrange(-3500, 9000), rng.randrange(-3500, 9000)))
            step = rng.choice((1, 2, 7, 10, 60, 100, 1000, 100000))
            pattern = rng.choice(('*', 's3', 's?', '*7', 's[', '?6'))
            functions = [function for function in FUNCTIONS if function != 'rate']
            self.assert_buckets(pattern, rng.choice((start, None)), rng.choice((end, None)), step, functions)

    def test_random_counters(self):
        rng = random.Random(12)
        for i, count in enumerate((1, 2, 50, 700)):
            self.put(f'c{i}', self.series(rng, count, True))
        for _ in range(40):
            step = rng.choice((1, 3, 10, 60, 500, 5000))
            start = rng.randrange(-3500, 5000) // step * step
            end = start + rng.randrange(8000)
            self.assert_buckets('c*', rng.choice((start, None)), rng.choice((end, None)), step, ('rate',))

    def test_one_bucket_of_many_points(self):
        """More points than any slice holds; some functions need all of them at once."""
        rng = random.Random(13)
        self.put('big', [(time, rng.gauss(0, 1e6)) for time in range(20000)])
        self.assert_buckets('big', None, None, 10 ** 9)
        self.assert_buckets('big', 100, 19000, 7000)

    def test_rate_of_the_model(self):
        self.put('c', [(0, 0.0), (3, 1.0), (10, 0.5)])
        self.assertEqual(self.model.buckets('c', LOWEST, HIGHEST, 100, 'rate')[0][1], 0.15)
        self.assert_buckets('c', None, None, 100)


if __name__ == '__main__':
    main()
