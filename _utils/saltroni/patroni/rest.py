"""Patroni's REST API over TLS with client certificates.

Source: Patroni's documentation, *Patroni REST API*.
"""

from saltroni import access
from saltroni.wait import NotYet, until

CONFLICT = 409


class RestError(RuntimeError):
    """A member didn't answer, or refused; the text says which and why.

    Args:
        status: the refusal's HTTP status, if there was an answer.
    """

    def __init__(self, text, status=None):
        super().__init__(text)
        self.status = status


class Member:
    """The REST API of one member.

    Args:
        model: the pillar's ``saltroni``.
        name: the member's name.
        timeout_s: how long to wait for an answer.
    """

    def __init__(self, model, name, timeout_s=3.0):
        node = model["nodes"][name]
        self.name = name
        self._base = f"https://{node['address']}:{model['patroni']['port']}"
        self._timeout_s = timeout_s
        self._cert = access.client(model)
        password = model.get("secrets", {}).get("restapi")
        self._auth = ("patroni", password) if password else None

    def _call(self, method, path, timeout_s=None, **arguments):
        import requests  # takes a tenth of a second, which those who only reckon from the model needn't spend

        # a session of its own, so that no proxy or CA bundle of the environment is obeyed
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.request(
                    method,
                    self._base + path,
                    cert=self._cert,
                    verify=access.CA,
                    timeout=timeout_s or self._timeout_s,
                    **arguments,
                )
            except (requests.RequestException, OSError) as err:
                raise RestError(f"{self.name}: no answer from {self._base}{path}: {err}") from err

    def status(self):
        """``/patroni``: the member's own state; also when it isn't healthy."""
        return self._json(self._call("GET", "/patroni"), "/patroni", accept=(200, 503))

    def answers(self, path):
        """HTTP status of a health check such as ``/primary``."""
        return self._call("OPTIONS", path).status_code

    def get(self, path):
        """JSON of ``path``: ``/cluster``, ``/history``, ``/config``, ``/failsafe``.

        Raises:
            RestError: no answer, or no success.
        """
        return self._json(self._call("GET", path), path)

    def change(self, method, path, body=None, timeout_s=None):
        """Ask for a change; returns the answer's text.

        Raises:
            RestError: refused, with Patroni's own words.
        """
        answer = self._call(method, path, timeout_s=timeout_s, json=body, auth=self._auth)
        if not answer.ok:
            raise RestError(f"{self.name}: {method} {path} refused ({_words(answer)})", answer.status_code)
        return answer.text.strip()

    def configure(self, patch, deadline_s):
        """Change the cluster-wide settings; returns the answer's text.

        Patroni refuses (409) if they were written by another member between its own look and its writing, as happens when
        state is applied to all members at once. Then it is asked again: ``patch`` says what shall be in the end.
        Source: ``do_PATCH_config`` in Patroni's ``api.py``.

        Args:
            patch: as ``PATCH /config`` takes it.
            deadline_s: seconds until it gives up.

        Raises:
            RestError: no answer, or refused for another reason. DeadlineError: others wrote all the time.
        """

        def sent():
            try:
                return self.change("PATCH", "/config", patch)
            except RestError as err:
                if err.status != CONFLICT:
                    raise
                raise NotYet(str(err)) from err

        return until(sent, f"{self.name} to write the cluster-wide settings", deadline_s, every_s=0.2)

    def _json(self, answer, path, accept=(200,)):
        if answer.status_code not in accept:
            raise RestError(f"{self.name}: {path} answered {_words(answer)}")
        try:
            return answer.json()
        except ValueError as err:
            raise RestError(f"{self.name}: {path} gave no JSON: {answer.text[:200]!r}") from err


def _words(answer):
    """What a refusal says; Patroni's pages for people say no more than the status."""
    text = "" if answer.text.lstrip().startswith("<") else answer.text.strip()[:200]
    return f"{answer.status_code} {text or answer.reason}"


def ask_any(model, path, timeout_s=3.0):
    """JSON of ``path`` from the first member that answers, this node's own first.

    Raises:
        RestError: none answered; says what each did.
    """
    names = list(model["by_role"]["patroni"])
    own = model["self"]["name"]
    names.sort(key=lambda name: name != own)
    failures = []
    for name in names:
        try:
            return Member(model, name, timeout_s).get(path)
        except RestError as err:
            failures.append(str(err))
    raise RestError("no member of the cluster answers: " + "; ".join(failures))


def leader(cluster):
    """Name of the leader in ``/cluster``'s answer, or None."""
    return next(
        (m["name"] for m in cluster["members"] if m.get("role") in ("leader", "standby_leader")),
        None,
    )
