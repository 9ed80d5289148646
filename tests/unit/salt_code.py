"""Salt's own modules of this project, loaded as plain Python; who loads one gives it ``__salt__`` and the like."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def load(path):
    """The module in a file, a new one each time."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made
