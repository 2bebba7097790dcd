"""How many requests are let in."""

from __future__ import annotations

from gateway.delivery.commands.gate import MOST, SECOND, Gate, Verdict


def test_a_thousand_at_once() -> None:
    """Five are carried out, five are told so, the rest is counted, once."""
    gate = Gate()
    verdicts = [gate.knock(7 * SECOND + number) for number in range(1000)]
    assert [verdicts.count(verdict) for verdict in Verdict] == [MOST, MOST, 990]
    assert gate.ignored(7 * SECOND) == 990
    assert gate.ignored(9 * SECOND) == 0


def test_no_second_has_more_than_five() -> None:
    """Whenever it begins: of a steady stream every fifth of a second one."""
    gate = Gate()
    stream = range(10 * SECOND, 20 * SECOND, SECOND // 100)
    passed = [now for now in stream if gate.knock(now) is Verdict.ADMITTED]
    assert len(passed) == 50
    assert all(later - earlier >= SECOND for earlier, later in zip(passed, passed[MOST:], strict=False))


def test_the_rest_is_told_once_a_second() -> None:
    """A flood does not become one of lines in the log."""
    gate = Gate()
    told = []
    for now in range(10 * SECOND, 13 * SECOND, SECOND // 100):
        gate.knock(now)
        told.append(gate.ignored(now))
    assert len([count for count in told if count]) == 3
