# SPDX-License-Identifier: LGPL-2.1-or-later
"""One who watches over the line protocol: replies to requests are told from what comes without having been asked for."""

import re

from harness import OK, Client

DROPPED = re.compile(rb'error\n([1-9][0-9]*) points dropped\n\n')


def is_block(unit):
    return unit.startswith(b'ok\n') and unit != OK


class Watcher(Client):
    """A client that watches. What it is told without having asked goes to `told`: the rows of blocks, and numbers of
    points that were dropped, in their order; `blocks` says how many blocks there were."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.told = []
        self.blocks = 0

    def note(self, unit):
        """Whether that is something that was not asked for."""
        dropped = DROPPED.fullmatch(unit)
        if dropped:
            self.told.append(int(dropped[1]))
        elif is_block(unit):
            self.told += unit[3:-2].split(b'\n')
            self.blocks += 1
        else:
            return False
        return True

    def reply(self):
        """The next reply to a request."""
        while self.note(unit := self.recv_reply()):
            pass
        return unit

    def request(self, line):
        self.send(line + b'\n')
        return self.reply()

    def watch(self, *patterns):
        for pattern in patterns:
            reply = self.request(b'watch ' + pattern.encode())
            assert reply == OK, reply

    def n_told(self):
        return sum(item if isinstance(item, int) else 1 for item in self.told)

    def tell_all(self):
        """All that was put before now: it is told before the end of the watch."""
        reply = self.request(b'unwatch')
        assert reply == OK, reply
        return self.take()

    def take(self):
        told, self.told = self.told, []
        return told

    def wait_for_rows(self, count):
        while self.n_told() < count:
            unit = self.recv_reply()
            assert self.note(unit), unit
        return self.take()
