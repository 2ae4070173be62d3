#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Values in and out: rules 4 and 5. Python's float() rounds correctly and its repr() is the shortest form, so
both are the judge."""

import math
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from decimal import Decimal, getcontext

from harness import OK, WRONG, TestCase, main

getcontext().prec = 1200

LARGEST = sys.float_info.max
SMALLEST_NORMAL = sys.float_info.min
SMALLEST = 5e-324

# Decimal point by comma, and a separator between thousands: what strtod() and printf() would obey.
COMMA_LOCALE = """\
comment_char %
escape_char /
LC_NUMERIC
decimal_point ","
thousands_sep "."
grouping 3;3
END LC_NUMERIC
"""


def random_doubles(rng, count):
    """Finite doubles of every exponent alike."""
    while count > 0:
        value = struct.unpack('<d', rng.randbytes(8))[0]
        if math.isfinite(value):
            count -= 1
            yield value


def halfway(value):
    """The decimal exactly between a positive double and the next one."""
    after = math.nextafter(value, math.inf)
    return (Decimal(value) + Decimal(after)) / 2 if math.isfinite(after) else Decimal(value)


class NumbersTest(TestCase):
    def setUp(self):
        self.server = self.start()
        self.sut = self.client(self.server)

    def assert_values(self, texts):
        """Each text is taken, and printed as repr() prints what float() makes of it."""
        texts = list(texts)
        self.sut.put_many([f'put k {text} {i}\n'.encode() for i, text in enumerate(texts)])
        rows = self.sut.rows(b'get k')
        want = [f'k {float(text)!r} {i}'.encode() for i, text in enumerate(texts)]
        if rows != want:
            self.assertEqual(len(rows), len(want))
            for row, wanted, text in zip(rows, want, texts):
                self.assertEqual(row, wanted, f'of the text {text[:100]}')
        self.sut.ask(b'del k')


class Rule04Test(NumbersTest):
    def test_rule_04_forms(self):
        self.assert_values((
            '12', '12.0', '-.5', '+3.', '1e-3', '1E3', '0', '-0', '+0', '0.0', '-0.0', '.0', '0.', '00', '007', '-007.50',
            '1e0', '1e00', '1e+05', '1e-05', '1.e5', '.5e1', '-.5E-1', '+.5e+1', '0e0', '0e5', '123456789012345678901',
            '1' * 300, '0' * 5000 + '1', '1.' + '0' * 5000 + '1', '0.' + '0' * 300 + '1', '-' + '9' * 308))

    def test_rule_04_underflow_is_zero(self):
        for text, printed in (('1e-400', '0.0'), ('-1e-400', '-0.0'), ('1e-99999999999999999999', '0.0'),
                              ('0.' + '0' * 400 + '1', '0.0'), ('2.4703282292062327e-324', '0.0'),
                              ('0e99999999999999999999', '0.0'), ('0e-99999999999999999999', '0.0')):
            self.sut.put('k', text, 1)
            self.assertEqual(self.sut.ask(b'get k'), f'ok\nk {printed} 1\n\n'.encode(), text[:50])

    def test_rule_04_long_digits_and_exponents_that_cancel(self):
        self.assert_values((
            '1' + '0' * 400 + 'e-400', '0.' + '0' * 5000 + '1e5001', '1' + '0' * 20000 + 'e-20000',
            '123456789' * 100 + 'e-890', '.' + '123456789' * 1000, '9' * 17 + '.' + '9' * 1000))

    def test_rule_04_refused(self):
        refused = [
            'nan', 'NaN', '-nan', 'nan(1)', 'inf', '-inf', '+inf', 'Inf', 'INFINITY', 'infinity', '0x10', '0x1p3', '0X1', '1p3',
            '1_000', '1,5', '1,000', "1'000", 'e', 'e1', 'E5', '.', '+', '-', '+.', '-.', '.e1', '1e', '1e+', '1e-', '1E', '1e1.5',
            '1e1e1', '1.2.3', '..1', '1..', '--1', '++1', '+-1', '-+1', '1-', '1+1', '1f', '1d', '1.0f', '1L', '0b1', '0o7', '1d3',
            '١', '１', '1\u0661', '−1', '½', '∞', 'one', 'None', 'true', '*', '"1"', "'1'", '$1', '1%', '1\x00', '1\x000', '\x001',
            '1e400', '-1e400', '1e309', '1.8e308', '2e308', '1' + '0' * 309, '1e99999999999999999999',
            '1.797693134862315808e308', '-1.7976931348623159e308']
        for text in refused:
            self.assertEqual(self.sut.ask(f'put k {text} 1'.encode()), WRONG, text)
        self.assertEqual(self.sut.ask(b'get *'), OK)

    def test_rule_04_the_largest(self):
        # Up to half a step above the largest double still rounds to it.
        border = Decimal(LARGEST) + (Decimal(LARGEST) - Decimal(math.nextafter(LARGEST, 0))) / 2
        for text in ('1.7976931348623157e308', '1.7976931348623158e308', '1.797693134862315807e308', f'{border - 1:f}'):
            self.sut.put('k', text, 1)
            self.assertEqual(self.sut.ask(b'get k'), b'ok\nk 1.7976931348623157e+308 1\n\n', text)
        for text in (f'{border:f}', f'{border + 1:f}'):
            self.assertEqual(self.sut.ask(f'put k {text} 1'.encode()), WRONG, text)

    def test_rule_04_rounding_at_the_halfway_points(self):
        rng = random.Random(41)
        values = [SMALLEST, SMALLEST_NORMAL, 1.0, 0.1, 2.0 ** 53, 2.0 ** 52, 9007199254740991.0, 1e22, 1e23, LARGEST / 2]
        values += [abs(value) for value in random_doubles(rng, 150)]
        values += [rng.randrange(1, 2 ** 52) * SMALLEST for _ in range(50)]
        texts = ['9007199254740993', '9007199254740993.0000000000000000001', '2.2250738585072011e-308',
                 '2.2250738585072012e-308', '2.47032822920623272088e-324', '2.47032822920623272089e-324']
        for value in values:
            middle = halfway(value)
            step = Decimal(10) ** (middle.adjusted() - 1100)
            texts += [f'{middle:e}', f'{middle + step:e}', f'{middle - step:e}']
        self.assert_values(texts)


class Rule05Test(NumbersTest):
    def test_rule_05_examples(self):
        for text, printed in (
                ('10', '10.0'), ('.25', '0.25'), ('-0', '-0.0'), ('1e16', '1e+16'), ('123456789012345', '123456789012345.0'),
                ('0.00001', '1e-05'), ('5e-324', '5e-324'), ('0.0001', '0.0001'), ('9999999999999998', '9999999999999998.0'),
                ('1e15', '1000000000000000.0'), ('1e22', '1e+22'), ('1e23', '1e+23'), ('1e100', '1e+100'),
                ('1.5e-10', '1.5e-10'), ('12345678901234567', '1.2345678901234568e+16'), ('0.1', '0.1'), ('0.3', '0.3'),
                ('2.675', '2.675'), ('-1234.5678', '-1234.5678'), ('1.7976931348623157e308', '1.7976931348623157e+308'),
                ('2.2250738585072014e-308', '2.2250738585072014e-308')):
            self.sut.put('k', text, 1)
            self.assertEqual(self.sut.ask(b'get k'), f'ok\nk {printed} 1\n\n'.encode(), text)

    def test_rule_05_random_bit_patterns(self):
        rng = random.Random(51)
        for _ in range(5):
            self.assert_values(map(repr, random_doubles(rng, 50000)))

    def test_rule_05_every_exponent(self):
        rng = random.Random(57)
        for sign in (0, 1 << 63):
            self.assert_values(
                repr(struct.unpack('<d', struct.pack('<Q', sign | exponent << 52 | significand))[0])
                for exponent in range(2047)
                for significand in (0, 1, 2 ** 51, 2 ** 52 - 1, *(rng.getrandbits(52) for _ in range(8)))
                if exponent | significand)

    def test_rule_05_written_in_other_ways(self):
        forms = ('%.17g', '%.25e', '%.16e', '%+.17G', '%.20g', '%.40e', '%.1e', '%.5g', '%.15g', '%.18e', '%.19e')
        rng = random.Random(52)
        self.assert_values(rng.choice(forms) % value for value in random_doubles(rng, 50000))

    def test_rule_05_powers(self):
        values = []
        for exponent in range(-1074, 1024):
            value = math.ldexp(1.0, exponent)
            values += [value, math.nextafter(value, 0.0), math.nextafter(value, math.inf)]
        self.assert_values(map(repr, values))
        self.assert_values(f'{digit}e{exponent}' for exponent in range(-324, 308) for digit in (1, -3, 7, 9))

    def test_rule_05_subnormals(self):
        rng = random.Random(53)
        self.assert_values(repr(rng.randrange(1, 2 ** rng.randrange(1, 53)) * SMALLEST) for _ in range(3000))

    def test_rule_05_decimals_as_metrics_have_them(self):
        rng = random.Random(54)
        self.assert_values(
            f'{rng.randrange(-10 ** rng.randrange(1, 18), 10 ** rng.randrange(1, 18))}e-{rng.randrange(0, 20)}'
            for _ in range(5000))
        self.assert_values('%.*f' % (rng.randrange(0, 9), rng.uniform(-1e9, 1e9)) for _ in range(5000))
        self.assert_values(f'{i / 1000}' for i in range(-2000, 2000))

    def test_rule_05_integers(self):
        rng = random.Random(55)
        values = [2 ** bits + offset for bits in range(0, 80) for offset in (-1, 0, 1)]
        values += [10 ** digits + offset for digits in range(0, 25) for offset in (-1, 0, 1)]
        values += [rng.randrange(2 ** rng.randrange(1, 200)) for _ in range(3000)]
        self.assert_values(str(value * sign) for value in values for sign in (1, -1))

    def test_rule_05_other_replies_print_alike(self):
        values = list(random_doubles(random.Random(56), 300))
        self.sut.put_many([f'put k{i} {value!r} 5\n'.encode() for i, value in enumerate(values)])
        want = [f'k{i} {value!r} 5'.encode() for i, value in enumerate(values)]
        for line in (b'get *', b'last *', b'range * - -', b'range * 0 9 5 max'):
            self.assertEqual(self.sut.rows(line), want, line)


class LocaleTest(TestCase):
    def test_rule_04_and_05_in_a_locale_with_a_decimal_comma(self):
        if not shutil.which('localedef'):
            self.skipTest('no localedef')
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / 'comma.src').write_text(COMMA_LOCALE)
        subprocess.run(['localedef', '--force', '-i', 'comma.src', './xx_XX'], cwd=directory, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for variable in ('LC_NUMERIC', 'LC_ALL'):
            env = {'LOCPATH': str(directory), 'LC_ALL': '', variable: 'xx_XX'}
            probe = subprocess.run(['/usr/bin/printf', '%.1f', '1,5'], capture_output=True, env=env, check=False)
            if probe.stdout != b'1,5':
                self.skipTest('the locale does not work here')
            client = self.client(self.start(env=env))
            client.put('k', '1234567.25', 1)
            client.put('k', '1e-7', 2)
            self.assertEqual(client.ask(b'get k'), b'ok\nk 1234567.25 1\nk 1e-07 2\n\n')
            self.assertEqual(client.ask(b'put k 1,5 3'), WRONG)
            self.assertEqual(client.ask(b'put k 1.234.567 3'), WRONG)
            self.assertEqual(client.ask(b'range k 1 1 5 avg'), b'ok\nk 1234567.25 0\n\n')


if __name__ == '__main__':
    main()
