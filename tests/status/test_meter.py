"""The last polls of a device."""

from __future__ import annotations

import threading

import pytest

from gateway.status.meter import Meter, Seat


def meter(*began: float, each_ms: float = 2.0) -> Meter:
    """One whose reads began at these times."""
    made = Meter()
    for at in began:
        made.took(at, each_ms)
    return made


def rate(made: Meter, now: float) -> float | None:
    """Reads a second, as it looks at ``now``."""
    pace = made.pace(now)
    assert pace is not None
    return pace.rate


def test_read_time_is_of_the_last_reads() -> None:
    """Mean and longest of 256; none before the first has returned."""
    made = Meter()
    assert made.pace(0.0) is None
    made.took(0.0, 1e6)
    for number in range(256):
        made.took(float(number), 1.0 + number % 2)
    pace = made.pace(256.0)
    assert pace is not None
    assert (pace.mean_ms, pace.max_ms) == (1.5, 2.0)


@pytest.mark.parametrize(("step", "expected"), [(1.0, 1.0), (0.01, 100.0), (600.0, 1 / 600)])
def test_rate_of_a_steady_device(step: float, expected: float) -> None:
    """The same whether it is asked for right after a read or right before the next, however rare reads are."""
    made = meter(*(number * step for number in range(400)))
    assert rate(made, 399 * step) == pytest.approx(expected)
    assert rate(made, 399.99 * step) == pytest.approx(expected)


def test_rate_needs_two_reads() -> None:
    """One says nothing about how often."""
    assert rate(meter(5.0), 100.0) is None
    assert rate(meter(5.0, 6.0), 6.5) == 1.0


def test_rate_falls_while_no_read_returns() -> None:
    """A device that hangs had ten reads in ten seconds; a hundred seconds later they are old."""
    made = meter(*map(float, range(10)))
    assert rate(made, 9.5) == pytest.approx(1.0)
    assert rate(made, 19.0) == pytest.approx(10 / 19)
    assert rate(made, 109.0) == pytest.approx(2 / 101)


def test_rate_is_of_the_last_minute() -> None:
    """What was polled faster before has no say."""
    made = meter(*(number / 10 for number in range(100)), *(10.0 + number for number in range(90)))
    assert rate(made, 99.5) == pytest.approx(1.0)


def test_reads_that_began_at_the_same_time() -> None:
    """Nothing is divided by zero."""
    assert rate(meter(5.0, 5.0), 5.0) is None
    assert rate(meter(5.0, 5.0), 6.0) == 2.0


def test_a_seat_is_the_thread_that_takes_it() -> None:
    """Python's number and the system's."""
    seat = Seat.here(7, None, lambda: None)
    assert (seat.ident, seat.native_id, seat.since_ns) == (threading.get_ident(), threading.get_native_id(), 7)
