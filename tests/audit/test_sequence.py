"""A set of numbers in bits, against Python's own."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.sequence import SIZE, Sequence, count

NUMBERS = st.one_of(st.integers(1, 60), st.integers(1, 4 * SIZE))


@given(st.lists(NUMBERS), NUMBERS, NUMBERS)
def test_it_is_a_set_and_knows_its_gaps(numbers: list[int], one: int, other: int) -> None:
    """Whatever was added, in whatever order, and asked for over whatever range."""
    first, last = sorted((one, other))
    sequence = Sequence()
    assert [sequence.add(number) for number in numbers] == [
        number not in numbers[:index] for index, number in enumerate(numbers)
    ]
    there = set(numbers)
    assert (sequence.count, sequence.highest) == (len(there), max(there, default=0))
    assert sequence.lowest == min(there, default=0)
    spans = list(sequence.missing(first, last))
    assert {number for start, end in spans for number in range(start, end + 1)} == set(range(first, last + 1)) - there
    assert count(spans) == len(set(range(first, last + 1)) - there)
    assert all(end + 1 < start for (_, end), (start, _) in itertools.pairwise(spans)), "as few as it takes"


def test_large_ranges_are_stepped_over() -> None:
    """Blocks that are full or empty are not looked at number by number."""
    sequence = Sequence()
    for number in range(1, 3 * SIZE):
        sequence.add(number)
    assert list(sequence.missing(1, 10**12)) == [(3 * SIZE, 10**12)]
