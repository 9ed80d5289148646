"""The lease guard of this node: ``python3 -m saltroni.guard FILE`` with its settings in JSON."""

import json
import os
import sys
import threading
import traceback
from pathlib import Path

from saltroni.guard import guarding


def _end(caught):
    """A guard of which a part has died guards nothing: end, systemd starts a whole one."""
    traceback.print_exception(caught.exc_type, caught.exc_value, caught.exc_traceback)
    os._exit(1)


if __name__ == "__main__":
    threading.excepthook = _end
    guarding.Guard(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).run()
