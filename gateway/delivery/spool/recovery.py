"""After trouble with the disk: what is known in memory and what is in the file are made to agree again.

A commit that was reported as failed may be in the file all the same, and a file that was damaged and begun anew may
lack rows that are still known here. The rest of what it lacks is lost, and counted.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.delivery.memory_store import MemoryStore
from gateway.delivery.spool.backlog import Backlog
from gateway.delivery.spool.dead_letters import DeadLetters
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.journal import Journal
from gateway.delivery.store import Durability, Row


class Recovery:
    """Used by the publisher's thread."""

    def __init__(
        self, disk: Disk, journal: Journal, backlog: Backlog, memory: MemoryStore, dead_letters: DeadLetters
    ) -> None:
        self._disk = disk
        self._journal = journal
        self._backlog = backlog
        self._memory = memory
        self._dead_letters = dead_letters

    def load(self) -> None:
        """Learn what is in the file that was opened."""
        self._journal.load()
        missing = self._disk.attempt(self._compare)
        if missing:
            self._journal.write(missing)
        total = self._journal.accounts.total
        self._disk.attempt(lambda file: self._backlog.begin(file, total))

    def run(self, store: Callable[[list[Row]], None], demote: Callable[[list[Row]], None]) -> None:
        """The disk takes rows again: write those that should have been there, and read late ones from there."""
        before, begun_anew = self._journal.accounts, self._disk.begun_anew
        self._disk.begun_anew = False
        self.load()
        late = [row for row in self._memory.take_late() if row.durability is not Durability.MEMORY or row.stored]
        store(self.unsaved())
        demote(late)
        for reason, rows in self._memory.take_dead().items():
            self._bury(rows, reason)
        if begun_anew:
            self._dead_letters.lost(before)
        self._disk.settled()

    def unsaved(self) -> list[Row]:
        """Rows that may be on disk and are not."""
        return [row for row in self._memory.rows() if not row.stored and row.durability is not Durability.MEMORY]

    def _bury(self, rows: list[Row], reason: str) -> None:
        """Rows that died while the disk refused; their ledgers know it."""
        there = self._disk.attempt(lambda file: {row.id for row in rows if self._journal.is_there(file, row)}) or set()
        for row in rows:
            row.stored = row.id in there
            self._backlog.out(row.id)
        if not self._dead_letters.bury(rows, reason):
            self._memory.bury(rows, reason)

    def _compare(self, file: SpoolFile) -> list[Row]:
        """Mark rows in memory as what they are; rows read ahead or under way that the file has lost."""
        for row in self._memory.rows():
            is_there = self._journal.is_there(file, row)
            if is_there and not row.stored:
                self._memory.now_stored([row])
                self._backlog.fresh.add(row.id)
            elif row.stored and not is_there:
                self._memory.no_longer_stored([row])
                self._backlog.fresh.discard(row.id)
            row.stored = is_there
        return [row for row in self._backlog.rows() if not self._journal.is_there(file, row)]
