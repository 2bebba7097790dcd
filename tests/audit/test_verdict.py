"""What is missing, and what excuses it."""

from __future__ import annotations

from collections import Counter

from gateway.audit.account import Account, Figures, RunFigures
from gateway.audit.received import Received
from gateway.audit.verdict import DeviceVerdict, Excuses, Expected, Gap, judge


def received(*seqs: int, device: str = "a", run: str = "r") -> Received:
    """These arrived."""
    made = Received()
    for seq in seqs:
        made.take(device, {"run": run, "seq": seq})
    return made


def figures(*, queued: int = 0, dead: int = 0, dropped: int = 0) -> Figures:
    """A device's ledger."""
    return Figures(10, queued, dead, {"rate": dropped} if dropped else {})


def verdict(account: Account, before: Account | None = None, *, arrived: Received | None = None) -> DeviceVerdict:
    """On device a, of which 1 to 10 are expected and 4, 5, 9 did not arrive."""
    expected = Expected({("a", "r"): (1, 10)})
    arrived = arrived or received(1, 2, 3, 6, 7, 8, 10)
    (one,) = judge(arrived, expected, Excuses(account, before), ["a"])
    return one


def test_missing_without_a_reason() -> None:
    """Each gap is named."""
    one = verdict(Account("r", {"a": figures()}))
    assert (one.expected, one.received, one.missing, one.unexplained) == (10, 7, 3, 3)
    assert one.gaps == [Gap("r", 4, 5), Gap("r", 9, 9)]


def test_what_was_dropped_is_explained_by_count() -> None:
    """Only what was dropped since the beginning; when less was dropped than is missing, the rest is not explained."""
    now = Account("r", {"a": figures(dropped=5)})
    assert verdict(now).unexplained == 0
    assert verdict(now).gaps == []
    one = verdict(now, Account("r", {"a": figures(dropped=3)}))
    assert (one.explained["dropped"], one.unexplained, len(one.gaps)) == (2, 1, 2)


def test_what_waits_or_is_dead_is_explained_by_its_identity() -> None:
    """That others wait excuses nothing."""
    queued, dead = frozenset({("a", "r", 4), ("b", "r", 5)}), frozenset({("a", "r", 9), ("a", "q", 5)})
    one = verdict(Account("r", {"a": figures(queued=7, dead=7)}, queued=queued, dead=dead))
    assert (one.explained, one.unexplained, one.gaps) == (Counter(queued=1, dead=1), 1, [Gap("r", 5, 5)])


def test_where_only_counts_are_known_they_have_to_do() -> None:
    """A gateway on another machine."""
    one = verdict(Account("r", {"a": figures(queued=1, dead=1)}))
    assert (one.explained["queued"], one.explained["dead"], one.unexplained) == (1, 1, 1)


def test_an_earlier_run_has_one_count_for_all_devices() -> None:
    """It is used once."""
    account = Account("now", {}, {"r": RunFigures({"a": 10, "b": 2}, 0, 0, 4, exact=True)})
    expected = Expected({("a", "r"): (1, 10), ("b", "r"): (1, 2)})
    verdicts = judge(received(1, 2, 3, 6, 7, 8, 10), expected, Excuses(account), ["a", "b"])
    assert sum(one.missing for one in verdicts) == 5
    assert sum(one.unexplained for one in verdicts) == 1


def test_single_readings_count_as_well() -> None:
    """Those that waited when the audit began."""
    expected = Expected({("a", "r"): (6, 7)}, {("a", "r", 2), ("a", "q", 3), ("other", "r", 1)})
    (one,) = judge(received(2, 6, 7), expected, Excuses(Account("r", {"a": figures()})), ["a"])
    assert (one.expected, one.received, one.gaps) == (4, 3, [Gap("q", 3, 3)])
