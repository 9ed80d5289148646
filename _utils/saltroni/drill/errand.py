"""A job on a minion that takes minutes: waited for by what the master's job cache has of it.

``salt NODE function`` gives such a job up when the master is too busy to hear that it still runs; and whoever waits may
be killed, while the job goes on. The cache knows the answer in both cases.
"""

from saltroni.wait import DeadlineError, NotYet, until

LOOK_EVERY_S = 0.5
#: How often the minion is asked whether the job still runs (seconds).
ASK_EVERY_S = 20.0


class Lost(RuntimeError):
    """There is no answer and there won't be one; the text says what to look at."""


def wait(look, alive, what, deadline_s, clock):
    """Wait for a job's answer.

    Args:
        look: returns ``(value,)`` when the cache has the answer, else None.
        alive: True if the minion says that the job runs, False if it says that it doesn't, None if it is silent.
        what: the job, for the error's text.
        deadline_s: seconds until it gives up.
        clock: seconds, for :data:`ASK_EVERY_S`.

    Raises:
        Lost: the minion says that the job doesn't run any more, or the deadline passed.
    """
    asked, ended = [clock()], [0]

    def answered():
        found = look()
        if found is not None:
            return found[0]
        if clock() - asked[0] > ASK_EVERY_S:
            asked[0] = clock()
            # the answer may be on its way: it has the time of another round
            ended[0] = ended[0] + 1 if alive() is False else 0
            if ended[0] > 1 and look() is None:
                raise Lost(f"{what} has ended without an answer: see the minion's log there")
        raise NotYet("no answer yet")

    try:
        return until(answered, what, deadline_s, every_s=LOOK_EVERY_S)
    except DeadlineError as err:
        raise Lost(str(err)) from err
