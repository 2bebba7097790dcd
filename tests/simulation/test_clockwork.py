"""gateway/simulation/clockwork.py: real and virtual time."""

from __future__ import annotations

import threading
import time

from gateway.simulation.clockwork import RealTime, VirtualTime


def test_virtual_time_passes_when_somebody_waits() -> None:
    """And for everybody; it never goes back."""
    world = VirtualTime()
    waiter = world.waiter()
    assert not waiter.wait(60)
    assert not waiter.wait(-5)
    waiter.cancel()
    assert world.now == waiter.now == 60


def test_real_time() -> None:
    """It is that of the machine."""
    world = RealTime()
    waiter = world.waiter()
    before = time.monotonic()
    assert not waiter.wait(0.03)
    assert time.monotonic() - before >= 0.025
    assert 0.025 <= waiter.now <= world.now < 5
    assert not waiter.wait(-1)


def test_a_wait_can_be_ended() -> None:
    """From another thread, also just before it begins; once, and for nobody else."""
    world = RealTime()
    one, two = world.waiter(), world.waiter()
    one.cancel()
    assert one.wait(30)
    threading.Timer(0.02, one.cancel).start()
    assert one.wait(30)
    assert not one.wait(0.001)
    assert not two.wait(0.001)


def test_news_end_a_wait_without_ending_what_waits() -> None:
    """Whoever waits looks, and goes on."""
    waiter = RealTime().waiter()
    waiter.nudge()
    assert not waiter.wait(30)
    VirtualTime().nudge()
