"""The devices of one run, coming and going."""

from __future__ import annotations

from collections import Counter

from support import FakeClock
from support.delivery import row

from gateway.config.load import loads
from gateway.delivery.queue import Inbox
from gateway.delivery.topics import Topics
from gateway.roster import Roster
from gateway.status.ledger import Ledger


def test_a_device_that_comes_back_is_the_same() -> None:
    """Its queue, with its numbers, its ledger and its board are kept while it is away."""
    one = loads("[devices.a]\ndriver = 'mock'\n[devices.b]\ndriver = 'mock'\nbatch = '2s'\n")
    two = loads("[devices.a]\ndriver = 'mock'\nretain = false\n[devices.c]\ndriver = 'mock'\n")
    roster = Roster(one, Topics("B"), FakeClock(), "run1", Inbox())
    queue, board = roster.queue("b"), roster.board("b")
    assert (roster.routes()["b"].topic, roster.routes()["b"].batch_ns) == ("B/b", 2_000_000_000)
    roster.enter(two)
    assert sorted(roster.boards()) == ["a", "c"]
    assert sorted(roster.devices_object()) == ["a", "c"]
    assert roster.routes()["a"].retain is False
    assert roster.queue("b") is queue
    assert sorted(roster.ledgers()) == ["a", "b", "c"]
    roster.enter(one)
    assert (roster.queue("b") is queue, roster.boards()["b"] is board) == (True, True)


def test_only_readings_of_this_run_have_a_ledger() -> None:
    """Those of earlier runs are accounted for in the spool."""
    roster = Roster(loads("[devices.d]\ndriver = 'mock'\n"), Topics("B"), FakeClock(), "run1", Inbox())
    ledger = roster.ledger_of(row(1))
    assert ledger is roster.queue("d").ledger
    old = row(2)
    old.run = "earlier"
    assert roster.ledger_of(old) is None
    ledger.accepted()
    roster.follow(Counter({("d", "run1"): 1, ("d", "earlier"): 5, ("x", "run1"): 5}), Ledger.died)
    assert (ledger.snapshot().dead, ledger.snapshot().queued) == (1, 0)
    ledger.refused("rate")
    assert roster.lost_outside() == {"d": 1}
