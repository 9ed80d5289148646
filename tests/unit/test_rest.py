"""Changes by Patroni's REST API that another member's get in the way of."""

import pytest

from saltroni.patroni import rest
from saltroni.wait import DeadlineError


class Asked(rest.Member):
    """A member that answers so, one after the other; the last answer stays."""

    def __init__(self, *answers):
        self.name, self.answers, self.asked = "pg1", list(answers), []

    def change(self, method, path, body=None, timeout_s=None):
        self.asked.append((method, path, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, int):
            raise rest.RestError(f"pg1: {method} {path} refused ({answer})", answer)
        return answer


def test_settings_that_another_member_wrote_meanwhile_are_sent_again():
    member = Asked(409, 409, "{}")
    assert member.configure({"ttl": 20}, 5) == "{}"
    assert member.asked == [("PATCH", "/config", {"ttl": 20})] * 3


def test_another_refusal_is_final():
    member = Asked(503)
    with pytest.raises(rest.RestError, match="503"):
        member.configure({"ttl": 20}, 5)
    assert len(member.asked) == 1


def test_members_that_write_all_the_time_are_waited_for_no_longer_than_the_deadline():
    with pytest.raises(DeadlineError, match=r"pg1 to write the cluster-wide settings: .*409"):
        Asked(409).configure({"ttl": 20}, 0.3)
