"""The store on disk. What it promises is contract section 6.

Rows on disk are read back when they are late; rows that are not (``memory``, ``spill`` within its time, everything
while the disk refuses) live in a :class:`MemoryStore`. The parts: :mod:`disk` keeps the file usable, :mod:`journal`
writes, :mod:`backlog` reads late rows back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from gateway.clocks import Clock
from gateway.delivery.memory_store import MemoryStore
from gateway.delivery.spool.backlog import Backlog
from gateway.delivery.spool.care import Care
from gateway.delivery.spool.dead_letters import DeadLetters
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.journal import SECOND, Journal
from gateway.delivery.spool.kept import Kept
from gateway.delivery.spool.recovery import Recovery
from gateway.delivery.store import Durability, Follow, Row, StoreStatus
from gateway.driver import Kind

LOOK_AGAIN_NS = SECOND
"""After a fruitless look for late rows that may be sent, the next look."""
EVICT_AT_ONCE = 64


class Spool:
    """A :class:`gateway.delivery.store.Store` that survives the process. Used by the publisher's thread."""

    def __init__(
        self,
        disk: Disk,
        clock: Clock,
        *,
        run: str,
        boot_id: str,
        exact: bool,
        max_bytes: int,
        memory_bytes: int,
        refuse_new: bool = False,
        spill_after: float = 1.0,
        keep: float = 0.0,
        lost_outside: Callable[[], Mapping[str, int]] = dict,
        follow: Follow = lambda _counts, _step: None,
    ) -> None:
        """``exact``: every device of this run is ``full``. ``disk`` may be in trouble already.

        ``lost_outside`` counts the readings of this run that were dropped before they came here, per device.
        ``follow`` makes the ledgers follow what the spool does by itself.
        """
        self.disk = disk
        self._clock = clock
        self._max_bytes = max_bytes
        self._refuse_new = refuse_new
        self._spill_ns = int(spill_after * SECOND)
        keep_ns = int(keep * SECOND)
        self._memory = MemoryStore(memory_bytes)
        self._journal = Journal(disk, clock, run=run, boot_id=boot_id, exact=exact, keep_ns=keep_ns)
        self._kept = Kept(disk, clock, keep_ns)
        self._dead = DeadLetters(disk, clock, self._journal, follow)
        self._backlog = Backlog(self._journal.row_of, self._dead.damaged)
        self._journal.on_written = self._backlog.written
        self._journal.losses.outside = lost_outside
        self.care = Care(disk, self._journal, self._backlog, self._memory, self._evict_from)
        self._spill: deque[tuple[int, Row]] = deque()
        self._look_ns = 0
        self._recovery = Recovery(disk, self._journal, self._backlog, self._memory, self._dead)
        self._recovery.load()

    def configure(self, max_bytes: int, spill_after: float, keep: float, *, refuse_new: bool) -> None:
        """As given to the constructor."""
        self._max_bytes = max_bytes
        self._spill_ns = int(spill_after * SECOND)
        self._journal.keep_ns = self._kept.keep_ns = int(keep * SECOND)
        self._refuse_new = refuse_new

    def accept(self, rows: Sequence[Row]) -> list[Row]:
        """See :class:`Store`: rows of ``full`` devices are committed and synced when this returns."""
        if self._refuse_new and not self._has_room():
            self._journal.dropped(rows)
            return list(rows)
        self._memory.accept(rows)
        for row in rows:
            self._journal.note(row)
            if row.durability is Durability.SPILL:
                self._spill.append((row.boot_ns + self._spill_ns, row))
        self._store([row for row in rows if row.durability is Durability.FULL])
        return []

    def demote(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`: a late row lives on disk, and no longer in memory."""
        rows = list(rows)
        self._store([row for row in rows if not row.stored and row.durability is not Durability.MEMORY])
        stored = [row for row in rows if row.stored]
        self._memory.forget(stored)
        self._backlog.became_late(row.id for row in stored)
        self._memory.demote(row for row in rows if not row.stored)

    def next_chunk(self, most_rows: int, most_bytes: int, skip: Container[str] = ()) -> list[Row]:
        """See :class:`Store`."""
        on_disk = self._head(skip)
        in_memory = self._memory.head(skip)
        if on_disk is not None and (in_memory is None or on_disk.id < in_memory.id):
            return self._backlog.take(on_disk, most_rows, most_bytes)
        return self._memory.next_chunk(most_rows, most_bytes, skip)

    def settle(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`. The deletion is written with the next insertion, or within 5 s."""
        for row in rows:
            if row.settled:
                continue
            self._journal.keep(row)
            self._let_go(row)

    def bury(self, rows: Iterable[Row], reason: str) -> None:
        """See :class:`Store`."""
        rows = list(rows)
        if not self._dead.bury(rows, reason):
            self._memory.bury(rows, reason)
            return
        self._memory.settle(rows)
        for row in rows:
            self._backlog.out(row.id)

    def give_back(self, rows: Iterable[Row]) -> None:
        """See :class:`Store`."""
        rows = list(rows)
        self._backlog.give_back(rows)
        self._memory.give_back(rows)

    def rewind(self) -> None:
        """See :class:`Store`."""
        self._backlog.give_back(list(self._backlog.under_way.values()))
        self._memory.rewind()

    def make_room(self, evict_fresh: Callable[[str], Row | None]) -> list[Row]:
        """See :class:`Store`."""
        dropped = self._memory.make_room(evict_fresh)
        self._journal.dropped(dropped)
        while not (self._refuse_new or self._has_room()):
            rows = self._evict(evict_fresh)
            if not rows:
                break
            self._journal.dropped(rows)
            self._journal.write([])
            dropped += rows
        return dropped

    def tick(self, now_ns: int) -> None:
        """See :class:`Store`."""
        self.disk.tick(now_ns)
        if self.disk.reopened:
            self._recovery.run(self._store, self.demote)
        self._store(self._spilled(now_ns))
        self._journal.tick(now_ns)
        self._dead.tick()
        self._kept.tick(now_ns)

    def close(self) -> None:
        """See :class:`Store`: everything that may be on disk is."""
        self.disk.last_try(self._clock.boot_ns())
        if self.disk.reopened:
            self._recovery.run(self._store, self.demote)
        self._store(self._recovery.unsaved())
        self._journal.close()
        self.disk.close()

    @property
    def unsaved(self) -> int:
        """See :class:`Store`."""
        return self._memory.unstored

    def left_over(self) -> list[Row]:
        """See :class:`Store`: of each sampled or state device, the newest row, if it is of this boot."""
        return self.disk.attempt(self._newest_rows) or []

    def highest_id(self) -> int:
        """See :class:`Store`."""
        found = self.disk.attempt(SpoolFile.highest_id)
        # not known while the disk refuses: the time in ms is beyond what any spool has, and grows
        return self._clock.wall_ns() // 1_000_000 if found is None else found

    def runs(self) -> list[dict[str, object]]:
        """See :class:`Store`."""
        return self._journal.earlier_runs()

    def take_runs_changed(self) -> bool:
        """See :class:`Store`."""
        changed, self._journal.runs_changed = self._journal.runs_changed, False
        return changed

    @property
    def queued(self) -> int:
        """See :class:`Store`."""
        return self._journal.accounts.total + self._memory.unstored

    def status(self) -> StoreStatus:
        """See :class:`Store`."""
        memory = self._memory.status()
        used = self.disk.attempt(SpoolFile.used_bytes) or 0
        on_disk = self._journal.oldest_boot_ns(skip=self._backlog.gone)
        oldest = [ns for ns in (memory.oldest_boot_ns, on_disk) if ns is not None]
        return StoreStatus(
            state=self.disk.state,
            queued=self.queued,
            dead=self._journal.accounts.dead + memory.dead,
            bytes=used + memory.bytes,
            oldest_boot_ns=min(oldest, default=None),
            written_bytes=self.disk.written_bytes(),
        )

    def _spilled(self, now_ns: int) -> list[Row]:
        """``spill`` rows to be written. With one that is due go all that wait: the broker does not answer now.

        Each would be due within ``spill_after`` and cost a commit, and it is commits that wear an SD card.
        """
        while self._spill and (self._spill[0][1].settled or self._spill[0][1].stored):
            self._spill.popleft()
        if not self._spill or self._spill[0][0] > now_ns:
            return []
        waiting = [row for _due_ns, row in self._spill if not (row.settled or row.stored)]
        self._spill.clear()
        return waiting

    def _store(self, rows: list[Row]) -> None:
        """Write rows that the lanes have; when the disk refuses they stay in memory and are written later."""
        if rows and self._journal.write(rows):
            self._memory.now_stored(rows)
            self._backlog.fresh.update(row.id for row in rows)

    def _let_go(self, row: Row) -> None:
        """The row is settled, wherever it is."""
        self._memory.settle([row])
        self._backlog.out(row.id)
        if row.stored:
            self._backlog.forget(row.id)
            self._journal.let_go(row)

    def _head(self, skip: Container[str]) -> Row | None:
        now_ns = self._clock.boot_ns()
        if now_ns < self._look_ns:
            return None
        head = self.disk.attempt(lambda file: self._backlog.head(file, skip))
        if head is None and self._backlog.unread:
            self._look_ns = now_ns + LOOK_AGAIN_NS
        return head

    def _has_room(self) -> bool:
        """Whether there is room, if need be once what nobody waits for has gone: kept rows, then dead letters."""
        while self.disk.state == "ok" and (self.disk.attempt(SpoolFile.used_bytes) or 0) > self._max_bytes:
            if not (self._kept.give_way() or self._dead.give_way()):
                return False
        return True

    def _evict(self, evict_fresh: Callable[[str], Row | None]) -> list[Row]:
        """Rows of the device that holds most, oldest first, that are not in flight."""
        device = self._journal.accounts.largest()
        if device is None:
            return []
        rows = self._evict_from(device)
        if not rows and (row := evict_fresh(device)) is not None:
            rows = [row]
            self._let_go(row)
        return rows

    def _evict_from(self, device: str) -> list[Row]:
        """The oldest late rows of a device, out of the file."""
        rows = self.disk.attempt(lambda file: self._backlog.oldest(file, device, EVICT_AT_ONCE)) or []
        self._backlog.drop({row.id for row in rows})
        for row in rows:
            self._let_go(row)
        return rows

    def _newest_rows(self, file: SpoolFile) -> list[Row]:
        newest: dict[str, int] = {}
        for stream_number, _run, _count, _size, highest in file.counts():
            stream = self._journal.streams.get(stream_number)
            if stream is not None and stream.kind != Kind.EVENT and not stream.batched:
                newest[stream.device] = max(highest, newest.get(stream.device, 0))
        rows: list[Row] = []
        for row_id in newest.values():
            for _id, record in file.scan(row_id - 1, 1):
                row = self._journal.row_of(record) if record is not None else None
                if row is not None and row.this_boot and self._journal.accounts.is_newest(row.device, row.run, row.seq):
                    rows.append(row)
        self._backlog.made_fresh(row.id for row in rows)
        return rows
