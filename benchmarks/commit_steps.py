"""What a thread that computes does to a commit: ``PYTHONPATH=. python benchmarks/commit_steps.py [ROWS]``, default 500.

A step of SQLite lets go of Python's lock and has to wait for it again. ``executemany`` takes a step for each row; the
spool takes one for up to 256 (``gateway/delivery/spool/few_steps.py``). Both store the same rows in the same kind of
file and delete them again, in turn, alone and beside a thread that counts, with Python's switch interval and with ours.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gateway.delivery.spool import few_steps

ROUNDS = 3
INTO = "INSERT OR REPLACE INTO log"
Write = Callable[[sqlite3.Connection, list[tuple[object, ...]]], None]


def one_by_one(db: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    """A step for each row."""
    db.executemany(f"{INTO} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    db.executemany("DELETE FROM log WHERE id = ?", [row[:1] for row in rows])


def in_groups(db: sqlite3.Connection, rows: list[tuple[object, ...]]) -> None:
    """As the spool does it."""
    few_steps.insert(db, INTO, rows)
    few_steps.delete(db, "log", range(len(rows)))


def measure(write: Write, count: int) -> float:
    """Seconds that one commit of so many rows takes."""
    body = b"x" * 130
    rows: list[tuple[object, ...]] = [(n, n % 20, 1, n, n * 10**9, 17 * 10**17, 0, 2**31, body) for n in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "spool.db", isolation_level=None)
        for pragma in ("page_size=512", "journal_mode=wal", "synchronous=full"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("CREATE TABLE log(id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, body BLOB)")
        began = time.perf_counter()
        db.execute("BEGIN IMMEDIATE")
        write(db, rows)
        db.execute("COMMIT")
        took = time.perf_counter() - began
        db.close()
    return took


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print("switch interval  beside              one by one    in groups  ratio")
    for interval in (0.005, 0.001):
        sys.setswitchinterval(interval)
        for busy in (False, True):
            done = threading.Event()

            def count_up(done: threading.Event = done) -> None:
                while not done.is_set():
                    sum(range(100))

            thread = threading.Thread(target=count_up)
            if busy:
                thread.start()
            taken: list[tuple[float, float]] = [
                (measure(one_by_one, count), measure(in_groups, count)) for _ in range(ROUNDS)
            ]
            done.set()
            if busy:
                thread.join()
            slow, quick = (statistics.median(column) * 1e3 for column in zip(*taken, strict=True))
            beside = "a busy thread" if busy else "nothing"
            print(f"{interval * 1e3:>12.0f} ms  {beside:<16} {slow:>10.1f} ms {quick:>9.1f} ms {slow / quick:>6.1f}")


if __name__ == "__main__":
    main()
