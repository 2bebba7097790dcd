"""The layout of the spool's file, and the way to it from every older one.

A new file is of version 0 and walks the same steps as an old one, all of them in one transaction: a kill or a power cut
at any moment leaves either the old layout or the new one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from gateway.delivery.spool.lock import SpoolError

APPLICATION = 0x53505354
"""In the header of every spool: SQLite's ``application_id``."""

_ROW = """id INTEGER PRIMARY KEY, stream INTEGER, run INTEGER, seq INTEGER, boot_ns INTEGER, wall_ns INTEGER,
    flags INTEGER, crc INTEGER, body BLOB"""

STEPS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE run(id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, boot_id TEXT NOT NULL,
    exact INTEGER NOT NULL, dropped INTEGER NOT NULL DEFAULT 0, last BLOB NOT NULL DEFAULT x'')""",
        """CREATE TABLE stream(id INTEGER PRIMARY KEY, device TEXT NOT NULL, topic TEXT NOT NULL, kind TEXT NOT NULL,
    retain INTEGER NOT NULL, batched INTEGER NOT NULL, UNIQUE(device, topic, kind, retain, batched))""",
        f"CREATE TABLE log({_ROW})",
        f"CREATE TABLE kept({_ROW}, acked_ns INTEGER)",
        f"CREATE TABLE dead({_ROW}, reason TEXT, died_ns INTEGER)",
    ),
    (  # how many readings were dropped, per device of each run; until then one number in the run's row told of all
        """CREATE TABLE loss(run INTEGER, stream INTEGER, count INTEGER NOT NULL,
    PRIMARY KEY(run, stream)) WITHOUT ROWID""",
    ),
)
"""The statements that lead from each version to the next, from version 0, the empty file. Written once, never changed:
there are files of every version out there."""


def refuse_strangers(path: Path, newest: int = len(STEPS)) -> None:
    """Raises ``SpoolError`` for a file of a newer version or of another program, which is left as it is, byte for byte.

    Raises ``sqlite3.DatabaseError`` for one that cannot be read.
    """
    # read-only: a connection that may write would copy the file's write-ahead log into it at its end
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        try:
            refuse_strange(db, path, newest)
        except sqlite3.OperationalError as exc:
            # its creation was interrupted, and only a connection that may write can take it back
            if exc.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise


def refuse_strange(db: sqlite3.Connection, path: Path, newest: int = len(STEPS)) -> None:
    """As :func:`refuse_strangers`, for a file that is open."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    application = db.execute("PRAGMA application_id").fetchone()[0]
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables > 0 and application != APPLICATION:
        raise SpoolError(f"{path}: this is the database of another program; give [spool] path a file of its own")
    if version > newest:
        raise SpoolError(
            f"{path}: its layout is version {version}, from a newer sensorpost; this one knows up to version {newest}. "
            "Nothing was changed: install the newer sensorpost again, or move the file away to begin a new one"
        )


def bring_up(db: sqlite3.Connection, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Give a new file its tables, or an older one those of today; a file of today is left alone."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version == len(steps):
        return
    db.execute("BEGIN IMMEDIATE")
    for step in steps[version:]:
        for statement in step:
            db.execute(statement)
    db.execute(f"PRAGMA application_id={APPLICATION}")
    db.execute(f"PRAGMA user_version={len(steps)}")
    db.execute("COMMIT")
