"""Readings that can never be delivered: set aside in a table of their own, until they are tried again or give way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.clocks import Clock
from gateway.delivery.spool.accounts import Accounts
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.journal import Journal
from gateway.delivery.store import Counts, Durability, Follow, Row
from gateway.status.ledger import Ledger

ROTTEN = "spool.rows"
CROWD = "spool.dead"
AT_ONCE = 64
ROW_BYTES = 100
"""What a row takes beside its body: numbers, reason, and its share of a page."""


class DeadLetters:
    """Used by the publisher's thread."""

    def __init__(self, disk: Disk, clock: Clock, journal: Journal, follow: Follow) -> None:
        self._disk = disk
        self._clock = clock
        self._journal = journal
        self._follow = follow
        self._crowded = False

    def bury(self, rows: Sequence[Row], reason: str) -> bool:
        """Move rows here, in one step. True when they are on disk."""
        if any(row.durability is Durability.MEMORY for row in rows):
            return False
        journal = self._journal

        def write(file: SpoolFile) -> bool:
            with journal.streams.transaction(file):
                file.bury([journal.record(file, row) for row in rows], reason, self._clock.wall_ns())
                file.delete(row.id for row in rows)
            return True

        if not self._disk.change(write):
            return False
        for row in rows:
            journal.accounts.died(row.device, journal.account(row).number, len(row.body))
            if row.stored:
                journal.gone(row)
        journal.runs_changed = True
        return True

    def damaged(self, row_id: int) -> None:
        """A row of the log cannot be read: set it aside as it is."""
        journal = self._journal
        found = self._disk.change(lambda file: file.bury_damaged(row_id, self._clock.wall_ns()))
        if found is None:
            return  # the disk refuses: it is found again when it no longer does
        journal.runs_changed = True
        self._disk.alarms.set(
            ROTTEN,
            "readings in the spool were damaged on the disk, and are dead letters now; list them with "
            "sensorpost spool dead-letters, and look at the SD card",
        )
        stream, run, size = found
        device, name = journal.names(stream, run)
        journal.accounts.died(device, run, size)
        journal.accounts.add(device, run, -size, -1)
        self._follow(Counter({(device, name): 1}), Ledger.died)

    def lost(self, before: Accounts) -> None:
        """The file was damaged and begun anew: what was waiting before and is not saved is dead or dropped."""
        after = self._journal.accounts
        died = after.died_of - before.died_of
        lost = before.waiting - after.waiting - died
        for (device, run), count in after.named(lost).items():
            self._journal.count_dropped(device, run, count)
        self._follow(after.named(died), Ledger.died)
        self._follow(after.named(lost), lambda ledger, count: ledger.dropped("damaged", count))

    def give_way(self) -> bool:
        """Drop some of the oldest when all of them take more room than what waits. Whether any was dropped."""
        accounts = self._journal.accounts
        waiting = sum(accounts.bytes.values()) + ROW_BYTES * accounts.total
        if accounts.dead_bytes + ROW_BYTES * accounts.dead <= waiting:
            return False
        found = self._disk.attempt(lambda file: file.oldest_dead(AT_ONCE))
        if not found:
            return False
        counts: Counts = Counter()
        for row_id, stream, run, size in found:
            self._journal.forget_dead(row_id, stream, run, size)
            counts[self._journal.names(stream, run)] += 1
        self._journal.write([])
        self._disk.alarms.set(
            CROWD,
            "dead letters fill more than half of the spool, so the oldest of them are dropped; see why with "
            "sensorpost spool dead-letters, then sensorpost spool retry or sensorpost spool purge dead",
        )
        self._crowded = True
        self._follow(counts, lambda ledger, count: ledger.discarded("spool_full", count))
        return True

    def tick(self) -> None:
        """Take the alarm back once somebody has cleared up."""
        if self._crowded and self._journal.accounts.dead == 0:
            self._crowded = False
            self._disk.alarms.clear(CROWD)
