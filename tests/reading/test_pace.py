"""Pauses between attempts, and the most readings a second."""

from __future__ import annotations

import random

import pytest

from gateway.reading.pace import Backoff, RateLimit

SECOND = 1_000_000_000


def test_backoff_doubles_to_a_minute_with_jitter() -> None:
    """1, 2, 4 … 60 s, each up to a fifth shorter; from 1 s again once it worked."""
    backoff = Backoff(random.Random(7))
    pauses = [backoff.next() for _ in range(9)]
    for pause, whole in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60], strict=True):
        assert 0.8 * whole <= pause <= whole
    assert len(set(pauses)) == 9
    backoff.reset()
    assert backoff.next() <= 1


def test_backoff_whose_patience_is_at_its_end() -> None:
    """Then 10 minutes, until it worked."""
    backoff = Backoff(random.Random(7), patience=2)
    assert [backoff.next() > 60 for _ in range(2)] == [False, False]
    assert not backoff.is_slow
    assert all(480 <= backoff.next() <= 600 for _ in range(3))
    assert backoff.is_slow
    backoff.reset()
    assert not backoff.is_slow
    assert backoff.next() <= 1


@pytest.mark.parametrize("rate", [0.1, 1, 10, 2000])
def test_rate_limit(rate: float) -> None:
    """In the long run `rate` a second pass, and at most one second's worth (or one) at once."""
    limit = RateLimit(rate, 0)
    assert sum(limit.allows(0) for _ in range(5000)) == max(1, rate)
    seconds = round(20 / rate) + 1
    steps = 20
    passed = sum(
        limit.allows(second * SECOND + step * SECOND // steps)
        for second in range(seconds)
        for step in range(steps)
        for _ in range(round(rate / steps) + 2)
    )
    assert passed == pytest.approx(rate * seconds, abs=max(1, rate / steps) + 1)


def test_silence_is_not_saved_up() -> None:
    """After an hour without a reading no more pass at once than ever."""
    limit = RateLimit(10, 0)
    assert sum(limit.allows(3600 * SECOND) for _ in range(1000)) == 10
