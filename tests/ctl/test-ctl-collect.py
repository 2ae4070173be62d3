# SPDX-License-Identifier: LGPL-2.1-or-later
"""metricsctl collect: what it reads and what it calls it, and its options."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import harness
from ctl import Ctl, binary
from harness import wait_until
from readings import is_key, parse, reading

CPU_STATES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq']

MEMORY = {'MemAvailable': 'available', 'MemFree': 'free', 'Buffers': 'buffers'}

# Prepared for a namespace of its own, where it is root.
ODD_MACHINE = r'''
set -e
mount -t tmpfs none "$1"
mkdir "$1/again"
mount --rbind / "$1/again"
printf 'odd name.exa\001mple\377' > /proc/sys/kernel/hostname
ip link add name 'a.b*c?d' type bridge
ip link add name 'a_b_c_d' type bridge
shift
exec "$@"
'''


def read_file(path):
    with open(path) as file:
        return file.read()


def kilobytes(name):
    return int(re.search(rf'^{name}: *(\d+) kB$', read_file('/proc/meminfo'), re.M).group(1)) * 1024


def interfaces():
    """The six counters of each network interface."""
    counters = {}
    for line in read_file('/proc/net/dev').splitlines()[2:]:
        name, _, numbers = line.rpartition(':')
        numbers = [int(number) for number in numbers.split()]
        counters[name.strip()] = dict(zip(
            ['rx_bytes', 'rx_packets', 'rx_errors', 'tx_bytes', 'tx_packets', 'tx_errors'],
            numbers[0:3] + numbers[8:11]))
    return counters


class Figures(harness.TestCase):
    """Compares one reading with what the kernel said right before and right after it."""

    @classmethod
    def setUpClass(cls):
        cls.before = cls.snapshot()
        cls.values = reading()
        cls.after = cls.snapshot()

    @staticmethod
    def snapshot():
        return {
            'interfaces': interfaces(),
            'load': read_file('/proc/loadavg').split()[:3],
            'memory': {field: kilobytes(field) for field in MEMORY},
            'processes': {name for name in os.listdir('/proc') if name.isdigit()},
            'uptime': float(read_file('/proc/uptime').split()[0]),
        }

    def test_keys(self):
        result = Ctl().run('collect', '--once', '--print')
        self.check_success(result)
        points = parse(result.out)
        host = re.sub(r'[\s.*?/\\]', '_', socket.gethostname())
        keys = [point.key for point in points]
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(len({point.time for point in points}), 1)
        self.assertLess(abs(points[0].time - time.time()), 3600)
        for key in keys:
            self.assertTrue(is_key(key), key)
            self.assertRegex(key, rf'^host\.{re.escape(host)}\.[^.]')
            self.assertLessEqual(key.count('.'), 4, key)

    def check_success(self, result):
        self.assertEqual((result.status, result.err), (0, ''))

    def test_groups(self):
        cores = re.findall(r'^cpu(\d+) ', read_file('/proc/stat'), re.M)
        expected = {f'load.{minutes}' for minutes in (1, 5, 15)}
        expected |= {f'cpu.{state}' for state in CPU_STATES}
        expected |= {f'cpu.{core}.{state}' for core in cores for state in CPU_STATES}
        expected |= {f'memory.{name}_bytes' for name in ('total', 'used', 'free', 'available', 'buffers', 'cached')}
        expected |= {f'swap.{name}_bytes' for name in ('total', 'used', 'free')}
        expected |= {f'fs.root.{name}' for name in ('size_bytes', 'used_bytes', 'free_bytes', 'used_percent')}
        expected |= {'memory.used_percent', 'uptime_seconds'}
        expected |= {f'processes.{name}' for name in ('total', 'running', 'threads')}
        keys = set(self.values)
        self.assertEqual(expected - keys, set())
        self.assertEqual({key for key in keys - expected if not re.match(r'(fs|net)\.', key)}, set())

    def test_cpu(self):
        for group in ['cpu'] + [f'cpu.{core}' for core in range(os.cpu_count())]:
            shares = [self.values[f'{group}.{state}'] for state in CPU_STATES]
            self.assertTrue(all(0 <= share <= 100 for share in shares), shares)
            self.assertAlmostEqual(sum(shares), 100, delta=0.005 * len(shares) + 1e-9)

    def test_cpu_of_a_busy_core(self):
        # A core that computes all the time between the two readings has no idle time; others may compute too. What else the
        # machine does may keep it from that once.
        core = max(os.sched_getaffinity(0))
        busy = subprocess.Popen(['/bin/sh', '-c', 'while :; do :; done'],
                                preexec_fn=lambda: os.sched_setaffinity(0, {core}))
        try:
            values = wait_until(lambda: (values := reading())[f'cpu.{core}.idle'] < 10 and values, 'a busy core')
        finally:
            busy.kill()
            busy.wait()
        self.assertGreater(values['cpu.user'] + values['cpu.nice'] + values['cpu.system'], 0)

    def test_memory(self):
        values = self.values
        self.assertEqual(values['memory.total_bytes'], kilobytes('MemTotal'))
        self.assertEqual(values['swap.total_bytes'], kilobytes('SwapTotal'))
        self.assertEqual(values['swap.used_bytes'] + values['swap.free_bytes'], values['swap.total_bytes'])
        self.assertEqual(values['memory.used_bytes'] + values['memory.available_bytes'],
                         values['memory.total_bytes'])
        self.assertAlmostEqual(values['memory.used_percent'],
                               100 * values['memory.used_bytes'] / values['memory.total_bytes'], delta=0.005)
        for field, name in MEMORY.items():
            before, after = self.before['memory'][field], self.after['memory'][field]
            if before == after:
                self.assertEqual(values[f'memory.{name}_bytes'], after)
            # Other programs change it; a mistaken unit is further off than that.
            self.assertAlmostEqual(values[f'memory.{name}_bytes'], after, delta=values['memory.total_bytes'] / 10)

    def test_file_systems(self):
        values, root = self.values, os.statvfs('/')
        size = root.f_blocks * root.f_frsize
        self.assertEqual(values['fs.root.size_bytes'], size)
        self.assertAlmostEqual(values['fs.root.free_bytes'], root.f_bavail * root.f_frsize, delta=size / 10)
        used = values['fs.root.used_bytes']
        self.assertAlmostEqual(used, (root.f_blocks - root.f_bfree) * root.f_frsize, delta=size / 10)
        self.assertAlmostEqual(values['fs.root.used_percent'],
                               100 * used / (used + values['fs.root.free_bytes']), delta=0.005)
        for pseudo in ('proc', 'sys', 'dev', 'dev_shm', 'dev_pts', 'run'):
            self.assertNotIn(f'fs.{pseudo}.size_bytes', values)

    def test_network(self):
        before, after = self.before['interfaces'], self.after['interfaces']
        for name in set(before) & set(after):
            component = re.sub(r'[\s.*?/\\]', '_', name)
            for counter, low in before[name].items():
                value = self.values[f'net.{component}.{counter}']
                self.assertTrue(low <= value <= after[name][counter], f'{name} {counter}: {value}')

    def test_uptime_and_load(self):
        self.assertTrue(self.before['uptime'] <= self.values['uptime_seconds'] <= self.after['uptime'])
        for minutes, before, after in zip((1, 5, 15), self.before['load'], self.after['load']):
            if before == after:
                self.assertEqual(self.values[f'load.{minutes}'], float(after))

    def test_processes(self):
        lasting = self.before['processes'] & self.after['processes']
        self.assertGreaterEqual(self.values['processes.total'], len(lasting))
        self.assertGreaterEqual(self.values['processes.threads'], self.values['processes.running'])
        self.assertGreaterEqual(self.values['processes.running'], 1)

    def test_numbers_do_not_follow_the_locale(self):
        with tempfile.TemporaryDirectory() as directory:
            command = ['localedef', '-i', 'de_DE', '-f', 'UTF-8', f'{directory}/de_DE.UTF-8']
            if not shutil.which(command[0]) or subprocess.run(command, capture_output=True).returncode != 0:
                self.skipTest('this needs the sources of a locale with decimal commas')
            result = Ctl(LC_ALL='de_DE.UTF-8', LOCPATH=directory).run('collect', '--once', '--print')
        self.check_success(result)
        values = {point.key.split('.', 2)[2]: point.value for point in parse(result.out)}
        # With a decimal comma in mind the fraction would not be read, nor be written with a point.
        self.assertRegex(result.out, r'(?m)\.uptime_seconds \d+\.\d+ ')
        self.assertGreaterEqual(values['uptime_seconds'], self.after['uptime'])
        self.assertAlmostEqual(sum(values[f'cpu.{state}'] for state in CPU_STATES), 100, delta=0.1)

    def test_odd_names(self):
        with tempfile.TemporaryDirectory() as directory:
            command = ['unshare', '--user', '--map-root-user', '--mount', '--net', '--uts', '/bin/sh', '-c',
                       ODD_MACHINE, 'sh', directory]
            if subprocess.run([*command, 'true'], capture_output=True).returncode != 0:
                self.skipTest('this needs namespaces of one\'s own, and ip')
            result = subprocess.run([*command, binary(), 'collect', '--once', '--print'],
                                    capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        keys = {point.key for point in parse(result.stdout)}
        self.assertTrue(all(is_key(key) and key.startswith('host.odd_name_exa_mple_.') for key in keys))
        keys = {key.removeprefix('host.odd_name_exa_mple_.') for key in keys}
        self.assertIn('fs.root.size_bytes', keys)
        # The tmpfs is no disk, and the disk that is mounted in it is the root again.
        self.assertEqual([key for key in keys if directory.strip('/').replace('/', '_') in key], [])
        # Two interfaces, one name: two series.
        self.assertEqual({key for key in keys if key.startswith('net.a')},
                         {f'net.{name}.{counter}' for name in ('a_b_c_d', 'a_b_c_d_2')
                          for counter in interfaces()['lo']})


class Options(harness.TestCase):
    def test_prefix(self):
        longest = 'é' * 256
        for prefix in ('a', 'lab.host-1', longest):
            result = Ctl().run('collect', '--once', '--print', '--prefix', prefix)
            self.assertEqual(result.status, 0, result.err)
            for point in parse(result.out):
                self.assertTrue(point.key.startswith(prefix + '.') and is_key(point.key), point.key)

    def test_bad_options(self):
        for arguments in (
                ['--interval', '0'], ['--interval', '-5'], ['--interval', '1.5'], ['--interval', 'x'],
                ['--interval', '86401'], ['--interval', '99999999999999999999'], ['--interval', ''],
                ['--buffer', '0'], ['--buffer', '-1'], ['--buffer', '10000001'], ['--buffer', 'many'],
                ['--prefix', ''], ['--prefix', 'a b'], ['--prefix', '*'], ['--prefix', 'x' * 513],
                ['--prefix', 'a\nb'], ['--address', ''], ['--json', '--print'],
                ['--no-such-option'], ['argument']):
            with self.subTest(arguments=arguments):
                result = Ctl().run('collect', *arguments)
                self.assertEqual(result.status, 2, result.err)
                self.assertEqual(result.out, '')
                self.assertRegex(result.err, r"^metricsctl: .+\nTry 'metricsctl collect --help'\.\n$")

    def test_help(self):
        result = Ctl().run('collect', '--help')
        self.assertEqual(result.status, 0)
        for word in ('--interval', '--prefix', '--once', '--print', '--buffer', 'cpu.user', 'fs.root'):
            self.assertIn(word, result.out)


harness.main()
