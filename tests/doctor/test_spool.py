"""What waits, what is dead, and who has the file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sickbed import Sickbed, found, only
from support.spooling import SpoolBench

from gateway.delivery.spool.lock import Lock, lock_path
from gateway.doctor import spool
from gateway.doctor.finding import State
from gateway.status.control import ControlError

CONFIG = '[spool]\nmax_size = "{}"\n[devices.a]\ndriver = "system"\n'
BIG = CONFIG.format("256MB")


@pytest.fixture
def bench(bed: Sickbed, tmp_path: Path) -> Iterator[SpoolBench]:
    """A spool at its place on the machine; it is taken a minute ago."""
    bench = SpoolBench(tmp_path)
    bench.path = bed.state / "spool.db"
    bed.probes["now"] = lambda: bench.clock.wall_ns() / 1e9 + 60
    yield bench
    bench.end()


def test_no_spool_yet(bed: Sickbed) -> None:
    """Nothing is wrong, with a configuration or without."""
    for patient in (bed.patient(BIG), bed.patient()):
        assert found(spool.spool, patient) == found(spool.sharing, patient) == []


def test_dead_letters(bed: Sickbed, bench: SpoolBench) -> None:
    """How many of which device; what waits for a minute is not worth a word, what waits for long is a hint."""
    store = bench.open("r1")
    rows = [bench.row(1), bench.row(2), bench.row(3, device="e")]
    store.accept(rows)
    assert found(spool.spool, bed.patient(BIG)) == []
    bed.probes["now"] = lambda: bench.clock.wall_ns() / 1e9 + 7200
    assert only(spool.spool, bed.patient(BIG))[:2] == (
        State.HINT,
        "3 readings wait for the broker, the oldest for 2.0 h",
    )
    store.bury(rows, "too large")
    state, text, fix = only(spool.spool, bed.patient(BIG))
    assert state is State.PROBLEM
    assert text == "readings that the broker refused for good (dead letters): 2 of d, 1 of e"
    assert "sensorpost spool dead-letters" in fix


@pytest.mark.parametrize(
    ("policy", "then"), [("drop_oldest", "the oldest go"), ("refuse_new", "new readings are refused")]
)
def test_nearly_full(bed: Sickbed, bench: SpoolBench, policy: str, then: str) -> None:
    """And what happens then."""
    bench.open("r1").accept([bench.row(number) for number in range(1, 400)])
    config = CONFIG.format("66kB").replace("[devices", f'when_full = "{policy}"\n[devices')
    state, text, fix = only(spool.spool, bed.patient(config))
    assert state is State.PROBLEM
    assert text.endswith(f"then {then}")
    assert "max_size" in fix


def test_a_damaged_file_that_was_kept(bed: Sickbed, bench: SpoolBench) -> None:
    """It takes room, and says something about the card."""
    bench.open("r1")
    aside = bed.file("/var/lib/sensorpost/spool.db.damaged-20261122T070000", "x")
    state, text, fix = only(spool.spool, bed.patient(BIG))
    assert state is State.PROBLEM
    assert str(aside) in text
    assert fix.endswith(f"sudo rm {aside}*")


def test_a_file_that_is_none(bed: Sickbed) -> None:
    """Damaged now, or of another program."""
    bed.file("/var/lib/sensorpost/spool.db", "no database at all, and long enough to be one" * 10)
    assert only(spool.spool, bed.patient(BIG))[0] is State.PROBLEM


def test_another_gateway_has_the_file(bed: Sickbed) -> None:
    """By its lock; not when it is that of this configuration, nor when it has ended."""
    lock = Lock(lock_path(bed.state / "spool.db"))
    bed.file("/proc/locks", f"1: FLOCK  ADVISORY  WRITE {os.getpid()} 08:01:393 0 EOF\n")
    state, text, fix = only(spool.sharing, bed.patient(BIG))
    assert state is State.PROBLEM
    assert f"process {os.getpid()}" in text
    assert 'path = "another.db" in [spool]' in fix
    bed.probes["answers"] = lambda _: {"run": "r"}
    assert found(spool.sharing, bed.patient(BIG)) == []

    def refuse(_: Path) -> None:
        raise ControlError("not permitted")

    bed.probes["answers"] = refuse
    assert found(spool.sharing, bed.patient(BIG)) == []
    lock.release()
    bed.probes["answers"] = lambda _: None
    bed.file("/proc/locks", "1: POSIX  ADVISORY  WRITE 1 08:01:393 0 EOF\n")
    assert found(spool.sharing, bed.patient(BIG)) == []
