"""What a person can use of a library's error text."""

import re

_POOL = re.compile(r"HTTPS?ConnectionPool\(host='[^']*', port=\d+\): ")
_WRAPPED = re.compile(r"Max retries exceeded with url: \S+ \(Caused by (.*?)\)+(?=$|;)")
_NUMBER = re.compile(r"\[Errno -?\d+\] ")
_REASON = re.compile(r"\[Errno \d+\] ([^\"')\]]+)|(certificate verify failed[^\"')]*)|(timed out)")


def plain(error):
    """The reason within a wrapped error of requests: ``Connection refused``; any other text as it is."""
    text = _POOL.sub("", str(error) or type(error).__name__)
    return _NUMBER.sub("", _WRAPPED.sub(_reason, text))


def _reason(wrapped):
    found = _REASON.search(wrapped.group(1))
    return next(filter(None, found.groups())).strip() if found else wrapped.group(1)
