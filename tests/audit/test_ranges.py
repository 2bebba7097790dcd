"""Sets of numbers as ranges."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.ranges import Ranges

NUMBERS = st.sets(st.integers(1, 60))


@given(st.lists(st.integers(1, 60)))
def test_add_is_a_set(numbers: list[int]) -> None:
    """Adding in any order gives the set, in as few ranges as possible, and says what was new."""
    ranges, plain = Ranges(), set[int]()
    for number in numbers:
        assert ranges.add(number) == (number not in plain)
        plain.add(number)
    assert list(ranges) == sorted(plain)
    assert ranges == Ranges.of(plain)
    assert all(high + 1 < low for (_, high), (low, _) in zip(ranges.pairs, ranges.pairs[1:], strict=False))


@given(NUMBERS, NUMBERS)
def test_the_operators_are_those_of_sets(left: set[int], right: set[int]) -> None:
    """Union, difference, intersection, length, membership and the highest number agree with Python's sets."""
    a, b = Ranges.of(left), Ranges.of(right)
    assert list(a | b) == sorted(left | right)
    assert list(a - b) == sorted(left - right)
    assert list(a & b) == sorted(left & right)
    assert len(a) == len(left)
    assert bool(a) == bool(left)
    assert a.last == max(left, default=0)
    assert {number for number in range(70) if number in a} == left


@given(NUMBERS)
def test_text_and_back(numbers: set[int]) -> None:
    """What is written can be read."""
    ranges = Ranges.of(numbers)
    assert Ranges.parse(str(ranges)) == ranges


def test_text() -> None:
    """Ranges read as people write them; long ones are cut short."""
    assert str(Ranges.of([12, 13, 14, 15, 19])) == "12-15, 19"
    assert Ranges.of(range(1, 40, 2)).brief(3) == "1, 3, 5 and 17 more"
    assert Ranges([(5, 4)]) == Ranges()
