"""What the disk has the publisher wait for."""

from __future__ import annotations

from support.clock import FakeClock

from gateway.status.work import COMMIT_NS, SALVAGE_NS, Work

SECOND = 1_000_000_000


def test_a_commit_may_take_a_minute() -> None:
    """And not longer; between two of them nothing goes on."""
    clock = FakeClock()
    work = Work(clock)
    assert not work.goes_on(clock.boot_ns())
    with work.under_way():
        began = clock.boot_ns()
        assert work.goes_on(began + COMMIT_NS - 1)
        assert not work.goes_on(began + COMMIT_NS)
        clock.advance(3)
    assert not work.goes_on(began)
    assert work.ended_ns == began + 3 * SECOND


def test_a_salvage_inside_it_has_its_own_time() -> None:
    """Which begins with it, and when it is over what is around it goes on."""
    clock = FakeClock()
    work = Work(clock)
    with work.under_way():
        clock.advance(30)
        with work.under_way(SALVAGE_NS):
            assert work.goes_on(clock.boot_ns() + SALVAGE_NS - 1)
        assert work.goes_on(clock.boot_ns())
        assert not work.goes_on(clock.boot_ns() + 30 * SECOND)
