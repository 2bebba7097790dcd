"""The time of a simulation: real, so that a gateway can run on it, or virtual, so that a test need not wait."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Waiter(Protocol):
    """The time, as one open thing waits in it."""

    @property
    def now(self) -> float:
        """Seconds since the simulation began."""

    def wait(self, seconds: float) -> bool:
        """Let time pass, less of it when there is news; true when somebody has ended the wait."""

    def cancel(self) -> None:
        """End the wait of another thread, or else the next one. For any thread."""

    def nudge(self) -> None:
        """There is news to look at. For any thread."""


class Time(Protocol):
    """Where the time comes from."""

    @property
    def now(self) -> float:
        """Seconds since the simulation began."""

    def waiter(self) -> Waiter:
        """One more who waits."""


class VirtualTime:
    """Time that passes only when somebody waits. Everybody's."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds."""

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        self.now += max(0.0, seconds)
        return False

    def waiter(self) -> VirtualTime:
        """There is one thread, and nobody to wake it."""
        return self

    def cancel(self) -> None:
        """Nobody waits for real."""

    def nudge(self) -> None:
        """Nobody waits for real."""


class RealTime:
    """The machine's."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def now(self) -> float:
        """Seconds since the simulation began."""
        return time.monotonic() - self._began

    def waiter(self) -> RealWaiter:
        """One more who waits."""
        return RealWaiter(self)


class RealWaiter:
    """Waits in real time, for one open thing."""

    def __init__(self, time: RealTime) -> None:
        self._time = time
        self._woken = threading.Event()
        self._cancelled = False

    @property
    def now(self) -> float:
        """Seconds since the simulation began."""
        return self._time.now

    def wait(self, seconds: float) -> bool:
        """Let time pass, less of it when there is news; true when somebody has ended the wait."""
        self._woken.wait(max(0.0, seconds))
        self._woken.clear()
        cancelled, self._cancelled = self._cancelled, False
        return cancelled

    def cancel(self) -> None:
        """End the wait of another thread, or else the next one."""
        self._cancelled = True
        self._woken.set()

    def nudge(self) -> None:
        """There is news to look at."""
        self._woken.set()
