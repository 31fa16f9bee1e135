"""Many processes that hold connections to a socket and say nothing more than one call each.

    crowd.py SOCKET PROCESSES CONNECTIONS

Each process is a fork of this one and opens its connections one after the other, with a call on
each. Prints how many were served, and how many were refused or cut off; then holds all of them
until standard input ends.
"""

import os
import signal
import socket
import sys

path, processes, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
CALL = b'{"method":"org.authbroker.Broker1.WhoAmI"}\0'
SERVED, REFUSED = b"+", b"-"


def ask(kept):
    """Opens a connection, keeps it open, and tells whether it is served."""
    connection = socket.socket(socket.AF_UNIX)
    kept.append(connection)
    try:
        connection.connect(path)
        connection.sendall(CALL)
        answer = connection.recv(65536)
    except OSError:
        return REFUSED
    return SERVED if b'"uid"' in answer else REFUSED


def be_one_of_them(report, end):
    kept = []
    for _ in range(connections):
        os.write(report, ask(kept))
    os.read(end, 1)
    os._exit(0)


def main():
    report, reports = os.pipe()[::-1]
    end, keep = os.pipe()
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            os.close(keep)
            be_one_of_them(report, end)
        children.append(child)
    told = b""
    while len(told) < processes * connections:
        told += os.read(reports, 65536)
    print(told.count(SERVED), told.count(REFUSED), flush=True)
    sys.stdin.read()
    for child in children:
        os.kill(child, signal.SIGKILL)
    os.close(keep)


main()
