# SPDX-License-Identifier: LGPL-2.1-or-later
"""A polkit that says always the same: `fakepolkit.py ADDRESS yes|no|challenge|error|never`. What it is asked it writes
to standard output, a line each: `ready`, `check ACTION SUBJECT FLAGS ID`, `cancel ID`."""

import sys

import gi

gi.require_version('Gio', '2.0')

from gi.repository import Gio, GLib  # noqa: E402

NAME = 'org.freedesktop.PolicyKit1'
PATH = '/org/freedesktop/PolicyKit1/Authority'
XML = """<node><interface name="org.freedesktop.PolicyKit1.Authority">
  <method name="CheckAuthorization">
    <arg type="(sa{sv})" direction="in"/><arg type="s" direction="in"/><arg type="a{ss}" direction="in"/>
    <arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="(bba{ss})" direction="out"/>
  </method>
  <method name="CancelCheckAuthorization"><arg type="s" direction="in"/></method>
</interface></node>"""

waiting = []


def say(*words):
    print(*words, flush=True)


def check(invocation, subject, action, flags, check_id, answer):
    kind, details = subject
    say('check', action, details['name'] if kind == 'system-bus-name' else kind, flags, check_id)
    if answer == 'never':
        waiting.append(invocation)
    elif answer == 'error':
        invocation.return_dbus_error('org.freedesktop.PolicyKit1.Error.Failed', 'it fails')
    else:
        invocation.return_value(GLib.Variant('((bba{ss}))', ((answer == 'yes', answer == 'challenge', {}),)))


def called(_connection, _sender, _path, _interface, method, parameters, invocation, answer):
    values = parameters.unpack()
    if method == 'CheckAuthorization':
        check(invocation, values[0], values[1], values[3], values[4], answer)
    else:
        say('cancel', values[0])
        invocation.return_value(None)


def main(address, answer):
    connection = Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
        None, None)
    connection.register_object(PATH, Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0],
                               lambda *arguments: called(*arguments, answer), None, None)
    Gio.bus_own_name_on_connection(connection, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: say('ready'), None)
    GLib.MainLoop().run()


main(*sys.argv[1:])
