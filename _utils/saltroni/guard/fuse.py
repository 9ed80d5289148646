"""A guard that must stop PostgreSQL again and again is wrong itself: it stands back then. Pure; times are seconds.

A frozen Patroni starts nothing, so whoever started PostgreSQL each time is alive and sees to the lease by himself.
"""

from dataclasses import dataclass

#: So many stops are believed in so long a time.
STOPS = 3
WITHIN_S = 600.0


@dataclass(frozen=True)
class Fuse:
    """Moments of the last stops."""

    stops: tuple = ()

    def stopped(self, now):
        """It stopped PostgreSQL."""
        return Fuse((*self.stops, now)[-STOPS:])

    def blown(self, now):
        """Whether it must stand back."""
        return len(self.stops) == STOPS and now - self.stops[0] < WITHIN_S
