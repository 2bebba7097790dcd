"""An export held against every run that the gateway knows."""

from __future__ import annotations

from gateway.audit.account import Account, Figures, RunFigures
from gateway.audit.past import audit_past
from gateway.audit.received import Received

ACCOUNT = Account(
    "now",
    {"a": Figures(100, 0, 0, {}), "b": Figures(50, 0, 0, {})},
    {"old": RunFigures({"a": 10}, 0, 0, 0, exact=True)},
    queued=frozenset(),
    dead=frozenset(),
)


def received(spans: dict[tuple[str, str], tuple[int, int]]) -> Received:
    """These arrived."""
    made = Received()
    for (device, run), (first, last) in spans.items():
        for seq in range(first, last + 1):
            made.take(device, {"run": run, "seq": seq})
    return made


def unexplained(
    spans: dict[tuple[str, str], tuple[int, int]], *devices: str, part: bool = False
) -> tuple[dict[str, int], int, list[str]]:
    """Per device, with how many are newer than the export, and unknown runs."""
    audit = audit_past(received(spans), ACCOUNT, frozenset(devices), part=part)
    return {one.device: one.unexplained for one in audit.verdicts}, audit.newer, audit.unknown


def test_everything_is_there() -> None:
    """From the first reading of each run; what came after the export is not missing."""
    full = {("a", "old"): (1, 10), ("a", "now"): (1, 90), ("b", "now"): (1, 50)}
    assert unexplained(full) == ({"a": 0, "b": 0}, 10, [])


def test_the_end_of_an_earlier_run_is_missed() -> None:
    """``last_seq`` tells; and a run of which nothing is there at all."""
    assert unexplained({("a", "old"): (1, 8), ("b", "now"): (1, 50)})[0] == {"a": 2, "b": 0}
    assert unexplained({("a", "now"): (1, 100), ("b", "now"): (1, 50)})[0] == {"a": 10, "b": 0}


def test_a_part_is_judged_from_its_first_to_its_last() -> None:
    """What is missing inside is missing."""
    part = {("a", "old"): (4, 6), ("a", "now"): (40, 60)}
    assert unexplained(part)[0] == {"a": 7 + 39, "b": 0}
    assert unexplained(part, part=True)[0] == {"a": 0}
    some = received(part)
    some.take("a", {"run": "now", "seq": 63})
    (one,) = audit_past(some, ACCOUNT, frozenset(), part=True).verdicts
    assert (one.unexplained, one.gaps[0].first, one.gaps[0].last) == (2, 61, 62)


def test_a_run_that_the_gateway_has_forgotten_is_judged_by_its_gaps() -> None:
    """And named."""
    found = unexplained({("a", "ancient"): (3, 5), ("a", "old"): (1, 10)}, "a")
    assert (found[0], found[2]) == ({"a": 2}, ["ancient"])
