"""The layout of the file: made, brought up from an older version, refused when it is not ours to change."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from support.old_spool import make_version_1

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.lock import SpoolError
from gateway.delivery.spool.schema import APPLICATION, STEPS, bring_up, refuse_strangers

NEXT = (*STEPS, ("ALTER TABLE dead ADD COLUMN note TEXT", "UPDATE dead SET note = 'old'", "CREATE TABLE more(x)"))
"""Today's steps and one that a later version might have."""


def connect(path: Path) -> sqlite3.Connection:
    """As the product does."""
    return sqlite3.connect(path, isolation_level=None)


def version(path: Path) -> int:
    """The version that the file says it has."""
    db = connect(path)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def test_a_new_file_is_of_the_newest_version(tmp_path: Path) -> None:
    """Marked as ours, with small pages, for the gateway's user only."""
    path = tmp_path / "spool.db"
    file = SpoolFile(path)
    assert next(file.rows("PRAGMA application_id")) == (APPLICATION,)
    assert next(file.rows("PRAGMA page_size")) == (512,)
    file.close()
    assert version(path) == len(STEPS)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_version_1_is_read(tmp_path: Path) -> None:
    """Its rows, dead letters, streams and runs are all there."""
    path = tmp_path / "spool.db"
    make_version_1(path)
    file = SpoolFile(path)
    records = [record for _, record in file.scan(0, 10)]
    assert [record.seq if record else None for record in records] == [1, 3]
    assert [counted[:3] for counted in file.counts("dead")] == [(1, 1, 1)]
    assert (file.streams()[1].topic, file.runs()[0][1]) == ("B/d", "k7fp2qza")
    assert file.losses() == []
    file.close()
    assert version(path) == len(STEPS)


def test_an_older_file_is_brought_up_with_its_rows(tmp_path: Path) -> None:
    """Every step is walked, and once only."""
    path = tmp_path / "spool.db"
    make_version_1(path)
    db = connect(path)
    for _ in range(2):
        bring_up(db, NEXT)
        assert db.execute("SELECT count(*), min(note), max(note) FROM dead").fetchone() == (1, "old", "old")
        assert db.execute("SELECT count(*) FROM log").fetchone() == (2,)
    db.close()
    assert version(path) == len(NEXT)


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    """The file is of the old version, whole, and the next try starts from there."""
    path = tmp_path / "spool.db"
    make_version_1(path)
    db = connect(path)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        bring_up(db, (*NEXT, ("INSERT INTO nowhere VALUES (1)",)))
    db.close()
    assert version(path) == 1
    db = connect(path)
    bring_up(db, NEXT)
    db.close()
    assert version(path) == len(NEXT)


def test_a_newer_file_is_refused_untouched(tmp_path: Path) -> None:
    """Even one whose gateway was killed, with rows in its write-ahead log; both versions and a way out are named."""
    path, wal = tmp_path / "spool.db", tmp_path / "spool.db-wal"
    make_version_1(path)
    other = connect(path)
    other.execute("PRAGMA user_version = 9")
    assert wal.stat().st_size > 0
    killed = {file: file.read_bytes() for file in (path, wal)}
    other.close()
    for file, content in killed.items():
        file.write_bytes(content)
    with pytest.raises(SpoolError, match=r"version 9, .* up to version \d+\. Nothing was changed: install the newer"):
        SpoolFile(path)
    assert {file: file.read_bytes() for file in killed} == killed


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """A wrong ``[spool] path`` costs nobody his data."""
    path = tmp_path / "home-assistant.db"
    db = connect(path)
    db.execute("CREATE TABLE states(x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(SpoolError, match=r"another program; give \[spool\] path a file of its own"):
        SpoolFile(path)
    assert path.read_bytes() == before


def test_a_name_with_odd_characters_is_no_trouble(tmp_path: Path) -> None:
    """It is a path, whatever it would mean in a URI."""
    path = tmp_path / "a?b#c%20d.db"
    SpoolFile(path).close()
    refuse_strangers(path)
    SpoolFile(path).close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
