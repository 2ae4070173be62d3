# SPDX-License-Identifier: LGPL-2.1-or-later
"""The base of the line protocol (put, get) in Python's asyncio: what somebody would write in an afternoon, with a mind to
speed. One of the peers that metricsd is measured beside; it prints its address and `ready`, as metricsd does."""

import asyncio
import math
import signal
import socket
import sys

OK = b'ok\n\n'
WRONG = b'error\nwrong command\n\n'

# Keys in the order of their first put; of each, time to value.
STORE = {}


def rows(key):
    """The lines of a series."""
    name = key.decode()
    return ''.join([f'{name} {value!r} {time}\n' for time, value in sorted(STORE[key].items())]).encode()


def answer(words):
    """The reply to a request that is not a well-formed put."""
    if len(words) != 2 or words[0] != b'get':
        return WRONG
    if words[1] == b'*':
        return b'ok\n' + b''.join([rows(key) for key in STORE]) + b'\n'
    if words[1] not in STORE:
        return OK
    return b'ok\n' + rows(words[1]) + b'\n'


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self):
        self.rest = b''
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info('socket').setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        lines = (self.rest + data).split(b'\n')
        self.rest = lines.pop()
        replies = []
        for line in lines:
            words = line.split()
            if len(words) == 4 and words[0] == b'put':
                try:
                    value, time = float(words[2]), int(words[3])
                except ValueError:
                    replies.append(WRONG)
                    continue
                if not math.isfinite(value):
                    replies.append(WRONG)
                    continue
                series = STORE.get(words[1])
                if series is None:
                    series = STORE[words[1]] = {}
                series[time] = value
                replies.append(OK)
            else:
                replies.append(answer(words))
        self.transport.write(b''.join(replies))


async def main():
    loop = asyncio.get_running_loop()
    stop = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, stop.set_result, None)
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = await loop.create_server(Connection, '127.0.0.1', port, backlog=4096)
    print('listening on 127.0.0.1:%d\nready' % server.sockets[0].getsockname()[1], flush=True)
    await stop


asyncio.run(main())
