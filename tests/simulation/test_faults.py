"""gateway/simulation/faults.py: trouble on request, the same for the same seed."""

from __future__ import annotations

import random

import pytest

from gateway.simulation.faults import Faults

FRAME = bytes(range(16))


def bits(one: bytes, other: bytes) -> int:
    """In how many bits they differ."""
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


def test_all_is_well_at_first() -> None:
    """What is said is what is heard."""
    faults = Faults()
    assert faults.spoil(FRAME) == FRAME
    assert faults.pieces(FRAME) == [(0.0, FRAME)]
    assert not faults.dead


@pytest.mark.parametrize("level", [0x00, 0xFF])
def test_stuck(level: int) -> None:
    """A line that stays where it is."""
    assert Faults(stuck=level).spoil(FRAME) == bytes([level]) * 16


def test_corrupt() -> None:
    """One bit in each of so many answers, then it is over."""
    faults = Faults(corrupt=2)
    assert [bits(faults.spoil(FRAME), FRAME) for _ in range(3)] == [1, 1, 0]
    assert faults.spoil(b"") == b""


def test_flips() -> None:
    """As often as it is likely; the same seed gives the same."""
    faults = Faults(flips=0.5)
    turned = bits(faults.spoil(bytes(1000)), bytes(1000))
    assert 400 < turned < 600
    one, two = (Faults(random.Random(7), flips=0.5).spoil(FRAME) for _ in range(2))
    assert one == two != FRAME


def test_garbage() -> None:
    """As many bytes, none of them meant."""
    faults = Faults(garbage=True)
    assert len(faults.spoil(FRAME)) == 16
    assert faults.spoil(FRAME) != FRAME


def test_half() -> None:
    """The next frame ends in its middle, the one after it does not."""
    faults = Faults(halves=1)
    assert faults.pieces(FRAME) == [(0.0, FRAME[:8])]
    assert faults.pieces(FRAME) == [(0.0, FRAME)]


def test_glued() -> None:
    """Two are held back and come with the third."""
    faults = Faults(glue=2)
    assert [faults.pieces(b"1"), faults.pieces(b"2"), faults.pieces(b"3")] == [[], [], [(0.0, b"123")]]
    assert faults.pieces(b"4") == [(0.0, b"4")]


def test_dribbled() -> None:
    """One byte after the other."""
    assert Faults(dribble=0.1).pieces(b"abc") == [(0.0, b"a"), (0.1, b"b"), (0.2, b"c")]


@pytest.mark.parametrize("faults", [Faults(silent=True), Faults(gone=True)])
def test_dead(faults: Faults) -> None:
    """Nothing comes."""
    assert faults.dead
    assert faults.pieces(FRAME) == []
