"""Listens on a port from the moment it is free, until it is ended. A program of its own: see postgres_port_taken.

Tells systemd that it waits, and that it is ready once it holds the port. Source: sd_notify(3).
"""

import os
import socket
import sys
import time

#: What systemd shows of it until it has the port.
WAITS = "waits for the port"


def bound(family, port):
    """A socket that listens on ``port`` of every address.

    Raises:
        OSError: the port is taken.
    """
    held = socket.socket(family, socket.SOCK_STREAM)
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        held.bind(("", port))
        held.listen()
    except OSError:
        held.close()
        raise
    return held


def take(port, patience_s, every_s=0.001):
    """Try until the port is ours; returns the sockets.

    Raises:
        TimeoutError: it didn't become free within ``patience_s`` seconds.
    """
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            first = bound(socket.AF_INET, port)
        except OSError:
            time.sleep(every_s)
            continue
        try:
            return [first, bound(socket.AF_INET6, port)]
        except OSError:
            return [first]  # a machine without IPv6
    raise TimeoutError(f"port {port} didn't become free within {patience_s:g} s")


def tell(state):
    """Tell systemd, if it wants to know."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.sendto(state, address.replace("@", "\0", 1) if address.startswith("@") else address)


def main(port, patience_s):
    """Hold the port; whoever connects is sent away."""
    tell(b"STATUS=" + WAITS.encode())
    first, *_others = take(port, patience_s)
    tell(b"READY=1\nSTATUS=holds the port")
    while True:
        first.accept()[0].close()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
