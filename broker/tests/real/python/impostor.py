"""Connects, leaves the socket to a child, and becomes a program that nobody suspects.

    impostor.py SOCKET READY [leave]

The child asks who the broker takes it for, once READY exists, and prints the answer. With `leave`, the
one that connected ends instead.
"""

import os
import socket
import sys
import time

path, ready = sys.argv[1:3]
connection = socket.socket(socket.AF_UNIX)
connection.connect(path)
child = os.fork()
if child and sys.argv[3:] == ["leave"]:
    print(child, flush=True)
    os._exit(0)
if child:
    os.execvp("sleep", ["sleep", "600"])

while not os.path.exists(ready):
    time.sleep(0.01)
connection.sendall(b'{"method":"org.authbroker.Broker1.WhoAmI"}\0')
answer = b""
while not answer.endswith(b"\0"):
    part = connection.recv(65536)
    if not part:
        break
    answer += part
print(answer.rstrip(b"\0").decode(), flush=True)
