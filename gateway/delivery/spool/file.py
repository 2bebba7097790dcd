"""The spool's file: SQLite, write-ahead log, synced at every commit. Only rows and numbers here, no policy.

Bytes count on an SD card. A small page (512 bytes) makes the usual commit, one reading in and the one before it out,
537 bytes of log; the newest ``seq`` of every device lies in the log table's own row 0, so that it shares that page
(measured with 4096-byte pages and a table of its own: 8.2 kB). There is no second index: a row's identity is unique
because one process under a lock gives the numbers.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import time
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from gateway.delivery.spool import few_steps
from gateway.delivery.spool.record import DAMAGED, Record, Stream, record_of
from gateway.delivery.spool.schema import STEPS, bring_up, refuse_strange, refuse_strangers
from gateway.delivery.spool.trouble import Damaged

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=2048",  # pages: a log of 1 MiB is copied into the database
    "cache_size=-1024",
)


class SpoolFile:
    """An open database. Used by one thread. Every method may raise ``sqlite3.Error``."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises ``SpoolError`` for a file that is not ours to change, ``sqlite3.DatabaseError`` for a damaged one.
        """
        self.path = path
        log = path.with_name(path.name + "-wal")
        if path.is_symlink():  # SQLite would follow it
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        if path.exists() and path.stat().st_size > 0:
            refuse_strangers(path)
        elif log.exists() and log.stat().st_size > 0:
            raise Damaged("the file is empty and its log is not")  # SQLite would delete the log
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        _write_again(log)
        # the publisher's thread closes it, or the main thread when that one hangs
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
        try:
            self._db.execute("PRAGMA page_size=512")  # of a new file; an old one keeps its own
            refuse_strange(self._db, path)
            for pragma in PRAGMAS:
                self._db.execute(f"PRAGMA {pragma}")
            bring_up(self._db)
            self._page = int(self._db.execute("PRAGMA page_size").fetchone()[0])
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close it; SQLite then copies the log into the database."""
        self._db.close()

    def probe(self) -> None:
        """Write something that changes nothing."""
        with self.transaction():
            self._db.execute(f"PRAGMA user_version={len(STEPS)}")

    def check(self, seconds: float) -> None:
        """SQLite's own check, for at most ``seconds``. Raises ``sqlite3.DatabaseError`` when it finds damage."""
        deadline = time.monotonic() + seconds
        self._db.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        try:
            said = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError as exc:
            if "interrupted" not in str(exc):
                raise
            return
        finally:
            self._db.set_progress_handler(None, 0)
        if said != "ok":
            raise Damaged(said)
        tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master").fetchall()}
        if missing := {"run", "stream", "loss", "log", "kept", "dead"} - tables:
            raise Damaged(f"missing in it: {', '.join(sorted(missing))}")

    def transaction(self) -> _Transaction:
        """``with file.transaction():`` commits, or rolls back when an error comes through."""
        return _Transaction(self._db)

    # Numbers for names -----------------------------------------------------------------------------------------------

    def begin_run(self, run: str, boot_id: str, *, exact: bool) -> int:
        """Enter a start of the gateway, once; its number."""
        with self.transaction():
            statement = "INSERT INTO run(run, boot_id, exact) VALUES (?, ?, ?) ON CONFLICT(run) DO NOTHING"
            self._db.execute(statement, (run, boot_id, exact))
            return int(self._db.execute("SELECT id FROM run WHERE run = ?", (run,)).fetchone()[0])

    def runs(self) -> list[tuple[int, str, str, bool, int, bytes]]:
        """All runs, newest first: id, run, boot id, exact, dropped, packed last seqs."""
        rows = self._db.execute("SELECT id, run, boot_id, exact, dropped, last FROM run ORDER BY id DESC").fetchall()
        return [(row[0], row[1], row[2], bool(row[3]), row[4], bytes(row[5])) for row in rows]

    def losses(self) -> list[tuple[int, int, int]]:
        """How many readings were dropped: run, stream, count."""
        return [(row[0], row[1], row[2]) for row in self._db.execute("SELECT run, stream, count FROM loss").fetchall()]

    def set_loss(self, run: int, stream: int, count: int) -> None:
        """So many readings of a stream were dropped in a run, altogether."""
        self._db.execute("INSERT OR REPLACE INTO loss VALUES (?, ?, ?)", (run, stream, count))

    def add_loss(self, run: str, device: str, count: int) -> None:
        """So many more readings of a device were dropped of a run."""
        numbers = "SELECT run.id, min(stream.id), ? FROM run, stream WHERE run = ? AND device = ? GROUP BY run.id"
        statement = f"INSERT INTO loss {numbers} ON CONFLICT DO UPDATE SET count = count + excluded.count"
        self._db.execute(statement, (count, run, device))

    def update_run(self, run: int, last: bytes) -> None:
        """Store what is known of a run."""
        self._db.execute("UPDATE run SET last = ? WHERE id = ?", (last, run))

    def forget_run(self, run: int) -> None:
        """Remove a run that has no rows any more."""
        self._db.execute("DELETE FROM run WHERE id = ?", (run,))
        self._db.execute("DELETE FROM loss WHERE run = ?", (run,))

    def stream(self, stream: Stream) -> int:
        """The number of a stream, given on its first use."""
        key = (stream.device, stream.topic, stream.kind, stream.retain, stream.batched)
        where = "device = ? AND topic = ? AND kind = ? AND retain = ? AND batched = ?"
        found = self._db.execute(f"SELECT id FROM stream WHERE {where}", key).fetchone()  # noqa: S608 (constant text)
        if found:
            return int(found[0])
        statement = "INSERT INTO stream(device, topic, kind, retain, batched) VALUES (?, ?, ?, ?, ?)"
        return int(self._db.execute(statement, key).lastrowid or 0)

    def streams(self) -> dict[int, Stream]:
        """All streams by number."""
        rows = self._db.execute("SELECT id, device, topic, kind, retain, batched FROM stream").fetchall()
        return {row[0]: Stream(row[1], row[2], row[3], bool(row[4]), bool(row[5])) for row in rows}

    # Rows ------------------------------------------------------------------------------------------------------------

    def write(self, inserts: Iterable[Record], deletes: Iterable[int], run: int, last: bytes) -> None:
        """One step: old rows out first, so that the new ones find their page; then the newest seqs into row 0."""
        self.delete(deletes)
        few_steps.insert(self._db, "INSERT OR REPLACE INTO log", (record.columns() for record in inserts))
        self._db.execute("INSERT OR REPLACE INTO log(id, run, body) VALUES (0, ?, ?)", (run, last))

    def delete(self, ids: Iterable[int]) -> None:
        """Delete rows of the log."""
        few_steps.delete(self._db, "log", ids)

    def newest(self) -> tuple[int, bytes] | None:
        """Row 0: the run that wrote last, and its packed newest seqs."""
        row = self._db.execute("SELECT run, body FROM log WHERE id = 0").fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]))

    def keep(self, records: Iterable[tuple[Record, int]]) -> None:
        """Store acknowledged rows, each with the time of its acknowledgement, where ``resend`` finds them."""
        rows = ((*record.columns(), acked_ns) for record, acked_ns in records)
        few_steps.insert(self._db, "INSERT OR REPLACE INTO kept", rows)

    def bury_damaged(self, row_id: int, died_ns: int) -> tuple[int, int, int]:
        """Set an unreadable row of the log aside as it is; its stream, run and size, 0 where they cannot be told."""
        with self.transaction():
            copy = "INSERT OR REPLACE INTO dead SELECT *, ?, ? FROM log WHERE id = ?"
            self._db.execute(copy, (DAMAGED, died_ns, row_id))
            found = self._db.execute("SELECT stream, run, length(body) FROM log WHERE id = ?", (row_id,)).fetchone()
            self._db.execute("DELETE FROM log WHERE id = ?", (row_id,))
        return _numbers(found or (0, 0, 0))

    def bury(self, records: Iterable[Record], reason: str, died_ns: int) -> None:
        """Store dead letters."""
        rows = ((*record.columns(), reason, died_ns) for record in records)
        few_steps.insert(self._db, "INSERT OR REPLACE INTO dead", rows)

    def forget_dead(self, ids: Iterable[int]) -> None:
        """Delete dead letters."""
        few_steps.delete(self._db, "dead", ids)

    def oldest_dead(self, most: int) -> list[tuple[int, int, int, int]]:
        """The oldest dead letters: id, stream, run, bytes of the body; 0 for what a damaged one does not tell."""
        statement = "SELECT id, stream, run, length(body) FROM dead ORDER BY id LIMIT ?"
        rows = self._db.execute(statement, (most,)).fetchall()
        return [(row[0], *_numbers(row[1:])) for row in rows]

    def oldest(self, skip: Container[int]) -> tuple[int, int, int] | None:
        """The oldest row of the log that is not in ``skip``: run, boot and wall clock when it was read."""
        position = 0
        statement = "SELECT id, run, boot_ns, wall_ns FROM log WHERE id > ? ORDER BY id LIMIT 50"
        while rows := self._db.execute(statement, (position,)).fetchall():
            for row_id, *numbers in rows:
                if row_id not in skip and all(isinstance(number, int) for number in numbers):
                    return numbers[0], numbers[1], numbers[2]
            position = rows[-1][0]
        return None

    def scan(self, after: int, limit: int) -> list[tuple[int, Record | None]]:
        """Rows of the log in the order of acceptance: id and record, ``None`` for one that is damaged."""
        statement = "SELECT * FROM log WHERE id > ? ORDER BY id LIMIT ?"
        rows = self._db.execute(statement, (max(0, after), limit)).fetchall()
        return [(row[0], record_of(row)) for row in rows]

    def counts(self, table: str = "log") -> list[tuple[int, int, int, int, int]]:
        """Per stream and run: stream, run, rows, bytes of bodies, highest id."""
        statement = (
            f"SELECT stream, run, count(*), sum(length(body)), max(id) FROM {table} WHERE id > 0 GROUP BY stream, run"  # noqa: S608 (constant text)
        )
        return [tuple(int(n or 0) for n in row) for row in self._db.execute(statement).fetchall()]  # type: ignore[misc]

    def rows(self, statement: str, *values: object) -> Iterator[tuple[object, ...]]:
        """For the commands that read: any SELECT."""
        return iter(self._db.execute(statement, values))

    def execute(self, statement: str, *values: object) -> int:
        """For the commands that write: any statement; the number of rows that it changed."""
        return self._db.execute(statement, values).rowcount

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> int:
        """The same statement for each row; the number of rows that it changed."""
        return self._db.executemany(statement, rows).rowcount

    def has(self, row_id: int) -> bool:
        """Whether the log has this row."""
        return self._db.execute("SELECT 1 FROM log WHERE id = ?", (row_id,)).fetchone() is not None

    def highest_id(self) -> int:
        """The highest id that was ever given to a row that is still there."""
        tables = ("log", "kept", "dead")
        found = [self._db.execute(f"SELECT max(id) FROM {table}").fetchone()[0] for table in tables]  # noqa: S608 (constant text)
        return max((int(number) for number in found if number is not None), default=0)

    def used_bytes(self) -> int:
        """Bytes of pages in use."""
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
        return int(pages - free) * self._page


def _write_again(log: Path) -> None:
    """Write the log that an earlier process has left once more, as it is.

    After a sync that failed, the system shows what is not on the disk, and takes it for written. What is added behind
    it would be lost with it in a power cut.
    """
    with contextlib.suppress(FileNotFoundError), log.open("r+b") as file:
        content = file.read()
        file.seek(0)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _numbers(row: Sequence[object]) -> tuple[int, int, int]:
    first, second, third = (value if isinstance(value, int) else 0 for value in row)
    return first, second, third


class _Transaction:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._db.execute("COMMIT")
        elif self._db.in_transaction:
            self._db.execute("ROLLBACK")
