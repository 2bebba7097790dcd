"""Looks into a spool without changing it, also while a gateway writes: for ``spool status``, ``export``, ``audit``."""

from __future__ import annotations

import json
import sqlite3
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gateway.delivery.spool.accounts import Accounts
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.lock import SpoolError
from gateway.delivery.spool.record import Stream, record_of
from gateway.delivery.spool.schema import STEPS, refuse_strange

STEP = 500
_NOBODY = Stream("?", "?", "", retain=False, batched=False)


@dataclass(slots=True)
class Share:
    """What the spool holds of one device, in readings."""

    queued: int = 0
    dead: int = 0
    kept: int = 0
    bytes: int = 0
    """Of the bodies of those that wait."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The spool at one instant."""

    devices: dict[str, Share]
    runs: list[dict[str, Any]]
    """As in ``gateway/runs``, with the one that writes or wrote last in front."""
    oldest_wall_ns: int | None
    """When the oldest reading that waits was taken, by the clock of then."""
    file_bytes: int
    losses: dict[str, dict[str, int]]
    """Per run and device how many readings were dropped, as far as the device is known."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One reading in the spool."""

    device: str
    run: str
    seq: int
    topic: str
    wall_ns: int
    reading: dict[str, Any] | None
    """The reading as it is or was sent; ``None`` when the row is damaged."""
    reason: str
    """Of a dead letter."""
    since_ns: int
    """Wall clock: when it died or was acknowledged; 0 while it waits."""


class View:
    """An open spool, read-only, everything of one instant. ``with View(path) as view:``."""

    def __init__(self, path: Path) -> None:
        """Raises ``FileNotFoundError`` when there is no spool, ``SpoolError`` when it cannot be read."""
        self._file = _ReadOnly(path)
        self._streams = self._file.streams()
        self._runs = {row[0]: row[1] for row in self._file.runs()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def contents(self) -> Contents:
        """Figures of all devices and runs."""
        shares: dict[str, Share] = {}
        for table in ("log", "dead", "kept"):
            for stream, _run, count, size, _highest in self._file.counts(table):
                share = shares.setdefault(self._stream(stream).device, Share())
                if table == "log":
                    share.queued += count
                    share.bytes += size
                elif table == "dead":
                    share.dead += count
                else:
                    share.kept += count
        accounts = Accounts()
        accounts.load(self._file)
        oldest = next(self._file.rows("SELECT wall_ns FROM log WHERE id > 0 ORDER BY id LIMIT 1"), None)
        path = self._file.path
        files = [path, path.with_name(path.name + "-wal")]
        return Contents(
            devices=dict(sorted(shares.items())),
            runs=accounts.earlier(current=0),
            oldest_wall_ns=_number(oldest[0]) if oldest else None,
            losses={account.run: dict(account.losses) for account in accounts.runs.values()},
            file_bytes=sum(file.stat().st_size for file in files if file.exists()),
        )

    def queued(self) -> Iterator[Entry]:
        """Readings that wait or are under way, oldest first."""
        return self._entries("log", "'', 0")

    def dead(self) -> Iterator[Entry]:
        """Dead letters, oldest first."""
        return self._entries("dead", "reason, died_ns")

    def kept(self) -> Iterator[Entry]:
        """Acknowledged readings that are kept for ``resend``, oldest first."""
        return self._entries("kept", "'', acked_ns")

    def _entries(self, table: str, more: str) -> Iterator[Entry]:
        columns = f"id, stream, run, seq, boot_ns, wall_ns, flags, crc, body, {more}"
        statement = f"SELECT {columns} FROM {table} WHERE id > ? ORDER BY id LIMIT {STEP}"  # noqa: S608 (constants)
        position = 0
        while rows := list(self._file.rows(statement, position)):
            for row in rows:
                stream, run = self._stream(row[1]), self._runs.get(_number(row[2]), "?")
                yield Entry(
                    device=stream.device,
                    run=run,
                    seq=_number(row[3]),
                    topic=stream.topic,
                    wall_ns=_number(row[5]),
                    reading=_reading(row),
                    reason=str(row[9]),
                    since_ns=_number(row[10]),
                )
            position = _number(rows[-1][0])

    def _stream(self, number: object) -> Stream:
        return self._streams.get(_number(number), _NOBODY)


class _ReadOnly(SpoolFile):
    """The spool's file, opened so that nothing in it can change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists() or path.stat().st_size == 0:  # SQLite would delete the log of an empty file
            raise FileNotFoundError(2, "there is no spool yet; the gateway makes it at its first start", str(path))
        try:
            self._db = _connect(path)
        except (sqlite3.OperationalError, OSError) as exc:
            raise SpoolError(f"{path}: cannot be read ({exc}); use the gateway's user, or sudo") from exc
        if self._db.execute("PRAGMA user_version").fetchone()[0] < len(STEPS):
            self._db.close()
            raise SpoolError(f"{path}: of an older sensorpost; start the gateway once, which brings it up to date")
        self._db.execute("BEGIN")


def _connect(path: Path) -> sqlite3.Connection:
    """Read-only. Without a right to write in the folder, a file in write-ahead mode opens only as one that rests."""
    uri = f"file:{urllib.parse.quote(str(path))}?mode=ro"
    wal = path.with_name(path.name + "-wal")
    at_rest = not wal.exists() or wal.stat().st_size == 0
    for last, address in enumerate((uri, f"{uri}&immutable=1") if at_rest else (uri, uri)):
        db = sqlite3.connect(address, uri=True, isolation_level=None, timeout=5.0)
        try:
            refuse_strange(db, path)
        except (sqlite3.Error, SpoolError) as exc:
            db.close()
            if last or isinstance(exc, SpoolError):
                raise
        else:
            return db
    raise AssertionError("unreachable")


def _number(value: object) -> int:
    """A number of a row; 0 for what a damaged one has in its place."""
    return value if isinstance(value, int) else 0


def _reading(row: tuple[object, ...]) -> dict[str, Any] | None:
    record = record_of(row)
    if record is None:
        return None
    try:
        value = json.loads(record.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
