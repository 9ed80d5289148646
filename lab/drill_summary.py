"""Reads `salt-call --out=json patroni.failover_test` from stdin and says in a few lines what came of it."""

import json
import sys

BUSY = 0.4  # a lab that only stands there: 0.1


def lines(drill):
    """What a person wants to know first."""
    yield (
        f"{drill['verdict']}: {drill['what']} on {drill['old_leader']}, {drill['new_leader'] or 'nobody'} leads now "
        f"(timeline {drill['timeline_before']} -> {drill['timeline_after']})"
    )
    yield f"writes were out for {drill['outage_s']} s, promised: at most {drill['bound_s']} s"
    yield f"{drill.get('acknowledged', 'unknown')} rows were acknowledged, {drill.get('lost', 'an unknown number')} lost"
    yield f"every member had replayed a row written afterwards {drill['time_to_whole_s']} s after the fault"
    yield from drill["reasons"]
    busy = drill.get("cpu_waited_share")
    if drill["verdict"] != "passed" and busy and busy > BUSY:
        yield f"this machine was busy: in {busy:.0%} of the drill somebody waited for a processor, outages are longer then"


def main():
    """Print it; whatever isn't a drill's result is shown as it is."""
    text = sys.stdin.read()
    try:
        drill = json.loads(text)["local"]
        shown = list(lines(drill))
    except (ValueError, KeyError, TypeError):
        shown = [text.strip()]
    for line in shown:
        print(f"   {line}")


if __name__ == "__main__":
    main()
