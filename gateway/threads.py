"""Threads whose names the system shows, too: ``top -H``, ``ps -T``, ``/proc/PID/task/TID/comm``.

Python tells the system no names before 3.14, and afterwards only the first 15 bytes of them.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable
from typing import Any

LONGEST = 15
"""Bytes of a name that Linux keeps (TASK_COMM_LEN, prctl(2))."""
PR_SET_NAME = 15
READER = "dev:"
SHORTEST = 0.001
"""Python's default of 5 ms makes every thread beside a busy one about 5 ms late; with 1 ms it is about 1 ms."""
LONGEST_SWITCH = 0.1
WAKING = 50e-6
"""Seconds that the processors may have for one thread that looks whether it is its turn."""


def start(name: str, target: Callable[..., Any], *args: Any) -> threading.Thread:
    """Run ``target`` in a daemon thread of that name. ``RuntimeError`` when the machine allows no more threads."""
    thread = threading.Thread(target=_named, args=(name, target, args), name=name, daemon=True)
    thread.start()
    return thread


def of_device(device: str) -> str:
    """What the thread of a device's reader is called."""
    return f"{READER}{device}"


def device_of(name: str) -> str | None:
    """The device whose reader's thread has that name; ``None`` for any other thread."""
    return name.removeprefix(READER) if name.startswith(READER) else None


def switch_interval(readers: int) -> float:
    """For ``sys.setswitchinterval``, with so many readers: longer, the more there are.

    A thread that waits for the interpreter looks again each time that the interval has passed. After a moment in which
    nothing ran (a laptop's sleep, a machine that was busy elsewhere) all readers are due and wait at once. A thousand
    that look every millisecond leave no processor for the one whose turn it is, and so it stays for ever.
    """
    return min(LONGEST_SWITCH, max(SHORTEST, readers * WAKING))


def show_name(name: str) -> None:
    """Let the system show this name for the calling thread; on the main thread it is the process's. Only on Linux."""
    if (prctl := _prctl()) is not None:
        prctl(PR_SET_NAME, short(name))


def short(name: str) -> bytes:
    """What fits of a name: its beginning and its end, because many devices differ only in their last letters.

    ``dev:greenhouse-north-07`` becomes ``dev:gre~orth-07``.
    """
    whole = name.encode(errors="replace")
    if len(whole) <= LONGEST:
        return whole
    tail = _whole(whole[-LONGEST // 2 + 1 :])
    return _whole(whole[: LONGEST - 1 - len(tail)]) + b"~" + tail


def _whole(piece: bytes) -> bytes:
    """Without the characters that were cut in two."""
    return piece.decode(errors="ignore").encode()


def _named(name: str, target: Callable[..., Any], args: tuple[Any, ...]) -> None:
    show_name(name)
    target(*args)


@functools.cache
def _prctl() -> Callable[[int, bytes], int] | None:
    """The system call. The file in /proc is closed to a process that root has started and that is root no more."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes  # noqa: PLC0415 (not everywhere)

        prctl: Callable[[int, bytes], int] = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None
    return prctl
