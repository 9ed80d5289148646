"""Tells over TLS what the guard does, to nodes of the cluster only: a certificate of its CA is asked for."""

import json
import socket
import ssl
import threading
import time

#: One asks at a time, and none for long (seconds).
DEADLINE_S = 2.0
PAUSE_S = 0.05


def context(pki):
    """TLS as a server that wants to see a certificate."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=f"{pki}/ca.crt")
    made.load_cert_chain(f"{pki}/patroni.crt", f"{pki}/patroni.key")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


class Answers:
    """A thread that answers every request with ``told()`` as JSON.

    Args:
        settings: the guard's.
        told: gives a dict.
    """

    def __init__(self, settings, told):
        self._settings = settings
        self._told = told

    def start(self):
        """Begin; what can't be bound now is tried again, the guard doesn't depend on it."""
        threading.Thread(target=self._serve, name="answers", daemon=True).start()

    def _serve(self):
        where = (self._settings["patroni"]["address"], self._settings["port"])
        while True:
            try:
                with socket.create_server(where, backlog=8) as door:
                    while True:
                        self._one(door.accept()[0])
                        time.sleep(PAUSE_S)
            except OSError:
                time.sleep(5.0)  # the address isn't there yet, or taken: nothing tells when that changes

    def _one(self, plain):
        with plain:
            plain.settimeout(DEADLINE_S)
            try:
                # with the certificate as it is on disk now
                with context(self._settings["pki"]).wrap_socket(plain, server_side=True) as link:
                    link.recv(4096)
                    body = json.dumps(self._told()).encode()
                    head = f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                    link.sendall(head.encode() + body)
            except OSError:
                return  # whoever asked is no node of this cluster, or went away
