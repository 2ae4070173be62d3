# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the protocol says, done the naive way: the store as a dict of dicts, sums that lose nothing."""

import math
import re

FUNCTIONS = ('avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'median', 'p95', 'p99', 'rate')
LOWEST, HIGHEST = -2 ** 63, 2 ** 63 - 1


def compile_pattern(pattern):
    """The glob as a regular expression that matches whole keys."""
    parts, escaped = [], False
    for character in pattern:
        if escaped:
            parts.append(re.escape(character))
            escaped = False
        elif character == '\\':
            escaped = True
        else:
            parts.append({'*': '.*', '?': '.'}.get(character) or re.escape(character))
    assert not escaped
    return re.compile(''.join(parts), re.DOTALL)


def nearest_rank(values, percent):
    """The smallest value that no less than so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(1, -(-percent * len(ordered) // 100)) - 1]


def reduce_bucket(function, points, increases):
    """The value of one bucket; None where the bucket has no line. `increases` are the (increase, time span)
    pairs whose later point is in the bucket."""
    values = [value for _, value in points]
    if function == 'rate':
        span = sum(span for _, span in increases)
        return math.fsum(increase for increase, _ in increases) / span if span else None
    return {
        'avg': lambda: math.fsum(values) / len(values),
        'min': lambda: min(values),
        'max': lambda: max(values),
        'sum': lambda: math.fsum(values),
        'count': lambda: float(len(values)),
        'first': lambda: values[0],
        'last': lambda: values[-1],
        'median': lambda: nearest_rank(values, 50),
        'p95': lambda: nearest_rank(values, 95),
        'p99': lambda: nearest_rank(values, 99),
    }[function]()


def is_close(function, got, want, points):
    """Whether a value is as exact as the protocol promises it."""
    if function not in ('avg', 'sum', 'rate'):
        return repr(got) == repr(want)
    magnitude = math.fsum(abs(value) for _, value in points)
    if function == 'avg':
        magnitude /= len(points)
    # The last rounding to a double comes on top.
    return abs(got - want) <= magnitude * 1e-12 + abs(want) * 2 ** -52


class Model:
    def __init__(self):
        self.series = {}  # in the order of first puts

    def put(self, key, value, time):
        self.series.setdefault(key, {})[time] = value

    def keys(self, pattern):
        matches = compile_pattern(pattern).fullmatch
        return [key for key in self.series if matches(key)]

    def points(self, key, start=LOWEST, end=HIGHEST):
        return sorted((time, value) for time, value in self.series.get(key, {}).items() if start <= time <= end)

    def delete(self, pattern, start=LOWEST, end=HIGHEST):
        deleted = 0
        for key in self.keys(pattern):
            for time, _ in self.points(key, start, end):
                del self.series[key][time]
                deleted += 1
            if not self.series[key]:
                del self.series[key]
        return deleted

    def get_rows(self, key):
        return [row(key, value, time) for time, value in self.points(key)]

    def all_rows(self):
        return [line for key in self.series for line in self.get_rows(key)]

    def range_rows(self, pattern, start, end):
        return [row(key, value, time) for key in self.keys(pattern) for time, value in self.points(key, start, end)]

    def last_rows(self, pattern):
        return [self.get_rows(key)[-1] for key in self.keys(pattern)]

    def keys_rows(self, pattern):
        rows = []
        for key in self.keys(pattern):
            times = sorted(self.series[key])
            rows.append(f'{key} {len(times)} {times[0]} {times[-1]}'.encode())
        return rows

    def buckets(self, key, start, end, step, function):
        """[(start of the bucket, value, its points)], the empty ones left out."""
        grouped, increases, before = {}, {}, None
        for time, value in self.points(key, end=end):
            if time >= start:
                grouped.setdefault(time // step * step, []).append((time, value))
                if before is not None and function == 'rate':
                    # A counter that fell was set back to zero in between.
                    increase = value - before[1] if value >= before[1] else value
                    increases.setdefault(time // step * step, []).append((increase, time - before[0]))
            before = time, value
        found = ((bucket, reduce_bucket(function, points, increases.get(bucket, [])), points)
                 for bucket, points in grouped.items())
        return [entry for entry in found if entry[1] is not None]


def row(key, value, time):
    return f'{key} {value!r} {time}'.encode()
