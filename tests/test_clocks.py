"""The machine's clocks."""

from __future__ import annotations

import threading
import time

from gateway.clocks import SystemClock


def test_both_clocks_run_and_the_boot_clock_never_goes_back() -> None:
    """Nanoseconds; the wall clock is the machine's."""
    clock = SystemClock()
    stamps = [clock.boot_ns() for _ in range(1000)]
    assert stamps == sorted(stamps)
    assert abs(clock.wall_ns() - time.time_ns()) < 10**9


def test_waiting_ends_with_the_event() -> None:
    """At once when it is set, and says whether it is."""
    clock, event = SystemClock(), threading.Event()
    assert not clock.wait(event, 0.001)
    event.set()
    assert clock.wait(event, None)
