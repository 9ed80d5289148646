"""What others sent, made safe to keep: bounded in size, printable, and without what looks like a secret. Pure."""

import re
import unicodedata

MASK = "***"
#: Names whose value is never kept.
SECRET_NAME = re.compile(r"passw|secret|token|private|credential|api_?key", re.IGNORECASE)
#: Secrets by their look, also when the end is cut off.
SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|SCRAM-SHA-256\$\S+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<=bearer )\S+"
    r"|(?P<name>\b[\w-]*(?:passw(?:or)?d|secret|token)['\"]?\s*[=:]\s*)(?:'[^']*'?|\"[^\"]*\"?|\S+)",
    re.IGNORECASE | re.DOTALL,
)
#: Kinds of characters that a page never needs: controls, text direction and other format marks, half characters.
UNWANTED = ("Cc", "Cf", "Cs", "Co", "Cn")
LARGEST = 2**53


def text(value, limit=2000):
    """``value`` as printable text of at most ``limit`` characters, secrets masked; says how much was cut off."""
    whole = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    kept = whole[:limit].replace("\r\n", "\n")
    kept = "".join(c for c in kept if c in "\n\t" or unicodedata.category(c) not in UNWANTED)
    kept = SECRET_TEXT.sub(lambda found: (found["name"] or "") + MASK, kept)
    if len(whole) > limit:
        kept += f" ... ({len(whole) - limit} characters more)"
    return kept


def line(value, limit=200):
    """:func:`text` on one line."""
    return " ".join(text(value, limit).split())


class Budget:
    """How much one event may hold altogether.

    Args:
        items: values, of any kind.
        characters: characters of all texts together.
    """

    def __init__(self, items=5000, characters=200_000):
        self.items = items
        self.characters = characters

    def spent(self, value):
        """Take one value, or a text's length, from the budget; whether it was already used up."""
        self.items -= 1
        if isinstance(value, (str, bytes)):
            self.characters -= min(len(value), 2000)
        return self.items < 0 or self.characters < 0


def data(value, budget=None, depth=8):
    """JSON-able ``value`` within bounds: texts are tidied, secret names masked, what is too much is left out."""
    budget = budget or Budget()
    if budget.spent(value) or depth == 0:
        return "..."
    if isinstance(value, dict):
        return {
            line(name, 100): MASK if SECRET_NAME.search(str(name)[:100]) else data(inner, budget, depth - 1)
            for name, inner in list(value.items())[: max(0, budget.items)]
        }
    if isinstance(value, (list, tuple, set)):
        return [data(inner, budget, depth - 1) for inner in list(value)[: max(0, min(500, budget.items))]]
    if value is None or isinstance(value, bool):
        return value
    return number(value) if isinstance(value, (int, float)) else text(value)


def number(value):
    """``value`` if it is a number that can be calculated with, else None."""
    if type(value) not in (int, float):  # a bool is none, though Python counts it as one
        return None
    return value if -LARGEST <= value <= LARGEST else None
