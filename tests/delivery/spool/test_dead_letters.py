"""Dead letters on disk: set aside in one step, counted where they are, and giving way when they fill the spool."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable

import pytest
from support.spooling import SpoolBench

from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Counts, What
from gateway.status.ledger import Ledger

SMALL = 65_536


class Books:
    """The ledger of the device ``d``, and all that it was told to follow."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.counts: Counts = Counter()

    def follow(self, counts: Counts, step: Callable[[Ledger, int], None]) -> None:
        """As the gateway does, for run ``r1``."""
        self.counts += counts
        step(self.ledger, counts["d", "r1"])


def fill(bench: SpoolBench, spool: Spool, ledger: Ledger, numbers: range) -> None:
    """Readings that come in and die."""
    for number in numbers:
        row = bench.row(number)
        ledger.accepted()
        spool.accept([row])
        spool.bury([row], "too large")
        ledger.died()


@pytest.mark.parametrize("refuse_new", [False, True])
def test_dead_letters_that_fill_the_spool_give_way(bench: SpoolBench, *, refuse_new: bool) -> None:
    """The oldest first, and new readings are taken with either policy; the ledger and the run's account follow."""
    books = Books()
    spool = bench.open("r1", max_bytes=SMALL, refuse_new=refuse_new, follow=books.follow)
    fill(bench, spool, books.ledger, range(1, 401))
    books.ledger.accepted()
    assert spool.accept([bench.row(1000)]) == []
    assert spool.make_room(lambda _device: None) == []
    snapshot = books.ledger.snapshot()
    dropped = snapshot.dropped["spool_full"]
    assert snapshot.balanced
    assert (snapshot.read, snapshot.queued, snapshot.dead) == (401, 1, 400 - dropped)
    assert 0 < dropped < 400
    assert (spool.status().queued, spool.status().dead) == (1, 400 - dropped)
    assert spool.status().bytes <= SMALL + 1024
    assert "dead letters fill more than half" in bench.alarms.texts()[0]
    with sqlite3.connect(bench.path) as db:
        assert db.execute("SELECT min(id), count(*) FROM dead").fetchone() == (dropped + 1, 400 - dropped)
    db.close()
    bench.kill(spool)
    (account,) = bench.open("r2").runs()
    assert (account["dropped"], account["dead"], account["queued"]) == (dropped, 400 - dropped, 1)


def test_the_alarm_ends_when_somebody_has_cleared_up(bench: SpoolBench) -> None:
    """After ``spool purge dead``."""
    books = Books()
    spool = bench.open("r1", max_bytes=SMALL, follow=books.follow)
    fill(bench, spool, books.ledger, range(1, 401))
    spool.make_room(lambda _device: None)
    assert bench.alarms.any
    spool.care.purge(What.DEAD)
    spool.tick(bench.clock.boot_ns())
    assert not bench.alarms.any


def test_few_dead_letters_stay_while_much_is_waiting(bench: SpoolBench) -> None:
    """As long as they hold less than the other half, readings that wait give way."""
    books = Books()
    spool = bench.open("r1", max_bytes=SMALL, follow=books.follow)
    fill(bench, spool, books.ledger, range(1, 51))
    rows = [bench.row(number) for number in range(51, 501)]
    spool.accept(rows)
    spool.demote(rows)
    assert [row.seq for row in spool.make_room(lambda _device: None)][:1] == [51]
    assert (spool.status().dead, books.counts) == (50, Counter())


def test_those_of_an_earlier_run_give_way_in_its_account(bench: SpoolBench) -> None:
    """The ledger of the run that drops them is not touched; what was dropped is known after a kill."""
    books = Books()
    first = bench.open("r0", max_bytes=SMALL * 4)
    rows = [bench.row(number, run="r0") for number in range(1, 401)]
    first.accept(rows)
    first.bury(rows, "too large")
    bench.kill(first)
    second = bench.open("r1", max_bytes=SMALL, follow=books.follow)
    second.make_room(lambda _device: None)
    dropped = books.counts["d", "r0"]
    assert dropped > 0
    assert books.ledger.snapshot().dropped == {"spool_full": 0}
    bench.kill(second)
    account = next(run for run in bench.open("r2").runs() if run["run"] == "r0")
    assert (account["dropped"], account["dead"]) == (dropped, 400 - dropped)


def test_a_burial_is_one_step(bench: SpoolBench) -> None:
    """A kill leaves no reading that waits and is dead at the same time."""
    spool = bench.open("r1")
    rows = [bench.row(1), bench.row(2)]
    spool.accept(rows)
    spool.bury(rows[:1], "too large")
    bench.kill(spool)
    (account,) = bench.open("r2").runs()
    assert (account["queued"], account["dead"]) == (1, 1)


def test_one_that_was_buried_can_be_tried_again_in_the_same_run(bench: SpoolBench) -> None:
    """It is given out."""
    spool = bench.open("r1")
    row = bench.row(1)
    spool.accept([row])
    spool.bury([row], "too large")
    spool.care.retry()
    assert [row.id for row in spool.next_chunk(10, 10_000)] == [1]


def test_a_reading_damaged_on_disk_is_dead_in_the_ledger_too(bench: SpoolBench) -> None:
    """It was waiting, and its device's ledger agrees with the spool; an alarm tells of it."""
    books = Books()
    spool = bench.open("r1", follow=books.follow)
    rows = [bench.row(number) for number in (1, 2, 3)]
    for _ in rows:
        books.ledger.accepted()
    spool.accept(rows)
    spool.demote(rows)
    with sqlite3.connect(bench.path) as db:
        db.execute("UPDATE log SET body = '{}' WHERE id = 2")
    db.close()
    assert [row.id for row in spool.next_chunk(10, 10_000)] == [1, 3]
    snapshot = books.ledger.snapshot()
    assert (snapshot.queued, snapshot.dead, snapshot.balanced) == (2, 1, True)
    assert (spool.status().queued, spool.status().dead) == (2, 1)
    assert "were damaged on the disk" in bench.alarms.texts()[0]


def test_a_row_without_a_name_is_dead_and_in_nobodys_ledger(bench: SpoolBench) -> None:
    """Its numbers were overwritten."""
    books = Books()
    spool = bench.open("r1", follow=books.follow)
    rows = [bench.row(1), bench.row(2)]
    spool.accept(rows)
    spool.demote(rows)
    with sqlite3.connect(bench.path) as db:
        db.execute("UPDATE log SET stream = NULL, run = x'00' WHERE id = 1")
    db.close()
    assert [row.id for row in spool.next_chunk(10, 10_000)] == [2]
    assert books.ledger.snapshot().dead == 0
    assert spool.status().dead == 1
