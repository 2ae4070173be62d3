#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many instructions the work of `instructions` takes a unit, and whether that is within budgets.ini.

    ./dev bench instructions                  counts and compares, as the test does
    ./dev bench instructions --update         counts and writes new budgets
    ./dev bench instructions --profile put    shows where the instructions of one work go

Times differ from run to run; counts under valgrind do not: two runs agree to 0.01 %, where deadlines come in (a
`visit`) to 0.5 %, and the length of an environment or of a path, by which the stack is shifted, makes up to 0.6 %,
so it is fixed below. What would differ from machine to machine is kept out: glibc chooses its string functions
by the processor, which makes up to 10 % of a `get`, so it is told to take those that every x86-64 has. GLib's
slices, which it turns off under valgrind, stay on. Another compiler, level of optimisation or GLib makes other
counts, so the budgets say for which they are, and the test is skipped elsewhere."""

import argparse
import configparser
import glob
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUDGETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'budgets.ini')
ROOM = 1.04  # a new budget is so many times what was counted
STALE = 0.85  # below this share of its budget a work could get worse unnoticed
BESIDE_IDLE = 1.03  # at most so many times more may a request cost beside idle connections

ENVIRONMENT = {
    'PATH': '/usr/bin:/bin',
    'LC_ALL': 'C',
    'LD_BIND_NOW': '1',
    'G_SLICE': '',
    'GLIBC_TUNABLES': 'glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Fast_Unaligned_Load,-BMI2,-MOVBE,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2',
}


def build(what):
    """What meson says of the build."""
    return os.environ['INSTRUCTIONS_' + what.upper()]


def reason_not_to_count():
    """Why no count would mean anything here, or None."""
    if build('sanitize') != 'none':
        return 'the build has sanitizers'
    if build('optimization') not in ('2', '3', 's'):
        return 'the build is not optimised'
    if build('callgrind') != '1':
        return 'it was built without valgrind/callgrind.h'
    if shutil.which('valgrind') is None:
        return 'there is no valgrind'
    return None


def reason_not_to_compare(budgets):
    """Why the budgets are not for this build, or None."""
    for what, want in budgets['taken with'].items():
        if build(what) != want:
            return f'the budgets are for {what} {want}, this is {build(what)}'
    return None


def read_counts(directory, units):
    """Instructions a unit, and the file that says where they went, by name of work."""
    counts = {}
    for path in glob.glob(os.path.join(directory, 'out.*')):
        with open(path) as file:
            text = file.read()
        name = re.search(r'^desc: Trigger: Client Request: (.*)$', text, re.MULTILINE)
        total = re.search(r'^totals: (\d+)$', text, re.MULTILINE)
        if name and total:
            counts[name[1]] = int(total[1]) / units[name[1]], path
    return {name: counts[name] for name in units}


def count(directory, names):
    """Runs the works with these names, or all. Its own name has one length wherever it lies."""
    program = build('exe')
    command = ['valgrind', '-q', '--tool=callgrind', '--instr-atstart=no', '--collect-atstart=no',
               f'--callgrind-out-file={directory}/out', './' + os.path.basename(program), *names]
    output = subprocess.run(command, env=ENVIRONMENT | {'TMPDIR': directory}, cwd=os.path.dirname(program),
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return read_counts(directory, {name: int(n) for name, n in (line.split() for line in output.splitlines())})


def profile(path, lines=12):
    """The functions that take most, of callgrind's file."""
    output = subprocess.run(['callgrind_annotate', '--auto=no', path], stdout=subprocess.PIPE, text=True, check=True).stdout
    table = output[output.index('file:function'):].splitlines()[2:]
    return [re.sub(r' \[.*\]$', '', line) for line in table if line][:lines]


def compare(counts, budgets):
    """Writes TAP: a test for each budget, and one that needs none."""
    names = list(counts) + [name for name in budgets if name not in counts]
    print(f'1..{len(names) + 1}')
    failed = False
    for i, name in enumerate(names, 1):
        if name not in counts or name not in budgets:
            ok, text = False, f'{name}: has a budget and no count, or a count and no budget'
        else:
            n, budget = counts[name][0], budgets.getfloat(name)
            ok, text = n <= budget, f'{name}: {n:.2f} instructions, budget {budget:g}, {n / budget:.1%}'
            if n < STALE * budget:
                text += ': far below, renew the budget'
        print('ok' if ok else 'not ok', i, '-', text)
        failed |= not ok
        if not ok and name in counts:
            print(f'{text}; where they go:', *profile(counts[name][1]), sep='\n', file=sys.stderr)
    share = counts['request-beside-idle'][0] / counts['request'][0]
    ok = share <= BESIDE_IDLE
    print('ok' if ok else 'not ok', len(names) + 1, '-',
          f'a request beside 1,000 idle connections: {share:.1%} of one beside none, at most {BESIDE_IDLE:.0%}')
    if failed or not ok:
        print('where more is meant: ./dev bench instructions --update, and say in the commit why', file=sys.stderr)
    return 1 if failed or not ok else 0


def make_budget(n):
    """Four digits are enough."""
    scale = 10 ** (3 - math.floor(math.log10(n * ROOM)))
    return f'{math.ceil(n * ROOM * scale) / scale:g}'


def update(counts, sections):
    """Writes what was counted into the file, whose comments stay."""
    wanted = {'taken with': {what: build(what) for what in sections['taken with']},
              'instructions': {name: make_budget(n) for name, (n, _) in counts.items()}}
    with open(BUDGETS) as file:
        text = file.read()
    for section, values in wanted.items():
        for name in sections[section]:
            if name not in values:
                text = re.sub(rf'^{re.escape(name)} = .*\n', '', text, flags=re.MULTILINE)
        for name, value in values.items():
            text, found = re.subn(rf'^{re.escape(name)} = .*$', f'{name} = {value}', text, flags=re.MULTILINE)
            if not found:
                text = f'{text.rstrip()}\n{name} = {value}\n'
    with open(BUDGETS, 'w') as file:
        file.write(text)
    for name, (n, _) in counts.items():
        print(f'{name}: {n:.2f} instructions, budget {wanted["instructions"][name]}', file=sys.stderr)
    print('1..1\nok 1 - the budgets are renewed')
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--update', action='store_true', help='write new budgets')
    parser.add_argument('--profile', metavar='WORK', help='show where the instructions of one work go')
    arguments = parser.parse_args()

    sections = configparser.ConfigParser()
    sections.read(BUDGETS)
    reason = reason_not_to_count()
    if reason is None and not arguments.update and not arguments.profile:
        reason = reason_not_to_compare(sections)
    if reason is not None:
        print(f'1..1\nok 1 - instructions # SKIP {reason}')
        return 0

    with tempfile.TemporaryDirectory() as directory:
        counts = count(directory, [arguments.profile] if arguments.profile else [])
        if arguments.profile:
            if arguments.profile not in counts:
                parser.error(f'no work has the name {arguments.profile}; budgets.ini has them all')
            n, path = counts[arguments.profile]
            print(f'{arguments.profile}: {n:.2f} instructions', *profile(path, 60), sep='\n', file=sys.stderr)
            print('1..1\nok 1 - the profile is shown')
            return 0
        return update(counts, sections) if arguments.update else compare(counts, sections['instructions'])


sys.exit(main())
