"""What the guard asks of etcd and Patroni: JSON over TLS, each with a deadline.

Sources: etcd's documentation, *Why gRPC gateway*, *etcd API* ("Transaction", "Lease"), *Role-based access control*;
Patroni's documentation, *Patroni REST API*.
"""

import base64
import http.client
import json
import ssl
import time

UNAUTHENTICATED = 16
#: Patroni looks for a change, finds none (nobody has this setting), writes nothing, and runs its loop at once:
#: ``do_PATCH_config`` of Patroni's ``api.py`` ends with ``ha.wakeup()``. Its other requests either change something or
#: don't wake the loop (a reload and SIGHUP wait for its next round).
NO_CHANGE = {"saltroni_wake": None}


class RemoteError(RuntimeError):
    """No answer, or a refusal; the text says whose."""


def context(pki):
    """TLS with the member's own certificate, as it is on disk now."""
    made = ssl.create_default_context(cafile=f"{pki}/ca.crt")
    made.load_cert_chain(f"{pki}/patroni.crt", f"{pki}/patroni.key")
    return made


def _encode(text):
    return base64.b64encode(text.encode()).decode()


def _decode(value):
    return base64.b64decode(value or "").decode()


class Etcd:
    """etcd's word on the leader's key.

    Args:
        settings: the guard's, see ``salt/patroni/files/guard.json.jinja``.
        timeout_s: how long one member may take.
    """

    def __init__(self, settings, timeout_s=1.0):
        self._hosts = list(settings["etcd"]["hosts"])
        self._login = {"name": settings["etcd"]["user"], "password": settings["etcd"]["password"]}
        self._prefix = settings["etcd"]["prefix"]
        self._pki = settings["pki"]
        self._timeout_s = timeout_s
        self._token = None
        self._link = None

    def look(self):
        """``{holder, left_s, paused}``: see :meth:`saltroni.guard.lease.Lease.seen`.

        Raises:
            RemoteError: no member answers.
        """
        keys = [self._prefix + "leader", self._prefix + "config"]
        asked = {"success": [{"request_range": {"key": _encode(key)}} for key in keys]}
        found = [
            (response.get("response_range", {}).get("kvs") or [None])[0]
            for response in self._call("/v3/kv/txn", asked)["responses"]
        ]
        leader, config = found
        return {
            "holder": _decode(leader.get("value")) if leader else None,
            "left_s": self._left_s(leader.get("lease")) if leader else None,
            "paused": bool(config and json.loads(_decode(config.get("value"))).get("pause")),
        }

    def _left_s(self, lease):
        if not lease or lease == "0":
            return None
        left = int(self._call("/v3/lease/timetolive", {"ID": lease}).get("TTL", 0))
        return left if left >= 0 else None  # -1: it has ended since

    def _call(self, path, body):
        failures = []
        for _ in range(len(self._hosts)):
            try:
                return self._authorized(path, body)
            except (OSError, ValueError, http.client.HTTPException, RemoteError) as err:
                failures.append(f"{self._hosts[0]}: {str(err) or type(err).__name__}")
                self._drop()
                self._hosts.append(self._hosts.pop(0))
        raise RemoteError("no member of etcd answers: " + "; ".join(failures))

    def _authorized(self, path, body):
        if self._token is None:
            self._log_in()
        status, said = self._post(path, body)
        if status == 401 or said.get("code") == UNAUTHENTICATED:
            self._log_in()  # tokens end, and are forgotten when etcd restarts
            status, said = self._post(path, body)
        if status != 200:
            raise RemoteError(f"{path} answered {status} {said.get('message') or said.get('error') or ''}")
        return said

    def _log_in(self):
        self._token = None
        status, said = self._post("/v3/auth/authenticate", self._login)
        if status != 200:
            raise RemoteError(f"user {self._login['name']} isn't let in: {status} {said.get('message', '')}")
        self._token = said["token"]

    def _post(self, path, body):
        if self._link is None:
            host, port = self._hosts[0].rsplit(":", 1)
            self._link = http.client.HTTPSConnection(
                host, int(port), timeout=self._timeout_s, context=context(self._pki)
            )
        headers = {"Authorization": self._token} if self._token else {}
        self._link.request("POST", path, json.dumps(body), headers)
        answer = self._link.getresponse()
        said = json.loads(answer.read() or b"{}")
        return answer.status, said if isinstance(said, dict) else {}

    def _drop(self):
        if self._link is not None:
            self._link.close()
        self._link = self._token = None


class Patroni:
    """This node's own Patroni.

    Args:
        settings: the guard's.
        timeout_s: how long it may take.
    """

    def __init__(self, settings, timeout_s=2.0):
        self._host, self._port = settings["patroni"]["address"], settings["patroni"]["port"]
        self._basic = _encode(f"{settings['patroni']['user']}:{settings['patroni']['password']}")
        self._pki = settings["pki"]
        self._timeout_s = timeout_s

    def word(self):
        """``{leads, failsafe, etcd_ago_s, paused}``: see :meth:`saltroni.guard.lease.Lease.said`.

        Raises:
            RemoteError: no answer.
        """
        said = self._call("GET", "/patroni")
        return {
            "leads": said.get("role") in ("primary", "master"),
            "failsafe": bool(said.get("failsafe_mode_is_active")),
            "etcd_ago_s": max(0.0, time.time() - float(said.get("dcs_last_seen") or 0)),
            "paused": bool(said.get("pause")),
        }

    def wake(self):
        """Have its loop run now.

        Raises:
            RemoteError: no answer, or a refusal.
        """
        self._call("PATCH", "/config", NO_CHANGE)

    def _call(self, method, path, body=None):
        headers = {"Authorization": f"Basic {self._basic}"} if body else {}
        try:
            link = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_s, context=context(self._pki)
            )
            try:
                link.request(method, path, json.dumps(body) if body else None, headers)
                answer = link.getresponse()
                text = answer.read()
            finally:
                link.close()
            # 503: it answers, and isn't well
            if answer.status not in (200, 503) or (body and answer.status != 200):
                raise RemoteError(f"Patroni answered {method} {path} with {answer.status}")
            said = json.loads(text)
        except (OSError, ValueError, http.client.HTTPException) as err:
            raise RemoteError(f"Patroni doesn't answer: {str(err) or type(err).__name__}") from err
        if not isinstance(said, dict):
            raise RemoteError(f"Patroni answered {path} with {said!r}")
        return said
