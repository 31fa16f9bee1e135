"""An app in another language, on the session bus.

    bus_app.py watch                      lists the accounts, then prints every signal
    bus_app.py acquire PROVIDER TOKEN     asks for a sign-in, then prints every signal to its end

Each line on stdout is one JSON object.
"""

import json
import sys

from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection

NAME = "org.authbroker.Broker1"
ROOT = "/org/authbroker/Broker1"


def plain(value):
    """A value without the types that D-Bus variants carry."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        return plain(value[1])
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def tell(**members):
    print(json.dumps(members), flush=True)


def method(interface, member, signature=None, body=()):
    return new_method_call(DBusAddress(ROOT, NAME, interface), member, signature, body)


def call_of(mode, arguments):
    if mode == "watch":
        return method("org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    provider, token = arguments
    options = {"handle_token": ("s", token)}
    return method(f"{NAME}.Manager", "Acquire", "ssa{sv}", (provider, "", options))


def main(mode, *arguments):
    bus = open_dbus_connection(bus="SESSION")
    sender = bus.unique_name.lstrip(":").replace(".", "_")
    # Known before the call: no signal can be missed.
    tell(requests=f"{ROOT}/requests/{sender}/")
    bus.send(call_of(mode, arguments))
    while True:
        message = bus.receive()
        fields, body = message.header.fields, [plain(value) for value in message.body]
        if message.header.message_type == MessageType.error:
            tell(error=fields[HeaderFields.error_name], body=body)
        elif message.header.message_type == MessageType.method_return:
            tell(answer=body)
        elif message.header.message_type == MessageType.signal:
            if fields[HeaderFields.member] == "NameAcquired":
                continue
            tell(signal=fields[HeaderFields.member], path=fields[HeaderFields.path], body=body)
            if fields[HeaderFields.member] == "Response":
                return


main(*sys.argv[1:])
