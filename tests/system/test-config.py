#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration: what files say and what of it holds, what is wrong with them, and that the documentation has each
setting."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from harness import NOWHERE, OK, SANITIZED, Client, TestCase, binary, main, run, wait_until

DATA = pathlib.Path(__file__).parents[2] / 'data'
ORIGIN_VALUE = re.compile(r'(?m)^# (.*)\n(#?)([a-z-]+)=(.*)$')


class ConfigTest(TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / 'metricsd' / 'metricsd.conf'
        self.path.parent.mkdir()

    def write(self, text, name=None):
        path = self.path
        if name is not None:
            path = pathlib.Path(f'{self.path}.d') / name
            path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def configure(self, *lines, name=None):
        return self.write('[server]\n' + ''.join(line + '\n' for line in lines), name)

    def env(self):
        return {**os.environ, **NOWHERE, 'XDG_CONFIG_HOME': str(self.folder)}

    def call(self, *options, env=None):
        """Runs it to its end, with the configuration of the folder."""
        return subprocess.run([binary(), *map(str, options)], capture_output=True, text=True, timeout=60,
                              env={**self.env(), **(env or {})})

    def show(self, *options, **arguments):
        """Values and origins by name, of what is not commented out."""
        result = self.call('--show-config', *options, **arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        return {name: (value, origin) for origin, mark, name, value in ORIGIN_VALUE.findall(result.stdout) if not mark}

    def start_here(self, *options, **arguments):
        """A server that has no option but these."""
        return self.start(*options, plain=True, env={**self.env(), **arguments})


class EffectTest(ConfigTest):
    def test_limits(self):
        self.configure('host=127.0.0.1', 'port=0', 'memory-only=true', 'memory-limit=3M', 'series-limit=7',
                       'connection-limit=2', 'line-limit=1K', 'unsent-limit=2K', 'slice-limit=11')
        server = self.start_here()
        client = self.client(server)
        stats = client.stats()
        self.assertEqual({name: stats[name] for name in stats if name.endswith('_limit')},
                         {'memory_limit': 3 << 20, 'series_limit': 7, 'connection_limit': 2, 'line_limit': 1024,
                          'unsent_limit': 2048, 'slice_limit': 11})
        self.assertEqual(client.ask(b'x' * 1024), b'error\nline too long\n\n')
        self.client(server)
        self.assertEqual(self.client(server).recv_reply(), b'error\ntoo many connections\n\n')

    def test_timeouts(self):
        self.configure('host=127.0.0.1', 'port=0', 'memory-only=true', 'idle-timeout=2', 'line-timeout=1')
        server = self.start_here()
        self.assertEqual(self.client(server).recv_reply(), b'error\nidle timeout\n\n')
        client = self.client(server)
        client.send(b'pi')
        self.assertEqual(client.recv_reply(), b'error\nline timeout\n\n')

    def test_an_answer_that_is_not_taken(self):
        self.configure('host=127.0.0.1', 'port=0', 'memory-only=true', 'answer-timeout=1')
        server = self.start_here()
        client = self.client(server)
        client.put_many([b'put k %d %d\n' % (i, i) for i in range(50_000)])
        slow = self.client(server, receive_buffer=4096)
        slow.send(b'get *\n' * 20)
        wait_until(lambda: client.stats()['connections'] == 1, 'the end of who takes nothing')

    def test_a_stop_that_waits_for_nobody(self):
        self.configure('host=127.0.0.1', 'port=0', 'memory-only=true', 'stop-timeout=0')
        server = self.start_here()
        client = self.client(server)
        client.put_many([b'put k %d %d\n' % (i, i) for i in range(50_000)])
        slow = self.client(server, receive_buffer=4096)
        slow.send(b'get *\n' * 20)
        slow.wait_for(1)
        self.assertEqual(server.stop(), 0)
        self.assertIn('1 client did not take its answers in time', server.errors())

    def test_addresses(self):
        path = self.folder / 'socket'
        self.configure(f'listen=127.0.0.1:0,rights=read; unix:{path},mode=0600', 'memory-only=true')
        server = self.start_here()
        self.assertEqual(len(server.addresses), 2)
        self.assertEqual(self.client(server.addresses[0]).ask(b'put k 1 1'), b'error\npermission denied\n\n')
        self.assertEqual(self.client(f'unix:{path}').ask(b'put k 1 1'), OK)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_a_folder(self):
        state = self.folder / 'state'
        self.configure('host=127.0.0.1', 'port=0', f'state-dir={state}', 'durability=always')
        server = self.start_here()
        self.client(server).put('k', 1, 2)
        server.kill()
        self.assertEqual(self.client(self.start_here()).rows(b'get *'), [b'k 1.0 2'])
        # What is done instead of serving is done to the same one.
        result = self.call('--check')
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('changes 2\n', result.stdout)

    def test_memory_only(self):
        self.configure('host=127.0.0.1', 'port=0', 'memory-only=true', f'state-dir={self.folder}/state')
        self.client(self.start_here(STATE_DIRECTORY=str(self.folder / 'other'))).put('k', 1, 2)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ['metricsd'])
        result = self.call('--check')
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn('--state-dir', result.stderr)
        # Who names a folder on the command line wants one.
        self.assertEqual(self.show('--state-dir', self.folder / 'third')['memory-only'], ('false', 'default'))
        self.assertEqual(self.show('--durability', 'none')['state-dir'][0], f'{self.folder}/state')

    def test_own_figures(self):
        self.configure('host=127.0.0.1', 'port=0', 'memory-only=true', 'self-metrics=1')
        client = self.client(self.start_here())
        self.assertTrue(client.rows(b'keys metricsd.*'))

    def test_rules(self):
        self.write('[server]\nmemory-only=true\nhost=127.0.0.1\nport=0\n[retention]\nold=1d\n')
        client = self.client(self.start_here())
        self.assertEqual(client.ask(b'put old 1 1'), b'error\nolder than retention\n\n')
        self.assertEqual(client.ask(b'put new 1 1'), OK)


class LayerTest(ConfigTest):
    def test_order(self):
        self.configure('line-limit=1K', 'slice-limit=1', 'idle-timeout=1', 'series-limit=1', 'listen=[::1]:1')
        second = self.configure('slice-limit=2', 'idle-timeout=2', 'series-limit=2', name='20.conf')
        first = self.configure('idle-timeout=3', 'series-limit=3', 'listen=', name='10.conf')
        self.configure('idle-timeout=4', name='30.conf~')
        shown = self.show('--series-limit', '5')
        self.assertEqual(shown['line-limit'], ('1K', f'{self.path}:2'))
        self.assertEqual(shown['slice-limit'], ('2', f'{second}:2'))
        self.assertEqual(shown['idle-timeout'], ('2', f'{second}:3'))
        self.assertEqual(shown['series-limit'], ('5', 'command line'))
        self.assertEqual(shown['listen'], ('', f'{first}:4'))
        self.assertEqual(shown['unsent-limit'], ('128K', 'default'))

    def test_rules_as_a_whole(self):
        self.write('[retention]\na=1d\nb=2d\n[rollup]\na=avg 1m:1d\n')
        self.write('[retention]\nc=3d\n', '10.conf')
        output = self.call('--show-config').stdout
        self.assertIn(f'[retention]\n# {self.path}.d/10.conf:2\nc=3d\n', output)
        self.assertIn(f'[rollup]\n# {self.path}:5\na=avg 1m:1d\n', output)
        self.assertNotIn('b=2d', output)
        self.write('[retention]\n[rollup]\n', '20.conf')
        self.assertTrue(self.call('--show-config').stdout.endswith('\n[retention]\n\n[rollup]\n'))

    def test_what_is_shown_says_the_same(self):
        self.write('[server]\nlisten=unix:/a\\;b;127.0.0.1:1\nmemory-limit=1G\nstate-dir=/a b\n[retention]\na=1d\n[rollup]\n')
        first = self.call('--show-config').stdout
        other = self.folder / 'other.conf'
        other.write_text(first)
        values = re.compile(r'(?m)^[^#].*=.*$')
        second = self.call('--config', other, '--show-config')
        self.assertEqual(second.stderr, '')
        self.assertEqual(values.findall(second.stdout), values.findall(first))

    def test_named_files(self):
        """They take the place of the user's, and have drop-ins of their own."""
        self.configure('series-limit=1')
        other = self.folder / 'other'
        self.assertEqual(self.call('--config', other, '--check-config').returncode, 2)
        other.write_text('')
        self.assertEqual(self.show('--config', other)['series-limit'], ('1000000', 'default'))
        (self.folder / 'other.d').mkdir()
        (self.folder / 'other.d' / 'a.conf').write_text('[server]\nseries-limit=2\n')
        self.assertEqual(self.show('--config', other)['series-limit'][0], '2')

    def test_none(self):
        """Not there, or not where a folder can be."""
        for folder in (self.folder / 'nowhere', '/dev/null/config', 'relative'):
            result = self.call('--check-config', env={'XDG_CONFIG_HOME': str(folder), 'HOME': str(self.folder)})
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, 'errors 0\n', ''))

    def test_a_decimal_comma_changes_nothing(self):
        localedef = shutil.which('localedef')
        built = localedef and subprocess.run([localedef, '-i', 'de_DE', '-f', 'UTF-8', self.folder / 'de_DE.UTF-8'],
                                             capture_output=True).returncode
        if built != 0:
            self.skipTest('no locale can be made: package locales')
        self.configure('memory-limit=1536K', 'listen=127.0.0.1:0', 'memory-only=true')
        env = {'LOCPATH': str(self.folder), 'LC_ALL': 'de_DE.UTF-8'}
        self.assertEqual(self.show(env=env), self.show())
        client = self.client(self.start_here(**env))
        client.put('k', 1.5, 1)
        self.assertEqual(client.rows(b'get *'), [b'k 1.5 1'])
        self.assertEqual(client.stats()['memory_limit'], 1536 << 10)


class WrongTest(ConfigTest):
    def test_nothing_starts(self):
        drop_in = self.configure('', 'line-limt=1', 'port=no', name='a.conf')
        self.configure('memory-limit=1')
        for options in ((), ('--check-config',), ('--show-config',), ('--backup', 'x')):
            result = self.call(*options)
            self.assertEqual(result.returncode, 2)
            lines = result.stderr.splitlines()
            self.assertEqual(len(lines), 3, lines)
            self.assertIn(f"metricsd: {self.path}:2: [server] memory-limit: '1' is not a size of at least 1M", lines[0])
            self.assertIn(f'metricsd: {drop_in}:3: [server] line-limt: no such setting; there are: host, port, ', lines[1])
            self.assertIn(f"metricsd: {drop_in}:4: [server] port: 'no' is not a number from 0 to 65535", lines[2])
            self.assertEqual(result.stdout, f'file {self.path}\nfile {drop_in}\nerrors 3\n'
                             if options == ('--check-config',) else '')

    def test_what_is_not_a_file(self):
        os.mkfifo(self.path)
        result = self.call()
        self.assertEqual((result.returncode, result.stderr), (2, f'metricsd: {self.path}: not a regular file\n'))
        self.path.unlink()
        self.configure('', name='ok.conf')
        os.mkfifo(f'{self.path}.d/pipe.conf')
        result = self.call('--check-config')
        self.assertEqual((result.returncode, result.stderr), (2, f'metricsd: {self.path}.d/pipe.conf: not a regular file\n'))

    def test_too_many(self):
        for i in range(257):
            self.configure('', name=f'{i}.conf')
        result = self.call('--check-config')
        self.assertEqual((result.returncode, result.stderr), (2, f'metricsd: {self.path}.d: more than 256 files\n'))

    def test_a_file_that_is_wrong_from_end_to_end(self):
        """What its last lines say is not looked for, and no time is spent on it."""
        for group, rule in (('retention', 'x'), ('retention', '1d'), ('rollup', 'x')):
            self.write(f'[{group}]\n' + ''.join(f'k{i}={rule}\n' for i in range(20_000 if SANITIZED else 80_000)))
            result = self.call('--check-config')
            self.assertEqual((result.returncode, result.stdout.splitlines()[-1]), (2, 'errors 33'))

    def test_lines_that_are_told_say_which(self):
        """What stands before a line that ends the reading of a file is not spoken of without its place."""
        self.write('[retention]\nx y=60\n[[server]]\n')
        errors = self.call('--check-config').stderr.splitlines()
        self.assertEqual(1, len(errors), errors)
        self.assertTrue(errors[0].startswith(f'metricsd: {self.path}:3: '), errors)

    def test_wrong_escapes(self):
        for line in ('state-dir=a\\;b', 'state-dir=/a\\qb', 'host=a\\qb'):
            self.configure(line)
            errors = self.call('--check-config').stderr.splitlines()
            self.assertEqual(1, len(errors), errors)
            self.assertTrue(errors[0].startswith(f'metricsd: {self.path}:2: '), errors)

    def test_the_command_line_is_told(self):
        self.configure('', 'series-limit=5')
        result = self.call('--check-config', '--series-limit', '6')
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr, f'metricsd: {self.path}:3: [server] series-limit does not count: '
                         'the command line says otherwise\n')


class DocumentationTest(ConfigTest):
    EXAMPLE = (DATA / 'metricsd.conf.example').read_text()
    PAGE = (DATA / 'man' / 'metricsd.conf.5.rst').read_text()
    # Their defaults depend on the machine, or are more than one text.
    SPECIAL = ('host', 'memory-limit', 'state-dir')

    def settings(self):
        result = self.call('--show-config')
        return {name: value for _, _, name, value in ORIGIN_VALUE.findall(result.stdout)}

    def test_the_example_has_each_setting_with_its_default(self):
        shown = self.settings()
        written = dict(re.findall(r'(?m)^#([a-z-]+)=(.*)$', self.EXAMPLE.partition('[retention]')[0]))
        self.assertEqual(written.keys(), shown.keys())
        for name in shown:
            if name not in self.SPECIAL:
                self.assertEqual(written[name], shown[name], name)

    def test_the_example_is_right(self):
        for text in (self.EXAMPLE, re.sub(r'(?m)^#(\[.*\]|\S+=.+)$', r'\1', self.EXAMPLE)):
            self.write(text)
            result = self.call('--check-config')
            self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertIn('*.errors=sum 1h:10y\n', self.call('--show-config').stdout)

    def test_the_page_has_each_setting(self):
        for name in self.settings():
            self.assertRegex(self.PAGE, rf'(?m)^\*\*{name}\*\*$')
        self.assertEqual(re.findall(r'(?m)^\*\*([a-z-]+)\*\*$', self.PAGE), list(self.settings()))

    def test_the_help_has_each_setting(self):
        text = self.call('--help').stdout
        for name in self.settings():
            self.assertIn(f'--{name}', text)


if __name__ == '__main__':
    main()
