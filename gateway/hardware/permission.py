"""What a person can do about a device file that may not be opened."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

with suppress(ImportError):  # not a Unix
    import grp
    import pwd


UNIT = (
    "the service's unit refuses it: restart the service; and where that comes again after each start of the machine, "
    "name the device's kernel driver in a file of /etc/modules-load.d"
)
"""Files of a kind that the kernel did not know when the unit started (``DeviceAllow=``), or of one it does not name."""
GROUP_WRITES = stat.S_IRGRP | stat.S_IWGRP


def permission_hint(path: str, usual: str) -> str:
    """How this user gets to use ``path``; ``usual`` is the group that such files have where nobody can tell."""
    try:
        facts = os.stat(path)  # noqa: PTH116 (the path's own name is shown as it is)
        if _open_to_us(facts):
            return UNIT
        group = grp.getgrgid(facts.st_gid).gr_name
        user = pwd.getpwuid(os.geteuid()).pw_name
        member = user in grp.getgrnam(group).gr_mem
    except (KeyError, OSError):
        group, user, member = usual, "$USER", False
    if group == "root":  # just plugged in: udev has not given it its group yet
        return "if it was plugged in a moment ago this passes by itself; else a udev rule must give it a group"
    if member:
        return f"{user} is in the group {group}, but since this login: log in again, or restart the service"
    return f"sudo usermod -aG {group} {user}, then log in again"


def _open_to_us(facts: os.stat_result) -> bool:
    """Whether the file's group and mode let us read and write: then something else refuses it.

    In a unit with PrivateUsers= all foreign groups look alike, here and there, so this holds for a group of ours.
    """
    ours = facts.st_gid in {os.getegid(), *os.getgroups()}
    return ours and facts.st_mode & GROUP_WRITES == GROUP_WRITES
