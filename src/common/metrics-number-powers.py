#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the header with the powers of ten that metrics-number-decimal.c multiplies with: metrics-number-powers.py HEADER

Each is the first 128 bits of 5^e, the highest of them set; what 10^e has beside them is a power of two. Integers of any size
make them exact: up to 5^55 they are 5^e itself, above they are cut off, below zero (where 5^e never ends) they are rounded up."""

import sys

# From the smallest power that can still make a number above zero of 64 bits of digits (2^64 * 10^-343 is less than half of the
# smallest double, 4.9e-324; with 10^-342 it is not) to the largest with which a double is brought to an integer of 17 digits:
# that of the smallest double, 10^324. Reading alone would need none above 10^308 (1e309 is too large for a double).
MIN_POWER = -342
MAX_POWER = 324


def significand(exponent):
    power = 5 ** abs(exponent)
    if exponent < 0:
        return (1 << power.bit_length() + 127) // power + 1
    shift = 128 - power.bit_length()
    return power << shift if shift >= 0 else power >> -shift


def main():
    mask = (1 << 64) - 1
    lines = [
        '/* Made by metrics-number-powers.py, where it says what this is. */',
        '',
        f'#define MIN_POWER ({MIN_POWER})',
        f'#define MAX_POWER {MAX_POWER}',
        '',
        'static const MetricsUint128 powers_of_five[MAX_POWER - MIN_POWER + 1] = {',
    ]
    for exponent in range(MIN_POWER, MAX_POWER + 1):
        value = significand(exponent)
        assert value.bit_length() == 128
        # One more is asked of those that were cut off, and must not carry.
        assert value & mask != mask
        lines.append(f'  {{ G_GUINT64_CONSTANT (0x{value >> 64:016x}), G_GUINT64_CONSTANT (0x{value & mask:016x}) }}, /* {exponent} */')
    lines += ['};', '']
    with open(sys.argv[1], 'w', encoding='ascii') as header:
        header.write('\n'.join(lines))


if __name__ == '__main__':
    main()
