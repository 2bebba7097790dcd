"""What a person can ask of the spool: retry dead letters, send kept readings again, delete. On the file itself.

Used on the publisher's thread while a gateway runs (:mod:`desk`), and by the command alone, under the spool's lock,
when none does. Counts are per (device, run), so that every ledger can follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.delivery.memory_store import MemoryStore
from gateway.delivery.spool.backlog import Backlog
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.journal import Journal
from gateway.delivery.spool.record import DAMAGED
from gateway.delivery.store import Counts, Row, Unavailable, What

PATIENCE = 60.0
"""Seconds for a running gateway to carry a request out; a large spool takes some."""
NOTHING_KEPT = 'nothing is kept: set [spool] keep, for example keep = "7d", and readings of that time can be sent again'

_COLUMNS = "id, stream, run, seq, boot_ns, wall_ns, flags, crc, body"


class Care:
    """A :class:`gateway.delivery.store.Caretaker` for a spool in use. On the publisher's thread."""

    def __init__(
        self,
        disk: Disk,
        journal: Journal,
        backlog: Backlog,
        memory: MemoryStore,
        evict_from: Callable[[str], list[Row]],
    ) -> None:
        """``evict_from`` takes some late rows of a device out of the file, until there are none."""
        self._disk = disk
        self._journal = journal
        self._backlog = backlog
        self._memory = memory
        self._evict_from = evict_from

    def flush(self) -> None:
        """See :class:`Caretaker`."""
        self._journal.write([])

    def in_memory(self) -> tuple[list[Row], list[Row]]:
        """See :class:`Caretaker`."""
        waiting, dead = self._memory.in_memory()
        return [row for row in waiting if not row.stored], dead

    def retry(self) -> Counts:
        """See :class:`Caretaker`."""
        return self._moved(retry) + self._memory.retry()

    def resend(self, since_ns: int) -> Counts:
        """See :class:`Caretaker`."""
        return self._moved(lambda file: resend(file, since_ns))

    def purge(self, what: What) -> Counts:
        """See :class:`Caretaker`. A reading that is under way, or may still go live, is not deleted."""
        self._journal.write([])
        counts = self._memory.purge(what)
        if what is What.QUEUED:
            return counts + self._purge_queued()
        deleted = self._disk.change(lambda file: delete(file, what))
        if deleted is None:
            raise Unavailable
        self._journal.deleted(deleted if what is What.DEAD else Counter())
        return counts + deleted

    def _moved(self, move: Callable[[SpoolFile], Moved]) -> Counts:
        self._journal.write([])
        moved = self._disk.change(move)
        if moved is None:
            raise Unavailable
        self._backlog.became_late(moved.ids)
        self._journal.load()
        return moved.counts

    def _purge_queued(self) -> Counts:
        counts: Counts = Counter()
        for device in self._journal.accounts.devices():
            while rows := self._evict_from(device):
                counts.update((row.device, row.run) for row in rows)
                self._journal.dropped(rows)
                self._journal.write([])
        return counts


@dataclass(frozen=True, slots=True)
class Moved:
    """Readings that wait again."""

    ids: list[int]
    counts: Counts


def retry(file: SpoolFile) -> Moved:
    """Put dead letters back into the log, all but those that cannot be read."""
    return _move(file, "dead", "reason <> ?", DAMAGED)


def resend(file: SpoolFile, since_ns: int) -> Moved:
    """Put kept readings taken since ``since_ns`` (wall clock) back into the log."""
    return _move(file, "kept", "wall_ns >= ?", since_ns)


def delete(file: SpoolFile, what: What) -> Counts:
    """Delete readings for good. What was waiting or dead counts as dropped in its run from then on."""
    table = "log" if what is What.QUEUED else str(what)
    with file.transaction():
        counts = _count(file, table, "t.id > 0")
        file.execute(f"DELETE FROM {table} WHERE id > 0")  # noqa: S608 (one of three words)
        for (device, run), count in counts.items() if what is not What.KEPT else ():
            file.add_loss(run, device, count)
    return counts


def _move(file: SpoolFile, table: str, where: str, value: object) -> Moved:
    with file.transaction():
        counts = _count(file, table, where, value)
        ids = [int(str(row[0])) for row in file.rows(f"SELECT id FROM {table} WHERE {where}", value)]  # noqa: S608 (constants)
        copy = f"INSERT OR IGNORE INTO log SELECT {_COLUMNS} FROM {table} WHERE {where}"  # noqa: S608 (constants)
        file.execute(copy, value)
        file.execute(f"DELETE FROM {table} WHERE {where}", value)  # noqa: S608 (constants)
    return Moved(ids, counts)


def _count(file: SpoolFile, table: str, where: str, *values: object) -> Counts:
    statement = (
        f"SELECT coalesce(s.device, '?'), coalesce(r.run, '?'), count(*) FROM {table} t "  # noqa: S608 (constants)
        f"LEFT JOIN stream s ON s.id = t.stream LEFT JOIN run r ON r.id = t.run WHERE {where} GROUP BY 1, 2"
    )
    return Counter({(str(row[0]), str(row[1])): int(str(row[2])) for row in file.rows(statement, *values)})


def per_device(counts: Counts) -> Iterator[dict[str, Any]]:
    """One line each: ``device``, ``readings``."""
    devices: Counter[str] = Counter()
    for (device, _run), count in counts.items():
        devices[device] += count
    yield from ({"device": device, "readings": count} for device, count in sorted(devices.items()))
