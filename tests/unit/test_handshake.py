"""How long a certificate that is shown still lives, asked of a real TLS server."""

import socket
import ssl
import threading

import pytest

from saltroni.health import handshake

from .. import pki

DAYS = 40


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A key and its own certificate for this machine, in one file."""
    key = pki.key()
    path = tmp_path_factory.mktemp("pki") / "both.pem"
    path.write_bytes(pki.signed("CN=test", key, "CN=test", key, days=DAYS, names=["127.0.0.1"]) + pki.pem(key))
    return path


class Server(threading.Thread):
    """Takes one connection, and notes what it read from it at last: nothing, or an error."""

    def __init__(self, shown, postgresql):
        super().__init__(daemon=True)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(shown)
        self._postgresql, self.read = postgresql, None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self):
        plain, _ = self._listener.accept()
        with self._listener, plain:
            plain.settimeout(20)
            if self._postgresql:
                assert plain.recv(8) == handshake.SSL_REQUEST
                plain.sendall(b"S")
            try:
                with self._context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=False) as link:
                    self.read = link.recv(1)
            except OSError as err:
                self.read = err


@pytest.mark.parametrize("postgresql", [False, True])
def test_it_is_told_and_the_server_sees_an_orderly_end(shown, postgresql):
    server = Server(shown, postgresql)
    server.start()
    context = ssl.create_default_context(cafile=shown)
    left = handshake.days_left("127.0.0.1", server.port, context, postgresql=postgresql)
    server.join(20)
    assert left == pytest.approx(DAYS, abs=0.2)
    assert server.read == b""


def test_who_offers_no_tls_is_named():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def refuse():
            link, _ = listener.accept()
            with link:
                link.recv(8)
                link.sendall(b"N")

        threading.Thread(target=refuse, daemon=True).start()
        with pytest.raises(ssl.SSLError, match=f"127.0.0.1:{port} doesn't offer TLS"):
            handshake.days_left("127.0.0.1", port, ssl.create_default_context(), postgresql=True)
