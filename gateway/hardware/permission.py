"""What a person can do about a device file that may not be opened."""

from __future__ import annotations

import os
from contextlib import suppress

with suppress(ImportError):  # not a Unix
    import grp
    import pwd


def permission_hint(path: str, usual: str) -> str:
    """How this user gets to use ``path``; ``usual`` is the group that such files have where nobody can tell."""
    try:
        group = grp.getgrgid(os.stat(path).st_gid).gr_name  # noqa: PTH116 (the path's own name is shown as it is)
        user = pwd.getpwuid(os.geteuid()).pw_name
        member = user in grp.getgrnam(group).gr_mem
    except (KeyError, OSError):
        group, user, member = usual, "$USER", False
    if group == "root":  # just plugged in: udev has not given it its group yet
        return "if it was plugged in a moment ago this passes by itself; else a udev rule must give it a group"
    if member:
        return f"{user} is in the group {group}, but since this login: log in again, or restart the service"
    return f"sudo usermod -aG {group} {user}, then log in again"
