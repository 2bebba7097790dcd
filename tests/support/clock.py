"""Virtual time."""

from __future__ import annotations

import threading
import time
from datetime import datetime


class FakeClock:
    """A :class:`gateway.clocks.Clock` that stands still until a test moves it.

    ``wait`` returns when its event is set or when virtual time has passed, never because real time has. A test that
    drives a thread first makes sure that the thread sleeps (``wait_for_sleepers``), then moves time (``advance``)::

        clock = FakeClock()
        ...  # start a thread that calls clock.wait(stop, 10.0)
        clock.wait_for_sleepers(1)
        clock.advance(10.0)
    """

    def __init__(self, wall: str = "2026-11-22T07:00:00+00:00", boot: float = 1000.0) -> None:
        self._wall_ns = round(datetime.fromisoformat(wall).timestamp() * 1000) * 1_000_000
        self._boot_ns = round(boot * 1e9)
        self._changed = threading.Condition()
        self._sleepers: list[tuple[int | None, threading.Event]] = []

    def wall_ns(self) -> int:
        """CLOCK_REALTIME, virtual."""
        return self._wall_ns

    def boot_ns(self) -> int:
        """CLOCK_BOOTTIME, virtual."""
        return self._boot_ns

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        """Wait until ``event`` is set or virtual ``seconds`` have passed; whether it is set."""
        deadline = None if seconds is None else self._boot_ns + round(seconds * 1e9)
        condition: threading.Condition = event._cond  # type: ignore[attr-defined]  # the only way to wake one waiter without setting its event
        entry = (deadline, event)
        with self._changed:
            self._sleepers.append(entry)
            self._changed.notify_all()
        try:
            # `advance` sets the time before it takes the condition, so a change between test and wait is not missed.
            with condition:
                while not event.is_set() and (deadline is None or self._boot_ns < deadline):
                    condition.wait()
            return event.is_set()
        finally:
            with self._changed:
                self._sleepers.remove(entry)
                self._changed.notify_all()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at one stroke, on both clocks, and wake whoever waited for that."""
        with self._changed:
            step = round(seconds * 1e9)
            self._wall_ns += step
            self._boot_ns += step
            events = [event for _, event in self._sleepers]
        for event in events:
            condition: threading.Condition = event._cond  # type: ignore[attr-defined]
            with condition:
                condition.notify_all()

    def set_wall(self, wall: str) -> None:
        """Set the wall clock, as NTP does: the boot clock runs on untouched."""
        self._wall_ns = round(datetime.fromisoformat(wall).timestamp() * 1000) * 1_000_000

    def sleepers(self) -> list[float | None]:
        """For each thread in ``wait``: the seconds that it still has to sleep, ``None`` for ever; soonest first."""
        with self._changed:
            left = [None if end is None else (end - self._boot_ns) / 1e9 for end, _ in self._sleepers]
        return sorted(left, key=lambda seconds: float("inf") if seconds is None else seconds)

    def wait_for_sleepers(self, count: int = 1, timeout: float = 20.0) -> None:
        """Wait (in real time) until at least ``count`` threads sleep in ``wait`` with time still to go."""
        end = time.monotonic() + timeout
        with self._changed:
            while sum(1 for due, _ in self._sleepers if due is None or due > self._boot_ns) < count:
                if not self._changed.wait(end - time.monotonic()):
                    raise AssertionError(
                        f"{len(self._sleepers)} of {count} threads wait on the clock after {timeout:g} s"
                    )
