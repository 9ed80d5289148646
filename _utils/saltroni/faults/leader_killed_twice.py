"""The leader dies, and whoever takes over dies right after its promotion.

The second may have begun a timeline of which nobody else knows; the next leader can then begin one of the same number.
What returns must not pass for a member that follows.
"""

from saltroni.faults import AFTER_PROMOTION, Strike

SUMMARY = "kill -9 of the leader's postmaster, and again of whoever leads then"
STRIKES = (Strike("postmaster_killed", "leader"), Strike("postmaster_killed", "new leader", AFTER_PROMOTION))


def cost(promise):
    """Two crashes, the second while the first member is on its way back."""
    return promise.crash_twice()
