"""Rows that leave together and come back in order."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.row_queue import put_back, take_array
from gateway.delivery.store import Row
from gateway.driver import Kind


def row(number: int, *, size: int = 10, batched: bool = False) -> Row:
    """A row with a body of ``size`` bytes."""
    return Row(number, "d", "r", number, Kind.SAMPLED, "B/d", True, batched, b"x" * size, 0)


def ids(rows: deque[Row] | list[Row]) -> list[int]:
    """The ids in order."""
    return [one.id for one in rows]


def test_an_array_ends_at_its_limits() -> None:
    """By number, by bytes with brackets and commas, and where another way of travelling begins."""
    waiting = deque(row(number) for number in range(1, 11))
    assert ids(take_array(waiting, 3, 10_000)) == [1, 2, 3]
    assert ids(take_array(waiting, 100, 2 + 2 * 11)) == [4, 5]
    waiting = deque([row(1), row(2, batched=True), row(3, batched=True)])
    assert ids(take_array(waiting, 100, 10_000)) == [1]
    assert ids(take_array(waiting, 100, 10_000)) == [2, 3]
    assert take_array(waiting, 100, 10_000) == []


def test_one_row_always_goes() -> None:
    """Also when it alone is larger than the limit."""
    assert ids(take_array(deque([row(1, size=500), row(2)]), 100, 64)) == [1]


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40), min_size=1), st.randoms())
def test_rows_come_back_to_their_places(waiting: set[int], back: set[int], dice: object) -> None:
    """Whatever the order in which they come."""
    back -= waiting
    if not back:
        return
    rows = [row(number) for number in back]
    dice.shuffle(rows)  # type: ignore[attr-defined]
    queue = put_back(deque(row(number) for number in sorted(waiting)), rows)
    assert ids(queue) == sorted(waiting | back)
