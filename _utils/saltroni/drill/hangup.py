"""How a statement that gets no answer is ended: by closing the socket, never by a cancel request.

A server that waits for a standby answers a cancel with success and a warning (PostgreSQL's documentation, *Synchronous
Replication*).
"""

import os
import socket

from saltroni.drill import database


def hang_up(connection):
    """Close the connection under a statement that waits, so that it ends at once."""
    try:
        descriptor = os.dup(connection.fileno())
    except (OSError, database.driver().Error):
        return  # it is closed already
    with socket.socket(fileno=descriptor) as link:
        try:
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster
