"""What is saved of a damaged spool, at a start and during a run, also when that is interrupted."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from support.spooling import SpoolBench

from gateway.delivery.spool import salvage
from gateway.delivery.spool.salvage import begin_anew, finish
from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Counts, Row
from gateway.status.ledger import Ledger

PAGE = 512


def drain(spool: Spool) -> list[Row]:
    """Take out all late rows and settle them."""
    rows: list[Row] = []
    while chunk := spool.next_chunk(100, 32_000):
        spool.settle(chunk)
        rows += chunk
    return rows


def asides(path: Path) -> list[str]:
    """Damaged databases that were kept."""
    names = (one.name for one in path.parent.glob(f"{path.name}.damaged-*"))
    return sorted(name for name in names if name[-4:] not in ("-wal", "-shm"))


def spoil(path: Path, first_page: int, pages: int = 1) -> None:
    """Overwrite pages."""
    with path.open("r+b") as file:
        file.seek(first_page * PAGE)
        file.write(b"\xa5" * PAGE * pages)


def write(path: Path, *statements: str) -> None:
    """Change the database as nobody should."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


@pytest.fixture
def filled(bench: SpoolBench) -> SpoolBench:
    """A spool with 300 waiting readings, a dead letter and a kept one, closed."""
    spool = bench.open("r1", keep=3600.0)
    rows = [bench.row(number) for number in range(1, 303)]
    spool.accept(rows)
    spool.bury(rows[:1], "too large")
    spool.settle(rows[1:2])
    spool.close()
    return bench


def test_all_that_can_be_read_is_saved(filled: SpoolBench) -> None:
    """Rows, dead letters, kept ones, and what is known of the run; the damaged file is kept as it was."""
    pages = filled.path.stat().st_size // PAGE
    spoil(filled.path, pages // 2)
    before = filled.path.read_bytes()
    spool = filled.open("r2", keep=3600.0)
    (aside,) = asides(filled.path)
    assert filled.path.with_name(aside).read_bytes() == before
    (run,) = spool.runs()
    assert (run["last_seq"], run["exact"]) == ({"d": 302}, False)
    assert 290 <= run["queued"] < 300  # type: ignore[operator]
    assert run["dead"] == 1
    assert spool.care.retry() == {("d", "r1"): 1}
    assert spool.care.resend(0) == {("d", "r1"): 1}
    seqs = [row.seq for row in drain(spool)]
    assert seqs[:2] == [1, 2]
    assert len(seqs) == run["queued"] + 2  # type: ignore[operator]
    (alarm,) = filled.alarms.texts()
    assert f"{run['queued']} reading(s) were saved" in alarm
    assert aside in alarm


def test_every_single_page_may_be_bad(filled: SpoolBench) -> None:
    """Whichever it is: the gateway starts, takes readings, and what it gives out is right."""
    good = filled.path.read_bytes()
    saved = []
    for page in (*range(12), *range(12, len(good) // PAGE, 20)):
        filled.path.write_bytes(good)
        spoil(filled.path, page)
        spool = filled.open("r2")
        assert spool.accept([filled.row(1000, run="r2")]) == []
        rows = drain(spool)
        assert all(row.body == filled.row(row.seq).body for row in rows)
        assert spool.status().state == "ok"
        saved.append(len(rows))
        spool.close()
    assert sum(count > 290 for count in saved) > len(saved) // 2


def test_a_row_with_a_wrong_checksum_is_a_dead_letter_of_the_new_file(filled: SpoolBench) -> None:
    """As it is; nobody tries to send it."""
    write(filled.path, "UPDATE log SET body = x'00' WHERE id = 100", "DROP TABLE kept")
    spool = filled.open("r2")
    assert (spool.status().queued, spool.status().dead) == (299, 2)
    assert spool.care.retry() == {("d", "r1"): 1}
    assert "299 reading(s) were saved from it, 1 damaged one(s) are dead letters" in filled.alarms.texts()[0]


def test_rows_without_names_are_dead_letters(filled: SpoolBench) -> None:
    """Where to send them is not known any more, and what they say is not thrown away."""
    write(filled.path, "DELETE FROM stream", "DROP TABLE kept")
    spool = filled.open("r2")
    assert (spool.status().queued, spool.status().dead) == (0, 301)


@pytest.mark.parametrize("how", ["emptied", "deleted"])
def test_the_log_of_a_lost_database_is_read(bench: SpoolBench, how: str) -> None:
    """SQLite would delete it unread."""
    spool = bench.open("r1")
    spool.accept([bench.row(number) for number in range(1, 101)])
    log = Path(f"{bench.path}-wal")
    content = log.read_bytes()
    spool.disk.close()
    if how == "emptied":
        bench.path.write_bytes(b"")
    else:
        bench.path.unlink()
    log.write_bytes(content)
    again = bench.open("r2")
    assert [row.seq for row in drain(again)] == list(range(1, 101))
    assert "the file is empty and its log is not" in bench.alarms.texts()[0]


def test_without_room_the_damaged_file_stays(filled: SpoolBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings are kept in memory; once there is room it is salvaged, and they are written."""
    filled.path.write_bytes(b"no database" * 1000)
    real = os.statvfs
    monkeypatch.setattr(os, "statvfs", lambda path: _without_room(real(path)))
    spool = filled.open("r2")
    assert spool.status().state == "memory"
    assert "saving what can be read takes 1 MB; free some space" in filled.alarms.texts()[0]
    assert asides(filled.path) == []
    spool.accept([filled.row(1000, run="r2")])
    monkeypatch.undo()
    filled.clock.advance(6)
    spool.tick(filled.clock.boot_ns())
    assert (spool.status().state, len(asides(filled.path)), spool.unsaved) == ("ok", 1, 0)


def _without_room(facts: os.statvfs_result) -> os.statvfs_result:
    values = list(facts)
    values[4] = 0  # f_bavail
    return os.statvfs_result(values)


class Interrupted(Exception):
    """In the place of a kill."""


@pytest.mark.parametrize("step", range(1, 12))
def test_an_interrupted_salvage_is_done_again_or_finished(
    filled: SpoolBench, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of its steps is the last one."""
    Path(f"{filled.path}-wal").write_bytes(b"an old log")
    spoil(filled.path, 20)
    steps = iter(range(1, 100))

    def counting(name: str, real: Callable[..., object]) -> None:
        def counted(*args: object) -> object:
            if next(steps) == step:
                raise Interrupted
            return real(*args)

        monkeypatch.setattr(*((Path, name) if name == "rename" else (salvage, name)), counted)

    counting("rename", Path.rename)
    counting("sync", salvage.sync)
    counting("SpoolFile", salvage.SpoolFile)
    with contextlib.suppress(Interrupted):
        begin_anew(filled.path)
    monkeypatch.undo()
    spool = filled.open("r2")
    assert len(drain(spool)) > 290
    assert len(asides(filled.path)) == 1
    assert finish(filled.path) is None


class Books:
    """The ledger of the device ``d``."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    def follow(self, counts: Counts, step: Callable[[Ledger, int], None]) -> None:
        """As the gateway does, for run ``r1``."""
        step(self.ledger, counts["d", "r1"])


def test_damage_that_comes_up_in_a_run_is_accounted_for(bench: SpoolBench) -> None:
    """What is known in memory is written again; what only the file had and cannot be read is dropped as ``damaged``."""
    books = Books()
    spool = bench.open("r1", follow=books.follow)
    rows = [bench.row(number) for number in range(1, 20_001)]
    for _ in rows:
        books.ledger.accepted()
    spool.accept(rows)
    spool.demote(rows[:-10])
    out = spool.next_chunk(100, 32_000)
    write(bench.path, "PRAGMA wal_checkpoint(TRUNCATE)")
    pages = bench.path.stat().st_size // PAGE
    spoil(bench.path, pages // 3, 8)
    spoil(bench.path, pages - 3, 3)  # the newest, which the lanes still have
    seen: list[Row] = []
    for _ in range(5):
        for row in drain(spool):
            books.ledger.acked()
            seen.append(row)
        bench.clock.advance(2)
        spool.tick(bench.clock.boot_ns())
    lost = books.ledger.snapshot().dropped["damaged"]
    assert 0 < lost < 60
    assert "the spool was damaged" in bench.alarms.texts()[0]
    spool.settle([*out, *rows[-10:]])
    for _ in range(len(out) + 10):
        books.ledger.acked()
    snapshot = books.ledger.snapshot()
    assert (snapshot.queued, snapshot.balanced) == (0, True)
    assert len(seen) + len(out) + 10 + snapshot.dead + lost == 20_000
    assert Counter(row.seq for row in seen).most_common(1)[0][1] == 1
    spool.close()
    (account,) = bench.open("r2").runs()
    assert (account["queued"], account["dropped"], account["dead"]) == (0, lost, snapshot.dead)


def test_a_disk_that_damages_every_file_is_not_worn_out(filled: SpoolBench) -> None:
    """After one salvage the next waits for ten minutes, with readings in memory."""
    filled.path.write_bytes(b"no database" * 1000)
    spool = filled.open("r2")
    for _ in range(5):
        write_garbage(filled.path)
        spool.accept([filled.row(1000, run="r2")])
        filled.clock.advance(6)
        spool.tick(filled.clock.boot_ns())
    assert len(asides(filled.path)) == 1
    assert spool.status().state == "memory"
    assert any("damaged again" in text for text in filled.alarms.texts())
    filled.clock.advance(600)
    spool.tick(filled.clock.boot_ns())
    assert (len(asides(filled.path)), spool.status().state, spool.unsaved) == (2, "ok", 0)


def write_garbage(path: Path) -> None:
    """Into the file and its log."""
    for file in (path, Path(f"{path}-wal")):
        if file.exists():
            with file.open("r+b") as content:
                content.write(b"garbage " * (file.stat().st_size // 8))


@pytest.mark.parametrize("how", ["deleted", "cut short", "garbage at its end", "garbage from its start"])
def test_a_log_that_is_damaged_costs_what_only_it_had(bench: SpoolBench, how: str) -> None:
    """What was in the database is there, and the gateway goes on; a log without an end is what a kill leaves, too."""
    spool = bench.open("r1")
    spool.accept([bench.row(number) for number in range(1, 101)])
    write(bench.path, "PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(101, 201):
        spool.accept([bench.row(number)])
    log = Path(f"{bench.path}-wal")
    kept = {file: file.read_bytes() for file in (bench.path, log)}
    spool.disk.close()
    for file, content in kept.items():
        file.write_bytes(content)
    if how == "deleted":
        log.unlink()
    elif how == "cut short":
        os.truncate(log, log.stat().st_size // 2)
    else:
        with log.open("r+b") as file:
            file.seek(0 if how == "garbage from its start" else log.stat().st_size // 2)
            file.write(b"\xa5" * (log.stat().st_size // 2))
    again = bench.open("r2")
    seqs = [row.seq for row in drain(again)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert (len(seqs) == 100) == (how in ("deleted", "garbage from its start"))
    assert again.accept([bench.row(1000, run="r2")]) == []
    assert again.status().state == "ok"


def test_the_alarm_lasts_until_the_damaged_file_is_deleted(filled: SpoolBench) -> None:
    """It takes room; a start in between changes nothing about that."""
    spoil(filled.path, 20)
    filled.open("r2").close()
    filled.alarms.clear("spool.damaged")  # as in a new process
    spool = filled.open("r3")
    spool.tick(filled.clock.boot_ns())
    (aside,) = asides(filled.path)
    (alarm,) = filled.alarms.texts()
    assert alarm.startswith("the spool was damaged in an earlier run")
    assert aside in alarm
    filled.path.with_name(aside).unlink()
    filled.clock.advance(61)
    spool.tick(filled.clock.boot_ns())
    assert filled.alarms.texts() == []
