"""How many threads and file descriptors this process may have, and who says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SELECT = 1024
"""Descriptors that select() takes (FD_SETSIZE). paho and pyserial use it, and break on those with a higher number."""
ADDRESSES_32 = 3 * 2**30
"""Bytes of addresses that a program of 32 bits has for itself on any kernel."""
NOT_STACKS = 2**29
"""Bytes of addresses that are needed for everything else."""
USUAL_STACK = 8 * 2**20
"""Bytes of a thread's stack where nobody has said anything."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One of them."""

    most: int
    why: str
    """Who says so."""
    remedy: str
    """How to get more; empty where there is no way."""


def descriptors() -> list[Limit]:
    """Limits on open files, the smallest first."""
    found = [Limit(SELECT, "select(), which paho and pyserial use, takes no more", "")]
    if (most := _resource("RLIMIT_NOFILE")) is not None:
        remedy = f"LimitNOFILE={SELECT} in the unit, or ulimit -n {SELECT} in a shell"
        found.append(Limit(most, "RLIMIT_NOFILE", remedy))
    return sorted(found, key=lambda limit: limit.most)


def threads(proc: Path = Path("/proc/self"), cgroups: Path = Path("/sys/fs/cgroup")) -> list[Limit]:
    """Limits on threads, processes counted as their threads, the smallest first. Empty where nothing tells."""
    found = [*_of_cgroups(proc, cgroups), *_of_addresses()]
    most = _resource("RLIMIT_NPROC")
    if most is not None and not _is_root():  # the kernel lets root have more
        found.append(
            Limit(most, "RLIMIT_NPROC, for all processes of this user", "LimitNPROC= in the unit, or ulimit -u")
        )
    return sorted(found, key=lambda limit: limit.most)


def _of_cgroups(proc: Path, cgroups: Path) -> Iterator[Limit]:
    """What is left of pids.max in our control group and in those around it (both cgroup versions)."""
    try:
        lines = (proc / "cgroup").read_text().splitlines()
        own = len(list((proc / "task").iterdir()))
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "pids"):
            continue
        root = cgroups / controllers
        here = root / path.lstrip("/")
        for group in (here, *(parent for parent in here.parents if parent.is_relative_to(root))):
            with suppress(OSError, ValueError):  # none here, or "max"
                most = int((group / "pids.max").read_text())
                others = int((group / "pids.current").read_text()) - own
                name = f"/{group.relative_to(root)}".removesuffix(".")
                yield Limit(
                    max(0, most - max(0, others)), f"that is what pids.max of {name} leaves", "TasksMax= in the unit"
                )


def _of_addresses() -> Iterator[Limit]:
    """Each thread takes the addresses of a whole stack, though hardly any of its memory."""
    limits = [limit for limit in (_resource("RLIMIT_AS"), ADDRESSES_32 if sys.maxsize < 2**32 else None) if limit]
    if limits:
        stack = _resource("RLIMIT_STACK") or USUAL_STACK
        why = f"{stack // 2**20} MiB of addresses for each one's stack"
        yield Limit(max(0, min(limits) - NOT_STACKS) // stack, why, "LimitSTACK=1M in the unit, or ulimit -s 1024")


def _resource(name: str) -> int | None:
    """The limit that holds now; ``None`` for no limit."""
    try:
        import resource  # noqa: PLC0415 (not on Windows)

        soft, _ = resource.getrlimit(getattr(resource, name))
    except (ImportError, AttributeError, OSError):
        return None
    return None if soft == resource.RLIM_INFINITY else soft


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
