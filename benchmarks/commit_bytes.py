"""Bytes that the spool's usual commit hands to the system, by page size: ``python benchmarks/commit_bytes.py``.

One reading in, the one before it out, and the newest seqs; what docs/decisions/0002-spool-in-sqlite.md is based on.
Linux only: the kernel counts (``/proc/thread-self/io``).
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from pathlib import Path

COMMITS = 2000
BODY = b"x" * 130
READINGS_A_DAY = 20 * 8640
"""20 devices at 10 s."""


def written() -> dict[str, int]:
    """What this thread has written so far."""
    lines = Path("/proc/thread-self/io").read_text().splitlines()
    return {name: int(value) for name, value in (line.split(": ") for line in lines)}


def measure(folder: Path, page: int) -> str:
    """One row of the table."""
    db = sqlite3.connect(folder / f"{page}.db", isolation_level=None)
    for pragma in (f"page_size={page}", "journal_mode=wal", "synchronous=full"):
        db.execute(f"PRAGMA {pragma}")
    numbers = "stream INT, run INT, seq INT, boot_ns INT, wall_ns INT, flags INT, crc INT"
    db.execute(f"CREATE TABLE log(id INTEGER PRIMARY KEY, {numbers}, body BLOB)")
    before, began = written(), time.perf_counter()
    for number in range(1, COMMITS + 1):
        db.execute("BEGIN")
        db.execute("DELETE FROM log WHERE id = ?", (number - 1 or -1,))
        row = (number, number % 20, 1, number, number * 10**9, 17 * 10**17 + number, 0, 2**31 + number, BODY)
        db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.execute("INSERT OR REPLACE INTO log(id, body) VALUES (0, ?)", (os.urandom(80),))
        db.execute("COMMIT")
    seconds = time.perf_counter() - began
    after = written()
    db.close()
    handed = (after["wchar"] - before["wchar"]) / COMMITS
    blocks = (after["write_bytes"] - before["write_bytes"]) / COMMITS
    day = READINGS_A_DAY / 1e6
    return f"{page:>9} {handed:>15.0f} {handed * day:>9.0f} {blocks * day:>13.0f} {seconds / COMMITS * 1e6:>10.0f}"


def main() -> None:
    """Print the table."""
    print("page size  bytes a commit  MB a day  MB in blocks  µs a commit")
    with tempfile.TemporaryDirectory() as folder:
        for page in (4096, 1024, 512):
            print(measure(Path(folder), page))


if __name__ == "__main__":
    main()
