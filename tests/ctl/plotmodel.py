# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which dots a picture of points has: a model beside metricsctl's own arithmetic."""

import math
from fractions import Fraction


def nearest(value):
    """The whole numbers that are nearest to it: two where it is in the middle."""
    below = math.floor(value)
    return {below} if value - below < Fraction(1, 2) else {below + 1} if value - below > Fraction(1, 2) else {below, below + 1}


def round_away(value):
    return math.floor(abs(value) + Fraction(1, 2)) * (1 if value >= 0 else -1)


class Model:
    """Which dots a picture of points has, and which it may have where a line passes in the middle between two."""

    def __init__(self, picture, low, high, first, last):
        self.picture = picture
        self.low, self.high, self.first, self.last = Fraction(low), Fraction(high), first, last

    def dot(self, point):
        time, value = point
        x = Fraction(time - self.first, self.last - self.first) * (self.picture.columns * 2 - 1)
        y = (self.high - Fraction(value)) / (self.high - self.low) * (self.picture.rows * 4 - 1)
        return round_away(x), round_away(y)

    def line(self, start, end):
        """For each step of the longer way, the dots of which one has to be there."""
        (x0, y0), (x1, y1) = self.dot(start), self.dot(end)
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for step in range(steps + 1):
            part = Fraction(step, steps)
            yield {(x, y) for x in nearest(x0 + part * (x1 - x0)) for y in nearest(y0 + part * (y1 - y0))}

    def check(self, test, *runs):
        """The picture is that of lines through these runs of points."""
        allowed = set()
        for run in runs:
            for start, end in zip(run, run[1:] or run):
                for dots in self.line(start, end):
                    test.assertTrue(dots & self.picture.dots, f'none of {dots} in\n{self.picture}')
                    allowed |= dots
        test.assertLessEqual(self.picture.dots, allowed, f'\n{self.picture}')
