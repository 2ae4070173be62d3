#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server is killed at random moments under load and started again: in `always` nothing that was acknowledged is lost,
and whatever the durability, what is there is what there was at some moment, never a part of it.

METRICSD_KILLS says how often (for each durability), METRICSD_SEED repeats a run as far as the moments are alike."""

import os
import pathlib
import random
import shutil
import signal
import sqlite3
import tempfile
import threading
import time

from harness import SANITIZED, Client, Server, TestCase, main

KILLS = int(os.environ.get('METRICSD_KILLS', '4' if SANITIZED else '10'))
SEED = int(os.environ.get('METRICSD_SEED', random.SystemRandom().randrange(1 << 32)))
WRITERS = 4
KEYS = 6  # of a writer
TIMES = 300  # of a key: few enough for many to be put again


class Writer:
    """One client with keys of its own, of which it knows each request that it sent and how many were acknowledged."""

    def __init__(self, number, seed):
        self.prefix = f'writer{number}.'
        self.random = random.Random(seed)
        self.n_values = 0
        self.state = {}  # (key, time): value, when the server was last seen
        self.begin()

    def begin(self):
        """Another server, or the same one again: nothing is sent yet."""
        self.sent = []  # (key, from, to, value); without a value it is a deletion
        self.acknowledged = 0

    def _request(self):
        key = f'{self.prefix}{self.random.randrange(KEYS)}'
        start = self.random.randrange(TIMES)
        if self.random.random() < 0.02:
            end = start + self.random.randrange(TIMES)
            return (key, start, end, None), f'del {key} {start} {end}\n'
        self.n_values += 1
        value = self.n_values / 8
        return (key, start, start, value), f'put {key} {value} {start}\n'

    def run(self, address, count):
        """Sends and reads until the server is gone; `count` is told of each acknowledged request."""
        try:
            with Client(address) as client:
                while True:
                    batch = [self._request() for _ in range(self.random.choice((1, 1, 7, 60)))]
                    self.sent += [change for change, _ in batch]
                    client.send(''.join(line for _, line in batch).encode())
                    for _ in batch:
                        reply = client.recv_reply()
                        if not reply.startswith(b'ok\n'):
                            raise AssertionError(f'{self.prefix}: {reply!r}')
                        self.acknowledged += 1
                        count()
        except (EOFError, ConnectionError):
            pass

    def check(self, found, all_acknowledged):
        """`found` is the state after one of the requests, all in their order; where the acknowledged ones count, not
        before the last of these. That state is the first one for the next server."""
        state = dict(self.state)
        wrong = {at for at in state.keys() | found.keys() if state.get(at) != found.get(at)}
        least = self.acknowledged if all_acknowledged else 0
        fits = not wrong and least == 0
        for number, (key, start, end, value) in enumerate(self.sent, 1):
            for at in [(key, time) for time in range(start, end + 1)]:
                if value is None:
                    state.pop(at, None)
                else:
                    state[at] = value
                (wrong.discard if state.get(at) == found.get(at) else wrong.add)(at)
            fits = fits or (not wrong and number >= least)
        if not fits:
            raise AssertionError(f'{self.prefix}: {self.acknowledged} of {len(self.sent)} requests were acknowledged, and '
                                 f'what is there comes after none of them from number {least} on; of the last state differ '
                                 f'{sorted((at, state.get(at), found.get(at)) for at in wrong)[:20]}')
        self.state = found


class Countdown:
    """Is over when it was told so many times."""

    def __init__(self, number):
        self.number = number
        self.lock = threading.Lock()
        self.over = threading.Event()
        self()

    def __call__(self):
        with self.lock:
            self.number -= 1
            if self.number < 0:
                self.over.set()


class KillsTest(TestCase):
    def setUp(self):
        print(f'# METRICSD_SEED={SEED}')
        self.random = random.Random(SEED)
        self.state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / 'state'
        self.writers = [Writer(number, self.random.random()) for number in range(WRITERS)]
        self.failures = []

    def write(self, writer, *arguments):
        try:
            writer.run(*arguments)
        except BaseException as error:
            self.failures.append(error)

    def end(self, server):
        """Kills it, mostly at once, now and then while it stops, which is when it tidies up."""
        if self.random.random() < 0.7:
            # Whatever it is that it does at this moment.
            time.sleep(self.random.random() * 0.02)
        else:
            server.signal(signal.SIGTERM)
            time.sleep(self.random.random() * 0.1)
        server.kill()

    def check_database(self):
        """SQLite's own view; of a copy, for who opens it may tidy it up."""
        with tempfile.TemporaryDirectory() as copy:
            for path in self.state.glob('metricsd.db*'):
                shutil.copy(path, copy)
            database = sqlite3.connect(pathlib.Path(copy) / 'metricsd.db')
            self.assertEqual(database.execute('PRAGMA integrity_check').fetchall(), [('ok',)])
            database.close()

    def check_points(self, server, all_acknowledged):
        found = [{} for _ in self.writers]
        with Client(server) as client:
            for row in client.rows(b'get *'):
                key, value, at = row.decode().split()
                number = int(key.removeprefix('writer').split('.')[0])
                found[number][key, int(at)] = float(value)
        for writer, state in zip(self.writers, found):
            writer.check(state, all_acknowledged)

    def load_and_kill(self, durability):
        """One life of a server."""
        with Server('--state-dir', self.state, '--durability', durability) as server:
            self.check_points(server, durability == 'always')
            for writer in self.writers:
                writer.begin()
            countdown = Countdown(self.random.choice((0, 1, 300, 3000)))
            threads = [threading.Thread(target=self.write, args=(writer, server.address, countdown)) for writer in self.writers]
            for thread in threads:
                thread.start()
            try:
                while not countdown.over.wait(0.1) and any(thread.is_alive() for thread in threads):
                    pass
                self.end(server)
            finally:
                server.kill()
                for thread in threads:
                    thread.join()
            # What a kill has left in SQLite's log is not taken for damage.
            self.assertNotIn('damaged', server.errors())
        if self.failures:
            raise self.failures[0]
        self.check_database()

    def kill_again_and_again(self, durability):
        for _ in range(KILLS):
            self.load_and_kill(durability)
        with Server('--state-dir', self.state) as server:
            self.check_points(server, durability == 'always')
        # It must have had something to lose. Where nothing waits for the disk, all of it may be.
        if durability == 'always':
            self.assertGreater(sum(len(writer.state) for writer in self.writers), 0)

    def test_always(self):
        self.kill_again_and_again('always')

    def test_interval(self):
        self.kill_again_and_again('interval')

    def test_none(self):
        self.kill_again_and_again('none')


if __name__ == '__main__':
    main()
