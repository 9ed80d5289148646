"""What must be on the disk before one goes on."""

import os


def sync(folder):
    """Have a folder's names on its disk: a file that was made, renamed or linked there stays so after a power cut.

    Source: fsync(2), on directories.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
