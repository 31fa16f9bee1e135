"""Asks for a credential as systemd does for LoadCredential=NAME:SOCKET.

    credential.py SOCKET SOURCE

Connects to SOCKET from the abstract address SOURCE and prints what it reads there, to the end.
"""

import socket
import sys

path, source = sys.argv[1:]
connection = socket.socket(socket.AF_UNIX)
connection.bind("\0" + source)
connection.connect(path)
print("".join(iter(lambda: connection.recv(65536).decode(), "")))
