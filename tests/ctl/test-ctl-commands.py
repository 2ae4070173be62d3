# SPDX-License-Identifier: LGPL-2.1-or-later
"""put, get, last, range, keys, del, ping and stats, as programs use them: what they print and how they end."""

import json
import re
import time

import harness
from ctl import Ctl, TestCase

FUNCTIONS = ('avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'median', 'p95', 'p99', 'rate')


class Put(TestCase):
    def test_point(self):
        self.check(self.ctl.run('put', 'room.temperature', '21.5', '1503319740'))
        self.assertEqual(self.stored(), ['room.temperature 21.5 1503319740'])

    def test_negative_numbers_are_no_options(self):
        self.check(self.ctl.run('put', 't', '-5', '-7'))
        self.check(self.ctl.run('put', 't', '-.5', '1'))
        self.check(self.ctl.run('put', 't', '-1e-3', '--timeout', '9', '2'))
        self.assertEqual(self.stored(), ['t -5.0 -7', 't -0.5 1', 't -0.001 2'])

    def test_double_dash(self):
        self.check(self.ctl.run('put', '--', '--json', '-5', '1'))
        self.check(self.ctl.run('put', '-5', '--', '-6', '-7'))
        self.check(self.ctl.run('put', '--plain', '--', '--', '1', '2'))
        self.assertEqual(self.stored(), ['--json -5.0 1', '-5 -6.0 -7', '-- 1.0 2'])

    def test_time_now(self):
        before = int(time.time())
        self.check(self.ctl.run('put', 'a', '1'))
        self.check(self.ctl.run('put', 'b', '1', 'now'))
        self.check(self.ctl.run('put', 'c', '1', 'now-2h'))
        after = int(time.time())
        times = {row.split()[0]: int(row.split()[2]) for row in self.stored()}
        for key, offset in ('a', 0), ('b', 0), ('c', 7200):
            self.assertTrue(before - offset <= times[key] <= after - offset, key)

    def test_time_as_a_date(self):
        # The zone of the tests is an hour ahead.
        for number, (text, timestamp) in enumerate((
                ('2026-11-20 14:03:05', 1795179785), ('2026-11-20T14:03:05', 1795179785),
                ('2026-11-20T14:03:05Z', 1795183385), ('2026-11-20T14:03:05+02:00', 1795176185),
                ('2026-11-20 14:03', 1795179780), ('2026-11-20', 1795129200))):
            with self.subTest(text):
                self.check(self.ctl.run('put', f'k{number}', '1', text))
                self.assertEqual(self.stored()[-1], f'k{number} 1.0 {timestamp}')

    def test_bad_arguments(self):
        for words, text in (
                ([], 'too few'), (['k'], 'too few'), (['k', '1', '2', '3'], "too many: '3'"),
                (['k', 'x'], "value: 'x'"), (['k', 'nan'], 'value'), (['k', '1e999'], 'value'),
                (['k', '0x10'], 'value'), (['k', '1,5'], 'value'), (['k', ''], 'value'),
                (['k', '1', '-'], "timestamp: '-'"), (['k', '1', '1.5'], 'timestamp'),
                (['k', '1', 'tomorrow'], 'timestamp'), (['k', '1', '9223372036854775808'], 'timestamp'),
                (['k', '1', '2026-13-20'], 'timestamp'), (['k', '1', 'now-5y'], 'timestamp'),
                (['*', '1'], "key: '*'"), (['', '1'], 'key'), (['a b', '1'], 'key'), (['a\u00a0b', '1'], 'key'),
                (['k' * 1025, '1'], 'key'), (['k', '1', '--frob'], '--frob')):
            with self.subTest(' '.join(words)[:60]):
                self.check_usage_error(self.ctl.run('put', *words), text)
        self.check_usage_error(self.ctl.run(b'put', b'k\xff', b'1'), 'not a key')
        self.assertEqual(self.stored(), [])

    def test_longest_key(self):
        self.check(self.ctl.run('put', 'k' * 1024, '1', '2'))
        self.assertEqual(self.stored(), ['k' * 1024 + ' 1.0 2'])

    def test_key_beyond_ascii_in_the_c_locale(self):
        self.check(Ctl(self.server, LC_ALL='C').run('put', 'zähler', '1', '2'))
        self.check(Ctl(self.server, LC_ALL='C').run('get', 'zähler'), 'zähler 1.0 2\n')

    def test_refused(self):
        ctl = Ctl(self.start('--series-limit', '1'))
        self.check(ctl.run('put', 'a', '1', '1'))
        result = ctl.run('put', 'b', '1', '1')
        self.check(result, status=1)
        self.assertIn('series limit reached', result.err)


class Show(TestCase):
    ROWS = ['b.x 2.0 20', 'b.x 0.25 30', 'a.x 1e+16 10', 'a.y -0.0 -5']

    def setUp(self):
        self.put(*self.ROWS)

    def as_json(self, *rows):
        return [{'key': key, 'value': float(value), 'timestamp': int(timestamp)}
                for key, value, timestamp in map(str.split, rows)]

    def check_rows(self, words, *rows):
        """Plain and JSON of a command that answers with points."""
        self.check(self.ctl.run(*words), ''.join(row + '\n' for row in rows))
        self.check(self.ctl.run('--plain', *words), ''.join(row + '\n' for row in rows))
        result = self.ctl.run(*words, '--json')
        self.assertEqual((result.status, json.loads(result.out)), (0, self.as_json(*rows)), result)

    def test_get(self):
        self.check_rows(['get', 'b.x'], 'b.x 2.0 20', 'b.x 0.25 30')

    def test_get_all(self):
        self.check_rows(['get', '--all'], *self.ROWS)
        self.check_rows(['get', '*'], *self.ROWS)

    def test_get_of_a_key_that_is_not_there(self):
        self.check_rows(['get', 'c'])
        for key in 'b.*', 'b.?':
            self.check(self.ctl.run('get', key),
                       err='metricsctl: get takes a key; last, range and export take patterns\n')

    def test_get_takes_wildcards_as_they_are(self):
        self.put('b.* 1 1', 'b\\x 1 1', 'b?x 1 1', 'b.x*? 1 1')
        for key in 'b.*', 'b\\x', 'b?x', 'b.x*?':
            self.check_rows(['get', key], f'{key} 1.0 1')

    def test_get_of_a_long_key_of_wildcards(self):
        self.put('?' * 1024 + ' 1 1')
        self.check_rows(['get', '?' * 1024], '?' * 1024 + ' 1.0 1')

    def test_get_needs_one_key(self):
        for words in [], ['a', 'b'], ['--all', 'a'], ['a b'], ['']:
            with self.subTest(' '.join(words)[:60]):
                self.check_usage_error(self.ctl.run('get', *words), '')

    def test_last(self):
        self.check_rows(['last'], 'b.x 0.25 30', 'a.x 1e+16 10', 'a.y -0.0 -5')
        self.check_rows(['last', 'a.*'], 'a.x 1e+16 10', 'a.y -0.0 -5')
        self.check_rows(['last', 'c*'])

    def test_range(self):
        self.check_rows(['range', '*'], *self.ROWS)
        self.check_rows(['range', '?.x', '20'], 'b.x 2.0 20', 'b.x 0.25 30')
        self.check_rows(['range', '?.x', '-', '20'], 'b.x 2.0 20', 'a.x 1e+16 10')
        self.check_rows(['range', '*', '-5', '-5'], 'a.y -0.0 -5')
        self.check_rows(['range', '*', '-', '-5'], 'a.y -0.0 -5')
        self.check_rows(['range', '*', '-5', '10'], 'a.x 1e+16 10', 'a.y -0.0 -5')
        self.check_rows(['range', '*', 'now-1h', 'now'])
        self.check_rows(['range', '*', '1970-01-01 01:00:10', '1970-01-01T00:00:20Z'], 'b.x 2.0 20',
                        'a.x 1e+16 10')

    def test_range_up_to_now(self):
        now = int(time.time())
        self.put(f'n 1 {now - 50}', f'n 2 {now + 1000}')
        self.check_rows(['range', 'n', 'now-1h', 'now'], f'n 1.0 {now - 50}')

    def test_range_in_steps(self):
        self.check_rows(['range', 'b.x', '--step', '60'], 'b.x 1.125 0')
        self.check_rows(['range', 'b.x', '--step', '1m', '--function', 'max'], 'b.x 2.0 0')
        self.check_rows(['range', 'b.x', '25', '-', '-s', '5', '-f', 'count'], 'b.x 1.0 30')

    def test_range_with_every_function(self):
        self.put(*(f'f {n * n % 17} {n}' for n in range(100)))
        with harness.Client(self.server) as client:
            for function in FUNCTIONS:
                rows = [row.decode() for row in client.rows(f'range f 0 99 30 {function}'.encode())]
                self.assertTrue(rows)
                self.check_rows(['range', 'f', '0', '99', '--step=30', f'--function={function}'], *rows)

    def test_range_with_bad_arguments(self):
        for words, text in (
                ([], 'too few'), (['*', '1', '2', '3'], 'too many'), (['*', 'x'], "time: 'x'"),
                (['*', '1', 'x'], "time: 'x'"), (['', '1', '2'], 'pattern'), (['a b'], 'pattern'),
                (['a\u00a0b'], 'pattern'), (['a\\'], 'pattern'), (['*', '--function', 'max'], '--step'),
                (['*', '--step', '0'], "step: '0'"), (['*', '--step', '-5'], "step: '-5'"),
                (['*', '--step', '1y'], 'step'), (['*', '--step', '5', '--function', 'mode'], 'avg, min, max'),
                (['*', '--step'], '--step')):
            with self.subTest(' '.join(words)[:60]):
                self.check_usage_error(self.ctl.run('range', *words), text)

    def test_keys(self):
        self.check(self.ctl.run('keys'), 'b.x 2 20 30\na.x 1 10 10\na.y 1 -5 -5\n')
        self.check(self.ctl.run('keys', 'b*'), 'b.x 2 20 30\n')
        self.check(self.ctl.run('keys', 'c'), '')
        result = self.ctl.run('keys', '--json', '?.x')
        self.assertEqual(json.loads(result.out), [{'key': 'b.x', 'points': 2, 'first': 20, 'last': 30},
                                                  {'key': 'a.x', 'points': 1, 'first': 10, 'last': 10}])
        self.assertEqual(json.loads(self.ctl.run('keys', '--json', 'c').out), [])

    def test_json_escapes(self):
        key = '"\\/<>\u00fc\u20ac\U0001f600'
        self.put(f'{key} 1 1')
        self.check_rows(['get', key], f'{key} 1.0 1')

    def test_json_is_one_row_a_line(self):
        self.check(self.ctl.run('get', '--json', 'b.x'),
                   '[\n{"key": "b.x", "value": 2.0, "timestamp": 20},\n'
                   '{"key": "b.x", "value": 0.25, "timestamp": 30}\n]\n')
        self.check(self.ctl.run('get', '--json', 'c'), '[]\n')

    def test_human_form_where_asked_for(self):
        self.check(self.ctl.run('get', '--human', 'b.x'),
                   'KEY  VALUE  TIME\n'
                   'b.x      2  1970-01-01 01:00:20\n'
                   'b.x   0.25  1970-01-01 01:00:30\n')

    def test_forms_exclude_each_other(self):
        for words in ['--json', '--plain'], ['--human', '--json'], ['--plain', '--human']:
            self.check_usage_error(self.ctl.run('get', 'b.x', *words), 'exclude')

    def test_long_answer(self):
        """More than any buffer holds, in every form."""
        with harness.Client(self.server) as client:
            client.put_many([b'put long.key %d.5 %d\n' % (n, n) for n in range(100_000)])
        want = [f'long.key {n}.5 {n}' for n in range(100_000)]
        self.check_rows(['get', 'long.key'], *want)
        lines = self.ctl.run('get', '--human', 'long.key').out.splitlines()
        self.assertEqual(len(lines), 100_001)
        self.assertEqual(lines[0].split(), ['KEY', 'VALUE', 'TIME'])
        self.assertEqual(lines[-1].split(), ['long.key', '99999.5', '1970-01-02', '04:46:39'])


class Delete(TestCase):
    ROWS = ['a.x 1.0 10', 'a.x 2.0 20', 'a.y 3.0 30', 'b 4.0 40']

    def setUp(self):
        self.put(*self.ROWS)

    def test_key(self):
        self.check(self.ctl.run('del', 'a.x'), '2\n')
        self.assertEqual(self.stored(), self.ROWS[2:])

    def test_span(self):
        self.check(self.ctl.run('del', 'a.x', '15', '-'), '1\n')
        self.assertEqual(self.stored(), self.ROWS[:1] + self.ROWS[2:])
        self.check(self.ctl.run('del', 'a.x', '-', '1970-01-01T00:00:10Z', '--json'), '{"points": 1}\n')
        self.assertEqual(self.stored(), self.ROWS[2:])

    def test_nothing_there(self):
        self.check(self.ctl.run('del', 'c'), '0\n')
        self.assertEqual(self.stored(), self.ROWS)

    def test_wildcards_need_a_yes(self):
        for words in ['a.*'], ['?', '0', '100']:
            self.check_usage_error(self.ctl.run('del', *words), '--yes')
        self.assertEqual(self.stored(), self.ROWS)
        self.check(self.ctl.run('del', '--yes', 'a.*'), '3\n')
        self.assertEqual(self.stored(), self.ROWS[3:])

    def test_escaped_wildcards_need_none(self):
        self.put('a.* 5 50')
        self.check(self.ctl.run('del', 'a.\\*'), '1\n')
        self.assertEqual(self.stored(), self.ROWS)

    def test_bad_arguments(self):
        for words, text in (([], 'too few'), (['b', '1'], 'FROM needs TO'), (['b', 'x', '1'], "time: 'x'"),
                            (['b', '1', 'x'], "time: 'x'"), (['b', '1', '2', '3'], 'too many'), ([''], 'pattern')):
            with self.subTest(' '.join(words)[:60]):
                self.check_usage_error(self.ctl.run('del', *words), text)
        self.assertEqual(self.stored(), self.ROWS)

    def test_human(self):
        self.check(self.ctl.run('del', '--human', 'b'), '1 point deleted\n')
        self.check(self.ctl.run('del', '--human', 'a.x'), '2 points deleted\n')


class Server(TestCase):
    def test_ping(self):
        result = self.ctl.run('ping')
        self.assertEqual((result.status, result.err), (0, ''))
        self.assertGreater(float(result.out), 0)
        result = self.ctl.run('ping', '--json')
        answer = json.loads(result.out)
        self.assertEqual(answer.keys(), {'address', 'milliseconds'})
        self.assertEqual(answer['address'], self.server.address)
        self.assertGreater(answer['milliseconds'], 0)
        result = self.ctl.run('ping', '--human')
        self.assertRegex(result.out, rf'\A{re.escape(self.server.address)} answered after [0-9.]+ ms\n\Z')

    def test_stats(self):
        with harness.Client(self.server) as client:
            names = client.stats().keys()
        result = self.ctl.run('stats')
        self.assertEqual((result.status, result.err), (0, ''))
        plain = dict(line.split() for line in result.out.splitlines())
        self.assertEqual(plain.keys(), names)
        self.assertEqual(list(plain), sorted(plain))
        self.assertEqual(plain['line_limit'], '65536')

        figures = json.loads(self.ctl.run('stats', '--json').out)
        self.assertEqual(figures.keys(), names)
        self.assertEqual(figures['line_limit'], 65536)

        lines = self.ctl.run('stats', '--human').out.splitlines()
        self.assertEqual({line.split()[0] for line in lines}, names)
        self.assertEqual(len({len(line) for line in lines}), 1, lines)


if __name__ == '__main__':
    harness.main()
