"""Every use of time goes through one object, so that tests and simulations can bring their own."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """The two clocks that the gateway knows, and waiting."""

    def wall_ns(self) -> int:
        """CLOCK_REALTIME in nanoseconds since 1970 UTC. May jump."""

    def boot_ns(self) -> int:
        """CLOCK_BOOTTIME in nanoseconds. Never jumps, and runs on while the machine sleeps."""

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait until ``event`` is set or ``seconds`` have passed; whether it is set."""


class SystemClock:
    """The machine's clocks."""

    _boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # CLOCK_BOOTTIME is Linux only

    def wall_ns(self) -> int:
        """See :class:`Clock`."""
        return time.time_ns()

    def boot_ns(self) -> int:
        """See :class:`Clock`."""
        return time.clock_gettime_ns(self._boot)

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """See :class:`Clock`."""
        return event.wait(seconds)
