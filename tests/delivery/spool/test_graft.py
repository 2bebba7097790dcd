"""A damaged list of tables costs no reading."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from support.spooling import SpoolBench

PAGE = 512


def list_pages(path: str) -> list[int]:
    """The pages, from 1, that hold the list of tables: all of an empty spool but those where a table begins."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        roots = {row[0] for row in db.execute("SELECT rootpage FROM sqlite_master")}
        return [number for number in range(1, max(roots) + 1) if number not in roots]


@pytest.mark.parametrize("killed", [False, True], ids=["at rest", "killed"])
def test_every_reading_is_saved(bench: SpoolBench, killed: bool) -> None:  # noqa: FBT001 (a parameter)
    """Though no query can be asked of such a file, and though part of it may be in the write-ahead log."""
    spool = bench.open("r0")
    spool.close()
    first, *rest = list_pages(str(bench.path))
    assert first == 1
    assert rest, "the list takes more than one page"
    spool = bench.open("r1")
    rows = [bench.row(number) for number in range(1, 301)]
    spool.accept(rows)
    files = [bench.path, bench.path.with_name("spool.db-wal")]
    as_killed = {file: file.read_bytes() for file in files}
    spool.close()
    if killed:
        for file, content in as_killed.items():
            file.write_bytes(content)
    with bench.path.open("r+b") as file:
        for number in rest:
            file.seek((number - 1) * PAGE)
            file.write(b"\xff" * PAGE)
    again = bench.open("r2")
    found: list[int] = []
    while chunk := again.next_chunk(100, 32_000):
        found += [row.seq for row in chunk]
    assert found == list(range(1, 301))
    runs = {str(run["run"]): run for run in again.runs()}
    assert (runs["r1"]["last_seq"], runs["r1"]["queued"], runs["r1"]["exact"]) == ({"d": 300}, 300, False)
    assert any("300 reading(s) were saved" in text for text in bench.alarms.texts())
    leftovers = [one.name for one in bench.path.parent.iterdir() if "readable" in one.name]
    assert leftovers == []
