"""Words to systemd. Source: sd_notify(3)."""

import os
import socket


def tell(words):
    """Send ``words`` to whoever started us, if that is systemd."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        link.sendto(words.encode(), "\0" + path[1:] if path.startswith("@") else path)
