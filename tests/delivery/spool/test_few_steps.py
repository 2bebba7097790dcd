"""Many rows in few statements."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest

from gateway.delivery.spool import few_steps

COUNTS = (0, 1, 3, 4, 5, 31, 32, 33, 255, 256, 257, 1000)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """A database with a table of three columns."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("CREATE TABLE log(id INTEGER PRIMARY KEY, seq INTEGER, body BLOB)")
        yield db


def rows(count: int) -> list[tuple[int, int, bytes]]:
    """Rows of the table, with ids from 1."""
    return [(number, -number, b"%d" % number) for number in range(1, count + 1)]


@pytest.mark.parametrize("count", COUNTS)
def test_every_row_is_stored_and_deleted_whatever_their_number(db: sqlite3.Connection, count: int) -> None:
    """Groups leave none out and mix no columns up; rows that are not named stay."""
    few_steps.insert(db, "INSERT INTO log", iter(rows(count + 2)))
    assert db.execute("SELECT * FROM log ORDER BY id").fetchall() == rows(count + 2)
    few_steps.delete(db, "log", (row[0] for row in rows(count)))
    assert db.execute("SELECT id FROM log ORDER BY id").fetchall() == [(count + 1,), (count + 2,)]


def test_a_thousand_rows_take_a_few_steps(db: sqlite3.Connection) -> None:
    """Each step waits for Python's lock, beside a thread that computes for a millisecond and more."""
    steps: list[str] = []
    db.set_trace_callback(steps.append)
    few_steps.insert(db, "INSERT INTO log", rows(1000))
    few_steps.delete(db, "log", [row[0] for row in rows(1000)])
    assert len(steps) < 40


def test_the_widest_table_fits(db: sqlite3.Connection) -> None:
    """Eleven columns in the largest group are within SQLite's limit of values."""
    columns = ", ".join(f"c{number}" for number in range(11))
    db.execute(f"CREATE TABLE dead({columns})")
    few_steps.insert(db, "INSERT INTO dead", [(number, *range(10)) for number in range(few_steps.GROUPS[0])])
    assert db.execute("SELECT count(*) FROM dead").fetchone() == (few_steps.GROUPS[0],)
