"""Where accepted readings wait until the broker has acknowledged them. The seam between delivery and its storage.

The store holds every row that is not settled. A row is first *fresh* (the lanes hold it, to send it live), and when the
lanes find it late they hand it back with ``demote``; the store then gives late rows out again in arrays, oldest first.
All methods are called from the publisher's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.driver import Kind


class Durability(StrEnum):
    """When a reading is written to disk."""

    FULL = "full"
    """Before it is sent."""
    SPILL = "spill"
    """When the broker has not acknowledged it in time, and at stop."""
    MEMORY = "memory"
    """Never."""


ROW_OVERHEAD = 300
"""Bytes of memory that a row costs beside its body: the object, its numbers and its places in containers."""


@dataclass(slots=True, eq=False)
class Row:
    """An accepted reading on its way: what to send where, and what decides when."""

    id: int
    """Order of acceptance in this gateway, from 1."""
    device: str
    run: str
    seq: int
    kind: Kind
    topic: str
    """The live topic that the row was accepted for; it keeps it whatever the configuration becomes."""
    retain: bool
    batched: bool
    """Whether it travels in arrays on the batch topic."""
    body: bytes
    boot_ns: int
    wall_ns: int = 0
    clock: str | None = None
    """As in the reading: ``None`` when the wall clock was trusted."""
    durability: Durability = Durability.MEMORY
    this_boot: bool = True
    """Whether ``boot_ns`` is of the boot clock that runs now."""
    stored: bool = False
    """Whether it is on disk."""
    settled: bool = False
    """Whether the store has let go of it."""

    @property
    def cost(self) -> int:
        """Bytes of memory."""
        return len(self.body) + ROW_OVERHEAD


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """For ``spool`` in health."""

    state: str
    queued: int
    dead: int
    bytes: int
    oldest_boot_ns: int | None
    written_bytes: int


class Store(Protocol):
    """What the publisher needs of a store."""

    runs_changed: bool
    """Whether :meth:`runs` has another answer than the last time."""

    def accept(self, rows: Sequence[Row]) -> list[Row]:
        """Take rows; when this returns they are as safe as the store promises. The rows that it refused."""

    def demote(self, rows: Iterable[Row]) -> None:
        """These fresh rows are late."""

    def next_chunk(self, most_rows: int, most_bytes: int, skip: Container[str] = ()) -> list[Row]:
        """Late rows of one topic to send next, oldest first; empty when there is none that is not under way.

        Devices in ``skip`` are passed over.
        """

    def settle(self, rows: Iterable[Row]) -> None:
        """These rows need no more care: acknowledged."""

    def bury(self, rows: Iterable[Row], reason: str) -> None:
        """Set rows aside as dead letters."""

    def give_back(self, rows: Iterable[Row]) -> None:
        """Late rows that were given out could not be sent: they come again."""

    def holds(self, row: Row) -> bool:
        """Whether the row is not settled yet."""

    def rewind(self) -> None:
        """The connection is gone: late rows that were given out and are not settled will be given out again."""

    def make_room(self, evict_fresh: Callable[[str], Row | None]) -> list[Row]:
        """When over the limit, drop the oldest rows, not in flight, of the device that holds most bytes; those rows.

        ``evict_fresh`` takes the oldest row of a device from the lanes, ``None`` when they have none.
        """

    def tick(self, now_ns: int) -> None:
        """Do what is due; called several times a second with the boot clock."""

    def close(self) -> None:
        """The end: save what can be saved."""

    def left_over(self) -> list[Row]:
        """At the start: rows of earlier runs that may still go live."""

    def highest_id(self) -> int:
        """At the start: the highest row id that is in use."""

    def runs(self) -> list[dict[str, object]]:
        """``gateway/runs``."""

    def status(self) -> StoreStatus:
        """Figures for health."""


class MemoryStore:
    """Keeps rows in memory, within ``most_bytes``. They are lost with the process."""

    MOST_DEAD = 1000
    """Dead letters beyond this number are forgotten, oldest first; they stay counted."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes: dict[str, int] = {}
        self._total = 0
        self._rows: dict[int, Row] = {}
        self._late: dict[str, deque[Row]] = {}
        self._under_way: dict[int, Row] = {}
        self._dead: dict[int, tuple[Row, str]] = {}
        self._died = 0
        self._stored = 0
        self.runs_changed = False

    def accept(self, rows: Sequence[Row]) -> list[Row]:
        """See :class:`Store`. Refuses none; ``make_room`` keeps the limit."""
        for row in rows:
            self._rows[row.id] = row
            self._total += row.cost
            self._bytes[row.device] = self._bytes.get(row.device, 0) + row.cost
        return []

    def demote(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`."""
        for row in rows:
            self._late.setdefault(row.topic, deque()).append(row)

    def head(self, skip: Container[str] = ()) -> Row | None:
        """The oldest late row of a device that is not in ``skip``."""
        heads = [waiting[0] for waiting in self._late.values() if waiting and waiting[0].device not in skip]
        return min(heads, key=lambda row: row.id, default=None)

    def next_chunk(self, most_rows: int, most_bytes: int, skip: Container[str] = ()) -> list[Row]:
        """See :class:`Store`."""
        head = self.head(skip)
        if head is None:
            return []
        waiting = self._late[head.topic]
        chunk: list[Row] = []
        size = 2
        while waiting and len(chunk) < most_rows:
            size += len(waiting[0].body) + 1
            if chunk and (size > most_bytes or waiting[0].batched != chunk[0].batched):
                break
            chunk.append(waiting.popleft())
        self._under_way.update((row.id, row) for row in chunk)
        return chunk

    def settle(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`."""
        rows = list(rows)
        self.forget(rows)
        for row in rows:
            row.settled = True

    def forget(self, rows: Iterable[Row]) -> None:
        """Rows that live on elsewhere."""
        for row in rows:
            if self._rows.pop(row.id, None) is not None:
                self._total -= row.cost
                self._bytes[row.device] -= row.cost
                self._stored -= row.stored
            self._under_way.pop(row.id, None)

    def bury(self, rows: Iterable[Row], reason: str) -> None:
        """See :class:`Store`."""
        for row in rows:
            self.settle([row])
            self._died += 1
            self._dead[row.id] = (row, reason)
            if len(self._dead) > self.MOST_DEAD:
                del self._dead[next(iter(self._dead))]

    def give_back(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`."""
        for row in sorted(rows, key=lambda row: row.id, reverse=True):
            if self._under_way.pop(row.id, None) is not None:
                self._late.setdefault(row.topic, deque()).appendleft(row)

    def holds(self, row: Row) -> bool:
        """See :class:`Store`."""
        return not row.settled

    def rewind(self) -> None:
        """See :class:`Store`."""
        self.give_back(list(self._under_way.values()))

    def make_room(self, evict_fresh: Callable[[str], Row | None]) -> list[Row]:
        """See :class:`Store`."""
        dropped: list[Row] = []
        while self._total > self._most:
            for device in sorted(self._bytes, key=self._bytes.__getitem__, reverse=True):
                row = self._oldest_late(device) or evict_fresh(device)
                if row is not None:
                    break
            else:
                break
            self.settle([row])
            dropped.append(row)
        return dropped

    def tick(self, now_ns: int) -> None:
        """See :class:`Store`: nothing is ever due here."""

    def close(self) -> None:
        """See :class:`Store`: nothing can be saved here."""

    def left_over(self) -> list[Row]:
        """See :class:`Store`."""
        return []

    def highest_id(self) -> int:
        """See :class:`Store`."""
        return 0

    def runs(self) -> list[dict[str, object]]:
        """See :class:`Store`: no earlier run is known."""
        return []

    def status(self) -> StoreStatus:
        """See :class:`Store`."""
        return StoreStatus(
            state="memory",
            queued=len(self._rows),
            dead=self._died,
            bytes=self._total,
            oldest_boot_ns=next((row.boot_ns for row in self._rows.values()), None),
            written_bytes=0,
        )

    # For a store on disk that keeps some of its rows here -------------------------------------------------------------

    @property
    def unstored(self) -> int:
        """Rows that are here and nowhere else."""
        return len(self._rows) - self._stored

    def rows(self) -> list[Row]:
        """All rows, in the order of acceptance."""
        return list(self._rows.values())

    def now_stored(self, rows: Iterable[Row]) -> None:
        """These rows have been written to disk; those that are here stay here as well."""
        self._stored += sum(row.id in self._rows for row in rows)

    def take_late(self) -> list[Row]:
        """All late rows that are not under way; they are here no longer as late ones."""
        rows = sorted((row for waiting in self._late.values() for row in waiting), key=lambda row: row.id)
        self._late.clear()
        return rows

    def _oldest_late(self, device: str) -> Row | None:
        heads = [waiting for waiting in self._late.values() if waiting and waiting[0].device == device]
        return min(heads, key=lambda waiting: waiting[0].id).popleft() if heads else None
