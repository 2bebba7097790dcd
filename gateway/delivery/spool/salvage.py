"""A damaged spool is moved aside, never deleted; what can still be read of it goes into a new one."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.record import Record, Stream, pack_last, record_of, unpack_last

log = logging.getLogger(__name__)

STEP = 64


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came of it."""

    aside: Path
    rows: int
    damaged: int
    """Rows whose CRC was wrong; they lie among the dead letters of the new file."""


def move_aside(path: Path) -> Path:
    """Rename a damaged database and its log files; the new name of the database."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for suffix in ("-wal", "-shm", ""):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(aside.with_name(aside.name + suffix))
    return aside


def salvage(aside: Path, new: SpoolFile) -> Salvaged:
    """Copy every row that can be read from a damaged file into ``new``."""
    rows = damaged = 0
    try:
        old = sqlite3.connect(f"file:{aside}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error:
        return Salvaged(aside, 0, 0)
    try:
        names = _names(old)
        if names is not None:
            streams, runs = names
            rows, damaged = _copy(old, new, streams, runs)
    except sqlite3.Error as exc:
        log.debug("salvage ends early: %s", exc)
    finally:
        old.close()
    return Salvaged(aside, rows, damaged)


def _names(old: sqlite3.Connection) -> tuple[dict[int, Stream], dict[int, tuple[str, str, bool, int, bytes]]] | None:
    """Streams and runs of the damaged file; without them its rows have no meaning."""
    try:
        streams = {
            row[0]: Stream(str(row[1]), str(row[2]), str(row[3]), bool(row[4]), bool(row[5]))
            for row in old.execute("SELECT id, device, topic, kind, retain, batched FROM stream")
        }
        runs = {
            row[0]: (str(row[1]), str(row[2]), bool(row[3]), int(row[4]), bytes(row[5]))
            for row in old.execute("SELECT id, run, boot_id, exact, dropped, last FROM run")
        }
    except (sqlite3.Error, TypeError, ValueError):
        return None
    with contextlib.suppress(sqlite3.Error, TypeError, ValueError):
        number, last = old.execute("SELECT run, body FROM log WHERE id = 0").fetchone()
        if number in runs:  # the run that wrote last
            runs[number] = (*runs[number][:4], bytes(last))
    return streams, runs


def _copy(
    old: sqlite3.Connection,
    new: SpoolFile,
    streams: dict[int, Stream],
    runs: dict[int, tuple[str, str, bool, int, bytes]],
) -> tuple[int, int]:
    """Row by row, skipping what cannot be read."""
    with new.transaction():
        stream_ids = {number: new.stream(stream) for number, stream in streams.items()}
    run_ids: dict[int, int] = {}
    for number, (run, boot_id, _exact, dropped, last) in runs.items():
        run_ids[number] = new.begin_run(run, boot_id, exact=False)  # what is missing now is not known
        with new.transaction():
            known = ((stream_ids[stream], seq) for stream, seq in unpack_last(last).items() if stream in stream_ids)
            new.update_run(run_ids[number], pack_last(known))
            new.execute("UPDATE run SET dropped = ? WHERE id = ?", dropped, run_ids[number])
    _copy_losses(old, new, stream_ids, run_ids)
    good = bad = 0
    highest = _highest(old)
    position = 0
    while position < highest:
        rows = _read(old, position)
        if rows is None:
            position += 1  # an unreadable page: step over it, one id after the other
            continue
        if not rows:
            break
        records: list[Record] = []
        for row in rows:
            record = record_of(row)
            if record is not None and record.stream in stream_ids and record.run in run_ids:
                records.append(_renumbered(record, stream_ids[record.stream], run_ids[record.run]))
            elif row[0] != 0:
                bad += 1
        with new.transaction():
            for record in records:
                new.execute("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *record.columns())
        good += len(records)
        position = int(rows[-1][0])
    return good, bad


def _copy_losses(old: sqlite3.Connection, new: SpoolFile, stream_ids: dict[int, int], run_ids: dict[int, int]) -> None:
    """As far as they can be read; files of the first layout have none."""
    with contextlib.suppress(sqlite3.Error), new.transaction():
        for run, stream, count in old.execute("SELECT run, stream, count FROM loss").fetchall():
            if run in run_ids and stream in stream_ids:
                new.set_loss(run_ids[run], stream_ids[stream], count)


def _renumbered(record: Record, stream: int, run: int) -> Record:
    return Record(record.id, stream, run, record.seq, record.boot_ns, record.wall_ns, record.flags, record.body)


def _highest(old: sqlite3.Connection) -> int:
    try:
        return int(old.execute("SELECT max(id) FROM log").fetchone()[0] or 0)
    except (sqlite3.Error, TypeError):
        return 1_000_000  # not even that can be read: try a bounded range


def _read(old: sqlite3.Connection, after: int) -> list[tuple[Any, ...]] | None:
    try:
        return old.execute("SELECT * FROM log WHERE id > ? ORDER BY id LIMIT ?", (after, STEP)).fetchall()
    except sqlite3.Error:
        try:
            return old.execute("SELECT * FROM log WHERE id = ?", (after + 1,)).fetchall() or None
        except sqlite3.Error:
            return None
