"""The layout of the file: made, brought up from an older version, refused when it is not ours to change."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path

import pytest

from gateway.delivery.spool.file import SpoolFile
from gateway.delivery.spool.lock import SpoolError
from gateway.delivery.spool.schema import APPLICATION, STEPS, bring_up, refuse_strangers

VERSION_1 = """
PRAGMA page_size=512;
PRAGMA journal_mode=WAL;
BEGIN;
CREATE TABLE run(id INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, boot_id TEXT NOT NULL, exact INTEGER NOT NULL,
    dropped INTEGER NOT NULL DEFAULT 0, last BLOB NOT NULL DEFAULT x'');
CREATE TABLE stream(id INTEGER PRIMARY KEY, device TEXT NOT NULL, topic TEXT NOT NULL, kind TEXT NOT NULL,
    retain INTEGER NOT NULL, batched INTEGER NOT NULL, UNIQUE(device, topic, kind, retain, batched));
CREATE TABLE log(id INTEGER PRIMARY KEY, stream INTEGER, run INTEGER, seq INTEGER, boot_ns INTEGER, wall_ns INTEGER,
    flags INTEGER, crc INTEGER, body BLOB);
CREATE TABLE kept(id INTEGER PRIMARY KEY, stream INTEGER, run INTEGER, seq INTEGER, boot_ns INTEGER, wall_ns INTEGER,
    flags INTEGER, crc INTEGER, body BLOB, acked_ns INTEGER);
CREATE TABLE dead(id INTEGER PRIMARY KEY, stream INTEGER, run INTEGER, seq INTEGER, boot_ns INTEGER, wall_ns INTEGER,
    flags INTEGER, crc INTEGER, body BLOB, reason TEXT, died_ns INTEGER);
PRAGMA application_id=1397773140;
PRAGMA user_version=1;
INSERT INTO run VALUES (1, 'k7fp2qza', 'boot', 1, 0, x'0102');
INSERT INTO stream VALUES (1, 'd', 'B/d', 'sampled', 1, 0);
COMMIT;
"""
"""A file as the first version left it. Never to be changed: such files are out there."""

NEXT = (*STEPS, ("ALTER TABLE dead ADD COLUMN note TEXT", "UPDATE dead SET note = 'old'", "CREATE TABLE more(x)"))
"""Today's steps and one that a later version might have."""


def connect(path: Path) -> sqlite3.Connection:
    """As the product does."""
    return sqlite3.connect(path, isolation_level=None)


def make_version_1(path: Path, rows: int = 3) -> None:
    """Such a file, with rows."""
    db = connect(path)
    db.executescript(VERSION_1)
    for number in range(1, rows + 1):
        body = b'{"seq":%d}' % number
        numbers = (1, 1, number, 10**9, 17 * 10**17, 0)
        crc = zlib.crc32(body, zlib.crc32((",".join(map(str, numbers)) + ";").encode()))
        db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *numbers, crc, body))
        db.execute("INSERT INTO dead SELECT *, 'too large', 1 FROM log WHERE id = ?", (number,))
    db.close()


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
    assert [record.seq if record else None for record in records] == [1, 2, 3]
    assert file.counts("dead") == [(1, 1, 3, 27, 3)]
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
        assert db.execute("SELECT count(*), min(note), max(note) FROM dead").fetchone() == (3, "old", "old")
        assert db.execute("SELECT count(*) FROM log").fetchone() == (3,)
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
