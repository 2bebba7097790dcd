"""A store without a disk."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Container, Iterable, Sequence

from gateway.delivery.row_queue import by_id, put_back, take_array
from gateway.delivery.store import Counts, Durability, Row, StoreStatus, What


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

    def accept(self, rows: Sequence[Row]) -> list[Row]:
        """See :class:`Store`. Refuses none; ``make_room`` keeps the limit."""
        for row in rows:
            cost = row.cost
            self._rows[row.id] = row
            self._total += cost
            self._bytes[row.device] = self._bytes.get(row.device, 0) + cost
        return []

    def demote(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`."""
        self._put_late(rows)

    def head(self, skip: Container[str] = ()) -> Row | None:
        """The oldest late row of a device that is not in ``skip``."""
        heads = [waiting[0] for waiting in self._late.values() if waiting and waiting[0].device not in skip]
        return min(heads, key=by_id, default=None)

    def next_chunk(self, most_rows: int, most_bytes: int, skip: Container[str] = ()) -> list[Row]:
        """See :class:`Store`."""
        head = self.head(skip)
        if head is None:
            return []
        waiting = self._late[head.topic]
        chunk = take_array(waiting, most_rows, most_bytes)
        if not waiting:
            del self._late[head.topic]
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
                cost = row.cost
                self._total -= cost
                self._bytes[row.device] -= cost
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
        self._put_late([row for row in rows if self._under_way.pop(row.id, None) is not None])

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

    def retry(self) -> Counts:
        """See :class:`Caretaker`."""
        rows = [row for row, _reason in self._dead.values()]
        self._dead.clear()
        self._died -= len(rows)
        for row in rows:
            row.settled = False
        self.accept(rows)
        self.demote(rows)
        return _counted(rows)

    def resend(self, since_ns: int) -> Counts:  # noqa: ARG002 (part of what a store is)
        """See :class:`Caretaker`: nothing is kept here."""
        return Counter()

    def flush(self) -> None:
        """See :class:`Caretaker`: nothing is ever pending here."""

    def in_memory(self) -> tuple[list[Row], list[Row]]:
        """See :class:`Caretaker`: all."""
        return self.rows(), [row for row, _reason in self._dead.values()]

    def purge(self, what: What) -> Counts:
        """See :class:`Caretaker`."""
        rows: list[Row] = []
        if what is What.QUEUED:
            rows = self.take_late()
            self.settle(rows)
        elif what is What.DEAD:
            rows = [row for row, _reason in self._dead.values()]
            self._dead.clear()
            self._died -= len(rows)
        return _counted(rows)

    def tick(self, now_ns: int) -> None:
        """See :class:`Store`: nothing is ever due here."""

    def close(self) -> None:
        """See :class:`Store`: nothing can be saved here."""

    @property
    def unsaved(self) -> int:
        """See :class:`Store`: all."""
        return self.unstored

    def left_over(self) -> list[Row]:
        """See :class:`Store`."""
        return []

    def highest_id(self) -> int:
        """See :class:`Store`."""
        return 0

    def take_runs_changed(self) -> bool:
        """See :class:`Store`."""
        return False

    def runs(self) -> list[dict[str, object]]:
        """See :class:`Store`: no earlier run is known."""
        return []

    @property
    def queued(self) -> int:
        """See :class:`Store`."""
        return len(self._rows)

    def status(self) -> StoreStatus:
        """See :class:`Store`."""
        return StoreStatus(
            state="memory",
            queued=self.queued,
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

    def no_longer_stored(self, rows: Iterable[Row]) -> None:
        """These rows are not on disk after all."""
        self._stored -= sum(row.id in self._rows for row in rows)

    def take_dead(self) -> dict[str, list[Row]]:
        """By reason, the dead letters that may be on disk; they are here no longer."""
        taken: dict[str, list[Row]] = {}
        for row, reason in list(self._dead.values()):
            if row.durability is not Durability.MEMORY:
                taken.setdefault(reason, []).append(row)
                del self._dead[row.id]
                self._died -= 1
        return taken

    def take_late(self) -> list[Row]:
        """All late rows that are not under way; they are here no longer as late ones."""
        rows = sorted((row for waiting in self._late.values() for row in waiting), key=by_id)
        self._late.clear()
        return rows

    def _put_late(self, rows: Iterable[Row]) -> None:
        """Each to its place in the order of acceptance: they come back in any order."""
        topics: dict[str, list[Row]] = {}
        for row in rows:
            topics.setdefault(row.topic, []).append(row)
        for topic, late in topics.items():
            self._late[topic] = put_back(self._late.get(topic, deque()), late)

    def _oldest_late(self, device: str) -> Row | None:
        heads = [waiting for waiting in self._late.values() if waiting and waiting[0].device == device]
        return min(heads, key=lambda waiting: waiting[0].id).popleft() if heads else None


def _counted(rows: Iterable[Row]) -> Counts:
    return Counter((row.device, row.run) for row in rows)
