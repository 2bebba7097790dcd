"""Finds what a test leaves behind: threads, file descriptors, child processes."""

from __future__ import annotations

import gc
import threading
import time
from dataclasses import dataclass
from pathlib import Path

GRACE = 2.0
"""Seconds that threads, descriptors and processes may take to end after a test. Nothing waits when all is well."""

_HARMLESS = ("/dev/null", "/dev/urandom", "/dev/random")
"""Devices that the interpreter and libraries open once and keep."""


@dataclass(frozen=True)
class Belongings:
    """What this process holds at one instant."""

    threads: frozenset[threading.Thread]
    descriptors: frozenset[tuple[int, str]]
    children: frozenset[int]

    @classmethod
    def now(cls) -> Belongings:
        """Look."""
        return cls(frozenset(threading.enumerate()), _descriptors(), _children())

    def left_since(self, before: Belongings) -> list[str]:
        """What is there now and was not ``before``, one line each."""
        lines = [
            f"thread {thread.name!r}{' (daemon)' if thread.daemon else ''} is still running"
            for thread in sorted(self.threads - before.threads, key=lambda thread: thread.name)
        ]
        lines += [f"file descriptor {fd} ({what}) is still open" for fd, what in self.descriptors - before.descriptors]
        lines += [f"child process {_name(pid)} was not ended and waited for" for pid in self.children - before.children]
        return lines


def leaked_since(before: Belongings, grace: float = GRACE) -> list[str]:
    """What was left behind since ``before``, after giving it up to ``grace`` seconds to go."""
    left = Belongings.now().left_since(before)
    if not left:
        return []
    gc.collect()  # what nobody refers to any more is closed here, and warns about it
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        left = Belongings.now().left_since(before)
    return left


def descriptors() -> int:
    """How many files and the like this process has open."""
    return len(_descriptors())


def _descriptors() -> frozenset[tuple[int, str]]:
    found = set()
    for link in _list(Path("/proc/self/fd")):
        try:
            target = str(link.readlink())
        except OSError:  # the descriptor of the listing itself
            continue
        if target not in _HARMLESS:
            found.add((int(link.name), target))
    return frozenset(found)


def _children() -> frozenset[int]:
    """Processes that this one has started and not yet waited for, zombies included (Linux)."""
    found: set[int] = set()
    for task in _list(Path("/proc/self/task")):
        try:
            text = (task / "children").read_text()
        except OSError:  # a thread that has just ended
            continue
        found.update(map(int, text.split()))
    return frozenset(found)


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # not Linux: this check is left out
        return []


def _name(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        command = ""
    return f"{pid} ({command or 'ended, but nobody has waited for it'})"
