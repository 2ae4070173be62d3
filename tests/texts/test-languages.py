# SPDX-License-Identifier: LGPL-2.1-or-later
"""The real programs in other languages: people read theirs, programs read what they always did.

Besides the languages that are installed there is one of the test's own, in which all texts are English with a mark in
front: so it has all that there are, and what has no mark is for programs."""

import gettext
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import harness
import pot

MARK = '\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}'
OWN = 'tlh'  # no language that anybody translates into
LOCALES = {'ru': 'ru_RU', 'de': 'de_DE', 'fr': 'fr_FR', 'es': 'es_ES', 'uk': 'uk_UA', 'zh_CN': 'zh_CN', 'ja': 'ja_JP',
           'pt_BR': 'pt_BR'}
CONFIG = """[retention]
some.*=7d
[rollup]
some.*=avg 1m:60d
"""


@unittest.skipIf(harness.SANITIZED, 'a sanitizer wants to be loaded first')
class LanguagesTest(harness.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.template = pot.make().replace('nplurals=INTEGER; plural=EXPRESSION', 'nplurals=2; plural=n != 1')
        # The locales of the machine are not for a test to choose.
        cls.locales = cls.folder / 'locales'
        cls.locales.mkdir()
        for language in {'de', *pot.languages()} & set(LOCALES):
            name = LOCALES[language]
            result = subprocess.run(['localedef', '-i', name, '-f', 'UTF-8', cls.locales / f'{name}.UTF-8'], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True)
            if not (cls.locales / f'{name}.UTF-8').is_dir():
                raise unittest.SkipTest(f'no locale {name}: {result.stdout}')
        cls.compile(OWN, pot.run('msgfilter', '--keep-header', 'sed', f'1s/^/{MARK}/', input=pot.run('msgen', '-', input=cls.template)))
        for language in pot.languages():
            cls.compile(language, (pot.PO / f'{language}.po').read_text())

    @classmethod
    def compile(cls, language, text):
        folder = cls.folder / language / 'LC_MESSAGES'
        folder.mkdir(parents=True)
        pot.run('msgfmt', '--output-file', folder / 'metricsd.mo', '-', input=text)

    def env(self, language='', locale='de_DE.UTF-8'):
        """Somebody's environment."""
        return {'LANG': '', 'LANGUAGE': language, 'LC_ALL': locale, 'LOCPATH': str(self.locales),
                'LD_PRELOAD': os.environ['LOCALEDIR_SHIM'], 'METRICSD_TEST_LOCALES': str(self.folder)}

    def ctl(self, server, *arguments, status=0, **env):
        result = subprocess.run([os.environ['METRICSCTL'], *arguments, '--address', server.address], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=harness.WATCHDOG,
                                env={**os.environ, **self.env(**env)})
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def test_error_is_translated(self):
        result = harness.run('superfluous', env=self.env(OWN))
        self.assertEqual((result.returncode, result.stderr), (2, f"metricsd: {MARK}unexpected argument 'superfluous'\n"))

    def test_log_is_translated(self):
        server = self.start('--listen', '127.0.0.1:0,rights=read', env=self.env(OWN))
        with harness.Client(server) as client:
            self.assertEqual(client.ask(b'del *'), b'error\npermission denied\n\n')
        self.assertEqual(server.stop(), 0)
        lines = server.log().splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertTrue(line.startswith(f'metricsd: {MARK}'), line)

    def test_help_is_translated(self):
        text = harness.run('--help', memory_only=False, env=self.env(OWN)).stdout
        # Every option of its own; GLib's heads of groups are in another catalog.
        options = [line for line in text.splitlines() if re.match(r' +--', line)]
        self.assertGreater(len(options), 20)
        for number, line in enumerate(text.splitlines()):
            if re.match(r' +--', line):
                self.assertIn(MARK, line + text.splitlines()[number + 1])

    def test_ctl_is_translated(self):
        server = self.start(env=self.env())
        self.assertIn(MARK, self.ctl(server, 'get', status=2, language=OWN).stderr)
        self.assertIn(MARK, self.ctl(server, 'put', 'a b', '1', status=2, language=OWN).stderr)
        self.assertIn(MARK, self.ctl(server, 'ping', '--human', language=OWN).stdout)
        # The library's own.
        gone = self.start(env=self.env())
        gone.stop()
        self.assertIn(f'{MARK}cannot connect', self.ctl(gone, 'ping', status=3, language=OWN).stderr)

    def test_english_under_c(self):
        """LANGUAGE counts only where there is a locale."""
        for locale in ('C', 'POSIX', 'C.UTF-8'):
            # Of C.UTF-8, C libraries differ in what they think that it is.
            for language in ('', OWN, *pot.languages()) if locale != 'C.UTF-8' else ('',):
                result = harness.run('superfluous', env=self.env(language, locale))
                self.assertEqual(result.stderr, "metricsd: unexpected argument 'superfluous'\n")
        server = self.start(env=self.env(OWN, 'C'))
        self.assertEqual(server.stop(), 0)
        self.assertRegex(server.log(), r'^metricsd: version .* is ready at .*\nmetricsd: stopped \(SIGTERM\)\n$')

    def converse(self, **env):
        """All that programs read: replies, standard output, what metricsctl writes for them."""
        state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        config = state / 'config'
        config.write_text(CONFIG)
        server = self.start('--state-dir', state / 'state', '--config', config, '--memory-limit', '8M', env=self.env(**env))
        said = []
        with harness.Client(server) as client:
            for line in (b'put a 1234567.25 100', b'put a -1e-3 200', b'put b 0,5 100', b'put c 1e300 100', b'get a', b'get *', b'last *',
                         b'keys *', b'range a 0 300 100 avg', b'range a - -', b'nonsense', b'put some.a 1 5', b'help', b'del x', b'del c',
                         b'ping'):
                said.append(client.ask(line))
            stats = client.rows(b'stats')
        for form in ('--plain', '--json'):
            for arguments in (['get', 'a'], ['last'], ['keys'], ['range', 'a', '-', '-', '--step', '100'], ['get', '--all'],
                              ['put', 'd', '0.5', '100'], ['get', 'd'], ['del', 'd']):
                said.append(self.ctl(server, *arguments, form, **env).stdout)
        for form in ('--plain', '--json'):
            text = self.ctl(server, 'stats', form, **env).stdout
            if form == '--json':
                json.loads(text)
            said.append(re.sub(r'\d+', 'N', text))
            self.assertRegex(self.ctl(server, 'ping', form, **env).stdout, r'\b\d+\.\d+\b')
        said.append(self.ctl(server, 'export', **env).stdout)
        said.append([row.split()[0] for row in stats])
        self.assertTrue(all(re.fullmatch(rb'\w+ \d+', row) for row in stats))
        self.assertEqual(server.stop(), 0)
        said.append(harness.run('--state-dir', state / 'state', '--check', env=self.env(**env)).stdout)
        return said

    def test_programs_read_the_same(self):
        english = self.converse(locale='C.UTF-8')
        self.assertIn(b'ok\na 1234567.25 100\na -0.001 200\n\n', english)
        self.assertIn(b'error\nwrong command\n\n', english)
        self.assertNotIn(MARK, str(english))
        for language in ('', OWN, *pot.languages()[:2]):
            with self.subTest(language):
                self.assertEqual(self.converse(language=language), english)

    def test_comma_is_for_people(self):
        server = self.start(env=self.env())
        self.ctl(server, 'put', 'a', '1234.5', '100')
        self.assertIn('1234.5', self.ctl(server, 'get', 'a', '--plain').stdout)
        self.assertIn('1234,5', self.ctl(server, 'get', 'a', '--human').stdout.replace('.', ''))

    def test_languages(self):
        """Each that is installed: what the program says is what the translation has."""
        for language in pot.languages():
            with self.subTest(language):
                texts = gettext.translation('metricsd', self.folder, [language])
                locale = f'{LOCALES[language]}.UTF-8'
                wanted = texts.gettext("unexpected argument '%s'")
                self.assertNotEqual(wanted, "unexpected argument '%s'")
                self.assertEqual(harness.run('superfluous', env=self.env(language, locale)).stderr, f'metricsd: {wanted % "superfluous"}\n')
                # By LC_ALL alone, without LANGUAGE.
                self.assertEqual(harness.run('superfluous', env=self.env('', locale)).stderr, f'metricsd: {wanted % "superfluous"}\n')
                self.assertIn(texts.gettext('Metrics server: takes points over a line protocol and answers for them.'),
                              harness.run('--help', memory_only=False, env=self.env(language, locale)).stdout)
                server = self.start(env=self.env(language, locale))
                ready = texts.gettext('version %s is ready at %s; points are kept in memory only').split('%s')[-1]
                self.assertIn(ready, server.log())
                for count in (1, 2, 5, 21):
                    for time in range(count):
                        self.ctl(server, 'put', 'a', '1', str(time))
                    deleted = texts.ngettext('%s point deleted\n', '%s points deleted\n', count) % count
                    self.assertEqual(self.ctl(server, 'del', 'a', '--human', language=language, locale=locale).stdout, deleted)


if __name__ == '__main__':
    harness.main()
