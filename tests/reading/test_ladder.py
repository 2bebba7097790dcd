"""gateway/reading/ladder.py: what is tried next."""

from __future__ import annotations

from gateway.reading.ladder import Ladder, Rung


def test_the_way_up() -> None:
    """Every third attempt with a new driver object, every fifth with a reset; from the bottom again once it worked."""
    ladder = Ladder()
    assert not ladder.reset_is_due
    tried = [(ladder.climb(), ladder.reset_is_due) for _ in range(15)]
    assert [number for number, (rung, _) in enumerate(tried, 1) if rung is Rung.RENEW] == [3, 6, 9, 12]
    assert [number for number, (rung, _) in enumerate(tried, 1) if rung is Rung.RESET] == [5, 10, 15]
    assert [due for _, due in tried] == [rung is Rung.RESET for rung, _ in tried]
    ladder.leave()
    assert not ladder.reset_is_due
    assert ladder.climb() is Rung.REOPEN
