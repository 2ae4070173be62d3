# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completions: what metricsctl tells shells, and what real shells make of it."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import harness
import shells
from ctl import Ctl, TestCase, binary, wait_for_close

# What a key may hold, and a shell could take for something else. Each ends the name of a point of its own.
HOSTILE = ('$(touch${IFS}pwned)', '`touch${IFS}pwned`', ';touch${IFS}pwned', '|touch${IFS}pwned', '&touch${IFS}pwned',
           "it's", 'say"so"', 'back\\slash', '$HOME', '!!', '!touch', 'a*b', 'a?c', '[ab]', '{a,b}', '~root', '#no',
           '<in', '>out', '(a)', '^a^b', 'a:b:c', 'a=b', 'a,b', '%1', 'a@b', "'$(touch${IFS}pwned)'",
           '"$(touch${IFS}pwned)"', '\u00e4\u00f6', '--help', '-x')

NAMES = [f'k{number:02}{text}' for number, text in enumerate(HOSTILE)]


def long_options(program, *words):
    """The long options that the help of the program, or of its command, tells of."""
    result = subprocess.run([program, *words, '--help'], capture_output=True, text=True, check=True,
                            env={**os.environ, 'LC_ALL': 'C', 'LANGUAGE': ''})
    return set(re.findall(r'^  (?:-\w, )?(--[a-z][a-z-]*)', result.stdout, re.MULTILINE))


def commands():
    text = subprocess.run([binary(), '--help'], capture_output=True, text=True, check=True,
                          env={**os.environ, 'LC_ALL': 'C', 'LANGUAGE': ''}).stdout
    return re.findall(r'^  (\w+) +\w', text[text.index('Commands:'):], re.MULTILINE)


class Complete(TestCase):
    """metricsctl complete."""

    def put_keys(self, *keys):
        self.put(*(f'{key} 1 1' for key in keys))

    def test_keys(self):
        self.put_keys('b.x', 'a.z', 'a.y', 'a*', 'c?')
        self.check(self.ctl.run('complete', 'keys'), 'a*\na.y\na.z\nb.x\nc?\n')
        self.check(self.ctl.run('complete', 'keys', 'a.'), 'a.y\na.z\n')
        self.check(self.ctl.run('complete', 'keys', 'a*'), 'a*\n')
        self.check(self.ctl.run('complete', 'keys', 'no'), '')
        self.check(self.ctl.run('complete', 'keys', 'no such'), '')

    def test_patterns(self):
        self.put_keys('a.y', 'a*b', 'a?c', 'a\\d')
        self.check(self.ctl.run('complete', 'patterns'), 'a\\*b\na.y\na\\?c\na\\\\d\n')
        self.check(self.ctl.run('complete', 'patterns', 'a\\*'), 'a\\*b\n')
        self.check(self.ctl.run('complete', 'patterns', 'a\\'), 'a\\*b\na.y\na\\?c\na\\\\d\n')
        # With a wildcard it is complete as it stands.
        self.check(self.ctl.run('complete', 'patterns', 'a*'), '')

    def test_many(self):
        self.put_keys(*(f'h{host}.d{disk}.free' for host in range(20) for disk in range(20)))
        self.check(self.ctl.run('complete', 'keys'), ''.join(sorted(f'h{host}.\n' for host in range(20))))
        self.check(self.ctl.run('complete', 'keys', 'h7.'), ''.join(sorted(f'h7.d{disk}.free\n' for disk in range(20))))
        self.put_keys(*(f'n{number}' for number in range(201)))
        self.check(self.ctl.run('complete', 'keys', 'n'), '')
        self.check(self.ctl.run('complete', 'keys', 'n20'), 'n20\nn200\n')

    def test_what_commands_the_terminal_is_left_out(self):
        self.put_keys('a\u202eb', 'ab')
        self.check(self.ctl.run('complete', 'keys'), 'ab\n')

    def test_no_server(self):
        for ctl in Ctl('127.0.0.1:1'), Ctl('unix:/nonexistent'), Ctl(self.fake(wait_for_close)):
            self.check(ctl.run('complete', 'keys'), status=3, err='')

    def test_hidden(self):
        self.assertNotIn('complete', self.ctl.run('--help').out)
        self.check_usage_error(self.ctl.run('complete', 'words'), "'words'")
        self.assertEqual(self.ctl.run('complete', '--help').status, 0)


class Options(unittest.TestCase):
    """The completions offer the options that there are, and no others."""

    def check_shell(self, candidates):
        for command in commands():
            with self.subTest(command):
                self.assertEqual(set(candidates(f'metricsctl {command} --')), long_options(binary(), command))
        self.assertEqual(set(candidates('metricsctl --')), long_options(binary()))
        self.assertEqual(set(candidates('metricsctl ')), set(commands()))
        self.assertEqual(set(candidates('metricsd --')), long_options(harness.binary()))

    @unittest.skipUnless(shells.has('bash'), 'there is no bash')
    def test_bash(self):
        self.check_shell(lambda line: shells.bash_candidates(os.environ, line))

    @unittest.skipUnless(shells.has('fish'), 'there is no fish')
    def test_fish(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.check_shell(lambda line: shells.fish_candidates(os.environ, folder, line))

    def options_of_zsh(self, program):
        text = pathlib.Path(shells.COMPLETIONS, 'zsh', f'_{program}').read_text()
        # In a description, or behind it: '--name[', '--name=[', or ,--name=}'[ after a short one.
        return set(re.findall(r"(--[a-z][a-z-]*)=?(?:\[|\}')", text))

    def test_zsh(self):
        expected = set().union(*(long_options(binary(), command) for command in commands()))
        self.assertEqual(self.options_of_zsh('metricsctl'), expected)
        self.assertEqual(self.options_of_zsh('metricsd'), long_options(harness.binary()))


class Values(unittest.TestCase):
    """The values of metricsd's options."""

    # What is typed, and what becomes of it where no shell adds anything of its own.
    LINES = (('--dur', '--durability'), ('--durability al', '--durability always'),
             ('--durability=al', '--durability=always'), ('--listen=unix:/x,mode=0660,rights=read+put+d',
                                                          '--listen=unix:/x,mode=0660,rights=read+put+delete'),
             ('--listen 127.0.0.1:80,rights=read+put+d', '--listen 127.0.0.1:80,rights=read+put+delete'),
             ('--config som', r'--config some\ file'), ('--config=som', r'--config=some\ file'),
             ('--state-dir fol', '--state-dir folder/'), ('--port 8', '--port 8'))

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        pathlib.Path(self.folder, 'some file').touch()
        pathlib.Path(self.folder, 'folder').mkdir()

    def check_shell(self, shell):
        with shell(Ctl().env, self.folder) as shell:
            for typed, completed in self.LINES:
                with self.subTest(typed):
                    # zsh puts the sign in front of a value that has to come.
                    self.assertEqual(shell.complete(f'metricsd {typed}').rstrip(' ='), f'metricsd {completed}')

    @unittest.skipUnless(shells.has('bash'), 'there is no bash')
    def test_bash(self):
        self.check_shell(shells.Bash)

    @unittest.skipUnless(shells.has('zsh'), 'there is no zsh')
    def test_zsh(self):
        self.check_shell(shells.Zsh)

    @unittest.skipUnless(shells.has('fish'), 'there is no fish')
    def test_fish(self):
        for typed, completed in self.LINES[:-1]:
            with self.subTest(typed):
                self.assertEqual(shells.fish_candidates(os.environ, self.folder, f'metricsd {typed}'),
                                 [completed.split(' ', typed.count(' '))[-1].replace('\\', '')])


class Keys(TestCase):
    shell = 'bash'

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.put(*(f'{name} 1 1' for name in NAMES), 'many.aa 1 1', 'many.ab 1 1')
        path = os.path.dirname(binary()) + ':' + os.environ['PATH']
        self.env = Ctl(self.server, PATH=path).env

    def tearDown(self):
        self.assertEqual([name for name in os.listdir(self.folder) if 'pwned' in name], [])

    def check_line(self, line, *words):
        """The line is what the shell reads as these words. It is run: what it should not do, it would do now."""
        script = 'metricsctl() { printf "%s\\0" "$@"; }; eval "$1"'
        result = subprocess.run([self.shell, '-c', script, self.shell, line], cwd=self.folder, env=self.env,
                                capture_output=True, text=True, timeout=harness.WATCHDOG)
        self.assertEqual((result.stdout, result.stderr), (''.join(word + '\0' for word in words), ''), line)

    def check_keys(self, shell):
        for name in NAMES:
            with self.subTest(name):
                self.check_line(shell.complete(f'metricsctl get {name[:3]}'), 'get', name)
        # Once more behind what was completed: nothing of it is evaluated then either.
        for name in NAMES[:6]:
            with self.subTest(name, again=True):
                line = shell.complete(f'metricsctl get {name[:3]}').rstrip(' ')
                self.check_line(shell.complete(line), 'get', name)
        self.check_line(shell.complete('metricsctl put man'), 'put', 'many.a')
        self.check_line(shell.complete('metricsctl get nothing'), 'get', 'nothing')

    def check_patterns(self, shell):
        for command in 'last', 'range', 'keys', 'del', 'export':
            with self.subTest(command):
                self.check_line(shell.complete(f'metricsctl {command} k11'), command, 'k11a\\*b')

    def check_server(self, shell):
        elsewhere = self.start()
        with harness.Client(elsewhere) as client:
            client.put('elsewhere', 1, 1)
        for words in ['-a', elsewhere.address], ['--address', elsewhere.address], [f'--address={elsewhere.address}']:
            text = ' '.join(words)
            with self.subTest(text):
                self.check_line(shell.complete(f'metricsctl {text} get el'), *words, 'get', 'elsewhere')
                self.check_line(shell.complete(f'metricsctl get {text} el'), 'get', *words, 'elsewhere')

    def check_values(self, shell):
        self.check_line(shell.complete('metricsctl range many.aa --function med'), 'range', 'many.aa', '--function',
                        'median')
        self.check_line(shell.complete('metricsctl range many.aa --function=med'), 'range', 'many.aa',
                        '--function=median')
        self.check_line(shell.complete('metricsctl --address bus:se'), '--address', 'bus:session')
        self.check_line(shell.complete('metricsctl --address=bus:se'), '--address=bus:session')
        pathlib.Path(self.folder, "some file's name").touch()
        self.check_line(shell.complete('metricsctl import som'), 'import', "some file's name")
        self.check_line(shell.complete('metricsctl export --output som'), 'export', '--output', "some file's name")

    @unittest.skipUnless(shells.has('bash'), 'there is no bash')
    def test_bash(self):
        with shells.Bash(self.env, self.folder) as shell:
            self.check_keys(shell)
            self.check_patterns(shell)
            self.check_server(shell)
            self.check_values(shell)

    @unittest.skipUnless(shells.has('bash'), 'there is no bash')
    def test_bash_between_quotes(self):
        with shells.Bash(self.env, self.folder) as shell:
            for name in NAMES:
                for quote in '\'"':
                    # Between double quotes an exclamation mark would call the history.
                    if quote == '"' and '!' in name:
                        continue
                    with self.subTest(name, quote=quote):
                        self.check_line(shell.complete(f'metricsctl get {quote}{name[:3]}'), 'get', name)

    @unittest.skipUnless(shells.has('bash'), 'there is no bash')
    def test_bash_goes_on_in_the_midst(self):
        with shells.Bash(self.env, self.folder) as shell:
            for name, typed in (('k21a:b:c', 'k21a:b'), ('k21a:b:c', 'k21a:'), ('k22a=b', 'k22a='), ('k09!!', r'k09\!'),
                                ('k00$(touch${IFS}pwned)', r'k00\$\(t'), ("k05it's", r"k05it\'")):
                with self.subTest(typed):
                    self.check_line(shell.complete(f'metricsctl get {typed}'), 'get', name)

    @unittest.skipUnless(shells.has('zsh'), 'there is no zsh')
    def test_zsh(self):
        self.shell = 'zsh'
        with shells.Zsh(self.env, self.folder) as shell:
            self.check_keys(shell)
            self.check_patterns(shell)
            self.check_server(shell)
            self.check_values(shell)

    @unittest.skipUnless(shells.has('fish'), 'there is no fish')
    def test_fish(self):
        def candidates(line):
            return shells.fish_candidates(self.env, self.folder, line)

        for name in NAMES:
            with self.subTest(name):
                self.assertEqual(candidates(f'metricsctl get {name[:3]}'), [name])
        self.assertEqual(candidates("metricsctl get 'man"), ['many.aa', 'many.ab'])
        self.assertEqual(candidates('metricsctl last k11'), ['k11a\\*b'])
        self.assertEqual(candidates('metricsctl range k --function med'), ['median'])
        self.assertEqual(candidates('metricsctl del nothing'), [])
        elsewhere = self.start()
        with harness.Client(elsewhere) as client:
            client.put('elsewhere', 1, 1)
        for words in f'-a {elsewhere.address}', f'--address {elsewhere.address}', f'--address={elsewhere.address}':
            self.assertEqual(candidates(f'metricsctl {words} get el'), ['elsewhere'])
            self.assertEqual(candidates(f'metricsctl get {words} el'), ['elsewhere'])

    def test_no_server(self):
        env = {**self.env, 'METRICSD_ADDRESS': '127.0.0.1:1'}
        if shells.has('bash'):
            self.assertEqual(shells.bash_candidates(env, 'metricsctl get k'), [])
        if shells.has('fish'):
            self.assertEqual(shells.fish_candidates(env, self.folder, 'metricsctl get k'), [])


if __name__ == '__main__':
    harness.main()
