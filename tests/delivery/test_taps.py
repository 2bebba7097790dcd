"""Readings seen beside their way to the broker."""

from __future__ import annotations

from gateway.delivery.taps import DEPTH, Taps


def test_a_tap_sees_its_device_and_only_while_it_is_open() -> None:
    """Nothing of another device, nothing before, nothing after."""
    taps = Taps()
    taps.offer("a", b"0")
    with taps.tap("a") as waiting:
        taps.offer("a", b"1")
        taps.offer("b", b"2")
        assert waiting.get_nowait() == b"1"
        assert waiting.empty()
    taps.offer("a", b"3")
    assert waiting.empty()


def test_two_taps_see_the_same() -> None:
    """Each has its own queue, and closing one leaves the other."""
    taps = Taps()
    with taps.tap("a") as first:
        with taps.tap("a") as second:
            taps.offer("a", b"1")
            assert (first.get_nowait(), second.get_nowait()) == (b"1", b"1")
        taps.offer("a", b"2")
        assert first.get_nowait() == b"2"


def test_a_tap_that_nobody_empties_is_bounded() -> None:
    """It holds back nobody."""
    taps = Taps()
    with taps.tap("a") as waiting:
        for _ in range(DEPTH + 10):
            taps.offer("a", b"x")
        assert waiting.qsize() == DEPTH
