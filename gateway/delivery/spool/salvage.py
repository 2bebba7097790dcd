"""A damaged spool is moved aside, never deleted; what can still be read of it goes into a new one.

A kill or a power cut at any moment leaves either the damaged file in its place, to be salvaged again, or the new one
complete. So the new one is built beside it under another name, synced, renamed to say that it is complete, and only
then do the two change places; :func:`finish` does what is left of that.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.delivery.spool.damaged_file import DamagedFile
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.graft import graft, readable
from gateway.delivery.spool.record import DAMAGED, record_of

_LOG_FILES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came of it."""

    aside: Path
    rows: int
    """Readings that wait, saved."""
    damaged: int
    """Readings that are dead letters now, because their checksum was wrong or their names are lost."""


def begin_anew(path: Path) -> Salvaged:
    """Put a new spool in the place of a damaged one, with everything in it that can still be read.

    Raises ``OSError`` or ``sqlite3.Error`` when the new one cannot be written; the damaged one is in its place then.
    """
    _need_room(path)
    building = _beside(path, ".salvaging")
    for name in (building, *(_beside(building, suffix) for suffix in _LOG_FILES)):
        name.unlink(missing_ok=True)
    new = SpoolFile(building)
    try:
        if not path.exists() or path.stat().st_size == 0:
            # SQLite would delete the log of an empty file unread, and needs the tables' places to read it
            shutil.copy(building, path)
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):  # nobody needs it before it is complete
            new.execute(f"PRAGMA {pragma}")
        rows, damaged = _copy(path, building, new)
    finally:
        new.close()
    sync(building)
    building.rename(_beside(path, ".salvaged"))
    sync(path.parent)
    aside = finish(path)
    assert aside is not None
    return Salvaged(aside, rows, damaged)


def finish(path: Path) -> Path | None:
    """Let a complete new spool take the place of the damaged one. The new name of that; ``None``: there was none."""
    complete = _beside(path, ".salvaged")
    if not complete.exists():
        return None
    if path.exists():
        aside = _free_name(path)
        path.rename(aside)
        sync(path.parent)
    else:  # it was moved before a kill
        aside = max(asides(path), key=lambda one: one.stat().st_ctime_ns, default=_free_name(path))
    for suffix in _LOG_FILES:
        if (log := _beside(path, suffix)).exists():
            log.rename(_beside(aside, suffix))
            sync(path.parent)
    complete.rename(path)
    sync(path.parent)
    return aside


def asides(path: Path) -> list[Path]:
    """Damaged files that were kept, the oldest first."""
    return sorted(one for one in path.parent.glob(f"{path.name}.damaged-*") if not one.name.endswith(_LOG_FILES))


def sync(path: Path) -> None:
    """Make the content of a file, or the names in a folder, last."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _free_name(path: Path) -> Path:
    """For a damaged file, by the time of now."""
    stem = _beside(path, f".damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    return next(name for number in range(1, 1000) if not (name := _beside(stem, f"-{number}" * (number > 1))).exists())


def _need_room(path: Path) -> None:
    """Look before the card is worn by a try that must fail."""
    needed = sum(file.stat().st_size for file in (path, _beside(path, "-wal")) if file.exists())
    disk = os.statvfs(path.parent)
    if disk.f_bavail * disk.f_frsize < needed:
        raise OSError(errno.ENOSPC, f"it is damaged, and saving what can be read takes {-(-needed // 1_000_000)} MB")


def _copy(path: Path, building: Path, new: SpoolFile) -> tuple[int, int]:
    """Everything that can be read, with its numbers: how many readings wait, and how many of them died."""
    grafted = _beside(path, ".readable")
    whole = readable(path)
    if not whole:
        graft(path, building, grafted)
    old = DamagedFile(path if whole else grafted)
    try:
        with new.transaction():
            _copy_names(old, new)
            if whole:
                _insert(new, "loss", (row for row in old.all_rows("loss") if _types(row) == [int, int, int]))
            rows, damaged = _copy_log(old, new)
            _insert(new, "kept", (row for row in old.rows("kept", record_of) if record_of(row) is not None))
            _insert(new, "dead", old.rows("dead", record_of))
    finally:
        old.close()
        for name in (grafted, *(_beside(grafted, suffix) for suffix in _LOG_FILES)):
            name.unlink(missing_ok=True)
    return rows, damaged


def _copy_names(old: DamagedFile, new: SpoolFile) -> None:
    """Devices and runs, without which a row has no meaning."""
    _insert(new, "stream", (row for row in old.rows("stream", _is_stream) if _is_stream(row)))
    _insert(new, "run", (row for row in old.rows("run", _is_run) if _is_run(row)))
    new.execute("UPDATE run SET exact = 0")  # what of it is missing now is not known


def _copy_log(old: DamagedFile, new: SpoolFile) -> tuple[int, int]:
    streams, runs = set(new.streams()), {run[0] for run in new.runs()}

    bad = 0

    def is_good(row: tuple[Any, ...]) -> bool:
        nonlocal bad
        record = record_of(row)
        good = record is not None and record.stream in streams and record.run in runs
        bad += not good and row[0] != 0
        return good

    rows = _insert(new, "log", filter(is_good, old.rows("log", record_of)))
    now_ns = time.time_ns()
    others = (row for row in old.rows("log", record_of) if not is_good(row))
    damaged = _insert(new, "dead", ((*row, DAMAGED, now_ns) for row in others if row[0] != 0)) if bad else 0
    newest = (row for row in old.rows("log", record_of) if row[0] == 0)
    _insert(new, "log", (row for row in itertools.islice(newest, 1) if row[2] in runs and isinstance(row[8], bytes)))
    return rows, damaged


def _insert(new: SpoolFile, table: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """How many of them were not there."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return 0
    marks = ", ".join("?" * len(first))
    statement = f"INSERT OR IGNORE INTO {table} VALUES ({marks})"  # noqa: S608 (one of six words)
    return new.execute_many(statement, itertools.chain([first], rows))


def _is_stream(row: tuple[Any, ...]) -> bool:
    return _types(row) == [int, str, str, str, int, int]


def _is_run(row: tuple[Any, ...]) -> bool:
    return _types(row) == [int, str, str, int, int, bytes]


def _types(row: tuple[Any, ...]) -> list[type]:
    return [type(value) for value in row]
