"""One set of facts, said in one of several languages: phrases, plurals, numbers. Pure."""

import re

from saltroni.report import markdown, phrases_en, phrases_ru

LANGUAGES = {"en": phrases_en, "ru": phrases_ru}
DASH = "–"


class Language:
    """How a report is said.

    Args:
        code: ``en`` or ``ru``.
    """

    def __init__(self, code="en"):
        self.code = code
        self._words = LANGUAGES[code]
        self._recorded = [(re.compile(pattern), text) for pattern, text in self._words.RECORDED]

    def say(self, key, **fields):
        """A phrase with its fields filled in.

        Raises:
            KeyError: there is no such phrase, or a field is missing.
        """
        return self._words.PHRASES[key].format(**fields)

    def fact(self, told):
        """What facts tell as ``(key, fields)``; other text is somebody's own words and stays as it is."""
        if isinstance(told, tuple):
            return self.say(told[0], **told[1])
        return self.recorded(told)

    def recorded(self, text):
        """Words of this project that were recorded in English; whatever isn't known stays as it is."""
        for pattern, replacement in self._recorded:
            text, times = pattern.subn(replacement, str(text))
            if times:
                break
        return text

    def fault(self, name, what):
        """What a fault does; ``what`` in English, where this language has nothing else for the fault ``name``."""
        return self._words.FAULTS.get(name) or self.recorded(what)

    def term(self, name):
        """The name of a part of a bound."""
        again = name.removeprefix("second ")
        told = self._words.TERMS.get(again, again)
        return told if again == name else self.say("second", term=told)

    def count(self, number, noun):
        """``1 node``, ``3 nodes``."""
        return f"{self.number(number)} {self._form(number, self._words.NOUNS[noun])}"

    def _form(self, number, forms):
        if len(forms) == 2:
            return forms[0] if number == 1 else forms[1]
        last, teens = number % 10, number % 100 in range(11, 15)
        if last == 1 and not teens:
            return forms[0]
        return forms[1] if last in (2, 3, 4) and not teens else forms[2]

    def number(self, value, digits=1):
        """A number with at most ``digits`` decimals, or a dash where there is none."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return DASH
        text = f"{value:,.{digits}f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
        return self._local(text)

    def fixed(self, value, digits=1):
        """A number with exactly ``digits`` decimals, or a dash."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return DASH
        return self._local(f"{value:,.{digits}f}")

    def _local(self, text):
        return text.translate({ord(","): self._words.THOUSANDS, ord("."): self._words.DECIMAL})

    def seconds(self, value):
        """A length of time: ``0.42 s``, ``12.3 s``, ``3 min 5 s``, ``2 h 5 min``."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return DASH
        if value >= 7200:
            hours, rest = divmod(round(value / 60), 60)
            return self.say("hours_minutes", hours=self.number(hours), minutes=rest)
        if value >= 100:
            minutes, rest = divmod(round(value), 60)
            if not rest:
                return self.say("minutes", minutes=self.number(minutes))
            return self.say("minutes_seconds", minutes=self.number(minutes), seconds=rest)
        return self.say("seconds", value=self._local(f"{value:.1f}" if value >= 10 else f"{value:.2f}"))

    def unit(self, value):
        """A setting in seconds, as it is set."""
        return self.say("seconds", value=self.number(value))

    def days(self, value):
        """A number of days."""
        return self.say("days", value=self.number(float(round(value, 1)) if value < 10 else round(value)))

    def size(self, value):
        """Bytes as MiB or GiB."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return DASH
        if value >= 2**30:
            return self.say("gib", value=self.number(round(value / 2**30, 1)))
        return self.say("mib", value=self.number(round(value / 2**20, 1)))

    def brief(self, value):
        """Seconds in a table of steps: to a tenth, and what is less is said to be less."""
        return self.say("brief_less") if value < 0.1 else self.number(round(value, 1))

    def names(self, values, of=None):
        """Names in a row: ``pg1-3`` for neighbours, ``all 9`` where they are all of ``of`` and more than two."""
        values = set(values)
        if of and len(values) > 2 and values == set(of):
            return self.say("all_of", number=len(values))
        return markdown.names(values)

    def filters(self):
        """For the template."""
        names = (
            "fact",
            "recorded",
            "term",
            "count",
            "number",
            "fixed",
            "seconds",
            "unit",
            "days",
            "size",
            "brief",
            "names",
        )
        return {name: getattr(self, name) for name in names} | {"does": lambda what, name: self.fault(name, what)}
