"""What a drill is asked for, what it needs from outside, and how it says no."""

from collections.abc import Callable
from dataclasses import dataclass

from saltroni.drill import journal


class Refused(RuntimeError):
    """The drill was not begun, or broken off before the fault; :attr:`reasons` say why."""

    def __init__(self, reasons):
        self.reasons = list(reasons)
        super().__init__("the drill was refused: " + "; ".join(self.reasons))


class Unable(Refused):
    """This fault can't be made here; another one may."""


@dataclass(frozen=True)
class Options:
    """What the caller chose. Times in seconds."""

    fault: str = "postmaster_killed"
    balancer: str | None = None
    writers: int = 4
    think_s: float = 0.005
    batch: int = 1
    rate: float = 0.0
    readers: int = 2
    warm_up_s: float = 3.0
    calm_s: float = 3.0
    recovery_s: float = 60.0
    whole_s: float = 120.0
    folder: str = journal.FOLDER
    dry_run: bool = False


@dataclass(frozen=True)
class Outside:
    """What a drill needs from outside."""

    health: Callable  # () -> patroni.health's dict
    able: Callable  # ([nodes], fault) -> None; raises Unable if the fault can't be made there from here
    inject: Callable  # ([nodes], fault, deadline_s, expires_unix) -> {node: {at_unix, ...}}; raises Refused
    emit: Callable  # (verb, data) -> None
    active: Callable = lambda nodes: {}  # ([nodes]) -> {node: {active: [faults]} or {"error": why}}
    logs: Callable = lambda since_unix, until_unix: {}  # -> {node: {text, cut_bytes} or {"error": why}}
