"""What a person can ask of the spool while the gateway runs: retry, purge, resend. On the publisher's thread."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.spool import Spool

What = Literal["queued", "dead", "kept"]

_COLUMNS = "id, stream, run, seq, boot_ns, wall_ns, flags, crc, body"


class Unavailable(Exception):
    """The disk refuses now."""


def retry(spool: Spool) -> Counter[tuple[str, str]]:
    """Put dead letters back into the log, all but those that cannot be read; how many per (device, run)."""
    return _move(spool, "dead", "reason <> 'damaged on disk'")


def resend(spool: Spool, since_ns: int) -> Counter[tuple[str, str]]:
    """Put kept readings taken since ``since_ns`` (wall clock) back into the log; how many per (device, run)."""
    return _move(spool, "kept", "wall_ns >= ?", since_ns)


def purge(spool: Spool, what: What) -> Counter[tuple[str, str]]:
    """Delete readings for good: those that wait and are not under way, dead letters, or kept ones."""
    spool.flush()
    if what == "queued":
        return spool.purge_queued()

    def delete(file: SpoolFile) -> Counter[tuple[str, str]]:
        counts = _count(spool, file, what, "1")
        with file.transaction():
            file.execute(f"DELETE FROM {what}")  # noqa: S608 (one of two words)
        return counts

    return _done(spool, spool.disk.attempt(delete))


def _move(spool: Spool, table: str, where: str, *values: object) -> Counter[tuple[str, str]]:
    spool.flush()

    def move(file: SpoolFile) -> Counter[tuple[str, str]]:
        counts = _count(spool, file, table, where, *values)
        ids = [int(str(row[0])) for row in file.rows(f"SELECT id FROM {table} WHERE {where}", *values)]  # noqa: S608 (constants)
        with file.transaction():
            copy = f"INSERT OR IGNORE INTO log SELECT {_COLUMNS} FROM {table} WHERE {where}"  # noqa: S608 (constants)
            file.execute(copy, *values)
            file.execute(f"DELETE FROM {table} WHERE {where}", *values)  # noqa: S608 (constants)
        spool.came_back(ids)
        return counts

    return _done(spool, spool.disk.attempt(move))


def _count(spool: Spool, file: SpoolFile, table: str, where: str, *values: object) -> Counter[tuple[str, str]]:
    statement = f"SELECT stream, run, count(*) FROM {table} WHERE {where} GROUP BY stream, run"  # noqa: S608 (constants)
    counts: Counter[tuple[str, str]] = Counter()
    for stream, run, count in file.rows(statement, *values):
        counts[spool.names(int(str(stream)), int(str(run)))] += int(str(count))
    return counts


def _done(spool: Spool, counts: Counter[tuple[str, str]] | None) -> Counter[tuple[str, str]]:
    if counts is None:
        raise Unavailable("the disk refuses now; see the alarms in gateway/health")
    spool.recount()
    return counts
