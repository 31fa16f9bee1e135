"""A token over the session bus, on a socket that nobody else reads. For `jeepney`.

    bus_token.py KIND METHOD ACCOUNT [URI]

METHOD is GetToken or GetHeaders. KIND is what is given as the sink: "pair" for one end of a socket
pair, as it should be, or "pipe", "datagrams", "file", "named". Prints the answer that came in the
sink, what stood in the reply, and an error, as one JSON object.
"""

import json
import os
import socket
import sys
import tempfile

from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection

NAME = "org.authbroker.Broker1"
MANAGER = DBusAddress("/org/authbroker/Broker1", NAME, f"{NAME}.Manager")


def named_socket():
    path = os.path.join(tempfile.mkdtemp(), "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    end = socket.socket(socket.AF_UNIX)
    end.connect(path)
    return listener, end


def two_ends(kind):
    if kind == "pair":
        return socket.socketpair()
    if kind == "datagrams":
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    if kind == "pipe":
        return os.pipe()
    if kind == "named":
        return named_socket()
    return None, tempfile.TemporaryFile()


def words(value):
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        return words(value[1])
    if isinstance(value, dict):
        return {key: words(inner) for key, inner in value.items()}
    return value


def main(kind, method, account, *rest):
    ours, theirs = two_ends(kind)
    options = {"sink": ("h", theirs)}
    signature, body = "sa{sv}", (account, options)
    if method == "GetHeaders":
        signature, body = "sssa{sv}", (account, "GET", *rest, options)
    bus = open_dbus_connection(bus="SESSION", enable_fds=True)
    reply = bus.send_and_get_reply(new_method_call(MANAGER, method, signature, body))
    told = {"reply": [words(value) for value in reply.body]}
    if reply.header.message_type == MessageType.error:
        told["error"] = reply.header.fields[HeaderFields.error_name]
    if kind == "pair":
        # To its end: the broker has shut the socket down, though this process holds its end still.
        text = b"".join(iter(lambda: ours.recv(4096), b""))
        told["sink"] = json.loads(text[:-1]) if text.endswith(b"\0") else None
        try:
            ours.sendall(b"?")
            told["shut"] = False
        except BrokenPipeError:
            told["shut"] = True
    print(json.dumps(told))


main(*sys.argv[1:])
