"""Spools as earlier versions left them, written by hand: such files are out there."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from pathlib import Path

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
"""As the first version left it. Never to be changed."""


def make_version_1(path: Path, rows: int = 3) -> None:
    """A file of the first version. Device ``d``, run ``k7fp2qza``: odd rows wait, the others are dead letters."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(VERSION_1)
        for number in range(1, rows + 1):
            body = json.dumps({"run": "k7fp2qza", "seq": number, "device": "d"}).encode()
            numbers = (1, 1, number, 10**9, 17 * 10**17, 0)
            crc = zlib.crc32(body, zlib.crc32((",".join(map(str, numbers)) + ";").encode()))
            db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *numbers, crc, body))
        db.execute("INSERT INTO dead SELECT *, 'too large', 1 FROM log WHERE id % 2 = 0")
        db.execute("DELETE FROM log WHERE id % 2 = 0")
        db.execute("UPDATE run SET last = ?", (bytes((1, rows)),))
