"""Makes a spool readable whose list of tables is damaged: nothing in such a file can be read, whole as the rest may be.

The tables of every spool are made by the same statements on an empty file, so they begin on the same pages, and the
list of one file is as good as that of another.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

_SIZE = slice(28, 32)
"""Where the header of a database has its number of pages, big-endian (SQLite's file format, section 1.3)."""


def readable(path: Path) -> bool:
    """Whether the list of tables can be read."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return bool(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error:
        return False
    finally:
        db.close()


def graft(damaged: Path, whole: Path, result: Path) -> None:
    """Write ``result``: ``damaged`` with the list of tables of ``whole``, an empty spool of today's layout.

    A table that was added to an older spool later begins elsewhere, so what is read from there must be looked at
    closely. Raises ``OSError``.
    """
    db = sqlite3.connect(f"{whole.absolute().as_uri()}?mode=ro", uri=True)
    try:
        roots = {row[0] for row in db.execute("SELECT rootpage FROM sqlite_master")}
        size = int(db.execute("PRAGMA page_size").fetchone()[0])
    finally:
        db.close()
    pages = whole.read_bytes()
    shutil.copy(damaged, result)
    log = damaged.with_name(damaged.name + "-wal")
    if log.exists():
        shutil.copy(log, result.with_name(result.name + "-wal"))
    with result.open("r+b") as file:
        for number in range(1, len(pages) // size + 1):
            if number not in roots:
                file.seek((number - 1) * size)
                file.write(pages[(number - 1) * size : number * size])
        count = max(len(pages), damaged.stat().st_size) // size
        file.seek(_SIZE.start)
        file.write(count.to_bytes(4, "big"))
        file.write(bytes(8))  # no list of free pages: it may lead anywhere
