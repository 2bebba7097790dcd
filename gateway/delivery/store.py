"""Where accepted readings wait until the broker has acknowledged them. The seam between delivery and its storage.

The store holds every row that is not settled. A row is first *fresh* (the lanes hold it, to send it live), and when the
lanes find it late they hand it back with ``demote``; the store then gives late rows out again in arrays, oldest first.
All methods are called from the publisher's thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.driver import Kind
from gateway.status.ledger import Ledger


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


Counts = Counter[tuple[str, str]]
"""How many readings per (device, run)."""


Follow = Callable[[Counts, Callable[[Ledger, int], None]], None]
"""Called with what was done to readings, and the step that the ledgers of those of this run are to take."""


class What(StrEnum):
    """What can be deleted."""

    QUEUED = "queued"
    DEAD = "dead"
    KEPT = "kept"


class Unavailable(Exception):
    """The disk refuses now."""


class Caretaker(Protocol):
    """What a person can ask of a store. Counts are what was done; ``Unavailable`` when the disk refuses."""

    def flush(self) -> None:
        """Carry out what is pending, so that who looks into the file sees what is."""

    def in_memory(self) -> tuple[list[Row], list[Row]]:
        """Readings that who looks into the file does not see: those that wait, and dead letters."""

    def retry(self) -> Counts:
        """Let dead letters wait again, all but those that cannot be read."""

    def resend(self, since_ns: int) -> Counts:
        """Let acknowledged readings that were kept wait again: those taken since ``since_ns``, wall clock."""

    def purge(self, what: What) -> Counts:
        """Delete readings for good."""


class Store(Protocol):
    """What the publisher needs of a store."""

    def take_runs_changed(self) -> bool:
        """Whether :meth:`runs` has another answer than at the last question."""

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

    @property
    def unsaved(self) -> int:
        """Readings that end with the process."""

    def left_over(self) -> list[Row]:
        """At the start: rows of earlier runs that may still go live."""

    def highest_id(self) -> int:
        """At the start: the highest row id that is in use."""

    def runs(self) -> list[dict[str, object]]:
        """``gateway/runs``."""

    @property
    def queued(self) -> int:
        """Rows that wait or are under way; cheaper than the whole status."""

    def status(self) -> StoreStatus:
        """Figures for health."""
