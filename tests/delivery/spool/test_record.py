"""Rows as the file has them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.delivery.spool.record import Record, pack_last, record_of, unpack_last

RECORD = Record(7, 2, 3, 41, 5_000_000_000, 1_700_000_000_000_000_000, 1, b'{"seq":41}')


def test_a_row_comes_back_as_it_was_stored() -> None:
    """With its checksum."""
    assert record_of(RECORD.columns()) == RECORD


@pytest.mark.parametrize("column", range(1, 9))
def test_any_change_is_noticed(column: int) -> None:
    """In each column but the id, by a number, by nothing, and by a text."""
    for other in (12, None, "x", b"x"):
        row = list(RECORD.columns())
        row[column] = other
        assert record_of(row) is None


def test_a_row_that_is_too_short_is_no_row() -> None:
    """As after damage that SQLite does not see."""
    assert record_of(RECORD.columns()[:8]) is None
    assert record_of(()) is None


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.integers(0, 2**40), st.integers(0, 2**62)))
def test_last_seqs_come_back(last: dict[int, int]) -> None:
    """Whatever their size."""
    assert unpack_last(pack_last(last.items())) == last


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary())
def test_garbage_in_the_place_of_last_seqs_is_survived(data: bytes) -> None:
    """It means something or nothing, and breaks nothing."""
    assert all(isinstance(number, int) for pair in unpack_last(data).items() for number in pair)
