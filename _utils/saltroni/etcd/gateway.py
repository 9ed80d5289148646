"""etcd's JSON gateway over TLS, logged in as a user with a password.

A certificate alone isn't enough here: through the gateway etcd takes no user from it, only from a token, and a
certificate with a common name is refused outright (etcd, ``server/embed/serve.go``, ``accessController``).

Sources: etcd's documentation, *Why gRPC gateway* (keys and values in base64, numbers as strings) and *Role-based
access control*, "Using TLS Common Name".
"""

import base64
import json

import requests

from saltroni import access, words

UNAUTHENTICATED = 16


class EtcdHttpError(RuntimeError):
    """etcd didn't answer or refused; the text says where and why."""


def encode(text):
    """Text as the gateway takes keys and values."""
    return base64.b64encode(text.encode()).decode()


def decode(value):
    """The opposite of :func:`encode`; the gateway leaves empty values out."""
    return base64.b64decode(value or "").decode()


def put_if_absent(key, value, lease):
    """Body of a transaction that puts ``key`` if it isn't there, else reads it. Source: *etcd API*, "Transaction"."""
    return {
        "compare": [{"key": encode(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}],
        "success": [{"request_put": {"key": encode(key), "value": encode(value), "lease": lease}}],
        "failure": [{"request_range": {"key": encode(key)}}],
    }


def found(answer):
    """Value that a failed :func:`put_if_absent` found, None if there was none."""
    for response in answer.get("responses", []):
        for pair in response.get("response_range", {}).get("kvs", []):
            return decode(pair.get("value"))
    return None


class Client:
    """Calls to any member of etcd that answers.

    Args:
        model: the pillar's ``saltroni``.
        user: etcd's user.
        password: its password.
        timeout_s: how long one member may take.
        only: ask this member alone.
    """

    def __init__(self, model, user, password, timeout_s=3.0, only=None):
        port = model["etcd"]["client_port"]
        names = [only] if only else model["by_role"]["etcd"]
        self._bases = {name: f"https://{model['nodes'][name]['address']}:{port}" for name in names}
        self._cert = access.client(model)
        self._login = {"name": user, "password": password}
        self._timeout_s = timeout_s
        self._token = None

    def call(self, path, body):
        """JSON that etcd answers to ``body`` posted to ``path``, from the first member that does.

        Raises:
            EtcdHttpError: refused, or no member answers.
        """
        failures = []
        for name in list(self._bases):
            try:
                return self._at(name, path, body)
            except OSError as err:  # requests' errors are such, and so is a certificate that isn't there
                failures.append(f"{name}: {words.plain(err)}")
        raise EtcdHttpError(f"no member of etcd answers {path}: " + "; ".join(failures))

    def _at(self, name, path, body):
        if self._token is None:
            self._log_in(name)
        answer = self._post(name, path, body)
        if answer.status_code == 401 or _code(answer) == UNAUTHENTICATED:
            # tokens end, and are forgotten when etcd restarts
            self._log_in(name)
            answer = self._post(name, path, body)
        if answer.status_code >= 500:
            raise requests.HTTPError(_words(answer))
        if not answer.ok:
            raise EtcdHttpError(f"{name} refuses {path} to user {self._login['name']}: {_words(answer)}")
        # a stream of one or more answers, one a line
        said = json.loads(answer.text.strip().split("\n")[0])
        if "error" in said:
            raise EtcdHttpError(f"{name} refuses {path}: {said['error']}")
        return said.get("result", said)

    def _log_in(self, name):
        answer = self._post(name, "/v3/auth/authenticate", self._login)
        if answer.status_code >= 500:
            raise requests.HTTPError(_words(answer))
        if not answer.ok:
            raise EtcdHttpError(f"{name} doesn't let user {self._login['name']} in: {_words(answer)}")
        self._token = answer.json()["token"]

    def _post(self, name, path, body):
        headers = {"Authorization": self._token} if self._token else {}
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                self._bases[name] + path,
                json=body,
                headers=headers,
                cert=self._cert,
                verify=access.CA,
                timeout=self._timeout_s,
            )


def _said(answer):
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _code(answer):
    return _said(answer).get("code")


def _words(answer):
    said = _said(answer)
    return f"{answer.status_code} {said.get('message') or said.get('error') or answer.text.strip()[:200]}"
