"""A command that root runs must not leave files behind that the gateway's own user cannot open."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def become_owner(directory: Path) -> None:
    """As root: become the user that owns ``directory``, with that user's groups. Where it is not there yet, stay root.

    Raises ``OSError`` when that is not possible.
    """
    if os.geteuid() != 0 or not directory.exists():
        return
    owner = directory.stat()
    if owner.st_uid == 0:
        return
    try:
        user = pwd.getpwuid(owner.st_uid)
    except KeyError:  # a user of another machine or of a container
        os.setgroups([owner.st_gid])
        os.setgid(owner.st_gid)
    else:
        os.initgroups(user.pw_name, user.pw_gid)
        os.setgid(user.pw_gid)
    os.setuid(owner.st_uid)
