#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The format page of coded blocks, src/coding/README.md: the decoder here is written from it alone, and reads what the
program codes. Its example is taken from the page as it stands there."""

import os
import pathlib
import re
import struct
import subprocess
import sys
import unittest

from tap.runner import TAPTestRunner

PRINT_BLOCKS = os.environ['PRINT_BLOCKS']
PAGE = pathlib.Path(os.environ['CODING_README'])

DIVIDED, MULTIPLIED, BITS = range(3)


def wrap(number):
    """Modulo 2^64, as two's complement."""
    number %= 1 << 64
    return number - (1 << 64) if number >> 63 else number


def from_zigzag(number):
    return -(number + 1) // 2 if number % 2 else number // 2


def to_double(bits):
    return struct.unpack('<d', struct.pack('<Q', bits))[0]


def to_bits(double):
    return struct.unpack('<Q', struct.pack('<d', double))[0]


class Reader:
    """Takes bytes apart; `used` collects which parts of the format there were."""

    def __init__(self, data):
        self.data = data
        self.at = 0
        self.used = set()

    def take(self, count):
        assert self.at + count <= len(self.data), 'the block ends too early'
        self.at += count
        return self.data[self.at - count:self.at]

    def take_byte(self):
        return self.take(1)[0]

    def take_varint(self):
        number = 0
        shift = 0
        while True:
            byte = self.take_byte()
            number |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return number

    def take_packed(self, count, width):
        data = self.take((count * width + 7) // 8)
        number = int.from_bytes(data, 'little')
        assert number >> (count * width) == 0, 'the last byte is filled with zeros'
        return [number >> (i * width) & ((1 << width) - 1) for i in range(count)]

    def take_patches(self, count):
        """A dictionary: the patch of each position."""
        head = self.take_byte()
        n_patches = self.take_varint()
        if head & 0x80:
            self.used.add('bitmap')
            positions = [i for i, bit in enumerate(self.take_packed(count, 1)) if bit]
        else:
            self.used.add('list')
            positions = list(self.take(n_patches))
        assert len(positions) == n_patches and positions == sorted(set(positions))
        return dict(zip(positions, self.take_packed(n_patches, head & 0x7f)))

    def take_integers(self, count):
        head = self.take(2)
        width = head[0] & 0x7f
        shift = head[1] & 0x3f
        is_delta = bool(head[0] & 0x80)
        is_zigzag = bool(head[1] & 0x80)
        base = from_zigzag(self.take_varint())
        first = from_zigzag(self.take_varint()) if is_delta else None
        count -= is_delta
        patches = {}
        if head[1] & 0x40:
            patches = self.take_patches(count)
        if width == 0 and not patches:
            numbers = [0] * count
        else:
            numbers = self.take_packed(count, width)
        for position, patch in patches.items():
            numbers[position] |= patch << width
        if is_zigzag:
            numbers = [from_zigzag(number) for number in numbers]
        numbers = [wrap(base + (number << shift)) for number in numbers]
        self.used |= {'delta' if is_delta else 'whole', 'zigzag' if is_zigzag else 'frame', f'width {min(width, 1)}'}
        self.used |= {'shift'} if shift else set()
        if not is_delta:
            return numbers
        integers = [first]
        for number in numbers:
            integers.append(wrap(integers[-1] + number))
        return integers

    def take_values(self, count):
        """The bits of each."""
        scale = self.take_byte()
        exponent = scale & 0x1f
        kind = scale >> 5 & 3
        self.used.add(f'kind {kind} exponent {exponent}')
        integers = self.take_integers(count)
        if kind == DIVIDED:
            bits = [to_bits(integer / float(f'1e{exponent}')) for integer in integers]
        elif kind == MULTIPLIED:
            bits = [to_bits(integer * float(f'1e-{exponent}')) for integer in integers]
        else:
            assert kind == BITS and exponent == 0 and not scale & 0x80
            unsigned = [integer % (1 << 64) for integer in integers]
            bits = [number ^ ((1 << 63) - 1) if number >> 63 else number for number in unsigned]
        if kind != BITS:
            assert all(-2**51 <= integer <= 2**51 for integer in integers)
        if scale & 0x80:
            self.used.add('exceptions')
            n_exceptions = self.take_byte()
            positions = list(self.take(n_exceptions))
            assert positions == sorted(set(positions)) and n_exceptions > 0
            for position in positions:
                bits[position] = int.from_bytes(self.take(8), 'little')
        return bits

    def take_block(self):
        count = self.take_varint()
        times = self.take_integers(count)
        bits = self.take_values(count)
        assert self.at == len(self.data), 'nothing is behind the block'
        return times, bits


class FormatTest(unittest.TestCase):
    def print_blocks(self, seed):
        output = subprocess.run([PRINT_BLOCKS, str(seed)], check=True, capture_output=True, timeout=60).stdout
        for line in output.decode().splitlines():
            code, *numbers = line.split()
            count = len(numbers) // 2
            times = [int(text) for text in numbers[:count]]
            yield bytes.fromhex(code), times, [int(text, 16) for text in numbers[count:]]

    def test_blocks(self):
        """Every block says the points that it was made of, and all of the format was needed."""
        used = set()
        for code, times, bits in self.print_blocks(1):
            reader = Reader(code)
            self.assertEqual(reader.take_block(), (times, bits), code.hex())
            used |= reader.used
        expected = {'delta', 'whole', 'zigzag', 'frame', 'shift', 'list', 'bitmap', 'exceptions', 'width 0', 'width 1'}
        expected |= {f'kind {DIVIDED} exponent {exponent}' for exponent in range(19)}
        # By 10^0 both are the same.
        expected |= {f'kind {MULTIPLIED} exponent {exponent}' for exponent in range(1, 19)}
        expected |= {f'kind {BITS} exponent 0'}
        self.assertEqual(used - {f'kind {MULTIPLIED} exponent 0'}, expected)

    def test_example(self):
        """The bytes on the page are those that the program writes, and mean what the page says."""
        section = PAGE.read_text(encoding='utf-8').split('## An example')[1].split('\n## ')[0]
        text = ' '.join(re.findall(r'^    ((?:[0-9a-f]{2} )+)', section, re.MULTILINE))
        code = bytes.fromhex(text)
        printed, times, bits = next(self.print_blocks(0))
        self.assertEqual(code, printed)
        self.assertEqual(Reader(code).take_block(), ([1000, 1010, 1020], [to_bits(v) for v in (12.5, 12.5, 12.75)]))
        self.assertEqual((times, bits), Reader(code).take_block())


def main():
    runner = TAPTestRunner()
    runner.set_stream(True)
    sys.exit(not runner.run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])).wasSuccessful())


if __name__ == '__main__':
    main()
