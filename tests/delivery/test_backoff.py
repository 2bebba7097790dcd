"""When to try again."""

from __future__ import annotations

import random

import pytest

from gateway.delivery.backoff import Backoff


class Most(random.Random):
    """No jitter: always the longest delay."""

    def uniform(self, _low: float, high: float) -> float:
        """The upper bound."""
        return high


@pytest.fixture
def backoff() -> Backoff:
    """Without jitter."""
    return Backoff(Most())


def test_a_broker_that_is_away_is_tried_every_four_seconds(backoff: Backoff) -> None:
    """Half a second, doubling to 4 s and no further."""
    assert [backoff.after_failure(refused=False) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_a_broker_that_refuses_us_is_tried_every_thirty_seconds(backoff: Backoff) -> None:
    """A refusal lets the delay grow to 30 s; a broker that is then merely away is asked every 4 s again."""
    assert [backoff.after_failure(refused=True) for _ in range(8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert backoff.after_failure(refused=False) == 4.0


def test_after_a_good_connection_we_are_back_at_once(backoff: Backoff) -> None:
    """A connection of 10 s and more ends with no delay, and begins the delays anew."""
    for _ in range(5):
        backoff.after_failure(refused=True)
    assert backoff.after_connection(10.0) == 0.0
    assert backoff.after_failure(refused=False) == 0.5


def test_connections_that_keep_dying_young_are_made_less_often(backoff: Backoff) -> None:
    """Up to 4 s for the first four; from the fifth in a row on up to 30 s; a good connection forgives all."""
    delays = [backoff.after_connection(9.9) for _ in range(8)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert backoff.after_failure(refused=False) == 30.0
    assert backoff.after_connection(11.0) == 0.0
    assert backoff.after_connection(1.0) == 0.5


def test_being_thrown_out_counts_as_a_refusal(backoff: Backoff) -> None:
    """A young connection that was taken over lets the delay grow beyond 4 s from the start."""
    assert [backoff.after_connection(1.0, refused=True) for _ in range(5)][-1] == 8.0


def test_jitter_shortens_by_at_most_a_quarter() -> None:
    """Gateways that lost their broker together do not come back together, and none comes later than it should."""
    backoff = Backoff(random.Random(0))
    delays = [backoff.after_failure(refused=False) for _ in range(200)][10:]
    assert min(delays) >= 3.0
    assert max(delays) <= 4.0
    assert len(set(delays)) == len(delays)
