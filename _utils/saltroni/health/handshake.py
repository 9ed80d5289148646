"""How long the certificate that a service shows now still lives: asked by a handshake, not read from a file.

A service that wasn't reloaded shows its old certificate, whatever the file says.
"""

import contextlib
import socket
import ssl
import struct
import time

#: PostgreSQL's request for TLS (protocol documentation, "SSLRequest").
SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def days_left(address, port, context, postgresql=False, timeout_s=3.0, now=time.time):
    """Days until the certificate shown at ``address:port`` expires.

    Args:
        context: a TLS context that verifies, see :func:`saltroni.access.context`.
        postgresql: ask for TLS the way PostgreSQL wants it.

    Raises:
        OSError: no connection, or the certificate isn't valid for ``address`` (``ssl.SSLError``).
    """
    with socket.create_connection((address, port), timeout=timeout_s) as plain:
        if postgresql:
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                raise ssl.SSLError(f"{address}:{port} doesn't offer TLS")
        with context.wrap_socket(plain, server_hostname=address) as shown:
            expires_unix = ssl.cert_time_to_seconds(shown.getpeercert()["notAfter"])
            # say goodbye: what a server sent and nobody read (TLS 1.3's tickets) makes a reset of a close, and a service
            # writes a traceback about it
            with contextlib.suppress(OSError):
                shown.unwrap()
    return round((expires_unix - now()) / 86400, 1)
