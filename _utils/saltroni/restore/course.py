"""A restore's course: step after step, each written down when it is done, so that an interrupted one goes on or goes back.

The state is a dict, kept as one JSON file after every change::

    {restore, cluster, started, updated, asked, plan, done: {step: result}, running, verdict, reasons, back, forgotten}

``verdict`` is None while it isn't over, then ``finished`` or ``undone``. ``running`` is the job that was begun last and whose
answer isn't known yet: ``{step, node, function, arguments, job}``. Who goes on after an interruption waits for that job; if it is lost the
step is done again, which every step allows.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from saltroni.drill import errand
from saltroni.restore import plan as plans

FINISHED, UNDONE = "finished", "undone"
#: How long a node may take for what is done at once (seconds), and how much longer than its own deadline one is waited for.
SOON_S, BESIDE_S = 300, 300
#: A promotion that Patroni makes, and a replica's copy.
LEAD_S, REPLICA_S = 300, 6 * 3600
SEAL_S = 300


class Stopped(RuntimeError):
    """The restore can't go on now; the text says why. Run again it goes on where it stopped."""


@dataclass(frozen=True)
class Hands:
    """What a restore does with the world."""

    begin: Callable  # (node, function, kwargs) -> the job's id
    await_: Callable  # (node, job, what, deadline_s) -> its answer; raises errand.Lost
    keep: Callable  # (state) -> None: durable when it returns
    show: Callable  # (line) -> None
    now: Callable  # () -> UTC, ISO 8601
    clock: Callable = time.monotonic


def new(identity, cluster, asked, plan, started):
    """The state of a restore that begins. Pure."""
    return {
        "restore": identity,
        "cluster": cluster,
        "started": started,
        "updated": started,
        "asked": asked,
        "plan": plan,
        "done": {},
        "running": None,
        "verdict": None,
        "reasons": [],
        "back": None,
        "forgotten": False,
    }


def left(state):
    """Steps that aren't done yet. Pure."""
    return [step for step in plans.STEPS if step not in state["done"]]


def over(state):
    """Whether it has ended. Pure."""
    return state["verdict"] is not None


def down(state):
    """Whether its cluster is stopped, or may be: nothing that came later is done yet. Pure."""
    reached = plans.STEPS.index(plans.DOWN)
    running = (state["running"] or {}).get("step")
    begun = "stop" in state["done"] or running in plans.STEPS[reached:] or "stop" in state.get("begun", [])
    return begun and "lead" not in state["done"]


class Course:
    """One restore on its way.

    Args:
        state: see :func:`new`; it is changed.
        hands: :class:`Hands`.
        longest_s: how long a fetch or a recovery may take.
    """

    def __init__(self, state, hands, longest_s=12 * 3600):
        self.state, self.hands, self.longest_s = state, hands, longest_s
        self._doing = "back"
        self.plan = state["plan"]

    # one step

    def step(self, name):
        """Do a step, unless it is done.

        Returns:
            what it gave.

        Raises:
            Stopped: it can't be done now, or it isn't its turn.
        """
        state = self.state
        if name in state["done"]:
            return state["done"][name]
        if state["back"]:
            raise Stopped(f"restore {state['restore']} is being undone: restore.back goes on with that")
        if over(state):
            raise Stopped(f"restore {state['restore']} is over: {state['verdict']}")
        if left(state)[0] != name:
            raise Stopped(f"{name} can't be done before {left(state)[0]}")
        begun, self._doing = self.hands.clock(), name
        self.hands.show(f"{name} ...")
        state.setdefault("begun", [])
        if name not in state["begun"]:
            state["begun"].append(name)
            self._kept()
        try:
            result = getattr(self, f"_{name}")()
        except (Stopped, errand.Lost) as err:
            state["reasons"] = [f"{name}: {err}"]
            self._kept()
            self.hands.show(f"{name}: {err}")
            raise Stopped(f"{name}: {err}") from err
        took_s = round(self.hands.clock() - begun, 1)
        state["done"][name] = {**result, "took_s": result.get("took_s", took_s)}
        state["running"], state["reasons"] = None, []
        self._kept()
        self.hands.show(f"{name}: done in {took_s:.1f} s{_told(result)}")
        return state["done"][name]

    def run(self):
        """All steps that are left. Raises what :meth:`step` raises."""
        for name in left(self.state):
            self.step(name)
        return self.state

    def _kept(self):
        self.state["updated"] = self.hands.now()
        self.hands.keep(self.state)

    def _ask(self, node, function, arguments=None, deadline_s=SOON_S):
        """What a function on a node returns: a dict.

        Raises:
            Stopped: it failed there.
            errand.Lost
        """
        function = f"patroni_restore.{function}" if "." not in function else function
        running = self.state["running"]
        job = None
        if running and (running["node"], running["function"]) == (node, function) and running["arguments"] == arguments:
            job = running["job"]
        said = self._await(node, function, job, deadline_s) if job else None
        if said is None:
            job = self.hands.begin(node, function, arguments or {})
            self.state["running"] = {
                "step": self._doing, "node": node, "function": function, "arguments": arguments, "job": job,
            }  # fmt: skip
            self._kept()
            said = self.hands.await_(node, job, f"{function} on {node}", deadline_s)
        self.state["running"] = None
        if not isinstance(said, dict):
            raise Stopped(f"{node}: {_brief(said)}")
        return said

    def _await(self, node, function, job, deadline_s):
        """The answer of a job that was begun before an interruption; None if it is lost, or failed then."""
        try:
            said = self.hands.await_(node, job, f"{function} on {node}", deadline_s)
        except errand.Lost as err:
            self.hands.show(f"{err}; it is done again")
            return None
        return said if isinstance(said, dict) else None

    def _each(self, nodes, function, arguments=None, deadline_s=SOON_S):
        return {node: self._ask(node, function, arguments, deadline_s) for node in nodes}

    @property
    def _id(self):
        return self.state["restore"]

    @property
    def _leader(self):
        return self.plan["leader"]

    @property
    def _all(self):
        """Replicas first, the present leader last: as they are stopped."""
        names = [*self.plan["replicas"], self._leader]
        was = self.plan["was_leader"]
        return sorted(names, key=lambda name: name == was)

    # the steps, in their order

    def _mark(self):
        return self._ask(self._leader, "mark", {"restore": self._id, "words": self.plan["words"]})

    def _seal(self):
        """A row later than the target, and its segment archived: without one, PostgreSQL couldn't know that it is there."""
        if self.plan["was_leader"] is None or self.plan["foreign"]:
            return {"sealed": False}
        return self._ask(self._leader, "seal", {"restore": self._id}, SEAL_S + BESIDE_S)

    def _fetch(self):
        arguments = {"restore": self._id, "backup": self.plan["backup"], "source": self.plan["source"]}
        return self._ask(self._leader, "fetch", arguments, self.longest_s)

    def _aim(self):
        return {
            "restore": self._id, "backup": self.plan["backup"], "target": self.plan["target"],
            "timeline": self.plan["timeline"], "source": self.plan["source"],
        }  # fmt: skip

    def _recover(self):
        if self.plan["latest"]:
            return {"later": "it goes to the end of the archive when the cluster is stopped"}
        return self._ask(self._leader, "recover", self._aim(), self.longest_s)

    def _stop(self):
        # all are kept from starting before the first is stopped: nobody takes over meanwhile
        self._each(self._all, "hold", {"restore": self._id})
        stopped = self._each(self._all, "stop", {"restore": self._id})
        controls = {node: said.get("control") for node, said in stopped.items()}
        former = plans.former_leader(controls, self.plan["was_leader"])
        return {"controls": controls, "former_leader": former}

    def _push(self):
        said = self._each(self._all, "push", {"restore": self._id}, self.longest_s)
        return {"pushed": {node: one["pushed"] for node, one in said.items() if one.get("pushed")}}

    def _promote(self):
        return self._ask(self._leader, "promote", self._aim(), self.longest_s)

    def _swap(self):
        kept = {}
        for node in self._all:
            leads = node == self._leader
            keep = leads or node == self.state["done"]["stop"]["former_leader"] or self.plan["keep"] == plans.KEEP_ALL
            arguments = {"restore": self._id, "keep": keep, "leads": leads}
            kept[node] = self._ask(node, "swap", arguments, self.longest_s)["kept"]
        return {"kept": kept}

    def _hand_over(self):
        system_id = self.state["done"]["promote"]["system_id"]
        return self._ask(self._leader, "forget_leader", {"system_id": str(system_id)})

    def _lead(self):
        return self._ask(self._leader, "start", {"deadline_s": LEAD_S}, LEAD_S + BESIDE_S)

    def _accounts(self):
        return self._ask(self._leader, "accounts")

    def _backup(self):
        if not self.plan["new_backup"]:
            return {"skipped": "it wasn't wanted"}
        said = self._ask(self._leader, "backup", None, self.longest_s)
        if said.get("verdict") != "passed":
            raise Stopped(
                f"{'; '.join(said.get('reasons', [])) or said}. {self._leader} leads and takes writes; when that is solved, run "
                "it again: the replicas come next"
            )
        return said

    def _replicas(self):
        done = {}
        for node in self.plan["replicas"]:
            done[node] = self._ask(node, "start", {"deadline_s": REPLICA_S}, REPLICA_S + BESIDE_S)
        return {"replicas": done}

    def _check(self):
        return self._ask(
            self._leader, "check", {"restore": self._id, "members": [self._leader, *self.plan["replicas"]]}
        )

    def _finish(self):
        return self._ask(self._leader, "unmark", {"restore": self._id})

    # the end

    def finished(self):
        """Write down that it is over, if all steps are done."""
        if not left(self.state) and not over(self.state):
            self.state["verdict"] = FINISHED
            self._kept()
        return self.state["verdict"] == FINISHED

    # back

    def back(self):
        """Undo it: at whatever step it is, the old data lead again.

        Returns:
            what was done.

        Raises:
            Stopped: it can't be done now; run again it goes on.
        """
        state = self.state
        if state["forgotten"]:
            raise Stopped(f"restore {self._id}'s old data are gone (restore.forget): there is no way back")
        if state["verdict"] == UNDONE:
            return {"undone": True}
        state["back"] = state["back"] or {"begun": self.hands.now()}
        self._kept()
        try:
            done = self._undo_all() if "stop" in state.get("begun", []) else self._undo_prepared()
        except (Stopped, errand.Lost) as err:
            state["reasons"] = [f"back: {err}"]
            self._kept()
            raise Stopped(f"back: {err}") from err
        self._ask(self._leader, "unmark", {"restore": self._id})
        state["verdict"], state["running"] = UNDONE, None
        self._kept()
        return done

    def _undo_prepared(self):
        """The cluster was never touched."""
        self._ask(self._leader, "drop", {"restore": self._id}, self.longest_s)
        return {"undone": True, "cluster": "was never stopped"}

    def _undo_all(self):
        again = {"restore": self._id}
        self._each(self._all, "hold", again)
        self._each(self._all, "stop", again)
        # whoever led: by the data as they were stopped first, or as they are now
        said = self._each(self._all, "put_back", again, self.longest_s)
        self._ask(self._leader, "drop", again, self.longest_s)
        controls = {node: one.get("control") for node, one in said.items() if one.get("has_data")}
        first = self.state["done"].get("stop", {}).get("former_leader")
        former = self.state["back"].get("leader") or plans.former_leader(controls, first)
        if former is None:
            raise Stopped("no member has old data: there is nothing to go back to")
        self.state["back"]["leader"] = former
        self._kept()
        if "promote" in self.state.get("begun", []):
            system_id = controls[former]["system_id"] if former in controls else None
            if not self.plan["foreign"]:
                # the archive may know the restored timeline: the old data need a later one to be recovered at all
                system_id = self._ask(former, "lead_again", again, self.longest_s)["system_id"]
            self._ask(former, "forget_leader", {"system_id": str(system_id)})
        led = self._ask(former, "start", {"deadline_s": LEAD_S}, LEAD_S + BESIDE_S)
        others = [node for node in self._all if node != former]
        followed = self._each(others, "start", {"deadline_s": REPLICA_S}, REPLICA_S + BESIDE_S)
        return {
            "undone": True,
            "leader": former,
            "timeline": led.get("timeline"),
            "members": sorted([former, *followed]),
        }

    def forget(self):
        """Remove what the restore kept."""
        if not over(self.state):
            raise Stopped(f"restore {self._id} isn't over: go on with it, or back, first")
        gone = self._each([self._leader, *self.plan["replicas"]], "forget", {"restore": self._id}, self.longest_s)
        self.state["forgotten"] = True
        self._kept()
        return {node: said["removed"] for node, said in gone.items()}


def _told(result):
    said = [
        f"{name} {result[name]}"
        for name in ("backup", "timeline", "stopped_at", "later", "skipped")
        if result.get(name)
    ]
    return f": {', '.join(said)}" if said else ""


def _brief(said):
    """The last words of what a function that failed left."""
    return str(said).strip().splitlines()[-1] if str(said).strip() else "it said nothing"


def told(state):
    """What the report is told of a restore that is over. Pure."""
    made, lead = state["done"].get("promote", {}), state["done"].get("lead", {})
    return {
        "restore": state["restore"],
        "target": state["plan"]["words"],
        "backup": state["plan"]["backup"],
        "leader": state["plan"]["leader"],
        "verdict": state["verdict"],
        "last_commit": made.get("last_commit"),
        "timeline": lead.get("timeline") or made.get("timeline"),
        "steps": {name: result.get("took_s") for name, result in state["done"].items()},
        "took_s": round(sum(result.get("took_s") or 0 for result in state["done"].values()), 1),
    }
