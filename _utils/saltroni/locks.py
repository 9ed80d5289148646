"""Locks on files that a process holds for as long as it lives: one that is killed holds nothing."""

import contextlib
import fcntl
import os


@contextlib.contextmanager
def attempt(path, flags=0):
    """True for the one who holds the lock while the block runs, False for others, at once.

    Args:
        path: the lock's file, which is made.
        flags: more flags for ``open(2)``.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | flags, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
