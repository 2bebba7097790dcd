"""Whether the wall clock can be believed."""

from __future__ import annotations

import threading

from support import FakeClock

from gateway.status.clock_trust import ClockTrust, kernel_says_synchronised


def test_it_asks_at_most_once_a_second() -> None:
    """Every reading asks, the machine is asked seldom."""
    clock, asked = FakeClock(), []

    def synchronised() -> bool:
        asked.append(clock.boot_ns())
        return len(asked) > 1

    trust = ClockTrust(clock, believe=False, synchronised=synchronised)
    assert [trust.mark() for _ in range(5)] == ["unsynced"] * 5
    assert trust.word() == "unsynced"
    clock.advance(1.0)
    assert (trust.mark(), trust.word(), len(asked)) == (None, "synced", 2)


def test_nobody_waits_for_one_who_asks() -> None:
    """But for the very first answer: later ones are taken over when they are there."""
    clock, asking, answer = FakeClock(), threading.Event(), threading.Event()
    asked = 0

    def synchronised() -> bool:
        nonlocal asked
        asked += 1
        if asked == 2:
            asking.set()
            assert answer.wait(5)
        return asked > 1

    trust = ClockTrust(clock, believe=False, synchronised=synchronised)
    assert trust.mark() == "unsynced"
    clock.advance(1.0)
    other = threading.Thread(target=trust.mark)
    other.start()
    assert asking.wait(5)
    assert (trust.mark(), asked) == ("unsynced", 2)
    answer.set()
    other.join(5)
    assert (trust.mark(), asked) == (None, 2)


def test_a_configuration_may_believe_it() -> None:
    """``clock = "trusted"`` asks nobody."""
    trust = ClockTrust(FakeClock(), believe=True, synchronised=lambda: 1 // 0 == 0)
    assert (trust.mark(), trust.word()) == (None, "trusted")


def test_the_kernel_answers() -> None:
    """Yes or no, on every machine."""
    assert kernel_says_synchronised() in (True, False)
