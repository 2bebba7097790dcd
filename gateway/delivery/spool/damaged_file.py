"""Reads what can be read of a damaged spool, stepping over the places that cannot."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gateway.delivery.spool.trouble import is_unreadable

STEP = 500
STRIDES = 1000
"""Ids that are tried one by one behind a place that cannot be read; from then on the stride doubles."""

Row = tuple[Any, ...]


class DamagedFile:
    """Open read-only; the file stays as it is."""

    needed = ("stream", "run")
    """Tables without which the rest has no meaning: when the disk does not give them back, that may pass, and is raised
    as ``sqlite3.OperationalError``."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA cell_size_check=ON")

    def close(self) -> None:
        """Close it."""
        self._db.close()

    def rows(self, table: str, good: Callable[[Row], object]) -> Iterator[Row]:
        """The rows of a table in the order of their ids; some that are not ``good`` may come more than once.

        Only a row that is ``good`` is believed its id, so that one with a wild id does not end the search.
        """
        position, fruitless, stride = -1, 0, 1
        while fruitless < 2 * STRIDES:
            rows = self._read(table, position, STEP) or self._read(table, position, 1)
            if rows is None:
                fruitless += 1
                stride = stride * 2 if fruitless > STRIDES else 1
                position += stride
                continue
            if stride > 1:  # too far, perhaps
                position = self._first_readable(table, position - stride, position)
                rows = self._read(table, position, 1)
            if not rows:
                return
            fruitless, stride = 0, 1
            yield from rows
            position = next((row[0] for row in reversed(rows) if row[0] > position and good(row)), position + 1)

    def all_rows(self, table: str) -> list[Row]:
        """Those of a small table without ids; none when one of them cannot be read or there is no such table."""
        try:
            return self._db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 (a constant)
        except sqlite3.Error:
            return []

    def _first_readable(self, table: str, low: int, high: int) -> int:
        """The end of a place that cannot be read: ``low`` is in it, ``high`` is not."""
        while high - low > 1:
            middle = (low + high) // 2
            if self._read(table, middle, 1) is None:
                low = middle
            else:
                high = middle
        return high

    def _read(self, table: str, after: int, most: int) -> list[Row] | None:
        """``None``: something on the way there is damaged."""
        statement = f"SELECT * FROM {table} WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 (constants)
        try:
            return self._db.execute(statement, (after, most)).fetchall()
        except (sqlite3.Error, OverflowError) as exc:
            if table in self.needed and isinstance(exc, sqlite3.Error) and is_unreadable(exc):
                raise
            return None
