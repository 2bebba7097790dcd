"""Writes rows to the spool's file and takes them out again.

Deletions wait for the next insertion and travel in its transaction, so an acknowledged reading costs no write of its
own; where nothing comes, they are written after 5 s.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence

from gateway.clocks import Clock
from gateway.delivery.spool.accounts import Accounts, RunAccount
from gateway.delivery.spool.disk import Disk
from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.losses import Losses
from gateway.delivery.spool.record import UNSYNCED, Record, Stream, pack_last
from gateway.delivery.spool.streams import Streams, stream_of
from gateway.delivery.store import Counts, Durability, Row
from gateway.driver import Kind

SECOND = 1_000_000_000
DELETE_WITHIN_NS = 5 * SECOND
DELETE_AT = 500


class Journal:
    """Everything that is written. Every method does nothing, or says so, while the disk refuses."""

    def __init__(self, disk: Disk, clock: Clock, *, run: str, boot_id: str, exact: bool, keep_ns: int) -> None:
        """``exact``: every device of this run is ``full``; ``keep_ns``: how long acknowledged rows stay."""
        self._disk = disk
        self._clock = clock
        self._run = run
        self._boot_id = boot_id
        self._exact = exact
        self.keep_ns = keep_ns
        self.accounts = Accounts()
        self.runs_changed = True
        self.streams = Streams()
        self._last: dict[str, tuple[Stream, int]] = {}
        self._run_number = 0
        self._deletes: list[Row] = []
        self._keep: list[tuple[Row, int]] = []
        self._forgotten: list[int] = []
        """Dead letters to delete with the next write."""
        self._flush_ns: int | None = None
        self.losses = Losses(run)
        self.on_written: Callable[[], None] = lambda: None
        """Called when pending deletions were carried out."""

    def load(self) -> None:
        """The file was opened, at the start or after trouble: learn what is in it, and enter this run."""
        self._disk.reopened = False
        self._disk.change(self._load)

    def _load(self, file: SpoolFile) -> bool:
        with file.transaction():
            file.delete(row.id for row in self._deletes)
            file.forget_dead(self._forgotten)
        self._deletes.clear()
        self._forgotten.clear()
        accounts = Accounts()
        accounts.load(file)
        self.streams.load(file)
        number = file.begin_run(self._run, self._boot_id, exact=self._exact)
        newest = file.newest()
        if newest is not None and newest[0] != number and newest[0] in accounts.runs:
            # row 0 will be ours: what it says of an earlier run moves to that run's entry
            with file.transaction():
                file.update_run(newest[0], newest[1])
        known = accounts.runs.get(number)
        accounts.runs[number] = known or RunAccount(number, self._run, self._boot_id, self._exact)
        self.losses.again()
        self._run_number = number
        self.accounts = accounts
        for device, run, count in self.losses.earlier():
            self._account_of(run).losses[device] += count
        self.runs_changed = True
        self._forget_empty_runs(file)
        return True

    # In --------------------------------------------------------------------------------------------------------------

    def note(self, row: Row) -> None:
        """The row was accepted: remember its seq for row 0."""
        if row.durability is not Durability.MEMORY:
            self._last[row.device] = (stream_of(row), row.seq)

    def write(self, rows: Sequence[Row]) -> bool:
        """Insert rows and carry out pending deletions, in one transaction. True when it is on disk."""
        if not any((rows, self._deletes, self._keep, self._forgotten, self.losses.pending)):
            self._flush_ns = None
            return True
        if not self._disk.change(lambda file: self._write(file, rows)):
            return False
        for row in rows:
            row.stored = True
            self.accounts.add(row.device, self.account(row).number, len(row.body))
        self._deletes.clear()
        self._keep.clear()
        self._forgotten.clear()
        self.losses.written()
        self._flush_ns = None
        self.on_written()
        return True

    def _write(self, file: SpoolFile, rows: Sequence[Row]) -> bool:
        with self.streams.transaction(file):
            records = [self.record(file, row) for row in rows]
            file.keep((self.record(file, row), acked_ns) for row, acked_ns in self._keep)
            file.forget_dead(self._forgotten)
            self.losses.write(file, self._run_number, self.streams.any_of)
            file.write(records, [row.id for row in self._deletes], self._run_number, self._newest(file))
        return True

    def _newest(self, file: SpoolFile) -> bytes:
        """What row 0 says of this run: the newest seq of every device."""
        return pack_last((self.streams.number(file, stream), seq) for stream, seq in self._last.values())

    # Out -------------------------------------------------------------------------------------------------------------

    def let_go(self, row: Row) -> None:
        """A stored row is settled: delete it with the next write."""
        self._deletes.append(row)
        self.gone(row)
        self._due()

    def keep(self, row: Row) -> None:
        """An acknowledged row stays for ``resend``."""
        if self.keep_ns and row.durability is not Durability.MEMORY:
            self._keep.append((row, self._clock.wall_ns()))
            self._due()

    def gone(self, row: Row) -> None:
        """A stored row is in the log no more, or soon will not be."""
        account = self.account(row)
        self.accounts.add(row.device, account.number, -len(row.body), -1)
        self.runs_changed = self.runs_changed or account.number != self._run_number

    def forget_dead(self, row_id: int, stream: int, run: int, size: int) -> None:
        """Drop a dead letter, with the next write."""
        self._forgotten.append(row_id)
        device, name = self.names(stream, run)
        self.accounts.died(device, run, -size, -1)
        self.count_dropped(device, name)

    def is_there(self, file: SpoolFile, row: Row) -> bool:
        """Whether the file has this very row."""
        found = next(file.rows("SELECT stream, run, seq FROM log WHERE id = ?", row.id), None)
        return found == (self.streams.known(stream_of(row)), self.account(row).number, row.seq)

    def names(self, stream: int, run: int) -> tuple[str, str]:
        """Device and run for their numbers; empty where a number means nothing."""
        known, account = self.streams.get(stream), self.accounts.runs.get(run)
        return (known.device if known else "", account.run if account else "")

    def dropped(self, rows: Iterable[Row]) -> None:
        """Rows of this or of earlier runs were dropped by policy."""
        for row in rows:
            self.count_dropped(row.device, row.run)

    def count_dropped(self, device: str, run: str, count: int = 1) -> None:
        """Readings were dropped; it is written with what comes next."""
        if run and self.losses.add(device, run, count):
            self._account_of(run).losses[device] += count
            self.runs_changed = True

    def deleted(self, counts: Counts) -> None:
        """Readings were deleted in the file by a person, where earlier runs are counted already: count anew."""
        for (device, run), count in counts.items():
            if run == self._run:
                self.losses.add(device, run, count)
        self.load()

    def tick(self, now_ns: int) -> None:
        """Carry out deletions that no insertion came for."""
        if self._flush_ns is not None and now_ns >= self._flush_ns:
            self.write([])

    def close(self) -> None:
        """Write what is pending and what is known of this run."""
        self.write([])

        def finish(file: SpoolFile) -> bool:
            with self.streams.transaction(file):
                self.losses.write(file, self._run_number, self.streams.any_of)
                file.update_run(self._run_number, self._newest(file))
            return True

        if self._run_number:
            self._disk.change(finish)

    # Names -----------------------------------------------------------------------------------------------------------

    def row_of(self, record: Record) -> Row | None:
        """A row as it was accepted; ``None`` for one whose names are not known."""
        stream = self.streams.get(record.stream)
        account = self.accounts.runs.get(record.run)
        if stream is None or account is None:
            return None
        return Row(
            id=record.id,
            device=stream.device,
            run=account.run,
            seq=record.seq,
            kind=Kind(stream.kind),
            topic=stream.topic,
            retain=stream.retain,
            batched=stream.batched,
            body=record.body,
            boot_ns=record.boot_ns,
            wall_ns=record.wall_ns,
            clock="unsynced" if record.flags & UNSYNCED else None,
            durability=Durability.FULL,
            this_boot=bool(self._boot_id) and account.boot_id == self._boot_id,
            stored=True,
        )

    def oldest_boot_ns(self, skip: Container[int]) -> int | None:
        """When the oldest row of the log, but for those in ``skip``, was read; by this boot's clock if possible."""
        found = self._disk.attempt(lambda file: file.oldest(skip))
        if found is None:
            return None
        run, boot_ns, wall_ns = found
        account = self.accounts.runs.get(run)
        if account is not None and account.boot_id == self._boot_id:
            return boot_ns
        return self._clock.boot_ns() - max(0, self._clock.wall_ns() - wall_ns)

    def earlier_runs(self) -> list[dict[str, object]]:
        """``gateway/runs``."""
        return self.accounts.earlier(self._run_number)

    def record(self, file: SpoolFile, row: Row) -> Record:
        """A row as the file has it."""
        return Record(
            id=row.id,
            stream=self.streams.number(file, stream_of(row)),
            run=self.account(row).number,
            seq=row.seq,
            boot_ns=row.boot_ns,
            wall_ns=row.wall_ns,
            flags=UNSYNCED if row.clock else 0,
            body=row.body,
        )

    def account(self, row: Row) -> RunAccount:
        """The account of the run that a row is of."""
        return self._account_of(row.run)

    def _account_of(self, run: str) -> RunAccount:
        current = self.accounts.runs.get(self._run_number)
        if current is not None and run == current.run:
            return current
        for account in self.accounts.runs.values():
            if account.run == run:
                return account
        return self.accounts.runs.setdefault(0, RunAccount(0, run, self._boot_id, exact=False))

    def _due(self) -> None:
        if self._flush_ns is None:
            self._flush_ns = self._clock.boot_ns() + DELETE_WITHIN_NS
        if len(self._deletes) + len(self._keep) >= DELETE_AT:
            self.write([])

    def _forget_empty_runs(self, file: SpoolFile) -> None:
        """Keep the newest 50 runs, and older ones only while they have rows."""
        for number in sorted(self.accounts.runs, reverse=True)[50:]:
            account = self.accounts.runs[number]
            if account.queued == account.dead == 0:
                with file.transaction():
                    file.forget_run(number)
                del self.accounts.runs[number]
