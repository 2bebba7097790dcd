"""Virtual time."""

from __future__ import annotations

import threading

import pytest
from support import FakeClock

from gateway.clocks import Clock


def _sleeper(clock: Clock, event: threading.Event, seconds: float | None, results: list[bool]) -> threading.Thread:
    thread = threading.Thread(target=lambda: results.append(clock.wait(event, seconds)))
    thread.start()
    return thread


def test_wait_ends_when_virtual_time_has_passed(fake_clock: FakeClock) -> None:
    """Half of the time is not enough, the whole is; and then the event is not set."""
    results: list[bool] = []
    thread = _sleeper(fake_clock, threading.Event(), 10.0, results)
    fake_clock.wait_for_sleepers(1)
    fake_clock.advance(5.0)
    assert fake_clock.sleepers() == [5.0]
    fake_clock.advance(5.0)
    thread.join()
    assert results == [False]


@pytest.mark.parametrize("seconds", [None, 10.0])
def test_wait_ends_when_the_event_is_set(fake_clock: FakeClock, seconds: float | None) -> None:
    """A set event ends the wait without any time passing."""
    results: list[bool] = []
    event = threading.Event()
    thread = _sleeper(fake_clock, event, seconds, results)
    fake_clock.wait_for_sleepers(1)
    event.set()
    thread.join()
    assert results == [True]


def test_the_clocks_move_together_but_only_one_is_set(fake_clock: FakeClock) -> None:
    """``advance`` moves both clocks; ``set_wall`` moves the wall clock alone."""
    wall, boot = fake_clock.wall_ns(), fake_clock.boot_ns()
    fake_clock.advance(1.5)
    assert (fake_clock.wall_ns() - wall, fake_clock.boot_ns() - boot) == (1_500_000_000, 1_500_000_000)
    fake_clock.set_wall("2027-01-01T00:00:00+00:00")
    assert (fake_clock.wall_ns(), fake_clock.boot_ns() - boot) == (1_798_761_600_000_000_000, 1_500_000_000)


def test_a_missing_sleeper_is_told(fake_clock: FakeClock) -> None:
    """Waiting for a sleeper that never comes ends with an error."""
    with pytest.raises(AssertionError, match="0 of 1 threads wait on the clock"):
        fake_clock.wait_for_sleepers(1, timeout=0.01)
