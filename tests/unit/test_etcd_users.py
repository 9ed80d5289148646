"""What etcd lacks of users and rights, also when an earlier or a parallel run has made a part of it."""

import base64
import copy

import pytest

from saltroni.etcd import ctl, users

MODEL = {
    "cluster": "demo",
    "guard": {"enabled": True},
    "secrets": {"etcd_patroni": "p", "etcd_drill": "d", "etcd_guard": "g"},
}


class Etcd:
    """Just so much of etcd's users and roles that steps can be looked at and carried out."""

    def __init__(self):
        self.users, self.roles, self.enabled = {}, {}, False

    def run(self, _model, _names, *words, stdin=None):
        match words:
            case ("user", "list"):
                return {"users": list(self.users)}
            case ("role", "list"):
                return {"roles": list(self.roles)}
            case ("auth", "status"):
                return {"enabled": self.enabled}
            case ("user", "get", name):
                return {"roles": self.users[name]}
            case ("role", "get", name):
                return {"perm": self.roles[name]}
            case ("user", "add", name, _):
                self._new(self.users, name, [])
            case ("role", "add", name):
                self._new(self.roles, name, [])
            case ("user", "grant-role", user, role):
                self.users[user].append(role)
            case ("role", "grant-permission", role, right, prefix, _):
                key, end = (base64.b64encode(text.encode()).decode() for text in (prefix, users.range_end(prefix)))
                granted = {"permType": 2} if right == "readwrite" else {}  # JSON leaves 0 out, and that is "read"
                self.roles[role].append({**granted, "key": key, "range_end": end})
            case ("auth", "enable"):
                if "root" not in self.users.get("root", []):
                    raise ctl.EtcdError("root user does not have root role")
                self.enabled = True
        return {}

    @staticmethod
    def _new(where, name, value):
        if name in where:
            raise ctl.EtcdError(f"{name} already exists")
        where[name] = value


@pytest.fixture
def etcd(monkeypatch):
    made = Etcd()
    monkeypatch.setattr(ctl, "run", made.run)
    monkeypatch.setattr(ctl, "password_works", lambda *_: True)
    return made


def carry_out(etcd, todo):
    for _sentence, words, _password in todo:
        etcd.run(None, None, *words)


def test_from_nothing_to_nothing_missing(etcd):
    carry_out(etcd, users.steps(MODEL, "etcd1"))
    assert etcd.enabled
    assert users.steps(MODEL, "etcd1") == []


def test_it_can_be_broken_off_anywhere(etcd):
    """Once a run that had made etcd's root but not given it its role left every later run unable to go on."""
    whole = users.steps(MODEL, "etcd1")
    for number in range(len(whole) + 1):
        started = Etcd()
        etcd.users, etcd.roles, etcd.enabled = started.users, started.roles, started.enabled
        carry_out(etcd, copy.deepcopy(whole[:number]))
        carry_out(etcd, users.steps(MODEL, "etcd1"))
        assert etcd.enabled, f"broken off after {number} steps"
        assert users.steps(MODEL, "etcd1") == []


def test_a_right_that_nobody_asked_for_is_taken_away(etcd):
    carry_out(etcd, users.steps(MODEL, "etcd1"))
    etcd.roles["patroni"].append({"permType": 2, "key": base64.b64encode(b"/").decode(), "range_end": ""})
    assert [step[1][:2] for step in users.steps(MODEL, "etcd1")] == [("role", "revoke-permission")]


def test_the_guard_may_only_read(etcd):
    carry_out(etcd, users.steps(MODEL, "etcd1"))
    assert [right.get("permType", 0) for right in etcd.roles["guard"]] == [0]
    etcd.roles["guard"][0]["permType"] = 2
    assert [step[1][:2] for step in users.steps(MODEL, "etcd1")] == [
        ("role", "revoke-permission"),
        ("role", "grant-permission"),
    ]


def test_without_the_guard_there_is_no_user_for_it(etcd):
    carry_out(etcd, users.steps({**MODEL, "guard": {"enabled": False}}, "etcd1"))
    assert set(etcd.users) == {"root", "patroni", "drill"}
