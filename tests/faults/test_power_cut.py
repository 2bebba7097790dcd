"""The power goes while the spool is written (fault 35): every reading that was promised is there afterwards.

A real writer runs under strace; its system calls are replayed onto a disk that forgets. 30 cuts, 300 with ``--long``;
``POWER_CUTS=1000`` sets the number.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.power_cut import ForgetfulDisk
from support.spool_writer import open_spool
from support.syscalls import Call, record

from gateway.delivery.spool.spool import Spool
from gateway.delivery.store import Durability, Row
from gateway.driver import Kind
from gateway.status.alarms import Alarms

Identity = tuple[str, str, int]


@dataclass
class Promises:
    """What the writer has noted so far."""

    tried: set[Identity] = field(default_factory=set)
    kept: set[Identity] = field(default_factory=set)
    """Promised and not acknowledged."""

    def note(self, line: bytes) -> None:
        """Take one note."""
        word, rows = json.loads(line)
        identities = {(run, device, seq) for run, device, seq in rows}
        if word == "try":
            self.tried |= identities
        elif word == "have":
            self.kept |= identities
        else:
            self.kept -= identities


def found(spool: Spool) -> dict[Identity, bytes]:
    """Everything that the spool gives out: what waits, dead letters, and what it keeps for ``resend``."""
    rows = spool.left_over()
    spool.care.retry()
    spool.care.resend(0)
    while chunk := spool.next_chunk(1000, 1_000_000):
        rows += chunk
    identities = [(row.run, row.device, row.seq) for row in rows]
    assert len(identities) == len(set(identities)), "a reading is there twice"
    return dict(zip(identities, (row.body for row in rows), strict=True))


def check(folder: Path, promises: Promises) -> None:
    """Open what the cut has left, as the next start does, and compare it with the promises."""
    alarms = Alarms(lambda: None)
    spool = open_spool(folder, "after", alarms, keep=3600.0)
    try:
        assert (alarms.texts(), spool.status().state) == ([], "ok")
        there = found(spool)
        assert promises.kept - set(there) == set(), "promised, and lost"
        assert set(there) - promises.tried == set(), "nobody has ever given these to the spool"
        for (run, device, seq), body in there.items():
            value = json.loads(body)
            assert (value["run"], value["device"], value["seq"]) == (run, device, seq)
        known = {str(run["run"]): run["last_seq"] for run in spool.runs()}
        for run, device, seq in promises.kept:
            assert known[run][device] >= seq, "the end of a run is not known"  # type: ignore[index]
        row = Row(1 << 40, "door", "after", 1, Kind.EVENT, "B/door", False, False, b"{}", 1, durability=Durability.FULL)
        assert spool.accept([row]) == []
        spool.close()
    finally:
        spool.disk.close()
    db = sqlite3.connect(folder / "spool.db")
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        db.close()


def cut(folder: Path, left: dict[str, bytes], promises: Promises) -> None:
    """Lay out what is left in a folder, and check it."""
    folder.mkdir(mode=0o700)
    for name, content in left.items():
        (folder / name).write_bytes(content)
    check(folder, promises)
    shutil.rmtree(folder)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory, where there is one: what lasts is decided by the replay, and a sync costs nothing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def write(place: Path, seed: int, runs: int, rounds: int) -> list[Call]:
    """Let the writer run; its system calls."""
    (place / "state").mkdir()
    arguments = [str(place / "state"), str(place / "notes"), str(seed), str(runs), str(rounds)]
    return record([sys.executable, "-m", "support.spool_writer", *arguments], place / "trace")


def cuts(disk: ForgetfulDisk, calls: list[Call], notes: Path) -> Iterator[tuple[str, Promises]]:
    """Follow the calls; after each that has changed something, what was promised until then."""
    promises = Promises()
    for number, call in enumerate(calls):
        if call.file == str(notes) and call.name == "write":
            promises.note(call.strings[0])
        if disk.follow(call):
            yield f"call {number}: {call.name} {Path(call.file or call.strings[-1].decode()).name}", promises


def chosen(calls: list[Call], place: Path, count: int, rng: random.Random) -> set[str]:
    """Where to cut: half of them anywhere, half where something other than the log is written."""
    steps = [step for step, _ in cuts(ForgetfulDisk(place / "state"), calls, place / "notes")]
    rare = [step for step in steps if not step.endswith("pwrite64 spool.db-wal")]
    anywhere = rng.sample(steps, min(len(steps), count - count // 2))
    return {*anywhere, *rng.sample(rare, min(len(rare), count // 2))}


@pytest.mark.needs("strace")
@pytest.mark.slow
def test_what_was_promised_survives_a_power_cut(
    place: Path, times: Callable[[int, int], Any], tell: Callable[[str], None]
) -> None:
    """Unsynced writes are dropped, reordered and torn, or only the process goes; nothing is lost, nothing damaged."""
    count = int(os.environ.get("POWER_CUTS") or times(30, 300))
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    calls = write(place, seed, runs=3, rounds=min(400, 60 + count))
    where = chosen(calls, place, count, rng)
    disk = ForgetfulDisk(place / "state")
    at_risk = 0
    looked_for = 0
    for step, promises in cuts(disk, calls, place / "notes"):
        if step not in where:
            continue
        at_risk += disk.unsafe_bytes > 0
        looked_for += len(promises.kept)
        left = disk.after_kill() if rng.random() < 0.1 else disk.after_cut(rng)
        try:
            cut(place / "after", left, promises)
        except AssertionError as exc:
            raise AssertionError(f"seed {seed}, cut after {step}: {exc}") from exc
    assert at_risk >= count // 5, "hardly a cut fell where something was at risk"
    tell(f"power cuts: {len(where)}, {at_risk} with unsynced bytes, {looked_for} readings looked for, 0 lost")
