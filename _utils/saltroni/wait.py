"""Waiting that ends: every wait has a deadline and says what it waited for."""

import time


class NotYet(Exception):
    """Raised by a check: what is still missing, as a sentence."""


class DeadlineError(RuntimeError):
    """The deadline passed; the text says what was waited for and what was still missing."""


def until(check, what, deadline_s, every_s=0.5, clock=time.monotonic, sleep=time.sleep):
    """Call ``check`` until it returns.

    Args:
        check: returns a value when done, raises :class:`NotYet` while not.
        what: what is waited for, for the error's text.
        deadline_s: seconds until it gives up; one check is always made.
        every_s: seconds between checks.

    Returns:
        what ``check`` returned.

    Raises:
        DeadlineError: the deadline passed.
    """
    end = clock() + deadline_s
    while True:
        try:
            return check()
        except NotYet as err:
            missing = str(err)
        if clock() + every_s > end:
            raise DeadlineError(f"waited {deadline_s:g} s for {what}: {missing}")
        sleep(every_s)
