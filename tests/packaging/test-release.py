#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What describes the release to people, to software centers and to distributions says the same, and is accepted by
the tools that they check it with."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree

from harness import TestCase, main

ROOT = pathlib.Path(os.environ['SOURCE_ROOT'])
METAINFO = os.environ['METAINFO']
VERSION = os.environ['VERSION']


def read(name):
    return (ROOT / name).read_text(encoding='utf-8')


def run(*command):
    """Both outputs and the exit status of a tool that speaks English."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                            env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    return result.returncode, result.stdout


class ReleaseTest(TestCase):
    def news(self):
        return re.findall(r'(?m)^Overview of changes in metricsd (\S+)$', read('NEWS'))

    def releases(self):
        return xml.etree.ElementTree.parse(METAINFO).findall('./releases/release')

    def test_news_begins_with_this_version(self):
        self.assertEqual(self.news()[0], VERSION)

    def test_metainfo_has_the_releases_of_news(self):
        self.assertEqual([release.get('version') for release in self.releases()], self.news())

    def test_debian_has_them_and_their_days(self):
        entries = re.findall(r'(?ms)^metricsd \((\S+)\) .*?^ -- [^<]+<[^>]+>  (.*?) \d\d:', read('debian/changelog'))
        newest = self.releases()[0]
        self.assertEqual(entries[0][0], VERSION)
        day = subprocess.run(['date', '--utc', '--date', newest.get('date'), '+%a, %d %b %Y'], stdout=subprocess.PIPE,
                             text=True, check=True, env={**os.environ, 'LC_ALL': 'C'}).stdout.strip()
        self.assertEqual(entries[0][1], day)

    def test_rpm_has_this_version(self):
        spec = read('rpm/metricsd.spec')
        self.assertRegex(spec, rf'(?m)^Version: +{re.escape(VERSION)}$')
        changelog = spec.split('%changelog\n')[1]
        self.assertRegex(changelog.splitlines()[0], rf' - {re.escape(VERSION)}-1$')

    def test_debian_has_the_symbols_of_the_library(self):
        exported = re.findall(r'(?m)^  (metrics_\w+);$', read('src/client/metrics-glib.map'))
        listed = re.findall(r'(?m)^ (metrics_\w+)@', read('debian/libmetrics-glib-1.0-0.symbols'))
        self.assertEqual(listed, sorted(exported))

    @unittest.skipUnless(shutil.which('appstreamcli'), 'no appstreamcli')
    def test_appstream_accepts_the_metainfo(self):
        status, output = run('appstreamcli', 'validate', '--no-net', '--pedantic', METAINFO)
        self.assertEqual(status, 0, output)
        # A hint leaves the status as it is.
        self.assertRegex(output, r'^. Validation was successful\.\n$')

    @unittest.skipUnless(shutil.which('rpmspec'), 'no rpmspec')
    def test_rpm_reads_the_spec(self):
        status, output = run('rpmspec', '--define', 'dist %nil', '--parse', str(ROOT / 'rpm' / 'metricsd.spec'))
        self.assertEqual(status, 0, output)
        self.assertRegex(output, rf'(?m)^Version: +{re.escape(VERSION)}$')

    @unittest.skipUnless(shutil.which('rpmlint'), 'no rpmlint')
    def test_rpmlint_accepts_the_spec(self):
        status, output = run('rpmlint', str(ROOT / 'rpm' / 'metricsd.spec'))
        self.assertEqual(status, 0, output)
        self.assertRegex(output, r'\b0 errors, 0 warnings\b')


if __name__ == '__main__':
    main()
