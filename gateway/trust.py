"""Whether others than those we trust can change a file that the gateway runs or believes."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from pathlib import Path


def ourselves() -> frozenset[int]:
    """Root, and the user that we are."""
    return frozenset({0, os.geteuid()}) if hasattr(os, "geteuid") else frozenset()


def wrong_hands(path: Path, trusted: Collection[int]) -> str:
    """Who else can change what is at ``path``, and how to end that; empty when nobody can, or it is not there.

    Links are followed: what counts is the file they lead to. Looked at are it, its folder and those above. A folder in
    which everybody may write is in order with the sticky bit (``/tmp``), except as the last one: there, things of our
    names could be added.
    """
    if not trusted:
        return ""  # a system without owners
    try:
        whole = path.resolve(strict=True)
        facts = [(place, place.stat()) for place in (whole, *whole.parents)]
    except OSError:
        return ""
    for index, (place, fact) in enumerate(facts):
        last = index < (1 if stat.S_ISDIR(facts[0][1].st_mode) else 2)
        sticky = bool(fact.st_mode & stat.S_ISVTX) and not last
        if fact.st_mode & stat.S_IWOTH and not sticky:
            return f"everybody may write to {place}; chmod o-w {place}"
        if last and fact.st_uid not in trusted:
            return f"{place} belongs to {_user(fact.st_uid)}; give it to root or to the gateway's user (chown)"
    return ""


def _user(number: int) -> str:
    try:
        import pwd  # noqa: PLC0415 (only where something is wrong, and not on every system)

        return f"the user {pwd.getpwuid(number).pw_name}"
    except (ImportError, KeyError):
        return f"the unknown user {number}"
