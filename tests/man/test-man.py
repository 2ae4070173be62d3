#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages say what the programs do, no more and no less; what is built of them is clean, complete and the same
wherever it is built."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import unittest.mock
import urllib.request
import xml.etree.ElementTree

from harness import Client, TestCase, has_http, main
from pages import SOURCE, Page, helped, output

BUILT = os.environ.get('METRICSD_MAN')
VERSION = os.environ['METRICSD_VERSION']
PAGES = sorted(path.stem for path in SOURCE.glob('*.rst'))
LANGUAGES = (SOURCE / 'po' / 'LINGUAS').read_text().split()

needs_pages = unittest.skipUnless(BUILT, 'the manual pages are not built')
needs_man = unittest.skipUnless(shutil.which('man') and shutil.which('groff'), 'no man')


class DaemonPageTest(TestCase):
    PAGE = Page('metricsd.1')

    def test_options(self):
        self.assertEqual(self.PAGE.options('OPTIONS'), helped(output('METRICSD', '--help')))

    def test_no_other_option_is_mentioned(self):
        self.assertLessEqual(self.PAGE.mentioned(), helped(output('METRICSD', '--help')))

    def test_events(self):
        """Each message of the log is there, with its priority and its number, and no other one."""
        table = (SOURCE.parents[1] / 'src' / 'common' / 'metrics-event.c').read_text(encoding='utf-8')
        events = re.findall(r'\{\s*"([a-z-]+)",\s*"([0-9a-f]{32})",\s*METRICS_PRIORITY_(\w+)', table)
        self.assertGreater(len(events), 30)
        self.assertCountEqual(self.PAGE.terms('LOGS'),
                              [f'{name} ({priority.lower()}) {number}' for name, number, priority in events])

    def test_figures(self):
        server = self.start('--state-dir', self.enterContext(tempfile.TemporaryDirectory()), http=has_http())
        with Client(server) as client:
            figures = {name for term in self.PAGE.terms('FIGURES') for name in term.split(', ')
                       if has_http() or not name.startswith('http_')}
            self.assertEqual(figures, set(client.stats()))


@unittest.skipUnless('METRICSCTL' in os.environ, 'metricsctl is not built')
class CtlPageTest(TestCase):
    PAGE = Page('metricsctl.1')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.help = output('METRICSCTL', '--help')
        commands = cls.help.split('\nCommands:\n', 1)[1].split('\n\n', 1)[0]
        cls.commands = [line.split()[0] for line in commands.splitlines()]

    def help_of(self, command):
        try:
            return output('METRICSCTL', command, '--help')
        except AssertionError:
            # Of this one alone a build may know no more than its name.
            if command == 'collect':
                return None
            raise

    def test_options_of_all_commands(self):
        self.assertEqual(self.PAGE.options('OPTIONS'), helped(self.help, 'Options:', 'Commands:'))

    def test_commands(self):
        terms = [term.split()[0] for term in self.PAGE.terms('COMMANDS')]
        self.assertEqual(sorted(terms), sorted(self.commands))

    def test_arguments_of_each_command(self):
        usage = {term.split()[0]: term.split()[1:] for term in self.PAGE.terms('COMMANDS')}
        for command in filter(self.help_of, self.commands):
            words = re.match(rf'Usage:\n  metricsctl {command} \[OPTION…\] ?(.*)\n', self.help_of(command))[1]
            self.assertEqual(usage[command], words.split(), command)

    def test_options_of_each_command(self):
        for command in filter(self.help_of, self.commands):
            with self.subTest(command):
                self.assertEqual(self.PAGE.options('COMMANDS', command),
                                 helped(self.help_of(command), 'Options:', 'Options of all commands:'))

    def test_no_other_option_is_mentioned(self):
        known = helped(output('METRICSD', '--help')) | self.PAGE.options('OPTIONS')
        for command in self.commands:
            known |= self.PAGE.options('COMMANDS', command)
        self.assertLessEqual(self.PAGE.mentioned(), known)

    def test_exit_statuses(self):
        said = output('METRICSCTL', 'ping', '--help').split('\nExit status:\n', 1)[1]
        self.assertEqual(self.PAGE.terms('EXIT STATUS'), re.findall(r'(?m)^  (\d)  ', said))


class ConfigurationPageTest(TestCase):
    PAGE = Page('metricsd.conf.5')

    def setUp(self):
        super().setUp()
        # No configuration of this machine is read.
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(unittest.mock.patch.dict(os.environ, {'XDG_CONFIG_HOME': self.folder}))

    def test_settings(self):
        shown = output('METRICSD', '--state-dir', self.folder, '--show-config')
        self.assertCountEqual(self.PAGE.terms('THE GROUP [SERVER]'), re.findall(r'(?m)^#?([a-z-]+)=', shown))

    def test_no_other_option_is_mentioned(self):
        self.assertLessEqual(self.PAGE.mentioned(), helped(output('METRICSD', '--help')))

    def test_examples(self):
        """There is nothing wrong with them."""
        blocks = re.findall(r'(?m)^[^\n]*::\n\n((?:(?:    .*)?\n)+)', '\n'.join(self.PAGE.section('EXAMPLES')))
        self.assertGreater(len(blocks), 1)
        for number, block in enumerate(blocks):
            path = pathlib.Path(self.folder, f'{number}.conf')
            path.write_text(re.sub(r'(?m)^    ', '', block))
            self.assertIn('errors 0\n', output('METRICSD', '--config', str(path), '--check-config'))


class ProtocolPageTest(TestCase):
    PAGE = Page('metricsd-protocol.7')

    def test_requests(self):
        with Client(self.start()) as client:
            rows = [row.decode() for row in client.rows(b'help')]
        terms = self.PAGE.terms('REQUESTS')
        self.assertEqual({term.split()[0] for term in terms}, {row.split()[0] for row in rows})
        functions = next(row for row in rows if row.startswith('range ')).split()[-1].rstrip(']').split('|')
        self.assertEqual({name for term in self.PAGE.terms('BUCKETS') for name in term.split(', ')}, set(functions))

    def test_no_other_option_is_mentioned(self):
        self.assertLessEqual(self.PAGE.mentioned(), helped(output('METRICSD', '--help')))

    def test_errors(self):
        """The server says them in these words."""
        source = SOURCE.parents[1] / 'src'
        texts = ''.join(path.read_text(encoding='utf-8') for room in ('protocol', 'server', 'store')
                        for path in (source / room).glob('*.[ch]'))
        terms = self.PAGE.terms('ERRORS')
        self.assertGreater(len(terms), 9)
        for term in terms:
            self.assertIn('"' + term.removesuffix('reason'), texts)

    def test_the_session_of_the_page(self):
        """What is typed there gives what stands there."""
        block = self.PAGE.text.split('    $ nc 127.0.0.1 8888\n', 1)[1].split('\n\nFrom a shell', 1)[0]
        lines = [line[4:] for line in block.splitlines()]
        typed = [line[2:] for line in lines if line.startswith('> ')]
        self.assertGreater(len(typed), 5)
        shown = ''.join(f'{line}\n' for line in lines if not line.startswith('> '))
        with Client(self.start()) as client:
            got = b''.join(client.ask(line.encode()) for line in typed)
        self.assertEqual(got.decode().rstrip('\n'), shown.rstrip('\n'))

    def test_the_client_of_the_page(self):
        block = self.PAGE.text.split('A client in Python:\n\n::\n\n', 1)[1].split('\nSEE ALSO', 1)[0]
        program = '\n'.join(line[4:] for line in block.splitlines()).replace('8888', str(self.start().port))
        result = subprocess.run(['python3', '-c', program], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "['room.temperature 22.5 1700000120']\n", ''))


@unittest.skipUnless(has_http(os.environ['METRICSD']), 'built without HTTP')
class HttpPageTest(TestCase):
    PAGE = Page('metricsd-http.7')
    README = (SOURCE.parents[1] / 'README.md').read_text(encoding='utf-8')

    def test_no_other_option_is_mentioned(self):
        self.assertLessEqual(self.PAGE.mentioned(), helped(output('METRICSD', '--help')) | {'--data-binary'})

    @unittest.skipUnless(shutil.which('curl'), 'no curl')
    def test_what_is_typed(self):
        """The lines of the page and of the README do what they are there for."""
        for text in self.PAGE.text, self.README:
            servers = [self.start(http=True), self.start(http=True)]
            lines = re.findall(r'(?m)^    \$ (curl (?:.*\\\n)*.*)', text)
            self.assertGreater(len(lines), 5)
            folder = self.enterContext(tempfile.TemporaryDirectory())
            for line in lines:
                for name, server in zip(('http://127.0.0.1:8889', 'http://127.0.0.1:9889'), servers):
                    line = line.replace(name, server.http)
                result = subprocess.run(['sh', '-c', line.replace('curl', 'curl -q -sS --fail-with-body', 1)], cwd=folder,
                                        capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual((result.returncode, result.stderr), (0, ''), (line, result.stdout))
            self.assertTrue(pathlib.Path(folder, 'points.csv').read_text().startswith('key,timestamp,value\n'))
            with Client(servers[0]) as client:
                self.assertEqual(len(client.rows(b'get *')), 1)

    def test_the_session_of_the_page(self):
        """What is answered has the form that stands there."""
        server = self.start(http=True)
        with Client(server) as client:
            client.put('room.temperature', 21.5, 1_700_000_000)
            path = self.PAGE.text.split('points?', 1)[1].split('&from', 1)[0]
            with urllib.request.urlopen(f'{server.http}/api/v1/points?{path}', timeout=30) as answer:
                self.assertIn(answer.read().decode(), self.PAGE.text)


class BusPageTest(TestCase):
    PAGE = Page('org.metricsd.Metrics1.5')

    def test_interface(self):
        """It has the members of the XML, with the types and names of their arguments, and no others."""
        path = SOURCE.parent / 'dbus' / 'org.metricsd.Metrics1.xml'
        interface = xml.etree.ElementTree.parse(path).find("interface[@name='org.metricsd.Metrics1']")

        def arguments(member, direction=None):
            return ', '.join(f'{argument.get("type")} {argument.get("name")}' for argument in member.findall('arg')
                             if argument.get('direction') == direction)

        methods = []
        for method in interface.findall('method'):
            out = arguments(method, 'out')
            methods.append(f'{method.get("name")} ({arguments(method, "in")})' + (f' -> {out}' if out else ''))
        self.assertCountEqual(self.PAGE.terms('METHODS'), methods)
        self.assertCountEqual(self.PAGE.terms('SIGNALS'), [f'{signal.get("name")} ({arguments(signal)})'
                                                           for signal in interface.findall('signal')])
        self.assertCountEqual(', '.join(self.PAGE.terms('PROPERTIES')).split(', '),
                              [f'{member.get("name")} ({member.get("type")})' for member in interface.findall('property')])
        errors = re.findall(r'(?m)^ *org\.metricsd\.Metrics1\.Error\.(\w+):', path.read_text(encoding='utf-8'))
        self.assertEqual(set(self.PAGE.terms('ERRORS')), set(errors))


class AllPagesTest(TestCase):
    def test_references(self):
        """Pages of ours that are named are there; each page ends with others to look at."""
        for name in PAGES:
            page = Page(name)
            references = set(re.findall(r'\*\*((?:metrics|org\.metricsd)[\w.-]*)\*\*\\ \((\d)\)', page.text))
            self.assertLessEqual({f'{other}.{section}' for other, section in references}, set(PAGES), name)
            self.assertTrue(page.section('SEE ALSO'))

    def test_names(self):
        for name in PAGES:
            self.assertRegex('\n'.join(Page(name).section('NAME')), rf'^\n{re.escape(name[:-2])} - [^\n]+\n$')


@needs_pages
class BuiltTest(TestCase):
    def built(self):
        for language in ['.', *LANGUAGES]:
            for name in PAGES:
                yield pathlib.Path(BUILT) / language / name

    def test_no_date_and_no_place(self):
        for path in self.built():
            text = path.read_text(encoding='utf-8')
            name, section = path.name.rsplit('.', 1)
            self.assertIn(f'.TH "{name.upper()}" "{section}" " " "metricsd {VERSION}" "metricsd"\n', text)
            self.assertNotIn(str(SOURCE.parents[1]), text)
            self.assertNotIn(BUILT, text)

    @needs_man
    def test_man_has_no_complaint(self):
        for path in self.built():
            result = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', path], stdin=subprocess.DEVNULL,
                                    capture_output=True, text=True, timeout=60, check=False,
                                    env={**os.environ, 'LC_ALL': 'C.UTF-8', 'MANWIDTH': '80', 'MANROFFSEQ': ''})
            self.assertEqual((result.returncode, result.stderr), (0, ''), path)
            self.assertIn('x stop', result.stdout)

    @unittest.skipUnless(shutil.which('lexgrog'), 'no lexgrog')
    def test_whatis_finds_each(self):
        for path in self.built():
            said = subprocess.run(['lexgrog', path], capture_output=True, text=True, timeout=60, check=True,
                                  env={**os.environ, 'LC_ALL': 'C.UTF-8'}).stdout
            self.assertRegex(said, rf'"{path.name[:-2]} - [^"]+"')

    def test_another_build_gives_the_same(self):
        """In another folder, at another time, in another zone."""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(SOURCE, f'{folder}/elsewhere/man')
            for language in ['en', *LANGUAGES]:
                out = pathlib.Path(folder, language)
                subprocess.run([f'{folder}/elsewhere/man/make-pages', 'build', os.environ['SPHINX'], os.environ['MSGFMT'],
                                VERSION, language, f'{folder}/work', out], timeout=300, check=True, cwd=folder,
                               env={**os.environ, 'TZ': 'Pacific/Kiritimati', 'SOURCE_DATE_EPOCH': '1', 'LC_ALL': 'C'})
                for name in PAGES:
                    with self.subTest(language=language, page=name):
                        there = pathlib.Path(BUILT) / ('.' if language == 'en' else language) / name
                        self.assertEqual((out / name).read_bytes(), there.read_bytes())


@needs_pages
@unittest.skipUnless(LANGUAGES, 'there are no translations')
class TranslationTest(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        subprocess.run([SOURCE / 'make-pages', 'pot', os.environ['SPHINX'], VERSION, cls.folder], timeout=300, check=True)

    def test_complete(self):
        """Each text of today's pages is translated, and not as it was guessed from an older one."""
        for language in LANGUAGES:
            po = SOURCE / 'po' / f'{language}.po'
            result = subprocess.run(['msgcmp', po, f'{self.folder}/pot/metricsd-man.pot'], capture_output=True, text=True,
                                    timeout=60, check=False, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
            self.assertEqual((result.returncode, result.stderr), (0, ''), 'see data/man/README.md')

    def test_clean(self):
        for language in LANGUAGES:
            result = subprocess.run([os.environ['MSGFMT'], '--check', '-o', '/dev/null', SOURCE / 'po' / f'{language}.po'],
                                    capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ''))

    def test_what_is_typed_stays(self):
        """Options, what is bold without being a word of the language, and numbers: a translation has all of them."""
        typed = re.compile(r'--[a-z][a-z0-9-]*|(?<=\*\*)[a-z$][\w.$/-]*(?=[^*]*\*\*)|\d+')
        for language in LANGUAGES:
            for text, translated in self.texts(SOURCE / 'po' / f'{language}.po'):
                with self.subTest(text):
                    self.assertEqual(sorted(typed.findall(text)), sorted(typed.findall(translated)))

    @staticmethod
    def texts(path):
        """The texts of a catalogue, each with its translation."""
        joined = re.sub(r'"\n"', '', path.read_text(encoding='utf-8'))
        assert 'msgid_plural' not in joined and 'msgctxt' not in joined
        for text, translated in re.findall(r'(?m)^msgid "(.+)"\nmsgstr "(.*)"$', joined):
            yield text, translated

    def test_pages_are_in_the_language(self):
        for language in LANGUAGES:
            for name in PAGES:
                english = (pathlib.Path(BUILT) / name).read_text(encoding='utf-8').splitlines()
                translated = (pathlib.Path(BUILT) / language / name).read_text(encoding='utf-8').splitlines()
                titles = [line for line in english if line.startswith('.SH ')]
                self.assertEqual(len(titles), len([line for line in translated if line.startswith('.SH ')]))
                self.assertFalse(set(titles) & set(translated), name)


if __name__ == '__main__':
    main()
