"""Processor time, as the kernel counts it. It is read when somebody looks, so nobody else pays for it. Linux only."""

from __future__ import annotations

import os
from pathlib import Path


def of_thread(native_id: int) -> float | None:
    """Seconds that one of our threads has used, in steps of 10 ms; ``None``: it has ended, or nothing tells."""
    return _seconds(Path(f"/proc/self/task/{native_id}/stat"))


def of_process(pid: int) -> float | None:
    """The same of all threads of a process."""
    return _seconds(Path(f"/proc/{pid}/stat"))


def _seconds(path: Path) -> float | None:
    """User and system time (proc(5)): fields 14 and 15, counted after the name, which may have anything in it."""
    try:
        fields = path.read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
