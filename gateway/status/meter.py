"""How the polls of one device go: how often, how late, how long they take; and the thread that makes them."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

KEPT = 256
"""Polls that are looked back on."""
LATELY = 60.0
"""Seconds over which the rate is taken, as far as that many polls go back."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late polls began, in milliseconds, over the last polls of a device."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How the last reads of a device went."""

    rate: float | None
    """Reads a second; ``None`` before the second one."""
    mean_ms: float
    """How long they took."""
    max_ms: float


class Call(Protocol):
    """A call into a driver that is under way."""

    @property
    def what(self) -> str:
        """start, open, read or close."""

    @property
    def limit(self) -> float:
        """Seconds after which it counts as hung."""

    @property
    def began_ns(self) -> int:
        """Boot time."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The thread that reads a device now."""

    ident: int
    """Python's number for it."""
    native_id: int
    """The system's."""
    since_ns: int
    """Boot time when it began."""
    pid: int | None
    """The process that the driver lives in; ``None``: this one."""
    call: Callable[[], Call | None]
    """What the driver is at."""

    @classmethod
    def here(cls, since_ns: int, pid: int | None, call: Callable[[], Call | None]) -> Seat:
        """The thread that calls this."""
        return cls(threading.get_ident(), threading.get_native_id(), since_ns, pid, call)


class Meter:
    """Of the last polls. Whoever shares it between threads locks it."""

    def __init__(self) -> None:
        self._late = Recent()
        self._began = Recent()
        self._took = Recent()

    def late(self, milliseconds: float) -> None:
        """A poll begins so much after its time."""
        self._late.add(milliseconds)

    def took(self, began: float, milliseconds: float) -> None:
        """A read that began at ``began`` (seconds of boot time) has returned."""
        self._began.add(began)
        self._took.add(milliseconds)

    def lateness(self) -> Lateness | None:
        """``None`` where nothing was due by time."""
        late = sorted(self._late.values)
        last = len(late) - 1
        return Lateness(late[last // 2], late[last * 99 // 100]) if late else None

    def pace(self, now: float) -> Pace | None:
        """As it looks at ``now``, in seconds of boot time; ``None`` before the first read has returned."""
        took = self._took.values
        return Pace(self._rate(now), sum(took) / len(took), max(took)) if took else None

    def _rate(self, now: float) -> float | None:
        began = self._began.in_order()
        first = max(0, min(bisect_left(began, now - LATELY), len(began) - 2))
        count = len(began) - first
        if count < 2 or now <= began[first]:
            return None
        # the second one is less only when a read is overdue: then it falls with the time that passes
        return min((count - 1) / max(1e-6, began[-1] - began[first]), count / (now - began[first]))


class Recent:
    """The last numbers, 2 KiB of them at most."""

    def __init__(self) -> None:
        self.values = array("d")
        """In no order."""
        self._next = 0

    def add(self, value: float) -> None:
        """One more; the oldest gives way."""
        if len(self.values) < KEPT:
            self.values.append(value)
        else:
            self.values[self._next] = value
            self._next = (self._next + 1) % KEPT

    def in_order(self) -> array[float]:
        """The oldest first."""
        return self.values[self._next :] + self.values[: self._next]
