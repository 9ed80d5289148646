"""What scripts and units call: ``python3 -m saltroni.backup [--settings FILE] COMMAND …``, as user postgres.

``push %p`` and ``fetch [--strict] [--prefetch FOLDER] %f %p`` are PostgreSQL's commands, see :mod:`saltroni.backup.push`
and :mod:`saltroni.backup.fetch` for their exit codes; ``inherit`` is run by Patroni at a promotion.
"""

import argparse
import json
import sys
import time
import traceback

from saltroni.backup import fetch, health, inherited, push, replica, settings, tools
from saltroni.backup.failure import Failure


def _told(arguments):
    found = settings.load(arguments.settings)
    return found, tools.tool(found)


def _push(arguments):
    push.push(*_told(arguments), arguments.path)
    return 0


def _fetch(arguments):
    """Whatever goes wrong, it must never look as if a file were missing."""
    failed = fetch.STOP if arguments.strict else fetch.FAILED
    try:
        found = settings.load(arguments.settings)
        found = found if arguments.strict else fetch.hurried(found)
        tool = tools.tool(found)
        code, err = fetch.fetch(found, tool, arguments.name, arguments.path, arguments.strict, arguments.prefetch)
    except (settings.SettingsError, Failure) as err:
        return _say(err, failed)
    except Exception:  # noqa: BLE001 - a mistake of ours must stop a recovery, not end it
        traceback.print_exc()
        return failed
    if err is not None and code != fetch.MISSING:
        _say(err)
    return code


def _inherit(arguments):
    done = inherited.mark(*_told(arguments), wait_s=arguments.wait, again=arguments.again)
    if done["marked"]:
        print(
            f"saltroni: {len(done['marked'])} files of earlier timelines wait for the archive, {done['marked'][0]} first"
        )
    return 0


def _replica(arguments):
    told, tool = _told(arguments)
    try:
        timeline = replica.leaders_timeline(replica.ask(told))
    except Failure as err:
        timeline = None
        _say(err)
    print(f"saltroni: {replica.create(told, tool, arguments.datadir, arguments.waldir, timeline)} is in its place")
    return 0


def _health(arguments):
    print(json.dumps(health.look(_told(arguments)[0]), indent=1))
    return 0


def _list(arguments):
    print(json.dumps([one.row() for one in _told(arguments)[1].list()], indent=1))
    return 0


def _probe(arguments):
    _told(arguments)[1].probe()
    return 0


def _say(err, code=1):
    print(f"saltroni: {time.strftime('%H:%M:%S')} {err}", file=sys.stderr)
    return code


def parser():
    """The command line."""
    made = argparse.ArgumentParser(prog="python3 -m saltroni.backup", description=__doc__.split("\n", 1)[0])
    made.add_argument("--settings", default=settings.FILE, metavar="FILE")
    commands = made.add_subparsers(required=True, metavar="COMMAND")

    def command(name, call, says):
        one = commands.add_parser(name, help=says)
        one.set_defaults(call=call)
        return one

    command("push", _push, "archive a file of pg_wal").add_argument("path")
    one = command("fetch", _fetch, "fetch a file from the archive")
    one.add_argument("--strict", action="store_true", help="a failure stops PostgreSQL")
    one.add_argument("--prefetch", metavar="FOLDER", help="a folder of this recovery alone")
    one.add_argument("name")
    one.add_argument("path")
    one = command("inherit", _inherit, "have a new leader archive what the old one couldn't")
    one.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for the end of a promotion")
    one.add_argument("--again", action="store_true", help="though it was done for this timeline")
    one = command("replica", _replica, "a base backup for a new replica, as Patroni asks for it")
    for name in ("--datadir", "--waldir", "--scope", "--role", "--connstring"):
        one.add_argument(name, default="", required=name == "--datadir")
    command("health", _health, "what waits for the archive here")
    command("list", _list, "base backups")
    command("probe", _probe, "whether the archive can be listed, written and read")
    return made


def main(words):
    """Run one command; returns the exit code."""
    arguments = parser().parse_args(words)
    try:
        return arguments.call(arguments)
    except (Failure, settings.SettingsError) as err:
        return _say(err)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
