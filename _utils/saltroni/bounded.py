"""A call that may hang for ever, given a deadline.

Salt's ``publish.publish`` and ``event.send`` wait for an absent master without limit, whatever timeout they are given.
"""

import contextvars
import threading


class TookTooLong(RuntimeError):
    """The call didn't return in time. It may still be under way."""


def call(function, *arguments, deadline_s, what, **named):
    """Call ``function`` in a thread that is left behind when ``deadline_s`` seconds are over.

    Args:
        what: what is done, for the error's text.

    Returns:
        what ``function`` returned; what it raised is raised.

    Raises:
        TookTooLong: the deadline passed.
    """
    outcome = {}
    context = contextvars.copy_context()  # Salt's loader finds its dunders there

    def work():
        try:
            outcome["value"] = context.run(function, *arguments, **named)
        except Exception as err:  # noqa: BLE001 - handed to the caller, who raises it
            outcome["error"] = err

    thread = threading.Thread(target=work, name=what, daemon=True)
    thread.start()
    thread.join(deadline_s)
    if thread.is_alive():
        raise TookTooLong(f"{what}: no answer within {deadline_s:g} s")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]
