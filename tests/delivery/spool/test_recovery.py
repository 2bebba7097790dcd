"""What happens once a disk that refused takes writes again."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator

import pytest
from support.spooling import SpoolBench

from gateway.delivery.spool.spool import Spool


class Quota:
    """No file of this process may grow beyond some size: the nearest to a full disk without one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def begin(self) -> None:
        """From now on."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._limit, self._before[1]))

    def end(self) -> None:
        """No more."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@pytest.fixture
def quota() -> Iterator[Quota]:
    """30 kB: room for the spool as it begins, and for little more."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    made = Quota(30_000)
    yield made
    made.end()
    signal.signal(signal.SIGXFSZ, before)


def refuse(bench: SpoolBench, spool: Spool, quota: Quota) -> int:
    """Give the spool readings until the disk refuses; the last one's number."""
    quota.begin()
    number = 1
    while spool.status().state == "ok":
        number += 1
        assert spool.accept([bench.row(number)]) == []
    return number


def test_what_waited_is_written_once(bench: SpoolBench, quota: Quota) -> None:
    """Under its own number, in its order, and counted once."""
    spool = bench.open("r1")
    last = refuse(bench, spool, quota)
    rows = [bench.row(number) for number in range(last + 1, last + 11)]
    spool.accept(rows)
    spool.demote(rows)
    quota.end()
    bench.clock.advance(6)
    spool.tick(bench.clock.boot_ns())
    assert (spool.status().state, spool.unsaved, spool.status().queued) == ("ok", 0, last + 9)
    assert bench.alarms.texts() == []
    assert [row.seq for row in spool.next_chunk(100, 32_000)] == list(range(last + 1, last + 11))
    bench.kill(spool)
    assert bench.open("r2").status().queued == last + 9


def test_letters_that_died_meanwhile_go_to_the_disk(bench: SpoolBench, quota: Quota) -> None:
    """Those that were on it before, and those that were not: they are dead there, too, and wait nowhere."""
    spool = bench.open("r1")
    stored = bench.row(1)
    spool.accept([stored])
    last = refuse(bench, spool, quota)
    unstored = bench.row(last + 1)
    spool.accept([unstored])
    spool.bury([stored, unstored], "too large")
    assert spool.status().dead == 2
    quota.end()
    bench.clock.advance(6)
    spool.tick(bench.clock.boot_ns())
    assert (spool.status().dead, spool.status().queued) == (2, last - 1)
    bench.kill(spool)
    (account,) = bench.open("r2").runs()
    assert (account["dead"], account["queued"]) == (2, last - 1)


def test_the_end_tries_once_more(bench: SpoolBench, quota: Quota) -> None:
    """A disk that takes writes again need not be waited for."""
    spool = bench.open("r1")
    last = refuse(bench, spool, quota)
    quota.end()
    spool.close()
    assert spool.unsaved == 0
    (account,) = bench.open("r2").runs()
    assert account["queued"] == last - 1


def test_a_spool_that_comes_late_keeps_its_rows(bench: SpoolBench) -> None:
    """Readings that were numbered without knowing what is in it do not take the place of others."""
    first = bench.open("r1")
    first.accept([bench.row(number) for number in range(1, 6)])
    bench.kill(first)
    away = bench.path.with_name("away")
    bench.path.rename(away)
    bench.path.mkdir()
    spool = bench.open("r2")
    number = spool.highest_id()
    spool.accept([bench.row(number + 1, run="r2"), bench.row(number + 2, run="r2")])
    bench.path.rmdir()
    away.rename(bench.path)
    bench.clock.advance(6)
    spool.tick(bench.clock.boot_ns())
    assert (spool.status().state, spool.status().queued) == ("ok", 7)
    assert [row.id for row in spool.next_chunk(100, 32_000)] == [1, 2, 3, 4, 5]
