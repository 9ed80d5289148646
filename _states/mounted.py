"""States for file systems that must be there, whoever mounts them."""

import saltroni.mounts


def below(name):
    """A folder is on a file system that is mounted below the root; fails if it is on the root file system.

    name
        the folder
    """
    place = saltroni.mounts.of(name)
    result = {"name": name, "result": place != "/", "comment": f"it is on {place}", "changes": {}}
    if place == "/":
        result["comment"] = (
            f"nothing is mounted at {name} or above: mount the file system for backups there, by /etc/fstab so that it is "
            "back after a reboot"
        )
    return result
