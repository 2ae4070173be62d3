#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sums the test cases of meson's testlog.junit.xml files: count.py JUNIT.xml...

The last line is `N passed, N failed`, and `, N skipped` where there are any. Exit status 1 where a test
failed, where a program of tests did not end well, or where nothing ran.

meson 1.0 writes only what a program of TAP tests said before it crashed or was stopped into that file, and
calls a program that says less than its plan a success. So the plan and the exit status that stand in the
file are looked at, and the verdicts in testlog.json, which meson writes beside it: a program that came to a
bad end without a failed test case counts as one failed."""

import collections
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

GOOD = ('OK', 'SKIP', 'EXPECTEDFAIL')
PLAN = re.compile(r'^1\.\.(\d+)', re.MULTILINE)
NOT_XML = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
BAD_EXIT = '(test program exited with status code '


def read_bad_ends(junit):
    """The names of the tests that meson calls anything but a success, and what it calls them."""
    log = junit.with_name('testlog.json')
    if not log.exists():
        return {}
    records = [json.loads(line) for line in log.read_text().splitlines()]
    return {record['name']: record['result'] for record in records if record['result'] not in GOOD}


def read_suites(junit):
    """What the file holds; meson copies into it what tests print, terminal escapes too, which XML cannot hold."""
    text = junit.read_text(encoding='utf-8', errors='replace')
    return xml.etree.ElementTree.fromstring(NOT_XML.sub('?', text).encode())


def judge_case(case):
    if case.find('failure') is not None or case.find('error') is not None:
        return 'failed'
    return 'skipped' if case.find('skipped') is not None else 'passed'


def find_bad_end(suite, bad_ends):
    """What is wrong with a program of TAP tests as a whole, or None."""
    plan = PLAN.search(suite.findtext('system-out') or '')
    name = suite.get('name')
    for test, result in bad_ends.items():
        # The suite of a TAP program has the project's name in front.
        if name.endswith('.' + test):
            return result
    if BAD_EXIT in (suite.findtext('system-err') or ''):
        return 'bad exit status'
    if plan is None or len(suite.findall('testcase')) < int(plan.group(1)):
        return 'ended before its plan'
    return None


def count_suite(suite, bad_ends, counts):
    failed_before = counts['failed']
    is_tap = suite.find('system-out') is not None
    for case in suite.findall('testcase'):
        verdict = judge_case(case)
        if not is_tap and case.get('name') in bad_ends:
            verdict = 'failed'
        counts[verdict] += 1
        if verdict == 'failed':
            print(f'failed: {suite.get("name")}: {case.get("name")}')
    bad_end = find_bad_end(suite, bad_ends) if is_tap else None
    if bad_end is not None and counts['failed'] == failed_before:
        counts['failed'] += 1
        print(f'failed: {suite.get("name")}: {bad_end}')


def main():
    counts = collections.Counter()
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        try:
            suites = read_suites(path)
            bad_ends = read_bad_ends(path)
        except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
            counts['failed'] += 1
            print(f'failed: {path}: {error}')
            continue
        for suite in suites.iter('testsuite'):
            count_suite(suite, bad_ends, counts)
    line = f'{counts["passed"]} passed, {counts["failed"]} failed'
    if counts['skipped']:
        line += f', {counts["skipped"]} skipped'
    print(line)
    return 1 if counts['failed'] or not counts['passed'] else 0


if __name__ == '__main__':
    sys.exit(main())
