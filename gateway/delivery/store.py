"""Where accepted readings wait until the broker has acknowledged them. The seam between delivery and its storage.

The store holds every row that is not settled. A row is first *fresh* (the lanes hold it, to send it live), and when the
lanes find it late they hand it back with ``demote``; the store then gives late rows out again in arrays, oldest first.
All methods are called from the publisher's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.driver import Kind

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

    def accept(self, rows: Sequence[Row]) -> None:
        """Take rows. When this returns they are as safe as the store promises."""

    def demote(self, rows: Iterable[Row]) -> None:
        """These fresh rows are late."""

    def next_chunk(self, most_rows: int, most_bytes: int, skip: Container[str] = ()) -> list[Row]:
        """Late rows of one topic to send next, oldest first; empty when there is none that is not under way.

        Devices in ``skip`` are passed over.
        """

    def settle(self, rows: Iterable[Row]) -> None:
        """These rows need no more care: acknowledged or dropped."""

    def bury(self, rows: Iterable[Row], reason: str) -> None:
        """Set rows aside as dead letters."""

    def give_back(self, rows: Iterable[Row]) -> None:
        """Late rows that were given out could not be sent: they come again."""

    def holds(self, row: Row) -> bool:
        """Whether the row is not settled yet."""

    def rewind(self) -> None:
        """The connection is gone: late rows that were given out and are not settled will be given out again."""

    def make_room(self) -> str | None:
        """The device to take a row from when the store is over its limit, else ``None``."""

    def evict(self, device: str) -> Row | None:
        """Take the oldest late row of a device that is not under way out of the store."""

    def status(self) -> StoreStatus:
        """Figures for health."""


class MemoryStore:
    """Keeps rows in memory, within ``most_bytes``. They are lost with the process."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes: dict[str, int] = {}
        self._total = 0
        self._rows: dict[int, Row] = {}
        self._late: dict[str, deque[Row]] = {}
        self._under_way: dict[int, Row] = {}
        self._dead: dict[int, tuple[Row, str]] = {}

    def accept(self, rows: Sequence[Row]) -> None:
        """See :class:`Store`."""
        for row in rows:
            self._rows[row.id] = row
            self._total += row.cost
            self._bytes[row.device] = self._bytes.get(row.device, 0) + row.cost

    def demote(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`."""
        for row in rows:
            self._late.setdefault(row.topic, deque()).append(row)

    def next_chunk(self, most_rows: int, most_bytes: int, skip: Container[str] = ()) -> list[Row]:
        """See :class:`Store`."""
        heads = [waiting[0] for waiting in self._late.values() if waiting and waiting[0].device not in skip]
        if not heads:
            return []
        waiting = self._late[min(heads, key=lambda row: row.id).topic]
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
        for row in rows:
            if self._rows.pop(row.id, None) is not None:
                self._total -= row.cost
                self._bytes[row.device] -= row.cost
            self._under_way.pop(row.id, None)

    def bury(self, rows: Iterable[Row], reason: str) -> None:
        """See :class:`Store`."""
        for row in rows:
            self._under_way.pop(row.id, None)
            self._dead[row.id] = (row, reason)

    def give_back(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`."""
        for row in sorted(rows, key=lambda row: row.id, reverse=True):
            self._under_way.pop(row.id, None)
            self._late.setdefault(row.topic, deque()).appendleft(row)

    def holds(self, row: Row) -> bool:
        """See :class:`Store`."""
        return row.id in self._rows

    def rewind(self) -> None:
        """See :class:`Store`."""
        self.give_back(list(self._under_way.values()))

    def make_room(self) -> str | None:
        """See :class:`Store`."""
        if self._total <= self._most:
            return None
        return max(self._bytes, key=self._bytes.__getitem__)

    def evict(self, device: str) -> Row | None:
        """See :class:`Store`."""
        heads = [waiting[0] for waiting in self._late.values() if waiting and waiting[0].device == device]
        if not heads:
            return None
        row = self._late[min(heads, key=lambda row: row.id).topic].popleft()
        self.settle([row])
        return row

    def status(self) -> StoreStatus:
        """See :class:`Store`."""
        oldest = next((row.boot_ns for row_id, row in self._rows.items() if row_id not in self._dead), None)
        return StoreStatus(
            state="memory",
            queued=len(self._rows) - len(self._dead),
            dead=len(self._dead),
            bytes=self._total,
            oldest_boot_ns=oldest,
            written_bytes=0,
        )
