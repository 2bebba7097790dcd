"""Many rows in few steps of SQLite.

``executemany`` takes a step for each row, and around every step Python lets go of its lock. Beside a thread that
computes, getting it back takes a switch interval, 1 ms and more, so a driver that works hard delayed every row of a
commit by that much. Here rows go in groups, with one statement for each of a few sizes, which SQLite's cache of
statements keeps prepared: 20 times as fast beside a busy thread (``benchmarks/commit_steps.py``).
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

GROUPS = (256, 32, 4, 1)
"""256 rows of 11 columns are 2816 values; SQLite takes 32,766 (``SQLITE_MAX_VARIABLE_NUMBER`` since 3.32)."""


def insert(db: sqlite3.Connection, into: str, rows: Iterable[Sequence[object]]) -> None:
    """Store rows of equal length; ``into`` as in ``INSERT OR REPLACE INTO log``."""
    for group in _groups(list(rows)):
        db.execute(_insertion(into, len(group), len(group[0])), [value for row in group for value in row])


def delete(db: sqlite3.Connection, table: str, ids: Iterable[int]) -> None:
    """Delete the rows of a table with these ids; those that are not there are not missed."""
    for group in _groups(list(ids)):
        db.execute(_deletion(table, len(group)), group)


def _groups(rows: list[T]) -> Iterator[list[T]]:
    """As few as there can be of the sizes that there are."""
    done = 0
    for size in GROUPS:
        while len(rows) - done >= size:
            yield rows[done : done + size]
            done += size


@functools.cache
def _insertion(into: str, rows: int, columns: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{into} VALUES {', '.join([row] * rows)}"


@functools.cache
def _deletion(table: str, rows: int) -> str:
    return f"DELETE FROM {table} WHERE id IN ({', '.join('?' * rows)})"  # noqa: S608 (one of our tables)
