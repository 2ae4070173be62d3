# SPDX-License-Identifier: LGPL-2.1-or-later
"""What metricsctl collect writes and sends, taken apart."""

import collections
import unicodedata

from ctl import Ctl

Point = collections.namedtuple('Point', 'key value time')


def parse(text, command=''):
    points = []
    for line in text.splitlines():
        words = line.removeprefix(command).split(' ')
        assert line.startswith(command) and len(words) == 3, line
        points.append(Point(words[0], float(words[1]), int(words[2])))
    return points


def is_key(key):
    return (0 < len(key.encode()) <= 1024 and key != '*'
            and not any(c.isspace() or unicodedata.category(c) == 'Cc' for c in key))


def reading():
    """The points of one reading, as a dictionary without the prefix."""
    result = Ctl().run('collect', '--once', '--print', '--prefix', 'p')
    assert result.status == 0, result.err
    points = parse(result.out)
    return {point.key.removeprefix('p.'): point.value for point in points}


def by_time(points):
    """{time: {key: value}}, which fails on a key that has two values at a time."""
    times = {}
    for point in points:
        values = times.setdefault(point.time, {})
        assert point.key not in values, f'{point} twice'
        values[point.key] = point.value
    return times
