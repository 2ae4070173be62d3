# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers that are measured: how each is started, on loopback and in a folder of its own, how it is spoken to, and
what it cannot do."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

import peer_packages

START_SECONDS = 60
HERE = os.path.dirname(os.path.abspath(__file__))
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]


def prepare(cores):
    """What is called in a child: it keeps to these cores, may have many files, and does not outlive us."""
    def run():
        os.sched_setaffinity(0, cores)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return run


class Server:
    """A running server. Leaving the context ends it, by its process, and removes its folder."""

    title = packages = None
    dialect = None  # of puts
    read_dialect = None  # where it is another
    reads_all_at_once = True  # else by a pipelined read for each series
    cannot = {}  # workload: why not
    pace = 1.0  # how much of the one by one work it gets, so that it is over in a few seconds
    is_peer = True

    def __init__(self, config, works):
        self.config = config
        self.works = works  # for which it is started
        self.folder = tempfile.TemporaryDirectory(prefix='metricsd-peer-', dir=self.config.scratch)
        self.port = free_port()
        self.address = f'127.0.0.1:{self.port}'
        self.read_address = self.address
        self.log = open(os.path.join(self.folder.name, 'output'), 'w+b')
        self.process = None

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        try:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
                cwd=self.folder.name, env=peer_packages.environment(self.config.folder),
                preexec_fn=prepare({self.config.server_core}))
            self.wait_ready()
            self.started()
        except BaseException:
            self.log.seek(0)
            print(self.log.read()[-2000:].decode(errors='replace'), file=sys.stderr)
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def wait_ready(self):
        """Until it accepts connections."""
        end = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f'{self.title} did not start')
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def started(self):
        """What there is to do once."""

    def make_series(self, keys, start):
        """What has to be there before points are put into series."""

    def before_reads(self):
        """What has to happen before what was put is seen."""

    def rss(self):
        """Bytes of memory of its process."""
        with open(f'/proc/{self.process.pid}/status') as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith('VmRSS:'))

    def cpu(self):
        """Seconds that it has used the processor, in all threads."""
        clock = ctypes.c_int()
        if LIBC.clock_getcpuclockid(self.process.pid, ctypes.byref(clock)) != 0:
            raise RuntimeError('the server has no processor clock')
        return time.clock_gettime(clock.value)


class Announced(Server):
    """One that tells its address on standard output, as metricsd does."""

    def wait_ready(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            with open(self.log.name) as log:
                lines = log.read().splitlines()
            if 'ready' in lines:
                self.address = next(line.split()[-1] for line in lines if line.startswith('listening on '))
                self.read_address = self.address
                return
            time.sleep(0.02)
        raise RuntimeError(f'{self.title} did not start')


class Metricsd(Announced):
    title = 'metricsd'
    dialect = 'star'
    is_peer = False

    def command(self):
        return [self.config.metricsd, '--memory-only', '--host', '127.0.0.1', '--port', '0', '--no-http',
                '--connection-limit', '15000']


class Asyncio(Announced):
    title = 'asyncio'
    dialect = 'star'

    def command(self):
        return ['/usr/bin/python3', os.path.join(HERE, 'asyncio_server.py')]


class Redis(Server):
    title = 'Redis HSET'
    packages = ['redis-server']
    dialect = 'redis-hset'
    reads_all_at_once = False

    def command(self):
        return ['redis-server', '--port', str(self.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
                '--maxclients', '15000', '--dir', self.folder.name]


class RedisSorted(Redis):
    title = 'Redis ZADD'
    dialect = 'redis-zadd'


class Victoria(Server):
    title = 'VictoriaMetrics'
    packages = ['victoria-metrics']
    dialect = 'graphite'
    read_dialect = 'victoria'
    cannot = {'W2': 'no acknowledgement', 'W2 idle': 'no acknowledgement'}

    def command(self):
        web = free_port()
        self.read_address = f'127.0.0.1:{web}'
        return ['victoria-metrics', f'-storageDataPath={self.folder.name}/data', f'-httpListenAddr=127.0.0.1:{web}',
                f'-graphiteListenAddr=127.0.0.1:{self.port}', '-loggerLevel=ERROR']

    def before_reads(self):
        urllib.request.urlopen(f'http://{self.read_address}/internal/force_flush', timeout=60).read()


class Influx(Server):
    title = 'InfluxDB'
    packages = ['influxdb']
    dialect = 'influx'
    cannot = {'W2 idle': 'not measured'}
    pace = 0.05

    def command(self):
        path = os.path.join(self.folder.name, 'influxdb.conf')
        with open(path, 'w') as config:
            config.write(f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n'
                         f'[meta]\n  dir = "{self.folder.name}/meta"\n'
                         f'[data]\n  dir = "{self.folder.name}/data"\n  wal-dir = "{self.folder.name}/wal"\n'
                         '  query-log-enabled = false\n  max-values-per-tag = 0\n'
                         f'[http]\n  bind-address = "{self.address}"\n  log-enabled = false\n'
                         '[monitor]\n  store-enabled = false\n')
        return ['influxd', '-config', path]

    def started(self):
        query = urllib.parse.urlencode({'q': 'CREATE DATABASE b'}).encode()
        urllib.request.urlopen(f'http://{self.address}/query', query, timeout=60).read()


class Carbon(Server):
    title = 'carbon'
    packages = ['graphite-carbon']
    dialect = 'graphite'
    cannot = {'W2': 'no acknowledgement', 'W2 idle': 'no acknowledgement', 'W3': 'no reading over the network',
              'memory': 'goes to disk meanwhile', 'W4 memory': 'goes to disk meanwhile'}

    def command(self):
        folder = self.folder.name
        for name in ('conf', 'storage', 'log'):
            os.mkdir(os.path.join(folder, name))
        with open(os.path.join(folder, 'conf', 'carbon.conf'), 'w') as config:
            # As in Debian's own configuration, but for the 50 new files a minute: points of all others would be dropped.
            config.write(f'[cache]\nSTORAGE_DIR = {folder}/storage\nLOCAL_DATA_DIR = {folder}/storage/whisper\n'
                         f'CONF_DIR = {folder}/conf\nLOG_DIR = {folder}/log\nPID_DIR = {folder}\n'
                         'MAX_CACHE_SIZE = inf\nMAX_UPDATES_PER_SECOND = 500\nMAX_CREATES_PER_MINUTE = inf\n'
                         f'LINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {self.port}\n'
                         f'PICKLE_RECEIVER_INTERFACE = 127.0.0.1\nPICKLE_RECEIVER_PORT = {free_port()}\n'
                         f'CACHE_QUERY_INTERFACE = 127.0.0.1\nCACHE_QUERY_PORT = {free_port()}\n'
                         'LOG_UPDATES = False\nLOG_CACHE_HITS = False\nENABLE_LOGROTATION = False\n')
        with open(os.path.join(folder, 'conf', 'storage-schemas.conf'), 'w') as schemas:
            schemas.write('[all]\npattern = .*\nretentions = 10s:2d\n')
        return ['/usr/bin/python3', self.find('carbon-cache'), f'--config={folder}/conf/carbon.conf', '--nodaemon',
                f'--pidfile={folder}/pid', 'start']

    def find(self, program):
        unpacked = os.path.join(self.config.folder, 'usr/bin', program)
        return unpacked if os.path.exists(unpacked) else f'/usr/bin/{program}'


class Rrdcached(Server):
    title = 'rrdcached'
    packages = ['rrdcached']
    dialect = 'rrdcached'
    reads_all_at_once = False
    cannot = {'W2 idle': 'not measured', 'W4': 'a file a series', 'W5': 'refuses late points'}

    def command(self):
        for name in ('data', 'journal'):
            os.mkdir(os.path.join(self.folder.name, name))
        return ['rrdcached', '-g', '-l', self.address, '-b', f'{self.folder.name}/data', '-B',
                '-j', f'{self.folder.name}/journal', '-p', f'{self.folder.name}/pid']

    def talk(self, lines):
        """Sends commands with replies of one line each and returns these."""
        with socket.create_connection(('127.0.0.1', self.port), 60) as sock, sock.makefile('rwb') as stream:
            replies = []
            for line in lines:
                stream.write(line.encode() + b'\n')
                stream.flush()
                replies.append(stream.readline().decode())
                for _ in range(int(replies[-1].split()[0])):
                    replies.append(stream.readline().decode())
        return replies

    def make_series(self, keys, start):
        self.talk([f'CREATE {key}.rrd -s 10 -b {start - 10} DS:v:GAUGE:20:U:U RRA:AVERAGE:0.5:1:12000' for key in keys])

    def before_reads(self):
        self.talk(['FLUSHALL'])
        end = time.monotonic() + 120
        while 'QueueLength: 0\n' not in self.talk(['STATS']) and time.monotonic() < end:
            time.sleep(0.1)


class Baseline(Announced):
    """What answers and does nothing else: the ceiling."""

    title = 'ceiling'
    dialect = 'baseline'
    is_peer = False
    cannot = {'W2 idle': 'not measured', 'memory': 'keeps nothing', 'W4 memory': 'keeps nothing', 'idle': 'no server'}

    def command(self):
        single = ['--single'] if self.works == 'W2 one' else []
        return [self.config.baseline, *single, str(self.config.steps), str(self.config.series())]


ALL = {
    'metricsd': Metricsd,
    'redis': Redis,
    'redis-zadd': RedisSorted,
    'victoria': Victoria,
    'influxdb': Influx,
    'carbon': Carbon,
    'rrdcached': Rrdcached,
    'asyncio': Asyncio,
    'ceiling': Baseline,
}
