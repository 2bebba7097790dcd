"""Looking into a spool while a gateway writes it, and when none does."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

import pytest
from support.spooling import SpoolBench

from gateway.delivery.spool.lock import SpoolError
from gateway.delivery.spool.view import Share, View


def test_all_that_is_there_while_it_is_written(bench: SpoolBench) -> None:
    """Waiting, dead and kept readings with their identity and bytes; the run that writes is the first."""
    spool = bench.open("r1", keep=3600.0)
    rows = [bench.row(1), bench.row(2), bench.row(3, device="e"), bench.row(4)]
    spool.accept(rows)
    spool.bury(rows[:1], "too large")
    spool.settle(rows[1:2])
    spool.care.flush()
    with View(bench.path) as view:
        contents = view.contents()
        assert contents.devices["d"] == Share(queued=1, dead=1, kept=1, bytes=len(rows[3].body))
        assert contents.devices["e"].queued == 1
        assert contents.runs == [
            {"run": "r1", "last_seq": {"d": 4, "e": 3}, "exact": True, "queued": 2, "dead": 1, "dropped": 0}
        ]
        assert contents.oldest_wall_ns == rows[2].wall_ns
        assert contents.file_bytes > 1000
        assert [(entry.device, entry.run, entry.seq) for entry in view.queued()] == [("e", "r1", 3), ("d", "r1", 4)]
        assert [(entry.seq, entry.reason, entry.topic) for entry in view.dead()] == [(1, "too large", "B/d")]
        (kept,) = view.kept()
        assert kept.reading is not None
        assert (kept.reading["seq"], kept.since_ns) == (2, bench.clock.wall_ns())
        spool.accept([bench.row(5)])
        assert len(list(view.queued())) == 2, "everything is of one instant"


def test_a_damaged_row_is_told_as_such(bench: SpoolBench) -> None:
    """It has an identity, as far as it can be read, and no reading."""
    spool = bench.open("r1")
    spool.accept([bench.row(1), bench.row(2)])
    bench.kill(spool)
    db = sqlite3.connect(bench.path)
    db.execute("UPDATE log SET body = x'00' WHERE id = 1")
    db.commit()
    db.close()
    with View(bench.path) as view:
        assert [(entry.seq, entry.reading is None) for entry in view.queued()] == [(1, True), (2, False)]


def test_what_cannot_be_read_is_said_in_one_line(bench: SpoolBench, tmp_path: Path) -> None:
    """No file, somebody else's file, a newer and an older one."""
    with pytest.raises(FileNotFoundError, match="there is no spool yet"):
        View(bench.path)
    bench.open("r1").close()
    for version, text in ((99, "newer sensorpost"), (0, "start the gateway once")):
        db = sqlite3.connect(bench.path)
        db.execute(f"PRAGMA user_version = {version}")
        db.close()
        with pytest.raises(SpoolError, match=text):
            View(bench.path)
    (tmp_path / "noise.db").write_bytes(os.urandom(5000))
    with pytest.raises(sqlite3.DatabaseError):
        View(tmp_path / "noise.db")


@pytest.mark.needs("root")
def test_a_folder_that_cannot_be_written() -> None:
    """A spool at rest can be read without a right to write beside it."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders let nobody else through
        bench = SpoolBench(Path(folder))
        spool = bench.open("r1")
        spool.accept([bench.row(1)])
        spool.close()
        for path, mode in ((Path(folder), 0o755), (bench.path.parent, 0o555), (bench.path, 0o444)):
            path.chmod(mode)
        assert _as_nobody(bench.path) == 1


def _as_nobody(path: Path) -> int:
    """How many readings wait, as a user without rights sees it; 99 when it cannot be read."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.setuid(65534)
            with View(path) as view:
                code = len(list(view.queued()))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
