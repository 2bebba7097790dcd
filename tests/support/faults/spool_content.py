"""What a spool's database holds, read without the gateway and without touching the original."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from gateway.delivery.spool.record import record_of, unpack_last

Identity = tuple[str, str, int]
"""(device, run, seq)."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One start of the gateway."""

    last_seq: dict[str, int]
    exact: bool
    dropped: dict[str, int]
    """Per device."""


@dataclass(frozen=True, slots=True)
class SpoolContent:
    """A snapshot."""

    waiting: dict[Identity, bytes] = field(default_factory=dict)
    dead: dict[Identity, str] = field(default_factory=dict)
    """With the reason."""
    kept: dict[Identity, bytes] = field(default_factory=dict)
    runs: dict[str, StoredRun] = field(default_factory=dict)
    damaged: int = 0
    """Rows whose CRC is wrong."""
    integrity: str = "ok"
    """What SQLite's own check says."""


def read_spool(path: Path) -> SpoolContent:
    """The content of a database that no process is writing to; empty when there is none.

    It is read from a copy: reading in place would begin a checkpoint, and the next start of the gateway is to find the
    very files that a kill has left.
    """
    if not path.exists() or path.stat().st_size == 0:
        return SpoolContent()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "spool.db"
        shutil.copyfile(path, copy)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        with contextlib.closing(sqlite3.connect(copy)) as db:
            return _read(db)


def _read(db: sqlite3.Connection) -> SpoolContent:
    integrity = "; ".join(str(row[0]) for row in db.execute("PRAGMA integrity_check(5)"))
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    if "log" not in tables:  # killed before the tables were made
        return SpoolContent(integrity=integrity)
    devices: dict[int, str] = dict(db.execute("SELECT id, device FROM stream").fetchall())
    names: dict[int, str] = dict(db.execute("SELECT id, run FROM run").fetchall())
    content = SpoolContent(runs=_runs(db, devices), integrity=integrity)
    damaged = 0
    for row in db.execute("SELECT * FROM log WHERE id > 0"):
        if record_of(row) is None:
            damaged += 1
        else:
            content.waiting[devices[row[1]], names[row[2]], row[3]] = bytes(row[8])
    for row in db.execute("SELECT * FROM kept"):
        content.kept[devices[row[1]], names[row[2]], row[3]] = bytes(row[8])
    for stream, run, seq, reason in db.execute("SELECT stream, run, seq, reason FROM dead"):
        content.dead[devices.get(stream, "?"), names.get(run, "?"), seq] = reason
    return SpoolContent(content.waiting, content.dead, content.kept, content.runs, damaged, integrity)


def _runs(db: sqlite3.Connection, devices: dict[int, str]) -> dict[str, StoredRun]:
    """The run table, and what row 0 of the log says of the newest run."""
    newest = db.execute("SELECT run, body FROM log WHERE id = 0").fetchone()
    found: dict[str, StoredRun] = {}
    for number, run, exact, packed in db.execute("SELECT id, run, exact, last FROM run").fetchall():
        last: dict[str, int] = {}
        for blob in (packed, newest[1] if newest is not None and newest[0] == number else b""):
            for stream, seq in unpack_last(bytes(blob)).items():
                device = devices.get(stream)
                if device is not None:
                    last[device] = max(seq, last.get(device, 0))
        losses = db.execute("SELECT stream, count FROM loss WHERE run = ?", (number,))
        dropped = {devices[stream]: count for stream, count in losses if stream in devices}
        found[run] = StoredRun(last, bool(exact), dropped)
    return found
