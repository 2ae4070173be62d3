# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a metricsd whose standard error is connected to a journal, one of the test's own, and prints what it is sent: a JSON
object an entry.

    unshare --user --map-root-user --mount python3 journal.py OPTION...

GLib knows the journal by the paths of its sockets, which begin with /run: so /run is another one here."""

import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys

import harness

FOLDER = '/run/systemd/journal'
LIBC = ctypes.CDLL(None, use_errno=True)


def make_run():
    if LIBC.mount(b'tmpfs', b'/run', b'tmpfs', 0, None) != 0:
        raise OSError(ctypes.get_errno(), 'mount')
    os.makedirs(FOLDER)


def parse(data):
    """An entry in the journal's native form: KEY=VALUE, or where the value has line feeds, KEY and its length in bytes."""
    entry = {}
    while data:
        line, _, data = data.partition(b'\n')
        key, equals, value = line.partition(b'=')
        if not equals:
            size, = struct.unpack('<Q', data[:8])
            value, data = data[8:8 + size], data[8 + size + 1:]
        entry[key.decode()] = value.decode()
    return entry


def ask(address, data):
    host, _, port = address.rpartition(':')
    with socket.create_connection((host, int(port)), 30) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


def main():
    make_run()
    entries = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    entries.bind(f'{FOLDER}/socket')
    entries.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.bind(f'{FOLDER}/stdout')
    stream.listen()
    errors = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    errors.connect(f'{FOLDER}/stdout')
    server = subprocess.Popen([os.environ['METRICSD'], *harness.quietly(sys.argv[1:])], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=errors, text=True)
    errors.close()
    address = None
    for line in server.stdout:
        if line == 'ready\n':
            ask(address, b'del *\n')
            server.send_signal(signal.SIGTERM)
        address = address or line.removeprefix('listening on ').strip()
    server.wait()
    entries.setblocking(False)
    try:
        while True:
            print(json.dumps(parse(entries.recv(1 << 20))))
    except BlockingIOError:
        pass
    # What was written as to a terminal.
    connection, _ = stream.accept()
    while text := connection.recv(65536):
        print(json.dumps({'STREAM': text.decode()}))


if __name__ == '__main__':
    main()
